//! What clients ask for on a WebSocket, and who does it.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bailiwick_agents::bus::Told;
use bailiwick_domain::run::RunId;
use bailiwick_domain::trace::TraceContext;
use bailiwick_skills::approvals::Answer;
use bailiwick_wire::approval::ApprovalState;
use bailiwick_wire::run::RunStatus;
use futures::future::BoxFuture;
use serde_json::json;

use super::connection::{Close, Desk};
use crate::approvals;
use crate::auth::Scope;
use crate::auth::caller::ReadRuns;
use crate::auth::lasting::Lasting;
use crate::problem::Failure;
use crate::runs;
use crate::state::ApiState;

/// The topic of what clients tell each other.
const CLIENTS: &str = "broadcast.clients";

/// What a client asks for.
pub(super) enum Command {
    /// To be told these topics too.
    Subscribe(Vec<String>),
    /// To be told these no longer.
    Unsubscribe(Vec<String>),
    /// That something is done.
    Do(Deed),
}

/// What can be done.
pub(super) enum Deed {
    Pause { run: RunId },
    Resume { run: RunId, repeat: bool },
    Cancel { run: RunId, reason: Option<String> },
    Answer { approval: String, answer: Answer },
    Publish { text: String },
}

/// What there is to say when it was done.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) status: Option<RunStatus>,
    pub(super) approval: Option<ApprovalState>,
    pub(super) topics: Option<Vec<String>>,
}

impl Deed {
    const fn needs(&self) -> Scope {
        match self {
            Self::Pause { .. } | Self::Resume { .. } | Self::Cancel { .. } | Self::Publish { .. } => Scope::RunsSubmit,
            Self::Answer { .. } => Scope::ApprovalsAnswer,
        }
    }
}

/// Does what the caller of one connection asks for.
pub(super) struct Office {
    state: ApiState,
    caller: Lasting<ReadRuns>,
    trace: TraceContext,
}

impl Office {
    pub(super) const fn new(state: ApiState, caller: Lasting<ReadRuns>, trace: TraceContext) -> Self {
        Self { state, caller, trace }
    }

    async fn fulfil(&self, deed: Deed) -> Result<Done, Failure> {
        let by = self.caller.may(deed.needs(), &self.state)?;
        let runtime = self.state.runs();
        let stands = match deed {
            Deed::Pause { run } => runtime.pause(&run, &by.name).await,
            Deed::Resume { run, repeat } => runtime.resume(&run, &by.name, repeat).await,
            Deed::Cancel { run, reason } => runtime.cancel(&run, &by.name, reason).await,
            Deed::Answer { approval, answer } => return self.answer(&approval, answer, &by.name).await,
            Deed::Publish { text } => {
                self.publish(&text, &by.name);
                return Ok(Done::default());
            }
        };
        let status = stands.map_err(|error| Failure::control(&error, &self.trace))?;
        Ok(Done { status: Some(runs::convert::status(status)), ..Done::default() })
    }

    async fn answer(&self, approval: &str, answer: Answer, by: &str) -> Result<Done, Failure> {
        let answered = self.state.executor().approvals().answer(approval, answer, by).await;
        let approval = answered.map_err(|error| Failure::approval(&error, &self.trace.trace_id_hex()))?;
        Ok(Done { approval: Some(approvals::describe(&approval).state), ..Done::default() })
    }

    fn publish(&self, text: &str, by: &str) {
        let since = self.state.clock().now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.state.runs().bus().publish(Told {
            topic: CLIENTS.to_owned(),
            name: "broadcast.message",
            at: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            run: None,
            data: json!({ "from": by, "text": text }),
        });
    }
}

impl Desk for Office {
    fn over(&self) -> Option<Close> {
        if !self.state.ready().is_set() {
            return Some(Close::going_down());
        }
        let refused = self.caller.may(Scope::RunsRead, &self.state).err()?;
        Some(Close::refused(&refused.document().detail))
    }

    fn perform(self: Arc<Self>, deed: Deed) -> BoxFuture<'static, Result<Done, Failure>> {
        Box::pin(async move { self.fulfil(deed).await })
    }
}

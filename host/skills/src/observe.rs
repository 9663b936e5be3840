//! Observe mode: calls that run on copies, to see what they need.
//!
//! An author or a reviewer gives bounds, as a grant would have them; the calls run
//! within those bounds alone, whatever the manifest says. Folders are copies, and
//! state is empty and gone afterwards, so that nothing stays of what was done there;
//! requests are sent, if the bounds let them. What was touched becomes the smallest
//! permissions for the manifest, and the smallest grant.
//!
//! Bounds are authority, so they are in the audit chain before the first guest runs, and
//! what was done is there afterwards, also of an observation that was cut off.

mod difference;
mod error;
mod folders;
mod on_record;
mod places;
mod requests;
mod smallest;
mod write;

use std::sync::Arc;

use bailiwick_domain::authority::GuestPath;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::Grant;
use bailiwick_domain::invocation::Principal;
use bailiwick_domain::manifest::Kind;
use bailiwick_domain::observation::Observation;
use bailiwick_domain::receipt::Denial;
use bailiwick_domain::sandbox::{InvokeError, Outcome, Output, ScratchFolder};
use bailiwick_domain::services::NoServices;
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::trace::TraceContext;
use bailiwick_domain::usage::Usage;
use bailiwick_journal::Journal;
use serde_json::Value;

pub use self::error::ObserveError;
use self::folders::{Copied, LeftOut};
use self::on_record::{COMPLETED, OnRecord};
use self::smallest::{Smallest, smallest};
use crate::audit::record::{Observed as ObservedRecord, ObservedCallRecord};
use crate::execute::{ExecuteError, Executor, arguments_digest, arguments_size, check_input, check_output, find_tool};
use crate::grants::{self, GrantEntry, GrantError, NewGrant};
use crate::policy::{Now, Refusal};
use crate::skill::{Skill, Tool};

/// Calls of one observation: as many as a person writes down, or a file of cases has.
pub const MAX_CALLS: usize = 100;

/// Lines of each list of an observation that are told: what one person reads.
const MAX_LINES: usize = 200;

/// What shall be observed.
#[derive(Clone, Debug)]
pub struct ObserveRequest {
    /// The skill.
    pub skill: SkillSelector,
    /// The bytes that were looked at.
    pub digest: Digest,
    /// What to do, one after the other. They share their state and their folders.
    pub calls: Vec<ObserveCall>,
    /// The most that may be touched. Its end, its risks and its limits are those of the
    /// grant that comes out.
    pub within: NewGrant,
    /// Who wants to know.
    pub principal: Principal,
    /// The trace that it belongs to.
    pub trace: TraceContext,
}

/// One call to be observed.
#[derive(Clone, Debug, PartialEq)]
pub struct ObserveCall {
    /// Which tool; may be left out where there is only one.
    pub tool: Option<String>,
    /// With what.
    pub arguments: Value,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The skill.
    pub skill: Arc<Skill>,
    /// The calls, in their order.
    pub calls: Vec<ObservedCall>,
    /// What they touched, a line each; at most 200.
    pub touched: Vec<String>,
    /// What was used and the manifest doesn't ask for; at most 200.
    pub missing: Vec<String>,
    /// What the manifest asks for and was not used; at most 200.
    pub unneeded: Vec<String>,
    /// What a person should know beside it; at most 200.
    pub notes: Vec<String>,
    /// The smallest `[permissions]` of a manifest.
    pub permissions: String,
    /// The smallest grant, as a file that can be imported.
    pub grant: String,
}

/// How one call ended.
#[derive(Clone, Debug)]
pub struct ObservedCall {
    /// The tool.
    pub tool: String,
    /// What it was called with.
    pub arguments: Digest,
    /// `succeeded`, `failed`, or the code of an error.
    pub outcome: &'static str,
    /// What it answered, or why it did not.
    pub result: Result<Output, String>,
    /// What was refused.
    pub denials: Vec<Denial>,
    /// What it cost.
    pub usage: Usage,
    /// What it wrote to stdout and stderr.
    pub log: String,
    /// In short, what it made use of.
    used: Vec<String>,
}

impl Executor {
    /// Makes the calls of `request` under observation. Dropping the future ends them.
    ///
    /// # Errors
    ///
    /// When nothing can be observed. A call that fails is no error: it is told how.
    pub async fn observe(&self, request: ObserveRequest) -> Result<Observed, ObserveError> {
        if !(1..=MAX_CALLS).contains(&request.calls.len()) {
            return Err(ObserveError::Calls { found: request.calls.len(), max: MAX_CALLS });
        }
        let skill = self.registry().catalog().resolve(&request.skill).map_err(ExecuteError::from)?;
        if !request.within.capabilities.shell.is_empty() {
            return Err(ObserveError::Commands);
        }
        let tools = tools(&skill, &request.calls)?;
        let entry = self.bounds(&skill, &request).await?;
        for tool in &tools {
            self.policy().accepts_risks(&skill, tool, &entry).map_err(ExecuteError::from)?;
        }
        let planned = request.calls.iter().zip(&tools);
        let planned = planned.map(|(call, tool)| (tool.name.clone(), arguments_digest(&call.arguments))).collect();
        let about = ObservedRecord::new(&request, &skill, planned);
        let (scratch, stage) = self.stage(&skill, &entry).await?;
        let mut record = OnRecord::begin(self.audit(), about, &entry).await?;
        let observed = self.observe_on(&stage, &request.calls, &tools, &mut record).await;
        scratch.end().await;
        record.end(observed.as_ref().map_or_else(ObserveError::code, |_| COMPLETED)).await?;
        observed
    }

    /// Makes the calls, and the report of them.
    async fn observe_on(
        &self,
        stage: &Arc<Stage>,
        calls: &[ObserveCall],
        tools: &[&Tool],
        record: &mut OnRecord,
    ) -> Result<Observed, ObserveError> {
        let mut ended = Vec::new();
        for (call, tool) in calls.iter().zip(tools) {
            record.call_begins(&tool.name, arguments_digest(&call.arguments));
            let observed = self.observe_call(stage, tool, call).await;
            record.call_ended(&observed);
            ended.push(observed);
        }
        let stage = Arc::clone(stage);
        // Looks at many files, where much was touched.
        let reported = tokio::task::spawn_blocking(move || report(&stage, ended)).await;
        reported.map_err(|error| ObserveError::Host(error.to_string()))?
    }

    /// The bounds, with folders by their own paths, and checked like a grant.
    async fn bounds(&self, skill: &Arc<Skill>, request: &ObserveRequest) -> Result<Arc<GrantEntry>, ObserveError> {
        if skill.digest != request.digest {
            let (skill, now) = (skill.manifest.id.clone(), skill.digest);
            return Err(GrantError::OtherBytes { skill, expected: request.digest, now }.into());
        }
        let (grants, skill, within) = (Arc::clone(self.grants()), Arc::clone(skill), request.within.clone());
        let checked = tokio::task::spawn_blocking(move || grants.bounds(&skill, within)).await;
        Ok(Arc::new(checked.map_err(|error| ObserveError::Host(error.to_string()))??))
    }

    /// Copies of the folders in the bounds, and empty ones for the other roots that the
    /// manifest asks for.
    async fn stage(
        &self,
        skill: &Arc<Skill>,
        entry: &Arc<GrantEntry>,
    ) -> Result<(Box<dyn ScratchFolder>, Arc<Stage>), ObserveError> {
        let (sandbox, skill, entry) = (Arc::clone(self.sandbox()), Arc::clone(skill), Arc::clone(entry));
        let staged = tokio::task::spawn_blocking(move || {
            let scratch =
                sandbox.scratch().map_err(|error| ObserveError::Host(format!("no scratch folder: {error}")))?;
            let asked: Vec<GuestPath> = skill.manifest.permissions.fs.iter().map(|it| it.root.clone()).collect();
            let (copied, left_out) = folders::copy(&entry.grant.capabilities.fs, &asked, scratch.path())?;
            let observation = Arc::new(Observation::new(Journal::in_memory()?));
            Ok((scratch, Arc::new(Stage { skill, entry, copied, left_out, observation })))
        });
        staged.await.map_err(|error| ObserveError::Host(error.to_string()))?
    }

    async fn observe_call(&self, stage: &Stage, tool: &Tool, call: &ObserveCall) -> ObservedCall {
        let Stage { skill, entry, copied, observation, .. } = stage;
        let mounts = copied.iter().map(Copied::mount).collect();
        let now = Now::by(self.clock());
        let permit = self.policy().observe(skill, entry, mounts, Arc::clone(observation), now);
        let places = match self.enter(skill, permit.terms()) {
            Ok(places) => places,
            Err(error) => return not_made(tool, call, &error),
        };
        let limit = permit.terms().limits.input_bytes;
        let outcome = if arguments_size(&call.arguments) > limit {
            Outcome::failed(InvokeError::InputTooLarge(limit), Usage::default())
        } else {
            self.sandbox().invoke(permit, tool.index, &call.arguments, Arc::new(NoServices)).await
        };
        drop(places);
        ended(tool, call, outcome)
    }
}

/// What the calls of one observation share.
struct Stage {
    skill: Arc<Skill>,
    entry: Arc<GrantEntry>,
    copied: Vec<Copied>,
    left_out: LeftOut,
    observation: Arc<Observation>,
}

impl ObservedCall {
    fn record(&self) -> ObservedCallRecord {
        ObservedCallRecord {
            tool: self.tool.clone(),
            arguments: self.arguments,
            outcome: self.outcome,
            denials: self.denials.clone(),
            used: self.used.clone(),
        }
    }
}

/// The tools that are called, whose arguments the author's schemas allow.
fn tools<'s>(skill: &'s Skill, calls: &[ObserveCall]) -> Result<Vec<&'s Tool>, ObserveError> {
    if skill.manifest.kind == Kind::Prompt {
        return Err(ExecuteError::from(Refusal::Prompt { skill: skill.manifest.id.clone() }).into());
    }
    let tool = |call: &ObserveCall| {
        let tool = find_tool(skill, call.tool.as_deref())?;
        check_input(tool, &call.arguments)?;
        Ok(tool)
    };
    calls.iter().map(tool).collect()
}

/// A call that found no place.
fn not_made(tool: &Tool, call: &ObserveCall, error: &ExecuteError) -> ObservedCall {
    ObservedCall {
        tool: tool.name.clone(),
        arguments: arguments_digest(&call.arguments),
        outcome: error.code(),
        result: Err(error.to_string()),
        denials: Vec::new(),
        usage: Usage { input_bytes: arguments_size(&call.arguments), ..Usage::default() },
        log: String::new(),
        used: Vec::new(),
    }
}

fn ended(tool: &Tool, call: &ObserveCall, outcome: Outcome) -> ObservedCall {
    let Outcome { result, mut usage, denials, used, log } = outcome;
    usage.input_bytes = arguments_size(&call.arguments);
    let (outcome, result) = match result {
        Err(error) => (error.code(), Err(error.to_string())),
        Ok(output) => match check_output(tool, &output) {
            Err(violation) => ("invalid-output", Err(violation.to_string())),
            Ok(()) => (crate::execute::outcome_of(&output), Ok(output)),
        },
    };
    let (tool, arguments) = (tool.name.clone(), arguments_digest(&call.arguments));
    ObservedCall { tool, arguments, outcome, result, denials, usage, log, used }
}

/// Makes permissions and grant of what was seen.
fn report(stage: &Stage, calls: Vec<ObservedCall>) -> Result<Observed, ObserveError> {
    let Stage { skill, entry, copied, left_out, observation } = stage;
    let seen = observation.seen();
    let asked = &skill.manifest.permissions;
    let Smallest { permissions, capabilities, mut notes } = smallest(&seen, &entry.grant.capabilities, copied, asked);
    if *left_out != LeftOut::default() {
        let LeftOut { symlinks, others, unreadable } = left_out;
        // First, so that a skill that makes many notes does not hide it.
        let note = format!(
            "{symlinks} symlinks, {others} sockets, pipes and devices, and {unreadable} files and folders that can't be \
             read were not copied"
        );
        notes.insert(0, note);
    }
    let grant = Grant { capabilities, ..entry.grant.clone() };
    Ok(Observed {
        skill: Arc::clone(skill),
        calls,
        touched: told(seen.touches.iter().map(ToString::to_string)),
        missing: told(difference::missing(asked, &permissions).into_iter()),
        unneeded: told(difference::unneeded(asked, &permissions).into_iter()),
        notes: told(notes.into_iter()),
        permissions: write::permissions(&permissions),
        grant: grants::file(&[grant])?,
    })
}

/// As many lines as are told, and how many more there are.
fn told(lines: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MAX_LINES);
    let mut told: Vec<String> = lines.take(MAX_LINES).collect();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told
}

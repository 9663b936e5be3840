//! Calls that a person has to approve.
//!
//! A call with a risk that its grant doesn't accept becomes a question: a document
//! of the journal, bound to the bytes, the arguments and the grant. Nothing runs
//! before the answer. An approval is used in one transaction before its call
//! begins, so that no crash and no race lets it be used twice.

mod approval;
mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::run::RunId;
use bailiwick_journal::{Journal, JournalError, Shelf, Undone};
use serde_json::Value;

pub use self::approval::{Answer, Approval, State, Uses};
pub use self::error::ApprovalError;
use crate::audit::record;
use crate::grants::GrantEntry;
use crate::random;
use crate::skill::{Skill, Tool};

/// Questions that wait at once, so that nobody drowns the one who answers.
const MAX_PENDING: usize = 1000;

/// How long what is settled is kept to be shown.
const RETENTION: Duration = Duration::from_hours(30 * 24);

/// The questions of a host, and their answers.
pub struct Approvals {
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    /// How long a question waits, and an approval holds.
    lifetime: Duration,
    known: Mutex<BTreeMap<String, Approval>>,
    /// Held while a question is asked, so that two calls alike ask one.
    asking: tokio::sync::Mutex<()>,
    changes: tokio::sync::broadcast::Sender<Approval>,
}

/// What a call with open risks meets.
#[derive(Debug)]
pub(crate) enum Asked {
    /// A person has approved it.
    Approved(Approval),
    /// Nobody has answered yet.
    Pending(Approval),
    /// A person has said no.
    Denied(Approval),
}

/// Proof that a person approved one call, and that the approval was used for it.
#[derive(Debug)]
pub struct Approved {
    id: String,
    digest: Digest,
    tool: String,
    grant: Digest,
    tags: BTreeSet<String>,
}

impl Approved {
    /// Which approval it is.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it is for these bytes, this tool and this grant.
    pub(crate) fn holds_for(&self, skill: &Skill, tool: &Tool, entry: &GrantEntry) -> bool {
        self.digest == skill.digest && self.tool == tool.name && self.grant == entry.fingerprint
    }

    /// Whether the risk was among those that were shown.
    pub(crate) fn covers(&self, tag: &str) -> bool {
        self.tags.contains(tag)
    }
}

/// What a person is asked: whether a call may be made, or what a running skill wants
/// to know.
pub(crate) struct Question<'a> {
    pub(crate) principal: &'a str,
    /// The run that the call is made in.
    pub(crate) run: Option<&'a RunId>,
    pub(crate) trace_id: String,
    pub(crate) skill: &'a Skill,
    pub(crate) tool: &'a str,
    /// What the call is made with, or what the person should know.
    pub(crate) arguments: &'a Value,
    pub(crate) arguments_digest: Digest,
    pub(crate) entry: &'a GrantEntry,
    /// The risks of the call.
    pub(crate) tags: Vec<String>,
    /// In one line, where a running skill asks.
    pub(crate) summary: Option<&'a str>,
}

impl Approvals {
    /// The questions in `journal`. A new one waits for `lifetime`.
    pub fn open(journal: Arc<Journal>, lifetime: Duration, clock: Arc<dyn Clock>) -> Result<Self, ApprovalError> {
        let mut known = BTreeMap::new();
        for (id, document) in journal.documents(Shelf::Approvals)? {
            let approval = approval::read(&id, &document)?;
            known.insert(id, approval);
        }
        let (changes, _) = tokio::sync::broadcast::channel(256);
        Ok(Self { journal, clock, lifetime, known: Mutex::new(known), asking: tokio::sync::Mutex::default(), changes })
    }

    /// Every question, the oldest first, as it stands now.
    pub fn list(&self) -> Vec<Approval> {
        let now = self.clock.now();
        self.known().values().map(|approval| approval.at(now)).collect()
    }

    /// The question with this id.
    pub fn get(&self, id: &str) -> Option<Approval> {
        let now = self.clock.now();
        self.known().get(id).map(|approval| approval.at(now))
    }

    /// Each change of a question from now on.
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<Approval> {
        self.changes.subscribe()
    }

    /// What a person said of this very call, or a new question, which is durable when
    /// this answers.
    pub(crate) async fn ask(&self, question: Question<'_>) -> Result<Asked, ApprovalError> {
        let _asking = self.asking.lock().await;
        let now = self.clock.now();
        let known = self.known().values().rev().find(|it| it.answers(&question, now)).cloned();
        match known {
            Some(approval) if approval.state == State::Approved => return Ok(Asked::Approved(approval)),
            Some(approval) if approval.state == State::Denied => return Ok(Asked::Denied(approval)),
            Some(approval) => return Ok(Asked::Pending(approval)),
            None => {}
        }
        let pending = self.known().values().filter(|it| it.state_at(now) == State::Pending).count();
        if pending >= MAX_PENDING {
            return Err(ApprovalError::TooMany { limit: MAX_PENDING });
        }
        let approval = Approval::new(id(now)?, &question, now, self.lifetime);
        let record = record::approval(now, "approval-requested", &approval.principal, &approval);
        let (key, document) = (approval.id.clone(), approval::write(&approval)?);
        let old = self.outdated(now);
        let written = self.journal.update(move |batch| {
            batch.put(Shelf::Approvals, key, document);
            batch.append(record);
            for key in old {
                batch.remove(Shelf::Approvals, key);
            }
            Ok::<_, Undone>(Ok::<(), std::convert::Infallible>(()))
        });
        match written.await? {
            Ok(()) => {}
            Err(never) => match never {},
        }
        tracing::warn!(
            approval = approval.id,
            skill = %approval.skill,
            tool = approval.tool,
            principal = approval.principal,
            trace_id = approval.trace_id,
            "a call waits for approval"
        );
        self.publish(&approval);
        Ok(Asked::Pending(approval))
    }

    /// The same, and waits for the person's answer as long as `wait`.
    pub(crate) async fn ask_and_wait(&self, question: Question<'_>, wait: Duration) -> Result<Asked, ApprovalError> {
        // Whoever subscribes first misses no answer.
        let mut answers = self.subscribe();
        let asked = match self.ask(question).await? {
            Asked::Pending(asked) => asked,
            settled => return Ok(settled),
        };
        let answered = async {
            loop {
                // A listener that was too slow looks at what holds now.
                let lagged = matches!(answers.recv().await, Err(tokio::sync::broadcast::error::RecvError::Lagged(_)));
                let now = self.get(&asked.id);
                if lagged || now.as_ref().is_some_and(|now| now.state != State::Pending) {
                    return now;
                }
            }
        };
        let answer = tokio::time::timeout(wait, answered).await;
        Ok(match answer.ok().flatten() {
            Some(approval) if approval.state == State::Approved => Asked::Approved(approval),
            Some(approval) if approval.state == State::Denied => Asked::Denied(approval),
            _ => Asked::Pending(asked),
        })
    }

    /// Answers a question, on behalf of `by`. Edited arguments make it another call,
    /// with a hash of its own.
    pub async fn answer(&self, id: &str, answer: Answer, by: &str) -> Result<Approval, ApprovalError> {
        let now = self.clock.now();
        let by_whom = by.to_owned();
        let kind = match &answer {
            Answer::Approve { .. } => "approval-given",
            Answer::Deny { .. } => "approval-denied",
        };
        self.change(id, now, move |approval| {
            if approval.state != State::Pending {
                return Err(ApprovalError::Settled { id: approval.id.clone(), state: approval.state });
            }
            if approval.summary.is_some() && matches!(&answer, Answer::Approve { arguments: Some(_), .. }) {
                return Err(ApprovalError::NothingToEdit { id: approval.id.clone() });
            }
            let settled = approval.answered(answer, &by_whom, now);
            let record = record::approval(now, kind, &by_whom, &settled);
            Ok((settled, record))
        })
        .await
    }

    /// Uses an approval up for `by` where no call is going to: a yes is for one thing.
    pub async fn use_up(&self, id: &str, by: &str) -> Result<(), ApprovalError> {
        self.use_for(id, by).await.map(drop)
    }

    /// Uses an approval for the call that is about to begin. Only one call gets it,
    /// unless it says otherwise, and that is durable when this answers.
    pub(crate) async fn use_for(&self, id: &str, by: &str) -> Result<Approved, ApprovalError> {
        let now = self.clock.now();
        let by = by.to_owned();
        let used = self.change(id, now, move |approval| {
            if approval.state != State::Approved {
                return Err(ApprovalError::Settled { id: approval.id.clone(), state: approval.state });
            }
            let used = approval.used();
            let record = record::approval(now, "approval-used", &by, &used);
            Ok((used, record))
        });
        let used = used.await?;
        let tags = used.tags.iter().cloned().collect();
        Ok(Approved { id: used.id, digest: used.digest, tool: used.tool, grant: used.grant, tags })
    }

    /// Withdraws a question of `run`, which waits for the answer no more: an answer that comes
    /// later is refused, and a yes that no call has used counts for none. False where that
    /// question is not open, or is not the run's.
    pub async fn withdraw(&self, id: &str, run: &RunId) -> Result<bool, ApprovalError> {
        let now = self.clock.now();
        if !self.known().get(id).is_some_and(|approval| approval.is_open_for(run, now)) {
            return Ok(false);
        }
        let run = run.clone();
        let withdrawn = self.change(id, now, move |approval| {
            // It may have been used or answered since the look.
            if !approval.is_open_for(&run, now) {
                return Err(ApprovalError::Settled { id: approval.id.clone(), state: approval.state });
            }
            let withdrawn = approval.withdrawn();
            let record = record::approval(now, "approval-withdrawn", &withdrawn.principal, &withdrawn);
            Ok((withdrawn, record))
        });
        match withdrawn.await {
            Ok(_) => Ok(true),
            Err(ApprovalError::Settled { .. } | ApprovalError::Unknown { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The same for all questions of a run that is over.
    pub async fn withdraw_all(&self, run: &RunId) -> Result<(), ApprovalError> {
        let now = self.clock.now();
        let of_run = |approval: &&Approval| approval.is_open_for(run, now);
        let open: Vec<String> = self.known().values().filter(of_run).map(|approval| approval.id.clone()).collect();
        for id in open {
            self.withdraw(&id, run).await?;
        }
        Ok(())
    }

    /// Runs that have an open question.
    pub fn runs(&self) -> BTreeSet<RunId> {
        let now = self.clock.now();
        let open = |approval: &Approval| approval.run.clone().filter(|run| approval.is_open_for(run, now));
        self.known().values().filter_map(open).collect()
    }

    /// Changes a question by what the journal holds of it, with its record.
    async fn change(
        &self,
        id: &str,
        now: SystemTime,
        change: impl FnOnce(&Approval) -> Result<(Approval, String), ApprovalError> + Send + 'static,
    ) -> Result<Approval, ApprovalError> {
        let key = id.to_owned();
        let changed = self.journal.update(move |batch| {
            let Some(document) = batch.get(Shelf::Approvals, &key)? else {
                return Ok::<_, Undone>(Err(ApprovalError::Unknown { id: key }));
            };
            let changed = approval::read(&key, &document)
                .and_then(|approval| change(&approval.at(now)))
                .and_then(|(approval, record)| Ok((approval::write(&approval)?, approval, record)));
            Ok(changed.map(|(document, approval, record)| {
                batch.put(Shelf::Approvals, key, document);
                batch.append(record);
                approval
            }))
        });
        let approval = changed.await??;
        self.publish(&approval);
        Ok(approval)
    }

    fn publish(&self, approval: &Approval) {
        self.known().insert(approval.id.clone(), approval.clone());
        // Nobody has to listen.
        drop(self.changes.send(approval.clone()));
    }

    /// Forgets what was settled long ago, and says which documents that were.
    fn outdated(&self, now: SystemTime) -> Vec<String> {
        let mut known = self.known();
        let old = |approval: &Approval| now.duration_since(approval.expires_at).is_ok_and(|age| age > RETENTION);
        let keys: Vec<String> = known.values().filter(|it| old(it)).map(|it| it.id.clone()).collect();
        known.retain(|_, approval| !old(approval));
        keys
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Approval>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A new id, which sorts by time.
fn id(now: SystemTime) -> Result<String, ApprovalError> {
    let micros = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
    let random = random::bytes::<4>().map_err(ApprovalError::Random)?;
    Ok(format!("apr_{:013x}{}", u64::try_from(micros).unwrap_or(u64::MAX), bailiwick_domain::digest::hex(&random)))
}

impl From<JournalError> for ApprovalError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// The arguments that a call is to be made with in place of its own, where a person edited them.
pub(crate) fn edited(approval: &Approval) -> Option<&Value> {
    approval.edited.as_ref().map(|edited| &edited.arguments)
}

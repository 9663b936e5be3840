//! Runs: taken up, at work, told of, stopped, taken up again after a stop of the host.
//!
//! Each run that is not over has an actor: one task that alone changes it. Others write
//! to its mailbox, and read what is durable from the journal.

mod actor;
mod agents;
mod driver;
mod error;
mod hearers;
mod ids;
mod keep;
mod recover;
mod step;
mod submission;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use bailiwick_domain::clock::Clock;
use bailiwick_domain::model::Model;
use bailiwick_domain::run::{Budget, Event, Record, Run, RunId, Status, Strategy};
use bailiwick_domain::skill_id::SkillId;
use bailiwick_domain::span::Tracer;
use bailiwick_journal::Journal;
use futures::FutureExt as _;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::actor::{Actor, Letter};
pub use self::error::{ControlError, SubmitError};
use self::hearers::Hearers;
pub use self::ids::{Ids, RandomIds};
pub use self::recover::Recovered;
pub use self::submission::{BudgetRequest, Submission, Submitted};
pub use self::summary::{RunFilter, RunSummary};
use crate::bus::Bus;
use crate::registry::Agents;
use crate::scheduler::ceiling::{Follower, Parallelism};
use crate::scheduler::queue::{QueueSettings, QueueSnapshot};
use crate::scheduler::{Scheduler, Ticket};
use crate::skills::Skills;

/// Letters that wait in a run's mailbox: a person writes few, and who writes more waits.
const MAILBOX: usize = 16;

/// How often a letter is sent again because the actor of its run just left.
const TRIES: u32 = 3;

/// Runs that are removed at once: each takes its events along.
const FORGOTTEN: usize = 64;

/// What a runtime works with.
pub struct RuntimeParts {
    /// Which agents there are.
    pub agents: Arc<Agents>,
    /// What they may ask.
    pub models: Arc<dyn Model>,
    /// What they may call.
    pub skills: Arc<dyn Skills>,
    /// What remembers every run.
    pub journal: Arc<Journal>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What names runs.
    pub ids: Arc<dyn Ids>,
    /// What takes their traces.
    pub tracer: Arc<dyn Tracer>,
}

/// How runs are treated.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// Whether runs are taken up.
    pub enabled: bool,
    /// Who waits, and who has a place.
    pub queue: QueueSettings,
    /// What the number of places follows, up to those of `queue`.
    pub parallelism: Parallelism,
    /// Steps of a run: where nothing is asked for, and at the most.
    pub max_steps: u64,
    /// Time of a run where nothing is asked for.
    pub default_timeout: Duration,
    /// Time of a run at the most.
    pub max_timeout: Duration,
    /// Time of one answer of a model, all attempts together.
    pub model_timeout: Duration,
    /// How long runs are kept after their end.
    pub retention: Duration,
}

impl Default for RuntimeOptions {
    /// A hundred steps and ten minutes a run; a day at the most, because people take
    /// hours to answer.
    fn default() -> Self {
        Self {
            enabled: true,
            queue: QueueSettings::default(),
            parallelism: Parallelism::default(),
            max_steps: 100,
            default_timeout: Duration::from_mins(10),
            max_timeout: Duration::from_hours(24),
            model_timeout: Duration::from_mins(2),
            retention: Duration::from_hours(30 * 24),
        }
    }
}

/// Runs agents.
pub struct Runtime {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    parts: RuntimeParts,
    options: RuntimeOptions,
    scheduler: Scheduler,
    live: Mutex<HashMap<RunId, Live>>,
    bus: Bus,
    /// What tells the bus of agents and of the host begins once.
    telling: Once,
    /// So does what has the places follow the machine.
    following: Once,
    tracker: TaskTracker,
    /// Nothing new begins.
    stopping: CancellationToken,
    /// What is under way ends.
    stopped: CancellationToken,
}

/// A run that has an actor.
#[derive(Clone)]
struct Live {
    mailbox: mpsc::Sender<Letter>,
    durable: watch::Receiver<u64>,
    hearers: Hearers,
    /// Nothing of the actor is left, and another one may come.
    gone: CancellationToken,
}

/// A run whose actor doesn't live yet.
struct Begun {
    id: RunId,
    live: Live,
    actor: Box<Actor>,
    /// Behind the actor, which is dropped first.
    settles: Settles,
}

/// Has it told, when an actor is gone, which agents have nothing to do any more.
struct Settles(Arc<Inner>);

impl Drop for Settles {
    fn drop(&mut self) {
        self.0.settle();
    }
}

/// Which runs are ended at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KillSwitch {
    /// All of them.
    All,
    /// Those that have this agent.
    Agent(String),
    /// Those an agent of which may call this skill.
    Skill(SkillId),
}

impl KillSwitch {
    fn takes(&self, run: &Run) -> bool {
        let mut members = run.team.members.iter();
        match self {
            Self::All => true,
            Self::Agent(name) => members.any(|(member, _)| member == name),
            Self::Skill(id) => members.any(|(_, member)| member.skills.iter().any(|skill| skill.id == *id)),
        }
    }
}

/// What happens to a run, while it happens.
pub struct Follow {
    /// The number of the last durable event. It is closed when the run leaves the process.
    pub durable: watch::Receiver<u64>,
    /// What is not kept.
    pub heard: broadcast::Receiver<Heard>,
}

/// What is told while it happens, and not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A piece of a model's answer.
    Text {
        /// Of which task.
        task: u32,
        /// Of which step.
        step: u32,
        /// The piece.
        piece: String,
    },
    /// The answer begins anew.
    Again {
        /// Of which step.
        step: u32,
        /// Why.
        message: String,
    },
    /// A skill tells how far it is.
    Progress {
        /// Of which step.
        step: u32,
        /// In a unit of its own.
        done: u64,
        /// Where the end is, if that is known.
        total: Option<u64>,
        /// One line.
        message: String,
    },
    /// A skill's line for its log.
    Log {
        /// Of which step.
        step: u32,
        /// How much it matters.
        level: &'static str,
        /// What.
        message: String,
    },
}

impl Runtime {
    /// A runtime without runs. [`Runtime::recover`] takes up those of the journal.
    pub fn new(parts: RuntimeParts, options: RuntimeOptions) -> Arc<Self> {
        let scheduler = Scheduler::new(options.queue, Arc::clone(&parts.clock));
        Arc::new(Self {
            inner: Arc::new(Inner {
                parts,
                options,
                scheduler,
                live: Mutex::default(),
                bus: Bus::default(),
                telling: Once::new(),
                following: Once::new(),
                tracker: TaskTracker::new(),
                stopping: CancellationToken::new(),
                stopped: CancellationToken::new(),
            }),
        })
    }

    /// Takes a run up. It is durable when this answers. From now on the bus tells of agents
    /// and of the host too.
    pub async fn submit(&self, submission: Submission) -> Result<Submitted, SubmitError> {
        self.inner.wake();
        self.inner.submit(submission).await
    }

    /// The budget that is asked for a run with this strategy, if the host gives so much, with no
    /// more time than its agents have.
    pub fn budget(&self, asked: &BudgetRequest, strategy: &Strategy) -> Result<Budget, SubmitError> {
        let mut budget = asked.within(&self.inner.options)?;
        budget.wall_ms = budget.wall_ms.min(self.inner.wall_of(strategy));
        Ok(budget)
    }

    /// Takes up the runs that a stop of the host cut off. From now on the bus tells of
    /// agents and of the host too.
    pub async fn recover(&self) -> Result<Recovered, ControlError> {
        self.inner.wake();
        self.inner.recover().await
    }

    /// A run as its durable events make it.
    pub fn run(&self, id: &RunId) -> Result<Run, ControlError> {
        self.inner.load(id)
    }

    /// Runs that `filter` takes, the newest first, from those before `before`.
    pub fn runs(
        &self,
        filter: &RunFilter,
        before: Option<&RunId>,
        limit: usize,
    ) -> Result<Vec<RunSummary>, ControlError> {
        self.inner.list(filter, before, limit)
    }

    /// Durable events behind the number `after`.
    pub fn events(&self, id: &RunId, after: u64, limit: usize) -> Result<Vec<(u64, Record)>, ControlError> {
        self.inner.events(id, after, limit)
    }

    /// What happens to a run from now on; `None` where nothing does.
    pub fn follow(&self, id: &RunId) -> Option<Follow> {
        let live = self.inner.live().get(id).cloned()?;
        Some(Follow { durable: live.durable, heard: live.hearers.subscribe() })
    }

    /// Waits until nothing of a run is done any more: it is over, or the host stops.
    pub async fn left(&self, id: &RunId) {
        let gone = self.inner.live().get(id).map(|live| live.gone.clone());
        if let Some(gone) = gone {
            gone.cancelled().await;
        }
    }

    /// Ends a run.
    pub async fn cancel(&self, id: &RunId, by: &str, reason: Option<String>) -> Result<Status, ControlError> {
        self.inner.tell(id, Event::Cancelled { by: by.to_owned(), reason }).await
    }

    /// Ends every open run that `which` takes, and answers which these were. One that ends by
    /// itself meanwhile is none of them.
    pub async fn cancel_all(
        &self,
        which: &KillSwitch,
        by: &str,
        reason: Option<String>,
    ) -> Result<Vec<RunId>, ControlError> {
        let mut open: Vec<RunId> = self.inner.live().keys().cloned().collect();
        open.sort();
        let mut ended = Vec::new();
        for id in open {
            if !which.takes(&self.inner.load(&id)?) {
                continue;
            }
            match self.cancel(&id, by, reason.clone()).await {
                Ok(_) => ended.push(id),
                Err(ControlError::Illegal { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ended)
    }

    /// Lets nothing new begin in a run.
    pub async fn pause(&self, id: &RunId, by: &str) -> Result<Status, ControlError> {
        self.inner.tell(id, Event::Paused { by: by.to_owned() }).await
    }

    /// Lets a run go on that was paused or cut off. `repeat` says whether calls that were
    /// cut off are made again.
    pub async fn resume(&self, id: &RunId, by: &str, repeat: bool) -> Result<Status, ControlError> {
        self.inner.tell(id, Event::Resumed { by: by.to_owned(), repeat }).await
    }

    /// Has a failed run tried again from where it failed.
    pub async fn retry(&self, id: &RunId, by: &str, budget: Option<Budget>) -> Result<Status, ControlError> {
        self.inner.tell(id, Event::Retried { by: by.to_owned(), budget }).await
    }

    /// Says of a handoff that waits for a person whether the receiver takes over.
    pub async fn answer_handoff(
        &self,
        id: &RunId,
        handoff: u32,
        by: &str,
        accepted: bool,
        reason: Option<String>,
    ) -> Result<Status, ControlError> {
        let by = by.to_owned();
        let event = if accepted {
            Event::HandoffAccepted { handoff, by: Some(by) }
        } else {
            Event::HandoffRejected { handoff, by, reason }
        };
        self.inner.tell(id, event).await
    }

    /// Says of a task that failed, and of which a person is asked, whether it is tried once
    /// more.
    pub async fn answer_task(
        &self,
        id: &RunId,
        task: u32,
        by: &str,
        again: bool,
        reason: Option<String>,
    ) -> Result<Status, ControlError> {
        self.inner.tell(id, Event::TaskAnswered { task, again, by: by.to_owned(), reason }).await
    }

    /// Removes runs that are over for longer than they are kept, some of them, and answers
    /// how many.
    pub async fn forget(&self) -> Result<usize, ControlError> {
        let parts = &self.inner.parts;
        let before = parts.clock.now().checked_sub(self.inner.options.retention);
        let Some(before) = before else { return Ok(0) };
        Ok(parts.journal.remove_runs(before, FORGOTTEN).await?)
    }

    /// Who waits for a place and who has one.
    pub fn queue(&self) -> QueueSnapshot {
        self.inner.scheduler.snapshot()
    }

    /// What tells everybody who listens what happens.
    pub fn bus(&self) -> &Bus {
        &self.inner.bus
    }

    /// Which agents there are.
    pub fn agents(&self) -> &Arc<Agents> {
        &self.inner.parts.agents
    }

    /// Tasks that an agent has open.
    pub fn open_tasks(&self, agent: &str) -> u32 {
        self.inner.bus.tally().health(agent).open_tasks
    }

    /// How runs are treated.
    pub fn options(&self) -> &RuntimeOptions {
        &self.inner.options
    }

    /// Lets nothing new begin, waits up to `drain` for what is under way, and ends the
    /// rest. What is left of that time is for spans that nobody has taken yet. Runs go on when
    /// the host is back.
    pub async fn stop(&self, drain: Duration) {
        let RuntimeParts { clock, tracer, .. } = &self.inner.parts;
        let began = clock.instant();
        self.inner.stopping.cancel();
        self.inner.tracker.close();
        if tokio::time::timeout(drain, self.inner.tracker.wait()).await.is_err() {
            self.inner.stopped.cancel();
            self.inner.tracker.wait().await;
        }
        tracer.stop(drain.saturating_sub(clock.instant().saturating_duration_since(began))).await;
    }
}

impl Inner {
    /// Begins what goes on beside all runs, where it doesn't yet.
    fn wake(self: &Arc<Self>) {
        self.tell_of_agents();
        self.following.call_once(|| {
            let Parallelism::Resources(machine) = &self.options.parallelism else { return };
            let Some(follower) = Follower::new(self.scheduler.clone(), Arc::clone(machine)) else { return };
            let stopping = self.stopping.clone();
            self.tracker.spawn(async move {
                tokio::select! {
                    () = stopping.cancelled() => {}
                    () = follower.live() => {}
                }
            });
        });
    }

    /// Has a run's actor take an event, and answers when it is durable.
    async fn tell(self: &Arc<Self>, id: &RunId, event: Event) -> Result<Status, ControlError> {
        // An actor whose run ends at this moment, or that died, reads no more; the next one does.
        for _ in 0..TRIES {
            let live = self.live().get(id).cloned();
            let live = match live {
                Some(live) => live,
                None => self.revive(id, &event)?,
            };
            let (answer, status) = oneshot::channel();
            if live.mailbox.send(Letter { event: event.clone(), answer }).await.is_ok()
                && let Ok(status) = status.await
            {
                return status;
            }
            // What its calls shared may be on its way out, and must not meet the next one.
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => break,
                () = live.gone.cancelled() => self.left(id, &live.mailbox),
            }
        }
        Err(ControlError::Stopping)
    }

    /// An actor for a run that has none: it is over, and the event may bring it back, or
    /// an earlier process left it open.
    fn revive(self: &Arc<Self>, id: &RunId, event: &Event) -> Result<Live, ControlError> {
        let run = self.load(id)?;
        if !run.status.is_over() {
            return self.take_up(run);
        }
        if run.status.after(event.kind()).is_empty() {
            return Err(ControlError::Illegal { event: event.kind(), status: run.status });
        }
        self.start(run, Vec::new(), None)
    }

    /// Gives a run its actor. `first` is told at once.
    fn start(self: &Arc<Self>, run: Run, first: Vec<Event>, ticket: Option<Ticket>) -> Result<Live, ControlError> {
        self.launch(self.begun(run, ticket), first)
    }

    /// An actor that nobody knows yet.
    fn begun(self: &Arc<Self>, run: Run, ticket: Option<Ticket>) -> Begun {
        let id = run.spec.id.clone();
        let (mailbox, letters) = mpsc::channel(MAILBOX);
        let (durable, seen) = watch::channel(run.last);
        let hearers = Hearers::default();
        let live = Live { mailbox, durable: seen, hearers: hearers.clone(), gone: CancellationToken::new() };
        let actor = Actor::new(Arc::clone(self), run, letters, durable, hearers, ticket);
        Begun { id, live, actor: Box::new(actor), settles: Settles(Arc::clone(self)) }
    }

    /// Lets an actor live, and be known.
    fn launch(self: &Arc<Self>, begun: Begun, first: Vec<Event>) -> Result<Live, ControlError> {
        let Begun { id, live, actor, settles } = begun;
        if self.stopping.is_cancelled() {
            return Err(ControlError::Stopping);
        }
        {
            let mut all = self.live();
            // Two who revive the same run at once get the same actor.
            if let Some(there) = all.get(&id) {
                return Ok(there.clone());
            }
            all.insert(id.clone(), live.clone());
        }
        let (inner, own) = (Arc::clone(self), live.mailbox.clone());
        let gone = live.gone.clone().drop_guard();
        self.tracker.spawn(async move {
            let ended = std::panic::AssertUnwindSafe(actor.live(first)).catch_unwind().await;
            if ended.is_err() {
                inner.died(&id).await;
            }
            inner.left(&id, &own);
            drop(settles);
            drop(gone);
        });
        Ok(live)
    }

    /// Forgets an actor that reads no more, and no other one of the same run.
    fn left(&self, id: &RunId, mailbox: &mpsc::Sender<Letter>) {
        let mut all = self.live();
        if all.get(id).is_some_and(|live| live.mailbox.same_channel(mailbox)) {
            all.remove(id);
        }
    }

    /// A run whose actor panicked has failed; the others don't notice.
    async fn died(self: &Arc<Self>, id: &RunId) {
        tracing::error!(run = %id, "the actor of a run died");
        let failed = Event::Failed {
            code: "WORKER_DIED".to_owned(),
            message: "the part of the host that worked on the run died; the run can be retried".to_owned(),
            partial: serde_json::Value::Null,
        };
        let kept = match self.load(id) {
            Ok(mut run) => keep::alone(self, &mut run, failed).await,
            Err(error) => Err(error),
        };
        match kept {
            Ok(told) => {
                for told in told {
                    self.bus.publish(told);
                }
            }
            Err(error) => return tracing::error!(run = %id, %error, "what became of the run can't be kept"),
        }
        self.end_run(id).await;
    }

    /// Lets go of what calls of a run shared. A stop of the host doesn't wait for it: the next
    /// start does what is left.
    async fn end_run(&self, id: &RunId) {
        tokio::select! {
            biased;
            () = self.parts.skills.end_run(id.clone()) => {}
            () = self.stopped.cancelled() => {}
        }
    }

    fn live(&self) -> MutexGuard<'_, HashMap<RunId, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

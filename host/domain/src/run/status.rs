//! Where a run stands, and what may happen to it there.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for a place.
    Queued,
    /// Agents are at work.
    Running,
    /// A person has to say something first; other branches go on.
    WaitingApproval,
    /// A person stopped it. What was under way comes to its end, and nothing new begins.
    Paused,
    /// It was cut off in a call that may have taken effect and can't simply be made again:
    /// a person decides.
    Interrupted,
    /// It has its output.
    Completed,
    /// It has none. It can be tried again.
    Failed,
    /// A person ended it.
    Cancelled,
}

/// What can happen to a run, without the details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// It was taken up.
    Queued,
    /// It has a place.
    Started,
    /// An agent was given something to do.
    TaskOpened,
    /// A model or a skill is asked.
    StepStarted,
    /// It answered, or failed to.
    StepEnded,
    /// The host itself answered what a model asked for.
    CallAnswered,
    /// An agent is done.
    TaskEnded,
    /// An agent failed, and its task goes on in another way.
    TaskEscalated,
    /// A person said whether a task that failed is tried once more.
    TaskAnswered,
    /// A model's last answer does not fit, and it is asked again.
    AnswerRefused,
    /// An agent wants another one to go on.
    HandoffInitiated,
    /// The other one takes over.
    HandoffAccepted,
    /// A person does not want it.
    HandoffRejected,
    /// The other one is done.
    HandoffCompleted,
    /// The other one failed, and the first goes on.
    HandoffRolledBack,
    /// The strategy of a graph's node begins.
    SubrunStarted,
    /// It is done, or has failed.
    SubrunEnded,
    /// An agent adds to the graph that it works in.
    GraphGrown,
    /// A person was asked.
    ApprovalRequested,
    /// A person answered.
    ApprovalAnswered,
    /// A person stopped it.
    Paused,
    /// A person lets it go on.
    Resumed,
    /// The host had stopped while the run was under way, and is back.
    Recovered,
    /// The host had stopped in a call that can't simply be made again.
    Interrupted,
    /// A person wants it tried again.
    Retried,
    /// It has its output.
    Completed,
    /// It has none.
    Failed,
    /// A person ended it.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::WaitingApproval,
        Self::Paused,
        Self::Interrupted,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Where a run may stand after an event that meets it here. None means that the
    /// event can't happen here; several, that the rest of the state says which.
    #[expect(clippy::match_same_arms, reason = "a table is read row by row")]
    pub const fn after(self, event: EventKind) -> &'static [Self] {
        use EventKind as E;
        match (self, event) {
            // The first event makes the run, so that it meets none.
            (_, E::Queued) => &[],
            (Self::Queued, E::Started) => &[Self::Running, Self::WaitingApproval],
            (Self::Queued, E::Recovered) => &[Self::Queued],
            (
                Self::Running | Self::WaitingApproval,
                E::TaskOpened | E::CallAnswered | E::TaskEnded | E::StepStarted,
            ) => self.itself(),
            (Self::Running | Self::WaitingApproval, E::AnswerRefused) => self.itself(),
            (Self::Running, E::TaskEscalated) => &[Self::Running, Self::WaitingApproval],
            (Self::WaitingApproval, E::TaskEscalated) => self.itself(),
            (Self::WaitingApproval, E::TaskAnswered) => &[Self::Running, Self::WaitingApproval],
            (Self::Queued | Self::Running | Self::Paused | Self::Interrupted, E::TaskAnswered) => self.itself(),
            // A run that was paused and goes on waits for its place with steps under way.
            (Self::Queued | Self::Running | Self::WaitingApproval | Self::Paused, E::StepEnded) => self.itself(),
            (Self::Running | Self::WaitingApproval, E::ApprovalRequested) => &[Self::WaitingApproval],
            (Self::Running | Self::WaitingApproval, E::HandoffInitiated) => &[Self::Running, Self::WaitingApproval],
            (Self::WaitingApproval, E::HandoffAccepted | E::HandoffRejected) => &[Self::Running, Self::WaitingApproval],
            (
                Self::Queued | Self::Running | Self::Paused | Self::Interrupted,
                E::HandoffAccepted | E::HandoffRejected,
            ) => self.itself(),
            (Self::Running | Self::WaitingApproval, E::HandoffCompleted | E::HandoffRolledBack) => self.itself(),
            (Self::Running | Self::WaitingApproval, E::SubrunStarted | E::GraphGrown) => self.itself(),
            (Self::Running, E::SubrunEnded) => &[Self::Running],
            // The person may have been asked in the subrun alone.
            (Self::WaitingApproval, E::SubrunEnded) => &[Self::WaitingApproval, Self::Running],
            // A question of a call that was under way when the run was paused.
            (Self::Queued | Self::Paused, E::ApprovalRequested) => self.itself(),
            (Self::Queued | Self::Paused | Self::Interrupted, E::ApprovalAnswered) => self.itself(),
            (Self::WaitingApproval, E::ApprovalAnswered) => &[Self::WaitingApproval, Self::Running],
            (Self::Queued | Self::Running | Self::WaitingApproval, E::Paused) => &[Self::Paused],
            (Self::Paused | Self::Interrupted, E::Resumed) => &[Self::Queued],
            (Self::Running, E::Recovered) => &[Self::Queued],
            (Self::WaitingApproval | Self::Paused, E::Recovered) => self.itself(),
            (Self::Queued | Self::Running | Self::WaitingApproval | Self::Paused, E::Interrupted) => {
                &[Self::Interrupted]
            }
            (Self::Failed, E::Retried) => &[Self::Queued],
            (Self::Running | Self::WaitingApproval, E::Completed) => &[Self::Completed],
            (Self::Completed | Self::Failed | Self::Cancelled, E::Failed | E::Cancelled) => &[],
            (_, E::Failed) => &[Self::Failed],
            (_, E::Cancelled) => &[Self::Cancelled],
            _ => &[],
        }
    }

    /// Whether nothing happens any more, unless a person wants it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// As it stands in records and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::WaitingApproval => "waiting_approval",
            Self::Paused => "paused",
            Self::Interrupted => "interrupted",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    const fn itself(self) -> &'static [Self] {
        match self {
            Self::Queued => &[Self::Queued],
            Self::Running => &[Self::Running],
            Self::WaitingApproval => &[Self::WaitingApproval],
            Self::Paused => &[Self::Paused],
            Self::Interrupted => &[Self::Interrupted],
            Self::Completed => &[Self::Completed],
            Self::Failed => &[Self::Failed],
            Self::Cancelled => &[Self::Cancelled],
        }
    }
}

impl EventKind {
    /// Every kind, in the order in which a run may meet them.
    pub const ALL: [Self; 28] = [
        Self::Queued,
        Self::Started,
        Self::TaskOpened,
        Self::StepStarted,
        Self::StepEnded,
        Self::CallAnswered,
        Self::TaskEnded,
        Self::TaskEscalated,
        Self::TaskAnswered,
        Self::AnswerRefused,
        Self::HandoffInitiated,
        Self::HandoffAccepted,
        Self::HandoffRejected,
        Self::HandoffCompleted,
        Self::HandoffRolledBack,
        Self::SubrunStarted,
        Self::SubrunEnded,
        Self::GraphGrown,
        Self::ApprovalRequested,
        Self::ApprovalAnswered,
        Self::Paused,
        Self::Resumed,
        Self::Recovered,
        Self::Interrupted,
        Self::Retried,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// As clients see it: `run.queued`, `step.started`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "run.queued",
            Self::Started => "run.started",
            Self::TaskOpened => "task.assigned",
            Self::StepStarted => "step.started",
            Self::StepEnded => "step.ended",
            Self::CallAnswered => "call.answered",
            Self::TaskEnded => "task.ended",
            Self::TaskEscalated => "task.escalated",
            Self::TaskAnswered => "task.answered",
            Self::AnswerRefused => "answer.refused",
            Self::HandoffInitiated => "handoff.initiated",
            Self::HandoffAccepted => "handoff.accepted",
            Self::HandoffRejected => "handoff.rejected",
            Self::HandoffCompleted => "handoff.completed",
            Self::HandoffRolledBack => "handoff.rolled_back",
            Self::SubrunStarted => "subrun.started",
            Self::SubrunEnded => "subrun.ended",
            Self::GraphGrown => "graph.grown",
            Self::ApprovalRequested => "approval.requested",
            Self::ApprovalAnswered => "approval.answered",
            Self::Paused => "run.paused",
            Self::Resumed => "run.resumed",
            Self::Recovered => "run.recovered",
            Self::Interrupted => "run.interrupted",
            Self::Retried => "run.retried",
            Self::Completed => "run.completed",
            Self::Failed => "run.failed",
            Self::Cancelled => "run.cancelled",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no status of a run: expected one of queued, running, waiting_approval, paused, interrupted, completed, failed, cancelled"
)]
pub struct UnknownStatus(String);

impl std::str::FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.name() == text).ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

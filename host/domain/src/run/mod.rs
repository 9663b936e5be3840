//! A run: agents at work on one input.
//!
//! A run is the fold of its events. [`Run::apply`] takes one event and is total: what
//! can't follow is an error and changes nothing. [`next`] says, from the state alone,
//! which events come next; what they ask for is done by others, and told by events
//! again. So a run that was cut off anywhere goes on where its last event left it, and
//! the same events give the same run on every machine.

mod action;
mod answer;
mod driven;
mod escalation;
mod event;
pub mod graph;
mod names;
mod next;
mod prompt;
mod spend;
mod state;
mod status;
mod strategy;
mod subrun;
mod task;
mod team;
#[cfg(test)]
mod tests;

pub use self::action::{Action, StepResult};
pub use self::driven::{Recorded, WORKFLOW_FAILED};
pub use self::escalation::{Escalation, FailurePolicy, Made, Tries, TryState};
pub use self::event::{Event, Opening, Record, Role};
pub use self::names::{ADD_NODES, CHOOSE_AGENT, HANDOFF, USE_SKILL, alias};
pub use self::next::{backoff, next};
pub use self::prompt::{Prompt, prompt};
pub use self::spend::{Budget, Spend, TaskLimits};
pub use self::state::{Handoff, HandoffState, IllegalEvent, Run, RunOutcome, Step, StepState};
pub use self::status::{EventKind, Status};
pub use self::strategy::{Class, InvalidSpec, OnFailure, RunId, RunSpec, Strategy};
pub use self::subrun::{RunNode, Subrun};
pub use self::task::{INVALID_ARGUMENTS, OpenCall, Task, TaskOutcome};
pub use self::team::{Disclosure, Member, PinnedSkill, PinnedTool, Team};

/// Tries that a step has before its failure counts: the first, and three more.
pub const MAX_ATTEMPTS: u32 = 4;

/// Calls in a row by which a model asks for what it doesn't have, or with arguments that
/// don't fit, before its task has failed.
pub const MAX_BAD_CALLS: u32 = 5;

/// Answers in a row that don't fit the schema of their agent and are asked for again. With
/// the next one its task has failed.
pub const MAX_BAD_ANSWERS: u32 = 3;

/// Calls that one answer of a model may ask for: more is no plan but a flood.
pub const MAX_CALLS: usize = 64;

/// Tasks of one run, so that a run's state has a size.
pub const MAX_TASKS: usize = 10_000;

/// Bytes of what all tasks and subruns of one run are asked, together, for the same reason:
/// each may be asked much, and is, where many are asked what one said.
pub const MAX_INPUTS: usize = 64 << 20;

/// Steps of one run that are under way at once, however its strategies lie in one another:
/// each is a request or a call that takes memory of the host. More wait for one to end.
pub const MAX_UNDER_WAY: u64 = 256;

/// The code of what failed because something that belongs to it did.
const DEPENDENCY_FAILED: &str = "DEPENDENCY_FAILED";

//! Runs: agents at work on one input.

mod event;
mod request;
mod step;
mod view;

pub use event::{RunEvent, RunEvents, RunEventsHeaders, RunEventsQuery, RunNews};
pub use request::{
    CancelRequest, OnFailure, ResumeRequest, RetryRequest, RunBudgetRequest, RunClass, RunHeaders, RunRequest,
    RunStrategy, RunsQuery,
};
pub use step::{RunStep, RunSteps, RunStepsQuery, StepAnswer, StepCall, StepError, StepKind, StepState};
pub use view::{
    Run, RunAwaiting, RunBudget, RunError, RunPage, RunRole, RunSpend, RunStanding, RunStatus, RunSummary, RunTask,
    TaskError, TaskStatus,
};

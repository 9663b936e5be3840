//! Runs: agents at work on one input.

mod event;
mod graph;
mod request;
mod step;
mod view;

pub use event::{RunEvent, RunEvents, RunEventsHeaders, RunEventsQuery, RunNews};
pub use graph::{
    GraphCondition, GraphEdge, GraphJoin, GraphNode, GrownGraph, GrownNode, NodeState, RunGraph, RunGraphQuery,
};
pub use request::{
    CancelRequest, CancelRunsRequest, CancelledRuns, HandoffAnswer, OnFailure, ResumeRequest, RetryRequest,
    RunBudgetRequest, RunClass, RunHeaders, RunRequest, RunStrategy, RunsQuery, TaskAnswer,
};
pub use step::{RunStep, RunSteps, RunStepsQuery, StepAnswer, StepCall, StepError, StepKind, StepState};
pub use view::{
    HandoffState, Run, RunAwaiting, RunBudget, RunError, RunHandoff, RunPage, RunRole, RunSpend, RunStanding,
    RunStatus, RunSubrun, RunSummary, RunTask, TaskError, TaskStatus,
};

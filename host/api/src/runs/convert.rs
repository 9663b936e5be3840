//! From runs to the wire, and from what is asked for to runs.

mod event;
mod graph;
mod request;

use std::time::{Duration, UNIX_EPOCH};

use bailiwick_agents::RunSummary;
use bailiwick_domain::model::{ChatAnswer, Finish, Usd};
use bailiwick_domain::run::{
    Action, Budget, Class, EventKind, Handoff, HandoffState, OnFailure, Role, Run, RunOutcome, Spend, Status,
    StepState, Strategy, Subrun, Task, TaskOutcome, TryState,
};
use bailiwick_domain::units::format_duration;
use bailiwick_wire::run as wire;
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub(super) use self::event::{event, news};
pub(super) use self::graph::grown;
pub(super) use self::request::{Submitter, filter, renewed, submission};
use crate::problem::Failure;
use crate::time;

/// All that is known of a run.
pub(super) fn run(run: &Run) -> wire::Run {
    let (output, error) = outcome(run);
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    wire::Run {
        id: run.spec.id.to_string(),
        status: status(run.status),
        strategy: strategy(&run.spec.strategy),
        class: class(run.spec.class),
        label: run.spec.label.clone(),
        input: run.spec.input.clone(),
        principal: run.spec.principal.clone(),
        trace_id: run.spec.trace_id().to_owned(),
        budget: budget(&run.spec.budget),
        spend: spend(&run.spend),
        tasks: run.tasks.iter().enumerate().map(|(at, it)| task(run, number(at), it)).collect(),
        output,
        error,
        awaiting: run
            .awaiting()
            .map(|(step, approval)| wire::RunAwaiting { step, approval: approval.to_owned() })
            .collect(),
        handoffs: (0_u32..).zip(&run.handoffs).map(|(at, it)| handoff(at, it)).collect(),
        subruns: (0_u32..).zip(&run.subruns).map(|(at, it)| subrun(run, at, it)).collect(),
        interrupted: run.cut_off(),
        queued_at: moment(run.queued_at),
        started_at: run.started_at.map(moment),
        updated_at: moment(run.updated_at),
        checkpoint: run.last,
    }
}

/// A run in short.
pub(super) fn summary(run: &RunSummary) -> wire::RunSummary {
    wire::RunSummary {
        id: run.id.to_string(),
        status: status(run.status),
        strategy: run.strategy.clone(),
        class: class(run.class),
        label: run.label.clone(),
        principal: run.principal.clone(),
        trace_id: run.trace_id.clone(),
        agents: run.agents.iter().cloned().collect(),
        spend: spend(&run.spend),
        code: run.code.clone(),
        queued_at: moment(run.queued_at),
        started_at: run.started_at.map(moment),
        updated_at: moment(run.updated_at),
    }
}

pub(crate) const fn status(status: Status) -> wire::RunStatus {
    match status {
        Status::Queued => wire::RunStatus::Queued,
        Status::Running => wire::RunStatus::Running,
        Status::WaitingApproval => wire::RunStatus::WaitingApproval,
        Status::Paused => wire::RunStatus::Paused,
        Status::Interrupted => wire::RunStatus::Interrupted,
        Status::Completed => wire::RunStatus::Completed,
        Status::Failed => wire::RunStatus::Failed,
        Status::Cancelled => wire::RunStatus::Cancelled,
    }
}

pub(super) const fn step_state(state: &StepState) -> wire::StepState {
    match state {
        StepState::UnderWay => wire::StepState::UnderWay,
        StepState::Awaiting(_) => wire::StepState::AwaitingApproval,
        StepState::Ready => wire::StepState::Ready,
        StepState::Backoff => wire::StepState::Backoff,
        StepState::CutOff => wire::StepState::CutOff,
        StepState::Abandoned => wire::StepState::Abandoned,
        StepState::Ended => wire::StepState::Ended,
    }
}

pub(super) const fn step_kind(action: &Action) -> wire::StepKind {
    match action {
        Action::Model {} => wire::StepKind::Model,
        Action::Skill { .. } => wire::StepKind::Skill,
        Action::Drive { .. } => wire::StepKind::Workflow,
        Action::Complete { .. } => wire::StepKind::Completion,
        Action::Question { .. } => wire::StepKind::Question,
    }
}

/// Who is asked what, as far as it isn't the next turn of a conversation.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) skill: Option<String>,
    pub(super) digest: Option<String>,
    pub(super) tool: Option<String>,
    pub(super) arguments: Option<Value>,
}

pub(super) fn asked(action: &Action) -> Asked {
    let only = |arguments| Asked { arguments: Some(arguments), ..Asked::default() };
    match action {
        Action::Model {} => Asked::default(),
        Action::Skill { skill, digest, tool, arguments, .. } | Action::Drive { skill, digest, tool, arguments } => {
            Asked {
                skill: Some(skill.to_string()),
                digest: Some(digest.to_string()),
                tool: Some(tool.clone()),
                arguments: Some(arguments.clone()),
            }
        }
        Action::Complete { model, messages, .. } => only(json!({ "model": model, "messages": messages })),
        Action::Question { summary, details } => only(json!({ "summary": summary, "details": details })),
    }
}

pub(super) fn spend(spend: &Spend) -> wire::RunSpend {
    wire::RunSpend {
        steps: spend.steps,
        input_tokens: spend.input_tokens,
        output_tokens: spend.output_tokens,
        usd: spend.usd.dollars(),
        fuel: spend.fuel,
        host_calls: spend.host_calls,
        busy_ms: spend.busy_ms,
    }
}

pub(super) fn answer(answer: &ChatAnswer) -> wire::StepAnswer {
    let call = |call: &bailiwick_domain::model::ToolCall| wire::StepCall {
        id: call.id.clone(),
        name: call.name.clone(),
        arguments: call.arguments.clone(),
    };
    let finish = match answer.finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::Refusal => "refusal",
    };
    wire::StepAnswer {
        model: answer.model.clone(),
        text: answer.text.clone(),
        calls: answer.calls.iter().map(call).collect(),
        finish: finish.to_owned(),
    }
}

/// JSON as it was written.
pub(super) fn raw(json: &str) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(json.to_owned()).map_err(|error| Failure::unwritable(&error))
}

/// Milliseconds since 1970 as people read them.
pub(super) fn moment(millis: u64) -> String {
    time::format_millis(UNIX_EPOCH + Duration::from_millis(millis))
}

/// Whether a run that failed can be tried again.
const fn is_retriable(status: Status) -> bool {
    !status.after(EventKind::Retried).is_empty()
}

fn outcome(run: &Run) -> (Option<Value>, Option<wire::RunError>) {
    let retriable = is_retriable(run.status);
    match &run.outcome {
        None => (None, None),
        Some(RunOutcome::Completed { output }) => (Some(output.clone()), None),
        Some(RunOutcome::Failed { code, message, partial }) => {
            let (code, message, partial) = (code.clone(), message.clone(), partial.clone());
            (None, Some(wire::RunError { code, message, retriable, partial }))
        }
        Some(RunOutcome::Cancelled { by, reason }) => {
            let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let (code, message) = ("CANCELLED".to_owned(), format!("{by} ended the run{why}"));
            (None, Some(wire::RunError { code, message, retriable, partial: Value::Null }))
        }
    }
}

fn task(run: &Run, number: u32, task: &Task) -> wire::RunTask {
    let (status, output, error) = match &task.outcome {
        None => match &task.tries.state {
            TryState::Asks { code, message } => {
                let error = wire::TaskError { code: code.clone(), message: message.clone() };
                (wire::TaskStatus::Asked, None, Some(error))
            }
            _ => (wire::TaskStatus::Working, None, None),
        },
        Some(TaskOutcome::Done { output }) => (wire::TaskStatus::Done, Some(output.clone()), None),
        Some(TaskOutcome::Failed { code, message }) => {
            let error = wire::TaskError { code: code.clone(), message: message.clone() };
            (wire::TaskStatus::Failed, None, Some(error))
        }
    };
    wire::RunTask {
        number,
        agent: task.opening.agent.clone(),
        role: role(task.opening.role),
        item: task.opening.item,
        node: node(run, task),
        subrun: task.opening.subrun,
        status,
        output,
        error,
        spend: spend(&task.spend),
        turns: task.turns,
    }
}

/// The node of a graph that a task is.
fn node(run: &Run, task: &Task) -> Option<String> {
    Some(run.graph(task.opening.subrun)?.nodes.get(task.opening.node? as usize)?.id.clone())
}

fn subrun(run: &Run, number: u32, subrun: &Subrun) -> wire::RunSubrun {
    let (status, output, error) = match &subrun.outcome {
        None => (wire::TaskStatus::Working, None, None),
        Some(TaskOutcome::Done { output }) => (wire::TaskStatus::Done, Some(output.clone()), None),
        Some(TaskOutcome::Failed { code, message }) => {
            let error = wire::TaskError { code: code.clone(), message: message.clone() };
            (wire::TaskStatus::Failed, None, Some(error))
        }
    };
    let node = run.graph(subrun.parent).and_then(|graph| graph.nodes.get(subrun.node as usize));
    wire::RunSubrun {
        number,
        parent: subrun.parent,
        node: node.map(|node| node.id.clone()).unwrap_or_default(),
        strategy: run.strategy(Some(number)).map_or("", Strategy::name).to_owned(),
        status,
        output,
        error,
    }
}

fn handoff(number: u32, handoff: &Handoff) -> wire::RunHandoff {
    let state = match handoff.state {
        HandoffState::Asked => wire::HandoffState::Asked,
        HandoffState::Offered => wire::HandoffState::Offered,
        HandoffState::Accepted(_) => wire::HandoffState::Accepted,
        HandoffState::Completed => wire::HandoffState::Completed,
        HandoffState::Returned => wire::HandoffState::Returned,
    };
    wire::RunHandoff { number, task: handoff.from, to: handoff.to.clone(), state }
}

const fn role(role: Role) -> wire::RunRole {
    match role {
        Role::Work => wire::RunRole::Work,
        Role::Route => wire::RunRole::Route,
        Role::Drive => wire::RunRole::Drive,
        Role::Reduce => wire::RunRole::Reduce,
    }
}

fn strategy(strategy: &Strategy) -> wire::RunStrategy {
    match strategy {
        Strategy::Single { agent } => wire::RunStrategy::Single { agent: agent.clone() },
        Strategy::Router { agents, by } => {
            wire::RunStrategy::Router { agents: agents.clone(), by: Some(by.clone()), capability: None }
        }
        Strategy::Handoff { agents, first, max_depth } => wire::RunStrategy::Handoff {
            agents: agents.clone(),
            first: Some(first.clone()),
            max_depth: Some(*max_depth),
        },
        Strategy::Graph { graph, agents } => {
            wire::RunStrategy::Graph { graph: graph::shown(graph), agents: agents.clone() }
        }
        Strategy::Workflow { skill } => wire::RunStrategy::Workflow { skill: skill.to_string() },
        Strategy::ParallelMap { agent, items, reduce, on_failure, at_once } => wire::RunStrategy::ParallelMap {
            agent: agent.clone(),
            items: items.clone(),
            reduce: reduce.clone(),
            on_failure: match on_failure {
                OnFailure::FailFast => wire::OnFailure::FailFast,
                OnFailure::Collect => wire::OnFailure::Collect,
            },
            at_once: Some(*at_once),
        },
    }
}

const fn class(class: Class) -> wire::RunClass {
    match class {
        Class::Interactive => wire::RunClass::Interactive,
        Class::Normal => wire::RunClass::Normal,
        Class::Batch => wire::RunClass::Batch,
    }
}

fn budget(budget: &Budget) -> wire::RunBudget {
    wire::RunBudget {
        steps: budget.steps,
        wall: format_duration(budget.wall()),
        tokens: budget.tokens,
        usd: budget.usd.map(Usd::dollars),
        fuel: budget.fuel,
        host_calls: budget.host_calls,
    }
}

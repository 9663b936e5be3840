//! What happens to runs.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::graph::RunGraph;
use super::request::{RunClass, RunStrategy};
use super::step::{StepAnswer, StepError, StepKind};
use super::view::{RunBudget, RunRole, RunSpend};

/// One thing that happened to a run, which is kept. The members behind `kind` are there
/// where the kind has them.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(examples(
    json!({
        "run": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e",
        "seq": 2,
        "at": "2026-11-20T11:00:00.010Z",
        "kind": "run.started"
    }),
    json!({
        "run": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e",
        "seq": 4,
        "at": "2026-11-20T11:00:00.014Z",
        "kind": "step.started",
        "task": 0,
        "step": 0,
        "attempt": 1,
        "asks": "model"
    })
))]
pub struct RunEvent {
    /// The run.
    pub run: String,
    /// Its number, counted from 1 without a gap.
    pub seq: u64,
    /// When it happened.
    #[schema(format = DateTime)]
    pub at: String,
    /// What happened: `run.queued`, `run.started`, `task.assigned`, `step.started`, `step.ended`,
    /// `call.answered`, `task.ended`, `task.escalated`, `task.answered`, `answer.refused`,
    /// `handoff.initiated`, `handoff.accepted`, `handoff.rejected`, `handoff.completed`,
    /// `handoff.rolled_back`, `subrun.started`, `subrun.ended`, `graph.grown`, `approval.requested`,
    /// `approval.answered`, `run.paused`, `run.resumed`, `run.recovered`, `run.interrupted`, `run.retried`,
    /// `run.completed`, `run.failed` or `run.cancelled`.
    pub kind: String,
    /// `run.queued`: who does what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<RunStrategy>,
    /// `run.queued`: how urgent it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<RunClass>,
    /// `run.queued`: on whose behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// `run.queued`: words of the client's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `run.queued`, `run.retried`: what it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<RunBudget>,
    /// `run.queued`, `task.assigned`: what is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Kinds of tasks and calls, `step.started`: the number of the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<u32>,
    /// `task.assigned`: who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// `task.assigned`: as what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RunRole>,
    /// `task.assigned`: the place among the items of a map, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// Kinds of steps and approvals: the number of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// `step.started`: how often it was begun. `task.escalated`: how often its agent will have
    /// begun the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// `step.started`: what is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<StepKind>,
    /// `step.started`, `call.answered`: the id that the model gave to its call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// `step.started`: the skill that is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// `step.started`: sha256 of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// `step.started`: its tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// `step.started`: what the tool is called with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Value>,
    /// `step.ended`: what the model answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<StepAnswer>,
    /// `step.ended`, `task.ended`, `run.completed`: what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub output: Option<Box<RawValue>>,
    /// `step.ended`: the tool's own failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub failure: Option<Box<RawValue>>,
    /// `step.ended`, `task.escalated`, `task.ended`, `run.failed`: why nothing came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// `run.failed`: what there is in place of an output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<Value>,
    /// `step.ended`: what it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<RunSpend>,
    /// `step.ended`: the receipt of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// `call.answered`, `answer.refused`: what the model is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `call.answered`: the skill whose tools the agent may use from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<String>,
    /// `call.answered`: whether the call made no sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<bool>,
    /// `approval.requested`: the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// Kinds of subruns, `task.assigned`: the number of the subrun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subrun: Option<u32>,
    /// `subrun.started`: the subrun whose graph has the node; left out where it is the run's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// `subrun.started`, `task.assigned`: the place among the nodes of a graph, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// `graph.grown`: what was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<RunGraph>,
    /// The number of a handoff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff: Option<u32>,
    /// Who is to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether a person has to agree to a handoff, or to another try of a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_person: Option<bool>,
    /// `approval.answered`, `task.answered`: what the person said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
    /// `approval.answered`, `task.answered`, `handoff.rejected`, `handoff.rolled_back`, `run.cancelled`: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `task.answered`, `handoff.accepted`, `handoff.rejected`, `run.paused`, `run.resumed`, `run.retried`,
    /// `run.cancelled`: who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// `run.resumed`: whether the calls that were cut off are made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<bool>,
    /// `run.interrupted`: the calls that were cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<u32>>,
}

/// Some events of a run, in their order.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "events": [], "next": 0 })))]
pub struct RunEvents {
    /// The events. There are fewer than asked for where they are large.
    pub events: Vec<RunEvent>,
    /// For `after` of the next request. Where no events came, there are none behind it yet.
    pub next: u64,
}

/// What is told while it happens and not kept: `model.text`, a piece of an answer;
/// `model.again`, an answer begins anew and what was heard of it is void;
/// `skill.progress` and `skill.log`, what a skill tells. Whoever listens too slowly
/// misses some.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(
    json!({ "run": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e", "step": 0, "task": 0, "piece": "Bergen has" }),
    json!({ "run": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e", "step": 1, "done": 3, "total": 7, "message": "reading" })
))]
pub struct RunNews {
    /// The run.
    pub run: String,
    /// The number of the step.
    pub step: u32,
    /// `model.text`: the number of the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<u32>,
    /// `model.text`: a piece of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    /// `skill.progress`: how much is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<u64>,
    /// `skill.progress`: of how much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// `skill.log`: `trace`, `debug`, `info`, `warn`, `error` or `critical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// All but `model.text`: the words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The headers of a request for events, beside those that every request has.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct RunEventsHeaders {
    /// The number of the last event that the client knows. It counts before `after`, so
    /// that a browser which connects again goes on where it was.
    #[param(rename = "Last-Event-ID", pattern = "^[0-9]+$")]
    pub last_event_id: Option<String>,
}

/// Which events to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunEventsQuery {
    /// Only those behind the event of this number; 0, where it is left out, is before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// How many a page has at the most, 1 to 1000; 100 where it is left out. A stream
    /// has no such end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: Option<u16>,
}

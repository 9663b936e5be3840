//! What clients ask for.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::graph::RunGraph;
use super::view::RunStatus;
use crate::approval::Decision;

/// The headers of a request that submits a run, beside those that every request has.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct RunHeaders {
    /// 1 to 255 visible ASCII characters that the client uses for no other
    /// request. A request that is sent again with them submits nothing again.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    pub idempotency_key: Option<String>,
    /// W3C trace context. The answer has it back, or a new one; the run belongs to it.
    #[param(example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    pub traceparent: Option<String>,
    /// What others say of the trace. It is told to whomever the run asks.
    #[param(example = "vendor=t61rcWkgMzE")]
    pub tracestate: Option<String>,
}

/// How urgent a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunClass {
    /// Somebody waits for it.
    Interactive,
    /// Somebody will look at it.
    #[default]
    Normal,
    /// It may take its time.
    Batch,
}

/// What the failure of one item means for the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// They are ended, and the run has failed.
    #[default]
    FailFast,
    /// They go on, and the output says which failed.
    Collect,
}

/// Who does what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(examples(
    json!({ "kind": "single", "agent": "researcher" }),
    json!({ "kind": "router", "agents": ["researcher", "analyst"] }),
    json!({ "kind": "parallel_map", "agent": "researcher", "items": ["Oslo", "Bergen"], "reduce": "writer" })
))]
pub enum RunStrategy {
    /// One agent does it.
    Single {
        /// Which.
        agent: String,
    },
    /// A model chooses the agent that does it.
    Router {
        /// Among whom; where it is one, nobody is asked. Left out in a request that names
        /// a `capability` instead.
        #[serde(default)]
        #[schema(max_items = 64)]
        agents: Vec<String>,
        /// The agent whose models choose; the first of them where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// Only in a request, in place of `agents`: all agents that have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        capability: Option<String>,
    },
    /// One agent begins, and gives the work to another one where that suits it better.
    Handoff {
        /// Among whom.
        #[schema(min_items = 1, max_items = 64)]
        agents: Vec<String>,
        /// Who begins; the first of them where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<String>,
        /// How many go on, one behind the other, 1 to 16; 4 where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 1, maximum = 16)]
        max_depth: Option<u32>,
    },
    /// Agents work after one another and side by side, as the edges of a graph say.
    Graph {
        /// Who works after whom, and on what.
        graph: RunGraph,
        /// Agents beside those of the nodes, whom nodes may have that are added while it runs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schema(max_items = 64)]
        agents: Vec<String>,
    },
    /// A workflow's component says what is asked of skills, models and people. The input is
    /// a JSON object, by the schema of its tool.
    Workflow {
        /// Which: `namespace/name`, with `@` and a range where it has to be certain releases.
        #[schema(example = "examples/briefing")]
        skill: String,
    },
    /// One agent does it for each item, side by side.
    ParallelMap {
        /// Which.
        agent: String,
        /// What is put behind the input, one for each.
        #[schema(min_items = 1, max_items = 9999)]
        items: Vec<String>,
        /// The agent that makes one answer of all; without it, the output is a list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reduce: Option<String>,
        /// What a failure of one means for the others.
        #[serde(default)]
        on_failure: OnFailure,
        /// Items under way at once, 1 to 64; 8 where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 1, maximum = 64)]
        at_once: Option<u32>,
    },
}

/// What a run may take, subruns included. What is left out is what the host allows by
/// itself, or, at a new try, what the run had before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "steps": 40, "wall": "10 min", "usd": 0.5 })))]
pub struct RunBudgetRequest {
    /// Requests to models and calls of skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub steps: Option<u64>,
    /// Time from its first start: a whole number and `ms`, `s`, `min` or `h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^ *[0-9]+ *(ms|s|min|h) *$")]
    pub wall: Option<String>,
    /// Tokens of requests to models and of their answers, together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub tokens: Option<u64>,
    /// US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0)]
    pub usd: Option<f64>,
    /// Units of fuel of all calls of skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub fuel: Option<u64>,
    /// Calls of the host by skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub host_calls: Option<u64>,
}

/// What agents shall do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(
    json!({ "agent": "researcher", "input": "Which ports does Bergen have?" }),
    json!({
        "strategy": { "kind": "router", "capability": "research" },
        "input": "Which ports does Bergen have?",
        "class": "interactive",
        "budget": { "wall": "10 min", "usd": 0.5 },
        "label": "ports"
    })
))]
pub struct RunRequest {
    /// The agent that does it; short for the strategy `single`. Either this or `strategy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Who does what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<RunStrategy>,
    /// What is asked for: a text of at most 256 KiB.
    #[schema(min_length = 1, max_length = 262_144)]
    pub input: String,
    /// How urgent it is.
    #[serde(default)]
    pub class: RunClass,
    /// What it may take.
    #[serde(default)]
    pub budget: RunBudgetRequest,
    /// Words of the client's own, to find the run by: at most 200 characters in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub label: Option<String>,
}

/// Which runs to list. Whatever is left out does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunsQuery {
    /// Only those that stand so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub status: Option<RunStatus>,
    /// Only those that have this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "researcher")]
    pub agent: Option<String>,
    /// Only those that were submitted with this label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Only those on whose behalf: `key:ci`, `cli:ada`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// How many at the most, 1 to 200; 50 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Why a run is ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "reason": "asked the wrong question" })))]
pub struct CancelRequest {
    /// For people: at most 1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// How a run goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "repeat": true })))]
pub struct ResumeRequest {
    /// Whether calls that were cut off are made again. Else their model is told that
    /// nobody knows what came of them.
    #[serde(default)]
    pub repeat: bool,
}

/// How a run is tried again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "budget": { "steps": 80 } })))]
pub struct RetryRequest {
    /// What it may take from now on, what it took until now included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<RunBudgetRequest>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_members_are_errors_in_strategies_too() {
        for unknown in [
            r#"{"agent":"a","input":"x","imput":"y"}"#,
            r#"{"strategy":{"kind":"single","agent":"a","agents":[]},"input":"x"}"#,
            r#"{"agent":"a","input":"x","budget":{"euros":1}}"#,
        ] {
            let error = serde_json::from_str::<RunRequest>(unknown).expect_err(unknown);
            assert!(error.to_string().starts_with("unknown field"), "{error}");
        }
        assert!(serde_json::from_str::<RunStrategy>(r#"{"kind":"swarm","agent":"a"}"#).is_err());
    }

    #[test]
    fn what_a_strategy_may_leave_out_has_its_usual_value() {
        let map = serde_json::from_str(r#"{"kind":"parallel_map","agent":"a","items":["x"]}"#).expect("valid");
        let usual = RunStrategy::ParallelMap {
            agent: "a".to_owned(),
            items: vec!["x".to_owned()],
            reduce: None,
            on_failure: OnFailure::FailFast,
            at_once: None,
        };
        assert_eq!(usual, map);
        let router = serde_json::from_str(r#"{"kind":"router","capability":"research"}"#).expect("valid");
        let usual = RunStrategy::Router { agents: Vec::new(), by: None, capability: Some("research".to_owned()) };
        assert_eq!(usual, router);
    }
}

/// What a person says of a handoff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "decision": "approve" })))]
pub struct HandoffAnswer {
    /// Whether the receiver takes over.
    pub decision: Decision,
    /// Why not: at most 1000 characters. The giver's model is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// What a person says of a task that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "decision": "approve" })))]
pub struct TaskAnswer {
    /// Whether it is tried once more.
    pub decision: Decision,
    /// Why not: at most 1000 characters. It stands in the task's error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// Which runs to end at once: exactly one of `all`, `agent` and `skill`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "agent": "researcher", "reason": "It floods the tracker." })))]
pub struct CancelRunsRequest {
    /// Every open run.
    #[serde(default)]
    pub all: bool,
    /// Those that have this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Those an agent of which may call this skill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// Why: at most 1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// The runs that were ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "cancelled": ["019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e"] })))]
pub struct CancelledRuns {
    /// Their ids.
    pub cancelled: Vec<String>,
}

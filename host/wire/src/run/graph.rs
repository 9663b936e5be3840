//! Graphs of agents, as they are exported and imported.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::request::RunStrategy;

/// Who works after whom, and on what. It has no cycles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "nodes": [
        { "id": "plan", "agent": "planner" },
        { "id": "code", "agent": "coder", "input": "Do what this plan says: {{plan}}" }
    ],
    "edges": [{ "from": "plan", "to": "code", "label": "plan" }]
})))]
pub struct RunGraph {
    /// The agents at work.
    #[schema(min_items = 1, max_items = 1000)]
    pub nodes: Vec<GraphNode>,
    /// What leads from one to another.
    #[serde(default)]
    #[schema(max_items = 10000)]
    pub edges: Vec<GraphEdge>,
}

/// An agent with something to do, or a strategy of its own: one of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "id": "code",
    "agent": "coder",
    "input": "Do what this plan says: {{plan}}",
    "join": "all",
    "optional": false,
    "plans": false
})))]
pub struct GraphNode {
    /// Its name in the graph: 1 to 64 of a-z, 0-9, `_` and `-`, and not `input`.
    pub id: String,
    /// Who does it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub agent: String,
    /// The strategy that does it, in place of an agent: any but `workflow`. It is a part of the
    /// same run, and works on what the node is asked. At most 4 lie one within another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    pub run: Option<Box<RunStrategy>>,
    /// What it is asked. `{{input}}` is what the run was asked, and `{{NODE}}` the output of a
    /// node upstream. Left out, it is what the run was asked and the output of each node that
    /// leads here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub input: String,
    /// How many of the edges that lead here have to be taken.
    #[serde(default)]
    pub join: GraphJoin,
    /// Whether the run goes on where it fails.
    #[serde(default)]
    pub optional: bool,
    /// Whether its agent may add nodes and edges to the graph while it works.
    #[serde(default)]
    pub plans: bool,
}

/// How many of the edges that lead to a node have to be taken before it opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GraphJoin {
    /// Every one.
    #[default]
    All,
    /// One.
    Any,
}

/// What leads from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "from": "check", "to": "mend", "label": "what failed", "when": { "kind": "contains", "text": "FAILED" }
})))]
pub struct GraphEdge {
    /// The id of its source.
    pub from: String,
    /// The id of its target.
    pub to: String,
    /// What is handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// When it is taken; always, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<GraphCondition>,
}

/// When an edge is taken. All but `failed` ask for a source that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(examples(json!({ "kind": "contains", "text": "FAILED" })))]
pub enum GraphCondition {
    /// The source is done.
    Always {},
    /// Its output has this text somewhere, in the same case.
    Contains {
        /// What is looked for.
        text: String,
    },
    /// Its output is this text.
    Equals {
        /// What is expected.
        text: String,
    },
    /// The last line of its output is the edge's label.
    MatchesLabel {},
    /// The source failed.
    Failed {},
}

/// Which graph of a run is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunGraphQuery {
    /// That of the subrun of this number; the run's own, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subrun: Option<u32>,
}

/// A graph of a run with all that was added to it, and where its nodes stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "run": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e",
    "graph": { "nodes": [{ "id": "plan", "agent": "planner", "join": "all", "optional": false, "plans": true }], "edges": [] },
    "nodes": [{ "id": "plan", "state": "open", "task": 0 }],
    "mermaid": "flowchart TD\n    n0[\"plan<br/>planner\"]\n"
})))]
pub struct GrownGraph {
    /// The run.
    pub run: String,
    /// The subrun whose graph it is; left out where it is the run's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subrun: Option<u32>,
    /// The graph, as it can be imported again.
    pub graph: RunGraph,
    /// Where its nodes stand, in the order of the graph.
    pub nodes: Vec<GrownNode>,
    /// The graph as a flowchart in the language of Mermaid.
    pub mermaid: String,
}

/// Where a node stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "id": "plan", "state": "open", "task": 0 })))]
pub struct GrownNode {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: NodeState,
    /// The number of its task, where it has an agent and has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<u32>,
    /// The number of its subrun, where it has a strategy and has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subrun: Option<u32>,
}

/// Where a node of a graph stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// It has not begun.
    Waiting,
    /// It is at work.
    Open,
    /// It has its output.
    Done,
    /// It has none.
    Failed,
    /// It never begins.
    Skipped,
}

//! A graph of agents: who works after whom, and on what.
//!
//! A graph is a document: nodes, and edges with conditions. Everything here follows from
//! that document and from the states of its nodes, and nothing is remembered between two
//! calls. So a run that goes on after a crash, or on another machine, opens the same
//! nodes with the same inputs.

mod advance;
mod check;
mod mermaid;
mod template;
#[cfg(test)]
mod tests;
mod wiring;

use serde::{Deserialize, Serialize};

pub use self::advance::{Advance, NodeState};
pub use self::check::InvalidGraph;
pub(in crate::run) use self::wiring::Wiring;
use super::strategy::Strategy;

/// Nodes of a graph: each is a task at least, and a run has room for ten times as many,
/// because a graph may grow while it runs.
pub const MAX_NODES: usize = 1000;

/// Edges of a graph. All of them are looked at whenever a node ends.
pub const MAX_EDGES: usize = 10_000;

/// Characters of a node's id: a name that people say, and that fits into a template.
const MAX_ID: usize = 64;

/// Bytes of a node's template: as many as an agent's instructions.
const MAX_TEMPLATE: usize = 64 << 10;

/// Bytes of an edge's label: a few words.
const MAX_LABEL: usize = 256;

/// Bytes of the text that a condition looks for.
const MAX_CONDITION: usize = 4 << 10;

/// Bytes of all templates, labels and conditions, so that a graph as large as may be is
/// one event of a run.
const MAX_TEXTS: usize = 512 << 10;

/// References in one template, each of which is a whole output.
const MAX_REFERENCES: usize = 256;

/// Subruns one within another: whoever reads a run has to keep them apart.
const MAX_NESTED: usize = 4;

/// Bytes of what a node is asked: as many as a run may be asked. Outputs that are put
/// into a template are cut where it is full.
pub const MAX_RENDERED: usize = 256 << 10;

/// Who works after whom, and on what. Its JSON is the format of export and import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// The agents at work: 1 to [`MAX_NODES`].
    pub nodes: Vec<Node>,
    /// What leads from one to another: at most [`MAX_EDGES`].
    #[serde(default)]
    pub edges: Vec<Edge>,
}

/// An agent with something to do, or a strategy of its own: one of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its name in the graph: 1 to 64 of a-z, 0-9, `_` and `-`, and not `input`.
    pub id: String,
    /// Who does it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub agent: String,
    /// The strategy that does it, as a part of the same run, on what the node is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Box<Strategy>>,
    /// What it is asked. `{{input}}` is what the run was asked, and `{{NODE}}` the output of
    /// a node upstream. Where nothing stands here, it is what the run was asked and below
    /// it the output of each node that leads here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub input: String,
    /// How many of the edges that lead here have to be taken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub join: Join,
    /// Whether the run goes on where it fails.
    #[serde(default, skip_serializing_if = "is_default")]
    pub optional: bool,
    /// Whether its agent may add nodes and edges to the graph while it works.
    #[serde(default, skip_serializing_if = "is_default")]
    pub plans: bool,
}

/// How many of the edges that lead to a node have to be taken before it opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// Every one. The first that is not taken has the node skipped.
    #[default]
    All,
    /// One. The node is skipped when none can be taken any more.
    Any,
}

/// What leads from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// The id of its source.
    pub from: String,
    /// The id of its target.
    pub to: String,
    /// What is handed over, for people, and for `matches_label`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// When it is taken. Nothing is the same as `always`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
}

/// When an edge is taken. All but `failed` ask for a source that is done.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// The source is done.
    Always {},
    /// Its output has this text somewhere, in the same case.
    Contains {
        /// What is looked for: not empty.
        text: String,
    },
    /// Its output is this text. White space around either doesn't count.
    Equals {
        /// What is expected.
        text: String,
    },
    /// The last line of its output that isn't empty is the edge's label. White space around
    /// either doesn't count.
    MatchesLabel {},
    /// The source failed.
    Failed {},
}

impl Graph {
    /// Every agent that its nodes name, in their order, those of their strategies included.
    pub fn agents(&self) -> Vec<&str> {
        let mut agents = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            match node.run.as_deref() {
                // It can't stand here, and its skill is no agent's name.
                Some(Strategy::Workflow { .. }) => {}
                Some(strategy) => agents.extend(strategy.agents()),
                None => agents.push(node.agent.as_str()),
            }
        }
        agents
    }

    /// Bytes of all its templates, labels and conditions, and of what stands in the strategies
    /// of its nodes.
    fn texts(&self) -> usize {
        let templates = self.nodes.iter().map(|node| node.input.len());
        let labels = self.edges.iter().filter_map(|edge| edge.label.as_ref()).map(String::len);
        let conditions = self.edges.iter().filter_map(|edge| edge.when.as_ref()?.text()).map(str::len);
        let within = self.nodes.iter().map(|node| match node.run.as_deref() {
            Some(Strategy::Graph { graph, .. }) => graph.texts(),
            Some(Strategy::ParallelMap { items, .. }) => items.iter().map(String::len).sum(),
            _ => 0,
        });
        templates.chain(labels).chain(conditions).chain(within).sum()
    }
}

impl Condition {
    /// Whether it holds for a source that is done.
    fn holds(&self, output: &str, label: Option<&str>) -> bool {
        match self {
            Self::Always {} => true,
            Self::Contains { text } => output.contains(text.as_str()),
            Self::Equals { text } => output.trim() == text.trim(),
            Self::MatchesLabel {} => label.is_some_and(|label| last_line(output) == label.trim()),
            Self::Failed {} => false,
        }
    }

    /// The text that it looks for, where there is one.
    fn text(&self) -> Option<&str> {
        match self {
            Self::Contains { text } | Self::Equals { text } => Some(text),
            Self::Always {} | Self::MatchesLabel {} | Self::Failed {} => None,
        }
    }
}

fn last_line(output: &str) -> &str {
    output.trim_end().lines().next_back().unwrap_or_default().trim()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

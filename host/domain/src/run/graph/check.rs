//! Whether a graph makes sense, as it is and with what is added while it runs.

use std::collections::{HashMap, HashSet};

use super::template::{INPUT, Piece, pieces};
use super::wiring::{Wiring, places};
use super::{
    Condition, Edge, Graph, MAX_CONDITION, MAX_EDGES, MAX_ID, MAX_LABEL, MAX_NESTED, MAX_NODES, MAX_REFERENCES,
    MAX_TEMPLATE, MAX_TEXTS, Node,
};
use crate::run::strategy::{InvalidSpec, Strategy};

/// Characters of somebody else's text that an error shows.
const MAX_SHOWN: usize = 64;

/// Nodes of a cycle that an error names: who needs more looks at the graph.
const MAX_CYCLE: usize = 16;

/// A graph makes no sense. Edges are named `from -> to`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGraph {
    /// There is nothing to do.
    #[error("the graph has no nodes: expected one at least")]
    Empty,
    /// More nodes than a graph has.
    #[error("{0} nodes: expected at most {MAX_NODES}")]
    TooManyNodes(usize),
    /// More edges than a graph has.
    #[error("{0} edges: expected at most {MAX_EDGES}")]
    TooManyEdges(usize),
    /// All texts together are too long.
    #[error("templates, labels and conditions have {0} bytes: expected at most {MAX_TEXTS}")]
    TooMuchText(usize),
    /// One text is too long.
    #[error("{of} has {bytes} bytes: expected at most {max}")]
    TooLong {
        /// Which.
        of: String,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// That is no id of a node.
    #[error("`{0}` is no id of a node: expected 1 to {MAX_ID} of a-z, 0-9, `_` and `-`")]
    BadId(String),
    /// A node has the name of the run's input.
    #[error("no node can be named `{INPUT}`: in templates, that is what the run was asked")]
    Reserved,
    /// Two nodes have the same id.
    #[error("the node `{0}` is there twice")]
    NodeTwice(String),
    /// An agent that the run doesn't have.
    #[error("node `{node}`: no agent is named `{agent}`")]
    UnknownAgent {
        /// Whose.
        node: String,
        /// Who.
        agent: String,
    },
    /// Nobody is there to do it, or two are.
    #[error("node `{node}`: it has {found}: expected one of them")]
    Who {
        /// Which.
        node: String,
        /// What it has.
        found: &'static str,
    },
    /// A strategy has no model that could plan.
    #[error("node `{0}`: `plans` is for a node that has an `agent`, and it has a `run`")]
    PlansWithoutAgent(String),
    /// The strategy of a node makes no sense.
    #[error("node `{node}`: in its `run`: {problem}")]
    Run {
        /// Whose.
        node: String,
        /// What is wrong with it.
        problem: Box<InvalidSpec>,
    },
    /// A workflow can't be a part of a graph.
    #[error(
        "node `{0}`: its `run` is a `workflow`, which works on an object and not on a text: expected another strategy"
    )]
    Workflow(String),
    /// Subruns lie too deep.
    #[error("node `{0}`: its `run` lies too deep: expected at most {MAX_NESTED} one within another")]
    TooDeep(String),
    /// An edge has an end that is no node.
    #[error("edge `{edge}`: there is no node `{node}`")]
    UnknownEnd {
        /// Which.
        edge: String,
        /// The end.
        node: String,
    },
    /// A label that no line can be.
    #[error("edge `{0}`: its label is blank or has control characters")]
    BadLabel(String),
    /// A condition on a label that isn't there.
    #[error("edge `{0}`: it is taken where its label is the last line, and has no label")]
    NoLabel(String),
    /// A condition that always holds.
    #[error("edge `{0}`: every output contains an empty text")]
    NoText(String),
    /// Two edges are the same in everything.
    #[error("the edge `{0}` is there twice, with the same label and condition")]
    EdgeTwice(String),
    /// Nodes wait for each other, so that none of them ever begins.
    #[error("nodes wait for each other: {0}")]
    Cycle(String),
    /// More references than a template has.
    #[error("node `{node}`: its input has {count} references: expected at most {MAX_REFERENCES}")]
    TooManyReferences {
        /// Whose.
        node: String,
        /// How many there are.
        count: usize,
    },
    /// A reference has no end.
    #[error("node `{node}`: no `}}}}` follows on `{text}`")]
    Unclosed {
        /// Whose template.
        node: String,
        /// Its beginning.
        text: String,
    },
    /// A reference to nothing.
    #[error(
        "node `{node}`: `{{{{{reference}}}}}` is no reference: expected `{{{{{INPUT}}}}}` or the id of a node between \
         the braces"
    )]
    UnknownReference {
        /// Whose template.
        node: String,
        /// What stands between the braces.
        reference: String,
    },
    /// A reference to an output that may not be there.
    #[error("node `{node}`: `{{{{{reference}}}}}` is not upstream of it: no edges lead from there to here")]
    NotUpstream {
        /// Whose template.
        node: String,
        /// The other node.
        reference: String,
    },
    /// A new edge leads to a node that has begun, is over, or is skipped.
    #[error("edge `{edge}`: `{node}` waits no longer, so that nothing new can lead to it")]
    TooLate {
        /// Which.
        edge: String,
        /// Its target.
        node: String,
    },
}

impl Graph {
    /// Whether it can be followed by agents for which `is_agent` is true. The first problem
    /// is the answer, and for the same graph always the same: sizes, then nodes and then
    /// edges in their order, then cycles, then templates.
    ///
    /// In a graph that passes, every node can be reached: a node is unreachable only where
    /// each way back from it runs into a cycle.
    pub fn check(&self, is_agent: impl Fn(&str) -> bool) -> Result<(), InvalidGraph> {
        self.check_within(&is_agent, 0)
    }

    /// The same of a graph that lies in so many subruns.
    pub(in crate::run) fn check_within(
        &self,
        is_agent: &dyn Fn(&str) -> bool,
        depth: usize,
    ) -> Result<(), InvalidGraph> {
        self.check_sizes()?;
        let mut places = HashMap::with_capacity(self.nodes.len());
        for (place, node) in self.nodes.iter().enumerate() {
            node.check()?;
            if places.insert(node.id.as_str(), place).is_some() {
                return Err(InvalidGraph::NodeTwice(node.id.clone()));
            }
            node.check_who(is_agent, depth)?;
        }
        let mut edges = HashSet::with_capacity(self.edges.len());
        for edge in &self.edges {
            edge.check(&places)?;
            if !edges.insert(edge.key()) {
                return Err(InvalidGraph::EdgeTwice(edge.name()));
            }
        }
        let wiring = Wiring::between(&places, self);
        match wiring.cycle() {
            Some(cycle) => Err(InvalidGraph::Cycle(self.cycle_text(&cycle))),
            None => self.check_templates(&places, &wiring),
        }
    }

    /// This graph with what was found out while it runs. Old nodes keep their places, and new
    /// ones follow. Edges may begin anywhere, also at nodes that are over, and may lead to new
    /// nodes and to old ones that have not begun: for these `is_waiting` is true. A node that
    /// was skipped, or that [`Graph::advance`] says is, waits no longer. The whole is checked
    /// as it is in [`Graph::check`].
    pub fn with(
        &self,
        more: Self,
        is_agent: impl Fn(&str) -> bool,
        is_waiting: impl Fn(&str) -> bool,
    ) -> Result<Self, InvalidGraph> {
        let mut whole = self.clone();
        whole.nodes.extend(more.nodes);
        whole.edges.extend(more.edges);
        whole.check(is_agent)?;
        let old = places(self);
        let is_late = |edge: &&Edge| old.contains_key(edge.to.as_str()) && !is_waiting(&edge.to);
        let late = whole.edges.iter().skip(self.edges.len()).find(is_late);
        let late = late.map(|edge| InvalidGraph::TooLate { edge: edge.name(), node: edge.to.clone() });
        late.map_or(Ok(whole), Err)
    }

    fn check_sizes(&self) -> Result<(), InvalidGraph> {
        if self.nodes.is_empty() {
            return Err(InvalidGraph::Empty);
        }
        if self.nodes.len() > MAX_NODES {
            return Err(InvalidGraph::TooManyNodes(self.nodes.len()));
        }
        if self.edges.len() > MAX_EDGES {
            return Err(InvalidGraph::TooManyEdges(self.edges.len()));
        }
        let bytes = self.texts();
        if bytes > MAX_TEXTS { Err(InvalidGraph::TooMuchText(bytes)) } else { Ok(()) }
    }

    fn check_templates(&self, places: &HashMap<&str, usize>, wiring: &Wiring) -> Result<(), InvalidGraph> {
        let ancestors = wiring.ancestors();
        for (place, node) in self.nodes.iter().enumerate() {
            let id = || node.id.clone();
            let mut count = 0;
            for piece in pieces(&node.input) {
                let reference = match piece {
                    Piece::Text(_) => continue,
                    Piece::Unclosed(text) => return Err(InvalidGraph::Unclosed { node: id(), text: shown(text) }),
                    Piece::Reference(reference) => reference,
                };
                count += 1;
                match places.get(reference) {
                    Some(before) if ancestors.has(place, *before) => {}
                    Some(_) => return Err(InvalidGraph::NotUpstream { node: id(), reference: shown(reference) }),
                    None if reference == INPUT => {}
                    None => return Err(InvalidGraph::UnknownReference { node: id(), reference: shown(reference) }),
                }
            }
            if count > MAX_REFERENCES {
                return Err(InvalidGraph::TooManyReferences { node: id(), count });
            }
        }
        Ok(())
    }

    /// `a -> b -> a`.
    fn cycle_text(&self, cycle: &[usize]) -> String {
        let mut steps: Vec<String> = cycle.iter().take(MAX_CYCLE).map(|node| self.nodes[*node].id.clone()).collect();
        if cycle.len() > MAX_CYCLE {
            steps.push(format!("({} more)", cycle.len() - MAX_CYCLE));
        }
        steps.extend(cycle.first().map(|node| self.nodes[*node].id.clone()));
        steps.join(" -> ")
    }
}

impl Node {
    /// Whether it makes sense by itself.
    fn check(&self) -> Result<(), InvalidGraph> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if !(1..=MAX_ID).contains(&self.id.len()) || !self.id.bytes().all(is_plain) {
            return Err(InvalidGraph::BadId(shown(&self.id)));
        }
        if self.id == INPUT {
            return Err(InvalidGraph::Reserved);
        }
        check_length(|| format!("the input of node `{}`", self.id), &self.input, MAX_TEMPLATE)
    }

    /// Whether one agent does it that there is, or one strategy that can be followed.
    fn check_who(&self, is_agent: &dyn Fn(&str) -> bool, depth: usize) -> Result<(), InvalidGraph> {
        let id = || self.id.clone();
        match (self.agent.as_str(), self.run.as_deref()) {
            ("", None) => Err(InvalidGraph::Who { node: id(), found: "neither `agent` nor `run`" }),
            (agent, None) if is_agent(agent) => Ok(()),
            (agent, None) => Err(InvalidGraph::UnknownAgent { node: id(), agent: shown(agent) }),
            ("", Some(_)) if self.plans => Err(InvalidGraph::PlansWithoutAgent(id())),
            ("", Some(_)) if depth >= MAX_NESTED => Err(InvalidGraph::TooDeep(id())),
            ("", Some(Strategy::Workflow { .. })) => Err(InvalidGraph::Workflow(id())),
            ("", Some(strategy)) => strategy
                .check_within(is_agent, depth + 1)
                .map_err(|problem| InvalidGraph::Run { node: id(), problem: Box::new(problem) }),
            (_, Some(_)) => Err(InvalidGraph::Who { node: id(), found: "both `agent` and `run`" }),
        }
    }
}

impl Edge {
    /// Whether it makes sense between these nodes.
    fn check(&self, places: &HashMap<&str, usize>) -> Result<(), InvalidGraph> {
        if let Some(end) = [&self.from, &self.to].into_iter().find(|end| !places.contains_key(end.as_str())) {
            return Err(InvalidGraph::UnknownEnd { edge: self.name(), node: shown(end) });
        }
        if let Some(label) = &self.label {
            check_length(|| format!("the label of edge `{}`", self.name()), label, MAX_LABEL)?;
            if label.trim().is_empty() || label.contains(char::is_control) {
                return Err(InvalidGraph::BadLabel(self.name()));
            }
        }
        match &self.when {
            Some(Condition::MatchesLabel {}) if self.label.is_none() => Err(InvalidGraph::NoLabel(self.name())),
            Some(Condition::Contains { text }) if text.is_empty() => Err(InvalidGraph::NoText(self.name())),
            Some(Condition::Contains { text } | Condition::Equals { text }) => {
                check_length(|| format!("the condition of edge `{}`", self.name()), text, MAX_CONDITION)
            }
            _ => Ok(()),
        }
    }

    /// What no other edge may have too.
    fn key(&self) -> (&str, &str, Option<&str>, Option<&Condition>) {
        let when = self.when.as_ref().filter(|when| **when != Condition::Always {});
        (self.from.as_str(), self.to.as_str(), self.label.as_deref(), when)
    }

    /// As it stands in errors.
    fn name(&self) -> String {
        format!("{} -> {}", shown(&self.from), shown(&self.to))
    }
}

fn check_length(of: impl Fn() -> String, text: &str, max: usize) -> Result<(), InvalidGraph> {
    let bytes = text.len();
    if bytes > max { Err(InvalidGraph::TooLong { of: of(), bytes, max }) } else { Ok(()) }
}

/// The beginning of somebody else's text, in one line.
fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

//! What may begin now, and what came of it all.

use serde_json::Value;

use super::wiring::{Link, Wiring};
use super::{Condition, Edge, Graph, Join};

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState<'t> {
    /// Nothing was said of it yet.
    Waiting,
    /// It is at work.
    Open,
    /// It has this output.
    Done(&'t str),
    /// It has none.
    Failed,
    /// It will never begin.
    Skipped,
}

impl NodeState<'_> {
    /// As it stands in prompts and answers.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::Done(_) => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What follows from the states of a graph's nodes. Nodes are named by their places, in the
/// order in which the graph defines them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advance {
    /// Those that open now.
    pub open: Vec<usize>,
    /// Those that are skipped now, and all that are skipped with them.
    pub skip: Vec<usize>,
    /// Whether nothing is at work, and nothing opens now or later.
    pub finished: bool,
    /// The first node whose failure is the run's: it is not optional, and no edge is taken
    /// when it fails. The rest of the answer is as if the run went on.
    pub failed: Option<usize>,
}

/// Whether an edge leads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Taken,
    NotTaken,
    /// Its source is not over.
    Undecided,
}

impl Graph {
    /// What follows from the states of the nodes, which `states` gives by place.
    ///
    /// What is skipped follows from the other states. So it makes no difference whether
    /// skipped nodes are told as [`NodeState::Skipped`] the next time or still as waiting.
    ///
    /// It takes O(nodes + edges): the graph is wired and put in order once, each node is
    /// looked at once, after all that lead to it, and each edge once, from its target.
    /// So a skip comes to all that depends on it in the same pass. Texts are searched only
    /// by edges whose target still waits.
    pub fn advance<'t>(&self, states: &dyn Fn(usize) -> NodeState<'t>) -> Advance {
        self.advance_by(&Wiring::of(self), states)
    }

    /// The same with the wiring of this graph, which a run keeps, because it asks often.
    pub(in crate::run) fn advance_by<'t>(&self, wiring: &Wiring, states: &dyn Fn(usize) -> NodeState<'t>) -> Advance {
        let mut now: Vec<NodeState<'t>> = (0..self.nodes.len()).map(states).collect();
        let (mut open, mut skip) = (Vec::new(), Vec::new());
        for node in wiring.order.iter().copied().filter(|node| states(*node) == NodeState::Waiting) {
            now[node] = self.decide(node, &wiring.incoming[node], &now);
            match now[node] {
                NodeState::Open => open.push(node),
                NodeState::Skipped => skip.push(node),
                NodeState::Waiting | NodeState::Done(_) | NodeState::Failed => {}
            }
        }
        open.sort_unstable();
        skip.sort_unstable();
        Advance {
            open,
            skip,
            // Whatever still waits does so for something that is open: there are no cycles.
            finished: !now.contains(&NodeState::Open),
            failed: (0..now.len()).find(|node| now[*node] == NodeState::Failed && self.is_fatal(*node, wiring)),
        }
    }

    /// What came of the run: the outputs at its ends. One alone is a text; of many, or none,
    /// it is an object of texts by the ids of their nodes, in the order of the nodes.
    ///
    /// A node is an end if it is done and nothing was made of its output: no edge is taken
    /// from it to a node that is done, or that failed and went on elsewhere. Thus what comes
    /// before a node that was skipped, or was optional and failed, is not lost.
    /// It takes O(nodes + edges), beside the texts that edges search.
    pub fn outputs<'t>(&self, states: &dyn Fn(usize) -> NodeState<'t>) -> Value {
        self.outputs_by(&Wiring::of(self), states)
    }

    /// The same with the wiring of this graph.
    pub(in crate::run) fn outputs_by<'t>(&self, wiring: &Wiring, states: &dyn Fn(usize) -> NodeState<'t>) -> Value {
        let now: Vec<NodeState<'t>> = (0..self.nodes.len()).map(states).collect();
        let mut counts = vec![false; now.len()];
        let mut ends: Vec<Option<&str>> = vec![None; now.len()];
        for node in wiring.order.iter().copied().rev() {
            let is_taken = |link: &Link| counts[link.node] && self.edges[link.edge].way(now[node]) == Way::Taken;
            let goes_on = wiring.outgoing[node].iter().any(is_taken);
            match now[node] {
                NodeState::Done(output) => {
                    counts[node] = true;
                    ends[node] = (!goes_on).then_some(output);
                }
                NodeState::Failed => counts[node] = goes_on,
                NodeState::Waiting | NodeState::Open | NodeState::Skipped => {}
            }
        }
        let ends: Vec<(&str, &str)> =
            self.nodes.iter().zip(ends).filter_map(|(node, end)| Some((node.id.as_str(), end?))).collect();
        if let [(_, only)] = ends.as_slice() {
            return Value::from(*only);
        }
        Value::Object(ends.into_iter().map(|(id, text)| (id.to_owned(), Value::from(text))).collect())
    }

    /// Which nodes are done, by place, whenever the first `edges` edges have the node at
    /// `target` open, which joins `all`. That the run fails before is no such case. A new edge
    /// from one of them makes `target` wait, and can't have it skipped.
    ///
    /// It takes O(nodes + edges).
    pub(in crate::run) fn done_before<'t>(
        &self,
        target: usize,
        edges: usize,
        states: &dyn Fn(usize) -> NodeState<'t>,
    ) -> Vec<bool> {
        let wiring = Wiring::of(self);
        let now: Vec<NodeState<'t>> = (0..self.nodes.len()).map(states).collect();
        let mut done: Vec<bool> = (0..self.nodes.len()).map(|node| node == target).collect();
        // What opens it has these done, and those before them.
        for node in wiring.order.iter().copied().rev() {
            if done[node] && self.nodes[node].join == Join::All {
                for link in wiring.incoming[node].iter().filter(|link| link.edge < edges) {
                    done[link.node] |= self.edges[link.edge].when != Some(Condition::Failed {});
                }
            }
        }
        for node in wiring.order.iter().copied() {
            let leads = |link: &Link| {
                let edge = &self.edges[link.edge];
                edge.way(now[link.node]) == Way::Taken || (edge.when.is_none() && done[link.node])
            };
            let mut incoming = wiring.incoming[node].iter();
            let begins = match self.nodes[node].join {
                _ if wiring.incoming[node].is_empty() => true,
                Join::All => incoming.all(leads),
                Join::Any => incoming.any(leads),
            };
            let ends_well = match now[node] {
                NodeState::Done(_) => true,
                NodeState::Open => self.is_fatal(node, &wiring),
                NodeState::Waiting => begins && self.is_fatal(node, &wiring),
                NodeState::Failed | NodeState::Skipped => false,
            };
            done[node] |= ends_well;
        }
        done
    }

    /// What becomes of a node that waits.
    fn decide<'t>(&self, node: usize, incoming: &[Link], now: &[NodeState<'t>]) -> NodeState<'t> {
        let (mut taken, mut not_taken, mut undecided) = (false, false, false);
        for link in incoming {
            match self.edges[link.edge].way(now[link.node]) {
                Way::Taken => taken = true,
                Way::NotTaken => not_taken = true,
                Way::Undecided => undecided = true,
            }
        }
        match self.nodes[node].join {
            _ if incoming.is_empty() => NodeState::Open,
            Join::All if not_taken => NodeState::Skipped,
            Join::Any if taken => NodeState::Open,
            _ if undecided => NodeState::Waiting,
            Join::All => NodeState::Open,
            Join::Any => NodeState::Skipped,
        }
    }

    /// Whether the run has failed where this node did.
    fn is_fatal(&self, node: usize, wiring: &Wiring) -> bool {
        let mut outgoing = wiring.outgoing[node].iter().map(|link| &self.edges[link.edge]);
        !self.nodes[node].optional && !outgoing.any(|edge| edge.way(NodeState::Failed) == Way::Taken)
    }
}

impl Edge {
    /// Whether it leads on from a source in this state.
    fn way(&self, source: NodeState<'_>) -> Way {
        let is_taken = match (source, &self.when) {
            (NodeState::Waiting | NodeState::Open, _) => return Way::Undecided,
            (NodeState::Skipped, _) => false,
            (NodeState::Failed, when) => matches!(when, Some(Condition::Failed {})),
            (NodeState::Done(_), None) => true,
            (NodeState::Done(output), Some(when)) => when.holds(output, self.label.as_deref()),
        };
        if is_taken { Way::Taken } else { Way::NotTaken }
    }
}

//! Graphs, on their way in and out.

use bailiwick_domain::run::graph::{Condition, Edge, Graph, Join, Node};
use bailiwick_wire::run as wire;

pub(super) fn graph(asked: wire::RunGraph) -> Graph {
    Graph { nodes: asked.nodes.into_iter().map(node).collect(), edges: asked.edges.into_iter().map(edge).collect() }
}

pub(super) fn shown(graph: &Graph) -> wire::RunGraph {
    wire::RunGraph {
        nodes: graph.nodes.iter().map(shown_node).collect(),
        edges: graph.edges.iter().map(shown_edge).collect(),
    }
}

fn node(node: wire::GraphNode) -> Node {
    let wire::GraphNode { id, agent, input, join, optional } = node;
    let join = match join {
        wire::GraphJoin::All => Join::All,
        wire::GraphJoin::Any => Join::Any,
    };
    Node { id, agent, input, join, optional }
}

fn edge(edge: wire::GraphEdge) -> Edge {
    let wire::GraphEdge { from, to, label, when } = edge;
    let when = when.map(|when| match when {
        wire::GraphCondition::Always {} => Condition::Always {},
        wire::GraphCondition::Contains { text } => Condition::Contains { text },
        wire::GraphCondition::Equals { text } => Condition::Equals { text },
        wire::GraphCondition::MatchesLabel {} => Condition::MatchesLabel {},
        wire::GraphCondition::Failed {} => Condition::Failed {},
    });
    Edge { from, to, label, when }
}

fn shown_node(node: &Node) -> wire::GraphNode {
    let join = match node.join {
        Join::All => wire::GraphJoin::All,
        Join::Any => wire::GraphJoin::Any,
    };
    let (id, agent, input) = (node.id.clone(), node.agent.clone(), node.input.clone());
    wire::GraphNode { id, agent, input, join, optional: node.optional }
}

fn shown_edge(edge: &Edge) -> wire::GraphEdge {
    let when = edge.when.as_ref().map(|when| match when {
        Condition::Always {} => wire::GraphCondition::Always {},
        Condition::Contains { text } => wire::GraphCondition::Contains { text: text.clone() },
        Condition::Equals { text } => wire::GraphCondition::Equals { text: text.clone() },
        Condition::MatchesLabel {} => wire::GraphCondition::MatchesLabel {},
        Condition::Failed {} => wire::GraphCondition::Failed {},
    });
    wire::GraphEdge { from: edge.from.clone(), to: edge.to.clone(), label: edge.label.clone(), when }
}

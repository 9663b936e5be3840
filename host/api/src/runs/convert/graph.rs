//! Graphs, on their way in and out.

use bailiwick_agents::Agents;
use bailiwick_domain::run::graph::{Condition, Edge, Graph, Join, Node, NodeState};
use bailiwick_domain::run::{Run, RunNode};
use bailiwick_wire::run as wire;

use super::request::strategy;
use crate::problem::Failure;

/// The graph that stands at `at` in the request.
pub(super) fn graph(asked: wire::RunGraph, registry: &Agents, at: &str) -> Result<Graph, Failure> {
    let numbered = asked.nodes.into_iter().enumerate();
    let nodes =
        numbered.map(|(place, it)| node(it, registry, &format!("{at}/nodes/{place}"))).collect::<Result<_, _>>()?;
    Ok(Graph { nodes, edges: asked.edges.into_iter().map(edge).collect() })
}

/// The graph of a run, or of a subrun, as it stands.
pub(crate) fn grown(run: &Run, subrun: Option<u32>) -> Option<wire::GrownGraph> {
    let (graph, nodes) = (run.graph(subrun)?, run.nodes(subrun)?);
    let nodes = graph.nodes.iter().zip(nodes).map(|(node, at)| grown_node(node, at)).collect();
    Some(wire::GrownGraph {
        run: run.spec.id.to_string(),
        subrun,
        graph: shown(graph),
        nodes,
        mermaid: graph.to_mermaid(),
    })
}

pub(super) fn shown(graph: &Graph) -> wire::RunGraph {
    wire::RunGraph {
        nodes: graph.nodes.iter().map(shown_node).collect(),
        edges: graph.edges.iter().map(shown_edge).collect(),
    }
}

fn grown_node(node: &Node, at: RunNode<'_>) -> wire::GrownNode {
    let state = match at.state {
        NodeState::Waiting => wire::NodeState::Waiting,
        NodeState::Open => wire::NodeState::Open,
        NodeState::Done(_) => wire::NodeState::Done,
        NodeState::Failed => wire::NodeState::Failed,
        NodeState::Skipped => wire::NodeState::Skipped,
    };
    wire::GrownNode { id: node.id.clone(), state, task: at.task, subrun: at.subrun }
}

fn node(node: wire::GraphNode, registry: &Agents, at: &str) -> Result<Node, Failure> {
    let wire::GraphNode { id, agent, run, input, join, optional, plans } = node;
    let run = run.map(|run| strategy(*run, registry, &format!("{at}/run"))).transpose()?.map(Box::new);
    let join = match join {
        wire::GraphJoin::All => Join::All,
        wire::GraphJoin::Any => Join::Any,
    };
    Ok(Node { id, agent, run, input, join, optional, plans })
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
    let run = node.run.as_deref().map(super::strategy).map(Box::new);
    wire::GraphNode { id, agent, run, input, join, optional: node.optional, plans: node.plans }
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

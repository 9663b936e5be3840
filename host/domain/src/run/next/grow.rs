//! An agent adds to the graph that it works in.
//!
//! What can stand in the graph is a question of the fold, and what this agent may add to it
//! one of what is planned: so the log of a run stays readable where the rules become
//! stricter.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::event::Event;
use super::super::graph::{Condition, Edge, Graph, Join};
use super::super::state::Run;
use super::super::strategy::Strategy;
use super::super::subrun::node_state;
use super::{Plan, quoted, refused};
use crate::model::ToolCall;

impl Plan<'_> {
    /// Adds what a planning agent found out, or tells its model why that can't be.
    ///
    /// What may be added depends on where the nodes stand. So nothing else comes before it in
    /// what is planned, and a call that comes too late for that has its turn in the next plan.
    pub(super) fn grow(&mut self, task: u32, call: &ToolCall, arguments: Value) {
        if !self.events.is_empty() {
            return;
        }
        let graph: Graph = match serde_json::from_value(arguments) {
            Ok(graph) => graph,
            Err(error) => {
                let words = format!("expected `nodes`, and `edges` where there are some, as a graph has them: {error}");
                return self.events.push(refused(task, call, &words));
            }
        };
        let run = self.run;
        let added = run.with_added(task, &graph).and_then(|whole| run.check_added(task, &graph, &whole));
        self.events.push(match added {
            Ok(()) => Event::GraphGrown { task, call: call.id.clone(), graph },
            Err(problem) => refused(task, call, &problem),
        });
    }
}

impl Run {
    /// Whether nodes that the agent of a task adds may have this one: who submitted the run
    /// named it for that, or it has a node of the same graph and may call no more than who
    /// adds it.
    pub(in crate::run) fn may_add(&self, task: u32, agent: &str) -> bool {
        let Some(Strategy::Graph { graph, agents }) = self.strategy_of(task) else { return false };
        if agents.iter().any(|name| name == agent) {
            return true;
        }
        let both = self.member(task).zip(self.team.members.get(agent));
        let is_within = both.is_some_and(|(planner, agent)| !agent.reaches_beyond(planner));
        is_within && graph.nodes.iter().any(|node| node.agent == agent)
    }

    /// Whether the agent of a task may add this, with which the graph is `whole`; else why not.
    fn check_added(&self, task: u32, more: &Graph, whole: &Graph) -> Result<(), String> {
        if let Some(node) = more.nodes.iter().find(|node| !self.may_add(task, &node.agent)) {
            let may = |name: &&String| self.may_add(task, name);
            let agents: Vec<String> = self.team.members.keys().filter(may).cloned().collect();
            let expected = if agents.is_empty() { "none".to_owned() } else { quoted(&agents) };
            return Err(format!("node `{}`: `{}` is no agent for new nodes; expected {expected}", node.id, node.agent));
        }
        self.check_edges(task, more, whole)
    }

    /// Whether new edges leave it to whoever made the graph when its nodes begin and what their
    /// failure means, but for what they wait for.
    fn check_edges(&self, task: u32, more: &Graph, whole: &Graph) -> Result<(), String> {
        let subrun = self.tasks.get(task as usize).and_then(|task| task.opening.subrun);
        let Some(scope) = self.scope(subrun) else { return Ok(()) };
        let nodes = scope.nodes();
        let old = whole.nodes.len().saturating_sub(more.nodes.len());
        let edges = whole.edges.len().saturating_sub(more.edges.len());
        let places: BTreeMap<&str, usize> =
            whole.nodes.iter().enumerate().map(|(place, node)| (node.id.as_str(), place)).collect();
        // By the place of an old node: what is done before it.
        let mut before: BTreeMap<usize, Vec<bool>> = BTreeMap::new();
        for edge in &more.edges {
            let (Some(from), Some(to)) = (places.get(edge.from.as_str()), places.get(edge.to.as_str())) else {
                continue;
            };
            let is_failure = edge.when == Some(Condition::Failed {});
            if is_failure && *from < old {
                return Err(problem(
                    edge,
                    "a node that was there fails as it did: expected a new node before `failed`",
                ));
            }
            let Some(target) = whole.nodes.get(*to).filter(|_| *to < old) else { continue };
            if edge.when.is_some() || target.join != Join::All {
                let words = "a node that was there may only wait for more: expected no `when`, and a node that joins \
                             `all`";
                return Err(problem(edge, words));
            }
            let done =
                before.entry(*to).or_insert_with(|| whole.done_before(*to, edges, &|place| node_state(&nodes, place)));
            if done.get(*from) != Some(&true) {
                let words = "a node that was there may only wait for more, and would be skipped where this one is not \
                             done: expected one that begins in any case, and is not `optional`";
                return Err(problem(edge, words));
            }
        }
        Ok(())
    }
}

fn problem(edge: &Edge, words: &str) -> String {
    format!("edge `{} -> {}`: {words}", edge.from, edge.to)
}

//! An agent adds to the graph that it works in.

use serde_json::Value;

use super::super::event::Event;
use super::super::graph::Graph;
use super::{Plan, refused};
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
        self.events.push(match self.run.with_added(task, &graph) {
            Ok(_) => Event::GraphGrown { task, call: call.id.clone(), graph },
            Err(problem) => refused(task, call, &problem),
        });
    }
}

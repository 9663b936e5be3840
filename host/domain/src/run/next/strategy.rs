//! What the strategies of a run have follow on what their tasks did: its own, and those of
//! its subruns. They differ only in how they end.

use serde_json::{Value, json};

use super::super::event::{Event, Opening, Role};
use super::super::graph::{Graph, NodeState};
use super::super::strategy::{OnFailure, Strategy};
use super::super::subrun::{Scope, node_state};
use super::super::task::{Task, TaskOutcome};
use super::super::{DEPENDENCY_FAILED, MAX_TASKS};
use super::Plan;
use super::room::Full;

/// Nodes of a graph that are at work at once; more wait for one of them to end.
const MAX_NODES_AT_ONCE: usize = 64;

impl Plan<'_> {
    /// What the strategies have follow on what their tasks did.
    pub(super) fn strategies(&mut self) {
        let run = self.run;
        for scope in run.scopes() {
            self.strategy(&scope);
            // What ends takes all with it that lies in it.
            if self.over {
                return;
            }
        }
    }

    fn strategy(&mut self, scope: &Scope<'_>) {
        let run = self.run;
        let first = scope.tasks.first().map(|(_, task)| *task);
        match scope.strategy {
            Strategy::Single { agent } => self.alone(scope, first, agent, Role::Work),
            Strategy::Router { agents, by } => self.router(scope, agents, by),
            Strategy::Handoff { first: agent, .. } => match first {
                Some(task) if task.outcome.is_none() => self.handoffs(scope),
                _ => self.alone(scope, first, agent, Role::Work),
            },
            Strategy::Graph { .. } => {
                if let Some(graph) = run.graph(scope.subrun) {
                    self.graph(scope, graph);
                }
            }
            Strategy::Workflow { skill } => self.alone(scope, first, skill.id.as_str(), Role::Drive),
            Strategy::ParallelMap { agent, items, reduce, on_failure, at_once } => {
                self.map(scope, agent, items, reduce.as_ref(), *on_failure, *at_once);
            }
        }
    }

    /// The first task does it.
    fn alone(&mut self, scope: &Scope<'_>, task: Option<&Task>, agent: &str, role: Role) {
        match task {
            None => self.open(opening(scope, agent, role, scope.input.to_owned())),
            Some(task) => self.finish_with(scope, task),
        }
    }

    fn router(&mut self, scope: &Scope<'_>, agents: &[String], by: &str) {
        let work = |agent: &str| opening(scope, agent, Role::Work, scope.input.to_owned());
        match (scope.tasks.as_slice(), agents) {
            ([], [only]) => self.open(work(only)),
            ([], _) => self.open(opening(scope, by, Role::Route, scope.input.to_owned())),
            ([(_, task)], _) if task.opening.role == Role::Route => match &task.outcome {
                Some(TaskOutcome::Done { output }) => self.open(work(output)),
                _ => self.finish_with(scope, task),
            },
            ([.., (_, task)], _) => self.finish_with(scope, task),
        }
    }

    fn map(
        &mut self,
        scope: &Scope<'_>,
        agent: &str,
        items: &[String],
        reduce: Option<&String>,
        on_failure: OnFailure,
        at_once: u32,
    ) {
        let (branches, rest) = scope.tasks.split_at(scope.tasks.len().min(items.len()));
        let failed =
            branches.iter().enumerate().find_map(|(item, (_, task))| Some((item, failure(task.outcome.as_ref())?)));
        if on_failure == OnFailure::FailFast
            && let Some((item, (code, message))) = failed
        {
            let message = format!("item {item} failed, and with it the others: {code}: {message}");
            return self.end_failed(scope, DEPENDENCY_FAILED, message);
        }
        let open = scope.open();
        if branches.len() < items.len() {
            let room = (at_once as usize).saturating_sub(open);
            for number in (branches.len()..items.len()).take(room) {
                if self.full.is_some() {
                    return;
                }
                let input = format!("{}\n\n{}", scope.input, items[number]);
                let item = u32::try_from(number).ok();
                self.open(Opening { item, ..opening(scope, agent, Role::Work, input) });
            }
            return;
        }
        if open > 0 {
            return;
        }
        match (reduce, rest) {
            (None, _) => self.complete(scope, outputs(branches, items)),
            (Some(agent), []) => {
                let all = outputs(branches, items);
                let input = format!("{}\n\nThe answers for each item:\n{all:#}", scope.input);
                self.open(opening(scope, agent, Role::Reduce, input));
            }
            (Some(_), [(_, task), ..]) => self.finish_with(scope, task),
        }
    }

    fn graph(&mut self, scope: &Scope<'_>, graph: &Graph) {
        let run = self.run;
        let nodes = scope.nodes();
        let Some(advance) = run.advance(scope.subrun, &nodes) else { return };
        if let Some((node, code, message)) = advance.failed.and_then(|place| failed_node(graph, scope, place)) {
            let message = format!("the node `{node}` failed: {code}: {message}");
            return self.end_failed(scope, DEPENDENCY_FAILED, message);
        }
        let output = |id: &str| {
            let place = graph.nodes.iter().position(|node| node.id == id)?;
            match node_state(&nodes, place) {
                NodeState::Done(output) => Some(output),
                _ => None,
            }
        };
        let open = scope.open();
        for place in advance.open.iter().copied().take(MAX_NODES_AT_ONCE.saturating_sub(open)) {
            let (Some(node), Ok(number)) = (graph.nodes.get(place), u32::try_from(place)) else { continue };
            if self.full.is_some() {
                return;
            }
            let input = graph.render_by(place, scope.input, &output);
            if node.run.is_some() {
                self.begin_subrun(scope, number, input);
            } else {
                self.open(Opening { node: Some(number), ..opening(scope, &node.agent, Role::Work, input) });
            }
        }
        if advance.open.is_empty()
            && advance.finished
            && open == 0
            && let Some(output) = run.outputs(scope.subrun, &nodes)
        {
            self.complete(scope, output);
        }
    }

    /// The strategy ends as the task did.
    fn finish_with(&mut self, scope: &Scope<'_>, task: &Task) {
        match &task.outcome {
            None => {}
            Some(TaskOutcome::Done { output }) => {
                self.complete(scope, self.run.given(task, output));
            }
            Some(TaskOutcome::Failed { code, message }) => self.end_failed(scope, code, message.clone()),
        }
    }

    fn complete(&mut self, scope: &Scope<'_>, output: Value) {
        self.over = true;
        self.events.push(match scope.subrun {
            None => Event::Completed { output },
            Some(subrun) => Event::SubrunEnded { subrun, outcome: TaskOutcome::Done { output: text(output) } },
        });
    }

    fn end_failed(&mut self, scope: &Scope<'_>, code: &str, message: String) {
        self.over = true;
        let code = code.to_owned();
        self.events.push(match scope.subrun {
            None => Event::Failed { code, message, partial: self.run.partial() },
            Some(subrun) => Event::SubrunEnded { subrun, outcome: TaskOutcome::Failed { code, message } },
        });
    }

    fn begin_subrun(&mut self, scope: &Scope<'_>, node: u32, input: String) {
        if !self.takes(&input) {
            return;
        }
        let begun = self.run.subruns.len() + self.subruns;
        self.subruns += 1;
        let subrun = u32::try_from(begun).unwrap_or(u32::MAX);
        self.events.push(Event::SubrunStarted { subrun, parent: scope.subrun, node, input });
    }

    pub(super) fn open(&mut self, opening: Opening) {
        let opened = self.run.tasks.len() + self.opened;
        if opened >= MAX_TASKS {
            self.full = Some(Full::Tasks);
            return;
        }
        if !self.takes(&opening.input) {
            return;
        }
        self.opened += 1;
        let task = u32::try_from(opened).unwrap_or(u32::MAX);
        self.events.push(Event::TaskOpened { task, opening });
    }
}

/// What an agent is given to do that has no place of its own in its strategy.
pub(super) fn opening(scope: &Scope<'_>, agent: &str, role: Role, input: String) -> Opening {
    let (agent, subrun) = (agent.to_owned(), scope.subrun);
    Opening { agent, role, input, item: None, node: None, handoff: None, subrun }
}

fn failed_node<'r>(graph: &'r Graph, scope: &Scope<'r>, place: usize) -> Option<(&'r str, &'r str, &'r str)> {
    let (code, message) = failure(scope.outcome(place))?;
    Some((&graph.nodes.get(place)?.id, code, message))
}

fn failure(outcome: Option<&TaskOutcome>) -> Option<(&str, &str)> {
    match outcome? {
        TaskOutcome::Done { .. } => None,
        TaskOutcome::Failed { code, message } => Some((code, message)),
    }
}

/// An output as a node has it, whose output is a text.
fn text(output: Value) -> String {
    match output {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn outputs(branches: &[(u32, &Task)], items: &[String]) -> Value {
    let told = branches.iter().zip(items).map(|((_, task), item)| match &task.outcome {
        Some(TaskOutcome::Done { output }) => json!({ "item": item, "output": output }),
        Some(TaskOutcome::Failed { code, message }) => {
            json!({ "item": item, "error": { "code": code, "message": message } })
        }
        None => json!({ "item": item }),
    });
    Value::Array(told.collect())
}

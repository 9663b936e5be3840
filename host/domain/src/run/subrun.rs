//! Subruns: strategies of graphs' nodes, at work as parts of the same run.
//!
//! A subrun is a scope and no run of its own: it has an input, tasks, handoffs and further
//! subruns, and an outcome as a task has one. Budget, time, place, pauses and recovery are
//! those of the run, and so is its end. The run itself is the outermost scope.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::graph::{Advance, Graph, Node, NodeState, Wiring};
use super::spend::Spend;
use super::state::{Run, StepState};
use super::strategy::Strategy;
use super::task::{Task, TaskOutcome};
use super::{DEPENDENCY_FAILED, MAX_TASKS};

/// The strategy of a graph's node at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subrun {
    /// The subrun whose graph has the node; none where it is the run's own.
    pub parent: Option<u32>,
    /// The place among the nodes of that graph, counted from 0.
    pub node: u32,
    /// What the node was asked.
    pub input: String,
    /// How it ended.
    pub outcome: Option<TaskOutcome>,
    /// Whether it ended only because a subrun around it did.
    pub(super) abandoned: bool,
}

/// A node of a graph, as it stands in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunNode<'r> {
    /// Where it stands.
    pub state: NodeState<'r>,
    /// Its task, where it has an agent and has begun.
    pub task: Option<u32>,
    /// Its subrun, where it has a strategy and has begun.
    pub subrun: Option<u32>,
}

/// A strategy with all that belongs to it: the run's own, or that of a subrun.
pub(super) struct Scope<'r> {
    run: &'r Run,
    /// The subrun; none is the run itself.
    pub(super) subrun: Option<u32>,
    pub(super) strategy: &'r Strategy,
    /// What it works on.
    pub(super) input: &'r str,
    /// Its own tasks in their order, without those of subruns in it.
    pub(super) tasks: Vec<(u32, &'r Task)>,
    /// The subruns that are nodes of its graph.
    pub(super) subruns: Vec<(u32, &'r Subrun)>,
}

impl<'r> Scope<'r> {
    fn empty(run: &'r Run, subrun: Option<u32>) -> Option<Self> {
        let strategy = run.strategy(subrun)?;
        Some(Self { run, subrun, strategy, input: run.input(subrun), tasks: Vec::new(), subruns: Vec::new() })
    }

    /// How many of its tasks and subruns have not ended.
    pub(super) fn open(&self) -> usize {
        let tasks = self.tasks.iter().filter(|(_, task)| task.outcome.is_none()).count();
        tasks + self.subruns.iter().filter(|(_, subrun)| subrun.outcome.is_none()).count()
    }

    /// Where the nodes of its graph stand, by place, those that are skipped as waiting.
    pub(super) fn nodes(&self) -> Vec<NodeState<'r>> {
        let count = self.run.graph(self.subrun).map_or(0, |graph| graph.nodes.len());
        let mut nodes = vec![NodeState::Waiting; count];
        for (place, outcome) in self.begun() {
            if let Some(node) = nodes.get_mut(place) {
                *node = match outcome {
                    None => NodeState::Open,
                    Some(TaskOutcome::Done { output }) => NodeState::Done(output),
                    Some(TaskOutcome::Failed { .. }) => NodeState::Failed,
                };
            }
        }
        nodes
    }

    /// How the node at this place ended.
    pub(super) fn outcome(&self, place: usize) -> Option<&'r TaskOutcome> {
        let of_node = self.begun().filter(|(begun, _)| *begun == place);
        of_node.last().and_then(|(_, outcome)| outcome)
    }

    /// The places of the nodes that have begun, with how they ended; nothing while they are at
    /// work. What ended with a subrun around it has no end of its own.
    fn begun(&self) -> impl Iterator<Item = (usize, Option<&'r TaskOutcome>)> {
        let tasks = self.tasks.iter().filter_map(|(number, task)| {
            let outcome = task.outcome.as_ref().filter(|_| !self.run.abandoned.contains(number));
            Some((task.opening.node? as usize, outcome))
        });
        let subruns = self.subruns.iter().map(|(_, subrun)| {
            let outcome = subrun.outcome.as_ref().filter(|_| !subrun.abandoned);
            (subrun.node as usize, outcome)
        });
        tasks.chain(subruns)
    }
}

/// Where the node at this place stands.
pub(super) fn node_state<'r>(nodes: &[NodeState<'r>], place: usize) -> NodeState<'r> {
    nodes.get(place).copied().unwrap_or(NodeState::Waiting)
}

/// Where a strategy stands among these, which are in the order of their subruns.
fn place_of(scopes: &[Scope<'_>], subrun: Option<u32>) -> Option<usize> {
    scopes.binary_search_by_key(&subrun, |scope| scope.subrun).ok()
}

/// How the nodes of a strategy's graph hang together, where it has one.
pub(super) fn wired(strategy: &Strategy) -> Option<Arc<Wiring>> {
    match strategy {
        Strategy::Graph { graph, .. } => Some(Arc::new(Wiring::of(graph))),
        _ => None,
    }
}

/// What can be seen.
impl Run {
    /// The strategy of a subrun, or of the run itself.
    pub fn strategy(&self, subrun: Option<u32>) -> Option<&Strategy> {
        let Some(number) = subrun else { return Some(&self.spec.strategy) };
        let Subrun { parent, node, .. } = self.subruns.get(number as usize)?;
        // A subrun's parent has a lower number. Nodes that were added have no strategy.
        let Strategy::Graph { graph, .. } = self.strategy(*parent)? else { return None };
        graph.nodes.get(*node as usize)?.run.as_deref()
    }

    /// The graph of a subrun, or of the run itself, with all that was added to it.
    pub fn graph(&self, subrun: Option<u32>) -> Option<&Graph> {
        let Strategy::Graph { graph, .. } = self.strategy(subrun)? else { return None };
        Some(self.grown.get(&subrun).unwrap_or(graph))
    }

    /// Where the nodes of that graph stand, in its order.
    pub fn nodes(&self, subrun: Option<u32>) -> Option<Vec<RunNode<'_>>> {
        let (graph, scope) = (self.graph(subrun)?, self.scope(subrun)?);
        let nodes = scope.nodes();
        let skip: BTreeSet<usize> = self.advance(subrun, &nodes)?.skip.into_iter().collect();
        let at = |place: usize| u32::try_from(place).ok();
        let shown = (0..graph.nodes.len()).map(|place| RunNode {
            state: if skip.contains(&place) { NodeState::Skipped } else { node_state(&nodes, place) },
            task: scope.tasks.iter().find(|(_, task)| task.opening.node == at(place)).map(|(number, _)| *number),
            subrun: scope.subruns.iter().find(|(_, subrun)| Some(subrun.node) == at(place)).map(|(number, _)| *number),
        });
        Some(shown.collect())
    }

    /// What follows in the graph of a subrun, or of the run itself, whose nodes stand so.
    pub(super) fn advance(&self, subrun: Option<u32>, nodes: &[NodeState<'_>]) -> Option<Advance> {
        let (graph, wiring) = (self.graph(subrun)?, self.wiring.get(&subrun)?);
        Some(graph.advance_by(wiring, &|place| node_state(nodes, place)))
    }

    /// What came of that graph.
    pub(super) fn outputs(&self, subrun: Option<u32>, nodes: &[NodeState<'_>]) -> Option<Value> {
        let (graph, wiring) = (self.graph(subrun)?, self.wiring.get(&subrun)?);
        Some(graph.outputs_by(wiring, &|place| node_state(nodes, place)))
    }

    /// What a subrun works on, or the run itself.
    pub(super) fn input(&self, subrun: Option<u32>) -> &str {
        let subrun = subrun.and_then(|number| self.subruns.get(number as usize));
        subrun.map_or(&self.spec.input, |subrun| &subrun.input)
    }

    /// The strategy that a task belongs to.
    pub(super) fn strategy_of(&self, task: u32) -> Option<&Strategy> {
        self.strategy(self.tasks.get(task as usize)?.opening.subrun)
    }

    /// The node of a task whose agent may add to the graph that it works in.
    pub(super) fn planner(&self, task: u32) -> Option<&Node> {
        let opening = &self.tasks.get(task as usize)?.opening;
        self.graph(opening.subrun)?.nodes.get(opening.node? as usize).filter(|node| node.plans)
    }

    /// All that belongs to a subrun, or to the run itself.
    pub(super) fn scope(&self, subrun: Option<u32>) -> Option<Scope<'_>> {
        let mut scope = Scope::empty(self, subrun)?;
        scope.tasks = (0_u32..).zip(&self.tasks).filter(|(_, task)| task.opening.subrun == subrun).collect();
        scope.subruns = (0_u32..).zip(&self.subruns).filter(|(_, it)| it.parent == subrun).collect();
        Some(scope)
    }

    /// Every strategy that is at work, the run's own first, each before those in it.
    pub(super) fn scopes(&self) -> Vec<Scope<'_>> {
        let open = (0_u32..).zip(&self.subruns).filter(|(_, subrun)| subrun.outcome.is_none());
        let all = std::iter::once(None).chain(open.map(|(number, _)| Some(number)));
        let mut scopes: Vec<Scope<'_>> = all.filter_map(|subrun| Scope::empty(self, subrun)).collect();
        for (number, task) in (0_u32..).zip(&self.tasks) {
            if let Some(place) = place_of(&scopes, task.opening.subrun) {
                scopes[place].tasks.push((number, task));
            }
        }
        for (number, subrun) in (0_u32..).zip(&self.subruns) {
            if let Some(place) = place_of(&scopes, subrun.parent) {
                scopes[place].subruns.push((number, subrun));
            }
        }
        scopes
    }

    /// Whether a subrun has not ended; the run itself has not.
    pub(super) fn is_at_work(&self, subrun: Option<u32>) -> bool {
        let subrun = subrun.map(|number| self.subruns.get(number as usize));
        subrun.is_none_or(|subrun| subrun.is_some_and(|subrun| subrun.outcome.is_none()))
    }

    /// Whether nothing that belongs to a subrun, or to one in it, is at work.
    pub(super) fn is_still(&self, subrun: u32) -> bool {
        let is_within =
            |it: &u32| self.tasks.get(*it as usize).is_some_and(|it| self.lies_in(it.opening.subrun, subrun));
        let is_open = |it: &Subrun| it.outcome.is_none() && self.lies_in(it.parent, subrun);
        !self.open.iter().any(is_within) && !self.subruns.iter().any(is_open)
    }

    /// The graph that the agent of a task works in, with what it adds to it; else why not.
    pub(super) fn with_added(&self, task: u32, more: &Graph) -> Result<Graph, String> {
        let subrun = self.tasks.get(task as usize).and_then(|task| task.opening.subrun);
        let found = self.planner(task).and_then(|_| Some((self.graph(subrun)?, self.scope(subrun)?)));
        let Some((graph, scope)) = found else {
            return Err("the agent works in no graph that it may add to".to_owned());
        };
        if more.nodes.is_empty() && more.edges.is_empty() {
            return Err("nothing is added: expected `nodes`, `edges`, or both".to_owned());
        }
        if let Some(node) = more.nodes.iter().find(|node| node.run.is_some() || node.plans) {
            return Err(format!("node `{}`: what is added has an `agent`, and neither `run` nor `plans`", node.id));
        }
        let nodes = scope.nodes();
        let to_come = nodes.iter().filter(|node| **node == NodeState::Waiting).count();
        let room = MAX_TASKS.saturating_sub(self.tasks.len() + to_come);
        if more.nodes.len() > room {
            return Err(format!("the run has no room for {} nodes more, only for {room}", more.nodes.len()));
        }
        let skip: BTreeSet<usize> =
            self.advance(subrun, &nodes).map(|advance| advance.skip).unwrap_or_default().into_iter().collect();
        let waits = |place: &usize| !skip.contains(place) && node_state(&nodes, *place) == NodeState::Waiting;
        let numbered = (0_usize..).zip(&graph.nodes);
        let waiting: BTreeSet<&str> =
            numbered.filter(|(place, _)| waits(place)).map(|(_, node)| node.id.as_str()).collect();
        let is_agent = |agent: &str| self.team.members.contains_key(agent);
        graph.with(more.clone(), is_agent, |id| waiting.contains(id)).map_err(|problem| problem.to_string())
    }

    /// Whether a scope is a subrun, or lies in it.
    fn lies_in(&self, scope: Option<u32>, subrun: u32) -> bool {
        let mut at = scope;
        while let Some(number) = at {
            if number == subrun {
                return true;
            }
            at = self.subruns.get(number as usize).and_then(|it| it.parent);
        }
        false
    }

    /// The node of a graph whose failure is that of its strategy.
    fn failed_node(&self, subrun: Option<u32>) -> Option<usize> {
        self.advance(subrun, &self.scope(subrun)?.nodes())?.failed
    }

    /// Whether a node of any graph failed.
    pub(super) fn has_failed_node(&self) -> bool {
        let of_tasks = self.tasks.iter().filter(|task| task.opening.node.is_some()).map(|task| &task.outcome);
        let mut outcomes = of_tasks.chain(self.subruns.iter().map(|subrun| &subrun.outcome));
        outcomes.any(|outcome| matches!(outcome, Some(TaskOutcome::Failed { .. })))
    }
}

/// What events change.
impl Run {
    pub(super) fn begin_subrun(&mut self, parent: Option<u32>, node: u32, input: &str) {
        let number = u32::try_from(self.subruns.len()).ok();
        self.inputs = self.inputs.saturating_add(input.len());
        self.subruns.push(Subrun { parent, node, input: input.to_owned(), outcome: None, abandoned: false });
        let wiring = self.strategy(number).and_then(wired);
        self.wiring.extend(wiring.map(|wiring| (number, wiring)));
    }

    pub(super) fn end_subrun(&mut self, number: u32, outcome: &TaskOutcome) {
        if matches!(outcome, TaskOutcome::Failed { .. }) {
            self.abandon(number);
        }
        if let Some(subrun) = self.subruns.get_mut(number as usize) {
            subrun.outcome = Some(outcome.clone());
        }
    }

    /// Takes what was added to the graph that a task belongs to.
    pub(super) fn grow(&mut self, task: u32, more: &Graph) {
        let subrun = self.tasks.get(task as usize).and_then(|task| task.opening.subrun);
        let Some(mut whole) = self.graph(subrun).cloned() else { return };
        whole.nodes.extend(more.nodes.iter().cloned());
        whole.edges.extend(more.edges.iter().cloned());
        self.wiring.insert(subrun, Arc::new(Wiring::of(&whole)));
        self.grown.insert(subrun, whole);
    }

    /// Subruns that begin anew, and the run itself, each with the node by which it failed.
    pub(super) fn begin_anew(&mut self) -> BTreeMap<Option<u32>, Option<usize>> {
        let mut anew = BTreeMap::from([(None, self.failed_node(None))]);
        for (number, subrun) in (0_u32..).zip(&self.subruns) {
            // Of what lies in a subrun that the run has gone on without, nothing begins anew.
            let Some(failed) = anew.get(&subrun.parent) else { continue };
            let failed_by_it = *failed == Some(subrun.node as usize);
            let begins = match &subrun.outcome {
                None => true,
                Some(TaskOutcome::Failed { .. }) => subrun.abandoned || failed_by_it,
                Some(TaskOutcome::Done { .. }) => false,
            };
            if begins {
                anew.insert(Some(number), self.failed_node(Some(number)));
            }
        }
        for number in anew.keys().flatten() {
            if let Some(subrun) = self.subruns.get_mut(*number as usize) {
                subrun.outcome = None;
                subrun.abandoned = false;
            }
        }
        anew
    }

    /// Nothing in a subrun that failed is at work any more. Its tasks and subruns have no end
    /// of their own. What was asked was asked, so that it counts as a step.
    fn abandon(&mut self, subrun: u32) {
        let outcome = || TaskOutcome::Failed {
            code: DEPENDENCY_FAILED.to_owned(),
            message: "it was under way when its subrun failed, and ended with it".to_owned(),
        };
        let within = |run: &Self, task: u32| {
            run.tasks.get(task as usize).is_some_and(|task| run.lies_in(task.opening.subrun, subrun))
        };
        let tasks: BTreeSet<u32> = self.open.iter().copied().filter(|task| within(self, *task)).collect();
        let is_of = |step: &u32| self.steps.get(*step as usize).is_some_and(|step| tasks.contains(&step.task));
        let steps: Vec<u32> = self.under_way.iter().copied().filter(is_of).collect();
        for step in steps {
            self.park(step, StepState::Abandoned);
            self.spend = self.spend.plus(&Spend { steps: 1, ..Spend::default() });
        }
        let inner =
            (0_u32..).zip(&self.subruns).filter(|(_, it)| it.outcome.is_none() && self.lies_in(it.parent, subrun));
        for number in inner.map(|(number, _)| number).collect::<Vec<_>>() {
            if let Some(inner) = self.subruns.get_mut(number as usize) {
                inner.outcome = Some(outcome());
                inner.abandoned = true;
            }
        }
        for number in tasks {
            self.open.remove(&number);
            self.abandoned.insert(number);
            if let Some(task) = self.tasks.get_mut(number as usize) {
                task.outcome = Some(outcome());
            }
        }
    }
}

//! What comes next: events that follow from the state alone.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::RunId;
use super::driven;
use super::event::{Action, Event, Opening, Role};
use super::graph::{Graph, NodeState};
use super::names::{CHOOSE_AGENT, HANDOFF, USE_SKILL};
use super::state::{HandoffState, Run, Step, StepState};
use super::status::Status;
use super::strategy::{OnFailure, Strategy};
use super::task::{OpenCall, Task, TaskOutcome};
use super::team::{Disclosure, Member, PinnedSkill};
use crate::model::ToolCall;

/// Nodes of a graph that are at work at once; more wait for one of them to end.
const MAX_NODES_AT_ONCE: usize = 64;

/// How long the first retry waits; each further one waits twice as long.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// Bytes of a text for each token of it, roughly, for those who want to know what
/// instructions cost.
pub(super) const BYTES_PER_TOKEN: usize = 4;

/// The events that follow now. None are left when something has to happen first: a
/// step's end, a person's word, a place. Whoever applies them asks again, because each
/// may have others follow.
pub fn next(run: &Run) -> Vec<Event> {
    if !matches!(run.status, Status::Running | Status::WaitingApproval) {
        return Vec::new();
    }
    let mut plan = Plan { run, events: Vec::new(), starts: 0, begun: 0, short: None };
    for task in &run.open {
        plan.task(*task);
    }
    if plan.events.is_empty() {
        plan.strategy();
    }
    match plan.short {
        // Nothing new begins; what is under way still comes to its end.
        Some(what) if plan.events.is_empty() && run.under_way.is_empty() => vec![used_up(run, what)],
        _ => plan.events,
    }
}

/// How long the retry of a step waits after so many failures: 1, 2 and 4 s, a quarter
/// more or less. The same run waits the same time on every machine, and others don't all
/// come back at once.
pub fn backoff(run: &RunId, step: u32, failures: u32) -> Duration {
    let base = FIRST_BACKOFF * 2_u32.saturating_pow(failures.saturating_sub(1).min(6));
    let seed = format!("{run}/{step}/{failures}");
    let [byte, ..] = *crate::digest::Digest::of(seed.as_bytes()).as_bytes();
    base * 3 / 4 + base / 2 * u32::from(byte) / 255
}

/// The end of a run whose budget is used up, where it is.
pub fn exhausted(run: &Run) -> Option<Event> {
    exhausted_with(run, 0)
}

/// The same where so many steps are under way, which are not counted yet and will be.
pub(super) fn exhausted_with(run: &Run, under_way: u64) -> Option<Event> {
    let mut spent = run.spend;
    spent.steps = spent.steps.saturating_add(under_way);
    run.spec.budget.exhausted(&spent).map(|what| used_up(run, what))
}

impl Run {
    /// The tasks of a graph's nodes, by the place of the node.
    fn by_node(&self) -> BTreeMap<usize, &Task> {
        self.tasks.iter().filter_map(|task| Some((task.opening.node? as usize, task))).collect()
    }

    /// The node of a graph whose failure is the run's.
    pub(super) fn failed_node(&self) -> Option<usize> {
        let Strategy::Graph { graph } = &self.spec.strategy else { return None };
        let nodes = self.by_node();
        graph.advance(&|node| node_state(nodes.get(&node).copied())).failed
    }

    /// What there is in place of an output: what each task said last.
    pub fn partial(&self) -> Value {
        let told = self.tasks.iter().enumerate().filter_map(|(number, task)| {
            let words = task.outcome.as_ref().and_then(TaskOutcome::output).or_else(|| task.last_words())?;
            Some(json!({ "task": number, "agent": task.opening.agent, "text": words }))
        });
        let told: Vec<Value> = told.collect();
        if told.is_empty() { Value::Null } else { Value::Array(told) }
    }
}

struct Plan<'r> {
    run: &'r Run,
    events: Vec<Event>,
    /// Steps that these events begin for the first time.
    starts: u32,
    /// All steps that these events begin.
    begun: u64,
    /// What of the budget is used up, where something would have begun.
    short: Option<&'static str>,
}

impl Plan<'_> {
    fn task(&mut self, number: u32) {
        let run = self.run;
        let (Some(task), Some(member)) = (run.tasks.get(number as usize), run.member(number)) else { return };
        for step in run.waiting.iter().filter(|step| run.steps.get(**step as usize).is_some_and(|it| it.task == number))
        {
            self.again(*step);
        }
        if task.opening.role == Role::Drive {
            return self.drive(number, task, member);
        }
        if task.opening.role == Role::Route && !task.calls.is_empty() {
            return self.route(number, task);
        }
        for open in task.calls.iter().filter(|open| open.is_untouched()) {
            self.call(number, task, member, open);
        }
        if !task.calls.is_empty() || task.asking.is_some() {
            return;
        }
        if let Some((code, message)) = task.hopeless() {
            return self.events.push(ended(number, TaskOutcome::Failed { code, message }));
        }
        if let Some(output) = task.output() {
            return self.conclude(number, task, output);
        }
        if let Some(what) = member.limits.budget().exhausted(&task.spend) {
            let message = format!("the agent's budget of {what} for a task is used up");
            return self
                .events
                .push(ended(number, TaskOutcome::Failed { code: "BUDGET_EXHAUSTED".to_owned(), message }));
        }
        if task.turns >= member.max_steps {
            let message = format!("the agent took {} turns, as many as it may", task.turns);
            return self.events.push(ended(number, TaskOutcome::Failed { code: "MAX_STEPS".to_owned(), message }));
        }
        self.start(number, Action::Model {});
    }

    /// The model asks for nothing more.
    fn conclude(&mut self, number: u32, task: &Task, output: &str) {
        let outcome = if task.opening.role == Role::Route {
            let message = format!("the model chose no agent, and said: {}", start_of(output));
            TaskOutcome::Failed { code: "MODEL_NONSENSE".to_owned(), message }
        } else {
            TaskOutcome::Done { output: output.to_owned() }
        };
        self.events.push(ended(number, outcome));
    }

    /// A workflow runs, and then the task is over.
    fn drive(&mut self, number: u32, task: &Task, member: &Member) {
        let run = self.run;
        let Some(driver) = task.driver else {
            let Some(action) = driven::driver(task, member) else {
                let message = "the run keeps no workflow to drive it".to_owned();
                return self
                    .events
                    .push(ended(number, TaskOutcome::Failed { code: "HOST_FAILURE".to_owned(), message }));
            };
            return self.start(number, action);
        };
        match task.results.get(&driver).map(driven::outcome) {
            // What it asked for and did not wait for comes to its end first.
            Some(outcome) if !run.works(number) => self.events.push(ended(number, outcome)),
            Some(TaskOutcome::Failed { code, message }) => {
                self.events.push(Event::Failed { code, message, partial: run.partial() });
            }
            Some(TaskOutcome::Done { .. }) | None => {}
        }
    }

    /// Begins a step again that may.
    fn again(&mut self, number: u32) {
        // A question is put again when the workflow asks it again.
        let may = |step: &&Step| step.state == StepState::Ready && !step.action.is_question();
        let Some(step) = self.run.steps.get(number as usize).filter(may) else { return };
        if self.may_start() {
            let (task, attempt, action) = (step.task, step.attempt + 1, step.action.clone());
            self.events.push(Event::StepStarted { step: number, task, attempt, action });
        }
    }

    fn start(&mut self, task: u32, action: Action) {
        if self.may_start() {
            let step = u32::try_from(self.run.steps.len()).unwrap_or(u32::MAX).saturating_add(self.starts);
            self.starts += 1;
            self.events.push(Event::StepStarted { step, task, attempt: 1, action });
        }
    }

    fn may_start(&mut self) -> bool {
        let run = self.run;
        let mut spent = run.spend;
        // What is under way is not counted yet, and will be.
        spent.steps = spent.steps.saturating_add(run.under_way.len() as u64 + self.begun);
        let short = run.spec.budget.exhausted(&spent);
        self.short = self.short.or(short);
        self.begun += u64::from(short.is_none());
        short.is_none()
    }

    /// One call that a model wants.
    fn call(&mut self, number: u32, task: &Task, member: &Member, open: &OpenCall) {
        let call = &open.call;
        let arguments = match arguments(call) {
            Ok(arguments) => arguments,
            Err(problem) => return self.events.push(refused(number, call, &problem)),
        };
        if call.name == USE_SKILL {
            let skill = arguments.get("skill").and_then(Value::as_str).and_then(|name| member.skill(name));
            return self.events.push(match skill {
                Some(skill) => Event::CallAnswered {
                    task: number,
                    call: call.id.clone(),
                    text: disclosed(skill),
                    opened: Some(skill.id.clone()),
                    refused: false,
                },
                None => refused(number, call, &format!("no such skill; there are {}", skills(member))),
            });
        }
        if call.name == HANDOFF
            && member.can_delegate
            && let Strategy::Handoff { agents, max_depth, .. } = &self.run.spec.strategy
        {
            return self.hand_over(number, task, call, &arguments, agents, *max_depth);
        }
        match member.tool(&call.name).filter(|(skill, _)| is_open(task, member, skill)) {
            Some((skill, tool)) => self.start(
                number,
                Action::Skill {
                    call: call.id.clone(),
                    skill: skill.id.clone(),
                    digest: skill.digest,
                    tool: tool.name.clone(),
                    arguments,
                    idempotent: tool.idempotent,
                },
            ),
            None => self.events.push(refused(number, call, &unknown(task, member, &call.name))),
        }
    }

    /// A model chooses who works. The first choice that there is counts.
    fn route(&mut self, number: u32, task: &Task) {
        let Strategy::Router { agents, .. } = &self.run.spec.strategy else { return };
        let choice = |open: &OpenCall| {
            let arguments = arguments(&open.call).ok().filter(|_| open.call.name == CHOOSE_AGENT)?;
            let name = arguments.get("agent").and_then(Value::as_str)?;
            agents.iter().find(|agent| *agent == name).cloned()
        };
        if let Some(output) = task.calls.iter().find_map(choice) {
            return self.events.push(ended(number, TaskOutcome::Done { output }));
        }
        let words = format!("call `{CHOOSE_AGENT}` with one of the agents {}", quoted(agents));
        self.events.extend(task.calls.iter().map(|open| refused(number, &open.call, &words)));
    }

    /// A model wants another agent to go on.
    fn hand_over(
        &mut self,
        number: u32,
        task: &Task,
        call: &ToolCall,
        arguments: &Value,
        agents: &[String],
        max_depth: u32,
    ) {
        let run = self.run;
        let others: Vec<String> = agents.iter().filter(|agent| **agent != task.opening.agent).cloned().collect();
        let wanted = arguments.get("to").and_then(Value::as_str);
        let to = wanted.and_then(|name| others.iter().find(|agent| *agent == name));
        let problem = if task.calls.len() > 1 {
            "give the work to somebody when nothing else is asked for".to_owned()
        } else if run.depth(number) >= max_depth {
            format!("the work was given on {max_depth} times, as often as may be: do it yourself")
        } else if to.is_none() {
            format!("`to` must be one of {}", quoted(&others))
        } else {
            String::new()
        };
        let Some(to) = to.filter(|_| problem.is_empty()) else {
            return self.events.push(refused(number, call, &problem));
        };
        let (giver, receiver) = (run.member(number), run.team.members.get(to));
        let asks = giver.zip(receiver).is_none_or(|(giver, receiver)| receiver.reaches_beyond(giver));
        let reason = arguments.get("reason").and_then(Value::as_str).unwrap_or_default();
        let context = json!({
            "from": task.opening.agent,
            "reason": reason,
            "request": run.spec.input,
            "conversation": task.messages,
        });
        self.events.push(Event::HandoffInitiated {
            handoff: u32::try_from(run.handoffs.len()).unwrap_or(u32::MAX),
            task: number,
            call: call.id.clone(),
            to: to.clone(),
            context: format!("{context:#}"),
            asks,
        });
    }

    /// What follows on work that was given to others.
    fn handoffs(&mut self) {
        let run = self.run;
        for (number, handoff) in (0_u32..).zip(&run.handoffs) {
            match handoff.state {
                HandoffState::Offered => self.events.push(Event::HandoffAccepted { handoff: number, by: None }),
                HandoffState::Accepted(None) => {
                    let task = u32::try_from(run.tasks.len()).unwrap_or(u32::MAX);
                    let (agent, input) = (handoff.to.clone(), handoff.context.clone());
                    let opening =
                        Opening { agent, role: Role::Work, input, item: None, node: None, handoff: Some(number) };
                    // The next one has its number when this one is open.
                    return self.events.push(Event::TaskOpened { task, opening });
                }
                HandoffState::Accepted(Some(task)) => {
                    match run.tasks.get(task as usize).and_then(|task| task.outcome.clone()) {
                        Some(outcome @ TaskOutcome::Done { .. }) => {
                            self.events.push(Event::HandoffCompleted { handoff: number });
                            self.events.push(ended(handoff.from, outcome));
                        }
                        Some(TaskOutcome::Failed { code, message }) => {
                            let reason = format!("`{}` failed: {code}: {message}", handoff.to);
                            self.events.push(Event::HandoffRolledBack { handoff: number, reason });
                        }
                        None => {}
                    }
                }
                HandoffState::Asked | HandoffState::Completed | HandoffState::Returned => {}
            }
        }
    }

    /// What the strategy has follow on what its tasks did.
    fn strategy(&mut self) {
        let run = self.run;
        match &run.spec.strategy {
            Strategy::Single { agent } => match run.tasks.first() {
                None => self.open(0, agent, Role::Work, run.spec.input.clone(), None),
                Some(task) => self.finish_with(task),
            },
            Strategy::Router { agents, by } => self.router(agents, by),
            Strategy::Handoff { first, .. } => match run.tasks.first() {
                None => self.open(0, first, Role::Work, run.spec.input.clone(), None),
                Some(task) if task.outcome.is_some() => self.finish_with(task),
                Some(_) => self.handoffs(),
            },
            Strategy::Graph { graph } => self.graph(graph),
            Strategy::Workflow { skill } => match run.tasks.first() {
                None => self.open(0, skill.id.as_str(), Role::Drive, run.spec.input.clone(), None),
                Some(task) => self.finish_with(task),
            },
            Strategy::ParallelMap { agent, items, reduce, on_failure, at_once } => {
                self.map(agent, items, reduce.as_ref(), *on_failure, *at_once);
            }
        }
    }

    fn router(&mut self, agents: &[String], by: &str) {
        let run = self.run;
        match (run.tasks.as_slice(), agents) {
            ([], [only]) => self.open(0, only, Role::Work, run.spec.input.clone(), None),
            ([], _) => self.open(0, by, Role::Route, run.spec.input.clone(), None),
            ([task], _) if task.opening.role == Role::Route => match &task.outcome {
                Some(TaskOutcome::Done { output }) => self.open(1, output, Role::Work, run.spec.input.clone(), None),
                _ => self.finish_with(task),
            },
            ([.., task], _) => self.finish_with(task),
        }
    }

    fn map(&mut self, agent: &str, items: &[String], reduce: Option<&String>, on_failure: OnFailure, at_once: u32) {
        let run = self.run;
        let (branches, rest) = run.tasks.split_at(run.tasks.len().min(items.len()));
        if on_failure == OnFailure::FailFast
            && let Some((item, code, message)) = branches.iter().enumerate().find_map(failed_branch)
        {
            let message = format!("item {item} failed, and with it the others: {code}: {message}");
            return self.events.push(Event::Failed {
                code: "DEPENDENCY_FAILED".to_owned(),
                message,
                partial: run.partial(),
            });
        }
        if branches.len() < items.len() {
            let room = (at_once as usize).saturating_sub(run.open.len());
            for number in (branches.len()..items.len()).take(room) {
                let input = format!("{}\n\n{}", run.spec.input, items[number]);
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                self.open(number, agent, Role::Work, input, Some(number));
            }
            return;
        }
        if !run.open.is_empty() {
            return;
        }
        match (reduce, rest) {
            (None, _) => self.events.push(Event::Completed { output: outputs(branches, items) }),
            (Some(agent), []) => {
                let number = u32::try_from(items.len()).unwrap_or(u32::MAX);
                let input = format!("{}\n\nThe answers for each item:\n{:#}", run.spec.input, outputs(branches, items));
                self.open(number, agent, Role::Reduce, input, None);
            }
            (Some(_), [task, ..]) => self.finish_with(task),
        }
    }

    fn graph(&mut self, graph: &Graph) {
        let run = self.run;
        let nodes = run.by_node();
        let state = |node: usize| node_state(nodes.get(&node).copied());
        let advance = graph.advance(&state);
        if let Some((node, code, message)) = advance.failed.and_then(|node| failed_node(graph, &nodes, node)) {
            let message = format!("the node `{node}` failed: {code}: {message}");
            let code = "DEPENDENCY_FAILED".to_owned();
            return self.events.push(Event::Failed { code, message, partial: run.partial() });
        }
        let output = |id: &str| {
            let place = graph.nodes.iter().position(|node| node.id == id)?;
            nodes.get(&place)?.outcome.as_ref()?.output().map(str::to_owned)
        };
        let room = MAX_NODES_AT_ONCE.saturating_sub(run.open.len());
        for (task, place) in (run.tasks.len()..).zip(advance.open.iter().copied()).take(room) {
            let input = graph.render(place, &run.spec.input, &output);
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let (agent, node) = (graph.nodes[place].agent.clone(), Some(number(place)));
            let opening = Opening { agent, role: Role::Work, input, item: None, node, handoff: None };
            self.events.push(Event::TaskOpened { task: number(task), opening });
        }
        if advance.open.is_empty() && advance.finished && run.open.is_empty() {
            self.events.push(Event::Completed { output: graph.outputs(&state) });
        }
    }

    /// The run ends as the task did.
    fn finish_with(&mut self, task: &Task) {
        match &task.outcome {
            None => {}
            Some(TaskOutcome::Done { output }) => {
                let text = || Value::String(output.clone());
                // What a workflow gives is JSON; it was read before.
                let output = match task.opening.role {
                    Role::Drive => serde_json::from_str(output).unwrap_or_else(|_| text()),
                    _ => text(),
                };
                self.events.push(Event::Completed { output });
            }
            Some(TaskOutcome::Failed { code, message }) => self.events.push(Event::Failed {
                code: code.clone(),
                message: message.clone(),
                partial: self.run.partial(),
            }),
        }
    }

    fn open(&mut self, task: u32, agent: &str, role: Role, input: String, item: Option<u32>) {
        self.events.push(Event::TaskOpened {
            task,
            opening: Opening { agent: agent.to_owned(), role, input, item, node: None, handoff: None },
        });
    }
}

fn node_state(task: Option<&Task>) -> NodeState<'_> {
    match task.map(|task| task.outcome.as_ref()) {
        None => NodeState::Waiting,
        Some(None) => NodeState::Open,
        Some(Some(TaskOutcome::Done { output })) => NodeState::Done(output),
        Some(Some(TaskOutcome::Failed { .. })) => NodeState::Failed,
    }
}

fn failed_node<'g>(
    graph: &'g Graph,
    nodes: &BTreeMap<usize, &'g Task>,
    place: usize,
) -> Option<(&'g str, &'g str, &'g str)> {
    let (_, code, message) = failed_branch((place, *nodes.get(&place)?))?;
    Some((&graph.nodes.get(place)?.id, code, message))
}

/// Whether the agent may use the skill's tools now.
pub(super) fn is_open(task: &Task, member: &Member, skill: &PinnedSkill) -> bool {
    member.disclosure == Disclosure::All || task.opened.contains(&skill.id)
}

/// The arguments of a call. Nothing counts as none: some models leave them out.
fn arguments(call: &ToolCall) -> Result<Value, String> {
    let text = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    match serde_json::from_str(text) {
        Ok(arguments @ Value::Object(_)) => Ok(arguments),
        Ok(_) => Err("the arguments must be a JSON object".to_owned()),
        Err(error) => Err(format!("the arguments are not JSON: {error}")),
    }
}

fn ended(task: u32, outcome: TaskOutcome) -> Event {
    Event::TaskEnded { task, outcome }
}

/// A call that makes no sense, with what its model is told.
fn refused(task: u32, call: &ToolCall, words: &str) -> Event {
    let (call, text) = (call.id.clone(), format!("error: {words}"));
    Event::CallAnswered { task, call, text, opened: None, refused: true }
}

fn unknown(task: &Task, member: &Member, name: &str) -> String {
    let open = member.skills.iter().filter(|skill| is_open(task, member, skill));
    let tools: Vec<String> = open.flat_map(|skill| &skill.tools).map(|tool| tool.alias.clone()).collect();
    match member.tool(name) {
        Some((skill, _)) => format!("call `{USE_SKILL}` with the skill `{}` first", skill.id),
        None if tools.is_empty() => format!("there is no tool `{name}`"),
        None => format!("there is no tool `{name}`; there are {}", quoted(&tools)),
    }
}

fn skills(member: &Member) -> String {
    quoted(&member.skills.iter().map(|skill| skill.id.to_string()).collect::<Vec<_>>())
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What a model is told of a skill that it chose.
fn disclosed(skill: &PinnedSkill) -> String {
    let tools: Vec<Value> =
        skill.tools.iter().map(|tool| json!({ "name": tool.alias, "description": tool.description })).collect();
    let tokens = skill.instructions.len().div_ceil(BYTES_PER_TOKEN);
    json!({ "skill": skill.id, "instructions": skill.instructions, "instruction_tokens": tokens, "tools": tools })
        .to_string()
}

fn failed_branch((item, task): (usize, &Task)) -> Option<(usize, &str, &str)> {
    match task.outcome.as_ref()? {
        TaskOutcome::Done { .. } => None,
        TaskOutcome::Failed { code, message } => Some((item, code, message)),
    }
}

fn outputs(branches: &[Task], items: &[String]) -> Value {
    let told = branches.iter().zip(items).map(|(task, item)| match &task.outcome {
        Some(TaskOutcome::Done { output }) => json!({ "item": item, "output": output }),
        Some(TaskOutcome::Failed { code, message }) => {
            json!({ "item": item, "error": { "code": code, "message": message } })
        }
        None => json!({ "item": item }),
    });
    Value::Array(told.collect())
}

fn used_up(run: &Run, what: &str) -> Event {
    let message = format!("the run's budget of {what} is used up");
    Event::Failed { code: "BUDGET_EXHAUSTED".to_owned(), message, partial: run.partial() }
}

/// The beginning of a text, for an error.
fn start_of(text: &str) -> String {
    const SHOWN: usize = 200;
    text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

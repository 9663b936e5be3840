//! What comes next: events that follow from the state alone.

mod budget;
mod grow;
mod handoff;
mod room;
mod strategy;

use std::time::Duration;

use serde_json::{Value, json};

use super::action::Action;
use super::answer::{self, Misfit};
use super::driven;
use super::escalation::{TryState, escalation};
use super::event::{Event, Role};
use super::names::{ADD_NODES, CHOOSE_AGENT, HANDOFF, USE_SKILL};
use super::state::{Run, Step, StepState};
use super::status::Status;
use super::strategy::Strategy;
use super::task::{OpenCall, Task, TaskOutcome};
use super::team::{Disclosure, Member, PinnedSkill};
use super::{MAX_BAD_ANSWERS, RunId};
use crate::model::ToolCall;
use crate::text::line_of;

pub(super) use self::budget::{short_with, used_up};
use self::room::Full;

/// How long the first retry waits; each further one waits twice as long.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// The code of answers that don't fit the schema of their agent.
const MODEL_UNFIT: &str = "MODEL_UNFIT";

/// Characters that an error shows of an answer.
const MAX_SHOWN: usize = 200;

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
    let mut plan = Plan::of(run);
    // What a failure ends, it ends before a second node fails. So what else was about to fail
    // is open when the run has failed, and one retry tries all of it again.
    let has_failed = run.has_failed_node();
    if has_failed {
        plan.strategies();
    }
    if plan.events.is_empty() {
        plan.tasks();
    }
    if plan.events.is_empty() && !has_failed {
        plan.strategies();
    }
    match plan.short {
        // Nothing new begins; what is under way still comes to its end.
        Some(what) if plan.events.is_empty() && !run.is_moving() => vec![used_up(run, what)],
        None if plan.events.is_empty() => plan.full.map(|full| full.ends(run)).into_iter().collect(),
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

impl Run {
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
    /// Tasks that these events open.
    opened: usize,
    /// Subruns that they begin.
    subruns: usize,
    /// Handoffs that they begin.
    handed: usize,
    /// Bytes of what tasks and subruns are asked that they begin.
    inputs: usize,
    /// What there is no room for, where something should have begun.
    full: Option<Full>,
    /// Whether the last of them ends the run or a subrun.
    over: bool,
}

impl<'r> Plan<'r> {
    fn of(run: &'r Run) -> Self {
        Self {
            run,
            events: Vec::new(),
            starts: 0,
            begun: 0,
            short: None,
            opened: 0,
            subruns: 0,
            handed: 0,
            inputs: 0,
            full: None,
            over: false,
        }
    }
}

impl Plan<'_> {
    /// What follows in each open task, up to the first node that fails.
    fn tasks(&mut self) {
        let run = self.run;
        for number in &run.open {
            self.task(*number);
            let is_failure =
                |event: &Event| matches!(event, Event::TaskEnded { outcome: TaskOutcome::Failed { .. }, .. });
            let is_node = run.tasks.get(*number as usize).is_some_and(|task| task.opening.node.is_some());
            if is_node && self.events.last().is_some_and(is_failure) {
                return;
            }
        }
    }

    fn task(&mut self, number: u32) {
        let run = self.run;
        let (Some(task), Some(member)) = (run.tasks.get(number as usize), run.member(number)) else { return };
        for step in run.waiting.iter().filter(|step| run.steps.get(**step as usize).is_some_and(|it| it.task == number))
        {
            self.again(*step);
        }
        match &task.tries.state {
            TryState::UnderWay => {}
            TryState::Waits | TryState::Asks { .. } => return,
            TryState::Denied { code, message } => {
                let (code, message) = (code.clone(), message.clone());
                return self.events.push(ended(number, TaskOutcome::Failed { code, message }));
            }
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
            return self.fail_task(number, task, member, &code, message);
        }
        if let Some(output) = task.output() {
            return self.conclude(number, task, member, output);
        }
        if let Some(what) = member.limits.budget().exhausted(&task.tries.spend) {
            let message = format!("the agent's budget of {what} for a task is used up");
            return self.fail_task(number, task, member, "BUDGET_EXHAUSTED", message);
        }
        if task.turns >= member.max_steps {
            let message = format!("the agent took {} turns, as many as it may", task.turns);
            return self.fail_task(number, task, member, "MAX_STEPS", message);
        }
        self.start(number, Action::Model {});
    }

    /// The agent failed. The task goes on in another way, or has failed.
    fn fail_task(&mut self, number: u32, task: &Task, member: &Member, code: &str, message: String) {
        let code = code.to_owned();
        self.events.push(match escalation(self.run, task, member, &code) {
            Some(to) => Event::TaskEscalated { task: number, to, code, message },
            None => ended(number, TaskOutcome::Failed { code, message }),
        });
    }

    /// The model asks for nothing more.
    fn conclude(&mut self, number: u32, task: &Task, member: &Member, output: &str) {
        if task.opening.role == Role::Route {
            let message = format!("the model chose no agent, and said: {}", line_of(output, MAX_SHOWN));
            return self.fail_task(number, task, member, "MODEL_NONSENSE", message);
        }
        let fits = answer::wanted(task, member).map_or(Ok(output), |schema| answer::fit(schema, output));
        match fits {
            Ok(output) => self.events.push(ended(number, TaskOutcome::Done { output: output.to_owned() })),
            Err(Misfit::Answer(problem)) if task.bad_answers < MAX_BAD_ANSWERS => {
                self.events.push(Event::AnswerRefused { task: number, text: answer::correction(&problem) });
            }
            Err(Misfit::Answer(problem)) => {
                let message = format!(
                    "the model's answer does not fit its schema: {problem}; it was asked {} times",
                    MAX_BAD_ANSWERS + 1
                );
                self.fail_task(number, task, member, MODEL_UNFIT, message);
            }
            Err(Misfit::Schema(problem)) => {
                let message = format!("the agent's schema for answers can't be used: {problem}");
                self.fail_task(number, task, member, MODEL_UNFIT, message);
            }
        }
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
        if self.run.is_crowded_with(self.begun) {
            return false;
        }
        let short = short_with(self.run, self.run.under_way.len() as u64 + self.begun);
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
            && let Some(Strategy::Handoff { agents, max_depth, .. }) = self.run.strategy_of(number)
        {
            return self.hand_over(number, task, call, &arguments, agents, *max_depth);
        }
        if call.name == ADD_NODES && self.run.planner(number).is_some() {
            return self.grow(number, call, arguments);
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
        let Some(Strategy::Router { agents, .. }) = self.run.strategy_of(number) else { return };
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
}

/// Whether the agent may use the skill's tools now.
pub(super) fn is_open(task: &Task, member: &Member, skill: &PinnedSkill) -> bool {
    member.disclosure == Disclosure::All || task.opened.contains(&skill.id)
}

/// The arguments of a call. Nothing counts as none: some models leave them out.
pub(super) fn arguments(call: &ToolCall) -> Result<Value, String> {
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

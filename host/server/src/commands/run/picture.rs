//! A run as it is shown: what the host tells of it, kept up by the events that come.
//!
//! What happens all the time is added here. Whatever changes more than one step or task
//! is read from the host again, whose rules these are.

use std::collections::BTreeMap;
use std::mem;

use bailiwick_api::ControlClient;
use bailiwick_wire::run::{
    Run, RunAwaiting, RunEvent, RunNews, RunRole, RunSpend, RunStatus, RunStep, RunSteps, RunTask, StepKind, StepState,
    TaskError, TaskStatus,
};

use crate::desk::ask;
use crate::output::Failure;

/// Steps on a page of the route, as many as it gives.
const PAGE: u32 = 200;

/// Bytes of a model's answer that are kept while it is said: more than one line shows.
const SAID: usize = 1024;

/// A run with its steps.
pub(in crate::commands) struct Picture {
    /// The run.
    pub(in crate::commands) run: Run,
    /// Its steps by number. They may be newer than the run.
    pub(in crate::commands) steps: BTreeMap<u32, RunStep>,
    /// What is heard of steps under way.
    pub(super) heard: BTreeMap<u32, String>,
}

impl Picture {
    /// A run without steps.
    pub(in crate::commands) const fn new(run: Run) -> Self {
        Self { run, steps: BTreeMap::new(), heard: BTreeMap::new() }
    }

    /// The run as it stands now.
    pub(in crate::commands) async fn read(client: &ControlClient, id: &str) -> Result<Self, Failure> {
        let path = format!("/v1/agents/runs/{id}");
        let mut picture = Self::new(ask(client, "GET", &path, None).await?);
        let mut cursor = String::new();
        loop {
            let path = format!("{path}/steps?limit={PAGE}{cursor}");
            let page: RunSteps = ask(client, "GET", &path, None).await?;
            picture.steps.extend(page.steps.into_iter().map(|step| (step.number, step)));
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(picture),
            }
        }
    }

    /// Adds an event. Answers whether the run has to be read again, because more changed
    /// than the event says.
    pub(super) fn take(&mut self, event: &RunEvent) -> bool {
        if event.seq <= self.run.checkpoint {
            return false;
        }
        self.run.checkpoint = event.seq;
        self.run.updated_at.clone_from(&event.at);
        match event.kind.as_str() {
            "run.started" => self.started(event),
            "task.assigned" => self.assigned(event),
            "task.ended" => self.task_ended(event),
            "step.started" => self.step_started(event),
            "step.ended" => self.step_ended(event),
            "approval.requested" => self.asked(event),
            "approval.answered" => self.answered(event),
            "run.paused" => self.run.status = RunStatus::Paused,
            "call.answered" | "answer.refused" => {}
            _ => return true,
        }
        false
    }

    /// Adds what is heard of a step.
    pub(super) fn hear(&mut self, name: &str, news: &RunNews) {
        let heard = self.heard.entry(news.step).or_default();
        match name {
            "model.text" => {
                heard.push_str(news.piece.as_deref().unwrap_or_default());
                let surplus = heard.len().saturating_sub(SAID);
                let cut = heard.ceil_char_boundary(surplus);
                heard.drain(..cut);
            }
            "skill.progress" => {
                let done = news.done.unwrap_or_default();
                let of = news.total.map(|total| format!("/{total}")).unwrap_or_default();
                *heard = format!("{done}{of} {}", news.message.as_deref().unwrap_or_default());
            }
            // What was said is void.
            "model.again" => heard.clear(),
            _ => {}
        }
    }

    /// The open questions of the run.
    pub(super) fn questions(&self) -> impl Iterator<Item = &str> {
        self.run.awaiting.iter().map(|it| it.approval.as_str())
    }

    fn started(&mut self, event: &RunEvent) {
        self.run.started_at.get_or_insert_with(|| event.at.clone());
        self.run.status = if self.run.awaiting.is_empty() { RunStatus::Running } else { RunStatus::WaitingApproval };
    }

    fn assigned(&mut self, event: &RunEvent) {
        let Some(number) = event.task.filter(|number| self.run.tasks.iter().all(|task| task.number != *number)) else {
            return;
        };
        self.run.tasks.push(RunTask {
            number,
            agent: event.agent.clone().unwrap_or_default(),
            role: event.role.unwrap_or(RunRole::Work),
            item: event.item,
            node: None,
            subrun: event.subrun,
            status: TaskStatus::Working,
            output: None,
            error: None,
            spend: RunSpend::default(),
            turns: 0,
        });
    }

    fn task(&mut self, number: Option<u32>) -> Option<&mut RunTask> {
        self.run.tasks.iter_mut().find(|task| Some(task.number) == number)
    }

    fn task_ended(&mut self, event: &RunEvent) {
        let Some(task) = self.task(event.task) else { return };
        task.output = event.output.as_ref().map(|output| {
            let text = serde_json::from_str::<String>(output.get());
            text.unwrap_or_else(|_| output.get().to_owned())
        });
        let error = event.error.as_ref();
        task.error = error.map(|it| TaskError { code: it.code.clone(), message: it.message.clone() });
        task.status = if error.is_some() { TaskStatus::Failed } else { TaskStatus::Done };
    }

    fn step_started(&mut self, event: &RunEvent) {
        let Some(number) = event.step else { return };
        let attempt = event.attempt.unwrap_or(1);
        match self.steps.get_mut(&number) {
            // Known already: steps are read after their run.
            Some(step) if step.attempt >= attempt => {}
            Some(step) => {
                step.attempt = attempt;
                step.state = StepState::UnderWay;
            }
            None => drop(self.steps.insert(number, new_step(number, attempt, event))),
        }
        self.heard.remove(&number);
    }

    fn step_ended(&mut self, event: &RunEvent) {
        let Some(number) = event.step else { return };
        self.heard.remove(&number);
        let Some(step) = self.steps.get_mut(&number) else { return };
        let spend = event.spend.clone().unwrap_or_default();
        let task = Some(step.task);
        if step.ended_at.as_ref() != Some(&event.at) {
            add(&mut step.spend, &spend);
            end(step, event);
        }
        add(&mut self.run.spend, &spend);
        if let Some(task) = self.task(task) {
            add(&mut task.spend, &spend);
            task.turns += u64::from(event.answer.is_some());
        }
    }

    fn asked(&mut self, event: &RunEvent) {
        let (Some(step), Some(approval)) = (event.step, event.approval.clone()) else { return };
        if let Some(step) = self.steps.get_mut(&step) {
            step.state = StepState::AwaitingApproval;
            step.approval = Some(approval.clone());
        }
        self.run.awaiting.push(RunAwaiting { step, approval });
        if self.run.status == RunStatus::Running {
            self.run.status = RunStatus::WaitingApproval;
        }
    }

    fn answered(&mut self, event: &RunEvent) {
        let Some(number) = event.step else { return };
        if let Some(step) = self.steps.get_mut(&number) {
            step.state = StepState::Ready;
        }
        self.run.awaiting.retain(|it| it.step != number);
        if self.run.awaiting.is_empty() && self.run.status == RunStatus::WaitingApproval {
            self.run.status = RunStatus::Running;
        }
    }

    /// The run read again. What was heard is kept, for it is told only once.
    pub(super) fn renew(&mut self, read: Self) {
        let heard = mem::take(&mut self.heard);
        *self = Self { heard, ..read };
    }
}

fn new_step(number: u32, attempt: u32, event: &RunEvent) -> RunStep {
    RunStep {
        number,
        task: event.task.unwrap_or_default(),
        kind: event.asks.unwrap_or(StepKind::Model),
        skill: event.skill.clone(),
        digest: event.digest.clone(),
        tool: event.tool.clone(),
        arguments: event.arguments.clone(),
        attempt,
        state: StepState::UnderWay,
        answer: None,
        output: None,
        failure: None,
        error: None,
        spend: RunSpend::default(),
        receipt: None,
        approval: None,
        started_at: event.at.clone(),
        ended_at: None,
    }
}

fn end(step: &mut RunStep, event: &RunEvent) {
    let again = event.error.as_ref().is_some_and(|error| error.retriable);
    step.state = if again { StepState::Backoff } else { StepState::Ended };
    step.answer.clone_from(&event.answer);
    step.output.clone_from(&event.output);
    step.failure.clone_from(&event.failure);
    step.error.clone_from(&event.error);
    step.receipt.clone_from(&event.receipt);
    step.ended_at = Some(event.at.clone());
}

fn add(sum: &mut RunSpend, spend: &RunSpend) {
    sum.steps = sum.steps.saturating_add(spend.steps);
    sum.input_tokens = sum.input_tokens.saturating_add(spend.input_tokens);
    sum.output_tokens = sum.output_tokens.saturating_add(spend.output_tokens);
    sum.usd += spend.usd;
    sum.fuel = sum.fuel.saturating_add(spend.fuel);
    sum.host_calls = sum.host_calls.saturating_add(spend.host_calls);
    sum.busy_ms = sum.busy_ms.saturating_add(spend.busy_ms);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn run() -> Run {
        let run = json!({
            "id": "01", "status": "queued", "strategy": { "kind": "single", "agent": "a" }, "class": "normal",
            "input": "x", "principal": "cli:ada", "trace_id": "4b", "budget": { "steps": 9, "wall": "1 min" },
            "spend": RunSpend::default(), "tasks": [], "awaiting": [], "interrupted": [],
            "queued_at": "2026-11-20T11:00:00.000Z", "updated_at": "2026-11-20T11:00:00.000Z", "checkpoint": 1
        });
        serde_json::from_value(run).expect("a run")
    }

    fn event(seq: u64, kind: &str, members: Value) -> RunEvent {
        let mut event =
            json!({ "run": "01", "seq": seq, "at": format!("2026-11-20T11:00:{seq:02}.000Z"), "kind": kind });
        let Value::Object(members) = members else { panic!("no object: {members}") };
        event.as_object_mut().expect("an object").extend(members);
        serde_json::from_str(&event.to_string()).expect("an event")
    }

    fn call(seq: u64, attempt: u32) -> RunEvent {
        event(seq, "step.started", json!({ "step": 0, "task": 0, "attempt": attempt, "asks": "model" }))
    }

    fn answered(seq: u64) -> RunEvent {
        let spend = RunSpend { steps: 1, input_tokens: 8, ..RunSpend::default() };
        let answer = json!({ "model": "small", "text": "Two.", "calls": [], "finish": "stop" });
        event(seq, "step.ended", json!({ "step": 0, "answer": answer, "spend": spend }))
    }

    #[test]
    fn events_make_the_run_as_it_is_shown() {
        let mut picture = Picture::new(run());
        assert!(!picture.take(&event(2, "run.started", json!({}))));
        assert_eq!(picture.run.status, RunStatus::Running);
        assert!(!picture.take(&event(3, "task.assigned", json!({ "task": 0, "agent": "a", "role": "work" }))));
        assert!(!picture.take(&call(4, 1)));
        assert!(!picture.take(&event(5, "approval.requested", json!({ "step": 0, "approval": "apr_1" }))));
        assert_eq!(picture.run.status, RunStatus::WaitingApproval);
        assert_eq!(picture.questions().collect::<Vec<_>>(), ["apr_1"]);
        assert!(!picture.take(&event(6, "approval.answered", json!({ "step": 0, "approved": true }))));
        assert_eq!((picture.run.status, picture.questions().count()), (RunStatus::Running, 0));
        assert!(!picture.take(&answered(7)));
        assert!(!picture.take(&event(8, "task.ended", json!({ "task": 0, "output": "Two." }))));
        let task = &picture.run.tasks[0];
        assert_eq!((task.status, task.output.as_deref(), task.turns), (TaskStatus::Done, Some("Two."), 1));
        assert_eq!((task.spend.input_tokens, picture.run.spend.input_tokens), (8, 8));
        assert_eq!(picture.steps[&0].state, StepState::Ended);
        // What else it changes, the host knows.
        assert!(picture.take(&event(9, "run.completed", json!({ "output": "Two." }))));
    }

    #[test]
    fn nothing_counts_twice_where_the_run_or_its_steps_are_newer() {
        let mut picture = Picture::new(run());
        picture.take(&event(3, "task.assigned", json!({ "task": 0, "agent": "a", "role": "work" })));
        picture.take(&call(4, 1));
        picture.take(&answered(5));
        let before = picture.run.clone();
        // Behind the run.
        picture.take(&answered(5));
        assert_eq!(picture.run, before);
        // Steps that were read after the run know the event already.
        picture.run.checkpoint = 4;
        picture.take(&answered(5));
        assert_eq!(picture.run.spend.steps, 2);
        assert_eq!(picture.steps[&0].spend.steps, 1);
    }

    #[test]
    fn what_is_heard_is_bounded_and_void_when_an_answer_begins_anew() {
        let mut picture = Picture::new(run());
        let piece = |piece: &str| RunNews { step: 3, piece: Some(piece.to_owned()), ..RunNews::default() };
        for _ in 0..SAID {
            picture.hear("model.text", &piece("é"));
        }
        picture.hear("model.text", &piece("!"));
        assert!(picture.heard[&3].len() <= SAID && picture.heard[&3].ends_with("é!"));
        picture.hear("model.again", &RunNews { step: 3, ..RunNews::default() });
        assert_eq!(picture.heard[&3], "");
        let news = RunNews { step: 3, done: Some(3), message: Some("reading".to_owned()), ..RunNews::default() };
        picture.hear("skill.progress", &RunNews { total: Some(7), ..news });
        assert_eq!(picture.heard[&3], "3/7 reading");
    }
}

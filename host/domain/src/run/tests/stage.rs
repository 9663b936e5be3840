//! A run in the hands of a test.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::digest::Digest;
use crate::model::{ChatAnswer, Finish, Message, ModelCost, ToolCall, Usd};
use crate::run::{
    Action, Budget, Class, Disclosure, Event, FailurePolicy, IllegalEvent, Member, PinnedSkill, PinnedTool, Record,
    Run, RunId, RunSpec, Spend, Status, StepResult, Strategy, TaskLimits, Team, next, prompt,
};

/// What an answer of a model costs.
pub(super) const PRICE: Usd = Usd::from_nanos(5);

pub(super) struct Stage {
    pub(super) run: Run,
    pub(super) log: Vec<Record>,
}

impl Stage {
    /// A run that has a place.
    pub(super) fn new(strategy: Strategy) -> Self {
        Self::within(strategy, budget())
    }

    pub(super) fn within(strategy: Strategy, budget: Budget) -> Self {
        Self::of(strategy, budget, team())
    }

    pub(super) fn of(strategy: Strategy, budget: Budget, team: Team) -> Self {
        let first = Record { at: 1, event: queued(strategy, budget) };
        let run = Run::begin(&first, Arc::new(team)).expect("a run");
        let mut stage = Self { run, log: vec![first] };
        stage.tell(Event::Started {});
        stage.go();
        stage
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.try_tell(event).expect("an event that can follow");
    }

    pub(super) fn try_tell(&mut self, event: Event) -> Result<(), IllegalEvent> {
        let record = Record { at: self.log.len() as u64 + 1, event };
        self.run.apply(&record)?;
        self.log.push(record);
        Ok(())
    }

    /// All that follows by itself.
    pub(super) fn go(&mut self) {
        loop {
            let events = next(&self.run);
            if events.is_empty() {
                return;
            }
            for event in events {
                self.tell(event);
            }
        }
    }

    pub(super) fn say(&mut self, step: u32, text: &str) {
        self.answer(step, text, &[], Finish::Stop);
    }

    /// The model wants these called: id, name, arguments.
    pub(super) fn want(&mut self, step: u32, calls: &[(&str, &str, &str)]) {
        self.answer(step, "", calls, Finish::Stop);
    }

    pub(super) fn answer(&mut self, step: u32, text: &str, calls: &[(&str, &str, &str)], finish: Finish) {
        let call = |(id, name, arguments): &(&str, &str, &str)| ToolCall {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            arguments: (*arguments).to_owned(),
        };
        let calls = calls.iter().map(call).collect();
        let cost = ModelCost { input_tokens: 7, output_tokens: 3, usd: PRICE };
        let answer = ChatAnswer { model: "m".to_owned(), text: text.to_owned(), calls, finish, cost };
        self.end(step, StepResult::Answer { answer });
    }

    /// The model wants one thing called, and nothing follows on that yet.
    pub(super) fn answer_alone(&mut self, step: u32, name: &str, arguments: &Value) {
        let call = ToolCall { id: "g".to_owned(), name: name.to_owned(), arguments: arguments.to_string() };
        let (model, text, cost) = ("m".to_owned(), String::new(), ModelCost::default());
        let answer = ChatAnswer { model, text, calls: vec![call], finish: Finish::Stop, cost };
        let result = StepResult::Answer { answer };
        self.tell(Event::StepEnded { step, result, spend: Spend::default(), receipt: None });
    }

    pub(super) fn output(&mut self, step: u32, json: &Value) {
        self.end(step, StepResult::Output { json: json.to_string(), failed: false });
    }

    pub(super) fn fail(&mut self, step: u32, code: &str, retriable: bool) {
        let (code, message) = (code.to_owned(), "it went wrong".to_owned());
        self.end(step, StepResult::Failed { code, message, retriable });
    }

    /// It failed for good, and nothing follows on that yet.
    pub(super) fn fail_alone(&mut self, step: u32, code: &str) {
        let result =
            StepResult::Failed { code: code.to_owned(), message: "it went wrong".to_owned(), retriable: false };
        self.tell(Event::StepEnded { step, result, spend: Spend::default(), receipt: None });
    }

    fn end(&mut self, step: u32, result: StepResult) {
        let spend = match &result {
            StepResult::Answer { answer } => Spend::of_model(&answer.cost, std::time::Duration::from_millis(5)),
            _ => Spend { steps: 1, fuel: 10, host_calls: 2, ..Spend::default() },
        };
        self.tell(Event::StepEnded { step, result, spend, receipt: None });
        self.go();
    }

    /// The steps that are under way.
    pub(super) fn under_way(&self) -> Vec<u32> {
        self.run.under_way().collect()
    }

    pub(super) fn status(&self) -> Status {
        self.run.status
    }

    /// What the model of a task is told last.
    pub(super) fn told(&self, task: usize) -> Vec<String> {
        let tool = |message: &Message| match message {
            Message::Tool { text, .. } => Some(text.clone()),
            _ => None,
        };
        self.run.tasks[task].messages.iter().filter_map(tool).collect()
    }

    /// The tools that the model of a task may call.
    pub(super) fn tools(&self, task: u32) -> Vec<String> {
        prompt(&self.run, task).expect("a task").tools.into_iter().map(|tool| tool.name).collect()
    }

    pub(super) fn failure(&self) -> (String, String) {
        match &self.log.last().expect("an event").event {
            Event::Failed { code, message, .. } => (code.clone(), message.clone()),
            other => panic!("the run has not failed: {other:?}"),
        }
    }

    pub(super) fn completed(&self) -> Value {
        match &self.log.last().expect("an event").event {
            Event::Completed { output } => output.clone(),
            other => panic!("the run has not completed: {other:?}"),
        }
    }

    /// How often the skill was asked to do `arguments`.
    pub(super) fn calls_of(&self, wanted: &Value) -> usize {
        let is_call = |record: &&Record| {
            let Event::StepStarted { action: Action::Skill { arguments, .. }, .. } = &record.event else {
                return false;
            };
            arguments == wanted
        };
        self.log.iter().filter(is_call).count()
    }
}

pub(super) fn budget() -> Budget {
    Budget { steps: 1000, wall_ms: 60_000, tokens: None, usd: None, fuel: None, host_calls: None }
}

pub(super) fn queued(strategy: Strategy, budget: Budget) -> Event {
    let spec = RunSpec {
        id: RunId::from_bytes(&[7; 16]),
        // A workflow works on a JSON object.
        input: if matches!(strategy, Strategy::Workflow { .. }) { "{}" } else { "Do it." }.to_owned(),
        strategy,
        team: Digest::of(b"team"),
        class: Class::Normal,
        budget,
        principal: "key:test".to_owned(),
        trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        trace_state: None,
        label: None,
    };
    Event::Queued { spec: Box::new(spec) }
}

/// `ada` with the skill `demo/files`, `read` of which may be repeated and `delete` not;
/// `bob` with nothing.
pub(super) fn team() -> Team {
    let member = |description: &str, skills| {
        let mut member = Member {
            description: description.to_owned(),
            instructions: "You do things.".to_owned(),
            models: vec!["m".to_owned()],
            skills,
            disclosure: Disclosure::Progressive,
            can_delegate: true,
            max_steps: 20,
            limits: TaskLimits::default(),
            max_tokens: None,
            temperature_milli: None,
            on_failure: FailurePolicy::default(),
            output_schema: None,
        };
        member.name_tools();
        member
    };
    let tool = |name: &str, idempotent| PinnedTool {
        name: name.to_owned(),
        alias: String::new(),
        description: format!("It can {name}."),
        input_schema: Arc::new(json!({ "type": "object" })),
        idempotent,
    };
    let files = PinnedSkill {
        id: "demo/files".parse().expect("an id"),
        version: semver::Version::new(1, 0, 0),
        digest: Digest::of(b"files"),
        description: "Files.".to_owned(),
        instructions: "Read first.".to_owned(),
        tools: vec![tool("read", true), tool("delete", false)],
    };
    let members = BTreeMap::from([
        ("ada".to_owned(), member("Works with files.", vec![files])),
        ("bob".to_owned(), member("Talks.", Vec::new())),
    ]);
    Team { members }
}

pub(super) fn single(agent: &str) -> Strategy {
    Strategy::Single { agent: agent.to_owned() }
}

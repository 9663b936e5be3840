//! What is said of spans: by the semantic conventions of OpenTelemetry for generative AI
//! (1.41) where these have a name, by our own (`bailiwick.`) where they don't. Never what was
//! asked or said: only how long it is.

use bailiwick_domain::model::Finish;
use bailiwick_domain::run::{Action, Role, Run, RunOutcome, Spend, StepResult, Strategy};
use bailiwick_domain::span::{Attribute, SpanKind};
use serde_json::Value;

/// A span's name and attributes.
pub(super) struct Said {
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) attributes: Vec<(&'static str, Attribute)>,
}

impl Said {
    /// `{operation} {of}`, as the conventions name spans.
    fn new(run: &Run, operation: &'static str, of: &str) -> Self {
        let mut said = Self { name: format!("{operation} {of}"), kind: SpanKind::Internal, attributes: Vec::new() };
        said.text("gen_ai.operation.name", operation);
        said.text("bailiwick.run.id", run.spec.id.as_str());
        said
    }

    pub(super) fn push(&mut self, name: &'static str, attribute: Attribute) {
        self.attributes.push((name, attribute));
    }

    fn text(&mut self, name: &'static str, text: &str) {
        self.push(name, Attribute::Text(text.to_owned()));
    }

    fn number(&mut self, name: &'static str, number: impl Into<u64>) {
        self.push(name, Attribute::Number(number.into()));
    }

    /// How many bytes something has.
    fn size(&mut self, name: &'static str, bytes: usize) {
        self.number(name, u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    fn spend(&mut self, spend: &Spend) {
        if spend.tokens() > 0 {
            self.number("gen_ai.usage.input_tokens", spend.input_tokens);
            self.number("gen_ai.usage.output_tokens", spend.output_tokens);
        }
        let usd = spend.usd.dollars();
        if usd > 0.0 {
            self.push("bailiwick.usage.usd", Attribute::Real(usd));
        }
        for (name, number) in [("bailiwick.usage.fuel", spend.fuel), ("bailiwick.usage.host_calls", spend.host_calls)] {
            if number > 0 {
                self.number(name, number);
            }
        }
    }

    /// What came of a step.
    pub(super) fn add_end(&mut self, result: Option<&StepResult>, spend: Option<&Spend>, receipt: Option<&str>) {
        match result {
            Some(StepResult::Answer { answer }) => {
                self.text("gen_ai.response.model", &answer.model);
                let reason = match answer.finish {
                    Finish::Stop if !answer.calls.is_empty() => "tool_call",
                    Finish::Stop => "stop",
                    Finish::Length => "length",
                    Finish::Refusal => "content_filter",
                };
                self.push("gen_ai.response.finish_reasons", Attribute::Texts(vec![reason.to_owned()]));
                self.size("bailiwick.output.bytes", answer.text.len());
                self.size("bailiwick.calls", answer.calls.len());
            }
            Some(StepResult::Output { json, .. }) => self.size("bailiwick.output.bytes", json.len()),
            Some(StepResult::Failed { .. }) | None => {}
        }
        if let Some(spend) = spend {
            self.spend(spend);
        }
        if let Some(receipt) = receipt {
            self.text("bailiwick.receipt", receipt);
        }
    }
}

/// Of a run that is over, the span of which began at `began`.
pub(super) fn of_run(run: &Run, began: u64) -> Said {
    let strategy = &run.spec.strategy;
    let name = match strategy {
        Strategy::Workflow { skill } => skill.id.as_str(),
        _ => strategy.name(),
    };
    let mut said = Said::new(run, "invoke_workflow", name);
    said.text("gen_ai.workflow.name", name);
    said.text("bailiwick.run.strategy", strategy.name());
    said.text("bailiwick.run.class", run.spec.class.name());
    said.number("bailiwick.run.checkpoint", run.last);
    if let Some(started) = run.started_at {
        said.number("bailiwick.run.queued_ms", started.saturating_sub(began));
    }
    said.size("bailiwick.run.tasks", run.tasks.len());
    said.size("bailiwick.run.steps", run.steps.len());
    said.size("bailiwick.input.bytes", run.spec.input.len());
    if let Some(RunOutcome::Completed { output }) = &run.outcome {
        said.size("bailiwick.output.bytes", bytes(output));
    }
    said.spend(&run.spend);
    said
}

/// Of a task that has ended.
pub(super) fn of_task(run: &Run, number: u32) -> Option<Said> {
    let task = run.tasks.get(number as usize)?;
    let agent = task.opening.agent.as_str();
    let mut said = if task.opening.role == Role::Drive {
        let mut said = Said::new(run, "invoke_workflow", agent);
        said.text("gen_ai.workflow.name", agent);
        said
    } else {
        let mut said = Said::new(run, "invoke_agent", agent);
        said.text("gen_ai.agent.name", agent);
        said
    };
    if let Some(model) = run.member(number).and_then(|member| member.models.first()) {
        said.text("gen_ai.request.model", model);
    }
    said.number("bailiwick.task.number", number);
    said.text("bailiwick.task.role", role(task.opening.role));
    let places = [("bailiwick.task.item", task.opening.item), ("bailiwick.task.node", task.opening.node)];
    for (name, place) in places {
        if let Some(place) = place {
            said.number(name, place);
        }
    }
    said.number("bailiwick.task.turns", task.turns);
    said.size("bailiwick.input.bytes", task.opening.input.len());
    if let Some(output) = task.outcome.as_ref().and_then(|outcome| outcome.output()) {
        said.size("bailiwick.output.bytes", output.len());
    }
    said.spend(&task.spend);
    Some(said)
}

/// Of a subrun that has ended.
pub(super) fn of_subrun(run: &Run, number: u32) -> Option<Said> {
    let subrun = run.subruns.get(number as usize)?;
    let mut said = Said::new(run, "invoke_workflow", "subrun");
    said.number("bailiwick.subrun.number", number);
    said.number("bailiwick.task.node", subrun.node);
    said.size("bailiwick.input.bytes", subrun.input.len());
    if let Some(output) = subrun.outcome.as_ref().and_then(|outcome| outcome.output()) {
        said.size("bailiwick.output.bytes", output.len());
    }
    Some(said)
}

/// Of a step, whatever came of it.
pub(super) fn of_step(run: &Run, number: u32, attempt: u32) -> Option<Said> {
    let step = run.steps.get(number as usize)?;
    let mut said = match &step.action {
        Action::Model {} => {
            let member = run.member(step.task)?;
            let mut said = asked(run, member.models.first().map_or("", String::as_str));
            request(&mut said, member.max_tokens, member.temperature_milli, member.output_schema.as_ref());
            said
        }
        Action::Complete { model, max_tokens, temperature_milli, output_schema, .. } => {
            let mut said = asked(run, model);
            request(&mut said, *max_tokens, *temperature_milli, output_schema.as_ref());
            said
        }
        Action::Skill { skill, digest, tool, arguments, .. } | Action::Drive { skill, digest, tool, arguments } => {
            let mut said = Said::new(run, "execute_tool", tool);
            said.text("gen_ai.tool.name", tool);
            said.text("gen_ai.tool.type", "extension");
            said.text("bailiwick.skill.id", skill.as_str());
            said.text("bailiwick.skill.digest", &digest.to_string());
            said.size("bailiwick.arguments.bytes", bytes(arguments));
            said
        }
        Action::Question { .. } => Said::new(run, "ask", "person"),
    };
    said.number("bailiwick.step.number", number);
    said.number("bailiwick.step.attempt", attempt);
    Some(said)
}

/// Of a request to a model.
fn asked(run: &Run, model: &str) -> Said {
    let mut said = Said::new(run, "chat", model);
    said.kind = SpanKind::Client;
    said.text("gen_ai.request.model", model);
    said
}

/// What is asked for beside the conversation.
fn request(said: &mut Said, max_tokens: Option<u32>, temperature_milli: Option<u32>, schema: Option<&Value>) {
    if let Some(most) = max_tokens {
        said.number("gen_ai.request.max_tokens", most);
    }
    if let Some(milli) = temperature_milli {
        said.push("gen_ai.request.temperature", Attribute::Real(f64::from(milli) / 1000.0));
    }
    if schema.is_some() {
        said.text("gen_ai.output.type", "json");
    }
}

/// What a value has as JSON; a text, as itself.
fn bytes(value: &Value) -> usize {
    value.as_str().map_or_else(|| value.to_string().len(), str::len)
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Work => "work",
        Role::Route => "route",
        Role::Reduce => "reduce",
        Role::Drive => "drive",
    }
}

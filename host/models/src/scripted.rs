//! A model that only says what a script says, for tests and for trying things out. It
//! understands nothing, and claims no more.

mod script;
#[cfg(test)]
mod tests;
mod values;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bailiwick_domain::model::{
    ChatAnswer, ChatRequest, Finish, Listener, Message, Model, ModelCost, ModelFailure, ToolCall, Usd,
};
use bailiwick_domain::sandbox::BoxFuture;

use self::script::{Act, Rule, Say};
use self::values::Values;
use crate::calls;

pub use self::script::{InvalidScript, MAX_RULES, MAX_SCRIPT_BYTES};

/// The name in answers to requests that name no model.
const NAME: &str = "scripted";

/// Bytes that count as a token where the script doesn't say how many there are.
const BYTES_PER_TOKEN: usize = 4;

/// Bytes of a message that the failure shows to which the script has no answer.
const MAX_SHOWN_BYTES: usize = 80;

/// Answers by a script.
pub struct Scripted(Source);

type Function = dyn Fn(&ChatRequest) -> Result<ChatAnswer, ModelFailure> + Send + Sync;

enum Source {
    Rules(Vec<Counted>),
    Function(Box<Function>),
}

/// A rule, and how often it answered.
struct Counted {
    rule: Rule,
    answered: AtomicU64,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Rules(rules) => write!(f, "Scripted by {} rules", rules.len()),
            Source::Function(_) => f.write_str("Scripted by a function"),
        }
    }
}

impl Scripted {
    /// Reads a script: JSON where the name `file` ends in `.json`, and TOML else. The first
    /// rule answers that matches:
    ///
    /// ```toml
    /// [[rule]]
    /// after_tool = "look"       # the last message is an output of this tool
    /// contains = "sunny"        # it contains this; both may be left out
    /// times = 2                 # it answers so often, and then no more
    /// delay = "200 ms"          # it takes so long
    /// tokens = { input = 9, output = 4 }
    /// text = "It is {{result}}. You asked: {{input}}"
    ///
    /// [[rule]]
    /// calls = [{ tool = "look", arguments = { place = "{{input}}" } }]
    ///
    /// [[rule]]
    /// fail = "timeout"          # rate_limited, server, broken_off, nonsense, unauthorized, payment
    /// ```
    ///
    /// `{{input}}` is the user's last message, `{{last_line}}` the last line of that, where
    /// the items of a map stand, and `{{result}}` the last output of a tool.
    pub fn parse(file: &str, text: &str) -> Result<Self, InvalidScript> {
        let rules = script::parse(file, text)?;
        let counted = |rule| Counted { rule, answered: AtomicU64::new(0) };
        Ok(Self(Source::Rules(rules.into_iter().map(counted).collect())))
    }

    /// Answers what `function` gives.
    pub fn from_fn(
        function: impl Fn(&ChatRequest) -> Result<ChatAnswer, ModelFailure> + Send + Sync + 'static,
    ) -> Self {
        Self(Source::Function(Box::new(function)))
    }

    fn answer(&self, request: &ChatRequest) -> (Duration, Result<ChatAnswer, ModelFailure>) {
        match &self.0 {
            Source::Function(function) => (Duration::ZERO, function(request)),
            Source::Rules(rules) => {
                let values = Values::of(&request.messages);
                match rules.iter().find(|counted| counted.takes(&values)) {
                    Some(Counted { rule, .. }) => (rule.delay, by_rule(rule, request, &values)),
                    None => (Duration::ZERO, Err(no_answer(&values))),
                }
            }
        }
    }
}

impl Counted {
    /// Whether the rule answers now, which then counts.
    fn takes(&self, values: &Values<'_>) -> bool {
        let matches = self.rule.after_tool.as_deref().is_none_or(|tool| values.last_tool == Some(tool))
            && self.rule.contains.as_deref().is_none_or(|part| values.last.contains(part));
        let limit = self.rule.times.unwrap_or(u64::MAX);
        let one_more = |answered: u64| (answered < limit).then_some(answered.saturating_add(1));
        matches && self.answered.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }
}

impl Model for Scripted {
    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
        listener: &'a dyn Listener,
    ) -> BoxFuture<'a, Result<ChatAnswer, ModelFailure>> {
        Box::pin(async move {
            let (delay, answer) = self.answer(request);
            if !delay.is_zero() {
                tokio::time::sleep(delay.min(request.deadline)).await;
            }
            if delay > request.deadline {
                return Err(ModelFailure::Timeout);
            }
            let answer = answer?;
            answer.text.split_inclusive(' ').for_each(|word| listener.text(word));
            Ok(answer)
        })
    }
}

fn by_rule(rule: &Rule, request: &ChatRequest, values: &Values<'_>) -> Result<ChatAnswer, ModelFailure> {
    let say = match &rule.act {
        Act::Say(say) => say,
        Act::Fail(fail) => return Err(fail.failure()),
    };
    let (text, calls) = said(say, values, &request.messages)?;
    let spoken = text.len() + calls.iter().map(|call| call.name.len() + call.arguments.len()).sum::<usize>();
    let cost = ModelCost {
        input_tokens: rule.tokens.input.unwrap_or_else(|| tokens(heard(&request.messages))),
        output_tokens: rule.tokens.output.unwrap_or_else(|| tokens(spoken)),
        usd: Usd::ZERO,
    };
    let model = request.models.first().map_or(NAME, String::as_str).to_owned();
    Ok(ChatAnswer { model, text, calls, finish: Finish::Stop, cost })
}

/// The text and the calls with their values.
fn said(say: &Say, values: &Values<'_>, messages: &[Message]) -> Result<(String, Vec<ToolCall>), ModelFailure> {
    let mut room = crate::MAX_ANSWER_BYTES;
    let text = values.fill(&say.text, &mut room)?;
    let call = |call: &script::Call| -> Result<ToolCall, ModelFailure> {
        let arguments = values.fill_json(&call.arguments, &mut room)?.to_string();
        Ok(ToolCall { id: String::new(), name: call.tool.clone(), arguments })
    };
    let mut calls = say.calls.iter().map(call).collect::<Result<Vec<_>, _>>()?;
    calls::name(&mut calls, messages);
    Ok((text, calls))
}

/// Bytes of a conversation.
fn heard(messages: &[Message]) -> usize {
    let bytes = |message: &Message| match message {
        Message::System { text } | Message::User { text } | Message::Tool { text, .. } => text.len(),
        Message::Assistant { text, calls } => {
            text.len() + calls.iter().map(|call| call.name.len() + call.arguments.len()).sum::<usize>()
        }
    };
    messages.iter().map(bytes).sum()
}

fn tokens(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(u64::MAX)
}

fn no_answer(values: &Values<'_>) -> ModelFailure {
    let shown = &values.last[..values.last.floor_char_boundary(MAX_SHOWN_BYTES)];
    let cut = if shown.len() < values.last.len() { "…" } else { "" };
    ModelFailure::Nonsense(format!("the script has no answer to {:?}", format!("{shown}{cut}")))
}

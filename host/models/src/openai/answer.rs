//! An answer, put together of what comes of it.

use bailiwick_domain::model::{ChatAnswer, Finish, Listener, Message, ModelCost, ModelFailure, ToolCall, Usd};
use serde_json::Value;

use super::failure;
use super::wire::{CallPiece, Choice, Chunk, Said, Usage};
use crate::{MAX_ANSWER_BYTES, calls};

/// Calls in one answer: no model makes as many, and each may run a tool.
const MAX_CALLS: usize = 64;

/// What came of an answer until now.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    text: String,
    calls: Vec<Call>,
    /// Bytes of all that is kept.
    bytes: usize,
    finish: Option<Finish>,
    refused: bool,
    usage: Usage,
    begun: bool,
}

/// A call of which some has come.
#[derive(Debug)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

/// What tokens take where the service doesn't say it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prices {
    input_per_million: Usd,
    output_per_million: Usd,
}

impl Prices {
    /// In US dollars for a million tokens; nothing where there is no price.
    pub(super) fn new(input_per_million: Option<f64>, output_per_million: Option<f64>) -> Self {
        let usd = |dollars: Option<f64>| dollars.map_or(Usd::ZERO, Usd::from_dollars);
        Self { input_per_million: usd(input_per_million), output_per_million: usd(output_per_million) }
    }

    /// What so many tokens take, a part of a billionth counted as one.
    fn of(self, input_tokens: u64, output_tokens: u64) -> Usd {
        let part = |tokens: u64, price: Usd| u128::from(tokens).saturating_mul(u128::from(price.nanos()));
        let nanos = part(input_tokens, self.input_per_million)
            .saturating_add(part(output_tokens, self.output_per_million))
            .div_ceil(1_000_000);
        Usd::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl Assembly {
    /// Whether the model said why it ended.
    pub(super) const fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether anything of an answer came.
    pub(super) const fn is_begun(&self) -> bool {
        self.begun
    }

    /// Adds what an event says, or a whole answer.
    pub(super) fn take(&mut self, chunk: Chunk, listener: &dyn Listener) -> Result<(), ModelFailure> {
        if let Some(error) = &chunk.error {
            return Err(failure::of_error(error));
        }
        // Some tell it once at the end, some with every event: the last is right.
        if let Some(usage) = chunk.usage.and_then(|usage| serde_json::from_value(usage).ok()) {
            self.usage = usage;
        }
        let first = |choice: &Choice| choice.index.is_none_or(|index| index == 0);
        chunk.choices.unwrap_or_default().into_iter().filter(first).try_for_each(|choice| self.choice(choice, listener))
    }

    fn choice(&mut self, choice: Choice, listener: &dyn Listener) -> Result<(), ModelFailure> {
        if let Some(error) = &choice.error {
            return Err(failure::of_error(error));
        }
        self.begun = true;
        if let Some(said) = choice.delta.or(choice.message) {
            self.said(said, listener)?;
        }
        self.finish = match choice.finish_reason.as_deref() {
            None | Some("") => self.finish,
            Some("length") => Some(Finish::Length),
            Some("content_filter") => Some(Finish::Refusal),
            Some("error") => return Err(ModelFailure::Server("it ended the answer with an error".to_owned())),
            Some(_) => Some(Finish::Stop),
        };
        Ok(())
    }

    fn said(&mut self, said: Said, listener: &dyn Listener) -> Result<(), ModelFailure> {
        let refusal = said.refusal.filter(|refusal| !refusal.is_empty());
        self.refused |= refusal.is_some();
        for text in said.content.and_then(text_of).into_iter().chain(refusal) {
            self.grow(text.len())?;
            self.text.push_str(&text);
            if !text.is_empty() {
                listener.text(&text);
            }
        }
        said.tool_calls.unwrap_or_default().into_iter().try_for_each(|piece| self.call(piece))
    }

    /// Adds a piece of a call to what came of it.
    fn call(&mut self, piece: CallPiece) -> Result<(), ModelFailure> {
        let (name, arguments) = piece.function.map_or((None, None), |function| (function.name, function.arguments));
        let (id, name) = (piece.id.unwrap_or_default(), name.unwrap_or_default());
        let arguments = match arguments {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text,
            Some(json) => json.to_string(),
        };
        self.grow(id.len() + name.len() + arguments.len())?;
        let place = self.calls.iter().rposition(|call| call.goes_on(piece.index, &id, &name));
        if place.is_none() && self.calls.len() == MAX_CALLS {
            return Err(ModelFailure::Nonsense(format!("it calls more than {MAX_CALLS} tools at once")));
        }
        match place.and_then(|place| self.calls.get_mut(place)) {
            None => self.calls.push(Call { index: piece.index, id, name, arguments }),
            Some(call) => call.add(id, &name, &arguments),
        }
        Ok(())
    }

    fn grow(&mut self, bytes: usize) -> Result<(), ModelFailure> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MAX_ANSWER_BYTES {
            return Err(ModelFailure::Nonsense(format!("the answer has more than {MAX_ANSWER_BYTES} bytes")));
        }
        Ok(())
    }

    /// The answer of `model` to `messages`.
    pub(super) fn complete(
        self,
        model: &str,
        messages: &[Message],
        prices: Prices,
    ) -> Result<ChatAnswer, ModelFailure> {
        if self.calls.iter().any(|call| call.name.is_empty()) {
            return Err(ModelFailure::Nonsense("it calls a tool without a name".to_owned()));
        }
        let call = |call: Call| ToolCall { id: call.id, name: call.name, arguments: call.arguments };
        let mut calls: Vec<ToolCall> = self.calls.into_iter().map(call).collect();
        calls::name(&mut calls, messages);
        let finish = if self.refused { Finish::Refusal } else { self.finish.unwrap_or(Finish::Stop) };
        let cost = cost(self.usage, prices);
        Ok(ChatAnswer { model: model.to_owned(), text: self.text, calls, finish, cost })
    }
}

impl Call {
    /// Whether a piece belongs to this call: by its index; or without one, by its id, and
    /// without that too, because it goes on where the last piece ended.
    fn goes_on(&self, index: Option<u64>, id: &str, name: &str) -> bool {
        let same_id = id.is_empty() || self.id.is_empty() || self.id == id;
        match (self.index, index) {
            // Some give all calls the index 0; a name with another id is then another call.
            (Some(mine), Some(index)) => mine == index && (same_id || name.is_empty()),
            (Some(_) | None, None) => same_id && (name.is_empty() || (self.id == id && !id.is_empty())),
            (None, Some(_)) => false,
        }
    }

    fn add(&mut self, id: String, name: &str, arguments: &str) {
        if self.id.is_empty() {
            self.id = id;
        }
        // Some repeat it with every piece.
        if self.name != name {
            self.name.push_str(name);
        }
        self.arguments.push_str(arguments);
    }
}

/// What was said, of a string or of a list of parts; some put thoughts among them, which
/// are not part of the answer.
fn text_of(content: Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text),
        Value::Array(parts) => {
            let texts = parts.iter().filter(|part| part["type"] == "text");
            Some(texts.filter_map(|part| part["text"].as_str()).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn cost(usage: Usage, prices: Prices) -> ModelCost {
    let input_tokens = usage.prompt_tokens.unwrap_or_default();
    let output_tokens = usage.completion_tokens.unwrap_or_default();
    let usd = usage.cost.map_or_else(|| prices.of(input_tokens, output_tokens), Usd::from_dollars);
    ModelCost { input_tokens, output_tokens, usd }
}

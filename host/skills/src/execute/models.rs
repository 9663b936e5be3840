//! Requests of running skills to the models of the host, asked again where an answer does
//! not fit the schema that was asked for.

use bailiwick_domain::clock::Clock;
use bailiwick_domain::model::{ChatAnswer, ChatRequest, Finish, Message, Model, ModelCost, ModelFailure, Unheard};
use bailiwick_domain::services::{ModelError, ModelRequest, ModelResponse};
use bailiwick_domain::trace::TraceContext;
use serde_json::Value;

use crate::schema::Validator;

/// How often a model is asked for an answer that fits. One that misses the schema twice,
/// although it was told how, mostly goes on to miss it.
const ATTEMPTS: u32 = 3;

/// Asks the models of the host on behalf of one call.
pub struct Asking<'a> {
    /// Who is asked.
    pub model: &'a dyn Model,
    /// The time.
    pub clock: &'a dyn Clock,
    /// With the span of whoever asks: what the model's provider makes of it lies below.
    pub trace: TraceContext,
    /// What others say of the trace: a `tracestate`.
    pub trace_state: Option<String>,
}

/// What came of a request until now. It is there also when the time is over.
#[derive(Default)]
struct SoFar {
    cost: ModelCost,
    /// How the last answer misses the schema.
    misfit: Option<String>,
}

/// Why nobody is asked any more.
enum End {
    /// There was no answer.
    Failed(ModelFailure),
    /// The answer misses the schema, and another one would too, or can't be had.
    Missed(String),
}

impl Asking<'_> {
    /// The answer to a request; where it has a schema, one that fits.
    pub async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, ModelError> {
        let schema = request.output_schema.as_ref().map(Validator::new).transpose();
        let unusable = |error| ModelError::InvalidRequest(format!("the output schema can't be used: {error}"));
        let schema = schema.map_err(unusable)?;
        let mut so_far = SoFar::default();
        // The model has the same time; this is for one that doesn't keep to it.
        let asked = tokio::time::timeout(request.deadline, self.ask(request, schema.as_ref(), &mut so_far)).await;
        match asked.unwrap_or(Err(End::Failed(ModelFailure::Timeout))) {
            Ok(answer) => Ok(ModelResponse::of(answer, so_far.cost)),
            Err(end) => Err(so_far.error(&request.model, end)),
        }
    }

    async fn ask(
        &self,
        request: &ModelRequest,
        schema: Option<&Validator>,
        so_far: &mut SoFar,
    ) -> Result<ChatAnswer, End> {
        let began = self.clock.instant();
        let mut chat = self.chat(request);
        let mut attempt = 1;
        loop {
            let answer = self.model.chat(&chat, &Unheard).await.map_err(End::Failed)?;
            so_far.cost = so_far.cost.plus(&answer.cost);
            let Some(misfit) = schema.and_then(|schema| misfit(schema, &answer.text)) else { return Ok(answer) };
            let correction = correction(&misfit);
            so_far.misfit = Some(misfit);
            let spent = so_far.cost.tokens();
            if let Some(reason) = no_more(attempt, answer.finish, request.tokens.saturating_sub(spent)) {
                return Err(End::Missed(reason));
            }
            chat.messages.push(Message::Assistant { text: answer.text, calls: Vec::new() });
            chat.messages.push(Message::User { text: correction });
            chat.max_tokens = request.answer_tokens(spent);
            let gone = self.clock.instant().saturating_duration_since(began);
            chat.deadline = request.deadline.saturating_sub(gone);
            attempt += 1;
        }
    }

    fn chat(&self, request: &ModelRequest) -> ChatRequest {
        ChatRequest {
            models: vec![request.model.clone()],
            messages: request.messages.iter().cloned().map(Message::from).collect(),
            tools: Vec::new(),
            must_call: false,
            max_tokens: request.answer_tokens(0),
            temperature: request.temperature,
            output_schema: request.output_schema.clone(),
            deadline: request.deadline,
            trace: self.trace,
            trace_state: self.trace_state.clone(),
        }
    }
}

impl SoFar {
    fn error(self, model: &str, end: End) -> ModelError {
        let (misfit, reason) = match (self.misfit, end) {
            (None, End::Failed(failure)) => return unanswered(model, &failure),
            (misfit, End::Failed(failure)) => (misfit, format!("asked again, {}", words(model, &failure))),
            (misfit, End::Missed(reason)) => (misfit, reason),
        };
        let misfit = misfit.unwrap_or_default();
        let message = format!("`{model}` answered what does not fit the output schema: {misfit}; {reason}");
        ModelError::Unfit { message, cost: self.cost }
    }
}

/// The host has no model `name`, and of the others a skill is told only of those that it
/// was granted.
pub(super) fn unknown(name: &str, granted: &[String], model: &dyn Model) -> ModelError {
    let there: Vec<_> = granted.iter().filter(|it| model.knows(it)).map(|it| format!("`{it}`")).collect();
    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    ModelError::NoModel(format!("this host has no model `{name}`; of those that were granted it has {there}"))
}

/// How an answer misses the schema, if it does.
fn misfit(schema: &Validator, text: &str) -> Option<String> {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => schema.check(&value).err().map(|violation| violation.to_string()),
        Err(error) => Some(format!("it is not JSON: {error}")),
    }
}

/// What a model is told whose answer misses the schema.
fn correction(misfit: &str) -> String {
    format!("Your answer does not fit the JSON Schema: {misfit}. Answer again, with JSON that fits and nothing else.")
}

/// Why a model is not asked again whose answer misses the schema, if it isn't.
fn no_more(attempt: u32, finish: Finish, tokens_left: u64) -> Option<String> {
    match finish {
        Finish::Length => Some("it had no tokens for more".to_owned()),
        Finish::Refusal => Some("it refused".to_owned()),
        Finish::Stop if attempt >= ATTEMPTS => Some(format!("it was asked {ATTEMPTS} times")),
        Finish::Stop if tokens_left == 0 => Some("no tokens are left to ask again".to_owned()),
        Finish::Stop => None,
    }
}

/// What a skill is told where a model did not answer. That there was no answer in time and
/// that a provider has too many requests are limits; a provider that is left alone because
/// it fails has failed.
fn unanswered(model: &str, failure: &ModelFailure) -> ModelError {
    let text = words(model, failure);
    match failure {
        ModelFailure::NoModel(_) => ModelError::NoModel(text),
        ModelFailure::InvalidRequest(_) => ModelError::InvalidRequest(text),
        ModelFailure::Timeout | ModelFailure::RateLimited { .. } => ModelError::Limit(text),
        ModelFailure::Unauthorized(_)
        | ModelFailure::Payment(_)
        | ModelFailure::Server(_)
        | ModelFailure::Connection(_)
        | ModelFailure::BrokenOff(_)
        | ModelFailure::Nonsense(_)
        | ModelFailure::CircuitOpen(_) => ModelError::Failed(text),
    }
}

/// A failure in words for a skill. Providers that refuse a key or want to be paid name
/// accounts and parts of keys, which are for whoever runs the host.
fn words(model: &str, failure: &ModelFailure) -> String {
    match failure {
        ModelFailure::Unauthorized(_) | ModelFailure::Payment(_) => {
            tracing::warn!(model, code = failure.code(), %failure, "a provider of models refuses this host");
            format!("`{model}` did not answer: its provider refuses this host, which whoever runs it can change")
        }
        failure => format!("`{model}` did not answer: {failure}"),
    }
}

#[cfg(test)]
mod tests;

//! Requests to models, by `bailiwick:skill/models`.

use std::sync::Arc;

use bailiwick_domain::permit::Terms;
use bailiwick_domain::secret::SecretSet;
use bailiwick_domain::services::{
    ModelError, ModelFinish, ModelMessage, ModelRequest, ModelResponse, ModelRole, Services,
};
use wasmtime::component::{HasData, Linker};

use super::generated::bailiwick::skill::models::{self, Error, Finish, Request, Response, Role};
use super::{Denials, Uses};
use crate::guest::Guest;
use crate::meter::{Counted, Counters};

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    models::add_to_linker::<_, HasModels>(linker, Guest::models_view)
}

struct HasModels;

impl HasData for HasModels {
    type Data<'a> = View<'a>;
}

/// What the interface's functions work on.
pub(crate) struct View<'a> {
    pub(crate) terms: &'a Terms,
    pub(crate) services: &'a Arc<dyn Services>,
    pub(crate) secrets: &'a SecretSet,
    pub(crate) denials: &'a Denials,
    pub(crate) uses: &'a Uses,
    pub(crate) counters: &'a Counters,
}

impl models::Host for View<'_> {
    async fn complete(&mut self, request: Request) -> wasmtime::Result<Result<Response, Error>> {
        let request = match self.prepare(request) {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        self.uses.record("model", &request.model);
        let answer = self.services.complete(request).await;
        Ok(answer.map(|response| self.response(response)).map_err(Error::from))
    }
}

impl View<'_> {
    /// Everything that can be said of a request before any model is asked.
    fn prepare(&self, request: Request) -> Result<ModelRequest, Error> {
        let name = || request.model.clone().unwrap_or_else(|| "(the first)".to_owned());
        for counted in [Counted::HostCalls, Counted::ModelCalls] {
            self.counters.take(counted, 1).map_err(|reached| {
                self.denials.record("model", name(), reached.to_string());
                Error::Limit(reached.to_string())
            })?;
        }
        let granted = &self.terms.models;
        let model =
            request.model.as_ref().map_or_else(|| granted.first(), |name| granted.iter().find(|it| *it == name));
        let Some(model) = model.cloned() else {
            let reason = "no granted model is this one";
            self.denials.record("model", name(), reason);
            return Err(Error::Denied(format!("`{}`: {reason}", name())));
        };
        if request.messages.is_empty() {
            return Err(Error::InvalidRequest("no messages: expected one at least".to_owned()));
        }
        if request.temperature.is_some_and(|it| !it.is_finite() || it < 0.0) {
            return Err(Error::InvalidRequest("the temperature is no number from 0 upward".to_owned()));
        }
        let schema = |text: String| {
            serde_json::from_str(&self.clean(text))
                .map_err(|error| Error::InvalidRequest(format!("the output schema is not JSON: {error}")))
        };
        Ok(ModelRequest {
            model,
            messages: request.messages.into_iter().map(|message| self.message(message)).collect(),
            max_tokens: request.max_tokens,
            temperature: request.temperature,
            output_schema: request.output_schema.map(schema).transpose()?,
        })
    }

    fn message(&self, message: models::Message) -> ModelMessage {
        let role = match message.role {
            Role::System => ModelRole::System,
            Role::User => ModelRole::User,
            Role::Assistant => ModelRole::Assistant,
        };
        ModelMessage { role, content: self.clean(message.content) }
    }

    fn response(&self, response: ModelResponse) -> Response {
        let finish = match response.finish {
            ModelFinish::Stop => Finish::Stop,
            ModelFinish::Length => Finish::Length,
            ModelFinish::Refusal => Finish::Refusal,
        };
        let ModelResponse { model, text, input_tokens, output_tokens, .. } = response;
        Response { model, text: self.clean(text), finish, input_tokens, output_tokens }
    }

    fn clean(&self, mut text: String) -> String {
        self.secrets.redactor().clean(&mut text);
        text
    }
}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::NoModel(text) => Self::NoModel(text),
            ModelError::InvalidRequest(text) => Self::InvalidRequest(text),
            ModelError::Limit(text) => Self::Limit(text),
            ModelError::Failed(text) => Self::Failed(text),
        }
    }
}

//! Requests to models, by `bailiwick:skill/models`.
//!
//! How many tokens a request takes is known when it is answered. So a request is let out
//! while some are left, with no more for its answer than that, and what it took is counted
//! whole: one answer may pass the limit, and the next request is refused.

use std::sync::Arc;
use std::time::Instant;

use bailiwick_domain::clock::Clock;
use bailiwick_domain::model::ModelCost;
use bailiwick_domain::permit::Terms;
use bailiwick_domain::secret::SecretSet;
use bailiwick_domain::services::{
    ModelError, ModelFinish, ModelMessage, ModelRequest, ModelResponse, ModelRole, Services,
};
use wasmtime::component::{HasData, Linker};

use super::generated::bailiwick::skill::models::{self, Error, Finish, Request, Response, Role};
use super::{Denials, Uses};
use crate::guest::Guest;
use crate::meter::{Counted, Counters, LimitReached};

/// One part in this many of its time a guest keeps for itself: it hears that no answer
/// came, and can still say so.
const RESERVE: u32 = 16;

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
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) deadline: Instant,
}

impl models::Host for View<'_> {
    async fn complete(&mut self, request: Request) -> wasmtime::Result<Result<Response, Error>> {
        let request = match self.prepare(request) {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        self.uses.record("model", &request.model);
        let answer = self.services.complete(request).await;
        self.count(&answer.as_ref().map_or_else(ModelError::cost, ModelResponse::cost));
        Ok(answer.map(|response| self.response(response)).map_err(|error| self.error(error)))
    }
}

impl View<'_> {
    /// Everything that can be said of a request before any model is asked.
    fn prepare(&self, request: Request) -> Result<ModelRequest, Error> {
        let name = || request.model.clone().unwrap_or_else(|| "(the first)".to_owned());
        let limited = |reached: LimitReached| {
            self.denials.record("model", name(), reached.to_string());
            Error::Limit(reached.to_string())
        };
        for counted in [Counted::HostCalls, Counted::ModelCalls] {
            self.counters.take(counted, 1).map_err(limited)?;
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
        let tokens = self.counters.some_left(Counted::ModelTokens).map_err(limited)?;
        let left = self.deadline.saturating_duration_since(self.clock.instant());
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
            tokens,
            deadline: left.saturating_sub(left / RESERVE),
        })
    }

    fn count(&self, cost: &ModelCost) {
        self.counters.add(Counted::ModelTokens, cost.tokens());
        self.counters.pay(cost);
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

    fn error(&self, error: ModelError) -> Error {
        match error {
            ModelError::NoModel(text) => Error::NoModel(self.clean(text)),
            ModelError::InvalidRequest(text) => Error::InvalidRequest(self.clean(text)),
            ModelError::Limit(text) => Error::Limit(self.clean(text)),
            ModelError::Failed(text) => Error::Failed(self.clean(text)),
            ModelError::Unfit { message, .. } => Error::Failed(self.clean(message)),
        }
    }

    fn clean(&self, mut text: String) -> String {
        self.secrets.redactor().clean(&mut text);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::{Duration, SystemTime};

    use bailiwick_domain::digest::Digest;
    use bailiwick_domain::limits::{Limits, LimitsPolicy};
    use bailiwick_domain::model::Usd;
    use bailiwick_domain::permit::HttpAuthority;
    use bailiwick_domain::sandbox::BoxFuture;
    use bailiwick_domain::services::{Question, QuestionError, Report, SkillAnswer, SkillCall, Verdict};

    use super::models::Host as _;
    use super::*;

    /// What every answer takes.
    const COST: ModelCost = ModelCost { input_tokens: 60, output_tokens: 50, usd: Usd::from_nanos(7) };

    /// Answers requests, and keeps them.
    #[derive(Default)]
    struct Answers {
        fit: bool,
        asked: Mutex<Vec<ModelRequest>>,
    }

    impl Services for Answers {
        fn call_skill(&self, _: SkillCall) -> BoxFuture<'_, SkillAnswer> {
            Box::pin(std::future::pending())
        }

        fn complete(&self, request: ModelRequest) -> BoxFuture<'_, Result<ModelResponse, ModelError>> {
            let model = request.model.clone();
            self.asked.lock().expect("no panic under the lock").push(request);
            let ModelCost { input_tokens, output_tokens, usd } = COST;
            let (text, finish) = ("yes".to_owned(), ModelFinish::Stop);
            let response = ModelResponse { model, text, finish, input_tokens, output_tokens, usd };
            let unfit = ModelError::Unfit { message: "none fits".to_owned(), cost: COST };
            Box::pin(std::future::ready(if self.fit { Ok(response) } else { Err(unfit) }))
        }

        fn ask(&self, _: Question, _: Duration) -> BoxFuture<'_, Result<Verdict, QuestionError>> {
            Box::pin(std::future::pending())
        }

        fn report(&self, _: Report) {}
    }

    struct Still(Instant);

    impl Clock for Still {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }

        fn instant(&self) -> Instant {
            self.0
        }
    }

    /// What a call has around it.
    struct Call {
        terms: Terms,
        answers: Arc<Answers>,
        services: Arc<dyn Services>,
        secrets: SecretSet,
        denials: Denials,
        uses: Uses,
        counters: Counters,
        clock: Arc<dyn Clock>,
        deadline: Instant,
    }

    impl Call {
        /// One that was granted the models `small` and `large`.
        fn of(fit: bool, change: impl FnOnce(&mut Limits)) -> Self {
            let mut limits = LimitsPolicy::default().default;
            change(&mut limits);
            let (counters, answers) = (Counters::new(&limits), Arc::new(Answers { fit, ..Answers::default() }));
            let terms = Terms {
                skill: "tests/guest".parse().expect("an id"),
                digest: Digest::of(b"guest"),
                fs: vec![],
                http: HttpAuthority::default(),
                secrets: [].into(),
                workspace: None,
                state: None,
                config: [].into(),
                shell: vec![],
                skills: vec![],
                models: vec!["small".to_owned(), "large".to_owned()],
                limits,
            };
            let now = Instant::now();
            Self {
                terms,
                services: Arc::clone(&answers) as Arc<dyn Services>,
                answers,
                secrets: SecretSet::default(),
                denials: Denials::default(),
                uses: Uses::new(None),
                counters,
                clock: Arc::new(Still(now)),
                deadline: now + Duration::from_secs(16),
            }
        }

        async fn ask(&self, model: Option<&str>, max_tokens: Option<u32>) -> Result<Response, Error> {
            let message = models::Message { role: Role::User, content: "well?".to_owned() };
            let request = Request {
                model: model.map(str::to_owned),
                messages: vec![message],
                max_tokens,
                temperature: None,
                output_schema: None,
            };
            let Self { terms, services, secrets, denials, uses, counters, clock, deadline, .. } = self;
            let mut view = View { terms, services, secrets, denials, uses, counters, clock, deadline: *deadline };
            view.complete(request).await.expect("no trap")
        }

        fn asked(&self) -> Vec<ModelRequest> {
            self.answers.asked.lock().expect("no panic under the lock").clone()
        }
    }

    #[tokio::test]
    async fn tokens_are_counted_when_they_are_known_and_end_the_requests() {
        for fit in [true, false] {
            let call = Call::of(fit, |limits| limits.model_tokens = 150);
            assert_eq!(call.ask(None, None).await.is_ok(), fit);
            assert_eq!(call.ask(None, Some(20)).await.is_ok(), fit);
            let Err(Error::Limit(reason)) = call.ask(None, None).await else { panic!("the limit is passed") };
            assert_eq!(reason, "the call's limit `model_tokens` of 150 is reached");
            let denials = call.denials.take();
            assert_eq!(
                (denials.len(), denials[0].capability, denials[0].reason.as_str()),
                (1, "model", reason.as_str())
            );
            let asked = call.asked();
            assert_eq!(asked.iter().map(|it| it.tokens).collect::<Vec<_>>(), [150, 40]);
            assert_eq!(asked.iter().map(|it| it.answer_tokens(0)).collect::<Vec<_>>(), [Some(150), Some(20)]);
            assert_eq!(call.counters.paid(), COST.plus(&COST), "also where no answer fits");
        }
    }

    #[tokio::test]
    async fn a_request_leaves_the_guest_time_to_say_that_no_answer_came() {
        let call = Call::of(true, |_| ());
        call.ask(Some("large"), None).await.expect("an answer");
        let asked = call.asked();
        assert_eq!((asked[0].model.as_str(), asked[0].deadline), ("large", Duration::from_secs(15)));
    }

    #[tokio::test]
    async fn nobody_is_asked_for_a_model_that_was_not_granted() {
        let call = Call::of(true, |_| ());
        let denied = call.ask(Some("other"), None).await;
        assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
        assert_eq!((call.asked(), call.counters.paid()), (Vec::new(), ModelCost::NOTHING));
    }
}

//! What skills are answered by models that fit, don't fit, fail and never answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::model::{Listener, Usd};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::services::{ModelFinish, ModelMessage, ModelRole};
use serde_json::json;

use super::*;

/// What every answer takes.
const COST: ModelCost = ModelCost { input_tokens: 10, output_tokens: 2, usd: Usd::from_nanos(5) };

/// A model that gives these answers, and then none for ever.
struct Answers {
    left: Mutex<VecDeque<Result<(Finish, &'static str), ModelFailure>>>,
    asked: Mutex<Vec<ChatRequest>>,
}

impl Answers {
    fn of<const N: usize>(answers: [Result<(Finish, &'static str), ModelFailure>; N]) -> Arc<Self> {
        Arc::new(Self { left: Mutex::new(answers.into()), asked: Mutex::default() })
    }

    /// That say this and are done.
    fn say<const N: usize>(texts: [&'static str; N]) -> Arc<Self> {
        Self::of(texts.map(|text| Ok((Finish::Stop, text))))
    }

    fn asked(&self) -> Vec<ChatRequest> {
        self.asked.lock().expect("no panic under the lock").clone()
    }
}

impl Model for Answers {
    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
        _: &'a dyn Listener,
    ) -> BoxFuture<'a, Result<ChatAnswer, ModelFailure>> {
        self.asked.lock().expect("no panic under the lock").push(request.clone());
        let Some(answer) = self.left.lock().expect("no panic under the lock").pop_front() else {
            return Box::pin(std::future::pending());
        };
        let model = request.models.concat();
        let answer = answer.map(|(finish, text)| ChatAnswer {
            model,
            text: text.to_owned(),
            calls: Vec::new(),
            finish,
            cost: COST,
        });
        Box::pin(std::future::ready(answer))
    }

    fn knows(&self, name: &str) -> bool {
        name == "small"
    }
}

/// A clock that is three seconds on whenever it is asked.
struct Hasty {
    start: Instant,
    asked: Mutex<u32>,
}

impl Clock for Hasty {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn instant(&self) -> Instant {
        let mut asked = self.asked.lock().expect("no panic under the lock");
        *asked += 1;
        self.start + Duration::from_secs(3) * *asked
    }
}

fn request(output_schema: Option<Value>) -> ModelRequest {
    let message = |role, content: &str| ModelMessage { role, content: content.to_owned() };
    ModelRequest {
        model: "small".to_owned(),
        messages: vec![
            message(ModelRole::System, "Count."),
            message(ModelRole::Assistant, "What?"),
            message(ModelRole::User, "Apples."),
        ],
        max_tokens: Some(30),
        temperature: Some(0.5),
        output_schema,
        tokens: 50,
        deadline: Duration::from_secs(10),
    }
}

fn trace() -> TraceContext {
    TraceContext { trace_id: [1; 16], span_id: [2; 8], sampled: true }
}

async fn complete(answers: &Answers, request: &ModelRequest) -> Result<ModelResponse, ModelError> {
    let clock = Hasty { start: Instant::now(), asked: Mutex::default() };
    let trace_state = Some("vendor=1".to_owned());
    Asking { model: answers, clock: &clock, trace: trace(), trace_state }.complete(request).await
}

fn number() -> Value {
    json!({ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"] })
}

#[track_caller]
fn unfit(answer: Result<ModelResponse, ModelError>) -> (String, ModelCost) {
    match answer {
        Err(ModelError::Unfit { message, cost }) => (message, cost),
        other => panic!("expected an answer that does not fit: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_handed_over_as_it_is() {
    let answers = Answers::say(["seven"]);
    let response = complete(&answers, &request(None)).await.expect("an answer");
    let (model, text) = ("small".to_owned(), "seven".to_owned());
    let expected =
        ModelResponse { model, text, finish: ModelFinish::Stop, input_tokens: 10, output_tokens: 2, usd: COST.usd };
    assert_eq!(response, expected);
    let asked = answers.asked().remove(0);
    let text = |text: &str| text.to_owned();
    let messages = [
        Message::System { text: text("Count.") },
        Message::Assistant { text: text("What?"), calls: Vec::new() },
        Message::User { text: text("Apples.") },
    ];
    assert_eq!((asked.models.as_slice(), asked.messages.as_slice()), ([text("small")].as_slice(), messages.as_slice()));
    assert_eq!((asked.max_tokens, asked.temperature, asked.must_call), (Some(30), Some(0.5), false));
    assert_eq!((asked.deadline, asked.tools.len()), (Duration::from_secs(10), 0));
    assert_eq!((asked.trace, asked.trace_state.as_deref()), (trace(), Some("vendor=1")));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_fit_is_asked_for_again_with_what_is_wrong() {
    let answers = Answers::say(["seven", r#"{"n": "seven"}"#, r#"{"n": 7}"#]);
    let response = complete(&answers, &request(Some(number()))).await.expect("the third fits");
    assert_eq!((response.text.as_str(), response.cost()), (r#"{"n": 7}"#, COST.plus(&COST).plus(&COST)));
    let asked = answers.asked();
    let said = |number: usize| match asked[number].messages.last() {
        Some(Message::User { text }) => text.clone(),
        other => panic!("the user speaks last: {other:?}"),
    };
    assert!(said(1).contains("it is not JSON: expected value"), "{}", said(1));
    assert!(said(2).contains("/n: ") && said(2).contains("\"seven\""), "{}", said(2));
    assert_eq!(asked.iter().map(|it| it.messages.len()).collect::<Vec<_>>(), [3, 5, 7], "all that was said");
    assert_eq!(asked[2].messages[3], Message::Assistant { text: "seven".to_owned(), calls: Vec::new() });
    assert_eq!(asked.iter().map(|it| it.max_tokens).collect::<Vec<_>>(), [Some(30), Some(30), Some(26)]);
    assert_eq!(asked.iter().map(|it| it.deadline.as_secs()).collect::<Vec<_>>(), [10, 7, 4]);
    assert!(asked.iter().all(|it| it.output_schema == Some(number())));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_for_ever() {
    let answers = Answers::say(["1", "2", "3", r#"{"n": 4}"#]);
    let (message, cost) = unfit(complete(&answers, &request(Some(number()))).await);
    assert!(message.starts_with("`small` answered what does not fit the output schema: (root): "), "{message}");
    assert!(message.ends_with("; it was asked 3 times"), "{message}");
    assert_eq!((answers.asked().len(), cost), (3, COST.plus(&COST).plus(&COST)));
}

#[tokio::test(start_paused = true)]
async fn what_would_miss_again_is_not_asked_again() {
    for (finish, reason) in [(Finish::Length, "it had no tokens for more"), (Finish::Refusal, "it refused")] {
        let answers = Answers::of([Ok((finish, r#"{"n": "#)), Ok((Finish::Stop, r#"{"n": 1}"#))]);
        let (message, cost) = unfit(complete(&answers, &request(Some(number()))).await);
        assert!(message.ends_with(reason), "{message}");
        assert_eq!((answers.asked().len(), cost), (1, COST));
        // What fits is an answer, however it ended.
        let answers = Answers::of([Ok((finish, r#"{"n": 1}"#))]);
        assert!(complete(&answers, &request(Some(number()))).await.is_ok());
    }
    let answers = Answers::say(["1", "2", r#"{"n": 3}"#]);
    let poor = ModelRequest { tokens: 24, ..request(Some(number())) };
    let (message, cost) = unfit(complete(&answers, &poor).await);
    assert!(message.ends_with("no tokens are left to ask again"), "{message}");
    assert_eq!((answers.asked().len(), cost), (2, COST.plus(&COST)));
}

#[tokio::test(start_paused = true)]
async fn what_was_paid_is_told_also_where_the_next_attempt_fails() {
    let server = || Err(ModelFailure::Server("down".to_owned()));
    for (answers, reason) in [
        (Answers::of([Ok((Finish::Stop, "1")), server()]), "the provider failed: down"),
        (Answers::say(["1"]), "the provider did not answer in time"),
    ] {
        let (message, cost) = unfit(complete(&answers, &request(Some(number()))).await);
        assert!(message.ends_with(&format!("; asked again, `small` did not answer: {reason}")), "{message}");
        assert_eq!((answers.asked().len(), cost), (2, COST));
    }
}

#[tokio::test(start_paused = true)]
async fn a_schema_that_is_none_is_said_before_anybody_is_asked() {
    let answers = Answers::say(["1"]);
    let answer = complete(&answers, &request(Some(json!({ "type": "nothing" })))).await;
    assert!(
        matches!(&answer, Err(ModelError::InvalidRequest(why)) if why.contains("schema can't be used")),
        "{answer:?}"
    );
    assert_eq!(answers.asked().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn each_failure_is_told_as_what_it_is_and_no_key_is() {
    let text = || "secret words".to_owned();
    let limited = ModelFailure::RateLimited { message: text(), retry_after: None };
    let case = |error: &ModelError| match error {
        ModelError::NoModel(_) => "no-model",
        ModelError::InvalidRequest(_) => "invalid-request",
        ModelError::Limit(_) => "limit",
        ModelError::Failed(_) => "failed",
        ModelError::Unfit { .. } => "unfit",
    };
    for (failure, expected, is_told) in [
        (ModelFailure::NoModel(text()), "no-model", true),
        (ModelFailure::InvalidRequest(text()), "invalid-request", true),
        (ModelFailure::Timeout, "limit", false),
        (limited, "limit", true),
        (ModelFailure::CircuitOpen(Duration::from_secs(9)), "failed", false),
        (ModelFailure::Server(text()), "failed", true),
        (ModelFailure::Connection(text()), "failed", true),
        (ModelFailure::BrokenOff(text()), "failed", true),
        (ModelFailure::Nonsense(text()), "failed", true),
        (ModelFailure::Unauthorized(text()), "failed", false),
        (ModelFailure::Payment(text()), "failed", false),
    ] {
        let answers = Answers::of([Err(failure.clone())]);
        let error = complete(&answers, &request(None)).await.expect_err("no answer");
        assert_eq!(case(&error), expected, "{failure}");
        assert_eq!(error.to_string().contains("secret words"), is_told, "{error}");
        assert!(error.to_string().starts_with("`small` did not answer: "), "{error}");
        assert_eq!(error.cost(), ModelCost::NOTHING);
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_never_answers_is_waited_for_no_longer_than_there_is_time() {
    let answers = Answers::say([]);
    let began = tokio::time::Instant::now();
    let answer = complete(&answers, &request(None)).await;
    assert!(matches!(answer, Err(ModelError::Limit(_))), "{answer:?}");
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[test]
fn only_models_that_were_granted_are_named() {
    let answers = Answers::say([]);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let said = |granted: &[&str]| unknown("other", &names(granted), &*answers).to_string();
    assert_eq!(said(&["other", "small"]), "this host has no model `other`; of those that were granted it has `small`");
    assert_eq!(said(&["other"]), "this host has no model `other`; of those that were granted it has none");
}

//! The order of attempts, what they wait for, and what comes of them, in a time of its own.

mod quota;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bailiwick_domain::breaker::{CircuitState, FAILURES, OPEN_FOR};
use bailiwick_domain::model::{
    ChatAnswer, ChatRequest, Finish, Listener, Message, Model, ModelCost, ModelFailure, Unheard,
};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::trace::TraceContext;
use tokio::time::{Instant, advance};

use super::{ATTEMPTS, Route, Router};
use crate::scripted::Scripted;

/// A model that gives these results, the last of them for ever, and counts.
struct Fake {
    results: Vec<Result<(), ModelFailure>>,
    asked: Arc<AtomicUsize>,
}

/// A model that never answers.
struct Silent;

impl Model for Silent {
    fn chat<'a>(&'a self, _: &'a ChatRequest, _: &'a dyn Listener) -> BoxFuture<'a, Result<ChatAnswer, ModelFailure>> {
        Box::pin(std::future::pending())
    }
}

fn silent(provider: &str) -> Route {
    Route { provider: provider.to_owned(), model: Arc::new(Silent) }
}

fn fake(results: Vec<Result<(), ModelFailure>>) -> Fake {
    Fake { results, asked: Arc::default() }
}

impl Fake {
    fn route(&self, provider: &str) -> Route {
        let (results, asked) = (self.results.clone(), Arc::clone(&self.asked));
        let model = Scripted::from_fn(move |_| {
            let number = asked.fetch_add(1, Ordering::Relaxed);
            results[number.min(results.len() - 1)].clone().map(|()| answer())
        });
        Route { provider: provider.to_owned(), model: Arc::new(model) }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn answer() -> ChatAnswer {
    ChatAnswer {
        model: "by its own name".to_owned(),
        text: "yes".to_owned(),
        calls: Vec::new(),
        finish: Finish::Stop,
        cost: ModelCost::default(),
    }
}

fn server() -> ModelFailure {
    ModelFailure::Server("down".to_owned())
}

fn payment() -> ModelFailure {
    ModelFailure::Payment("first pay".to_owned())
}

fn limited(seconds: u64) -> ModelFailure {
    let retry_after = Some(Duration::from_secs(seconds));
    ModelFailure::RateLimited { message: "slow".to_owned(), retry_after }
}

fn router<const N: usize>(routes: [(&str, Route); N]) -> Router {
    Router::new(routes.map(|(name, route)| (name.to_owned(), route)).into(), 1)
}

fn request(models: &[&str]) -> ChatRequest {
    ChatRequest {
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        messages: vec![Message::User { text: "well?".to_owned() }],
        tools: Vec::new(),
        must_call: false,
        max_tokens: None,
        temperature: None,
        output_schema: None,
        deadline: Duration::from_mins(1),
        trace: TraceContext { trace_id: [1; 16], span_id: [2; 8], sampled: true },
        trace_state: None,
    }
}

async fn ask(router: &Router, models: &[&str]) -> Result<String, ModelFailure> {
    router.chat(&request(models), &Unheard).await.map(|answer| answer.model)
}

#[derive(Default)]
struct Heard(Mutex<Vec<(&'static str, String, Duration)>>);

impl Listener for Heard {
    fn text(&self, _: &str) {}

    fn again(&self, failure: &ModelFailure, model: &str, wait: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((failure.code(), model.to_owned(), wait));
    }
}

fn millis(from: u64, to: u64) -> std::ops::RangeInclusive<Duration> {
    Duration::from_millis(from)..=Duration::from_millis(to)
}

#[tokio::test(start_paused = true)]
async fn the_first_that_can_answer_does_under_the_name_it_was_asked_by() {
    let (one, two) = (fake(vec![Ok(())]), fake(vec![Ok(())]));
    let router = router([("b", one.route("p")), ("a", two.route("q"))]);
    assert_eq!(ask(&router, &["b", "a"]).await, Ok("b".to_owned()));
    assert_eq!((one.asked(), two.asked()), (1, 0));
    assert_eq!(router.names().collect::<Vec<_>>(), ["a", "b"]);
    assert!(router.knows("a") && !router.knows("c"));
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_three_times_with_waits_between() {
    let (flaky, began) = (fake(vec![Err(server()), Err(ModelFailure::Timeout), Ok(())]), Instant::now());
    let router = router([("a", flaky.route("p"))]);
    let heard = Heard::default();
    let answer = router.chat(&request(&["a"]), &heard).await.expect("the third succeeds");
    assert_eq!((answer.model.as_str(), answer.text.as_str()), ("a", "yes"));
    assert!(millis(5_000, 7_500).contains(&began.elapsed()), "{:?}", began.elapsed());
    let heard = heard.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    let [first, second] = heard.as_slice() else { panic!("two more attempts: {heard:?}") };
    assert_eq!((first.0, first.1.as_str(), second.0), ("MODEL_FAILED", "a", "TIMEOUT"));
    assert!(millis(2_000, 2_500).contains(&first.2) && millis(3_000, 5_000).contains(&second.2), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn tries_that_are_used_up_lead_to_the_next_model() {
    let (bad, good) = (fake(vec![Err(server())]), fake(vec![Ok(())]));
    let router = router([("bad", bad.route("p")), ("good", good.route("q"))]);
    let heard = Heard::default();
    let answer = router.chat(&request(&["bad", "good"]), &heard).await.expect("the second succeeds");
    assert_eq!((answer.model.as_str(), bad.asked(), good.asked()), ("good", 3, 1));
    let heard = heard.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(heard.last(), Some(&("MODEL_FAILED", "good".to_owned(), Duration::ZERO)));
    assert_eq!(heard.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_not_tried_again() {
    let (refused, began) = (fake(vec![Err(payment())]), Instant::now());
    let good = fake(vec![Ok(())]);
    let router = router([("a", refused.route("p")), ("b", good.route("p"))]);
    assert_eq!(ask(&router, &["a"]).await, Err(payment()));
    assert_eq!(ask(&router, &["a", "b"]).await, Ok("b".to_owned()));
    assert_eq!((refused.asked(), began.elapsed()), (2, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn the_failure_that_says_the_most_is_told() {
    let refused = fake(vec![Err(payment())]);
    let router = router([("a", refused.route("p"))]);
    assert_eq!(ask(&router, &["a", "none"]).await, Err(payment()));
    assert_eq!(ask(&router, &["none", "a"]).await, Err(payment()));
    assert_eq!(ask(&router, &["x", "y"]).await, Err(ModelFailure::NoModel("y".to_owned())));
    assert!(matches!(ask(&router, &[]).await, Err(ModelFailure::NoModel(_))));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_time_gets_it() {
    let (busy, began) = (fake(vec![Err(limited(30)), Ok(())]), Instant::now());
    let router = router([("a", busy.route("p"))]);
    assert_eq!(ask(&router, &["a"]).await, Ok("a".to_owned()));
    assert_eq!(began.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let (busy, good, began) = (fake(vec![Err(limited(61))]), fake(vec![Ok(())]), Instant::now());
    let router = router([("a", busy.route("p")), ("b", good.route("q"))]);
    assert_eq!(ask(&router, &["a"]).await, Err(limited(61)));
    assert_eq!(ask(&router, &["a", "b"]).await, Ok("b".to_owned()));
    assert_eq!((busy.asked(), began.elapsed()), (2, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_for_all_attempts_together() {
    let (good, began) = (fake(vec![Ok(())]), Instant::now());
    let router = router([("silent", silent("p")), ("good", good.route("q"))]);
    assert_eq!(ask(&router, &["silent", "good"]).await, Err(ModelFailure::Timeout));
    assert_eq!((good.asked(), began.elapsed().as_secs()), (0, 60));
    let endless = ChatRequest { deadline: Duration::MAX, ..request(&["good"]) };
    assert!(router.chat(&endless, &Unheard).await.is_ok());
}

/// A router whose provider `p`, of all models but `c`, just failed too often.
async fn broken(results: Vec<Result<(), ModelFailure>>) -> (Router, Fake) {
    const { assert!(ATTEMPTS == 3 && FAILURES == 5, "as is assumed here") };
    let (bad, good) = (fake(results), fake(vec![Ok(())]));
    let (a, b, c) = (bad.route("p"), bad.route("p"), good.route("q"));
    let router = router([("a", a), ("b", b), ("c", c), ("silent", silent("p"))]);
    assert_eq!(ask(&router, &["a", "b"]).await, Err(server()));
    assert_eq!(bad.asked(), 5, "three of the one, two of the other");
    (router, bad)
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_is_left_alone_and_its_models_passed_over() {
    let (router, bad) = broken(vec![Err(server())]).await;
    let circuits = router.circuits();
    let [(p, CircuitState::Open { left }), (q, CircuitState::Closed { failures: 0 })] = circuits.as_slice() else {
        panic!("one is open: {circuits:?}");
    };
    assert_eq!((p.as_str(), q.as_str()), ("p", "q"));
    assert!(!left.is_zero() && *left <= OPEN_FOR);
    assert_eq!(ask(&router, &["b"]).await, Err(ModelFailure::CircuitOpen(*left)));
    let heard = Heard::default();
    let answer = router.chat(&request(&["a", "c"]), &heard).await.expect("another provider");
    assert_eq!((answer.model.as_str(), bad.asked()), ("c", 5));
    let heard = heard.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(heard, [("CIRCUIT_OPEN", "c".to_owned(), Duration::ZERO)]);
}

#[tokio::test(start_paused = true)]
async fn after_a_minute_one_request_decides() {
    let mut results = vec![Err(server()); 6];
    results.push(Ok(()));
    let (router, bad) = broken(results).await;
    advance(OPEN_FOR).await;
    assert_eq!(ask(&router, &["a"]).await, Err(server()), "the trial fails, and there is no second attempt");
    assert_eq!(bad.asked(), 6);
    advance(OPEN_FOR).await;
    assert_eq!(ask(&router, &["a"]).await, Ok("a".to_owned()));
    assert_eq!(router.circuits()[0].1, CircuitState::Closed { failures: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_nobody_waits_for_makes_room_for_another() {
    let (router, bad) = broken(vec![Err(server())]).await;
    advance(OPEN_FOR).await;
    let trial = tokio::time::timeout(Duration::from_secs(1), ask(&router, &["silent"])).await;
    assert!(trial.is_err(), "it was dropped");
    assert_eq!(router.circuits()[0].1, CircuitState::Open { left: Duration::ZERO });
    assert_eq!(ask(&router, &["a"]).await, Err(server()));
    assert_eq!(bad.asked(), 6);
}

//! Quotas that are used up: waited for where it is soon, and gone round where it isn't.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bailiwick_domain::model::{ChatAnswer, ChatRequest, Listener, Model, ModelFailure, Quota, Unheard, UsedUp};
use bailiwick_domain::sandbox::BoxFuture;
use tokio::time::{Instant, advance};

use super::{answer, ask, fake, payment, request, router, server};
use crate::router::Route;

/// A model whose quota stands as the test says.
struct Rationed {
    result: Result<(), ModelFailure>,
    until: Mutex<Option<Instant>>,
    asked: AtomicUsize,
}

fn rationed(result: Result<(), ModelFailure>) -> Arc<Rationed> {
    Arc::new(Rationed { result, until: Mutex::default(), asked: AtomicUsize::default() })
}

impl Rationed {
    fn route(self: &Arc<Self>, provider: &str) -> Route {
        Route { provider: provider.to_owned(), model: Arc::clone(self) as Arc<dyn Model> }
    }

    /// From now on, nothing is left for `wait`.
    fn is_used_up_for(&self, wait: Duration) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + wait);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Model for Rationed {
    fn chat<'a>(&'a self, _: &'a ChatRequest, _: &'a dyn Listener) -> BoxFuture<'a, Result<ChatAnswer, ModelFailure>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.result.clone().map(|()| answer())
        })
    }

    fn quotas(&self) -> Vec<Quota> {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let used_up = |until: Instant| UsedUp { time: SystemTime::UNIX_EPOCH, instant: until.into_std() };
        vec![Quota {
            model: "by its own name".to_owned(),
            told_at: SystemTime::UNIX_EPOCH,
            requests: None,
            tokens: None,
            used_up: until.map(used_up),
        }]
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The failure of one that was not asked because its quota is used up: how long it takes.
#[track_caller]
fn wait_of(asked: Result<String, ModelFailure>) -> Duration {
    match asked {
        Err(ModelFailure::RateLimited { message, retry_after: Some(wait) }) => {
            assert!(message.contains("used up"), "{message}");
            wait
        }
        other => panic!("its quota is used up: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_soon_back_is_waited_for() {
    let (rare, other, began) = (rationed(Ok(())), fake(vec![Ok(())]), Instant::now());
    let router = router([("a", rare.route("p")), ("b", other.route("q"))]);
    rare.is_used_up_for(seconds(8));
    assert_eq!(ask(&router, &["a", "b"]).await, Ok("a".to_owned()));
    assert_eq!((began.elapsed().as_secs(), rare.asked(), other.asked()), (8, 1, 0));
    assert_eq!(ask(&router, &["a", "b"]).await, Ok("a".to_owned()), "it is over");
    assert_eq!((began.elapsed().as_secs(), rare.asked()), (8, 2));
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_used_up_for_long_is_gone_round_at_once() {
    let (rare, other, began) = (rationed(Ok(())), fake(vec![Ok(())]), Instant::now());
    let router = router([("a", rare.route("p")), ("b", other.route("p"))]);
    rare.is_used_up_for(seconds(3600));
    assert_eq!(ask(&router, &["a", "b"]).await, Ok("b".to_owned()), "one of the same provider, even");
    assert_eq!(wait_of(ask(&router, &["a"]).await), seconds(3600));
    assert_eq!((rare.asked(), began.elapsed()), (0, Duration::ZERO));
    advance(seconds(3595)).await;
    assert_eq!(ask(&router, &["a", "b"]).await, Ok("a".to_owned()), "it is soon back");
}

#[tokio::test(start_paused = true)]
async fn no_quota_is_waited_for_beyond_the_deadline() {
    let (rare, began) = (rationed(Ok(())), Instant::now());
    let router = router([("a", rare.route("p"))]);
    rare.is_used_up_for(seconds(8));
    let hurried = ChatRequest { deadline: seconds(5), ..request(&["a"]) };
    let asked = router.chat(&hurried, &Unheard).await.map(|answer| answer.model);
    assert_eq!(wait_of(asked), seconds(8));
    assert_eq!((rare.asked(), began.elapsed()), (0, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn what_others_use_up_meanwhile_is_not_waited_for_without_end() {
    let (rare, began) = (rationed(Ok(())), Instant::now());
    let router = router([("a", rare.route("p"))]);
    rare.is_used_up_for(seconds(4));
    let others = async {
        for _ in 0..20 {
            tokio::time::sleep(seconds(3)).await;
            rare.is_used_up_for(seconds(4));
        }
    };
    let asked = tokio::select! {
        asked = ask(&router, &["a"]) => asked,
        () = others => panic!("it waits still"),
    };
    assert!(wait_of(asked) <= seconds(4));
    assert!(rare.asked() == 0 && began.elapsed() < seconds(11), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_quota_of_one_that_is_left_alone_is_not_waited_for() {
    let (bad, good) = (rationed(Err(server())), fake(vec![Ok(())]));
    let router = router([("a", bad.route("p")), ("b", good.route("q"))]);
    for _ in 0..2 {
        assert_eq!(ask(&router, &["a"]).await, Err(server()));
    }
    assert_eq!(bad.asked(), 5, "the circuit is open");
    bad.is_used_up_for(seconds(8));
    let began = Instant::now();
    assert!(matches!(ask(&router, &["a"]).await, Err(ModelFailure::CircuitOpen(_))));
    assert_eq!(ask(&router, &["a", "b"]).await, Ok("b".to_owned()));
    assert_eq!((bad.asked(), began.elapsed()), (5, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_answered_says_more_than_a_quota() {
    let (rare, unpaid) = (rationed(Ok(())), fake(vec![Err(payment())]));
    let router = router([("a", rare.route("p")), ("b", unpaid.route("q"))]);
    rare.is_used_up_for(seconds(600));
    for models in [["a", "b"], ["b", "a"]] {
        assert_eq!(ask(&router, &models).await, Err(payment()));
    }
    assert_eq!(wait_of(ask(&router, &["a", "none"]).await), seconds(600));
}

#[tokio::test]
async fn quotas_are_told_by_the_names_of_models_here() {
    let router = router([
        ("b", rationed(Ok(())).route("p")),
        ("a", rationed(Ok(())).route("p")),
        ("c", fake(vec![Ok(())]).route("q")),
    ]);
    let names: Vec<String> = router.quotas().into_iter().map(|quota| quota.model).collect();
    assert_eq!(names, ["a", "b"], "and of one that says nothing, nothing is told");
}

//! Tries models by preference: each again after what may pass, then the next, and none
//! whose provider failed too often lately or has a quota that is used up.

mod circuit;
#[cfg(test)]
mod tests;
mod wait;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::breaker::CircuitState;
use bailiwick_domain::model::{ChatAnswer, ChatRequest, Listener, Model, ModelFailure, Quota};
use bailiwick_domain::sandbox::BoxFuture;
use tokio::time::{Instant, sleep, timeout};

use self::circuit::{Circuit, Passing};
use self::wait::Waits;

/// How often one model is tried for a request.
pub const ATTEMPTS: u32 = 3;

/// Models that are tried for one request; more would take longer than anybody waits.
pub const MAX_MODELS: usize = 16;

/// How long a request waits for a quota that is used up before it asks the next model: about
/// as long as it would wait for another attempt.
pub const LONGEST_REST: Duration = Duration::from_secs(10);

/// A model and whose it is.
#[derive(Clone)]
pub struct Route {
    /// Whose circuit its failures count for: a name that all models of one service share.
    pub provider: String,
    /// What answers.
    pub model: Arc<dyn Model>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// The models of a host by name.
#[derive(Debug)]
pub struct Router {
    models: BTreeMap<String, Entry>,
    circuits: BTreeMap<String, Arc<Circuit>>,
    waits: Waits,
}

#[derive(Debug)]
struct Entry {
    route: Route,
    circuit: Arc<Circuit>,
}

/// A request on its way.
struct Call<'a> {
    request: &'a ChatRequest,
    listener: &'a dyn Listener,
    began: Instant,
}

/// What went wrong until now.
#[derive(Default)]
struct Failures {
    last: Option<ModelFailure>,
    /// The last of those that say the most.
    told: Option<(Says, ModelFailure)>,
}

/// How much a failure says, the least first: that there is no such model, that it was not
/// asked, or what came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Says {
    NoModel,
    NotAsked,
    Asked,
}

impl Router {
    /// Routes to `models` by name. Of `seed` come the small differences between waits, by
    /// which many that failed at once don't come back at once.
    pub fn new(models: BTreeMap<String, Route>, seed: u64) -> Self {
        let mut circuits = BTreeMap::new();
        let entry = |(name, route): (String, Route)| {
            let new = || Arc::new(Circuit::new(route.provider.clone()));
            let circuit = Arc::clone(circuits.entry(route.provider.clone()).or_insert_with(new));
            (name, Entry { route, circuit })
        };
        let models = models.into_iter().map(entry).collect();
        Self { models, circuits, waits: Waits::new(seed) }
    }

    /// The names of models, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }

    /// Each provider and how its circuit stands, in the order of their names.
    pub fn circuits(&self) -> Vec<(String, CircuitState)> {
        let at = now();
        self.circuits.iter().map(|(provider, circuit)| (provider.clone(), circuit.state(at))).collect()
    }

    async fn route(&self, call: &Call<'_>) -> Result<ChatAnswer, ModelFailure> {
        let mut failures = Failures::default();
        for name in call.request.models.iter().take(MAX_MODELS) {
            if let Some(answer) = self.ask(name, call, &mut failures).await {
                return Ok(answer);
            }
            if call.left().is_zero() {
                break;
            }
        }
        Err(failures.told.map_or_else(|| ModelFailure::NoModel(String::new()), |(_, failure)| failure))
    }

    /// Tries one model for as long as that makes sense.
    async fn ask(&self, name: &str, call: &Call<'_>, failures: &mut Failures) -> Option<ChatAnswer> {
        let Some(entry) = self.models.get(name) else {
            failures.add(Says::NoModel, ModelFailure::NoModel(name.to_owned()));
            return None;
        };
        for attempt in 1..=ATTEMPTS {
            if let Err(left) = call.rest(entry).await {
                failures.add(Says::NotAsked, used_up(left));
                return None;
            }
            let passing = match entry.circuit.enter(now()) {
                Ok(passing) => passing,
                Err(left) => {
                    failures.add(Says::NotAsked, ModelFailure::CircuitOpen(left));
                    return None;
                }
            };
            if attempt == 1
                && let Some(failure) = &failures.last
            {
                call.listener.again(failure, name, Duration::ZERO);
            }
            let failure = match call.attempt(entry, passing).await {
                Ok(answer) => return Some(ChatAnswer { model: name.to_owned(), ..answer }),
                Err(failure) => failure,
            };
            // Where the wait would take all the time that is left, another model is the
            // better choice.
            let wait = self.waits.before_next(attempt, &failure).filter(|wait| *wait < call.left());
            failures.add(Says::Asked, failure.clone());
            let wait = wait?;
            call.listener.again(&failure, name, wait);
            sleep(wait).await;
        }
        None
    }
}

impl Model for Router {
    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
        listener: &'a dyn Listener,
    ) -> BoxFuture<'a, Result<ChatAnswer, ModelFailure>> {
        Box::pin(async move { self.route(&Call { request, listener, began: now() }).await })
    }

    fn knows(&self, name: &str) -> bool {
        self.models.contains_key(name)
    }

    fn quotas(&self) -> Vec<Quota> {
        let of = |(name, entry): (&String, &Entry)| {
            let quotas = entry.route.model.quotas().into_iter();
            quotas.map(|quota| Quota { model: name.clone(), ..quota }).collect::<Vec<_>>()
        };
        self.models.iter().flat_map(of).collect()
    }
}

/// By the clock of the timers, which tests can stop.
fn now() -> Instant {
    Instant::now()
}

/// What is told of a model that was not asked, and can't be for so long.
fn used_up(left: Duration) -> ModelFailure {
    let message = format!("its quota is used up, and it is asked again in {} s", left.as_secs().max(1));
    ModelFailure::RateLimited { message, retry_after: Some(left) }
}

impl Entry {
    /// For how long the quota is used up.
    fn rest(&self, now: Instant) -> Duration {
        // One that is left alone for its failures is not asked then either: nobody waits
        // for its quota.
        if matches!(self.circuit.state(now), CircuitState::Open { left } if !left.is_zero()) {
            return Duration::ZERO;
        }
        let now = now.into_std();
        self.route.model.quotas().iter().map(|quota| quota.rest(now)).max().unwrap_or_default()
    }
}

impl Call<'_> {
    /// What is left of the time for the answer.
    fn left(&self) -> Duration {
        self.request.deadline.saturating_sub(now().saturating_duration_since(self.began))
    }

    /// Waits until the quota lets a request through, if that is soon. The error is how long
    /// it would take.
    async fn rest(&self, entry: &Entry) -> Result<(), Duration> {
        let mut patience = LONGEST_REST.min(self.left());
        loop {
            let rest = entry.rest(now());
            if rest.is_zero() {
                return Ok(());
            }
            if rest >= patience {
                return Err(rest);
            }
            sleep(rest).await;
            // Others may have used up what came back meanwhile.
            patience = patience.saturating_sub(rest);
        }
    }

    async fn attempt(&self, entry: &Entry, passing: Passing<'_>) -> Result<ChatAnswer, ModelFailure> {
        let answer = timeout(self.left(), entry.route.model.chat(self.request, self.listener)).await;
        let answer = answer.unwrap_or(Err(ModelFailure::Timeout));
        passing.ended(answer.as_ref().err());
        answer
    }
}

impl Failures {
    fn add(&mut self, says: Says, failure: ModelFailure) {
        if self.told.as_ref().is_none_or(|(told, _)| *told <= says) {
            self.told = Some((says, failure.clone()));
        }
        self.last = Some(failure);
    }
}

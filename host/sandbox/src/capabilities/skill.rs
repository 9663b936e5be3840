//! Calls of other skills, by `bailiwick:skill/skills`.
//!
//! What is called runs under its own grant, in an instance of its own, with what its
//! caller has left of every limit: a skill that calls others takes no more than one
//! that does everything itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bailiwick_domain::authority::SkillRule;
use bailiwick_domain::clock::Clock;
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::permit::Terms;
use bailiwick_domain::secret::SecretSet;
use bailiwick_domain::services::{Services, SkillCall, SkillCallError};
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::usage::Usage;
use futures::StreamExt as _;
use serde_json::Value;
use wasmtime::component::Linker;
use wasmtime::{AsContextMut as _, StoreContextMut};

use super::generated::bailiwick::skill::skills::{Error, Request};
use super::{Denials, Uses};
use crate::guest::Guest;
use crate::meter::{Counted, Counters};

/// Calls of one guest that run side by side.
const SIDE_BY_SIDE: usize = 8;

/// One part in this many of its time and fuel a guest keeps for itself: it hears that a
/// called skill used up the rest, and can still say so.
const RESERVE: u64 = 16;

/// What a called skill counts on its caller's account too.
const SHARED: [Counted; 9] = [
    Counted::HostCalls,
    Counted::SkillCalls,
    Counted::ModelCalls,
    Counted::ModelTokens,
    Counted::HttpRequests,
    Counted::HttpSent,
    Counted::HttpReceived,
    Counted::Log,
    Counted::Random,
];

/// By hand, because the caller's fuel is in its store.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut interface = linker.instance("bailiwick:skill/skills@0.1.0")?;
    interface.func_wrap_async("call", |mut store: StoreContextMut<'_, Guest>, (request,): (Request,)| {
        Box::new(async move {
            let answers = call_all(&mut store, vec![request]).await?;
            let answer = answers.into_iter().next();
            Ok((answer.unwrap_or_else(|| Err(Error::Unavailable("the call gave no answer".to_owned()))),))
        })
    })?;
    interface.func_wrap_async("call-all", |mut store: StoreContextMut<'_, Guest>, (requests,): (Vec<Request>,)| {
        Box::new(async move { Ok((call_all(&mut store, requests).await?,)) })
    })
}

async fn call_all(
    store: &mut StoreContextMut<'_, Guest>,
    requests: Vec<Request>,
) -> wasmtime::Result<Vec<Result<String, Error>>> {
    // Where fuel isn't counted, there is none to share.
    let fuel = store.as_context_mut().get_fuel().ok();
    let desk = store.data().skill_desk(Purse::new(fuel, requests.len()));
    let calls = futures::stream::iter(requests.into_iter().map(|request| desk.call(request)));
    let answers = calls.buffered(SIDE_BY_SIDE).collect().await;
    if let Some(left) = desk.purse.fuel_left() {
        store.as_context_mut().set_fuel(left)?;
    }
    Ok(answers)
}

/// What the calls of one guest are made with.
pub(crate) struct Desk {
    pub(crate) terms: Arc<Terms>,
    pub(crate) services: Arc<dyn Services>,
    pub(crate) secrets: Arc<SecretSet>,
    pub(crate) denials: Arc<Denials>,
    pub(crate) uses: Arc<Uses>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) deadline: Instant,
    pub(crate) purse: Purse,
    /// Bytes of the answers so far, which wait here until the guest gets them all.
    pub(crate) answered: AtomicU64,
}

impl Desk {
    async fn call(&self, request: Request) -> Result<String, Error> {
        let prepared = self.prepare(&request);
        // A request that comes to nothing no longer waits for a share either.
        let share = self.purse.share(&self.counters);
        let (allowed, skill, arguments) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.purse.settle(&self.counters, &share, &Usage::default());
                return Err(error);
            }
        };
        let left = self.deadline.saturating_duration_since(self.clock.instant());
        let deadline = left.saturating_sub(left / u32::try_from(RESERVE).unwrap_or(u32::MAX));
        let budget = LimitsRequest { deadline: Some(deadline), ..share.limits() };
        self.uses.record("skill", &skill.id);
        let call = SkillCall { skill, allowed, tool: request.tool, arguments, budget };
        let answer = self.services.call_skill(call).await;
        self.purse.settle(&self.counters, &share, &answer.usage);
        let text = answer.result.map_err(Error::from)?;
        // What has no room in the guest's memory is not kept in the host's either. Half of it
        // is for what the guest does with the answers.
        let most = self.terms.limits.memory_bytes / 2;
        let bytes = text.len() as u64;
        if self.answered.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > most {
            return Err(Error::Limit(format!(
                "the answers at once have more than {most} bytes, half of the memory that the call may have"
            )));
        }
        Ok(text)
    }

    /// Everything that can be said of a request before anybody is called.
    fn prepare(&self, request: &Request) -> Result<(SkillRule, SkillSelector, Value), Error> {
        for counted in [Counted::HostCalls, Counted::SkillCalls] {
            self.counters.take(counted, 1).map_err(|reached| {
                self.denials.record("skill", request.skill.clone(), reached.to_string());
                Error::Limit(reached.to_string())
            })?;
        }
        let wanted: SkillSelector = request.skill.parse().map_err(|error| Error::NotFound(format!("{error}")))?;
        let Some(rule) = self.terms.skills.iter().find(|rule| rule.id == wanted.id) else {
            let reason = "no granted skill is this one";
            self.denials.record("skill", request.skill.clone(), reason);
            return Err(Error::Denied(format!("`{}`: {reason}", wanted.id)));
        };
        let invalid = |problem: String| Error::InvalidArguments(problem);
        let arguments = self.secrets.redactor().json(request.arguments.clone());
        let arguments = arguments.map_err(|error| invalid(error.to_string()))?;
        let arguments: Value = serde_json::from_str(&arguments)
            .map_err(|error| invalid(format!("expected a JSON object of arguments: {error}")))?;
        if !arguments.is_object() {
            return Err(invalid("expected a JSON object of arguments".to_owned()));
        }
        Ok((rule.clone(), rule.cut(&wanted), arguments))
    }
}

impl From<SkillCallError> for Error {
    fn from(error: SkillCallError) -> Self {
        match error {
            SkillCallError::Denied(text) => Self::Denied(text),
            SkillCallError::NotFound(text) => Self::NotFound(text),
            SkillCallError::InvalidArguments(text) => Self::InvalidArguments(text),
            SkillCallError::Failed(json) => Self::Failed(json),
            SkillCallError::ApprovalRequired(id) => Self::ApprovalRequired(id),
            SkillCallError::Limit(text) => Self::Limit(text),
            SkillCallError::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

/// What a guest has left, shared out among the calls that it makes at once. What one
/// was given and did not take goes back before the next one begins.
pub(crate) struct Purse(Mutex<Inside>);

struct Inside {
    fuel: Option<u64>,
    /// What the guest keeps, to say what came of its calls.
    kept: u64,
    /// Calls that have no share yet.
    waiting: usize,
    running: usize,
}

/// What one call was given.
struct Share {
    fuel: Option<u64>,
    amounts: [u64; SHARED.len()],
}

impl Purse {
    fn new(fuel: Option<u64>, calls: usize) -> Self {
        let kept = fuel.map_or(0, |fuel| fuel / RESERVE);
        let fuel = fuel.map(|fuel| fuel - kept);
        Self(Mutex::new(Inside { fuel, kept, waiting: calls, running: 0 }))
    }

    fn fuel_left(&self) -> Option<u64> {
        let inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inside.fuel.map(|fuel| fuel + inside.kept)
    }

    /// An equal part of what is left for each call that can run now.
    fn share(&self, counters: &Counters) -> Share {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = SIDE_BY_SIDE.saturating_sub(inside.running).min(inside.waiting).max(1) as u64;
        inside.waiting = inside.waiting.saturating_sub(1);
        inside.running += 1;
        let fuel = inside.fuel.map(|left| left / free);
        inside.fuel = inside.fuel.zip(fuel).map(|(left, share)| left - share);
        let amounts = SHARED.map(|counted| counters.reserve(counted, free));
        Share { fuel, amounts }
    }

    fn settle(&self, counters: &Counters, share: &Share, used: &Usage) {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inside.running = inside.running.saturating_sub(1);
        if let (Some(left), Some(given)) = (&mut inside.fuel, share.fuel) {
            *left += given.saturating_sub(used.fuel.unwrap_or_default());
        }
        for (counted, given) in SHARED.into_iter().zip(share.amounts) {
            let took = counted.of(used);
            counters.give_back(counted, given.saturating_sub(took));
            // The last answer of a model may pass what was given.
            counters.add(counted, took.saturating_sub(given));
        }
        counters.pay(&used.model_cost());
    }
}

impl Share {
    fn limits(&self) -> LimitsRequest {
        let [host_calls, skill_calls, model_calls, model_tokens, http_requests, sent, received, log, random] =
            self.amounts.map(Some);
        LimitsRequest {
            host_calls,
            skill_calls,
            model_calls,
            model_tokens,
            http_requests,
            http_sent_bytes: sent,
            http_received_bytes: received,
            log_bytes: log,
            random_bytes: random,
            fuel: self.fuel,
            ..LimitsRequest::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_domain::limits::{Limits, LimitsPolicy};
    use bailiwick_domain::model::{ModelCost, Usd};

    use super::*;

    fn counters(host_calls: u64) -> Counters {
        Counters::new(&Limits { host_calls, ..LimitsPolicy::default().default })
    }

    #[test]
    fn calls_side_by_side_never_have_more_than_there_is() {
        let (purse, counters) = (Purse::new(Some(100), 3), counters(10));
        assert_eq!(purse.fuel_left(), Some(100));
        let shares: Vec<Share> = (0..3).map(|_| purse.share(&counters)).collect();
        assert_eq!(shares.iter().map(|share| share.fuel.expect("counted")).collect::<Vec<_>>(), [31, 31, 32]);
        let calls: Vec<u64> = shares.iter().filter_map(|share| share.limits().host_calls).collect();
        assert_eq!(calls, [3, 3, 4]);
        assert!(counters.take(Counted::HostCalls, 1).is_err(), "all of it is given away");
        let used = Usage { fuel: Some(30), host_calls: 1, ..Usage::default() };
        purse.settle(&counters, &shares[0], &used);
        assert_eq!(purse.fuel_left(), Some(1 + 6), "what was not used, and what was kept");
        assert!(counters.take(Counted::HostCalls, 2).is_ok(), "what was not used came back");
        assert!(counters.take(Counted::HostCalls, 1).is_err());
    }

    #[test]
    fn a_call_alone_has_all_but_what_is_kept() {
        let (purse, counters) = (Purse::new(Some(32), 1), counters(5));
        let share = purse.share(&counters);
        assert_eq!((share.fuel, share.limits().host_calls), (Some(30), Some(5)));
        purse.settle(&counters, &share, &Usage { fuel: Some(99), host_calls: 9, ..Usage::default() });
        assert_eq!(purse.fuel_left(), Some(2), "nothing is owed, and nothing comes back");
    }

    #[test]
    fn what_a_called_skill_asked_of_models_is_its_callers() {
        let limits = Limits { model_tokens: 100, ..LimitsPolicy::default().default };
        let (purse, counters) = (Purse::new(None, 2), Counters::new(&limits));
        let (first, second) = (purse.share(&counters), purse.share(&counters));
        assert_eq!((first.limits().model_tokens, second.limits().model_tokens), (Some(50), Some(50)));
        let used = |model_input_tokens, model_output_tokens| Usage {
            model_input_tokens,
            model_output_tokens,
            model_usd: Usd::from_nanos(3),
            ..Usage::default()
        };
        purse.settle(&counters, &first, &used(20, 10));
        assert_eq!(counters.some_left(Counted::ModelTokens), Ok(20), "what was not used came back");
        purse.settle(&counters, &second, &used(40, 25));
        assert_eq!(counters.some_left(Counted::ModelTokens), Ok(5), "what was used beyond the share is owed");
        assert_eq!(counters.paid(), ModelCost { input_tokens: 60, output_tokens: 35, usd: Usd::from_nanos(6) });
    }
}

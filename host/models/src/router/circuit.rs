//! A provider's breaker, shared by all who ask it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bailiwick_domain::breaker::{Breaker, CircuitState, Ended, OPEN_FOR, Pass};
use bailiwick_domain::model::ModelFailure;
use tokio::time::Instant;

use super::now;

#[derive(Debug)]
pub(super) struct Circuit {
    provider: String,
    breaker: Mutex<Breaker>,
}

/// A request that was let through. Dropped without an end, it counts as abandoned, so
/// that no trial keeps the circuit half open for ever.
#[must_use = "a request that is dropped counts as abandoned"]
pub(super) struct Passing<'a> {
    circuit: &'a Circuit,
    pass: Option<Pass>,
}

impl Circuit {
    pub(super) fn new(provider: String) -> Self {
        Self { provider, breaker: Mutex::default() }
    }

    /// Lets a request through, or says how long to wait.
    pub(super) fn enter(&self, now: Instant) -> Result<Passing<'_>, Duration> {
        let pass = self.lock().enter(now.into_std())?;
        Ok(Passing { circuit: self, pass: Some(pass) })
    }

    pub(super) fn state(&self, now: Instant) -> CircuitState {
        self.lock().state(now.into_std())
    }

    fn ended(&self, pass: Pass, ended: Ended) {
        let opened = self.lock().ended(pass, ended, now().into_std());
        if opened {
            tracing::warn!(
                provider = %self.provider,
                seconds = OPEN_FOR.as_secs(),
                "a provider of models fails, and is left alone for a while"
            );
        }
    }

    /// The breaker is whole even if a thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passing<'_> {
    /// Takes note of how it ended. A refusal is an answer: the provider is there.
    pub(super) fn ended(mut self, failure: Option<&ModelFailure>) {
        let failed = failure.is_some_and(ModelFailure::is_retriable);
        if let Some(pass) = self.pass.take() {
            self.circuit.ended(pass, if failed { Ended::Failed } else { Ended::Answered });
        }
    }
}

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.circuit.ended(pass, Ended::Abandoned);
        }
    }
}

//! Leaves alone what failed too often: a circuit breaker, told what time it is.
//!
//! It stands before providers of models and before skills in runs. Who asks through it
//! is called a request here.

use std::time::{Duration, Instant};

/// Failures in a row, each of which might have passed, that open a circuit. One request
/// with all its attempts is not enough.
pub const FAILURES: u32 = 5;

/// How long an open circuit lets nothing through: what is restarted or overloaded is
/// mostly back after a minute.
pub const OPEN_FOR: Duration = Duration::from_mins(1);

/// What can be told of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// Requests go through.
    Closed {
        /// How many failed in a row.
        failures: u32,
    },
    /// Requests are refused.
    Open {
        /// For how long still. At nothing, the next request is let through as a trial.
        left: Duration,
    },
    /// One request was let through, and its end decides.
    HalfOpen,
}

/// The circuit of one provider, or of one skill.
#[derive(Debug)]
pub struct Breaker(State);

#[derive(Clone, Copy, Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen,
}

/// How a request was let through. Each is to be told to [`Breaker::ended`] once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a trial that never ends keeps the circuit half open"]
pub enum Pass {
    /// The circuit was closed.
    Normal,
    /// It is the one request that decides.
    Trial,
}

/// How a request ended, as far as it says something about who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was answered, even if by a refusal.
    Answered,
    /// It failed in a way that says something about who was asked.
    Failed,
    /// It says nothing: whoever asked went away, or was turned away before.
    Abandoned,
}

impl Default for Breaker {
    /// Closed.
    fn default() -> Self {
        Self(State::Closed { failures: 0 })
    }
}

impl Breaker {
    /// Whether a request may go through at `now`. The error is how long to wait.
    pub fn enter(&mut self, now: Instant) -> Result<Pass, Duration> {
        match self.0 {
            State::Closed { .. } => Ok(Pass::Normal),
            State::Open { until } if now < until => Err(until.saturating_duration_since(now)),
            State::Open { .. } => {
                self.0 = State::HalfOpen;
                Ok(Pass::Trial)
            }
            // How long the trial takes is not known; whoever waits asks again soon.
            State::HalfOpen => Err(Duration::from_secs(1)),
        }
    }

    /// Takes note of how a request ended that was let through. Says whether that opened
    /// the circuit.
    pub fn ended(&mut self, pass: Pass, ended: Ended, now: Instant) -> bool {
        let (next, opened) = next(self.0, pass, ended, now);
        self.0 = next;
        opened
    }

    /// How it stands at `now`.
    pub fn state(&self, now: Instant) -> CircuitState {
        match self.0 {
            State::Closed { failures } => CircuitState::Closed { failures },
            State::Open { until } => CircuitState::Open { left: until.saturating_duration_since(now) },
            State::HalfOpen => CircuitState::HalfOpen,
        }
    }
}

/// The state after a request ended, and whether that opened the circuit. What was let
/// through before the circuit opened decides nothing after that.
fn next(state: State, pass: Pass, ended: Ended, now: Instant) -> (State, bool) {
    match (state, pass, ended) {
        (State::Closed { .. }, _, Ended::Answered) | (State::HalfOpen, Pass::Trial, Ended::Answered) => {
            (State::Closed { failures: 0 }, false)
        }
        (State::Closed { failures }, _, Ended::Failed) if failures + 1 < FAILURES => {
            (State::Closed { failures: failures + 1 }, false)
        }
        (State::Closed { .. }, _, Ended::Failed) | (State::HalfOpen, Pass::Trial, Ended::Failed) => {
            (State::Open { until: now + OPEN_FOR }, true)
        }
        // The next request is the trial.
        (State::HalfOpen, Pass::Trial, Ended::Abandoned) => (State::Open { until: now }, false),
        (State::Closed { .. }, _, Ended::Abandoned)
        | (State::HalfOpen, Pass::Normal, _)
        | (State::Open { .. }, _, _) => (state, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A breaker that opened at `now`.
    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        for count in 1..=FAILURES {
            let pass = breaker.enter(now).expect("closed");
            assert_eq!(breaker.ended(pass, Ended::Failed, now), count == FAILURES);
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it_for_a_minute() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert_eq!(breaker.enter(now), Err(OPEN_FOR));
        let later = now + Duration::from_secs(59);
        assert_eq!(breaker.state(later), CircuitState::Open { left: Duration::from_secs(1) });
        assert_eq!(breaker.enter(later), Err(Duration::from_secs(1)));
        assert_eq!(breaker.enter(now + OPEN_FOR), Ok(Pass::Trial));
    }

    #[test]
    fn an_answer_between_failures_counts_them_anew() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            for _ in 1..FAILURES {
                assert!(!breaker.ended(Pass::Normal, Ended::Failed, now));
            }
            assert_eq!(breaker.state(now), CircuitState::Closed { failures: FAILURES - 1 });
            breaker.ended(Pass::Normal, Ended::Abandoned, now);
            breaker.ended(Pass::Normal, Ended::Answered, now);
        }
        assert_eq!(breaker.state(now), CircuitState::Closed { failures: 0 });
    }

    #[test]
    fn one_trial_goes_through_and_decides() {
        let now = Instant::now();
        let trial = now + OPEN_FOR;
        let mut breaker = opened(now);
        assert_eq!(breaker.enter(trial), Ok(Pass::Trial));
        assert!(breaker.enter(trial).is_err(), "only one");
        assert!(breaker.ended(Pass::Trial, Ended::Failed, trial));
        assert_eq!(breaker.enter(trial), Err(OPEN_FOR));

        let again = trial + OPEN_FOR;
        assert_eq!(breaker.enter(again), Ok(Pass::Trial));
        assert!(!breaker.ended(Pass::Trial, Ended::Answered, again));
        assert_eq!(breaker.enter(again), Ok(Pass::Normal));
    }

    #[test]
    fn a_trial_that_nobody_waits_for_leaves_room_for_the_next() {
        let now = Instant::now() + OPEN_FOR;
        let mut breaker = opened(now);
        let later = now + OPEN_FOR;
        assert_eq!(breaker.enter(later), Ok(Pass::Trial));
        breaker.ended(Pass::Trial, Ended::Abandoned, later);
        assert_eq!(breaker.enter(later), Ok(Pass::Trial));
    }

    #[test]
    fn what_began_before_it_opened_decides_nothing() {
        let now = Instant::now();
        let mut breaker = opened(now);
        breaker.ended(Pass::Normal, Ended::Answered, now);
        assert_eq!(breaker.enter(now), Err(OPEN_FOR));
        let later = now + OPEN_FOR;
        assert_eq!(breaker.enter(later), Ok(Pass::Trial));
        breaker.ended(Pass::Normal, Ended::Answered, later);
        assert_eq!(breaker.state(later), CircuitState::HalfOpen);
        assert!(!breaker.ended(Pass::Normal, Ended::Failed, later));
        assert_eq!(breaker.state(later), CircuitState::HalfOpen);
    }
}

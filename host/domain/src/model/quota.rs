//! What a provider says is left of what it allows.

use std::time::{Duration, Instant, SystemTime};

/// What a provider last said is left for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The model, by the name that it is asked for.
    pub model: String,
    /// When it was said.
    pub told_at: SystemTime,
    /// Of requests.
    pub requests: Option<Allowance>,
    /// Of tokens.
    pub tokens: Option<Allowance>,
    /// Until when no request is answered, where that was said.
    pub used_up: Option<UsedUp>,
}

/// What a provider says of one thing that it counts, as far as it says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// How many there are in a while.
    pub limit: Option<u64>,
    /// How many are left of them.
    pub remaining: Option<u64>,
    /// When there are as many as `limit` again.
    pub resets_at: Option<SystemTime>,
}

/// The end of a time without answers, by both clocks: one is shown, and the other is waited
/// for, because nobody sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedUp {
    /// For people.
    pub time: SystemTime,
    /// For timers.
    pub instant: Instant,
}

impl Quota {
    /// How long from `now` on no request is answered. Nothing where one may be, or nobody
    /// knows.
    pub fn rest(&self, now: Instant) -> Duration {
        self.used_up.map_or(Duration::ZERO, |used_up| used_up.instant.saturating_duration_since(now))
    }
}

//! What one call uses of everything that has a limit, and where it ends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bailiwick_domain::limits::Limits;
use bailiwick_domain::model::ModelCost;
use bailiwick_domain::usage::Usage;
use wasmtime::ResourceLimiter;

/// Memories and tables of one call; the engine's pool has the same limit, and
/// this one holds where a store could be made without it.
const MEMORIES: usize = 64;

/// What host calls count, each with a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Calls of the host.
    HostCalls,
    /// Calls of other skills.
    SkillCalls,
    /// Requests to models.
    ModelCalls,
    /// Tokens of requests to models and of their answers.
    ModelTokens,
    /// Requests over HTTP.
    HttpRequests,
    /// Bytes sent over HTTP.
    HttpSent,
    /// Bytes received over HTTP.
    HttpReceived,
    /// Bytes written to stdout and stderr.
    Log,
    /// Random bytes.
    Random,
}

impl Counted {
    /// How much of it was used.
    pub(crate) const fn of(self, usage: &Usage) -> u64 {
        match self {
            Self::HostCalls => usage.host_calls,
            Self::SkillCalls => usage.skill_calls,
            Self::ModelCalls => usage.model_calls,
            Self::ModelTokens => usage.model_cost().tokens(),
            Self::HttpRequests => usage.http_requests,
            Self::HttpSent => usage.http_sent_bytes,
            Self::HttpReceived => usage.http_received_bytes,
            Self::Log => usage.log_bytes,
            Self::Random => usage.random_bytes,
        }
    }
}

/// A limit that there is no going beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call's limit `{key}` of {max} is reached")]
pub(crate) struct LimitReached {
    /// Its key, as in a manifest.
    pub(crate) key: &'static str,
    /// The limit.
    pub(crate) max: u64,
}

/// What host calls used so far. Everyone who works for the call counts here.
#[derive(Debug)]
pub(crate) struct Counters {
    host_calls: Counter,
    skill_calls: Counter,
    model_calls: Counter,
    model_tokens: Counter,
    /// What models took, money included.
    paid: Mutex<ModelCost>,
    http_requests: Counter,
    http_sent: Counter,
    http_received: Counter,
    log: Counter,
    random: Counter,
    reached: OnceLock<LimitReached>,
}

#[derive(Debug)]
struct Counter {
    key: &'static str,
    max: u64,
    used: AtomicU64,
}

impl Counter {
    const fn new(key: &'static str, max: u64) -> Self {
        Self { key, max, used: AtomicU64::new(0) }
    }

    fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) const fn new(limits: &Limits) -> Self {
        Self {
            host_calls: Counter::new("host_calls", limits.host_calls),
            skill_calls: Counter::new("skill_calls", limits.skill_calls),
            model_calls: Counter::new("model_calls", limits.model_calls),
            model_tokens: Counter::new("model_tokens", limits.model_tokens),
            paid: Mutex::new(ModelCost::NOTHING),
            http_requests: Counter::new("http_requests", limits.http_requests),
            http_sent: Counter::new("http_sent", limits.http_sent_bytes),
            http_received: Counter::new("http_received", limits.http_received_bytes),
            log: Counter::new("log", limits.log_bytes),
            random: Counter::new("random", limits.random_bytes),
            reached: OnceLock::new(),
        }
    }

    /// Counts `amount`, all of it or, where that would pass the limit, nothing.
    pub(crate) fn take(&self, counted: Counted, amount: u64) -> Result<(), LimitReached> {
        let Counter { key, max, used } = self.of(counted);
        let more = |used: u64| used.checked_add(amount).filter(|sum| sum <= max);
        match used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.refuse(LimitReached { key, max: *max })),
        }
    }

    /// What is left of what is counted afterwards, if there is anything.
    pub(crate) fn some_left(&self, counted: Counted) -> Result<u64, LimitReached> {
        let Counter { key, max, used } = self.of(counted);
        match max.saturating_sub(used.load(Ordering::Relaxed)) {
            0 => Err(self.refuse(LimitReached { key, max: *max })),
            left => Ok(left),
        }
    }

    /// Counts what is known only afterwards, also where it passes the limit.
    pub(crate) fn add(&self, counted: Counted, amount: u64) {
        let more = |used: u64| Some(used.saturating_add(amount));
        // It always gives an answer.
        let _ = self.of(counted).used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Notes what models took. Their tokens are counted beside it.
    pub(crate) fn pay(&self, cost: &ModelCost) {
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        *paid = paid.plus(cost);
    }

    /// What models took until now.
    pub(crate) fn paid(&self) -> ModelCost {
        *self.paid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one part in `parts` of what is left, and says how much that is.
    pub(crate) fn reserve(&self, counted: Counted, parts: u64) -> u64 {
        let Counter { max, used, .. } = self.of(counted);
        let share = |used: u64| max.saturating_sub(used) / parts.max(1);
        let taken = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| Some(used + share(used)));
        taken.map_or(0, share)
    }

    /// Gives back what was reserved and not used.
    pub(crate) fn give_back(&self, counted: Counted, amount: u64) {
        let less = |used: u64| Some(used.saturating_sub(amount));
        // It always gives an answer.
        let _ = self.of(counted).used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// The first limit that the call met.
    pub(crate) fn reached(&self) -> Option<LimitReached> {
        self.reached.get().copied()
    }

    fn refuse(&self, limit: LimitReached) -> LimitReached {
        // Only the first counts: what comes after it mostly follows from it.
        let _ = self.reached.set(limit);
        limit
    }

    const fn of(&self, counted: Counted) -> &Counter {
        match counted {
            Counted::HostCalls => &self.host_calls,
            Counted::SkillCalls => &self.skill_calls,
            Counted::ModelCalls => &self.model_calls,
            Counted::ModelTokens => &self.model_tokens,
            Counted::HttpRequests => &self.http_requests,
            Counted::HttpSent => &self.http_sent,
            Counted::HttpReceived => &self.http_received,
            Counted::Log => &self.log,
            Counted::Random => &self.random,
        }
    }
}

/// Counts all of a call: its memory and tables, which the engine asks about
/// while a guest runs, and what its host calls use.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) counters: Arc<Counters>,
    memory_bytes: u64,
    table_elements: u64,
    instances: usize,
    held: u64,
    peak: u64,
    longest_table: u64,
    refused_memory: bool,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            counters: Arc::new(Counters::new(limits)),
            memory_bytes: limits.memory_bytes,
            table_elements: limits.table_elements,
            instances: usize::try_from(limits.instances).unwrap_or(usize::MAX),
            held: 0,
            peak: 0,
            longest_table: 0,
            refused_memory: false,
        }
    }

    /// Whether the guest asked for more memory than it may have.
    pub(crate) const fn refused_memory(&self) -> bool {
        self.refused_memory
    }

    /// Adds what was counted to `usage`.
    pub(crate) fn account(&self, usage: &mut Usage) {
        let counters = &self.counters;
        usage.memory_bytes = self.peak;
        usage.table_elements = self.longest_table;
        usage.host_calls = counters.host_calls.used();
        usage.skill_calls = counters.skill_calls.used();
        usage.model_calls = counters.model_calls.used();
        let ModelCost { input_tokens, output_tokens, usd } = counters.paid();
        usage.model_input_tokens = input_tokens;
        usage.model_output_tokens = output_tokens;
        usage.model_usd = usd;
        usage.http_requests = counters.http_requests.used();
        usage.http_sent_bytes = counters.http_sent.used();
        usage.http_received_bytes = counters.http_received.used();
        usage.log_bytes = counters.log.used();
        usage.random_bytes = counters.random.used();
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        let total = self.held.saturating_add(more);
        let declared = maximum.is_none_or(|maximum| desired <= maximum);
        if total > self.memory_bytes {
            self.refused_memory = true;
            return Ok(false);
        }
        if declared {
            self.held = total;
            self.peak = self.peak.max(total);
        }
        Ok(declared)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let (elements, max) = (desired as u64, self.table_elements);
        if elements > max {
            self.counters.refuse(LimitReached { key: "table_elements", max });
            return Ok(false);
        }
        let declared = maximum.is_none_or(|maximum| desired <= maximum);
        if declared {
            self.longest_table = self.longest_table.max(elements);
        }
        Ok(declared)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        MEMORIES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_domain::limits::LimitsPolicy;
    use bailiwick_domain::model::Usd;

    use super::*;

    fn meter(change: impl FnOnce(&mut Limits)) -> Meter {
        let mut limits = LimitsPolicy::default().default;
        change(&mut limits);
        Meter::new(&limits)
    }

    #[test]
    fn what_would_pass_a_limit_is_not_counted_at_all() {
        let meter = meter(|limits| limits.random_bytes = 10);
        let take = |amount| meter.counters.take(Counted::Random, amount);
        assert_eq!(take(7), Ok(()));
        let reached = LimitReached { key: "random", max: 10 };
        assert_eq!(take(4), Err(reached));
        assert_eq!(take(u64::MAX), Err(reached));
        assert_eq!(take(3), Ok(()), "what was refused took nothing");
        assert_eq!(meter.counters.reached(), Some(reached));
        let mut usage = Usage::default();
        meter.account(&mut usage);
        assert_eq!(usage, Usage { random_bytes: 10, ..Usage::default() });
    }

    #[test]
    fn what_is_known_only_afterwards_passes_its_limit_once() {
        let meter = meter(|limits| limits.model_tokens = 10);
        let counters = &meter.counters;
        assert_eq!(counters.some_left(Counted::ModelTokens), Ok(10));
        counters.add(Counted::ModelTokens, 9);
        assert_eq!(counters.some_left(Counted::ModelTokens), Ok(1));
        counters.add(Counted::ModelTokens, 5);
        let reached = LimitReached { key: "model_tokens", max: 10 };
        assert_eq!(counters.some_left(Counted::ModelTokens), Err(reached));
        counters.add(Counted::ModelTokens, u64::MAX);
        assert_eq!(counters.some_left(Counted::ModelTokens), Err(reached));
        assert_eq!((counters.reserve(Counted::ModelTokens, 2), counters.reached()), (0, Some(reached)));
    }

    #[test]
    fn what_models_took_is_in_the_account() {
        let meter = meter(|_| ());
        let cost = ModelCost { input_tokens: 7, output_tokens: 2, usd: Usd::from_nanos(3) };
        meter.counters.pay(&cost);
        meter.counters.pay(&cost);
        let mut usage = Usage::default();
        meter.account(&mut usage);
        assert_eq!(usage.model_cost(), cost.plus(&cost));
        assert_eq!(Counted::ModelTokens.of(&usage), 18);
    }

    #[test]
    fn the_first_limit_is_the_one_that_is_told() {
        let mut meter = meter(|limits| limits.table_elements = 5);
        assert!(meter.table_growing(0, 5, None).expect("an answer"));
        assert!(!meter.table_growing(5, 6, None).expect("an answer"));
        meter.counters.take(Counted::Random, u64::MAX).expect_err("too many");
        assert_eq!(meter.counters.reached(), Some(LimitReached { key: "table_elements", max: 5 }));
    }

    #[test]
    fn memory_is_counted_over_all_memories() {
        let mut meter = meter(|limits| limits.memory_bytes = 100);
        assert!(meter.memory_growing(0, 60, None).expect("an answer"));
        assert!(!meter.memory_growing(0, 10, Some(5)).expect("an answer"), "more than the guest declared");
        assert!(!meter.refused_memory());
        assert!(!meter.memory_growing(0, 41, None).expect("an answer"));
        assert!(meter.refused_memory());
    }
}

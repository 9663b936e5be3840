//! What is left of what a service allows, from the headers of its answers.
//!
//! Services agree on the names of the headers, more or less, and on no form of a time. What
//! can't be read is as if it had not been said.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::model::{Allowance, Quota, UsedUp};
use reqwest::header::{DATE, HeaderMap};

/// The furthest reset that is believed: the longest quotas are those of a month, and no
/// unit that was misread may keep a model from being asked for years.
const FURTHEST_RESET: Duration = Duration::from_hours(31 * 24);

/// The longest that a model is not asked because its quota is said to be used up. Services say
/// when all of it is back, and who pays for more has it at once: a request that comes too early
/// costs nothing, and a model that is left alone for a month costs the month.
const LONGEST_REST: Duration = Duration::from_mins(10);

/// Seconds from which on a number is no time to wait, but one since 1970: it is that of 2001.
const SINCE_1970: f64 = 1e9;

/// Numbers from here on are milliseconds since 1970: in seconds it is the year 5138.
const MILLIS_SINCE_1970: f64 = 1e11;

/// What a service last said of its quota for one model.
pub(super) struct Kept {
    model: String,
    clock: Arc<dyn Clock>,
    last: Mutex<Option<Quota>>,
}

/// One moment by both clocks.
#[derive(Clone, Copy)]
struct Moment {
    time: SystemTime,
    instant: Instant,
}

/// What headers say of one thing that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said {
    limit: Option<u64>,
    remaining: Option<u64>,
    reset: Option<Duration>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("last", &self.last()).finish_non_exhaustive()
    }
}

impl Kept {
    pub(super) fn new(model: String, clock: Arc<dyn Clock>) -> Self {
        Self { model, clock, last: Mutex::default() }
    }

    pub(super) fn last(&self) -> Option<Quota> {
        self.lock().clone()
    }

    /// Keeps what the headers of an answer say, if they say something. Gives for how long
    /// the quota is used up, where that is what they say.
    pub(super) fn heed(&self, headers: &HeaderMap) -> Option<Duration> {
        let now = self.now();
        // A time since 1970 is by the clock of the service.
        let theirs = date(headers).unwrap_or(now.time);
        let said = |ending: &str| Said::read(headers, ending, theirs);
        // What is counted without a name is requests.
        let (requests, tokens) = (said("-requests").or_else(|| said("")), said("-tokens"));
        if requests.is_none() && tokens.is_none() {
            return None;
        }
        let rest = [requests, tokens].into_iter().flatten().filter_map(Said::rest).max();
        let allowance = |said: Said| said.allowance(now.time);
        *self.lock() = Some(Quota {
            model: self.model.clone(),
            told_at: now.time,
            requests: requests.map(allowance),
            tokens: tokens.map(allowance),
            used_up: rest.and_then(|rest| now.after(rest)),
        });
        rest
    }

    /// Keeps that the service wants no request for `wait`. That counts for more than the
    /// headers of its quota: they say when all of it is back, and a part may be enough.
    pub(super) fn rests_for(&self, wait: Duration) {
        let now = self.now();
        let mut last = self.lock();
        let quota = last.get_or_insert_with(|| Quota {
            model: self.model.clone(),
            told_at: now.time,
            requests: None,
            tokens: None,
            used_up: None,
        });
        quota.told_at = now.time;
        quota.used_up = now.after(wait);
    }

    fn now(&self) -> Moment {
        Moment { time: self.clock.now(), instant: self.clock.instant() }
    }

    /// What is kept is whole even if a thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, Option<Quota>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Moment {
    /// So much later, unless that is no time to wait for. It is shown as it is, and waited for
    /// no longer than makes sense.
    fn after(self, wait: Duration) -> Option<UsedUp> {
        if wait.is_zero() || wait > FURTHEST_RESET {
            return None;
        }
        let instant = self.instant.checked_add(wait.min(LONGEST_REST))?;
        Some(UsedUp { time: self.time.checked_add(wait)?, instant })
    }
}

impl Said {
    /// By the headers whose names end with `ending`. `now` is the time of the service.
    fn read(headers: &HeaderMap, ending: &str, now: SystemTime) -> Option<Self> {
        let text = |what: &str| headers.get(format!("x-ratelimit-{what}{ending}"))?.to_str().ok().map(str::trim);
        let number = |what: &str| text(what)?.parse::<u64>().ok();
        let (limit, remaining) = (number("limit"), number("remaining"));
        if limit.is_none() && remaining.is_none() {
            return None;
        }
        let reset = text("reset").and_then(|text| until_reset(text, now));
        Some(Self { limit, remaining, reset: reset.filter(|reset| *reset <= FURTHEST_RESET) })
    }

    /// For how long nothing is left.
    fn rest(self) -> Option<Duration> {
        self.reset.filter(|reset| self.remaining == Some(0) && !reset.is_zero())
    }

    /// As of `now`.
    fn allowance(self, now: SystemTime) -> Allowance {
        let resets_at = self.reset.and_then(|reset| now.checked_add(reset));
        Allowance { limit: self.limit, remaining: self.remaining, resets_at }
    }
}

/// What the service says is the time.
fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?.trim()).ok()
}

/// The time to wait that a header says: with units, in seconds, or up to a time since 1970
/// in seconds or milliseconds.
fn until_reset(text: &str, now: SystemTime) -> Option<Duration> {
    let Ok(number) = text.parse::<f64>() else { return with_units(text) };
    let seconds = if number >= MILLIS_SINCE_1970 { number / 1000.0 } else { number };
    let span = Duration::try_from_secs_f64(seconds).ok()?;
    if seconds < SINCE_1970 {
        return Some(span);
    }
    let then = UNIX_EPOCH.checked_add(span)?;
    // What is past is no time to wait.
    Some(then.duration_since(now).unwrap_or_default())
}

/// Reads `6m0s`, `1m30.951s`, `20ms`.
fn with_units(text: &str) -> Option<Duration> {
    let (mut sum, mut left) = (Duration::ZERO, text);
    while !left.is_empty() {
        let (number, after) = left.split_at(left.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let seconds = number.parse::<f64>().ok()? * seconds_of(unit.trim())?;
        sum = sum.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        left = after;
    }
    (!text.is_empty()).then_some(sum)
}

fn seconds_of(unit: &str) -> Option<f64> {
    match unit {
        "d" => Some(86_400.0),
        "h" => Some(3600.0),
        "m" => Some(60.0),
        "s" => Some(1.0),
        "ms" => Some(1e-3),
        "us" => Some(1e-6),
        "ns" => Some(1e-9),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    /// 14 November 2023, 22:13:20.
    const NOW: u64 = 1_700_000_000;

    struct Fixed(Instant);

    impl Clock for Fixed {
        fn now(&self) -> SystemTime {
            at(0)
        }

        fn instant(&self) -> Instant {
            self.0
        }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW + seconds)
    }

    fn kept() -> (Kept, Instant) {
        let instant = Instant::now();
        (Kept::new("m".to_owned(), Arc::new(Fixed(instant))), instant)
    }

    fn headers<const N: usize>(fields: [(&'static str, &'static str); N]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
    }

    fn allowance(limit: u64, remaining: u64, resets_in: u64) -> Allowance {
        Allowance { limit: Some(limit), remaining: Some(remaining), resets_at: Some(at(resets_in)) }
    }

    #[test]
    fn the_time_of_a_reset_is_read_in_each_form() {
        for (text, millis) in [
            ("1s", 1_000),
            ("6m0s", 360_000),
            ("20ms", 20),
            ("1m30.951s", 90_951),
            ("1h2m3s", 3_723_000),
            ("2d", 172_800_000),
            ("7.66s", 7_660),
            ("1500us", 1),
            ("12", 12_000),
            ("0.25", 250),
            ("0", 0),
            ("1700000030", 30_000),
            ("1700000030500", 30_500),
            ("1600000000", 0),
        ] {
            let read = until_reset(text, at(0)).unwrap_or_else(|| panic!("{text} is a time"));
            assert_eq!(read.as_millis(), millis, "{text}");
        }
        for nonsense in
            ["", "soon", "s", "-3", "-3s", "5 parsecs", "1m30", "1..5s", "inf", "nan", "1e999", "1e300", "1s;w=60"]
        {
            assert_eq!(until_reset(nonsense, at(0)), None, "{nonsense}");
        }
    }

    #[test]
    fn requests_and_tokens_are_told_apart() {
        let (kept, _) = kept();
        let fields = [
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "59"),
            ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-limit-tokens", "150000"),
            ("x-ratelimit-remaining-tokens", " 149984 "),
            ("x-ratelimit-reset-tokens", "6m0s"),
            ("x-ratelimit-limit", "1"),
        ];
        assert_eq!(kept.heed(&headers(fields)), None);
        let (requests, tokens) = (Some(allowance(60, 59, 1)), Some(allowance(150_000, 149_984, 360)));
        let quota = Quota { model: "m".to_owned(), told_at: at(0), requests, tokens, used_up: None };
        assert_eq!(kept.last(), Some(quota));
    }

    #[test]
    fn a_reset_at_a_time_is_measured_by_the_clock_of_the_service() {
        let (kept, instant) = kept();
        let fields = [
            ("x-ratelimit-limit", "50"),
            ("x-ratelimit-remaining", "0"),
            // 40 seconds after the host's time, and 90 after the time of the service.
            ("x-ratelimit-reset", "1700000040000"),
            ("date", "Tue, 14 Nov 2023 22:12:30 GMT"),
        ];
        let wait = Duration::from_secs(90);
        assert_eq!(kept.heed(&headers(fields)), Some(wait));
        let quota = kept.last().expect("it is kept");
        assert_eq!((quota.requests, quota.tokens), (Some(allowance(50, 0, 90)), None));
        assert_eq!(quota.used_up, Some(UsedUp { time: at(90), instant: instant + wait }));
        let [limit, remaining, reset, _] = fields;
        assert_eq!(kept.heed(&headers([limit, remaining, reset])), Some(Duration::from_secs(40)), "by the host's own");
    }

    #[test]
    fn the_longest_of_what_is_used_up_counts_and_what_is_left_ends_it() {
        let (kept, instant) = kept();
        let used_up = [
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "2s"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", "5s"),
        ];
        let rest = |kept: &Kept| kept.last().expect("it is kept").rest(instant);
        assert_eq!(kept.heed(&headers(used_up)), Some(Duration::from_secs(5)));
        assert_eq!(rest(&kept), Duration::from_secs(5));
        kept.rests_for(Duration::from_secs(3));
        assert_eq!(rest(&kept), Duration::from_secs(3), "a part may be enough");
        assert_eq!(kept.heed(&headers([])), None);
        assert_eq!(rest(&kept), Duration::from_secs(3), "nothing was said");
        assert_eq!(kept.heed(&headers([("x-ratelimit-remaining-requests", "1")])), None);
        assert_eq!(rest(&kept), Duration::ZERO);
    }

    #[test]
    fn a_quota_that_is_long_gone_is_shown_so_and_asked_for_again_soon() {
        let (kept, instant) = kept();
        let month = Duration::from_hours(30 * 24);
        let used_up = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2592000")];
        assert_eq!(kept.heed(&headers(used_up)), Some(month));
        let expected = Some(UsedUp { time: at(2_592_000), instant: instant + LONGEST_REST });
        assert_eq!(kept.last().expect("it is kept").used_up, expected);
        kept.rests_for(month);
        let quota = kept.last().expect("it is kept");
        assert_eq!(quota.used_up, expected);
        assert_eq!((quota.rest(instant), quota.rest(instant + LONGEST_REST)), (LONGEST_REST, Duration::ZERO));
    }

    #[test]
    fn what_cannot_be_read_is_as_if_it_were_not_there() {
        let (kept, instant) = kept();
        for (limit, remaining, reset) in [("-1", "-1", "0"), ("many", "", "1s"), ("10, 10;w=60", "1.5", "60")] {
            let fields =
                [("x-ratelimit-limit", limit), ("x-ratelimit-remaining", remaining), ("x-ratelimit-reset", reset)];
            assert_eq!(kept.heed(&headers(fields)), None);
            assert_eq!(kept.last(), None, "{limit} {remaining}");
        }
        // The number is read, and its time is not: nobody waits for what nobody knows.
        for reset in ["soon", "-1", "0s", "32d", "4102444800"] {
            assert_eq!(kept.heed(&headers([("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset)])), None);
            let quota = kept.last().expect("it is kept");
            assert_eq!(quota.requests.and_then(|requests| requests.remaining), Some(0), "{reset}");
            assert_eq!(quota.rest(instant), Duration::ZERO, "{reset}");
        }
        kept.rests_for(Duration::MAX);
        assert_eq!(kept.last().expect("it is kept").used_up, None);
    }
}

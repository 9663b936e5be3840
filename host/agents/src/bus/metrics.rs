//! How the host stands, in numbers.

use std::time::{Duration, SystemTime};

use bailiwick_domain::model::{Allowance, Quota};
use bailiwick_domain::run::Spend;
use serde_json::{Value, json};

use super::Told;
use crate::scheduler::queue::{ClassSnapshot, QueueSnapshot};

/// Where numbers of the host belong.
const TOPIC: &str = "metrics";

/// The last second that a time as text has a form for: the end of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// What is told of a host that has so many open runs, the queue of which stands so, and the
/// runs of which took `spent` since it started, that could hand on all but so many spans, and
/// to which providers of models said that so much of their quotas is left. But for the time,
/// it is equal where nothing changed.
pub(crate) fn metrics(
    queue: &QueueSnapshot,
    open_runs: usize,
    spent: &Spend,
    spans_lost: u64,
    quotas: &[Quota],
    at: u64,
) -> Told {
    let class = |class: &ClassSnapshot| json!({ "waiting": class.waiting, "running": class.running });
    let data = json!({
        "queue": {
            "interactive": class(&queue.classes.interactive),
            "normal": class(&queue.classes.normal),
            "batch": class(&queue.classes.batch),
        },
        "places": queue.total,
        "ceiling": queue.ceiling,
        "open_runs": open_runs,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "usd": spent.usd.dollars(),
        "spans_lost": spans_lost,
        "quota": quotas.iter().map(quota).collect::<Vec<_>>(),
    });
    Told { topic: TOPIC.to_owned(), name: "metrics.updated", at, run: None, data }
}

/// What providers don't say is null.
fn quota(quota: &Quota) -> Value {
    json!({
        "model": quota.model,
        "told_at": text(quota.told_at),
        "requests": quota.requests.map(allowance),
        "tokens": quota.tokens.map(allowance),
        "used_up_until": quota.used_up.map(|used_up| text(used_up.time)),
    })
}

fn allowance(allowance: Allowance) -> Value {
    let resets_at = allowance.resets_at.map(text);
    json!({ "limit": allowance.limit, "remaining": allowance.remaining, "resets_at": resets_at })
}

/// A time as clients are told it, or the nearest that can be written.
fn text(time: SystemTime) -> String {
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(LAST_SECOND);
    humantime::format_rfc3339_millis(time.clamp(SystemTime::UNIX_EPOCH, last)).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bailiwick_domain::model::UsedUp;

    use super::*;

    #[test]
    fn a_quota_is_told_with_what_its_provider_said_of_it() {
        let at = |millis: u64| SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + millis);
        let told = quota(&Quota {
            model: "small".to_owned(),
            told_at: at(0),
            requests: Some(Allowance { limit: Some(60), remaining: Some(0), resets_at: Some(at(1500)) }),
            tokens: Some(Allowance { remaining: Some(7), ..Allowance::default() }),
            used_up: Some(UsedUp { time: at(1500), instant: Instant::now() }),
        });
        let expected = json!({
            "model": "small",
            "told_at": "2023-11-14T22:13:20.000Z",
            "requests": { "limit": 60, "remaining": 0, "resets_at": "2023-11-14T22:13:21.500Z" },
            "tokens": { "limit": null, "remaining": 7, "resets_at": null },
            "used_up_until": "2023-11-14T22:13:21.500Z",
        });
        assert_eq!(told, expected);
    }

    #[test]
    fn a_time_that_no_text_says_is_told_as_the_nearest() {
        let second = Duration::from_secs(1);
        assert_eq!(text(SystemTime::UNIX_EPOCH - second), "1970-01-01T00:00:00.000Z");
        let last = SystemTime::UNIX_EPOCH + Duration::from_secs(LAST_SECOND);
        assert_eq!(text(last + second), "9999-12-31T23:59:59.000Z");
    }
}

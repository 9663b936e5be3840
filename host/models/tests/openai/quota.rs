//! What a service says of its quota, in answers and in refusals.

use std::time::{Duration, Instant, UNIX_EPOCH};

use bailiwick_domain::model::{Allowance, Model as _, ModelFailure, Quota, Unheard};

use crate::server::{NOW, Script, Server, client, request};

const ANSWER: &str = "{\"choices\":[{\"message\":{\"content\":\"Well.\"},\"finish_reason\":\"stop\"}]}";

/// What came of asking a service that answers so, and what is known of its quota then.
async fn asked(status: &str, headers: &str, body: &str) -> (Result<String, ModelFailure>, Vec<Quota>) {
    let server = Server::new(Script::status(status, headers, body)).await;
    let client = client(server.options());
    assert!(client.quotas().is_empty(), "nothing was said yet");
    let answer = client.chat(&request(), &Unheard).await;
    (answer.map(|answer| answer.text), client.quotas())
}

fn wait_of(answer: Result<String, ModelFailure>) -> Option<Duration> {
    match answer {
        Err(ModelFailure::RateLimited { retry_after, .. }) => retry_after,
        other => panic!("the service has too many requests: {other:?}"),
    }
}

/// As near as a test comes to it, which may be slow.
fn is_about(rest: Duration, seconds: u64) -> bool {
    let expected = Duration::from_secs(seconds);
    rest <= expected && rest > expected.saturating_sub(Duration::from_secs(30))
}

#[tokio::test]
async fn an_answer_says_what_is_left() {
    let headers = "X-RateLimit-Limit-Requests: 60\r\nX-RateLimit-Remaining-Requests: 59\r\n\
        X-RateLimit-Reset-Requests: 1s\r\nx-ratelimit-remaining-tokens: 7\r\n";
    let (answer, quotas) = asked("200 OK", headers, ANSWER).await;
    assert_eq!(answer, Ok("Well.".to_owned()));
    let resets_at = Some(UNIX_EPOCH + Duration::from_secs(NOW + 1));
    let expected = Quota {
        model: "acme/small".to_owned(),
        told_at: UNIX_EPOCH + Duration::from_secs(NOW),
        requests: Some(Allowance { limit: Some(60), remaining: Some(59), resets_at }),
        tokens: Some(Allowance { limit: None, remaining: Some(7), resets_at: None }),
        used_up: None,
    };
    assert_eq!(quotas, [expected]);
    assert!(asked("200 OK", "", ANSWER).await.1.is_empty(), "most say nothing");
}

#[tokio::test]
async fn an_answer_may_be_the_last_for_a_while() {
    let headers = "x-ratelimit-limit: 50\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1700000090000\r\n";
    let (answer, quotas) = asked("200 OK", headers, ANSWER).await;
    assert_eq!(answer, Ok("Well.".to_owned()));
    let rest = quotas[0].rest(Instant::now());
    assert!(is_about(rest, 90), "{rest:?}");
}

#[tokio::test]
async fn a_refusal_says_when_to_come_again_by_either_header() {
    let quota = "x-ratelimit-remaining-tokens: 0\r\nx-ratelimit-reset-tokens: 6m0s\r\n";
    let (answer, quotas) = asked("429 Too Many Requests", quota, "slow down").await;
    assert_eq!(wait_of(answer), Some(Duration::from_mins(6)));
    assert!(is_about(quotas[0].rest(Instant::now()), 360), "{quotas:?}");

    let both = format!("retry-after: 100\r\n{quota}");
    let (answer, quotas) = asked("429 Too Many Requests", &both, "slow down").await;
    assert_eq!(wait_of(answer), Some(Duration::from_secs(100)));
    assert!(is_about(quotas[0].rest(Instant::now()), 100), "what is asked for counts: {quotas:?}");

    let (answer, quotas) = asked("429 Too Many Requests", "retry-after: 100\r\n", "slow down").await;
    assert_eq!(wait_of(answer), Some(Duration::from_secs(100)));
    assert_eq!((quotas[0].requests, quotas[0].tokens), (None, None));
    assert!(is_about(quotas[0].rest(Instant::now()), 100), "{quotas:?}");
}

#[tokio::test]
async fn a_limit_that_no_waiting_lifts_is_not_waited_for() {
    let body = "{\"error\":{\"message\":\"pay\",\"code\":\"insufficient_quota\"}}";
    let (answer, quotas) = asked("429 Too Many Requests", "retry-after: 100\r\n", body).await;
    assert!(matches!(answer, Err(ModelFailure::Payment(_))), "{answer:?}");
    assert!(quotas.is_empty(), "{quotas:?}");
}

//! State: that of other skills is not to be had, and there is an end to one's own.

use bailiwick_domain::quota::StateQuota;
use std::sync::Arc;

use bailiwick_domain::sandbox::Outcome;
use bailiwick_domain::state::StateStore;
use bailiwick_journal::Journal;

use super::scene::{Scene, peak_of};
use crate::sandbox::lab::{error, failure};

/// Bytes that the host may take for one call, beside those of the guest. The engine's pages have
/// 64 MiB, and the allocator gives back what was freed after a second.
const MODEST: u64 = 160 << 20;

// Another skill has a secret in its state.
cases! { refused:
    open_other => "each was refused",
    key_of_another => "none of them is there",
    keys_of_another => "no keys",
    cursor_forged => "each was refused",
    cursor_flood => "Other after 99",
    long_key => "Other",
    large_value => "Other",
    fill_the_disk => "Other at 63",
    many_in_a_batch => "Other",
    one_key_a_thousand_times => "Other",
    increment_text => "Other",
    increment_past_the_end => "Other",
}

async fn refused(case: &str, expected: &str) {
    let (outcome, peak) = peak_of(attack(true, case)).await;
    assert_eq!(failure(&outcome), expected);
    assert!(peak < MODEST + outcome.usage.memory_bytes, "{} MiB", peak >> 20);
}

#[tokio::test]
async fn open() {
    let outcome = attack(false, "open").await;
    assert_eq!(failure(&outcome), "AccessDenied");
    assert_eq!(outcome.denials.iter().map(|denial| denial.capability).collect::<Vec<_>>(), ["state"]);
    assert_eq!(outcome.usage.host_calls, 0);
}

/// What a refusal keeps of a request goes into the receipt, the log and the answer.
#[tokio::test]
async fn open_long() {
    for granted in [false, true] {
        let (outcome, peak) = peak_of(attack(granted, "open_long")).await;
        assert_eq!(failure(&outcome), "each was refused");
        let kept: usize = outcome.denials.iter().map(|denial| denial.request.len()).sum();
        assert!(kept < 32 << 10, "{kept} bytes of requests are kept");
        assert!(peak < MODEST + outcome.usage.memory_bytes, "{} MiB", peak >> 20);
    }
}

#[tokio::test]
async fn bucket_handles() {
    assert_eq!(error(attack(true, "bucket_handles").await).code(), "guest-trapped");
}

async fn attack(granted: bool, case: &str) -> Outcome {
    let mut scene = Scene::of("state");
    scene.terms.state = granted.then_some(StateQuota::MOST);
    let other = "tests/other".parse().unwrap();
    let store: &Arc<Journal> = &scene.lab.journal;
    store.set(&other, "secret", b"the secret", StateQuota::MOST).unwrap();
    let outcome = scene.attack(case, "").await;
    assert_eq!(store.get(&other, "secret").unwrap().as_deref(), Some(&b"the secret"[..]));
    assert!(!format!("{:?}", outcome.result).contains("the secret"), "{outcome:?}");
    if !granted {
        assert_eq!(store.keys(&scene.terms.skill, None, 10).unwrap(), Vec::<String>::new());
    }
    outcome
}

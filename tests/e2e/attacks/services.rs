//! Other skills, models, questions and reports: only those that were granted, and no
//! more of them than anybody can bear.

use bailiwick_domain::authority::SkillRule;
use bailiwick_domain::sandbox::{InvokeError, Outcome};
use bailiwick_domain::skill_id::SkillSelector;

use super::scene::Scene;
use crate::sandbox::lab::{error, failure};

/// The skill that is granted, which nobody serves here.
const GRANTED: &str = "tests/granted";

#[tokio::test]
async fn skill_not_granted() {
    for target in ["tests/other", "tests/granted-not", "tests/other@1.0.0"] {
        let outcome = scene().attack("skill_not_granted", target).await;
        assert_eq!(failure(&outcome), "Denied", "{target}");
        expect_denied(&outcome, "skill", target, "no granted skill is this one");
        assert_eq!(outcome.used, Vec::<String>::new());
    }
    let mut nothing = scene();
    nothing.terms.skills.clear();
    let outcome = nothing.attack("skill_not_granted", GRANTED).await;
    expect_denied(&outcome, "skill", GRANTED, "no granted skill is this one");
    // What is no name of a skill is none of a granted one either.
    for target in ["", "tests/granted/../other", "TESTS/GRANTED", "tests/granted@", "tests/granted\0"] {
        assert_eq!(failure(&scene().attack("skill_not_granted", target).await), "NotFound", "{target:?}");
    }
}

#[tokio::test]
async fn arguments_that_are_none() {
    let outcome = scene().attack("arguments_that_are_none", GRANTED).await;
    assert_eq!(failure(&outcome), "InvalidArguments");
    assert_eq!(outcome.used, Vec::<String>::new(), "nobody was called");
}

#[tokio::test]
async fn skill_flood() {
    let mut scene = scene();
    scene.terms.limits.skill_calls = 7;
    let outcome = scene.attack("skill_flood", GRANTED).await;
    assert_eq!(failure(&outcome), "Limit");
    assert_eq!(outcome.usage.skill_calls, 7);
    expect_denied(&outcome, "skill", GRANTED, "the call's limit `skill_calls` of 7 is reached");
}

#[tokio::test]
async fn skills_at_once() {
    let mut scene = scene();
    scene.terms.limits.skill_calls = 20;
    let outcome = scene.attack("skills_at_once", GRANTED).await;
    assert_eq!(failure(&outcome), "20 made");
    assert_eq!(outcome.usage.skill_calls, 20);
}

#[tokio::test]
async fn model_not_granted() {
    let outcome = scene().attack("model_not_granted", "other").await;
    assert_eq!(failure(&outcome), "Denied");
    expect_denied(&outcome, "model", "other", "no granted model is this one");
    let outcome = scene().attack("model_not_granted", "granted").await;
    assert_eq!(failure(&outcome), "NoModel", "the granted one is asked for, and is not there");
    assert_eq!(outcome.used, ["model granted"]);
}

#[tokio::test]
async fn model_flood() {
    let mut scene = scene();
    scene.terms.limits.model_calls = 5;
    let outcome = scene.attack("model_flood", "granted").await;
    assert_eq!(failure(&outcome), "Limit");
    assert_eq!(outcome.usage.model_calls, 5);
}

#[tokio::test]
async fn question_flood() {
    let outcome = scene().attack("question_flood", "").await;
    assert_eq!(failure(&outcome), "Limit");
    assert_eq!(outcome.denials.last().map(|denial| denial.capability), Some("approval"));
}

#[tokio::test]
async fn question_that_is_huge() {
    assert_eq!(failure(&scene().attack("question_that_is_huge", "").await), "InvalidQuestion");
}

#[tokio::test]
async fn question_that_steers_a_terminal() {
    assert_eq!(failure(&scene().attack("question_that_steers_a_terminal", "").await), "InvalidQuestion");
}

#[tokio::test]
async fn progress_flood() {
    let mut scene = scene();
    scene.terms.limits.host_calls = 500;
    let outcome = scene.attack("progress_flood", "").await;
    assert_eq!(outcome.usage.host_calls, 500);
    assert_eq!(error(outcome), InvokeError::Limit { limit: "host_calls", max: 500 });
}

#[tokio::test]
async fn log_flood() {
    let mut scene = scene();
    scene.terms.limits.log_bytes = 200_000;
    let outcome = scene.attack("log_flood", "").await;
    assert!(outcome.log.len() < 70_000, "{} bytes are kept", outcome.log.len());
    assert_eq!(error(outcome), InvokeError::Limit { limit: "log", max: 200_000 });
}

/// A guest that was granted one skill and one model.
fn scene() -> Scene {
    let mut scene = Scene::of("services");
    let granted: SkillSelector = GRANTED.parse().unwrap();
    scene.terms.skills = vec![SkillRule::of(&granted, &granted).unwrap()];
    scene.terms.models = vec!["granted".to_owned()];
    scene
}

#[track_caller]
fn expect_denied(outcome: &Outcome, capability: &str, request: &str, reason: &str) {
    let denial = outcome.denials.last().unwrap();
    assert_eq!((denial.capability, &*denial.request, &*denial.reason), (capability, request, reason));
}

//! Calls that a person has to approve.

use std::time::Duration;

use bailiwick_domain::invocation::{Invocation, Principal, RunStep};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::permit;
use bailiwick_domain::run::RunId;
use bailiwick_domain::workspace::WorkspaceKey;
use serde_json::json;

use super::support::{APPROVAL_LIFETIME, Host, Site, everything, in_time, invocation};
use crate::approvals::{Answer, Approval, ApprovalError, Approved, State, Uses};
use crate::execute::ExecuteError;
use crate::grants::NewGrant;
use crate::policy::{Now, Policy, PolicyOptions, Wish};

fn host() -> Host {
    let mut site = Site::new().with("p");
    site.policy = PolicyOptions { require_approval_tags: ["writes".to_owned()].into(), ..PolicyOptions::default() };
    let host = site.open();
    host.grant("demo/p");
    host
}

/// The question that a call becomes.
async fn asked(host: &Host, invocation: Invocation) -> Approval {
    match host.execute(invocation).await {
        Err(ExecuteError::ApprovalPending(approval)) => *approval,
        other => panic!("expected a question, found {other:?}"),
    }
}

const fn yes() -> Answer {
    Answer::Approve { uses: Uses::Once, arguments: None, reason: None }
}

async fn answer(host: &Host, approval: &Approval, answer: Answer) -> Result<Approval, ApprovalError> {
    host.approvals.answer(&approval.id, answer, "cli:ada").await
}

#[tokio::test]
async fn nothing_runs_before_a_person_approves_and_then_once() {
    let host = host();
    let approval = asked(&host, invocation("demo/p")).await;
    assert_eq!(approval.tags, ["writes"]);
    assert_eq!(asked(&host, invocation("demo/p")).await.id, approval.id, "one question is asked once");
    assert_eq!(host.sandbox.calls(), 0);
    let approved = answer(&host, &approval, yes()).await.expect("it is open");
    assert_eq!((approved.state, approved.decided_by.as_deref()), (State::Approved, Some("cli:ada")));
    host.call("demo/p").await.expect("it is approved");
    assert_eq!(host.sandbox.calls(), 1);
    assert_eq!(host.approvals.get(&approval.id).expect("kept").state, State::Used);
    assert_ne!(asked(&host, invocation("demo/p")).await.id, approval.id, "another call is another question");
    assert_eq!(host.sandbox.calls(), 1);
    let again = answer(&host, &approval, yes()).await.expect_err("settled");
    assert!(matches!(again, ApprovalError::Settled { state: State::Used, .. }));
    let chain = host.audit.chain(0, 100).expect("the chain");
    let kinds = ["approval-requested", "approval-given", "approval-used"];
    for kind in kinds {
        assert!(chain.iter().any(|entry| entry.record.contains(kind)), "{kind}");
    }
    assert!(chain.iter().any(|entry| {
        entry.record.contains("\"kind\":\"call\"")
            && entry.record.contains(&format!("\"approval\":\"{}\"", approval.id))
    }));
}

#[tokio::test]
async fn a_call_that_a_person_approved_shares_no_workspace() {
    let host = host();
    let approval = asked(&host, invocation("demo/p")).await;
    answer(&host, &approval, yes()).await.expect("it is open");
    let approved = host.approvals.use_for(&approval.id, "key:ci").await.expect("it is approved");
    let (skill, grants) = (host.skill("demo/p"), host.grants.current());
    let key = WorkspaceKey { run: RunId::from_bytes(&[1; 16]), task: 3, agent: "ada".to_owned() };
    let shared = |options: PolicyOptions, approved: Option<&Approved>| {
        let policy = Policy::new(permit::authority().0, options);
        let wish = Wish { workspace: Some(&key), ..Wish::default() };
        let now = Now::by(&*host.site.clock);
        let decision = policy.decide(&skill, &skill.tools[0], &grants, approved, wish, now).expect("allowed");
        assert!(decision.terms.workspace.is_some(), "it has one of its own");
        decision.permit.workspace().cloned()
    };
    assert_eq!(shared(host.site.policy.clone(), Some(&approved)), None);
    assert_eq!(shared(PolicyOptions::default(), None), Some(key.clone()), "nobody had to be asked");
}

#[tokio::test]
async fn an_approval_is_for_these_arguments_this_caller_and_this_grant() {
    let host = host();
    let approval = asked(&host, invocation("demo/p")).await;
    answer(&host, &approval, yes()).await.expect("it is open");
    let other = Invocation { arguments: json!({ "text": "other" }), ..invocation("demo/p") };
    assert_ne!(asked(&host, other).await.id, approval.id);
    let stranger = Invocation { principal: Principal { name: "key:other".into() }, ..invocation("demo/p") };
    assert_ne!(asked(&host, stranger).await.id, approval.id);
    let mut new = everything(&host.site.data("work"));
    new.capabilities.state = None;
    host.grants.add(&host.skill("demo/p"), new).expect("another grant");
    assert_ne!(asked(&host, invocation("demo/p")).await.id, approval.id);
    assert_eq!(host.sandbox.calls(), 0);
}

#[tokio::test]
async fn a_denied_call_stays_denied_until_the_question_is_old() {
    let host = host();
    let approval = asked(&host, invocation("demo/p")).await;
    let no = Answer::Deny { reason: Some("wrong day".to_owned()) };
    answer(&host, &approval, no).await.expect("it is open");
    let error = host.call("demo/p").await.expect_err("denied");
    assert_eq!(error.code(), "approval-denied");
    assert!(error.to_string().contains("wrong day"), "{error}");
    assert_eq!(host.sandbox.calls(), 0);
    host.site.clock.advance(APPROVAL_LIFETIME);
    assert_ne!(asked(&host, invocation("demo/p")).await.id, approval.id);
}

#[tokio::test]
async fn questions_and_approvals_expire() {
    let host = host();
    let approval = asked(&host, invocation("demo/p")).await;
    host.site.clock.advance(APPROVAL_LIFETIME);
    let late = answer(&host, &approval, yes()).await.expect_err("too late");
    assert!(matches!(late, ApprovalError::Settled { state: State::Expired, .. }));
    let second = asked(&host, invocation("demo/p")).await;
    answer(&host, &second, yes()).await.expect("it is open");
    host.site.clock.advance(APPROVAL_LIFETIME);
    assert_ne!(asked(&host, invocation("demo/p")).await.id, second.id);
    assert_eq!(host.sandbox.calls(), 0);
}

fn run(number: u8) -> RunId {
    RunId::from_bytes(&[number; 16])
}

/// The call, as a step of the run makes it.
fn of_run(host: &Host, number: u8) -> Invocation {
    let digest = host.skill("demo/p").digest;
    let step = RunStep { run: run(number), step: 3, digest, budget: LimitsRequest::default(), workspace: None };
    Invocation { run: Some(Box::new(step)), ..invocation("demo/p") }
}

#[tokio::test]
async fn a_question_of_a_run_is_nobody_elses_and_so_is_the_yes() {
    let host = host();
    let first = asked(&host, of_run(&host, 1)).await;
    assert_eq!(first.run, Some(run(1)));
    let second = asked(&host, of_run(&host, 2)).await;
    let outside = asked(&host, invocation("demo/p")).await;
    assert_eq!(asked(&host, of_run(&host, 1)).await.id, first.id, "one question is asked once");
    assert!(first.id != second.id && second.id != outside.id && outside.id != first.id);
    answer(&host, &first, yes()).await.expect("it is open");
    assert_eq!(asked(&host, of_run(&host, 2)).await.id, second.id);
    assert_eq!(asked(&host, invocation("demo/p")).await.id, outside.id);
    assert_eq!(host.sandbox.calls(), 0);
    host.execute(of_run(&host, 1)).await.expect("it is approved");
    assert_eq!(host.sandbox.calls(), 1);
}

#[tokio::test]
async fn a_yes_until_expiry_and_a_no_are_for_all_runs() {
    let host = host();
    let first = asked(&host, of_run(&host, 1)).await;
    let said = Answer::Approve { uses: Uses::UntilExpiry, arguments: None, reason: None };
    answer(&host, &first, said).await.expect("it is open");
    host.executor.end_run(&run(1)).await;
    host.execute(of_run(&host, 2)).await.expect("it is approved");
    host.site.clock.advance(APPROVAL_LIFETIME);
    let second = asked(&host, of_run(&host, 2)).await;
    answer(&host, &second, Answer::Deny { reason: None }).await.expect("it is open");
    assert_eq!(host.execute(of_run(&host, 3)).await.expect_err("denied").code(), "approval-denied");
}

#[tokio::test]
async fn what_a_run_asked_is_withdrawn_with_it_and_nothing_else_is() {
    let host = host();
    let first = asked(&host, of_run(&host, 1)).await;
    let second = asked(&host, of_run(&host, 2)).await;
    let outside = asked(&host, invocation("demo/p")).await;
    for (question, by) in [(&outside, 1), (&second, 1), (&first, 2)] {
        assert!(!host.approvals.withdraw(&question.id, &run(by)).await.expect("kept"), "it is another's");
    }
    assert!(!host.approvals.withdraw("apr_none", &run(1)).await.expect("kept"));
    assert_eq!(host.executor.runs(), [run(1), run(2)]);
    host.executor.end_run(&run(1)).await;
    let host = host.restart();
    let state = |approval: &Approval| host.approvals.get(&approval.id).expect("kept").state;
    assert_eq!([&first, &second, &outside].map(state), [State::Withdrawn, State::Pending, State::Pending]);
    assert_eq!(host.executor.runs(), [run(2)]);
    let late = answer(&host, &first, yes()).await.expect_err("nobody waits");
    assert!(matches!(late, ApprovalError::Settled { state: State::Withdrawn, .. }));
    assert!(!host.approvals.withdraw(&first.id, &run(1)).await.expect("kept"), "once is enough");
    assert_ne!(asked(&host, of_run(&host, 1)).await.id, first.id, "a run that is tried again asks anew");
    let records = host.audit.chain(0, 100).expect("the chain");
    let of_it = |record: &str| record.contains("approval-withdrawn") && record.contains(&first.id);
    assert_eq!(records.iter().filter(|entry| of_it(&entry.record)).count(), 1);
}

#[tokio::test]
async fn a_yes_that_no_call_used_is_withdrawn_too() {
    let host = host();
    let question = asked(&host, of_run(&host, 1)).await;
    answer(&host, &question, yes()).await.expect("it is open");
    assert!(host.approvals.withdraw(&question.id, &run(1)).await.expect("kept"));
    let unusable = host.approvals.use_up(&question.id, "key:ci").await.expect_err("it counts for none");
    assert!(matches!(unusable, ApprovalError::Settled { state: State::Withdrawn, .. }));
    assert_ne!(asked(&host, of_run(&host, 1)).await.id, question.id);
    assert_eq!(host.sandbox.calls(), 0);
}

#[tokio::test]
async fn edited_arguments_run_in_place_of_the_callers() {
    let host = host();
    let approval = asked(&host, invocation("demo/p")).await;
    let edited = json!({ "text": "milder words" });
    let said = Answer::Approve { uses: Uses::Once, arguments: Some(edited.clone()), reason: None };
    let approved = answer(&host, &approval, said).await.expect("it is open");
    assert_ne!(approved.binding(), approval.binding());
    let execution = host.call("demo/p").await.expect("it is approved");
    assert_eq!(execution.receipt.arguments, approved.binding());
    assert_eq!(host.sandbox.last().arguments, edited);
}

#[tokio::test]
async fn an_approval_until_expiry_holds_for_more_than_one_call() {
    let host = host();
    let approval = asked(&host, invocation("demo/p")).await;
    let said = Answer::Approve { uses: Uses::UntilExpiry, arguments: None, reason: None };
    answer(&host, &approval, said).await.expect("it is open");
    for _ in 0..3 {
        host.call("demo/p").await.expect("it is approved");
    }
    host.site.clock.advance(APPROVAL_LIFETIME);
    asked(&host, invocation("demo/p")).await;
    assert_eq!(host.sandbox.calls(), 3);
}

#[tokio::test]
async fn a_caller_can_wait_for_the_answer() {
    let host = host();
    let waiting = Invocation { approval_wait: Duration::from_secs(15), ..invocation("demo/p") };
    let executor = std::sync::Arc::clone(&host.executor);
    let call = tokio::spawn(async move { executor.execute(waiting).await });
    let pending = async {
        loop {
            if let Some(approval) = host.approvals.list().pop() {
                return approval;
            }
            tokio::task::yield_now().await;
        }
    };
    let approval = in_time(pending).await;
    answer(&host, &approval, yes()).await.expect("it is open");
    in_time(call).await.expect("no panic").expect("it is approved");
}

#[tokio::test]
async fn questions_and_answers_survive_a_restart() {
    let host = host();
    let first = asked(&host, invocation("demo/p")).await;
    let host = host.restart();
    assert_eq!(asked(&host, invocation("demo/p")).await.id, first.id);
    answer(&host, &first, yes()).await.expect("it is open");
    let host = host.restart();
    host.call("demo/p").await.expect("it is approved");
    let host = host.restart();
    assert_ne!(asked(&host, invocation("demo/p")).await.id, first.id, "it was used before the restart");
}

#[tokio::test]
async fn many_calls_at_once_get_one_approval_among_them() {
    let host = host();
    let approval = asked(&host, invocation("demo/p")).await;
    answer(&host, &approval, yes()).await.expect("it is open");
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let executor = std::sync::Arc::clone(&host.executor);
        calls.spawn(async move { executor.execute(invocation("demo/p")).await.is_ok() });
    }
    let made = in_time(calls.join_all()).await.into_iter().filter(|made| *made).count();
    assert_eq!((made, host.sandbox.calls()), (1, 1));
}

#[tokio::test]
async fn many_calls_alike_at_once_are_one_question() {
    let host = host();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let executor = std::sync::Arc::clone(&host.executor);
        calls.spawn(async move { executor.execute(invocation("demo/p")).await.is_err() });
    }
    in_time(calls.join_all()).await;
    assert_eq!(host.approvals.list().len(), 1);
}

#[tokio::test]
async fn a_grant_for_one_call_is_used_up_by_it() {
    let host = Site::new().with("p").open();
    let new = NewGrant { one_shot: true, ..everything(&host.site.data("work")) };
    host.grants.add(&host.skill("demo/p"), new).expect("given");
    host.call("demo/p").await.expect("the first call");
    let error = host.call("demo/p").await.expect_err("the second");
    assert_eq!(error.code(), "grant-used-up");
    let host = host.restart();
    assert_eq!(host.call("demo/p").await.expect_err("after a restart too").code(), "grant-used-up");
    assert_eq!(host.grants.list().len(), 1, "it is kept to be seen");
}

#[tokio::test]
async fn accepted_risks_need_no_question() {
    let host = host();
    let mut new = everything(&host.site.data("work"));
    new.accepted_risks = ["writes".to_owned()].into();
    host.grants.add(&host.skill("demo/p"), new).expect("given");
    host.call("demo/p").await.expect("nobody is asked");
    assert!(host.approvals.list().is_empty());
}

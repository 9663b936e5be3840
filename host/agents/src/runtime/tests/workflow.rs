//! Runs that a workflow drives.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bailiwick_domain::authority::SkillRule;
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::model::ModelFailure;
use bailiwick_domain::run::{Action, RunOutcome, Status, StepResult, Strategy};
use bailiwick_domain::services::{ModelMessage, ModelRequest, ModelRole, Question, Services, SkillCall, Verdict};
use bailiwick_domain::skill_id::SkillSelector;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::world::{Act, Answer, Flow, World, submission, until, until_it};
use crate::runtime::{BudgetRequest, Submission, SubmitError};
use crate::scheduler::queue::PerClass;

/// A workflow that does what `flow` says.
fn flow<F, T>(flow: F) -> Flow
where
    F: Fn(Arc<dyn Services>) -> T + Send + Sync + 'static,
    T: Future<Output = Result<String, String>> + Send + 'static,
{
    Arc::new(move |services| Box::pin(flow(services)))
}

fn world(says: Answer, flow: Flow) -> World {
    let said = std::sync::Mutex::new(Some(says));
    let world = World::new(move |request| {
        if (request.max_tokens, request.temperature) != (Some(9), Some(0.5)) {
            return Answer::Say("What was asked for did not come along.");
        }
        said.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or(Answer::Say("Well."))
    });
    *world.skills.flow.lock().expect("no panic") = Some(flow);
    world
}

pub(super) fn driven() -> Submission {
    let strategy = Strategy::Workflow { skill: "demo/flow".parse().expect("a selector") };
    Submission { input: r#"{"what": "all"}"#.to_owned(), ..submission(strategy) }
}

/// A call of the tool `tool` by a workflow that has `left` of its time.
pub(super) fn call(tool: &str, n: u32, left: Duration) -> SkillCall {
    let skill: SkillSelector = "demo/files".parse().expect("a selector");
    SkillCall {
        allowed: SkillRule::of(&skill, &skill).expect("one skill"),
        skill,
        tool: Some(tool.to_owned()),
        arguments: json!({ "n": n }),
        budget: LimitsRequest { deadline: Some(left), ..LimitsRequest::default() },
    }
}

pub(super) const LONG: Duration = Duration::from_mins(1);

/// Two halves of which fit into no test.
const SHORT: Duration = Duration::from_millis(20);

fn request(left: Duration) -> ModelRequest {
    ModelRequest {
        model: "m".to_owned(),
        messages: vec![ModelMessage { role: ModelRole::User, content: "How is it?".to_owned() }],
        max_tokens: Some(9),
        temperature: Some(0.5),
        output_schema: None,
        tokens: 1000,
        deadline: left,
    }
}

fn question() -> Question {
    Question { summary: "Go on?".to_owned(), details: json!({ "cost": 3 }) }
}

/// Reads twice side by side, asks a model, deletes, and tells what came of all.
pub(super) async fn everything(services: Arc<dyn Services>) -> Result<String, String> {
    let (first, second) =
        futures::future::join(services.call_skill(call("read", 1, LONG)), services.call_skill(call("read", 2, LONG)))
            .await;
    let said = services.complete(request(LONG)).await.map_err(|error| error.to_string())?;
    let deleted = services.call_skill(call("delete", 3, LONG)).await;
    let word = |result: Result<String, _>| result.is_ok();
    let told = json!({
        "read": [word(first.result), word(second.result)],
        "said": said.text,
        "deleted": word(deleted.result),
    });
    Ok(told.to_string())
}

#[tokio::test]
async fn all_that_a_workflow_asks_for_is_a_step() {
    let world = world(Answer::Say("Well."), flow(everything));
    let host = world.host();
    let id = host.submit(driven()).await.expect("taken up").id;
    let run = until(&host, &id, Status::Completed).await;
    let Some(RunOutcome::Completed { output }) = &run.outcome else { panic!("{run:?}") };
    assert_eq!(*output, json!({ "read": [true, true], "said": "Well.", "deleted": true }));
    let kinds: Vec<&str> = run
        .steps
        .iter()
        .map(|step| match &step.action {
            Action::Drive { arguments, .. } => {
                assert_eq!(*arguments, json!({ "what": "all" }));
                "drive"
            }
            Action::Skill { tool, .. } => tool,
            Action::Complete { .. } => "model",
            _ => "?",
        })
        .collect();
    assert_eq!(kinds, ["drive", "read", "read", "model", "delete"]);
    assert_eq!((run.spend.steps, run.spend.input_tokens, run.spend.fuel), (5, 7, 15), "each step counts once");
    assert_eq!(world.skills.flows.load(Ordering::SeqCst), 1);
    for invocation in &*world.skills.invocations.lock().expect("no panic") {
        assert_eq!(invocation.run.as_ref().expect("a step").run, id);
    }
}

#[tokio::test]
async fn a_workflow_that_waits_for_a_person_is_put_away() {
    let world = world(
        Answer::Say("Well."),
        flow(|services| async move {
            let read = services.call_skill(call("read", 1, LONG)).await.result.map_err(|error| error.to_string())?;
            match services.ask(question(), SHORT).await {
                Ok(Verdict::Approved) => Ok(read),
                other => Err(json!(format!("{other:?}")).to_string()),
            }
        }),
    );
    let host = world.host();
    let id = host.submit(driven()).await.expect("taken up").id;
    until(&host, &id, Status::WaitingApproval).await;
    let without_place = async {
        while PerClass::from_fn(|class| host.queue().classes[class].running).sum() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), without_place).await.expect("its place is somebody else's");
    // A stop changes nothing of it.
    host.stop(Duration::ZERO).await;
    let host = world.host();
    host.recover().await.expect("readable");
    until(&host, &id, Status::WaitingApproval).await;
    world.skills.questions.answer_all(true);
    let run = until(&host, &id, Status::Completed).await;
    assert_eq!(run.outcome, Some(RunOutcome::Completed { output: Value::String("done".to_owned()) }));
    assert_eq!(world.skills.deeds(), 1, "what was read before is not read again");
    assert!(world.skills.flows.load(Ordering::SeqCst) >= 2, "it ran again to hear the answer");
    assert_eq!(world.skills.questions.used.load(Ordering::SeqCst), 1, "the yes is for nothing else");
    let asked = run.steps.iter().filter(|step| step.action.is_question()).count();
    assert_eq!(asked, 1, "the person is asked once");
}

#[tokio::test]
async fn what_a_person_denies_is_told_to_the_workflow() {
    let world = world(
        Answer::Say("Well."),
        flow(|services| async move {
            match services.ask(question(), LONG).await {
                Ok(Verdict::Denied(None)) => Ok("\"as you wish\"".to_owned()),
                other => Err(json!(format!("{other:?}")).to_string()),
            }
        }),
    );
    let host = world.host();
    let id = host.submit(driven()).await.expect("taken up").id;
    until(&host, &id, Status::WaitingApproval).await;
    world.skills.questions.answer_all(false);
    let run = until(&host, &id, Status::Completed).await;
    assert_eq!(run.outcome, Some(RunOutcome::Completed { output: Value::String("as you wish".to_owned()) }));
}

#[tokio::test]
async fn a_call_that_takes_long_outlives_the_component() {
    let world = world(
        Answer::Say("Well."),
        flow(|services| async move {
            let answer = services.call_skill(call("delete", 1, SHORT)).await;
            answer.result.map_err(|error| json!(error.to_string()).to_string())
        }),
    );
    world.skills.act("delete", Act::Ask);
    let host = world.host();
    let id = host.submit(driven()).await.expect("taken up").id;
    until(&host, &id, Status::WaitingApproval).await;
    tokio::time::sleep(SHORT * 3).await;
    world.skills.questions.answer_all(true);
    until(&host, &id, Status::Completed).await;
    assert_eq!(world.skills.deeds(), 1);
    assert!(world.skills.flows.load(Ordering::SeqCst) >= 2, "it was put away meanwhile");
}

#[tokio::test]
async fn a_workflow_that_asks_for_something_else_than_before_is_ended() {
    let begun = Arc::new(AtomicU32::new(0));
    let world = world(
        Answer::Say("Well."),
        flow(move |services| {
            let number = begun.fetch_add(1, Ordering::SeqCst);
            async move {
                let answer = services.call_skill(call("read", number, LONG)).await;
                drop(services.call_skill(call("delete", 7, LONG)).await);
                answer.result.map_err(|error| json!(error.to_string()).to_string())
            }
        }),
    );
    world.skills.act("delete", Act::Hang);
    let host = world.host();
    let id = host.submit(driven()).await.expect("taken up").id;
    until_it(&host, &id, |run| run.steps.len() == 3).await;
    host.stop(Duration::ZERO).await;
    let host = world.host();
    host.recover().await.expect("readable");
    until(&host, &id, Status::Interrupted).await;
    host.resume(&id, "me", false).await.expect("it can be");
    let run = until(&host, &id, Status::Failed).await;
    let Some(RunOutcome::Failed { code, message, .. }) = &run.outcome else { panic!("{run:?}") };
    assert_eq!(code, "REPLAY_DIVERGED");
    assert!(message.contains("`read` of `demo/files`") && message.contains("(step 1)"), "{message}");
    assert!(world.skills.deeds() <= 2, "nothing more was called");
}

#[tokio::test]
async fn a_call_that_was_cut_off_is_told_as_one_of_which_nobody_knows() {
    let world = world(
        Answer::Say("Well."),
        flow(|services| async move {
            let answer = services.call_skill(call("delete", 1, LONG)).await;
            Ok(json!(answer.result.map_err(|error| error.to_string())).to_string())
        }),
    );
    world.skills.act("delete", Act::Hang);
    let host = world.host();
    let id = host.submit(driven()).await.expect("taken up").id;
    until_it(&host, &id, |run| run.steps.len() == 2).await;
    while world.skills.deeds() == 0 {
        tokio::task::yield_now().await;
    }
    host.stop(Duration::ZERO).await;
    let host = world.host();
    host.recover().await.expect("readable");
    until(&host, &id, Status::Interrupted).await;
    host.resume(&id, "me", false).await.expect("it can be");
    let run = until(&host, &id, Status::Completed).await;
    let Some(RunOutcome::Completed { output }) = &run.outcome else { panic!("{run:?}") };
    assert!(output["Err"].as_str().is_some_and(|text| text.contains("INTERRUPTED")), "{output}");
    assert_eq!(world.skills.deeds(), 1);
}

#[tokio::test]
async fn a_failed_workflow_is_retried_from_what_it_knows() {
    let failure = ModelFailure::Payment("no money".to_owned());
    let world = world(
        Answer::Fail(failure),
        flow(|services| async move {
            let deleted = services.call_skill(call("delete", 1, LONG)).await.result;
            deleted.map_err(|error| json!(error.to_string()).to_string())?;
            let said = services.complete(request(LONG)).await;
            said.map(|answer| json!(answer.text).to_string()).map_err(|error| json!(error.to_string()).to_string())
        }),
    );
    let host = world.host();
    let id = host.submit(driven()).await.expect("taken up").id;
    let run = until(&host, &id, Status::Failed).await;
    let Some(RunOutcome::Failed { code, message, .. }) = &run.outcome else { panic!("{run:?}") };
    assert_eq!(code, "WORKFLOW_FAILED");
    assert!(message.contains("MODEL_PAYMENT"), "{message}");
    host.retry(&id, "me", None).await.expect("it can be");
    let run = until(&host, &id, Status::Completed).await;
    assert_eq!(run.outcome, Some(RunOutcome::Completed { output: Value::String("Well.".to_owned()) }));
    assert_eq!(world.skills.deeds(), 1, "what took effect is not done again");
}

#[tokio::test]
async fn an_answer_that_does_not_fit_its_schema_is_asked_for_again() {
    let world = world(
        Answer::Say("Well."),
        flow(|services| async move {
            let schema = json!({ "type": "object", "required": ["mood"] });
            let answer = services.complete(ModelRequest { output_schema: Some(schema), ..request(LONG) }).await;
            answer.map(|answer| answer.text).map_err(|error| json!(error.to_string()).to_string())
        }),
    );
    let host = world.host();
    let id = host.submit(driven()).await.expect("taken up").id;
    let run = until(&host, &id, Status::Failed).await;
    let Some(RunOutcome::Failed { code, message, .. }) = &run.outcome else { panic!("{run:?}") };
    assert_eq!(code, "WORKFLOW_FAILED");
    assert!(message.contains("MODEL_UNFIT") && message.contains("it was asked 3 times"), "{message}");
    assert_eq!(world.model.asked.load(Ordering::SeqCst), 3);
    assert_eq!((run.spend.input_tokens, run.spend.output_tokens), (21, 9), "each answer is paid for");
}

#[tokio::test]
async fn the_budget_holds_for_all_that_a_workflow_asks_for() {
    let world = world(
        Answer::Say("Well."),
        flow(|services| async move {
            for n in 0.. {
                services.call_skill(call("read", n, LONG)).await.result.map_err(|error| error.to_string())?;
            }
            Ok("\"never\"".to_owned())
        }),
    );
    let host = world.host();
    let budget = BudgetRequest { steps: Some(4), ..BudgetRequest::default() };
    let id = host.submit(Submission { budget, ..driven() }).await.expect("taken up").id;
    let run = until(&host, &id, Status::Failed).await;
    let Some(RunOutcome::Failed { code, .. }) = &run.outcome else { panic!("{run:?}") };
    assert_eq!(code, "BUDGET_EXHAUSTED");
    assert_eq!(world.skills.deeds(), 3, "the workflow itself is a step");
}

/// A workflow that reads when `gate` is opened.
fn gated(gate: &Arc<Semaphore>) -> Flow {
    let gate = Arc::clone(gate);
    flow(move |services| {
        let gate = Arc::clone(&gate);
        async move {
            drop(gate.acquire().await);
            let answer = services.call_skill(call("read", 1, SHORT)).await;
            answer.result.map_err(|error| error.to_string())
        }
    })
}

#[tokio::test]
async fn nothing_new_begins_for_a_workflow_whose_run_is_paused() {
    let gate = Arc::new(Semaphore::new(0));
    let world = world(Answer::Say("Well."), gated(&gate));
    let host = world.host();
    let id = host.submit(driven()).await.expect("taken up").id;
    until_it(&host, &id, |run| run.steps.len() == 1).await;
    host.pause(&id, "me").await.expect("it can be");
    gate.add_permits(9);
    tokio::time::sleep(SHORT * 3).await;
    assert_eq!((host.run(&id).expect("a run").steps.len(), world.skills.deeds()), (1, 0));
    host.resume(&id, "me", false).await.expect("it can be");
    until(&host, &id, Status::Completed).await;
    assert_eq!(world.skills.deeds(), 1);
}

#[tokio::test]
async fn a_run_that_is_resumed_while_a_step_is_under_way_goes_on() {
    let gate = Arc::new(Semaphore::new(0));
    let world = world(Answer::Say("Well."), gated(&gate));
    let host = world.host();
    let id = host.submit(driven()).await.expect("taken up").id;
    until_it(&host, &id, |run| run.steps.len() == 1).await;
    host.pause(&id, "me").await.expect("it can be");
    host.resume(&id, "me", false).await.expect("it can be");
    until(&host, &id, Status::Running).await;
    gate.add_permits(9);
    until(&host, &id, Status::Completed).await;
}

#[tokio::test]
async fn a_skill_that_the_run_began_without_is_not_called() {
    let world = world(
        Answer::Say("Well."),
        flow(|services| async move {
            let stranger = SkillCall { skill: "demo/other".parse().expect("a selector"), ..call("read", 1, LONG) };
            let newer = SkillCall { skill: "demo/files@^9".parse().expect("a selector"), ..call("read", 1, LONG) };
            let no_tool = call("fly", 1, LONG);
            // Its permit gives another release by now.
            let other: SkillSelector = "demo/files@^9".parse().expect("a selector");
            let allowed = SkillRule::of(&other, &other).expect("one skill");
            let withheld = SkillCall { allowed, ..call("read", 1, LONG) };
            let mut told = Vec::new();
            for call in [stranger, newer, no_tool, withheld] {
                told.push(services.call_skill(call).await.result.expect_err("nothing to call").to_string());
            }
            Ok(json!(told).to_string())
        }),
    );
    let host = world.host();
    let id = host.submit(driven()).await.expect("taken up").id;
    let run = until(&host, &id, Status::Completed).await;
    let Some(RunOutcome::Completed { output }) = &run.outcome else { panic!("{run:?}") };
    assert_eq!(output[0], "the run began without `demo/other`: a run keeps the skills that it began with");
    assert_eq!(output[2], "`demo/files` has no tool `fly`; it has `read`, `delete`");
    assert_eq!(output[3], "the run began without `demo/files`: a run keeps the skills that it began with");
    assert_eq!((run.steps.len(), world.skills.deeds()), (1, 0));
}

#[tokio::test]
async fn the_input_of_a_workflow_is_an_object() {
    let world = world(Answer::Say("Well."), flow(everything));
    let host = world.host();
    for input in ["Do it.", "[1]"] {
        let refused = host.submit(Submission { input: input.to_owned(), ..driven() }).await;
        assert!(matches!(refused, Err(SubmitError::WorkflowInput(_))), "{refused:?}");
    }
}

/// Counts its end.
struct Drops(Arc<AtomicU32>);

impl Drop for Drops {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_workflow_that_is_cancelled_runs_no_longer() {
    let dropped = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&dropped);
    let world = world(
        Answer::Say("Well."),
        flow(move |services| {
            let held = Drops(Arc::clone(&dropped));
            async move {
                let answer = services.call_skill(call("delete", 1, LONG)).await;
                drop(held);
                answer.result.map_err(|error| error.to_string())
            }
        }),
    );
    world.skills.act("delete", Act::Hang);
    let host = world.host();
    let id = host.submit(driven()).await.expect("taken up").id;
    until_it(&host, &id, |run| run.steps.len() == 2).await;
    host.cancel(&id, "me", None).await.expect("it can be");
    let gone = async {
        while seen.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("it is dropped");
    let run = host.run(&id).expect("a run");
    assert!(!matches!(run.came(0), Some(StepResult::Output { .. })), "{run:?}");
}

//! What agents are at, how they fared, and what people do with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bailiwick_domain::clock::Clock;
use bailiwick_domain::model::{ChatRequest, Model, ModelFailure};
use bailiwick_domain::run::{RunId, Status};
use bailiwick_domain::span::NullTracer;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

use super::told::{hanging, names, until_told};
use super::world::{Answer, Now, PATIENCE, World, single, until, until_it};
use crate::AgentDefinition;
use crate::bus::Told;
use crate::registry::{Agents, PinError};
use crate::runtime::{RandomIds, Runtime, RuntimeOptions, RuntimeParts, Submission, SubmitError};
use crate::skills::Skills;
use crate::standing::{AgentState, FAILED_IN_A_ROW, Standing};

/// A model that does what the input names: it hangs, fails, or is done.
fn as_told(request: &ChatRequest) -> Answer {
    let is_told = |word: &str| request.messages.iter().any(|message| format!("{message:?}").contains(word));
    if is_told("hang") {
        Answer::Hang
    } else if is_told("fail") {
        Answer::Fail(ModelFailure::Payment("no".to_owned()))
    } else {
        Answer::Say("Done.")
    }
}

async fn submit(host: &Runtime, agent: &str, input: &str) -> RunId {
    host.submit(Submission { input: input.to_owned(), ..single(agent) }).await.expect("taken up").id
}

async fn do_it(host: &Runtime, agent: &str, input: &str, status: Status) {
    let id = submit(host, agent, input).await;
    until(host, &id, status).await;
}

async fn hang(host: &Runtime, agent: &str) -> RunId {
    let id = submit(host, agent, "hang").await;
    until_it(host, &id, |run| !run.steps.is_empty()).await;
    id
}

/// Waits until the agent is at this, or is no more.
async fn until_at(host: &Runtime, agent: &str, state: Option<AgentState>) {
    let wait = async {
        while host.standing(agent).map(|standing| standing.state) != state {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(waited.is_ok(), "{agent} never is {state:?}: {:?}", host.standing(agent));
}

fn standing(host: &Runtime, agent: &str) -> Standing {
    host.standing(agent).expect("it is there")
}

fn dora(skills: &[&str]) -> AgentDefinition {
    let value = json!({ "name": "dora", "description": "d", "instructions": "i", "models": ["m"], "skills": skills });
    AgentDefinition::from_json(&value).expect("a definition")
}

#[tokio::test]
async fn how_agents_fared_is_counted_since_the_host_started() {
    let world = World::new(as_told);
    let host = world.host();
    assert_eq!(standing(&host, "bob").health.last_active, None);
    do_it(&host, "bob", "Do it.", Status::Completed).await;
    do_it(&host, "bob", "fail", Status::Failed).await;
    let bob = standing(&host, "bob");
    assert_eq!((bob.state, bob.health.tasks_completed, bob.health.tasks_failed), (AgentState::Idle, 1, 1));
    assert!(bob.health.last_active.is_some_and(|at| at >= bob.agent.created_at));
    let hanging = hang(&host, "bob").await;
    assert_eq!((standing(&host, "bob").state, standing(&host, "bob").health.open_tasks), (AgentState::Working, 1));
    host.cancel(&hanging, "me", None).await.expect("it can be");
    until_at(&host, "bob", Some(AgentState::Idle)).await;
    let bob = standing(&host, "bob").health;
    assert_eq!((bob.tasks_completed, bob.tasks_failed), (1, 1), "what ended with its run is neither");
    assert_eq!(standing(&world.host(), "bob").health.tasks_completed, 0, "another host begins anew");
    let all: Vec<_> = host.standings().into_iter().map(|standing| standing.agent.name.clone()).collect();
    assert_eq!(all, ["ada", "bob", "eve"]);
}

#[tokio::test]
async fn an_agent_whose_tasks_fail_in_a_row_is_in_error_until_one_is_completed() {
    let world = World::new(as_told);
    let host = world.host();
    let mut bus = host.bus().subscribe();
    for _ in 1..FAILED_IN_A_ROW {
        do_it(&host, "bob", "fail", Status::Failed).await;
    }
    assert_eq!(standing(&host, "bob").state, AgentState::Idle);
    do_it(&host, "bob", "fail", Status::Failed).await;
    assert_eq!(standing(&host, "bob").state, AgentState::Error);
    let in_error = async {
        loop {
            let told = until_told(&mut bus, "agent.status_changed").await;
            if told.last().is_some_and(|told| told.data["status"] == "error") {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, in_error).await.expect("it is told");
    do_it(&host, "bob", "Do it.", Status::Completed).await;
    assert_eq!(standing(&host, "bob").state, AgentState::Idle);
}

#[tokio::test]
async fn a_paused_agent_gets_no_new_run_and_keeps_those_that_it_has() {
    let world = World::new(as_told);
    let host = world.host();
    let open = hang(&host, "bob").await;
    let paused = host.agents().pause("bob", "key:ops").await.expect("it is there");
    assert_eq!(paused.paused.as_ref().map(|pause| pause.by.as_str()), Some("key:ops"));
    let bob = standing(&host, "bob");
    assert_eq!((bob.state, bob.health.open_tasks), (AgentState::Paused, 1));
    let refused = host.submit(single("bob")).await.expect_err("it is paused");
    assert!(matches!(&refused, SubmitError::Agent(PinError::Paused { .. })), "{refused}");
    let words = refused.to_string();
    assert!(words.contains("`key:ops`") && words.contains("bailiwick agents resume bob"), "{words}");
    do_it(&host, "ada", "Do it.", Status::Completed).await;
    assert_eq!(host.run(&open).expect("a run").status, Status::Running, "it goes on");
    host.stop(Duration::ZERO).await;
    let host = world.host();
    assert_eq!(standing(&host, "bob").state, AgentState::Paused, "a restart changes nothing");
    host.recover().await.expect("it goes on");
    until_it(&host, &open, |run| run.status == Status::Running).await;
    assert!(host.submit(single("bob")).await.is_err());
    host.agents().resume("bob", "key:ops").await.expect("it is there");
    do_it(&host, "bob", "Do it.", Status::Completed).await;
}

#[tokio::test]
async fn an_agent_that_is_removed_at_work_is_terminated_until_it_is_done() {
    let world = World::new(as_told);
    let host = world.host();
    host.agents().put(dora(&[]), "me").await.expect("kept");
    let mut bus = host.bus().subscribe();
    let open = hang(&host, "dora").await;
    host.agents().remove("dora", "me").await.expect("removed");
    until_at(&host, "dora", Some(AgentState::Terminated)).await;
    assert!(host.standings().iter().any(|standing| standing.agent.name == "dora"));
    until_told(&mut bus, "agent.terminated").await;
    let told = until_told(&mut bus, "agent.status_changed").await;
    assert_eq!(told.last().expect("it").data, json!({ "agent": "dora", "status": "terminated" }));
    assert!(matches!(host.submit(single("dora")).await, Err(SubmitError::Agent(PinError::Unknown { .. }))));
    host.cancel(&open, "me", None).await.expect("it can be");
    until_at(&host, "dora", None).await;
}

#[tokio::test]
async fn what_an_agent_is_at_follows_from_all_of_its_runs() {
    let world = World::new(|_| Answer::Hang);
    let host = world.host();
    let mut bus = host.bus().subscribe();
    let (first, second) = (hanging(&host).await, hanging(&host).await);
    host.cancel(&first, "me", None).await.expect("it can be");
    let told = until_told(&mut bus, "workflow.completed").await;
    let statuses: Vec<_> = told.iter().filter(|told| told.name == "agent.status_changed").collect();
    assert_eq!((statuses.len(), &statuses[0].data["status"]), (1, &json!("working")), "{:?}", names(&told));
    host.cancel(&second, "me", None).await.expect("it can be");
    let told = until_told(&mut bus, "agent.status_changed").await;
    assert_eq!(names(&told), ["workflow.completed", "agent.status_changed"], "the other run was at work still");
    assert_eq!(told[1].data["status"], "idle");
}

#[tokio::test]
async fn a_run_that_is_retried_has_its_agent_at_work_again() {
    let asked = AtomicU32::new(0);
    let world = World::new(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::Fail(ModelFailure::Payment("no".to_owned())),
        _ => Answer::Hang,
    });
    let host = world.host();
    let id = submit(&host, "bob", "x").await;
    until(&host, &id, Status::Failed).await;
    host.retry(&id, "me", None).await.expect("it can be");
    until_at(&host, "bob", Some(AgentState::Working)).await;
    host.cancel(&id, "me", None).await.expect("it can be");
    until_at(&host, "bob", Some(AgentState::Idle)).await;
}

/// The host's numbers when they are these.
async fn until_numbers(bus: &mut Receiver<Arc<Told>>, are_these: impl Fn(&Value) -> bool) -> Arc<Told> {
    let wait = async {
        loop {
            let told = until_told(bus, "metrics.updated").await.pop().expect("it ends with it");
            if are_these(&told.data) {
                return told;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("they are told")
}

#[tokio::test]
async fn the_numbers_of_the_host_are_told_while_they_change() {
    let world = World::new(as_told);
    let host = world.host();
    do_it(&host, "bob", "Do it.", Status::Completed).await;
    let mut bus = host.bus().subscribe();
    let open = hang(&host, "bob").await;
    let told = until_numbers(&mut bus, |data| data["queue"]["normal"]["running"] == 1).await;
    let class = |running: u32| json!({ "waiting": 0, "running": running });
    let expected = json!({
        "queue": { "interactive": class(0), "normal": class(1), "batch": class(0) },
        "places": 10,
        "ceiling": 10,
        "open_runs": 1,
        "input_tokens": 7,
        "output_tokens": 3,
        "usd": 0.0,
        "spans_lost": 0,
        "quota": [],
    });
    assert_eq!((told.topic.as_str(), &told.data, &told.run), ("metrics", &expected, &None));
    let quiet = tokio::time::timeout(Duration::from_millis(1500), until_told(&mut bus, "metrics.updated")).await;
    assert!(quiet.is_err(), "nothing changed: {quiet:?}");
    host.cancel(&open, "me", None).await.expect("it can be");
    until_numbers(&mut bus, |data| data["open_runs"] == 0).await;
}

#[tokio::test]
async fn an_agent_spawns_until_its_skills_are_compiled() {
    let world = World::new(as_told);
    world.skills.compiling.store(true, Ordering::SeqCst);
    let clock: Arc<dyn Clock> = Arc::new(Now);
    let parts = RuntimeParts {
        agents: Agents::open(Vec::new(), Arc::clone(&world.journal), Arc::clone(&clock)).expect("agents"),
        models: Arc::clone(&world.model) as Arc<dyn Model>,
        skills: Arc::clone(&world.skills) as Arc<dyn Skills>,
        journal: Arc::clone(&world.journal),
        clock,
        ids: Arc::new(RandomIds),
        tracer: Arc::new(NullTracer),
    };
    let host = Runtime::new(parts, RuntimeOptions::default());
    host.recover().await.expect("nothing to recover");
    let mut bus = host.bus().subscribe();
    host.agents().put(dora(&["demo/files"]), "me").await.expect("kept");
    let told = until_told(&mut bus, "agent.status_changed").await;
    assert_eq!(names(&told), ["agent.registered", "agent.status_changed"]);
    assert_eq!(told[1].data["status"], "spawning");
    assert_eq!(standing(&host, "dora").state, AgentState::Spawning);
    assert!(matches!(host.submit(single("dora")).await, Err(SubmitError::Agent(PinError::Skill { .. }))));
    world.skills.compiling.store(false, Ordering::SeqCst);
    let told = until_told(&mut bus, "agent.status_changed").await;
    assert_eq!(names(&told), ["agent.spawned", "agent.status_changed"]);
    assert_eq!(told[1].data["status"], "idle");
    assert_eq!(standing(&host, "dora").state, AgentState::Idle);
}

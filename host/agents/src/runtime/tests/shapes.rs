//! What goes side by side and what waits, where every answer of a model takes one turn.
//!
//! The clock is tokio's and stands still while anybody is at work, and the journal is written
//! by whoever wants something written. So a turn takes exactly its time, and how many turns a
//! run takes says who was under way at once. How fast a host is, `make bench` says.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailiwick_domain::model::{ChatRequest, Message, ModelFailure};
use bailiwick_domain::run::{Class, Run, RunId, Status, Strategy};
use bailiwick_journal::Journal;
use bailiwick_journal::simulation::Disk;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::told::until_told;
use super::world::{Act, Answer, World, single, submission};
use crate::runtime::{Runtime, Submission};
use crate::scheduler::queue::QueueSettings;

/// What an answer of a model takes.
const TURN: Duration = Duration::from_secs(1);

/// Far less than a turn: tokio's timers count milliseconds.
const GRAIN: Duration = Duration::from_millis(5);

/// What models were asked, and when.
struct Turns {
    start: Instant,
    asked: Mutex<Vec<(Duration, String)>>,
}

impl Turns {
    /// Takes note of the last line that a model is told, which names what it works on.
    fn note(&self, request: &ChatRequest) -> String {
        let line = |message: &Message| match message {
            Message::User { text } => text.lines().last().map(str::to_owned),
            _ => None,
        };
        let last = request.messages.iter().rev().find_map(line).unwrap_or_default();
        self.asked.lock().expect("no panic").push((self.start.elapsed(), last.clone()));
        last
    }

    /// Who was asked, in the order of time.
    fn order(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").iter().map(|(_, last)| last.clone()).collect()
    }

    /// Who was asked in which turn: all of a turn are under way at once.
    fn picture(&self) -> Vec<String> {
        let mut turns: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for (at, last) in self.asked.lock().expect("no panic").iter() {
            turns.entry(at.as_secs()).or_default().push(last.clone());
        }
        let line = |(turn, mut all): (u64, Vec<String>)| {
            all.sort();
            format!("{turn}: {}", all.join(" "))
        };
        turns.into_iter().map(line).collect()
    }

    /// Whole turns until now.
    fn taken(&self) -> u64 {
        self.start.elapsed().as_secs()
    }
}

/// A world in which every answer takes a turn.
fn timed() -> (World, Arc<Turns>) {
    timed_but(|_, _| None)
}

/// The same but for what `other` answers, which is given what the model works on.
fn timed_but(other: impl Fn(&str, &ChatRequest) -> Option<Answer> + Send + Sync + 'static) -> (World, Arc<Turns>) {
    let turns = Arc::new(Turns { start: Instant::now(), asked: Mutex::default() });
    let kept = Arc::clone(&turns);
    let mut world = World::new(move |request| {
        let last = kept.note(request);
        other(&last, request).unwrap_or(Answer::After(TURN, "Done."))
    });
    world.journal = Journal::simulated(&Disk::new()).expect("a journal");
    (world, turns)
}

/// The run when it is over. Its own time ends it at the latest.
async fn over(host: &Runtime, id: &RunId) -> Run {
    host.left(id).await;
    host.run(id).expect("a run")
}

async fn completed(host: &Runtime, strategy: Strategy) -> Run {
    let id = host.submit(submission(strategy)).await.expect("taken up").id;
    let run = over(host, &id).await;
    assert_eq!(run.status, Status::Completed, "{:?}", run.outcome);
    run
}

/// A graph of these edges, each node of which is asked for its own name.
fn graph(edges: &[(&str, &str)]) -> Strategy {
    let mut names = Vec::new();
    for name in edges.iter().flat_map(|(from, to)| [*from, *to]) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let nodes: Vec<Value> = names.iter().map(|name| json!({ "id": name, "agent": "ada", "input": name })).collect();
    let edges: Vec<Value> = edges.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect();
    read(json!({ "kind": "graph", "graph": { "nodes": nodes, "edges": edges } }))
}

/// Eight items, so many of them at once.
fn map(at_once: u32) -> Strategy {
    let items: Vec<String> = (1..=8).map(|item| item.to_string()).collect();
    read(json!({ "kind": "parallel_map", "agent": "bob", "items": items, "at_once": at_once }))
}

fn read(strategy: Value) -> Strategy {
    serde_json::from_value(strategy).expect("a strategy")
}

#[tokio::test(start_paused = true)]
async fn what_goes_one_after_another_takes_as_many_turns_as_there_are() {
    let (one, turns) = timed();
    completed(&one.host(), single("bob").strategy).await;
    assert_eq!(turns.taken(), 1);
    let (four, turns) = timed();
    completed(&four.host(), graph(&[("a", "b"), ("b", "c"), ("c", "d")])).await;
    assert_eq!(turns.picture(), ["0: a", "1: b", "2: c", "3: d"]);
    assert_eq!(turns.taken(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_goes_side_by_side_takes_one_turn() {
    let (wide, turns) = timed();
    let branches = ["b1", "b2", "b3", "b4"];
    let edges: Vec<(&str, &str)> = branches.into_iter().flat_map(|branch| [("a", branch), (branch, "c")]).collect();
    completed(&wide.host(), graph(&edges)).await;
    assert_eq!(turns.picture(), ["0: a", "1: b1 b2 b3 b4", "2: c"]);
    assert_eq!(turns.taken(), 3);
    let (long, turns) = timed();
    completed(&long.host(), graph(&[("a", "b1"), ("b1", "b2"), ("b2", "b3"), ("b3", "b4"), ("b4", "c")])).await;
    assert_eq!(turns.taken(), 6, "one after another, the four take four turns");
}

#[tokio::test(start_paused = true)]
async fn four_at_once_take_a_quarter_of_the_turns_of_one() {
    for (at_once, expected) in [(1, 8), (2, 4), (4, 2), (8, 1)] {
        let (world, turns) = timed();
        completed(&world.host(), map(at_once)).await;
        assert_eq!((turns.taken(), turns.order().len()), (expected, 8), "{at_once} at once");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_and_what_follows_waits_for_it() {
    let (world, turns) = timed_but(|last, request| {
        let is_told = request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
        (last == "b" && !is_told).then(|| Answer::Call(vec![("files__delete", json!({}))]))
    });
    world.skills.act("delete", Act::Busy(2));
    let run = completed(&world.host(), graph(&[("a", "b"), ("b", "c")])).await;
    assert_eq!(turns.order(), ["a", "b", "b", "c"], "the second time, b is told what came of its call");
    let call = &run.steps[2];
    assert_eq!((call.attempt, call.failures, world.skills.deeds()), (3, 2, 1));
    // Three turns, and waits of 1 and 2 s, each a quarter more or less.
    let taken = turns.start.elapsed();
    let expected = Duration::from_millis(5_250)..Duration::from_millis(6_750) + 4 * GRAIN;
    assert!(expected.contains(&taken), "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_failed_is_tried_again_from_where_it_failed() {
    let has_failed = AtomicBool::new(false);
    let (world, turns) = timed_but(move |last, _| {
        let fails = last == "b" && !has_failed.swap(true, Ordering::SeqCst);
        fails.then(|| Answer::Fail(ModelFailure::Payment("no credit".to_owned())))
    });
    let host = world.host();
    let id = host.submit(submission(graph(&[("a", "b"), ("b", "c")]))).await.expect("taken up").id;
    assert_eq!(over(&host, &id).await.status, Status::Failed);
    assert_eq!(turns.order(), ["a", "b"], "c waits");
    host.retry(&id, "me", None).await.expect("it can be");
    let run = over(&host, &id).await;
    assert_eq!(run.status, Status::Completed, "{:?}", run.outcome);
    assert_eq!(turns.order(), ["a", "b", "b", "c"], "a is done and stays so");
}

#[tokio::test(start_paused = true)]
async fn twenty_runs_are_at_work_at_once() {
    let (mut world, turns) = timed();
    world.options.queue = QueueSettings { total: 20, ..QueueSettings::default() };
    let host = world.host();
    let mut ids = Vec::new();
    for _ in 0..20 {
        // These may have every place.
        let urgent = Submission { class: Class::Interactive, ..single("bob") };
        ids.push(host.submit(urgent).await.expect("taken up").id);
    }
    for id in &ids {
        assert_eq!(over(&host, id).await.status, Status::Completed);
    }
    assert_eq!((turns.taken(), turns.order().len()), (1, 20), "no run waits for another");
}

#[tokio::test(start_paused = true)]
async fn whoever_watches_is_told_when_it_happens() {
    let (world, turns) = timed();
    let host = world.host();
    let mut bus = host.bus().subscribe();
    host.submit(single("bob")).await.expect("taken up");
    until_told(&mut bus, "task.assigned").await;
    let assigned = turns.start.elapsed();
    assert!(assigned < GRAIN, "{assigned:?}: nothing waits between a submission and its first task");
    until_told(&mut bus, "task.completed").await;
    let told = turns.start.elapsed();
    assert!(told < TURN + GRAIN, "{told:?}: nothing waits between an answer and those who watch");
    // The host's numbers are gathered for a while, and no longer than pages may be behind.
    while until_told(&mut bus, "metrics.updated").await.last().is_none_or(|told| told.data["open_runs"] != 0) {}
    let numbers = turns.start.elapsed();
    assert!(numbers < TURN + Duration::from_secs(2), "{numbers:?}");
}

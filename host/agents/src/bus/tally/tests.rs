//! When what an agent is at is told, and what is known of one that is gone.

use std::path::PathBuf;
use std::sync::Arc;

use super::Tally;
use crate::definition::DefinitionError;
use crate::registry::{Agent, Source};
use crate::standing::{AgentState, Being};

/// What this audience is told of `a` now.
fn told(tally: &Tally, audience: u64) -> Option<AgentState> {
    let mut told = None;
    tally.tell("a", audience, |state| told = Some(state));
    told
}

fn agent() -> Arc<Agent> {
    Arc::new(Agent {
        id: "0".to_owned(),
        name: "a".to_owned(),
        definition: Err(DefinitionError::Record("for the test".to_owned())),
        source: Source::File(PathBuf::from("a.toml")),
        created_at: 1,
        updated_at: 2,
        paused: None,
    })
}

#[test]
fn an_agent_works_until_the_last_of_its_tasks_is_closed_and_is_told_of_once() {
    let tally = Tally::default();
    assert_eq!(told(&tally, 0), None, "nothing is known of it");
    tally.opened("a");
    assert_eq!(told(&tally, 0), Some(AgentState::Working));
    tally.opened("a");
    tally.closed("a");
    assert_eq!(told(&tally, 0), None, "another task is open");
    tally.closed("a");
    assert_eq!(told(&tally, 0), Some(AgentState::Idle));
    assert_eq!(told(&tally, 0), None, "it was told");
    tally.is("a", Being::Usable, true);
    assert_eq!(told(&tally, 0), Some(AgentState::Paused));
    tally.is("a", Being::Broken, true);
    assert_eq!(told(&tally, 0), Some(AgentState::Error));
}

#[test]
fn whoever_begins_to_listen_was_told_nothing() {
    let tally = Tally::default();
    tally.opened("a");
    assert_eq!(told(&tally, 1), Some(AgentState::Working));
    // Nobody hears that, and then somebody else listens.
    tally.closed("a");
    tally.opened("a");
    assert_eq!(told(&tally, 2), Some(AgentState::Working));
    assert_eq!(told(&tally, 2), None);
}

#[test]
fn who_lost_a_task_is_unsettled_until_that_is_told() {
    let tally = Tally::default();
    tally.opened("a");
    told(&tally, 0);
    tally.closed("a");
    assert_eq!(tally.unsettled().into_iter().collect::<Vec<_>>(), ["a"]);
    assert!(tally.unsettled().is_empty(), "whoever asks tells");
    tally.opened("a");
    tally.closed("a");
    told(&tally, 0);
    assert!(tally.unsettled().is_empty(), "it was told");
}

#[test]
fn one_that_is_removed_stays_known_while_it_has_tasks() {
    let tally = Tally::default();
    tally.is("a", Being::Usable, false);
    tally.opened("a");
    tally.removed(&agent());
    assert_eq!(told(&tally, 0), Some(AgentState::Terminated));
    let gone = tally.terminated();
    assert_eq!((gone.len(), &gone[0].0, gone[0].1.open_tasks), (1, &agent(), 1));
    tally.closed("a");
    assert_eq!(told(&tally, 0), None);
    assert!(tally.terminated().is_empty());
    tally.is("a", Being::Usable, false);
    tally.removed(&agent());
    assert!(tally.terminated().is_empty(), "it had nothing to do");
}

#[test]
fn a_new_one_of_the_same_name_has_not_done_what_the_old_one_did() {
    let tally = Tally::default();
    tally.is("a", Being::Usable, false);
    tally.opened("a");
    tally.agents().entry("a").health.ended(false);
    tally.removed(&agent());
    tally.is("a", Being::Usable, false);
    let health = tally.health("a");
    assert_eq!((health.tasks_failed, health.open_tasks), (0, 1));
    assert_eq!(told(&tally, 0), Some(AgentState::Working));
    assert!(tally.terminated().is_empty());
}

#[test]
fn what_is_not_there_and_has_no_tasks_is_forgotten() {
    let tally = Tally::default();
    for agent in ["a", "b", "c"] {
        tally.opened(agent);
        tally.agents().entry(agent).health.ended(true);
    }
    tally.closed("a");
    tally.closed("b");
    tally.keep_only(|agent| agent == "a");
    let completed = ["a", "b", "c"].map(|agent| tally.health(agent).tasks_completed);
    assert_eq!(completed, [1, 0, 1]);
}

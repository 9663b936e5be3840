//! Agents that a person paused.

use std::fs;
use std::time::Duration;

use bailiwick_journal::{Journal, Shelf, Undone};
use serde_json::Value;

use super::{START, Site, definition, told};
use crate::registry::{AgentError, Agents, Pause};

fn paused(agents: &Agents, name: &str) -> Option<Pause> {
    agents.get(name).expect("it is there").paused.clone()
}

fn pause(by: &str, at: u64) -> Pause {
    Pause { by: by.to_owned(), at }
}

/// What the audit chain tells of agents: what changed, of whom, by whom.
fn chain(journal: &Journal) -> Vec<[String; 3]> {
    let records = journal.chain(0, 100).expect("the chain can be read");
    let records = records.iter().map(|entry| serde_json::from_str::<Value>(&entry.record).expect("it is JSON"));
    let member = |record: &Value, key: &str| record[key].as_str().unwrap_or_default().to_owned();
    records.map(|record| ["change", "name", "principal"].map(|key| member(&record, key))).collect()
}

#[tokio::test]
async fn files_and_records_stay_paused_over_a_restart() {
    let site = Site::new();
    site.agent("file", "Does.");
    site.agent("free", "Does.");
    let journal = site.journal();
    let agents = site.open(&journal);
    agents.put(definition("record", "Does."), "ada").await.expect("it is kept");
    for name in ["file", "record"] {
        let agent = agents.pause(name, "ops").await.expect("it is there");
        assert_eq!((agent.name.as_str(), &agent.paused), (name, &Some(pause("ops", START))));
    }
    drop((agents, journal));
    let agents = site.start();
    for name in ["file", "record"] {
        assert_eq!(paused(&agents, name), Some(pause("ops", START)));
        assert_eq!(agents.resume(name, "ada").await.expect("it is there").paused, None);
    }
    assert_eq!(paused(&agents, "free"), None);
    drop(agents);
    let agents = site.start();
    assert_eq!(["file", "record"].map(|name| paused(&agents, name)), [None, None]);
}

#[tokio::test]
async fn each_change_is_told_and_audited_once_with_who_made_it() {
    let site = Site::new();
    site.agent("a", "Does.");
    let journal = site.journal();
    let agents = site.open(&journal);
    let mut events = agents.subscribe();
    agents.pause("a", "ops").await.expect("it is there");
    site.clock.advance(Duration::from_secs(1));
    let again = agents.pause("a", "eve").await.expect("it is there");
    assert_eq!(again.paused, Some(pause("ops", START)), "by whoever paused it first");
    agents.resume("a", "ada").await.expect("it is there");
    agents.resume("a", "eve").await.expect("it is there");
    for (change, by) in [("paused", "ops"), ("resumed", "ada")] {
        let event = events.try_recv().expect("it was told");
        assert_eq!((event.kind.name(), event.by.as_deref()), (change, Some(by)));
    }
    assert!(events.try_recv().is_err(), "nothing else changed");
    let expected = [["paused", "a", "ops"], ["resumed", "a", "ada"]].map(|record| record.map(str::to_owned));
    assert_eq!(chain(&journal), expected);
}

#[tokio::test]
async fn an_agent_that_is_other_than_before_stays_paused_and_a_new_one_is_not() {
    let site = Site::new();
    site.agent("file", "First.");
    let agents = site.start();
    agents.put(definition("record", "First."), "ada").await.expect("it is kept");
    for name in ["file", "record"] {
        agents.pause(name, "ops").await.expect("it is there");
    }
    let put = agents.put(definition("record", "Second."), "ada").await.expect("it is kept");
    assert_eq!(put.agent().paused, Some(pause("ops", START)));
    // As editors do it.
    site.remove("file.toml");
    assert_eq!(told(&agents.reload()), [("removed", "file")]);
    site.agent("file", "Second.");
    assert_eq!(told(&agents.reload()), [("registered", "file")]);
    assert_eq!(paused(&agents, "file"), Some(pause("ops", START)), "it is the same file");
    agents.remove("record", "ada").await.expect("it is there");
    agents.put(definition("record", "Third."), "ada").await.expect("it is kept");
    assert_eq!(paused(&agents, "record"), None, "it is another record");
}

#[tokio::test]
async fn what_is_not_there_can_not_be_paused() {
    let site = Site::new();
    site.agent("scout", "Does.");
    let agents = site.start();
    for change in [agents.pause("scuot", "ops").await, agents.resume("scuot", "ops").await] {
        let Err(AgentError::Unknown { name, near }) = change else { panic!("it is not there: {change:?}") };
        assert_eq!((name.as_str(), near), ("scuot", vec!["scout".to_owned()]));
    }
    fs::write(site.path("broken.toml"), "name = 1").expect("the file is written");
    agents.reload();
    let broken = agents.pause("broken", "ops").await.expect("it is there");
    assert!(broken.paused.is_some() && broken.usable().is_none(), "{broken:?}");
}

#[tokio::test]
async fn a_pause_that_can_not_be_read_holds() {
    let site = Site::new();
    site.agent("a", "Does.");
    let journal = site.journal();
    let spoil = journal.update(|batch| {
        batch.put(Shelf::Pauses, "a", b"{\"version\":9}".to_vec());
        Ok::<_, Undone>(Ok::<(), std::convert::Infallible>(()))
    });
    spoil.await.expect("it is written").expect("nothing refuses it");
    let agents = site.open(&journal);
    assert_eq!(paused(&agents, "a"), Some(pause("unknown", 0)));
    agents.resume("a", "ada").await.expect("it is there");
    assert!(journal.documents(Shelf::Pauses).expect("it can be read").is_empty());
}

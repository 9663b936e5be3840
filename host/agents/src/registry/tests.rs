mod pause;
mod pin;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_journal::{Journal, Shelf, Undone};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{AgentError, AgentEvent, AgentEventKind, Agents, Put, Source};
use crate::definition::{AgentDefinition, DefinitionError};

/// A clock that moves only when it is told to.
struct HandClock {
    start: Instant,
    elapsed: Mutex<Duration>,
}

/// What the clock shows at first, in milliseconds since 1970.
const START: u64 = 1_800_000_000_000;

impl HandClock {
    fn advance(&self, by: Duration) {
        *self.elapsed.lock().expect("no panic under the lock") += by;
    }
}

impl Clock for HandClock {
    fn now(&self) -> SystemTime {
        let elapsed = *self.elapsed.lock().expect("no panic under the lock");
        SystemTime::UNIX_EPOCH + Duration::from_millis(START) + elapsed
    }

    fn instant(&self) -> Instant {
        self.start + *self.elapsed.lock().expect("no panic under the lock")
    }
}

/// A host's folder.
struct Site {
    folder: TempDir,
    clock: Arc<HandClock>,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        fs::create_dir(folder.path().join("agents")).expect("a folder for agents");
        let clock = Arc::new(HandClock { start: Instant::now(), elapsed: Mutex::default() });
        Self { folder, clock }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join("agents").join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).expect("the file is written");
    }

    /// Writes the file of an agent that has this description.
    fn agent(&self, name: &str, description: &str) {
        let text =
            format!("name = \"{name}\"\ndescription = \"{description}\"\ninstructions = \"Do.\"\nmodels = [\"m\"]\n");
        self.write(&format!("{name}.toml"), &text);
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).expect("the file was there");
    }

    fn journal(&self) -> Arc<Journal> {
        Journal::open(&self.folder.path().join("journal.redb")).expect("the journal opens")
    }

    fn open(&self, journal: &Arc<Journal>) -> Arc<Agents> {
        self.open_with(journal, vec![self.folder.path().join("agents")])
    }

    fn open_with(&self, journal: &Arc<Journal>, folders: Vec<PathBuf>) -> Arc<Agents> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Agents::open(folders, Arc::clone(journal), clock).expect("the agents open")
    }

    fn start(&self) -> Arc<Agents> {
        self.open(&self.journal())
    }
}

fn definition(name: &str, description: &str) -> AgentDefinition {
    let value = json!({
        "name": name,
        "description": description,
        "instructions": "Do.",
        "models": ["m"],
        "capabilities": ["work"],
    });
    AgentDefinition::from_json(&value).expect("it is valid")
}

fn description(agents: &Agents, name: &str) -> String {
    let agent = agents.get(name).expect("the agent is there");
    agent.usable().expect("it can be used").description.clone()
}

fn names(agents: &Agents) -> Vec<String> {
    agents.list().iter().map(|agent| agent.name.clone()).collect()
}

fn told(events: &[AgentEvent]) -> Vec<(&'static str, &str)> {
    events.iter().map(|event| (event.kind.name(), event.name.as_str())).collect()
}

#[tokio::test]
async fn records_outlive_the_process() {
    let site = Site::new();
    let journal = site.journal();
    let agents = site.open(&journal);
    let put = agents.put(definition("a", "First."), "ada").await;
    let Ok(Put::Created(created)) = put else { panic!("it is new: {put:?}") };
    assert_eq!((created.created_at, created.updated_at, &created.source), (START, START, &Source::Record));
    assert_eq!(created.id.len(), 32);
    site.clock.advance(Duration::from_secs(5));
    let put = agents.put(definition("a", "Second."), "ada").await;
    let Ok(Put::Replaced(replaced)) = put else { panic!("it was there: {put:?}") };
    assert_eq!((&replaced.id, replaced.created_at, replaced.updated_at), (&created.id, START, START + 5000));
    let before = agents.list();
    // The journal is closed when its last owner is gone.
    drop((agents, journal));
    let agents = site.start();
    assert_eq!(agents.list(), before);
    assert_eq!(description(&agents, "a"), "Second.");
}

#[tokio::test]
async fn a_file_wins_over_a_record_and_can_not_be_changed() {
    let site = Site::new();
    let agents = site.start();
    agents.put(definition("a", "Record."), "ada").await.expect("it is kept");
    site.agent("a", "File.");
    assert_eq!(told(&agents.reload()), [("changed", "a")]);
    assert_eq!(description(&agents, "a"), "File.");
    assert!(agents.get("a").expect("it is there").is_file());
    let error = agents.put(definition("a", "Other."), "ada").await.expect_err("it is a file");
    let is_file = "the agent `a` is a file on the host: change or remove that file, or choose another name";
    assert_eq!(error.to_string(), is_file);
    assert!(matches!(agents.remove("a", "ada").await, Err(AgentError::IsFile { .. })));
    site.remove("a.toml");
    agents.reload();
    assert_eq!(description(&agents, "a"), "Record.");
}

#[tokio::test]
async fn every_change_of_a_record_is_in_the_audit_chain() {
    let site = Site::new();
    let journal = site.journal();
    let agents = site.open(&journal);
    agents.put(definition("a", "First."), "ada").await.expect("it is kept");
    agents.put(definition("a", "Second."), "bob").await.expect("it is kept");
    agents.remove("a", "eve").await.expect("it is removed");
    assert!(agents.remove("a", "eve").await.is_err());
    let member = |record: &Value, key: &str| record[key].as_str().unwrap_or_default().to_owned();
    let chain = journal.chain(0, 10).expect("the chain can be read");
    let records = chain.iter().map(|entry| serde_json::from_str::<Value>(&entry.record).expect("it is JSON"));
    let told: Vec<_> = records
        .map(|record| ["kind", "change", "name", "principal", "digest"].map(|key| member(&record, key)))
        .collect();
    let (first, second) = (definition("a", "First.").digest(), definition("a", "Second.").digest());
    let expected = [("registered", "ada", first), ("changed", "bob", second), ("removed", "eve", second)];
    let expected =
        expected.map(|(change, by, digest)| ["agent", change, "a", by, digest.to_string().as_str()].map(str::to_owned));
    assert_eq!(told, expected);
    assert!(journal.documents(Shelf::Agents).expect("it can be read").is_empty());
}

#[tokio::test]
async fn what_is_not_there_can_not_be_removed() {
    let site = Site::new();
    let agents = site.start();
    agents.put(definition("researcher", "Finds."), "ada").await.expect("it is kept");
    let error = agents.remove("reseacher", "ada").await.expect_err("it is another name");
    assert_eq!(error.to_string(), "there is no agent `reseacher`; did you mean `researcher`?");
    assert_eq!(agents.near("reseacher"), ["researcher"]);
    assert!(agents.near("cook").is_empty());
}

#[tokio::test]
async fn what_could_not_be_read_again_is_not_kept() {
    let site = Site::new();
    let agents = site.start();
    let wrong = AgentDefinition { models: vec![], ..definition("a", "Does.") };
    let error = agents.put(wrong, "ada").await.expect_err("it has no model");
    assert_eq!(error.to_string(), "models: found an empty list, expected a list of 1 to 8 entries");
    assert!(agents.list().is_empty());
}

#[tokio::test]
async fn a_record_that_can_not_be_read_is_seen_and_can_be_replaced() {
    let site = Site::new();
    let journal = site.journal();
    let spoil = journal.update(|batch| {
        batch.put(Shelf::Agents, "a", b"{\"version\":9}".to_vec());
        let other =
            json!({ "id": "0", "created_at": 1, "updated_at": 2, "definition": definition("c", "Does.").to_json() });
        batch.put(Shelf::Agents, "b", other.to_string().into_bytes());
        Ok::<_, Undone>(Ok::<(), std::convert::Infallible>(()))
    });
    spoil.await.expect("it is written").expect("nothing refuses it");
    let agents = site.open(&journal);
    for name in ["a", "b"] {
        let agent = agents.get(name).expect("it is listed");
        assert!(matches!(agent.definition, Err(DefinitionError::Record(_))), "{agent:?}");
        assert!(matches!(agents.put(definition(name, "Does."), "ada").await, Ok(Put::Replaced(_))));
        assert!(agents.get(name).expect("it is listed").usable().is_some());
    }
}

#[test]
fn a_reload_tells_what_changed_and_keeps_what_did_not() {
    let site = Site::new();
    for name in ["a", "b", "c"] {
        site.agent(name, "First.");
    }
    site.write("notes.txt", "no agent");
    site.write(".hidden.toml", "no agent");
    let agents = site.start();
    assert_eq!(names(&agents), ["a", "b", "c"]);
    let mut events = agents.subscribe();
    let kept = agents.get("a").expect("it is there");
    site.agent("b", "Second.");
    site.write("d.toml", "name = 1");
    site.remove("c.toml");
    site.clock.advance(Duration::from_secs(1));
    let changed = agents.reload();
    assert_eq!(told(&changed), [("changed", "b"), ("registered", "d"), ("removed", "c")]);
    for expected in &changed {
        assert_eq!(&events.try_recv().expect("it was told"), expected);
    }
    assert!(events.try_recv().is_err());
    assert!(Arc::ptr_eq(&kept, &agents.get("a").expect("it is there")));
    let b = agents.get("b").expect("it is there");
    assert_eq!(b.created_at, START, "it is known since the start");
    let d = agents.get("d").expect("broken agents are listed");
    assert!(matches!(d.definition, Err(DefinitionError::Invalid { .. })), "{d:?}");
    assert_eq!(d.source, Source::File(site.path("d.toml")));
    assert!(agents.reload().is_empty(), "nothing changed since");
}

#[test]
fn the_folders_are_looked_at_once_a_second() {
    let site = Site::new();
    let named = "name = \"b\"\ndescription = \"Does.\"\ninstructions_file = \"b.md\"\nmodels = [\"m\"]\n";
    site.write("b.toml", named);
    let agents = site.start();
    site.agent("a", "First.");
    assert!(agents.reload_if_changed().is_empty(), "it was looked at just now");
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(told(&agents.reload_if_changed()), [("registered", "a")]);
    site.clock.advance(Duration::from_secs(1));
    assert!(agents.reload_if_changed().is_empty());
    assert!(agents.get("b").expect("it is listed").usable().is_none(), "its instructions are missing");
    for text in ["Do.", "Do more."] {
        site.write("b.md", text);
        site.clock.advance(Duration::from_secs(1));
        let changed = agents.reload_if_changed();
        assert_eq!(changed.iter().map(|event| event.kind).collect::<Vec<_>>(), [AgentEventKind::Changed]);
        let b = agents.get("b").expect("it is listed");
        assert_eq!(b.usable().map(|definition| definition.instructions.as_str()), Some(text));
    }
}

#[tokio::test]
async fn agents_are_found_by_what_they_can_do() {
    let site = Site::new();
    let agents = site.start();
    for name in ["b", "a"] {
        agents.put(definition(name, "Works."), "ada").await.expect("it is kept");
    }
    site.agent("c", "Has no capability.");
    site.write("d.toml", "name = \"d\"\ncapabilities = [\"work\"]\n");
    agents.reload();
    let capable: Vec<_> = agents.for_capability("work").iter().map(|agent| agent.name.clone()).collect();
    assert_eq!(capable, ["a", "b"]);
    assert!(agents.for_capability("wor").is_empty());
    agents.pause("a", "ops").await.expect("it is there");
    let capable: Vec<_> = agents.for_capability("work").iter().map(|agent| agent.name.clone()).collect();
    assert_eq!(capable, ["b"], "who is paused gets no new work");
}

#[test]
fn two_files_of_one_name_are_no_agent() {
    let site = Site::new();
    site.agent("a", "First.");
    let other = site.folder.path().join("other");
    fs::create_dir(&other).expect("a folder");
    fs::copy(site.path("a.toml"), other.join("a.toml")).expect("a copy");
    let journal = site.journal();
    let folder = site.folder.path().join("agents");
    let agents = site.open_with(&journal, vec![folder.clone(), folder, other.clone()]);
    let a = agents.get("a").expect("it is listed");
    let twice = DefinitionError::Twice { first: site.path("a.toml"), second: other.join("a.toml") };
    assert_eq!(a.definition, Err(twice));
    fs::remove_file(other.join("a.toml")).expect("the file was there");
    assert_eq!(told(&agents.reload()), [("changed", "a")]);
    assert_eq!(description(&agents, "a"), "First.");
}

#[test]
fn a_folder_that_is_missing_hurts_no_other() {
    let site = Site::new();
    site.agent("a", "First.");
    let later = site.folder.path().join("later");
    let journal = site.journal();
    let agents = site.open_with(&journal, vec![later.clone(), site.folder.path().join("agents")]);
    assert_eq!(names(&agents), ["a"]);
    assert_eq!(agents.problems().iter().map(|problem| &problem.folder).collect::<Vec<_>>(), [&later]);
    fs::create_dir(&later).expect("a folder");
    site.clock.advance(Duration::from_secs(1));
    assert!(agents.reload_if_changed().is_empty());
    assert!(agents.problems().is_empty());
}

#[test]
fn a_folder_that_nobody_named_need_not_be_there() {
    let site = Site::new();
    let usual = site.folder.path().join("usual");
    let clock = Arc::clone(&site.clock) as Arc<dyn Clock>;
    let agents = Agents::open_usual(vec![usual.clone()], site.journal(), clock).expect("the agents open");
    assert_eq!((names(&agents), agents.problems()), (Vec::new(), Vec::new()));
    // It may come later, and what else is wrong with it is a problem.
    site.agent("a", "First.");
    fs::rename(site.folder.path().join("agents"), &usual).expect("a folder");
    assert_eq!(told(&agents.reload()), [("registered", "a")]);
    fs::remove_dir_all(&usual).expect("the folder was there");
    fs::write(&usual, "no folder").expect("a file");
    assert_eq!(told(&agents.reload()), [("removed", "a")]);
    assert_eq!(agents.problems().iter().map(|problem| &problem.folder).collect::<Vec<_>>(), [&usual]);
}

#[test]
fn the_id_of_a_file_is_the_same_in_every_process() {
    let site = Site::new();
    site.agent("a", "First.");
    let id = |agents: &Agents| agents.get("a").expect("it is there").id.clone();
    let first = id(&site.open(&Journal::in_memory().expect("memory")));
    assert_eq!(first, id(&site.open(&Journal::in_memory().expect("memory"))));
    assert_eq!(first.len(), 32);
}

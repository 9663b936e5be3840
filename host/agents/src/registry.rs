//! Which agents there are: files of the host, and records that were made over the API.
//!
//! Files are read from folders and never written. Records are documents of the journal,
//! changed in one transaction with the audit record that says so. A name is one agent:
//! where there is a file and a record of it, the file holds. Either can be paused, which
//! the journal keeps by the name. All of them are few enough to be in memory, where every
//! submission looks.

mod error;
mod event;
mod files;
mod pause;
mod pin;
mod record;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_journal::{Journal, JournalError, Shelf, Undone};
use bailiwick_skills::near;
use tokio::sync::broadcast;

pub use self::error::AgentError;
pub use self::event::{AgentEvent, AgentEventKind};
pub use self::files::FolderProblem;
use self::files::{Files, Folders};
pub use self::pause::Pause;
use self::pause::Pauses;
pub use self::pin::{Pin, PinError, driven, pinned, team};
use crate::definition::{AgentDefinition, DefinitionError};

/// Agents that are kept as records: all of them are in memory.
pub const MAX_RECORDS: usize = 1024;

/// How long a look at the folders holds, so that many submissions cost one.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Events that a slow listener may be behind: more than one reload makes, as a rule.
const MAX_BEHIND: usize = 256;

/// The agents of a host.
pub struct Agents {
    folders: Folders,
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    /// What holds, by name: files before records.
    current: RwLock<Arc<ByName>>,
    /// What `current` is made of. Held while files are read.
    known: Mutex<Known>,
    /// Held while a record is changed, so that memory and journal see one order.
    writing: tokio::sync::Mutex<()>,
    events: broadcast::Sender<AgentEvent>,
}

type ByName = BTreeMap<String, Arc<Agent>>;

#[derive(Debug)]
struct Known {
    files: Files,
    records: ByName,
    pauses: Pauses,
    /// When the folders were last looked at.
    looked: Instant,
}

/// One agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// 32 hex digits that stay while the agent does. Those of a file are made from its name.
    pub id: String,
    /// Who it is. That of a broken file is the file's own, whatever that is.
    pub name: String,
    /// What it is, or why it can't be used.
    pub definition: Result<AgentDefinition, DefinitionError>,
    /// Where it comes from.
    pub source: Source,
    /// Milliseconds since 1970; of a file, when this process first saw it.
    pub created_at: u64,
    /// Milliseconds since 1970; of a file, when its contents were last changed.
    pub updated_at: u64,
    /// Where a person paused it: no new run gets it.
    pub paused: Option<Pause>,
}

/// Where an agent comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file of the host.
    File(PathBuf),
    /// The journal.
    Record,
}

/// What became of a definition that was put.
#[derive(Clone, Debug)]
pub enum Put {
    /// There was no record of this name.
    Created(Arc<Agent>),
    /// There was one, and its id stays.
    Replaced(Arc<Agent>),
}

impl Put {
    /// The agent as it now is.
    pub const fn agent(&self) -> &Arc<Agent> {
        match self {
            Self::Created(agent) | Self::Replaced(agent) => agent,
        }
    }
}

impl Agents {
    /// The agents in `folders` and in `journal`. Broken ones are listed with their error,
    /// and a folder that can't be read is a problem of its own. Blocks.
    ///
    /// # Errors
    ///
    /// When the journal can't be read.
    pub fn open(
        folders: Vec<PathBuf>,
        journal: Arc<Journal>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, JournalError> {
        Self::open_in(Folders::named(folders), journal, clock)
    }

    /// The same with folders that nobody named, and that are read where they are there: one
    /// that isn't is no problem. Blocks.
    ///
    /// # Errors
    ///
    /// When the journal can't be read.
    pub fn open_usual(
        folders: Vec<PathBuf>,
        journal: Arc<Journal>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, JournalError> {
        Self::open_in(Folders::usual(folders), journal, clock)
    }

    fn open_in(folders: Folders, journal: Arc<Journal>, clock: Arc<dyn Clock>) -> Result<Arc<Self>, JournalError> {
        let read = |(name, document): (String, Vec<u8>)| (name.clone(), Arc::new(record::read(name, &document)));
        let records = journal.documents(Shelf::Agents)?.into_iter().map(read).collect();
        let files = files::read(&folders, &Files::default(), millis(clock.now()));
        let known = Known { files, records, pauses: pause::read(&journal)?, looked: clock.instant() };
        let agents = Self {
            folders,
            journal,
            clock,
            current: RwLock::default(),
            known: Mutex::new(known),
            writing: tokio::sync::Mutex::default(),
            events: broadcast::Sender::new(MAX_BEHIND),
        };
        agents.publish(&agents.known(), None);
        Ok(Arc::new(agents))
    }

    /// Every agent by name, broken ones too.
    pub fn list(&self) -> Vec<Arc<Agent>> {
        self.current().values().cloned().collect()
    }

    /// The agent of this name, broken or not.
    pub fn get(&self, name: &str) -> Option<Arc<Agent>> {
        self.current().get(name).cloned()
    }

    /// Every agent that new runs may have and that says that it has this capability, by name.
    pub fn for_capability(&self, word: &str) -> Vec<Arc<Agent>> {
        let current = self.current();
        let capable = |agent: &&Arc<Agent>| agent.paused.is_none() && agent.is_capable_of(word);
        current.values().filter(capable).cloned().collect()
    }

    /// Names of agents that are like `name`, best first.
    pub fn near(&self, name: &str) -> Vec<String> {
        near::near(name, self.current().keys().map(String::as_str))
    }

    /// Folders whose files could not all be read, with why.
    pub fn problems(&self) -> Vec<FolderProblem> {
        self.known().files.problems().to_vec()
    }

    /// Every change from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<AgentEvent> {
        self.events.subscribe()
    }

    /// Keeps a definition as a record, on behalf of `by`, in place of the record of its
    /// name. It is durable when this answers, and the audit chain tells of it.
    ///
    /// # Errors
    ///
    /// When the definition can't be read back as it is, when the name is a file, when
    /// there are too many records, or when the journal can't keep it.
    pub async fn put(self: &Arc<Self>, definition: AgentDefinition, by: &str) -> Result<Put, AgentError> {
        let (agents, by) = (Arc::clone(self), by.to_owned());
        // On a task of its own: a caller who goes away must not part memory from journal.
        let put = tokio::spawn(async move { agents.put_now(&definition, &by).await });
        put.await.unwrap_or(Err(AgentError::Stopping))
    }

    /// Removes the record of this name, on behalf of `by`. That is durable when this
    /// answers, and the audit chain tells of it.
    ///
    /// # Errors
    ///
    /// When there is no such agent, when the name is a file, or when the journal can't
    /// keep it.
    pub async fn remove(self: &Arc<Self>, name: &str, by: &str) -> Result<(), AgentError> {
        let (agents, name, by) = (Arc::clone(self), name.to_owned(), by.to_owned());
        let remove = tokio::spawn(async move { agents.remove_now(&name, &by).await });
        remove.await.unwrap_or(Err(AgentError::Stopping))
    }

    /// Reads the folders again, and answers what changed. Blocks.
    pub fn reload(&self) -> Vec<AgentEvent> {
        self.reload_known(&mut self.known())
    }

    /// The same where the folders look other than when they were read, at most once a
    /// second. Blocks for as long as the system takes to say how the files look.
    pub fn reload_if_changed(&self) -> Vec<AgentEvent> {
        let now = self.clock.instant();
        let mut known = self.known();
        if now.saturating_duration_since(known.looked) < LOOK_EVERY {
            return Vec::new();
        }
        known.looked = now;
        if known.files.look_the_same(&self.folders) { Vec::new() } else { self.reload_known(&mut known) }
    }

    fn reload_known(&self, known: &mut Known) -> Vec<AgentEvent> {
        known.files = files::read(&self.folders, &known.files, millis(self.clock.now()));
        self.publish(known, None)
    }

    async fn put_now(&self, definition: &AgentDefinition, by: &str) -> Result<Put, AgentError> {
        // What is read as something else than was meant must not be kept.
        let definition = AgentDefinition::from_json(&definition.to_json()).map_err(AgentError::Invalid)?;
        let _writing = self.writing.lock().await;
        let old = self.record_to_change(&definition.name)?;
        if old.is_none() && self.known().records.len() >= MAX_RECORDS {
            return Err(AgentError::TooMany { max: MAX_RECORDS });
        }
        let now = self.clock.now();
        let agent = Arc::new(match &old {
            Some(old) => record::replaced(old, definition, millis(now)),
            None => record::created(definition, millis(now))?,
        });
        let document = record::write(&agent)?;
        let kind = if old.is_some() { AgentEventKind::Changed } else { AgentEventKind::Registered };
        let told = record::told(now, kind, by, &agent);
        let name = agent.name.clone();
        let kept = self.journal.update(move |batch| {
            batch.put(Shelf::Agents, name, document);
            batch.append(told);
            Ok::<_, Undone>(Ok::<(), std::convert::Infallible>(()))
        });
        match kept.await? {
            Ok(()) => {}
            Err(never) => match never {},
        }
        let mut known = self.known();
        known.records.insert(agent.name.clone(), Arc::clone(&agent));
        self.publish(&known, Some(by));
        drop(known);
        // As it is now, which may be paused.
        let agent = self.get(&agent.name).unwrap_or(agent);
        Ok(if old.is_some() { Put::Replaced(agent) } else { Put::Created(agent) })
    }

    async fn remove_now(&self, name: &str, by: &str) -> Result<(), AgentError> {
        let _writing = self.writing.lock().await;
        let Some(old) = self.record_to_change(name)? else {
            return Err(AgentError::Unknown { name: name.to_owned(), near: self.near(name) });
        };
        let told = record::told(self.clock.now(), AgentEventKind::Removed, by, &old);
        let key = name.to_owned();
        let removed = self.journal.update(move |batch| {
            batch.remove(Shelf::Agents, key.as_str());
            // Who is put under this name later is another one.
            batch.remove(Shelf::Pauses, key);
            batch.append(told);
            Ok::<_, Undone>(Ok::<(), std::convert::Infallible>(()))
        });
        match removed.await? {
            Ok(()) => {}
            Err(never) => match never {},
        }
        let mut known = self.known();
        known.records.remove(name);
        known.pauses.remove(name);
        self.publish(&known, Some(by));
        Ok(())
    }

    /// The record of this name, where there is one; what a file says nobody changes here.
    fn record_to_change(&self, name: &str) -> Result<Option<Arc<Agent>>, AgentError> {
        let known = self.known();
        if known.files.agents().contains_key(name) {
            return Err(AgentError::IsFile { name: name.to_owned() });
        }
        Ok(known.records.get(name).cloned())
    }

    /// Puts what is known in force, and tells of each change, which is on behalf of `by`.
    fn publish(&self, known: &Known, by: Option<&str>) -> Vec<AgentEvent> {
        let mut new = known.records.clone();
        new.extend(known.files.agents().iter().map(|(name, agent)| (name.clone(), Arc::clone(agent))));
        pause::mark(&mut new, &known.pauses);
        let new = Arc::new(new);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *current, Arc::clone(&new));
        drop(current);
        let events = event::between(&old, &new, by);
        for event in &events {
            event.log();
            // Nobody has to listen.
            drop(self.events.send(event.clone()));
        }
        events
    }

    fn current(&self) -> Arc<ByName> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Agent {
    /// What it is, where it can be used.
    pub const fn usable(&self) -> Option<&AgentDefinition> {
        match &self.definition {
            Ok(definition) => Some(definition),
            Err(_) => None,
        }
    }

    /// Whether it can be used and says that it has this capability.
    pub fn is_capable_of(&self, word: &str) -> bool {
        self.usable().is_some_and(|definition| definition.is_capable_of(word))
    }

    /// Whether it is a file of the host, which nobody changes over the API.
    pub const fn is_file(&self) -> bool {
        matches!(self.source, Source::File(_))
    }
}

/// Milliseconds since 1970.
fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

//! Agents that are files: finding them, and noticing when they change.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailiwick_domain::digest::Digest;

use super::{Agent, Source};
use crate::definition::{DefinitionError, Stamp, read_file};

/// Files of one folder that are read: each is an agent that somebody wrote by hand.
const MAX_FILES: usize = 256;

/// Entries of one folder that are looked at for files of agents, which may lie among others.
const MAX_ENTRIES: usize = 4096;

/// Hex digits of an id.
const ID_DIGITS: usize = 32;

/// The agents that are files, and how the files looked when they were read.
#[derive(Debug, Default)]
pub(super) struct Files {
    agents: BTreeMap<String, Arc<Agent>>,
    look: Look,
    /// Files of instructions that agents name.
    instructions: Vec<(PathBuf, Option<Stamp>)>,
}

/// Folders with files of agents.
#[derive(Debug)]
pub(super) struct Folders {
    paths: Vec<PathBuf>,
    /// Whether somebody named them, so that one that isn't there is a problem.
    named: bool,
}

/// A folder whose files can't all be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderProblem {
    /// The folder.
    pub folder: PathBuf,
    /// Why not, for people.
    pub reason: String,
}

/// How folders look from outside.
#[derive(Debug, Default, PartialEq, Eq)]
struct Look {
    files: Vec<(PathBuf, Option<Stamp>)>,
    problems: Vec<FolderProblem>,
}

impl Folders {
    /// Those that somebody named.
    pub(super) const fn named(paths: Vec<PathBuf>) -> Self {
        Self { paths, named: true }
    }

    /// Those that are looked into where nobody named any.
    pub(super) const fn usual(paths: Vec<PathBuf>) -> Self {
        Self { paths, named: false }
    }

    /// Whether it is as it should be that a folder can't be read.
    fn may_fail_by(&self, error: &io::Error) -> bool {
        !self.named && error.kind() == io::ErrorKind::NotFound
    }
}

impl Files {
    /// The agents by name.
    pub(super) const fn agents(&self) -> &BTreeMap<String, Arc<Agent>> {
        &self.agents
    }

    /// Folders whose files could not all be read.
    pub(super) fn problems(&self) -> &[FolderProblem] {
        &self.look.problems
    }

    /// Whether reading the folders now would most likely give the same agents. Blocks.
    pub(super) fn look_the_same(&self, folders: &Folders) -> bool {
        self.instructions.iter().all(|(path, stamp)| Stamp::of(path) == *stamp) && look(folders) == self.look
    }
}

/// Reads every file of an agent in `folders`. Agents that are as in `old` are taken from
/// there. Blocks.
pub(super) fn read(folders: &Folders, old: &Files, now: u64) -> Files {
    // A change between the look and the reading is seen by the next look.
    let look = look(folders);
    for problem in look.problems.iter().filter(|problem| !old.look.problems.contains(problem)) {
        tracing::warn!(folder = %problem.folder.display(), "agents can't be read: {}", problem.reason);
    }
    let mut files = Files { look, ..Files::default() };
    for (path, stamp) in &files.look.files {
        let (agent, instructions) = read_agent(path, *stamp, now);
        files.instructions.extend(instructions);
        let agent = match files.agents.get(&agent.name) {
            Some(first) => twice(first, agent, path),
            None => agent,
        };
        files.agents.insert(agent.name.clone(), Arc::new(agent));
    }
    for (name, agent) in &mut files.agents {
        if let Some(old) = old.agents.get(name) {
            *agent = since(old, agent);
        }
    }
    files
}

/// The agent in one file, and the file of its instructions.
fn read_agent(path: &Path, stamp: Option<Stamp>, now: u64) -> (Agent, Option<(PathBuf, Option<Stamp>)>) {
    let read = read_file(path);
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let instructions = read.instructions.as_ref().and_then(|(_, stamp)| *stamp);
    // The newer of both files, because both are the agent.
    let changed = [stamp, instructions].into_iter().flatten().map(Stamp::modified_ms).max();
    let agent = Agent {
        id: id(&name),
        name,
        definition: read.definition,
        source: Source::File(path.to_owned()),
        created_at: now,
        updated_at: changed.unwrap_or(now),
        paused: None,
    };
    (agent, read.instructions)
}

/// Of two files with one name none is taken, so that nobody runs the wrong one.
fn twice(first: &Agent, second: Agent, path: &Path) -> Agent {
    let Source::File(file) = &first.source else { return second };
    let error = DefinitionError::Twice { first: file.clone(), second: path.to_owned() };
    Agent { definition: Err(error), source: first.source.clone(), ..second }
}

/// `new`, known since `old` was; `old` itself where both say the same.
fn since(old: &Arc<Agent>, new: &Arc<Agent>) -> Arc<Agent> {
    if old.definition == new.definition && old.source == new.source {
        return Arc::clone(old);
    }
    Arc::new(Agent { created_at: old.created_at, ..Agent::clone(new) })
}

/// The id of a file's agent: the same in every process.
pub(super) fn id(name: &str) -> String {
    let mut id = Digest::of(format!("agent {name}").as_bytes()).hex();
    id.truncate(ID_DIGITS);
    id
}

fn look(folders: &Folders) -> Look {
    let mut look = Look::default();
    // A folder that is named twice is read once.
    let mut seen = BTreeSet::new();
    for folder in folders.paths.iter().filter(|folder| seen.insert(folder.as_path())) {
        let mut problem = |reason| look.problems.push(FolderProblem { folder: folder.clone(), reason });
        let (mut paths, whole) = match toml_files(folder) {
            Ok(found) => found,
            Err(error) if folders.may_fail_by(&error) => continue,
            Err(error) => {
                problem(error.to_string());
                continue;
            }
        };
        if !whole || paths.len() > MAX_FILES {
            let most = format!("at most {MAX_FILES} files of agents among {MAX_ENTRIES} entries");
            problem(format!("it has more than are read, which are {most}"));
        }
        // The same ones every time.
        paths.sort();
        paths.truncate(MAX_FILES);
        look.files.extend(paths.into_iter().map(|path| {
            let stamp = Stamp::of(&path);
            (path, stamp)
        }));
    }
    look
}

/// The files in `folder` whose names end in `.toml`, hidden ones aside, and whether every
/// entry was looked at. A file may be a symlink: whoever may write in the folder decides
/// what agents are told.
fn toml_files(folder: &Path) -> io::Result<(Vec<PathBuf>, bool)> {
    let mut paths = Vec::new();
    for (count, entry) in fs::read_dir(folder)?.enumerate() {
        if count == MAX_ENTRIES {
            return Ok((paths, false));
        }
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    Ok((paths, true))
}

//! Runs cases, each on a host of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::invocation::{Invocation, Principal};
use bailiwick_domain::receipt::{Denial, Receipt};
use bailiwick_domain::sandbox::Output;
use bailiwick_domain::skill_id::{SkillId, SkillSelector};
use bailiwick_domain::trace::TraceContext;
use bailiwick_skills::execute::{ExecuteError, Execution, Executor};
use bailiwick_skills::grants::NewGrant;
use bailiwick_skills::skill::Skill;
use serde::Serialize;
use serde_json::Value;

use super::judge::judge;
use super::server::Server;
use super::stage::{Allowed, allow};
use super::{Case, Other};

/// Who makes the calls of cases.
const PRINCIPAL: &str = "cli:bailiwick test";

/// What makes hosts for cases.
pub trait Lab {
    /// A host with the packages in these folders and nothing else: no grant, no state,
    /// no secret. Blocks, for seconds where a component has to be compiled.
    fn open(&self, packages: &[PathBuf]) -> Result<Box<dyn Host>, String>;

    /// An empty folder for one case, gone when the lab is, or with the next case.
    fn scratch(&self) -> Result<PathBuf, String>;
}

/// A host of one case.
pub trait Host {
    /// What makes its calls.
    fn executor(&self) -> &Arc<Executor>;

    /// Makes a call and waits for its end.
    fn call(&self, invocation: Invocation) -> Result<Execution, ExecuteError>;
}

/// How cases are run.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The package.
    pub root: &'a Path,
    /// Whether snapshots are written in place of being compared.
    pub update: bool,
}

/// How a case went.
#[derive(Clone, Debug, Serialize)]
pub struct CaseResult {
    /// What it is called.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// The line where it begins.
    pub line: usize,
    /// What is wrong; none where all is as expected.
    pub problem: Option<Problem>,
    /// The snapshot that was written, where one was.
    pub updated: Option<PathBuf>,
    /// How long the call took in the sandbox, in nanoseconds.
    pub wall_ns: Option<u64>,
    /// What the host refused while the skill ran.
    pub denials: Vec<String>,
    /// What the skill wrote to its log.
    pub log: String,
}

/// Why a case failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What was expected and what was found, in a sentence.
    pub message: String,
    /// Both, line by line, where they are long: `-` expected, `+` found.
    pub difference: Option<String>,
    /// What to do, where it isn't plain.
    pub cure: Option<String>,
}

impl Problem {
    /// A problem that one sentence says.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// The same with a cure.
    #[must_use]
    pub fn cured_by(self, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..self }
    }
}

/// What came of a call.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// The output, or how the call failed.
    pub(super) answer: Option<Answer>,
    pub(super) denials: Vec<Denial>,
    pub(super) wall: Option<Duration>,
    pub(super) log: String,
    /// The copies of folders, by the folder that the skill sees.
    pub(super) folders: BTreeMap<String, PathBuf>,
}

/// How a call ended.
#[derive(Debug)]
pub(super) enum Answer {
    /// With an output.
    Output(Value),
    /// With the tool's own failure.
    Failure(Value),
    /// The host ended or refused it.
    Error { code: &'static str, message: String },
}

impl Answer {
    /// The same with the name of the server in place of its address, which is another one
    /// each time.
    fn without(self, server: &Server) -> Self {
        let url = server.url();
        let named = |value: &Value| replaced(value, &|text| Value::from(text.replace(&url, SERVER)));
        match self {
            Self::Output(value) => Self::Output(named(&value)),
            Self::Failure(value) => Self::Failure(named(&value)),
            Self::Error { code, message } => Self::Error { code, message: message.replace(&url, SERVER) },
        }
    }
}

/// Runs one case.
pub fn run(case: &Case, lab: &dyn Lab, run: Run<'_>) -> CaseResult {
    let (ended, judged) = match prepare(case, lab, run.root) {
        Ok(ended) => {
            let judged = judge(case, &ended, run);
            (ended, judged)
        }
        Err(problem) => (Ended::default(), Err(problem)),
    };
    let denial = |denial: &Denial| format!("{}: {} ({})", denial.capability, denial.request, denial.reason);
    let (problem, updated) = match judged {
        Ok(updated) => (None, updated),
        Err(problem) => (Some(problem), None),
    };
    CaseResult {
        name: case.name.clone(),
        file: case.file.clone(),
        line: case.line,
        problem,
        updated,
        wall_ns: ended.wall.map(crate::bench::nanos),
        denials: ended.denials.iter().map(denial).collect(),
        log: ended.log,
    }
}

/// Opens a host, gives what the case allows, and makes the call.
fn prepare(case: &Case, lab: &dyn Lab, root: &Path) -> Result<Ended, Problem> {
    if let Some(other) = case.packages.iter().find(|other| !other.path.is_dir()) {
        let problem =
            format!("{}: no such folder, where `packages` of the case expects a package", other.path.display());
        return Err(Problem::new(problem));
    }
    let packages: Vec<PathBuf> =
        std::iter::once(root.to_owned()).chain(case.packages.iter().map(|other| other.path.clone())).collect();
    let server = match &case.server {
        Some(folder) if folder.is_dir() => {
            Some(Server::of(folder.clone()).map_err(|error| Problem::new(format!("no server on loopback: {error}")))?)
        }
        Some(folder) => return Err(Problem::new(format!("`server` names {}, which is no folder", folder.display()))),
        None => None,
    };
    let host = lab.open(&packages).map_err(Problem::new)?;
    let scratch = lab.scratch().map_err(Problem::new)?;
    let skill = find(&*host, root)?;
    let others: Vec<Arc<Skill>> =
        case.packages.iter().map(|other| find(&*host, &other.path)).collect::<Result<_, _>>()?;
    let giver = Giver { host: &*host, root, others: &others, server: server.as_ref() };
    let mut folders = giver.give(&skill, &case.allow, &scratch.join("own"))?.folders;
    for (index, (Other { allow, .. }, other)) in case.packages.iter().zip(&others).enumerate() {
        let allowed = giver.give(other, allow, &scratch.join(index.to_string()))?;
        // Where both see a folder under one name, that of the skill itself is looked at.
        for (root, folder) in allowed.folders {
            folders.entry(root).or_insert(folder);
        }
    }
    let arguments = told(&case.arguments, server.as_ref());
    let ended = ended_of(host.call(invocation(case, arguments, &skill)?), folders);
    Ok(match &server {
        Some(server) => Ended { answer: ended.answer.map(|answer| answer.without(server)), ..ended },
        None => ended,
    })
}

/// What stands in cases for the address of their server.
const SERVER: &str = "{server}";

/// What stands in cases for its port, in rules of requests.
const PORT: &str = "{port}";

/// The value with the address of the case's server in it.
fn told(value: &Value, server: Option<&Server>) -> Value {
    let Some(server) = server else { return value.clone() };
    replaced(value, &|text| match text {
        PORT => Value::from(server.port()),
        text => Value::from(text.replace(SERVER, &server.url())),
    })
}

/// The value with each text in it replaced.
fn replaced(value: &Value, by: &dyn Fn(&str) -> Value) -> Value {
    match value {
        Value::String(text) => by(text),
        Value::Array(items) => items.iter().map(|item| replaced(item, by)).collect(),
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), replaced(value, by))).collect(),
        other => other.clone(),
    }
}

/// The skill of a package.
fn find(host: &dyn Host, path: &Path) -> Result<Arc<Skill>, Problem> {
    let catalog = host.executor().registry().catalog();
    let real = fs::canonicalize(path).map_err(|error| Problem::new(format!("{}: {error}", path.display())))?;
    if let Some(skill) = catalog.list().find(|skill| skill.package_root == real) {
        return Ok(Arc::clone(skill));
    }
    let is = |folder: &Path| fs::canonicalize(folder).is_ok_and(|folder| folder == real);
    let broken = catalog.broken().iter().find(|broken| is(&broken.folder));
    let reason = broken.map_or_else(|| "it is no package".to_owned(), |broken| broken.error.to_string());
    let cure = format!("`bailiwick check {}` says more", path.display());
    Err(Problem::new(format!("the package {} can't be used: {reason}", path.display())).cured_by(cure))
}

/// Gives skills of a case what it allows them.
struct Giver<'a> {
    host: &'a dyn Host,
    root: &'a Path,
    others: &'a [Arc<Skill>],
    server: Option<&'a Server>,
}

impl Giver<'_> {
    fn give(&self, skill: &Skill, given: &Value, scratch: &Path) -> Result<Allowed, Problem> {
        // A prompt makes no calls, so that it is given nothing.
        if skill.inspection.is_none() {
            return Ok(Allowed::default());
        }
        let given = told(given, self.server);
        let allowed = allow(self.root, &skill.manifest.id, skill.digest, &given, scratch).map_err(Problem::new)?;
        let mut grant = allowed.grant.clone();
        grant.capabilities.skills.extend(self.callable(skill, &grant));
        self.host.executor().grants().add(skill, grant).map_err(|error| {
            Problem::new(format!("`allow` can't be given: {error}"))
                .cured_by("ask for it in the manifest's `[permissions]`, or take it out of the case's `allow`")
        })?;
        Ok(allowed)
    }

    /// The other packages of the case that the skill asks to call, and that `allow` says
    /// nothing of: whoever names a package means it to be called.
    fn callable(&self, skill: &Skill, grant: &NewGrant) -> Vec<SkillSelector> {
        let is_there = |id: &SkillId| self.others.iter().any(|other| other.manifest.id == *id);
        let is_given = |id: &SkillId| grant.capabilities.skills.iter().any(|given| given.id == *id);
        let asked = skill.manifest.permissions.skills.iter();
        asked.filter(|asked| is_there(&asked.id) && !is_given(&asked.id)).cloned().collect()
    }
}

fn invocation(case: &Case, arguments: Value, skill: &Skill) -> Result<Invocation, Problem> {
    let selector = format!("{}@={}", skill.manifest.id, skill.manifest.version)
        .parse::<SkillSelector>()
        .map_err(|error| Problem::new(format!("the skill's id and version name no skill: {error}")))?;
    Ok(Invocation {
        skill: selector,
        tool: case.tool.clone(),
        arguments,
        principal: Principal { name: PRINCIPAL.into() },
        trace: TraceContext { trace_id: [1; 16], span_id: [1; 8], sampled: false },
        trace_state: None,
        deadline: None,
        idempotency_key: None,
        approval_wait: Duration::ZERO,
        caller: None,
        run: None,
    })
}

fn ended_of(result: Result<Execution, ExecuteError>, folders: BTreeMap<String, PathBuf>) -> Ended {
    let of_receipt = |answer, receipt: &Receipt, log: String| Ended {
        answer: Some(answer),
        denials: receipt.denials.clone(),
        wall: Some(receipt.usage.wall),
        log,
        folders: BTreeMap::new(),
    };
    let ended = match result {
        Ok(execution) => {
            let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
            let answer = match &execution.output {
                Output::Success(text) => Answer::Output(json(text)),
                Output::Failure(text) => Answer::Failure(json(text)),
            };
            of_receipt(answer, &execution.receipt, execution.log)
        }
        Err(error) => {
            let answer = Answer::Error { code: error.code(), message: error.to_string() };
            match error {
                ExecuteError::Invoke { receipt, log, .. } | ExecuteError::Output { receipt, log, .. } => {
                    of_receipt(answer, &receipt, log)
                }
                _ => Ended { answer: Some(answer), ..Ended::default() },
            }
        }
    };
    Ended { folders, ..ended }
}

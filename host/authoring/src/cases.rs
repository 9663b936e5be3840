//! `test`: cases in files, each run on a host of its own.
//!
//! A case names a tool, its arguments, what may be touched and what is expected. It runs
//! as a call does on a server: the manifest asks, the case's `allow` is the grant, and
//! what neither gives is refused. Folders are copies, state is empty, and nothing of a
//! case is left for the next one.

mod difference;
mod judge;
mod raw;
mod run;
mod server;
mod snapshot;
mod stage;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use self::difference::difference;
pub use self::run::{CaseResult, Host, Lab, Problem, Run, run};

/// The folder of cases in a package.
pub const FOLDER: &str = "tests";

/// Files of cases that are read: more than a person writes.
const MAX_FILES: usize = 500;

/// Bytes of one file of cases.
const MAX_FILE: u64 = 4 << 20;

/// One case.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The file, relative to the package.
    pub file: PathBuf,
    /// The line where it begins.
    pub line: usize,
    /// What it is called; no two of a package are called alike.
    pub name: String,
    /// Which tool; may be left out where there is only one.
    pub tool: Option<String>,
    /// With what.
    pub arguments: Value,
    /// What has to come of it.
    pub expect: Expect,
    /// What may be touched: the keys of a grant as JSON, folders relative to `tests/`.
    pub allow: Value,
    /// Other packages on the case's host, and what they may touch.
    pub packages: Vec<Other>,
    /// A folder whose files are served on loopback, where there is one.
    pub server: Option<PathBuf>,
}

/// Another package on the host of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    /// Its folder.
    pub path: PathBuf,
    /// What it may touch, likewise.
    pub allow: Value,
}

/// What has to come of a case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expect {
    /// How the call ends.
    pub answer: Expected,
    /// Files that it leaves.
    pub files: Vec<ExpectedFile>,
    /// Capabilities that it is refused, such as `http`; it may be refused others too.
    pub denied: Vec<String>,
}

/// How a call has to end.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Expected {
    /// With any output that fits its schema, which the host checks.
    #[default]
    Anything,
    /// With this output.
    Output(Value),
    /// Not well: with the tool's own failure or the host's refusal, with this text in it.
    Error(String),
    /// As it did when the snapshot was written.
    Snapshot,
}

/// A file that a case leaves in one of its folders.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedFile {
    /// The folder, as the skill sees it.
    pub root: String,
    /// The file in it.
    pub path: PathBuf,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Exactly this text.
    Text(String),
    /// This text among other.
    Contains(String),
    /// The same as in this file of the package.
    SameAs(PathBuf),
    /// The file isn't there.
    Absent,
}

/// Why there are no cases.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// Nobody wrote any.
    #[error(
        "{}: found no file of cases, expected one such as {FOLDER}/first.toml with:\n\n    [[case]]\n    name = \"the \
         first\"\n    tool = \"TOOL\"\n    arguments = {{ }}\n    expect = {{ snapshot = true }}\n\nand then `bailiwick \
         test --update`, which writes down what the tool answers", .0.display()
    )]
    None(PathBuf),
    /// A file can't be read.
    #[error("{file}: can't be read: {problem}", file = file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said, or what is wrong with it.
        problem: String,
    },
    /// A file says what it may not.
    #[error("{file}:{line}: {problem}", file = file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
        /// What was found, what was expected and what to do.
        problem: String,
    },
}

/// Every case of the package in `root`, in the order of their files.
pub fn read(root: &Path) -> Result<Vec<Case>, CasesError> {
    let folder = root.join(FOLDER);
    let mut cases: Vec<Case> = Vec::new();
    for name in files(&folder)? {
        let file = Path::new(FOLDER).join(name);
        let text = text(root, &file)?;
        for case in raw::parse(root, &file, &text)? {
            let twin = cases.iter().find(|other| snapshot::slug(&other.name) == snapshot::slug(&case.name));
            if let Some(twin) = twin {
                let problem = format!(
                    "found a case `{}`, and {}:{} has `{}`, whose snapshot would be the same file: give it another name",
                    case.name,
                    twin.file.display(),
                    twin.line,
                    twin.name
                );
                return Err(CasesError::Invalid { file, line: case.line, problem });
            }
            cases.push(case);
        }
    }
    if cases.is_empty() { Err(CasesError::None(folder)) } else { Ok(cases) }
}

/// Snapshots that no case of `cases` has.
pub fn orphans(root: &Path, cases: &[Case]) -> Vec<PathBuf> {
    snapshot::orphans(root, cases)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, CasesError> {
    let unreadable =
        |error: std::io::Error| CasesError::Unreadable { file: folder.to_owned(), problem: error.to_string() };
    if !folder.is_dir() {
        return Err(CasesError::None(folder.to_owned()));
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = PathBuf::from(entry.map_err(unreadable)?.file_name());
        if name.extension().is_some_and(|extension| extension == "toml") && files.len() < MAX_FILES {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}

fn text(root: &Path, file: &Path) -> Result<String, CasesError> {
    let unreadable = |problem: String| CasesError::Unreadable { file: file.to_owned(), problem };
    let path = root.join(file);
    let size = fs::metadata(&path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > MAX_FILE {
        return Err(unreadable(format!("has {size} bytes, expected at most {MAX_FILE}: split it")));
    }
    fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()))
}

//! The peer of durable runs: `LangGraph` with its own `SqliteSaver`, in a process of its own.
#![expect(clippy::print_stderr, reason = "the table alone goes to the standard output")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::Taken;
use crate::guests;

/// A process of benches/peers/langgraph.py, which ends when this is dropped.
pub struct LangGraph {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The release that it has.
    pub version: String,
}

impl LangGraph {
    /// Starts it with its checkpoints in the file at `database`. Where it can't be had,
    /// the standard error says why, and there is none.
    pub fn start(database: &Path) -> Option<Self> {
        let started = python().and_then(|python| Self::with(&python, database));
        started.inspect_err(|problem| eprintln!("the rows with LangGraph are left out: {problem}")).ok()
    }

    /// Has it make so many runs, by so many callers at once, each one after another.
    pub fn round(&mut self, durability: &str, runs: u32, callers: u32) -> Taken {
        let wanted = json!({ "durability": durability, "runs": runs, "callers": callers });
        writeln!(self.input, "{wanted}").unwrap();
        let answer = self.answer().unwrap();
        let each = |name: &str| answer[name].as_f64().unwrap() * 1e3 / f64::from(runs);
        Taken { wall: each("wall"), cpu: each("cpu") }
    }

    fn with(python: &Path, database: &Path) -> Result<Self, String> {
        let mut command = Command::new(python);
        // Nobody's settings of their own make it tell a service of its runs.
        command.arg(peers().join("langgraph.py")).arg(database).env("LANGSMITH_TRACING", "false");
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| format!("`{}` can't be started: {error}", python.display()))?;
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut peer = Self { child, input, output: BufReader::new(output), version: String::new() };
        let about = peer.answer()?;
        let version = about["langgraph"].as_str().ok_or("it doesn't say which release it is")?;
        version.clone_into(&mut peer.version);
        Ok(peer)
    }

    fn answer(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| format!("its answer can't be read: {error}"))?;
        serde_json::from_str(&line).map_err(|error| format!("it answered `{}`: {error}", line.trim()))
    }
}

impl Drop for LangGraph {
    fn drop(&mut self) {
        // A child that is gone already needs no ending.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// A Python that has the packages: one of our own under the build folder, made where it
/// isn't there or has others.
fn python() -> Result<PathBuf, String> {
    let folder = guests::target().join("peers/langgraph");
    let (python, mark) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let requirements = peers().join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    eprintln!("installing LangGraph into {} with `python3 -m venv` and pip, once", folder.display());
    to_its_end(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--requirement"];
    to_its_end(Command::new(&python).args(pip).arg(&requirements))?;
    // Last, so that what was only half installed is installed anew.
    fs::write(&mark, wanted).map_err(|error| format!("{} can't be written: {error}", mark.display()))?;
    Ok(python)
}

/// Runs a command, and answers with its last words where it fails.
fn to_its_end(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("`{command:?}` can't be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    // venv says on the one what is missing, and pip on the other.
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Err(format!("`{command:?}` failed ({}):\n{}", output.status, said.trim()))
}

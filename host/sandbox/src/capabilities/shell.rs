//! Commands of the host by `bailiwick:shell`: argument lists as they were granted, in
//! the call's workspace, behind a launcher that confines them.
//!
//! No shell ever reads the words. The launcher takes away what the host's user may do:
//! it sees files of the system and the workspace, writes to the workspace alone, and
//! opens no connection. Whatever the command has started ends with the call.

use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;

use bailiwick_domain::authority::{CommandRule, MAX_COMMAND_BYTES, MAX_WORDS};
use bailiwick_domain::permit::Terms;
use rustix::process::{Pid, Signal, kill_process_group};
use wasmtime::component::{HasData, Linker};

use super::{Denials, Uses};
use crate::guest::Guest;
use crate::meter::{Counted, Counters};
use crate::workspace::Workspace;

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/shell",
        world: "bailiwick:shell/imports",
        imports: { default: async | trappable },
    });
}

use generated::bailiwick::shell::commands::{self, Ended, Error};

/// Where programs are found: what the system installed, and nothing that a user did.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Bytes of stdout and of stderr that are kept of one command: what a guest can still
/// take in one piece.
const MAX_WRITTEN: u64 = 4 << 20;

/// The status of a launcher that could not confine the command; no program of the
/// system ends so in good order.
const NOT_CONFINED: i32 = 125;

/// The status of a launcher that found no such program.
const NO_PROGRAM: i32 = 127;

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    commands::add_to_linker::<_, HasShell>(linker, Guest::shell_view)
}

/// One call's part of it.
pub(crate) struct Shell {
    rules: Vec<CommandRule>,
    /// What starts commands, with the arguments that it needs before theirs.
    launcher: Option<Arc<Launcher>>,
    workspace: Option<PathBuf>,
    /// Bytes that one file of the workspace may have.
    max_file: u64,
}

/// A program that confines itself and then becomes the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launcher {
    /// The program.
    pub program: PathBuf,
    /// Its first arguments. What follows is the folder that may be written, the most
    /// bytes of a file in it, `--`, and the command.
    pub arguments: Vec<String>,
}

/// What one call gets of the terms.
pub(crate) fn prepare(terms: &Terms, launcher: Option<&Arc<Launcher>>, workspace: Option<&Workspace>) -> Shell {
    Shell {
        rules: terms.shell.clone(),
        launcher: launcher.cloned(),
        workspace: workspace.map(|workspace| workspace.folder().to_owned()),
        max_file: terms.workspace.map_or(0, |quota| quota.max_bytes),
    }
}

struct HasShell;

impl HasData for HasShell {
    type Data<'a> = View<'a>;
}

/// What the interface's functions work on.
pub(crate) struct View<'a> {
    pub(crate) shell: &'a Shell,
    pub(crate) denials: &'a Denials,
    pub(crate) uses: &'a Uses,
    pub(crate) counters: &'a Counters,
}

impl commands::Host for View<'_> {
    async fn run(&mut self, command: Vec<String>, input: Vec<u8>) -> wasmtime::Result<Result<Ended, Error>> {
        let allowed = self.check(&command);
        Ok(match allowed {
            Ok((launcher, workspace)) => run(&launcher, &workspace, self.shell.max_file, &command, input).await,
            Err(error) => Err(error),
        })
    }
}

impl View<'_> {
    fn check(&self, command: &[String]) -> Result<(Arc<Launcher>, PathBuf), Error> {
        let denied = |reason: String| {
            self.denials.record("shell", command.join(" "), reason.clone());
            Error::Denied(reason)
        };
        self.counters.take(Counted::HostCalls, 1).map_err(|reached| denied(reached.to_string()))?;
        let bytes: usize = command.iter().map(String::len).sum();
        let plain = command.len() <= MAX_WORDS && bytes <= MAX_COMMAND_BYTES;
        let rule = self.shell.rules.iter().find(|rule| rule.allows(command)).filter(|_| plain);
        let Some(rule) = rule.filter(|_| !command.iter().any(|word| word.contains('\0'))) else {
            return Err(denied("no granted command is this one".to_owned()));
        };
        let Some(workspace) = &self.shell.workspace else {
            return Err(denied("commands run in the call's workspace, and none is granted".to_owned()));
        };
        let Some(launcher) = &self.shell.launcher else {
            return Err(denied("this host runs no commands".to_owned()));
        };
        self.uses.record("shell", rule);
        Ok((Arc::clone(launcher), workspace.clone()))
    }
}

async fn run(
    launcher: &Launcher,
    workspace: &Path,
    max_file: u64,
    command: &[String],
    input: Vec<u8>,
) -> Result<Ended, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Failed(error.to_string());
    let mut starter = Command::new(&launcher.program);
    starter
        .args(&launcher.arguments)
        .arg(workspace)
        .arg(max_file.to_string())
        .arg("--")
        .args(command)
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", workspace)
        .env("LANG", "C.UTF-8")
        .current_dir(workspace)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let child = starter.spawn().map_err(|error| failed(&error))?;
    // Held here, so that a call that is cut off takes the command along; the thread
    // below then sees it end.
    let group = Group::of(&child);
    let waited = tokio::task::spawn_blocking(move || exchange(child, &input)).await;
    drop(group);
    let (status, stdout, stderr) = waited.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    if [&stdout, &stderr].iter().any(|bytes| bytes.len() as u64 > MAX_WRITTEN) {
        return Err(Error::TooLarge(MAX_WRITTEN));
    }
    ended(command, status, stdout, stderr)
}

/// Feeds the command and reads what it writes, side by side, until it has ended.
fn exchange(mut child: Child, input: &[u8]) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let group = Group::of(&child);
    let (stdout, stderr) = thread::scope(|scope| {
        // A command need not read what it is given.
        scope.spawn(|| stdin.map(|mut stdin| stdin.write_all(input)));
        let stderr = scope.spawn(|| read(stderr, &group));
        let stdout = read(stdout, &group);
        (stdout, stderr.join().unwrap_or_else(|_| Err(io::Error::other("stderr can't be read"))))
    });
    Ok((child.wait()?, stdout?, stderr?))
}

/// All that comes, and one byte more than the limit where there is too much: then
/// nothing further is of interest, and the command is ended.
fn read(stream: Option<impl Read>, group: &Group) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(stream) = stream else { return Ok(bytes) };
    stream.take(MAX_WRITTEN + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_WRITTEN {
        group.end();
    }
    Ok(bytes)
}

/// What the launcher says of itself comes to the guest as the error that it is.
fn ended(command: &[String], status: ExitStatus, stdout: Vec<u8>, stderr: Vec<u8>) -> Result<Ended, Error> {
    let program = command.first().map_or("", String::as_str);
    match status.code() {
        Some(NOT_CONFINED) => Err(Error::Unavailable(String::from_utf8_lossy(&stderr).trim().to_owned())),
        Some(NO_PROGRAM) => Err(Error::Unavailable(format!("the host has no program `{program}`"))),
        status => Ok(Ended { status, stdout, stderr }),
    }
}

/// A command with all that it has started. Dropping it ends all of them.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(i32::try_from(child.id()).ok().and_then(Pid::from_raw))
    }

    fn end(&self) {
        if let Some(group) = self.0 {
            // It is gone where the command has ended and left nothing behind.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

//! Commands of the host by `bailiwick:shell`: argument lists as they were granted, in
//! the call's workspace, behind a launcher that confines them.
//!
//! No shell reads the words. What a command writes counts against the workspace's
//! quota like what the guest writes. All that it has started ends with it, and it
//! ends with its call.

mod process;
mod room;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailiwick_domain::authority::{CommandRule, MAX_COMMAND_BYTES, MAX_WORDS};
use bailiwick_domain::digest::Digest;
use bailiwick_domain::permit::Terms;
use tokio::sync::OnceCell;
use wasmtime::component::{HasData, Linker};

use self::process::{Ending, Running};
use self::room::Room;
use super::fs::Files;
use super::{Denials, Uses};
use crate::guest::Guest;
use crate::meter::{Counted, Counters};
use crate::workspace::{Lease, Workspace};

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/shell",
        world: "bailiwick:shell/imports",
        imports: { default: async | trappable },
    });
}

use generated::bailiwick::shell::commands::{self, Ended, Error};

/// Where programs are found: what the system installed, and nothing that a user did.
pub const COMMAND_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A program that does nothing, to see whether commands can be confined at all.
const NOTHING: &str = "true";

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    commands::add_to_linker::<_, HasShell>(linker, Guest::shell_view)
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

/// How a host runs commands, and that it can, which is found out once. That it can't
/// may be over the next time: bubblewrap is installed, or the system has room again.
#[derive(Debug)]
pub(crate) struct Commands {
    pub(crate) launcher: Launcher,
    confines: OnceCell<()>,
}

impl Commands {
    pub(crate) fn new(launcher: Launcher) -> Self {
        Self { launcher, confines: OnceCell::new() }
    }

    /// Why no command can be confined here, if so.
    async fn check(&self, workspace: &Path) -> Result<(), Error> {
        let confines = self.confines.get_or_try_init(|| async {
            let unavailable = |error: std::io::Error| Error::Unavailable(error.to_string());
            let running = Running::start(&self.launcher, workspace, 1 << 20, &[NOTHING.to_owned()], Vec::new(), None);
            match running.map_err(unavailable)?.wait().await.map_err(unavailable)? {
                Ending { status: Some(0), .. } => Ok(()),
                Ending { stderr, .. } => Err(Error::Unavailable(String::from_utf8_lossy(&stderr).trim().to_owned())),
            }
        });
        confines.await.map(drop)
    }
}

/// One call's part of it.
pub(crate) struct Shell {
    rules: Vec<CommandRule>,
    commands: Option<Arc<Commands>>,
    workspace: Option<PathBuf>,
    /// Held by each command, where the workspace is the next call's after this one.
    lease: Option<Lease>,
}

/// What one call gets of the terms.
pub(crate) fn prepare(terms: &Terms, commands: Option<&Arc<Commands>>, workspace: Option<&Workspace>) -> Shell {
    Shell {
        rules: terms.shell.clone(),
        commands: commands.cloned(),
        workspace: workspace.map(|workspace| workspace.folder().to_owned()),
        lease: workspace.filter(|_| !terms.shell.is_empty()).and_then(Workspace::lease),
    }
}

struct HasShell;

impl HasData for HasShell {
    type Data<'a> = View<'a>;
}

/// What the interface's functions work on.
pub(crate) struct View<'a> {
    pub(crate) shell: &'a Shell,
    pub(crate) files: &'a Files,
    pub(crate) denials: &'a Denials,
    pub(crate) uses: &'a Uses,
    pub(crate) counters: &'a Counters,
}

impl commands::Host for View<'_> {
    async fn run(&mut self, command: Vec<String>, input: Vec<u8>) -> wasmtime::Result<Result<Ended, Error>> {
        Ok(self.run_command(&command, input).await)
    }
}

impl View<'_> {
    async fn run_command(&self, command: &[String], input: Vec<u8>) -> Result<Ended, Error> {
        let (commands, workspace) = self.check(command)?;
        commands.check(workspace).await?;
        let program = command.first().map_or("", String::as_str);
        if !is_there(program) {
            return Err(Error::Unavailable(format!("the host has no program `{program}`")));
        }
        let room = Room::of(self.files, workspace).await;
        let room = room.ok_or_else(|| self.denied(command, "no workspace is open"))?;
        room.check().map_err(|reached| self.denied(command, &reached.to_string()))?;
        let failed = |error: std::io::Error| Error::Failed(error.to_string());
        let max_file = room.left().bytes;
        let lease = self.shell.lease.clone();
        let running = Running::start(&commands.launcher, workspace, max_file, command, input, lease).map_err(failed)?;
        let ending = running.wait_within(&room).await.map_err(failed)?;
        if let Err(reached) = room.charge().await {
            return Err(self.denied(command, &reached.to_string()));
        }
        match ending {
            Ending { too_large: Some(most), .. } => Err(Error::TooLarge(most)),
            Ending { status, stdout, stderr, .. } => Ok(Ended { status, stdout, stderr }),
        }
    }

    fn check(&self, command: &[String]) -> Result<(&Commands, &Path), Error> {
        self.counters.take(Counted::HostCalls, 1).map_err(|reached| self.denied(command, &reached.to_string()))?;
        let bytes: usize = command.iter().map(String::len).sum();
        let plain =
            command.len() <= MAX_WORDS && bytes <= MAX_COMMAND_BYTES && !command.iter().any(|word| word.contains('\0'));
        let rule = self.shell.rules.iter().find(|rule| plain && rule.allows(command));
        let Some(rule) = rule else {
            return Err(self.denied(command, "no granted command is this one"));
        };
        let Some(workspace) = &self.shell.workspace else {
            return Err(self.denied(command, "commands run in the call's workspace, and none is granted"));
        };
        let Some(commands) = &self.shell.commands else {
            return Err(self.denied(command, "this host runs no commands"));
        };
        self.uses.record("shell", rule);
        // Which one it was of those that the rule allows, without the words themselves.
        self.uses.record("command", Digest::of(command.join("\0").as_bytes()));
        Ok((commands, workspace))
    }

    fn denied(&self, command: &[String], reason: &str) -> Error {
        self.denials.record("shell", command.join(" "), reason);
        Error::Denied(reason.to_owned())
    }
}

/// Whether a folder of the path has such a program.
fn is_there(program: &str) -> bool {
    COMMAND_PATH.split(':').any(|folder| Path::new(folder).join(program).is_file())
}

//! A command under way: fed, read, and ended whatever happens.

use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::task::JoinHandle;

use super::room::Room;
use super::{COMMAND_PATH, Launcher};

/// Bytes of stdout and of stderr that are kept of one command: what a guest can still
/// take in one piece.
const MAX_WRITTEN: u64 = 4 << 20;

/// How a command ended.
pub(super) struct Ending {
    /// Its exit status; none where the launcher was ended by a signal.
    pub(super) status: Option<i32>,
    /// What it wrote to stdout.
    pub(super) stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub(super) stderr: Vec<u8>,
    /// The limit, where it wrote more.
    pub(super) too_large: Option<u64>,
}

/// A command that was started. Dropping it ends it, with all that it has started.
pub(super) struct Running {
    leader: Arc<Leader>,
    waited: JoinHandle<io::Result<Ending>>,
}

impl Running {
    /// Starts `command` by `launcher`.
    pub(super) fn start(
        launcher: &Launcher,
        workspace: &Path,
        max_file: u64,
        command: &[String],
        input: Vec<u8>,
    ) -> io::Result<Self> {
        let mut starter = Command::new(&launcher.program);
        starter.args(&launcher.arguments).arg(workspace).arg(max_file.to_string()).arg("--").args(command);
        // Not of the pool of threads that come and go: a command ends with the thread that started it.
        let child = starter
            .env_clear()
            .env("PATH", COMMAND_PATH)
            .current_dir(workspace)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let leader = Arc::new(Leader::of(&child));
        let theirs = Arc::clone(&leader);
        let waited = tokio::task::spawn_blocking(move || exchange(child, &input, &theirs));
        Ok(Self { leader, waited })
    }

    /// Waits for the end.
    pub(super) async fn wait(mut self) -> io::Result<Ending> {
        (&mut self.waited).await.map_err(io::Error::other)?
    }

    /// The same, which comes at once where the workspace has no room left.
    pub(super) async fn wait_within(mut self, room: &Room) -> io::Result<Ending> {
        tokio::select! {
            ending = &mut self.waited => return ending.map_err(io::Error::other)?,
            () = room.is_used_up() => self.leader.end(),
        }
        self.wait().await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.leader.end();
    }
}

/// The first process, until it is over. With it ends the namespace of all others.
struct Leader(Mutex<Option<Pid>>);

impl Leader {
    fn of(child: &Child) -> Self {
        Self(Mutex::new(i32::try_from(child.id()).ok().and_then(Pid::from_raw)))
    }

    fn end(&self) {
        if let Some(leader) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // It may have ended by itself a moment ago.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }

    /// Waits until it is over, and from then on ends nothing: its number may be another's.
    fn reap(&self, child: &mut Child) -> io::Result<Option<i32>> {
        let pid = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = pid {
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
        }
        let mut leader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *leader = None;
        child.wait().map(|status| status.code())
    }
}

/// Feeds the command and reads what it writes, side by side, until it has ended.
fn exchange(mut child: Child, input: &[u8], leader: &Leader) -> io::Result<Ending> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = thread::scope(|scope| {
        // A command need not read what it is given.
        scope.spawn(|| stdin.map(|mut stdin| stdin.write_all(input)));
        let stderr = scope.spawn(|| read(stderr, leader));
        let stdout = read(stdout, leader);
        (stdout, stderr.join().unwrap_or_else(|_| Err(io::Error::other("stderr can't be read"))))
    });
    let status = leader.reap(&mut child)?;
    let (stdout, stderr) = (stdout?, stderr?);
    let too_large = [&stdout, &stderr].iter().any(|bytes| bytes.len() as u64 > MAX_WRITTEN).then_some(MAX_WRITTEN);
    Ok(Ending { status, stdout, stderr, too_large })
}

/// All that comes, and one byte more than the limit where there is too much: then
/// nothing further is of interest, and the command is ended.
fn read(stream: Option<impl Read>, leader: &Leader) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(stream) = stream else { return Ok(bytes) };
    stream.take(MAX_WRITTEN + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_WRITTEN {
        leader.end();
    }
    Ok(bytes)
}

//! A command under way: fed, read, and ended whatever happens.

use std::fs;
use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::room::Room;
use super::{COMMAND_PATH, Launcher};
use crate::workspace::Lease;

/// Bytes of stdout and of stderr that are kept of one command: what a guest can still
/// take in one piece.
const MAX_WRITTEN: u64 = 4 << 20;

/// How long it is waited for what was ended. The system does it within milliseconds, unless
/// a disk doesn't answer.
const LET_GO: Duration = Duration::from_secs(1);

/// How often it is looked whether that is over.
const LOOK: Duration = Duration::from_millis(2);

/// How many times: as long as it is waited for.
const LOOKS: u32 = 500;

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
    turn: Option<Turn>,
}

/// Nobody else has the workspace before the command is over.
struct Turn {
    lease: Lease,
    /// Comes when nothing of the command is left.
    over: oneshot::Receiver<()>,
}

impl Running {
    /// Starts `command` by `launcher`, in the turn of `lease` where others wait for the workspace.
    pub(super) fn start(
        launcher: &Launcher,
        workspace: &Path,
        max_file: u64,
        command: &[String],
        input: Vec<u8>,
        lease: Option<Lease>,
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
        let (ended, over) = oneshot::channel::<()>();
        let waited = tokio::task::spawn_blocking(move || {
            let ending = exchange(child, &input, &theirs);
            drop(ended);
            ending
        });
        Ok(Self { leader, waited, turn: lease.map(|lease| Turn { lease, over }) })
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
        let Some(Turn { lease, over }) = self.turn.take() else { return };
        if self.waited.is_finished() {
            return;
        }
        // What is being ended may write until it is gone.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                // It comes by being dropped. A disk that doesn't answer must not hold up the next call.
                let _ = tokio::time::timeout(LET_GO, over).await;
                drop(lease);
            });
        }
    }
}

/// The first process, until it is over. With it ends the namespace of all others.
struct Leader {
    pid: Mutex<Option<Pid>>,
    /// What it had started when it was ended: the first of that namespace, which is over when
    /// all others of it are.
    started: Mutex<Vec<u32>>,
}

impl Leader {
    fn of(child: &Child) -> Self {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Self { pid: Mutex::new(pid), started: Mutex::default() }
    }

    fn end(&self) {
        if let Some(leader) = *self.pid.lock().unwrap_or_else(PoisonError::into_inner) {
            let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
            started.extend(children(leader));
            // It may have ended by itself a moment ago.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }

    /// Waits until what it had started when it was ended is over, for a while.
    fn outlive(&self) {
        let started = std::mem::take(&mut *self.started.lock().unwrap_or_else(PoisonError::into_inner));
        for _ in 0..LOOKS {
            if !started.iter().any(|pid| is_at_work(*pid)) {
                return;
            }
            thread::sleep(LOOK);
        }
    }

    /// Waits until it is over, and from then on ends nothing: its number may be another's.
    fn reap(&self, child: &mut Child) -> io::Result<Option<i32>> {
        let pid = *self.pid.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = pid {
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
        }
        let mut leader = self.pid.lock().unwrap_or_else(PoisonError::into_inner);
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
    leader.outlive();
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

/// What a process has started, as far as the system says it.
fn children(pid: Pid) -> Vec<u32> {
    let pid = pid.as_raw_nonzero().to_string();
    let thread = Path::new("/proc").join(&pid).join("task").join(&pid);
    let all = fs::read_to_string(thread.join("children")).unwrap_or_default();
    all.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Whether a process may still do something. One whose end nobody has taken note of may not.
fn is_at_work(pid: u32) -> bool {
    let Ok(all) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // Its state stands behind its name, which may have anything in it.
    all.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

#[cfg(test)]
mod tests {
    use tokio::sync::Mutex as Turns;

    use super::*;

    /// A command in `folder` that has begun, and is ended by nobody who dies with it.
    async fn begin(folder: &Path, script: &str, lease: Lease) -> Running {
        let arguments = ["-c", script].map(str::to_owned).to_vec();
        let launcher = Launcher { program: "/bin/sh".into(), arguments };
        let running = Running::start(&launcher, folder, 1 << 20, &[], Vec::new(), Some(lease)).expect("started");
        let begun = async {
            while !folder.join("begun").exists() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), begun).await.expect("it begins");
        running
    }

    #[tokio::test]
    async fn a_turn_lasts_until_nothing_writes_any_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let turn = Arc::new(Turns::new(()));
        let lease = Arc::new(Arc::clone(&turn).lock_owned().await);
        // It has closed what it was given, and is not of the group that is killed.
        let script = "setsid sh -c 'touch begun; sleep 0.2; touch late' </dev/null >/dev/null 2>&1 & sleep 60";
        let running = begin(folder.path(), script, lease).await;
        drop(running);
        drop(turn.lock().await);
        assert!(folder.path().join("late").exists(), "the turn was over before the command");
    }

    #[tokio::test]
    async fn a_turn_is_not_held_up_for_ever() {
        let folder = tempfile::tempdir().expect("a folder");
        let turn = Arc::new(Turns::new(()));
        let lease = Arc::new(Arc::clone(&turn).lock_owned().await);
        // It has closed nothing, so that it is being read from for as long as it lives.
        let script = "setsid sh -c 'touch begun; sleep 3; touch late' & sleep 60";
        let running = begin(folder.path(), script, lease).await;
        drop(running);
        drop(turn.lock().await);
        assert!(!folder.path().join("late").exists(), "what can't be ended is not waited for");
    }

    #[tokio::test]
    async fn a_turn_is_over_with_a_command_that_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let turn = Arc::new(Turns::new(()));
        let lease = Arc::new(Arc::clone(&turn).lock_owned().await);
        let running = begin(folder.path(), "touch begun", lease).await;
        assert_eq!(running.wait().await.expect("it ends").status, Some(0));
        assert!(turn.try_lock().is_ok());
    }
}

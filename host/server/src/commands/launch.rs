//! `bailiwick launch`: becomes a command of a skill, with nothing of the host in reach.
//! The sandbox starts it; it is of no use to people.
//!
//! It sets limits on itself and then becomes bubblewrap, which makes namespaces for
//! the command: of files (the system's programs to be read, the call's workspace to be
//! written), of processes (all of them end with the first), of the network (an empty
//! one), of users (nobody, without capabilities). Where the system can't make them,
//! nothing is run.
#![expect(clippy::print_stderr, reason = "the sandbox reads why a command could not be confined")]

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick_sandbox::Launcher;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};

use crate::cli::Launch;

/// The status for the shell that this was no use of.
const NOT_CONFINED: u8 = 125;

/// Namespaces and an identity with nothing in them, and an end with the host.
const APART: [&str; 17] = [
    "--unshare-user",
    "--unshare-ipc",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--disable-userns",
    "--uid",
    "65534",
    "--gid",
    "65534",
    "--hostname",
    "bailiwick",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
];

/// The one folder of programs and libraries.
const PROGRAMS: &str = "/usr";

/// Older names of folders in it: symlinks on most systems, and folders on some.
const OLDER_NAMES: [&str; 5] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64"];

/// What programs read of `/etc`; passwords and keys are not among it.
const SETTINGS: [&str; 9] = [
    "/etc/alternatives",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
];

/// Devices that programs expect.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"];

/// Bytes of `/tmp`, which is in memory.
const TEMPORARY: &str = "67108864";

/// Where the command finds the call's workspace, as the guest does.
const WORKSPACE: &str = "/workspace";

/// The first file behind stdin, stdout and stderr.
const FIRST_OF_OTHERS: i32 = 3;

/// Seconds on the processor of one process: far more than a call has.
const CPU_SECONDS: u64 = 600;

/// Bytes of address space of one process.
const MEMORY: u64 = 2 << 30;

/// Open files of one process.
const FILES: u64 = 256;

/// What the sandbox starts: this program's own subcommand. None where a command could
/// read what grants may not show: the system's programs are in the same folder.
pub fn launcher(private: &[PathBuf]) -> Option<Launcher> {
    let below = |path: &&PathBuf| fs::canonicalize(path).is_ok_and(|path| path.starts_with(PROGRAMS));
    if let Some(path) = private.iter().find(below) {
        tracing::warn!(path = %path.display(), "no commands are run: this lies below {PROGRAMS}, which every command reads");
        return None;
    }
    let program = std::env::current_exe().ok()?;
    Some(Launcher { program, arguments: vec!["launch".to_owned()] })
}

/// Becomes the command. Comes back only where that fails, with the status to end with.
pub fn launch(launch: &Launch) -> u8 {
    let failed = match confine(launch) {
        Err(problem) => problem,
        Ok(()) => format!("bubblewrap (`bwrap`) can't be started: {}", bubblewrap(launch).exec()),
    };
    eprintln!("this host can't confine commands: {failed}");
    NOT_CONFINED
}

fn confine(launch: &Launch) -> Result<(), String> {
    // What the host itself was started with would be the command's too.
    close_fds::set_fds_cloexec(FIRST_OF_OTHERS, &[]);
    let dies = set_parent_process_death_signal(Some(Signal::KILL));
    dies.map_err(|error| format!("it would outlive the host: {error}"))?;
    let limits = [
        (Resource::Cpu, CPU_SECONDS),
        (Resource::As, MEMORY),
        (Resource::Nofile, FILES),
        (Resource::Fsize, launch.max_file),
        (Resource::Core, 0),
    ];
    for (resource, most) in limits {
        // What is less already can't be made more.
        let most = getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most));
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(resource, limit).map_err(|error| format!("the limit {resource:?} can't be set: {error}"))?;
    }
    Ok(())
}

fn bubblewrap(launch: &Launch) -> Command {
    let mut wrap = Command::new("bwrap");
    wrap.args(APART).args(["--ro-bind", PROGRAMS, PROGRAMS]);
    for path in OLDER_NAMES.map(Path::new) {
        match fs::read_link(path) {
            Ok(target) => drop(wrap.arg("--symlink").arg(target).arg(path)),
            Err(_) => drop(wrap.arg("--ro-bind-try").arg(path).arg(path)),
        }
    }
    for path in SETTINGS {
        wrap.args(["--ro-bind-try", path, path]);
    }
    for path in DEVICES {
        wrap.args(["--dev-bind-try", path, path]);
    }
    wrap.args(["--size", TEMPORARY, "--tmpfs", "/tmp", "--bind"]).arg(&launch.workspace).arg(WORKSPACE);
    // The root holds only these; what would be written beside them would lie in memory.
    wrap.args(["--remount-ro", "/", "--chdir", WORKSPACE, "--clearenv"]);
    for (name, value) in [("PATH", bailiwick_sandbox::COMMAND_PATH), ("HOME", WORKSPACE), ("LANG", "C.UTF-8")] {
        wrap.args(["--setenv", name, value]);
    }
    wrap.arg("--").args(&launch.command);
    wrap
}

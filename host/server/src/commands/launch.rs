//! `bailiwick launch`: becomes a command of a skill, after it has given up what the
//! host's user may do. The sandbox starts it; it is of no use to people.
//!
//! Landlock takes away every file but those of the system, which are read and run,
//! and the workspace, and every TCP port. Nothing that is started from here can get
//! any of it back. Where the kernel has no Landlock, nothing is run.
#![expect(clippy::print_stderr, reason = "the sandbox reads why a command could not be confined")]

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, Scope,
};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::cli::Launch;

/// What programs of the system need, to be read and run. Of `/etc` only what every
/// program reads: there are passwords and keys in it.
const SYSTEM: [&str; 17] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/group",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/ssl/certs",
];

/// Devices that programs of the system expect.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"];

/// Seconds on the processor: the call's own deadline is shorter, and this holds for
/// what hides from it.
const CPU_SECONDS: u64 = 120;

/// Bytes of address space of one process.
const MEMORY: u64 = 2 << 30;

/// Open files of one process.
const FILES: u64 = 256;

/// Statuses that the sandbox knows: the command could not be confined, or not be found.
const NOT_CONFINED: u8 = 125;
const NOT_STARTED: u8 = 126;
const NO_PROGRAM: u8 = 127;

/// What the sandbox starts: this program's own subcommand.
pub fn launcher() -> Option<bailiwick_sandbox::Launcher> {
    let program = std::env::current_exe().ok()?;
    Some(bailiwick_sandbox::Launcher { program, arguments: vec!["launch".to_owned()] })
}

/// Becomes the command. Comes back only where that fails, with the status to end with.
pub fn launch(launch: &Launch) -> u8 {
    if let Err(problem) = confine(launch) {
        eprintln!("this host can't confine commands: {problem}");
        return NOT_CONFINED;
    }
    let Some((program, arguments)) = launch.command.split_first() else { return NO_PROGRAM };
    let error = Command::new(program).args(arguments).exec();
    eprintln!("{program}: {error}");
    if error.kind() == std::io::ErrorKind::NotFound { NO_PROGRAM } else { NOT_STARTED }
}

fn confine(launch: &Launch) -> Result<(), String> {
    let limits = [
        (Resource::Cpu, CPU_SECONDS),
        (Resource::As, MEMORY),
        (Resource::Nofile, FILES),
        (Resource::Fsize, launch.max_file),
        (Resource::Core, 0),
    ];
    for (resource, most) in limits {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(resource, limit).map_err(|error| format!("the limit {resource:?} can't be set: {error}"))?;
    }
    restrict(launch).map_err(|error| error.to_string())
}

/// The version of Landlock that is needed: files since the first, TCP ports since the fourth.
const NEEDED: ABI = ABI::V4;

fn restrict(launch: &Launch) -> Result<(), RulesetError> {
    let (every, read) = (AccessFs::from_all(NEEDED), AccessFs::from_read(NEEDED));
    let file = AccessFs::from_file(NEEDED);
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(every)?
        .handle_access(AccessNet::from_all(NEEDED))?
        // Signals and abstract sockets of other programs, where the kernel can.
        .set_compatibility(CompatLevel::BestEffort)
        .scope(Scope::from_all(ABI::V6))?
        .create()?;
    for path in SYSTEM.iter().map(Path::new) {
        // A file has no rights of a folder.
        let rights = if path.is_dir() { read } else { read & file };
        if let Some(opened) = opened(path) {
            ruleset = ruleset.add_rule(PathBeneath::new(opened, rights))?;
        }
    }
    for device in DEVICES.iter().filter_map(|path| opened(Path::new(path))) {
        ruleset = ruleset.add_rule(PathBeneath::new(device, AccessFs::ReadFile | AccessFs::WriteFile))?;
    }
    if let Some(workspace) = opened(&launch.workspace) {
        ruleset = ruleset.add_rule(PathBeneath::new(workspace, every))?;
    }
    // This also says that no program gets new privileges, be its file marked setuid.
    ruleset.restrict_self().map(drop)
}

/// What is not there needs no rule.
fn opened(path: &Path) -> Option<PathFd> {
    PathFd::new(path).ok()
}

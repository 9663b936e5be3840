//! Running a program of a build, whose lines are seen while it runs.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread;

use super::BuildError;

/// Who follows a build.
pub trait Watcher {
    /// What happens now, such as `compiling with cargo`.
    fn stage(&mut self, what: &str);

    /// A line that a program says, as it says it.
    fn line(&mut self, line: &str);
}

/// The status by which the libraries for authors say that a tool is missing, and that they have
/// named the command which installs it.
pub(super) const MISSING: Option<i32> = Some(2);

/// A line, and where it was said.
enum Said {
    Out(String),
    Err(String),
}

/// Runs a program to its end and gives what it printed on stdout, line by line; what it says on
/// stderr goes to `watcher`.
pub(super) fn run(command: &mut Command, watcher: &mut dyn Watcher) -> Result<Vec<String>, BuildError> {
    let mut printed = Vec::new();
    follow(command, None, &mut |said| match said {
        Said::Out(line) => printed.push(line),
        Said::Err(line) => watcher.line(&line),
    })?;
    Ok(printed)
}

/// The same for a program that speaks on both. Where it ends with the status `missing`, it has said
/// what is to be installed.
pub(super) fn run_aloud(
    command: &mut Command,
    missing: Option<i32>,
    watcher: &mut dyn Watcher,
) -> Result<(), BuildError> {
    follow(command, missing, &mut |said| {
        let (Said::Out(line) | Said::Err(line)) = said;
        watcher.line(&line);
    })
}

fn follow(command: &mut Command, missing: Option<i32>, take: &mut dyn FnMut(Said)) -> Result<(), BuildError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = command.get_program().to_owned();
    let started = command.spawn();
    let mut child = started.map_err(|error| BuildError::NotStarted { program: program.clone().into(), error })?;
    let (lines, inbox) = mpsc::channel();
    let readers = [
        child.stdout.take().map(|out| read(out, lines.clone(), Said::Out)),
        child.stderr.take().map(|err| read(err, lines.clone(), Said::Err)),
    ];
    drop(lines);
    // Ends when both pipes do.
    inbox.iter().for_each(take);
    for reader in readers.into_iter().flatten() {
        // A reader that panicked has read nothing more, and the program's status tells the rest.
        let _ = reader.join();
    }
    let failed = |error| BuildError::NotStarted { program: program.clone().into(), error };
    let status = child.wait().map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    let program = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    if missing.is_some() && status.code() == missing {
        return Err(BuildError::MissingAsSaid { program });
    }
    Err(BuildError::Failed { program, status: status.to_string() })
}

fn read(source: impl Read + Send + 'static, lines: Sender<Said>, kind: fn(String) -> Said) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut source = BufReader::new(source);
        let mut line = Vec::new();
        while source.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line);
            if lines.send(kind(text.trim_end_matches(['\n', '\r']).to_owned())).is_err() {
                return;
            }
            line.clear();
        }
    })
}

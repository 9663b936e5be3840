//! Waits until a file of a package was saved.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, SystemTime};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use crate::sources::matters;

/// How long nothing must have changed: editors and formatters save in several steps.
const QUIET: Duration = Duration::from_millis(150);

/// How often the files are looked at in any case: some file systems tell nobody of changes.
const LOOK: Duration = Duration::from_secs(2);

/// Quiet times that are waited for at most, while files change all the time.
const MAX_WAITS: usize = 40;

/// Files that are watched: more than a skill has.
const MAX_FILES: usize = 20_000;

/// How deep folders are watched.
const MAX_DEPTH: usize = 32;

/// Signals that wait: one says as much as many.
const SIGNALS: usize = 1;

/// The files of a package as they were at one moment.
type State = BTreeMap<PathBuf, (SystemTime, u64)>;

/// Watches a package.
pub struct Changes {
    root: PathBuf,
    /// A file that matters although a build writes it: where nothing is built here.
    also: Option<PathBuf>,
    known: State,
    watcher: Option<RecommendedWatcher>,
    watched: Vec<PathBuf>,
    signals: Receiver<()>,
}

impl Changes {
    /// Watches the package in `root`, and `also` a file in it that else doesn't matter.
    pub fn of(root: &Path, also: Option<PathBuf>) -> io::Result<Self> {
        let (sender, signals) = mpsc::sync_channel(SIGNALS);
        // Without a watcher, the files are looked at from time to time.
        let watcher = notify::recommended_watcher(signal(sender)).ok();
        let mut changes =
            Self { root: root.to_owned(), also, known: State::new(), watcher, watched: Vec::new(), signals };
        changes.known = changes.look()?;
        Ok(changes)
    }

    /// Waits until something that matters has changed and has come to rest, and answers
    /// what: paths relative to the package.
    pub fn wait(&mut self) -> io::Result<Vec<PathBuf>> {
        loop {
            if let Err(RecvTimeoutError::Disconnected) = self.signals.recv_timeout(LOOK) {
                // There is no watcher, so that nobody signals.
                std::thread::sleep(LOOK);
            }
            let changed = self.changed()?;
            if !changed.is_empty() {
                return Ok(changed);
            }
        }
    }

    /// What has changed since the last look, once it has come to rest.
    fn changed(&mut self) -> io::Result<Vec<PathBuf>> {
        let mut now = self.look()?;
        for _ in 0..MAX_WAITS {
            if now == self.known {
                break;
            }
            std::thread::sleep(QUIET);
            let later = self.look()?;
            if later == now {
                break;
            }
            now = later;
        }
        while self.signals.try_recv().is_ok() {}
        let mut changed: Vec<PathBuf> = now
            .iter()
            .filter(|(file, stamp)| self.known.get(*file) != Some(*stamp))
            .map(|(file, _)| file.clone())
            .collect();
        changed.extend(self.known.keys().filter(|file| !now.contains_key(*file)).cloned());
        self.known = now;
        Ok(changed)
    }

    /// The files that matter, and a watch on each of their folders.
    fn look(&mut self) -> io::Result<State> {
        let (mut state, mut folders) = (State::new(), Vec::new());
        self.collect(Path::new(""), 0, &mut state, &mut folders)?;
        if let Some(also) = &self.also
            && let Some(stamp) = stamp(&self.root.join(also))
        {
            state.insert(also.clone(), stamp);
            folders.extend(also.parent().map(Path::to_owned));
        }
        for folder in folders {
            if !self.watched.contains(&folder)
                && let Some(watcher) = &mut self.watcher
                // What can't be watched is looked at from time to time.
                && watcher.watch(&self.root.join(&folder), RecursiveMode::NonRecursive).is_ok()
            {
                self.watched.push(folder);
            }
        }
        Ok(state)
    }

    fn collect(&self, below: &Path, depth: usize, state: &mut State, folders: &mut Vec<PathBuf>) -> io::Result<()> {
        folders.push(below.to_owned());
        for entry in fs::read_dir(self.root.join(below))? {
            let entry = entry?;
            let file = below.join(entry.file_name());
            if !matters(&file) || state.len() >= MAX_FILES {
                continue;
            }
            // What is gone by now is seen the next time.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && depth < MAX_DEPTH {
                match self.collect(&file, depth + 1, state, folders) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            } else if kind.is_file()
                && let Some(stamp) = stamp(&entry.path())
            {
                state.insert(file, stamp);
            }
        }
        Ok(())
    }
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn signal(sender: SyncSender<()>) -> impl Fn(notify::Result<notify::Event>) + Send {
    move |event| {
        // Reading is no change; what an error hides may be one.
        if event.map_or(true, |event| !matches!(event.kind, notify::EventKind::Access(_))) {
            // A full channel holds a signal already.
            let _ = sender.try_send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_file_is_told_and_what_tools_write_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().to_owned();
        for (file, text) in [("skill.py", "a"), ("gone.py", "a"), ("skill.wasm", "a")] {
            fs::write(root.join(file), text).expect("written");
        }
        let mut changes = Changes::of(&root, None).expect("watched");
        let saver = std::thread::spawn({
            let root = root.clone();
            move || {
                fs::create_dir_all(root.join(".build")).expect("made");
                fs::write(root.join(".build/glue.py"), "a").expect("written");
                fs::write(root.join("skill.wasm"), "other").expect("written");
                fs::write(root.join("skill.py"), "longer").expect("written");
                fs::remove_file(root.join("gone.py")).expect("removed");
            }
        });
        let mut told = changes.wait().expect("a change");
        saver.join().expect("saved");
        // On a busy machine the saver may have taken a rest in between.
        while !(told.contains(&"skill.py".into()) && told.contains(&"gone.py".into())) {
            told.extend(changes.wait().expect("a change"));
        }
        told.sort();
        told.dedup();
        assert_eq!(told, [PathBuf::from("gone.py"), PathBuf::from("skill.py")]);
        // A folder that is new is watched too.
        fs::create_dir_all(root.join("src")).expect("made");
        fs::write(root.join("src/lib.rs"), "a").expect("written");
        assert_eq!(changes.wait().expect("told"), [PathBuf::from("src/lib.rs")]);
    }
}

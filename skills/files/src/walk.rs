//! Folders and what they hold, in a fixed order.

use std::vec::IntoIter;

use wasip2::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};

use crate::error;
use crate::exports::bailiwick::files::tools::{EntryKind, Failure};
use crate::glob::Filter;
use crate::limits::MAX_VISITED;
use crate::path::Target;
use crate::roots::{Mount, mounts, read_folder};

/// One entry that a walk came across.
pub struct Entry {
    /// Its absolute path.
    pub path: String,
    /// Its path below the folder where the walk began.
    pub relative: String,
    pub kind: EntryKind,
}

/// Walks down from a folder: siblings by the bytes of their names, each folder
/// before what it holds. Links are not followed, so that there are no cycles.
pub struct Walk<'f> {
    filter: &'f Filter,
    mounts: Vec<Mount>,
    depth: usize,
    /// The entries still to come, one level per folder that is open.
    levels: Vec<IntoIter<Entry>>,
    visited: usize,
    /// Folders that the host did not let the skill read, and names that are
    /// not UTF-8.
    pub unreadable: u32,
    /// Whether entries were left out because there were too many.
    pub truncated: bool,
}

impl<'f> Walk<'f> {
    /// Begins at a folder and goes down `depth` levels.
    pub fn below(folder: &Target, depth: u32, filter: &'f Filter) -> Result<Self, Failure> {
        let mut walk = Self {
            filter,
            mounts: mounts(),
            depth: depth as usize,
            levels: Vec::new(),
            visited: 0,
            unreadable: 0,
            truncated: false,
        };
        walk.open(&folder.path, "").map_err(|code| error::listing(folder, code))?;
        Ok(walk)
    }

    /// Reads and sorts one folder, and puts it on top.
    fn open(&mut self, path: &str, relative: &str) -> Result<(), ErrorCode> {
        let names = read_folder(&self.mounts, path)?;
        let mut entries = Vec::new();
        loop {
            if self.visited == MAX_VISITED {
                self.truncated = true;
                break;
            }
            self.visited += 1;
            match names.read_directory_entry() {
                Ok(Some(entry)) => entries.push(describe(path, relative, &entry)),
                Ok(None) => break,
                // A name that is not UTF-8 has no path here; others follow.
                Err(_) => self.unreadable += 1,
            }
        }
        // Siblings share all but their names.
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        self.levels.push(entries.into_iter());
        Ok(())
    }
}

impl Iterator for Walk<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            let Some(entry) = self.levels.last_mut()?.next() else {
                self.levels.pop();
                continue;
            };
            if self.filter.excludes(&entry.relative) {
                continue;
            }
            let enters = entry.kind == EntryKind::Directory && self.levels.len() < self.depth;
            if enters && self.open(&entry.path, &entry.relative).is_err() {
                self.unreadable += 1;
            }
            return Some(entry);
        }
    }
}

fn describe(folder: &str, relative: &str, entry: &DirectoryEntry) -> Entry {
    let name = &entry.name;
    Entry {
        path: format!("{}/{name}", folder.trim_end_matches('/')),
        relative: if relative.is_empty() { name.clone() } else { format!("{relative}/{name}") },
        kind: kind(entry.type_),
    }
}

fn kind(type_: DescriptorType) -> EntryKind {
    match type_ {
        DescriptorType::RegularFile => EntryKind::File,
        DescriptorType::Directory => EntryKind::Directory,
        DescriptorType::SymbolicLink => EntryKind::SymbolicLink,
        _ => EntryKind::Other,
    }
}

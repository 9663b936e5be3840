//! What a folder holds.

use std::fs::{self, Metadata};
use std::time::SystemTime;

use jiff::Timestamp;

use crate::error;
use crate::exports::bailiwick::files::tools::{self, EntryKind, Failure, Listing};
use crate::glob::Filter;
use crate::limits::{DEFAULT_ENTRIES, MAX_DEPTH, MAX_ENTRIES, MAX_LISTING_BYTES, check_number};
use crate::path::Target;
use crate::walk::{Entry, Walk};

/// What `list` is asked for.
pub struct Request {
    pub depth: Option<u32>,
    pub filter: Filter,
    pub kinds: Option<Vec<EntryKind>>,
    pub modified: bool,
    pub max_entries: Option<u32>,
}

/// Lists a folder, or describes the one entry that is no folder.
pub fn list(target: &Target, request: &Request) -> Result<Listing, Failure> {
    let depth = check_number("depth", request.depth, 1, 1, MAX_DEPTH)?;
    let limit = check_number("max-entries", request.max_entries, DEFAULT_ENTRIES, 1, MAX_ENTRIES)?;
    let metadata = fs::metadata(&target.path).map_err(|error| error::reading(target, &error))?;
    if !metadata.is_dir() {
        return Ok(single(target, request, &metadata));
    }
    let mut walk = Walk::below(target, depth, &request.filter)?;
    let mut entries = Vec::new();
    let (mut truncated, mut bytes) = (false, 0);
    for entry in &mut walk {
        if !request.wants(&entry) {
            continue;
        }
        bytes += entry.path.len();
        if entries.len() == limit as usize || bytes > MAX_LISTING_BYTES {
            truncated = true;
            break;
        }
        entries.push(request.describe(entry));
    }
    Ok(Listing { entries, unreadable: walk.unreadable, truncated: truncated || walk.truncated })
}

impl Request {
    fn wants(&self, entry: &Entry) -> bool {
        let of_kind = self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&entry.kind));
        of_kind && self.filter.wants(&entry.relative)
    }

    /// Asks the host for what the answer needs and no more: a call to it
    /// costs more than everything else here.
    fn describe(&self, entry: Entry) -> tools::Entry {
        let needed = self.modified || entry.kind == EntryKind::File;
        let metadata = needed.then(|| fs::symlink_metadata(&entry.path).ok()).flatten();
        self.answer(entry, metadata.as_ref())
    }

    fn answer(&self, entry: Entry, metadata: Option<&Metadata>) -> tools::Entry {
        let of_file = metadata.filter(|_| entry.kind == EntryKind::File);
        let of_time = metadata.filter(|_| self.modified);
        tools::Entry {
            path: entry.path,
            kind: entry.kind,
            size: of_file.map(Metadata::len),
            modified: of_time.and_then(|metadata| rfc3339(metadata.modified().ok()?)),
        }
    }
}

/// A file that was asked for by its own path.
fn single(target: &Target, request: &Request, metadata: &Metadata) -> Listing {
    let entry = Entry {
        path: target.path.clone(),
        relative: target.name().to_owned(),
        // Folders were told apart before, and links were followed.
        kind: if metadata.is_file() { EntryKind::File } else { EntryKind::Other },
    };
    let listed = request.wants(&entry) && !request.filter.excludes(&entry.relative);
    Listing {
        entries: listed.then(|| request.answer(entry, Some(metadata))).into_iter().collect(),
        unreadable: 0,
        truncated: false,
    }
}

fn rfc3339(time: SystemTime) -> Option<String> {
    let exact = Timestamp::try_from(time).ok()?;
    let whole = Timestamp::from_second(exact.as_second()).ok()?;
    Some(whole.to_string())
}

//! Writing one file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::error;
use crate::exports::bailiwick::files::tools::{Failure, WriteMode, Written};
use crate::limits::MAX_WRITE_BYTES;
use crate::path::Target;

/// Writes text to a file.
///
/// The file is written in place and not replaced by a new one, so that its
/// permissions stay and a link to it keeps its meaning. The price is that an
/// interrupted call leaves a part.
pub fn write(target: &Target, content: &str, mode: WriteMode, create_parents: bool) -> Result<Written, Failure> {
    if content.len() > MAX_WRITE_BYTES {
        return Err(Failure::TooLarge(format!(
            "`content` has {} bytes; at most {MAX_WRITE_BYTES} are allowed",
            content.len()
        )));
    }
    refuse_folder(target)?;
    let failed = |error| error::writing(target, &error);
    if create_parents {
        make_parents(&target.path).map_err(|error| error::making_parents(target, &error))?;
    }
    let mut file = open(&target.path, mode).map_err(failed)?;
    file.write_all(content.as_bytes())
        .and_then(|()| file.metadata())
        .map(|metadata| Written {
            path: target.path.clone(),
            bytes_written: content.len() as u64,
            size: metadata.len(),
        })
        .map_err(failed)
}

/// Says what is wrong in words that the host's errors do not have: it answers
/// the modes differently for a folder.
fn refuse_folder(target: &Target) -> Result<(), Failure> {
    match fs::metadata(&target.path) {
        Ok(metadata) if metadata.is_dir() => {
            Err(Failure::InvalidInput(format!("`path` is `{}`, which is a folder; expected a file", target.path)))
        }
        _ => Ok(()),
    }
}

fn make_parents(path: &str) -> io::Result<()> {
    match Path::new(path).parent() {
        Some(parent) => fs::create_dir_all(parent),
        None => Ok(()),
    }
}

fn open(path: &str, mode: WriteMode) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match mode {
        WriteMode::Create => options.write(true).create_new(true),
        WriteMode::Overwrite => options.write(true).create(true).truncate(true),
        WriteMode::Append => options.append(true).create(true),
    };
    options.open(path)
}

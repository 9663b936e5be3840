//! The files of a package that are there to be read: its `SKILL.md` and what lies in
//! `references/` and `assets/`, as the Agent Skills format has it.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Resource, ResourceBody, ResourceContent};
use crate::package::INSTRUCTIONS_FILE;
use crate::skill::Skill;

/// The folders, by the names that the format gives them.
const FOLDERS: [&str; 2] = ["references", "assets"];

/// Files that are listed, and how deep they lie.
const MAX_FILES: usize = 1000;
const MAX_DEPTH: usize = 8;

/// Bytes of a file that are read.
const MAX_BYTES: u64 = 4 << 20;

/// A file of the package can't be read.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` of the package can't be read: {problem}")]
pub struct ReadError {
    path: String,
    problem: String,
}

impl ReadError {
    pub(super) fn new(path: &str, error: &io::Error) -> Self {
        Self { path: path.to_owned(), problem: error.to_string() }
    }
}

/// The resources that the files of the package are.
pub(super) fn list(skill: &Skill) -> Result<Vec<Resource>, ReadError> {
    let mut found = Vec::new();
    if skill.instructions.is_some() {
        found.push(PathBuf::from(INSTRUCTIONS_FILE));
    }
    for folder in FOLDERS {
        walk(&skill.package_root, Path::new(folder), MAX_DEPTH, &mut found)?;
    }
    found.sort();
    Ok(found.iter().filter_map(|path| resource(skill, path)).collect())
}

/// The path within the package that `uri` names; `None` where it names none.
pub(super) fn path_of(skill: &Skill, uri: &str) -> Option<PathBuf> {
    let path = uri.strip_prefix(&prefix(skill))?;
    let path = percent_decoded(path)?;
    let path = PathBuf::from(path);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    let first = path.components().next()?;
    let known = path == Path::new(INSTRUCTIONS_FILE) || FOLDERS.iter().any(|folder| first.as_os_str() == *folder);
    (plain && known).then_some(path)
}

/// What the file holds; `None` where there is no such file.
pub(super) fn read(skill: &Skill, path: &Path) -> Result<Option<ResourceContent>, ReadError> {
    let failed = |error: io::Error| ReadError::new(&path.display().to_string(), &error);
    let Some(file) = inside(skill, path) else { return Ok(None) };
    let mut bytes = Vec::new();
    fs::File::open(file).map_err(failed)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed(io::Error::other(format!("it has more than {MAX_BYTES} bytes"))));
    }
    let body = match String::from_utf8(bytes) {
        Ok(text) => ResourceBody::Text(text),
        Err(error) => ResourceBody::Blob(STANDARD.encode(error.as_bytes())),
    };
    Ok(Some(ResourceContent { uri: uri(skill, path), mime_type: mime_type(path), body }))
}

/// The regular file of the package at `path`: a symlink is followed only within it.
fn inside(skill: &Skill, path: &Path) -> Option<PathBuf> {
    let file = fs::canonicalize(skill.package_root.join(path)).ok()?;
    (file.starts_with(&skill.package_root) && fs::metadata(&file).ok()?.is_file()).then_some(file)
}

fn resource(skill: &Skill, path: &Path) -> Option<Resource> {
    let size = fs::metadata(inside(skill, path)?).ok()?.len();
    Some(Resource {
        uri: uri(skill, path),
        name: path.to_str()?.to_owned(),
        description: (path == Path::new(INSTRUCTIONS_FILE))
            .then(|| "What the skill is for, and how to use it.".to_owned()),
        mime_type: mime_type(path),
        size: Some(size),
    })
}

/// Files below a folder of the package, never through a link to a folder.
fn walk(root: &Path, folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), ReadError> {
    let entries = match fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(ReadError::new(&folder.display().to_string(), &error)),
    };
    for entry in entries.flatten() {
        let path = folder.join(entry.file_name());
        match entry.file_type() {
            _ if found.len() >= MAX_FILES => return Ok(()),
            Ok(kind) if kind.is_dir() && depth > 0 => walk(root, &path, depth - 1, found)?,
            Ok(kind) if !kind.is_dir() => found.push(path),
            _ => {}
        }
    }
    Ok(())
}

fn prefix(skill: &Skill) -> String {
    format!("skill://{}/", skill.manifest.id)
}

fn uri(skill: &Skill, path: &Path) -> String {
    let mut uri = prefix(skill);
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            // Text takes whatever is written.
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// By the end of the name, for those files that skills have.
fn mime_type(path: &Path) -> Option<String> {
    let known = match path.extension()?.to_str()? {
        "md" => "text/markdown",
        "txt" => "text/plain",
        "json" => "application/json",
        "toml" => "application/toml",
        "yaml" | "yml" => "application/yaml",
        "csv" => "text/csv",
        "html" => "text/html",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "pdf" => "application/pdf",
        _ => return None,
    };
    Some(known.to_owned())
}

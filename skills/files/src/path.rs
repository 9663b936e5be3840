//! Paths, resolved by their text alone.
//!
//! This is for good messages. What a path may reach is decided by the host,
//! which also knows where links lead.

use crate::exports::bailiwick::files::tools::{Access, Failure, Root};
use crate::limits::MAX_PATH_BYTES;

/// A path below a granted folder.
pub struct Target {
    /// The absolute path without `.` and `..`.
    pub path: String,
    /// The granted folder that holds it: the innermost one.
    pub root: Root,
}

impl Target {
    /// The last name of the path; empty for `/`.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether its folder may be written, as far as the host says.
    pub fn is_writable(&self) -> bool {
        self.root.access == Access::ReadWrite
    }
}

/// Finds the granted folder that a path is in.
pub fn resolve(given: &str, roots: Vec<Root>) -> Result<Target, Failure> {
    if roots.is_empty() {
        return Err(Failure::Denied("no folder is granted to this skill".to_owned()));
    }
    check_text(given)?;
    let base = base(given, &roots)?;
    let path = normalise(base, given).ok_or_else(|| outside(given, &roots))?;
    let innermost =
        roots.iter().filter(|root| below(&path, &root.path).is_some()).max_by_key(|root| root.path.len()).cloned();
    match innermost {
        Some(root) => Ok(Target { path, root }),
        None => Err(outside(given, &roots)),
    }
}

/// Makes an absolute path without `.`, `..` and empty names. None when `..`
/// goes above `/`.
pub fn normalise(base: &str, given: &str) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    let base = if given.starts_with('/') { "/" } else { base };
    for name in base.split('/').chain(given.split('/')) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(format!("/{}", names.join("/")))
}

/// The rest of a path below a folder; empty for the folder itself. Both are
/// absolute and normalised.
pub fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    match rest.strip_prefix('/') {
        Some(rest) => Some(rest),
        None => rest.is_empty().then_some(rest),
    }
}

/// What a relative path is relative to.
fn base<'r>(given: &str, roots: &'r [Root]) -> Result<&'r str, Failure> {
    match roots {
        _ if given.starts_with('/') => Ok("/"),
        [only] => Ok(&only.path),
        _ => Err(Failure::InvalidInput(format!(
            "`path` is `{given}`, which is relative, and there is more than one granted folder; begin with one of {}",
            names(roots)
        ))),
    }
}

fn check_text(given: &str) -> Result<(), Failure> {
    if given.len() > MAX_PATH_BYTES {
        return Err(Failure::InvalidInput(format!(
            "`path` has {} bytes; at most {MAX_PATH_BYTES} are allowed",
            given.len()
        )));
    }
    if given.contains('\0') {
        return Err(Failure::InvalidInput(format!("`path` is {given:?}; expected a text without NUL characters")));
    }
    Ok(())
}

fn outside(given: &str, roots: &[Root]) -> Failure {
    Failure::Denied(format!("`{given}` is outside of the granted folders: {}", names(roots)))
}

fn names(roots: &[Root]) -> String {
    let names: Vec<String> = roots.iter().map(|root| format!("`{}`", root.path)).collect();
    names.join(", ")
}

//! Which entries a call is about.

use globset::{GlobBuilder, GlobMatcher};

use crate::exports::bailiwick::files::tools::Failure;
use crate::limits::MAX_GLOB_BYTES;

/// The globs of one call.
pub struct Filter {
    wanted: Option<GlobMatcher>,
    excluded: Option<GlobMatcher>,
}

impl Filter {
    /// Compiles the globs, where they are given.
    pub fn new(glob: Option<&str>, exclude: Option<&str>) -> Result<Self, Failure> {
        let compile = |name, glob: Option<&str>| glob.map(|text| compile(name, text)).transpose();
        Ok(Self { wanted: compile("glob", glob)?, excluded: compile("exclude", exclude)? })
    }

    /// Whether an entry is asked for, by its path below the asked folder.
    pub fn wants(&self, relative: &str) -> bool {
        self.wanted.as_ref().is_none_or(|glob| glob.is_match(relative))
    }

    /// Whether an entry, and all that it holds, is left out.
    pub fn excludes(&self, relative: &str) -> bool {
        self.excluded.as_ref().is_some_and(|glob| glob.is_match(relative))
    }
}

/// Compiles one glob. Without a `/` it means names at any depth.
fn compile(name: &str, glob: &str) -> Result<GlobMatcher, Failure> {
    if glob.is_empty() || glob.len() > MAX_GLOB_BYTES {
        return Err(Failure::InvalidInput(format!(
            "`{name}` has {} bytes; expected 1 to {MAX_GLOB_BYTES}",
            glob.len()
        )));
    }
    let anchored = if glob.contains('/') { glob.trim_start_matches('/').to_owned() } else { format!("**/{glob}") };
    GlobBuilder::new(&anchored)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| Failure::InvalidInput(format!("`{name}` is `{glob}`, which is not a glob: {}", error.kind())))
}

//! Whether the sources give the component that lies beside them, and each time the same.

use std::fs;
use std::path::Path;

use bailiwick_domain::digest::Digest;
use bailiwick_skills::package;

use super::{OPTIONS, about_manifest};
use crate::build::{self, BuildError, Options, Watcher};
use crate::finding::{Finding, Severity};

/// Builds the package in `root` twice and compares. Its component is then that of the
/// first build.
pub fn reproducible(root: &Path, options: &Options, watcher: &mut dyn Watcher) -> Vec<Finding> {
    let options = Options { check_reproducible: true, ..options.clone() };
    let component = package::load_source(root, &OPTIONS).ok().and_then(|it| it.component_path());
    let before = component.and_then(|path| fs::read(path).ok()).map(|bytes| Digest::of(&bytes));
    let (message, cure) = match build::build(root, &options, watcher) {
        Ok(built) if before.is_none_or(|before| before == built.digest) => return Vec::new(),
        Ok(built) => {
            let message = format!(
                "was not what the sources give: a build of them has the digest {}, and so has the component now",
                built.digest
            );
            let file = built.component.strip_prefix(root).unwrap_or(&built.component).to_owned();
            let cure = "look at what changed with `bailiwick inspect`, and test again";
            return vec![Finding::new(Severity::Warning, "other-component", file, message, cure)];
        }
        Err(error @ BuildError::NotReproducible { .. }) => {
            (error.to_string(), "take the time, random numbers and absolute paths out of what is built")
        }
        // What is wrong with the package itself is told by the other checks.
        Err(BuildError::Package(_) | BuildError::Prompt { .. }) => return Vec::new(),
        Err(error) => (error.to_string(), "mend the build: `bailiwick build` shows all that it says"),
    };
    vec![about_manifest(Severity::Error, "not-reproducible", message, cure.to_owned()).of_key("build")]
}

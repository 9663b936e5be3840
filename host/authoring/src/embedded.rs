//! What the binary carries for authors, and where a package keeps its copy.
//!
//! A build of a package reads nothing of this project but what lies in
//! `.build/sdk/` of that package, so that the binary alone is enough, and a
//! newer binary renews it.

use std::io;
use std::path::Path;

use crate::files;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// A file that the binary carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File {
    /// Where it belongs, with `/` between the parts.
    pub(crate) path: &'static str,
    pub(crate) content: &'static [u8],
}

/// Where a package keeps what is written and made for its build.
pub const WORK: &str = ".build";

/// The templates of new packages, as `LANGUAGE/KIND/…`.
pub(crate) fn templates() -> &'static [File] {
    TEMPLATES
}

/// The versions of other libraries that the library for Rust was tested with.
pub(crate) fn rust_lock() -> &'static str {
    RUST_LOCK
}

/// Writes the library of `language` and the interfaces of the host below
/// `.build/sdk/` of the package at `root`.
///
/// A file that is right stays as it is, so that what was built with it is not old.
pub fn write_sdk(root: &Path, language: &str) -> io::Result<()> {
    let folder = root.join(WORK).join("sdk");
    let wanted = |file: &&File| [language, "wit"].contains(&file.path.split('/').next().unwrap_or_default());
    for file in SDK.iter().filter(wanted) {
        files::write_changed(&folder.join(file.path), file.content)?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_a_library_that_knows_nothing_of_this_repository() {
        let text = |path: &str| {
            let file = SDK.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path} is not embedded"));
            String::from_utf8(file.content.to_vec()).unwrap()
        };
        assert!(text("wit/skill/host.wit").contains("package bailiwick:skill@"));
        let manifest = text("rust/Cargo.toml");
        assert!(!manifest.contains("workspace = "), "{manifest}");
        for language in ["rust/", "python/", "javascript/", "c/"] {
            assert!(SDK.iter().any(|file| file.path.starts_with(language)), "there is no library for {language}");
        }
        for file in SDK {
            assert!(!file.path.contains("node_modules") && !file.path.contains("__pycache__"), "{}", file.path);
        }
    }

    #[test]
    fn the_library_for_rust_has_the_interfaces_that_the_host_has() {
        let content = |path: &str| SDK.iter().find(|file| file.path == path).map(|file| file.content);
        for path in ["skill/host.wit", "skill/skill.wit", "logging/logging.wit"] {
            let own = content(&format!("rust/wit/deps/{path}"));
            assert!(own.is_some() && own == content(&format!("wit/{path}")), "guest-sdk/rust/wit/deps/{path} is stale");
        }
    }

    #[test]
    fn what_is_right_already_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        write_sdk(folder.path(), "rust").unwrap();
        let file = folder.path().join(".build/sdk/wit/skill/host.wit");
        let before = std::fs::metadata(&file).unwrap().modified().unwrap();
        write_sdk(folder.path(), "rust").unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().modified().unwrap(), before);
        std::fs::write(&file, "changed").unwrap();
        write_sdk(folder.path(), "rust").unwrap();
        assert_ne!(std::fs::read_to_string(&file).unwrap(), "changed");
    }
}

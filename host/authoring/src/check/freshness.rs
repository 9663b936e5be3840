//! Whether the component was built from the sources that lie beside it.

use std::fs;
use std::path::Path;

use crate::finding::{Finding, Severity};
use crate::sources::sources;

/// A warning where a source was written after the component.
pub(super) fn check(root: &Path, component: &Path) -> Option<Finding> {
    let built = fs::metadata(root.join(component)).and_then(|metadata| metadata.modified()).ok()?;
    let newest = sources(root).ok()?.into_iter().max_by_key(|source| source.written)?;
    (newest.written > built).then(|| {
        let message = format!("is older than `{}`: it may lack what was changed there", newest.file.display());
        Finding::new(Severity::Warning, "stale-component", component, message, "build again with `bailiwick build`")
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_source_that_was_saved_later_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, second: u64| {
            let file = File::create(folder.path().join(name)).expect("made");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).expect("a time");
        };
        write("skill.wasm", 100);
        write("skill.py", 99);
        write("SKILL.md", 500);
        assert_eq!(check(folder.path(), Path::new("skill.wasm")), None);
        write("skill.py", 101);
        let found = check(folder.path(), Path::new("skill.wasm")).expect("stale");
        assert!(found.message.contains("`skill.py`") && found.cure.contains("bailiwick build"));
    }
}

//! The fewest folders that hold what was touched below one root.

use std::collections::BTreeSet;
use std::path::Path;

use bailiwick_domain::authority::{Access, GuestPath};

use super::folders::Copied;

/// Folders that are granted one by one below one root. More of them are taken
/// together, because nobody would read the list.
const MAX_FOLDERS: usize = 8;

/// Where something lies below a root: names of folders, and of a file at the end.
pub(super) type Below = Vec<String>;

/// Folders below one root, in which something was read or written.
#[derive(Default)]
pub(super) struct Places {
    read: BTreeSet<Below>,
    written: BTreeSet<Below>,
}

impl Places {
    /// Adds what `path` means, which lies below the root of `folder`.
    pub(super) fn add(&mut self, path: &str, folder: &Copied, changed: bool) {
        let place = place(path, folder, changed);
        if changed {
            self.written.insert(place)
        } else {
            self.read.insert(place)
        };
    }

    /// The fewest folders, none of which lies in another.
    pub(super) fn merged(mut self) -> Vec<(Below, Access)> {
        // A folder that is read and in which one lies that is written is written. What
        // lies in a folder stands right behind it, so that the first one tells.
        let holds_written =
            |read: &&Below| self.written.range::<Below, _>(*read..).next().is_some_and(|it| it.starts_with(read));
        let mixed: Vec<_> = self.read.iter().filter(holds_written).cloned().collect();
        self.written.extend(mixed);
        let written = outermost(&self.written);
        let is_written = |read: &Below| (0..=read.len()).any(|depth| written.contains(&read[..depth]));
        let read: Vec<_> = outermost(&self.read).into_iter().filter(|read| !is_written(read)).collect();
        let read: Vec<_> = read.into_iter().map(|below| (below, Access::Read)).collect();
        let mut all = read;
        all.extend(written.into_iter().map(|below| (below, Access::ReadWrite)));
        all.sort();
        if all.len() <= MAX_FOLDERS {
            return all;
        }
        let access = all.iter().map(|(_, access)| *access).max().unwrap_or(Access::Read);
        vec![(common(all.iter().map(|(below, _)| below)), access)]
    }
}

/// Where the touched thing lies: the folder itself, or the folder that a file lies in.
/// What is changed changes the folder that it lies in.
fn place(path: &str, folder: &Copied, changed: bool) -> Below {
    let Some(mut below) = below(path, &folder.root) else { return Vec::new() };
    if changed || real_folders(&folder.copy, &below) < below.len() {
        below.pop();
    }
    // Only what is there can be granted: not what the skill itself has made, and not
    // what a link leads to, which may lie outside of the folder that was given.
    let there = folder.original.as_ref().map_or(0, |original| real_folders(&original.host, &below));
    below.truncate(there);
    below
}

/// How many of the names lead from `root` to one folder after the other. A link to a
/// folder is none.
fn real_folders(root: &Path, below: &[String]) -> usize {
    let mut path = root.to_owned();
    let is_folder = |name: &&String| {
        path.push(name);
        path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
    };
    below.iter().take_while(is_folder).count()
}

/// The parts of `path` below `root`; nothing where it can't be told without looking
/// what they mean: a path that climbs, or that was cut or escaped for the record.
fn below(path: &str, root: &GuestPath) -> Option<Below> {
    let rest = path.strip_prefix(root.as_str())?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let parts: Below = rest.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect();
    let unclear = |part: &String| part == ".." || part.contains(['\\', '…']);
    if parts.iter().any(unclear) { None } else { Some(parts) }
}

/// Those that lie in no other one. What lies in a folder stands right behind it.
fn outermost(folders: &BTreeSet<Below>) -> BTreeSet<Below> {
    let mut outermost: Vec<&Below> = Vec::new();
    for folder in folders {
        if !outermost.last().is_some_and(|outer| folder.starts_with(outer)) {
            outermost.push(folder);
        }
    }
    outermost.into_iter().cloned().collect()
}

/// What all of them begin with.
pub(super) fn common<'a>(mut lists: impl Iterator<Item = &'a Below>) -> Below {
    let mut shared = lists.next().cloned().unwrap_or_default();
    for list in lists {
        let same = shared.iter().zip(list).take_while(|(one, other)| one == other).count();
        shared.truncate(same);
    }
    shared
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bailiwick_domain::authority::FsMount;
    use bailiwick_domain::quota::Quota;
    use tempfile::TempDir;

    use super::*;

    /// A folder with `a/b/file`, and a copy in which the skill has made `new/inner`.
    fn copied() -> (TempDir, Copied) {
        let folder = tempfile::tempdir().expect("a folder");
        let (host, copy) = (folder.path().join("host"), folder.path().join("copy"));
        for (root, below) in [(&host, "a/b"), (&host, "c"), (&copy, "a/b"), (&copy, "c"), (&copy, "new/inner")] {
            fs::create_dir_all(root.join(below)).expect("folders");
            fs::write(root.join(below).join("file"), "").expect("a file");
        }
        let root: GuestPath = "/work".parse().expect("a path");
        let mount = FsMount { root: root.clone(), host, access: Access::Read, quota: Quota::default() };
        (folder, Copied { root, original: Some(mount), copy })
    }

    fn merged(touches: &[(&str, bool)]) -> Vec<(String, Access)> {
        let (_folder, copied) = copied();
        let mut places = Places::default();
        for (path, changed) in touches {
            places.add(path, &copied, *changed);
        }
        places.merged().into_iter().map(|(below, access)| (below.join("/"), access)).collect()
    }

    #[test]
    fn a_file_needs_its_folder_and_a_folder_itself() {
        use Access::{Read, ReadWrite};
        let one = |path: &str, changed| merged(&[(path, changed)]);
        let folder = |below: &str, access| vec![(below.to_owned(), access)];
        assert_eq!(one("/work/a/b/file", false), folder("a/b", Read));
        assert_eq!(one("/work/a/b", false), folder("a/b", Read));
        assert_eq!(one("/work/a/./b//.", false), folder("a/b", Read));
        assert_eq!(one("/work/a/b/absent", false), folder("a/b", Read));
        assert_eq!(one("/work/a/b/file", true), folder("a/b", ReadWrite));
        // A folder that is made, moved or removed changes the one that it lies in.
        assert_eq!(one("/work/a/b", true), folder("a", ReadWrite));
        // What the skill itself made is not there when the grant is given.
        assert_eq!(one("/work/new/inner/file", true), folder("", ReadWrite));
        assert_eq!(one("/work", false), folder("", Read));
    }

    #[test]
    fn a_link_leads_to_no_folder_that_is_granted() {
        let (folder, copied) = copied();
        let (host, outside) = (folder.path().join("host"), folder.path().join("outside"));
        fs::create_dir_all(outside.join("deep")).expect("folders");
        std::os::unix::fs::symlink(&outside, host.join("a/link")).expect("a link");
        // The name is free in the copy, in which the skill may put a folder of its own.
        for own in [false, true] {
            if own {
                fs::create_dir_all(copied.copy.join("a/link/deep")).expect("folders");
            }
            for path in ["/work/a/link/x", "/work/a/link/deep", "/work/a/link/deep/x"] {
                assert_eq!(place(path, &copied, false), ["a"], "{path}");
                assert_eq!(place(path, &copied, true), ["a"], "{path}");
            }
        }
        // A link of the skill's own leads to what can't be told by its name.
        std::os::unix::fs::symlink("c", copied.copy.join("way")).expect("a link");
        assert!(place("/work/way", &copied, false).is_empty());
    }

    #[test]
    fn what_can_not_be_told_is_the_root() {
        for path in ["/work/a/../c/file", "/work/a/b\\n", "/work/a/bbb…", "/workshop/a", "/elsewhere"] {
            assert_eq!(merged(&[(path, false)]), [(String::new(), Access::Read)], "{path}");
        }
    }

    #[test]
    fn no_folder_lies_in_another() {
        use Access::{Read, ReadWrite};
        let folder = |below: &str, access| (below.to_owned(), access);
        assert_eq!(
            merged(&[("/work/a/b/file", true), ("/work/c/file", false)]),
            [folder("a/b", ReadWrite), folder("c", Read)]
        );
        assert_eq!(merged(&[("/work/a/b/file", true), ("/work/a/b/file", false)]), [folder("a/b", ReadWrite)]);
        assert_eq!(merged(&[("/work/a/b/file", true), ("/work/a", false)]), [folder("a", ReadWrite)]);
        assert_eq!(merged(&[("/work/a/b", true), ("/work/a/b/file", false)]), [folder("a", ReadWrite)]);
        assert_eq!(merged(&[("/work/a", false), ("/work/a/b/file", false)]), [folder("a", Read)]);
    }

    #[test]
    fn many_folders_are_taken_together() {
        let folders = |count: usize| {
            let below = (0..count).map(|number| vec!["a".to_owned(), number.to_string()]).collect();
            Places { read: below, written: BTreeSet::new() }.merged()
        };
        assert_eq!(folders(MAX_FOLDERS).len(), MAX_FOLDERS);
        assert_eq!(folders(MAX_FOLDERS + 1), [(vec!["a".to_owned()], Access::Read)]);
    }

    #[test]
    fn names_that_begin_alike_are_different_folders() {
        use Access::{Read, ReadWrite};
        let below = |paths: &[&str]| paths.iter().map(|it| it.split('/').map(str::to_owned).collect()).collect();
        let places = Places { read: below(&["a", "a b/c", "ab", "b"]), written: below(&["a/x", "ab/c/d", "b"]) };
        let merged: Vec<_> = places.merged().into_iter().map(|(below, access)| (below.join("/"), access)).collect();
        let expected = [("a", ReadWrite), ("a b/c", Read), ("ab", ReadWrite), ("b", ReadWrite)];
        assert_eq!(merged, expected.map(|(below, access)| (below.to_owned(), access)));
    }
}

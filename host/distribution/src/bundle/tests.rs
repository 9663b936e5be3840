//! Bundles that travel, and tars that attack whoever reads them.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use proptest::prelude::*;

use super::*;

fn bundle(files: &[(&str, &str)]) -> Result<Bundle, BundleError> {
    Bundle::of_files(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())))
}

/// One header with another kind, whose checksum is right.
fn entry(path: &str, kind: u8, size: u64) -> Vec<u8> {
    let mut header = tar::header("x", size).to_vec();
    header[..100].fill(0);
    header[..path.len()].copy_from_slice(path.as_bytes());
    header[156] = kind;
    seal(&mut header);
    header
}

/// Sets the checksum of a header.
fn seal(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn tar_of(entries: &[Vec<u8>]) -> Vec<u8> {
    [&entries.concat()[..], &tar::END[..]].concat()
}

fn refused(tar: &[u8]) -> String {
    Bundle::read(tar).expect_err("refused").to_string()
}

#[test]
fn a_bundle_reads_back_from_its_tar_and_from_its_folder() {
    let long = format!("{}/{}.json", "d".repeat(90), "f".repeat(90));
    let made = bundle(&[("skill.toml", "a = 1"), ("a/b.json", "{}"), ("a-b", ""), (&long, "x")]).expect("a bundle");
    let tar = made.to_tar();
    assert_eq!(Bundle::read(&tar).expect("a tar"), made);
    assert_eq!(made.digest(), Digest::of(&tar));
    let folder = tempfile::tempdir().expect("a folder");
    made.unpack(folder.path()).expect("unpacked");
    assert_eq!(Bundle::of_folder(folder.path()).expect("a folder"), made);
    assert_eq!(digest_of(folder.path()).expect("a folder"), made.digest());
    // Neither modes nor times make a difference.
    let file = folder.path().join("skill.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o777)).expect("set");
    fs::write(&file, "a = 1").expect("written");
    assert_eq!(digest_of(folder.path()).expect("a folder"), made.digest());
    assert_eq!(paths_of(folder.path()).len(), 7);
}

#[test]
fn the_tar_is_the_same_for_ever() {
    let made = bundle(&[("skill.toml", "a = 1"), ("a/b.json", "{}")]).expect("a bundle");
    let expected = "sha256:fb02dca08e9a6ef3a1cae2e5e6b2d21bf87cd5b9a3f1dfbd6b9ab5ee9b2e7b5c";
    assert_eq!(made.digest().to_string(), expected, "locks and signatures of others name it");
}

#[test]
fn other_tools_read_it_and_are_read() {
    let made = bundle(&[("skill.toml", "a = 1"), ("a/b.json", "{}")]).expect("a bundle");
    let folder = tempfile::tempdir().expect("a folder");
    let (file, unpacked) = (folder.path().join("a.tar"), folder.path().join("unpacked"));
    fs::write(&file, made.to_tar()).and_then(|()| fs::create_dir(&unpacked)).expect("written");
    let tar = |arguments: &[&std::ffi::OsStr]| {
        let run = std::process::Command::new("tar").args(arguments).output().expect("tar is there");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    };
    tar(&["-xf".as_ref(), file.as_ref(), "-C".as_ref(), unpacked.as_ref()]);
    assert_eq!(Bundle::of_folder(&unpacked).expect("a folder"), made);
    for format in ["ustar", "gnu"] {
        let format = format!("--format={format}");
        tar(&[format.as_ref(), "-cf".as_ref(), file.as_ref(), "-C".as_ref(), unpacked.as_ref(), ".".as_ref()]);
        assert_eq!(Bundle::read(&fs::read(&file).expect("read")).expect("a tar"), made);
    }
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for (path, problem) in [
        ("/etc/passwd", "is absolute"),
        ("../x", "has `.` or `..`"),
        ("a/../../x", "has `.` or `..`"),
        ("a/./x", "has `.` or `..`"),
        ("./../x", "has `.` or `..`"),
        ("..", "has `.` or `..`"),
        ("a//x", "a part without a name"),
        ("a/", "a part without a name"),
        (".git/config", "is hidden"),
        ("a/.env", "is hidden"),
        ("a\\b", "a backslash"),
        ("a\nb", "a control character"),
        ("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", "is too long"),
    ] {
        assert!(refused(&tar_of(&[entry(path, b'0', 0)])).contains(problem), "{path}");
        let error = bundle(&[(path, "")]).expect_err(path).to_string();
        assert!(error.contains(problem) || path.starts_with("./"), "{path}: {error}");
    }
    for folder in ["/etc/", "../x/", ".git/"] {
        assert!(matches!(Bundle::read(&tar_of(&[entry(folder, b'5', 0)])), Err(BundleError::Path { .. })), "{folder}");
    }
    assert!(matches!(bundle(&[(&"x".repeat(201), "")]), Err(BundleError::Path { .. })));
    assert!(matches!(bundle(&[(&"x".repeat(101), "")]), Err(BundleError::Path { .. })), "no header has room for it");
    let mut latin = entry("caf", b'0', 0);
    latin[3] = 0xe9;
    seal(&mut latin);
    assert!(refused(&tar_of(&[latin])).contains("a name is not UTF-8"));
}

#[test]
fn links_devices_and_headers_that_rename_are_refused() {
    for (kind, what) in [
        (b'1', "a hard link"),
        (b'2', "a symlink"),
        (b'3', "a device"),
        (b'4', "a device"),
        (b'6', "a pipe"),
        (b'x', "a pax header"),
        (b'g', "a pax header"),
        (b'L', "a long name"),
        (b'K', "a long name"),
        (b'S', "of an unknown kind"),
        (b'7', "of an unknown kind"),
    ] {
        let error = refused(&tar_of(&[entry("a", kind, 0)]));
        assert!(error.contains(what), "{}: {error}", char::from(kind));
    }
}

#[test]
fn a_file_stands_once_and_in_nobodys_way() {
    for (first, second, problem) in [
        ("a", "a", "stands twice"),
        ("A.md", "a.md", "differ by case"),
        ("a", "a/b", "where the other needs a folder"),
        ("a/b", "a", "where the other needs a folder"),
        ("A/b", "a/c", "differ by case"),
    ] {
        assert!(
            refused(&tar_of(&[entry(first, b'0', 0), entry(second, b'0', 0)])).contains(problem),
            "{first} {second}"
        );
    }
    assert!(matches!(Bundle::read(&tar::END), Err(BundleError::Empty)));
}

#[test]
fn sizes_are_held_against_limits_and_against_what_is_there() {
    // None of these makes the reader reserve what it announces.
    let huge = tar_of(&[entry("a", b'0', 0o77_777_777_777)]);
    assert!(matches!(Bundle::read(&huge), Err(BundleError::TooLarge)));
    let long = tar_of(&[entry("a", b'0', 100_000)]);
    assert!(refused(&long).contains("a file is longer than what is left"));
    let two = tar_of(&[entry("a", b'0', MAX_BYTES), entry("b", b'0', 1)]);
    assert!(refused(&two).contains("longer than what is left"));
    let many: Vec<_> = (0..=MAX_FILES).map(|n| entry(&n.to_string(), b'0', 0)).collect();
    assert!(matches!(Bundle::read(&tar_of(&many)), Err(BundleError::TooMany)));
    let folders: Vec<_> = (0..=2 * MAX_FILES).map(|_| entry("a/", b'5', 0)).collect();
    assert!(matches!(Bundle::read(&tar_of(&folders)), Err(BundleError::TooMany)));
    let mut negative = entry("a", b'0', 0);
    negative[124..136].copy_from_slice(&[0xff; 12]);
    seal(&mut negative);
    assert!(refused(&tar_of(&[negative])).contains("a size is no number"));
    let files = (0..=MAX_FILES).map(|n| (n.to_string(), Vec::new()));
    assert!(matches!(Bundle::of_files(files), Err(BundleError::TooMany)));
}

#[test]
fn what_is_no_tar_says_where() {
    let good = bundle(&[("a", "text")]).expect("a bundle").to_tar();
    assert!(refused(b"").contains("it ends in the middle at byte 0"));
    assert!(refused(&good[..good.len() - tar::BLOCK]).contains("something stands behind its end"));
    assert!(refused(&good[..2 * tar::BLOCK]).contains("it ends in the middle"));
    assert!(refused(&[&good[..], b"more"].concat()).contains("something stands behind its end"));
    let mut changed = good.clone();
    changed[0] = b'b';
    assert!(refused(&changed).contains("a checksum is wrong at byte 0"));
    let mut other = good.clone();
    other[257..262].copy_from_slice(b"xstar");
    seal(&mut other[..tar::BLOCK]);
    assert!(refused(&other).contains("not of the ustar format"));
    // Padding to whole records, as tar writes it.
    assert!(Bundle::read(&[&good[..], &[0; 8 * tar::BLOCK]].concat()).is_ok());
}

#[test]
fn a_folder_with_more_than_files_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("skill.toml"), "").expect("written");
    let with = |name: &str, make: &dyn Fn(&Path)| {
        let path = folder.path().join(name);
        make(&path);
        let error = Bundle::of_folder(folder.path()).expect_err(name).to_string();
        assert_eq!(digest_of(folder.path()).expect_err(name).to_string(), error);
        fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)).expect("removed");
        error
    };
    assert!(with("link", &|path| symlink("/etc/passwd", path).expect("a link")).contains("`link` is a symlink"));
    assert!(with("loop", &|path| symlink(".", path).expect("a link")).contains("`loop` is a symlink"));
    let pipe = |path: &Path| {
        let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo is there");
        assert!(made.success());
    };
    assert!(with("pipe", &pipe).contains("a pipe"));
    assert!(with(".git", &|path| fs::create_dir(path).expect("a folder")).contains("is hidden"));
    assert!(Bundle::of_folder(folder.path()).is_ok());
    assert!(matches!(Bundle::of_folder(tempfile::tempdir().expect("a folder").path()), Err(BundleError::Empty)));
}

proptest! {
    #[test]
    fn whatever_is_read_is_a_bundle_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let _ = Bundle::read(&bytes);
    }

    #[test]
    fn a_changed_byte_changes_the_digest_or_is_refused(at in 0_usize..2560, flip in 1_u8..) {
        let made = bundle(&[("skill.toml", "a = 1"), ("b", "text")]).expect("a bundle");
        let mut tar = made.to_tar();
        let at = at % tar.len();
        tar[at] ^= flip;
        // What doesn't count in a header, such as padding, may change and mean the same.
        if let Ok(read) = Bundle::read(&tar) {
            prop_assert!(read == made || read.digest() != made.digest());
        }
    }
}

//! What a folder may be, and which files are followed.

use std::fs;
use std::path::Path;

use bailiwick_domain::manifest::Kind;
use bailiwick_skills::package::{self, LoadOptions, PackageError};
use tempfile::TempDir;

use crate::cases::{fixture, load};

const TOOL: &str = "skill_id = \"demo/note\"\nversion = \"0.1.0\"\nkind = \"tool\"\n";

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, contents) in files {
        fs::write(folder.path().join(name), contents).expect("writable");
    }
    folder
}

#[test]
fn a_folder_with_instructions_alone_is_a_prompt() {
    let text = "---\nname: note\ndescription: d\nmetadata:\n  version: 1.4.0\n---\nWrite.\n";
    let package = load(&folder_with(&[("SKILL.md", text)]), LoadOptions::default()).expect("valid");
    assert_eq!(package.manifest.kind, Kind::Prompt);
    assert_eq!(package.manifest.id.as_str(), "local/note");
    assert_eq!(package.manifest.version.to_string(), "1.4.0");
    assert_eq!(package.component_path(), None);
    let bad_name = folder_with(&[("SKILL.md", "---\nname: No Te\ndescription: d\n---\nWrite.\n")]);
    let said = load(&bad_name, LoadOptions::default()).expect_err("no id");
    assert!(said.starts_with("SKILL.md:2:7: name: found `No Te`, expected"), "{said}");
}

#[test]
fn the_version_of_instructions_alone_has_up_to_three_numbers() {
    let with = |version: &str| {
        let text = format!("---\nname: note\ndescription: d\nmetadata:\n  version: {version}\n---\nWrite.\n");
        folder_with(&[("SKILL.md", &text)])
    };
    for (version, read) in
        [("\"1.0\"", "1.0.0"), ("1.10", "1.10.0"), ("2", "2.0.0"), ("1.10.0", "1.10.0"), ("1.2.3-rc.1", "1.2.3-rc.1")]
    {
        let package = load(&with(version), LoadOptions::default()).expect("valid");
        assert_eq!((package.manifest.version.to_string().as_str(), package.warnings.len()), (read, 0), "{version}");
    }
    for version in ["v1.2.3", "latest", "1.2.3.4", "1.", ".1", "01.2", "1.2-rc.1"] {
        let said = load(&with(version), LoadOptions::default()).expect_err(version);
        let expected =
            format!("`{version}` is not a version: expected one to three numbers, such as `1.2` or `1.2.3` (");
        assert!(said.starts_with(&format!("SKILL.md:5:12: metadata.version: {expected}")), "{said}");
        // A host that puts up with it says so.
        let package = load(&with(version), LoadOptions { strict: false, allow_shell: false }).expect("forgiven");
        assert_eq!(package.manifest.version.to_string(), "0.0.0");
        assert!(package.warnings[0].contains(&expected), "{:?}", package.warnings);
    }
    // Where there is none, it is the first of all.
    let bare = folder_with(&[("SKILL.md", "---\nname: note\ndescription: d\n---\nWrite.\n")]);
    assert_eq!(load(&bare, LoadOptions::default()).expect("valid").manifest.version.to_string(), "0.0.0");
}

#[test]
fn other_folders_are_not_packages() {
    let empty = folder_with(&[("README.md", "hello")]);
    assert!(matches!(package::load(empty.path(), &LoadOptions::default()), Err(PackageError::NotAPackage { .. })));
    let file = empty.path().join("README.md");
    assert!(matches!(package::load(&file, &LoadOptions::default()), Err(PackageError::NotAPackage { .. })));
    let nowhere = empty.path().join("nowhere");
    assert!(matches!(package::load(&nowhere, &LoadOptions::default()), Err(PackageError::Unreadable { .. })));
}

#[test]
fn a_component_lies_in_its_package() {
    let folder = fixture();
    fs::write(folder.path().join("skill.toml"), format!("{TOOL}component = \"skill.wasm\"\n")).expect("writable");
    let package = load(&folder, LoadOptions::default()).expect("valid");
    let component = package.component_path().expect("a tool has one");
    assert_eq!(component, fs::canonicalize(folder.path()).expect("there").join("skill.wasm"));
}

#[test]
fn files_that_are_too_large_are_not_read() {
    let manifest = format!("{TOOL}# {}\n", "x".repeat(300 << 10));
    let said = load(&folder_with(&[("skill.toml", &manifest)]), LoadOptions::default()).expect_err("too large");
    assert_eq!(said, "can't use `skill.toml`: the file `skill.toml` is too large: expected at most 262144 bytes");
}

#[test]
fn bytes_that_are_not_text_are_placed() {
    let folder = folder_with(&[]);
    fs::write(folder.path().join("skill.toml"), b"# a\nskill_id = \"\xff\"\n").expect("writable");
    let said = load(&folder, LoadOptions::default()).expect_err("not text");
    assert_eq!(said, "skill.toml:2:13: found the byte 0xff, expected UTF-8 text");
}

#[test]
fn a_flood_of_mistakes_is_cut() {
    let unknown: Vec<String> = (0..20_000).map(|key| format!("k{key} = 1")).collect();
    let unknown = unknown.join("\n");
    let said = load(&folder_with(&[("skill.toml", &unknown)]), LoadOptions::default()).expect_err("unknown keys");
    assert_eq!(said.lines().count(), 50);
}

#[cfg(unix)]
mod links {
    use super::*;

    fn link(folder: &TempDir, target: &Path, name: &str) {
        std::os::unix::fs::symlink(target, folder.path().join(name)).expect("writable");
    }

    #[test]
    fn a_link_out_of_the_package_is_not_followed() {
        let outside = folder_with(&[("secret", "root = 1\n")]);
        let folder = fixture();
        link(&folder, &outside.path().join("secret"), "out.wasm");
        fs::write(folder.path().join("skill.toml"), format!("{TOOL}component = \"out.wasm\"\n")).expect("writable");
        let said = load(&folder, LoadOptions::default()).expect_err("outside");
        assert!(said.contains("component: `out.wasm` leads out of the package"), "{said}");

        let folder = folder_with(&[]);
        link(&folder, &outside.path().join("secret"), "skill.toml");
        let said = load(&folder, LoadOptions::default()).expect_err("outside");
        assert_eq!(said, "can't use `skill.toml`: `skill.toml` leads out of the package through a symlink");
    }

    #[test]
    fn a_link_within_the_package_is_followed() {
        let folder = fixture();
        link(&folder, Path::new("skill.wasm"), "in.wasm");
        fs::write(folder.path().join("skill.toml"), format!("{TOOL}component = \"in.wasm\"\n")).expect("writable");
        assert!(load(&folder, LoadOptions::default()).is_ok());
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let folder = folder_with(&[]);
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("skill.toml")).status();
        assert!(made.expect("mkfifo runs").success());
        let said = load(&folder, LoadOptions::default()).expect_err("a pipe");
        assert_eq!(said, "can't use `skill.toml`: `skill.toml` is not a regular file");
    }
}

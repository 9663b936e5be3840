//! `permissions.md`: each capability can be asked for and granted as it stands there.

use std::fs;

use super::{Section, sections};
use crate::host::{Home, Ran};

/// The skill that the page speaks of.
const SKILL: &str = "acme/notes";

/// What the page has in place of a digest.
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn every_grant_on_the_page_is_given_for_the_manifest_above_it() {
    let sections = sections("permissions.md");
    let (mut commands, mut files) = (0, 0);
    for section in &sections {
        let home = home(section);
        for line in section.blocks("sh").flat_map(str::lines) {
            commands += 1;
            let ran = typed(&home, line);
            assert_eq!(ran.code, 0, "{}: {line}\n{}", section.title, ran.stderr);
        }
        for grant in section.blocks("toml grant") {
            files += 1;
            let ran = home.feed(&["grant", "import", "-"], &file(&home, grant));
            assert_eq!(ran.code, 0, "{}:\n{grant}\n{}", section.title, ran.stderr);
        }
    }
    assert!(commands > 12 && files > 10, "there were only {commands} commands and {files} files of grants");
}

#[test]
fn a_grant_that_the_manifest_does_not_cover_would_be_noticed() {
    let sections = sections("permissions.md");
    let folders = sections.iter().find(|section| section.title == "Folders").unwrap();
    let home = home(folders);
    assert_eq!(typed(&home, "bailiwick grant add acme/notes --state").code, 2);
    assert_ne!(home.feed(&["grant", "import", "-"], &file(&home, "stat = true\n")).code, 0);
}

/// A host with a skill that asks for what the section asks for, and the folders that it names.
fn home(section: &Section) -> Home {
    let home = Home::with("[skills]\nallow_shell = true\n");
    let manifest: String = section.blocks("toml").collect();
    home.package("notes", SKILL, "1.0.0", "foreign", &manifest);
    fs::create_dir_all(home.path("notes/archive")).unwrap();
    home
}

/// Runs a line as a shell does in which the host's binary is at hand.
fn typed(home: &Home, line: &str) -> Ran {
    let script = format!("bailiwick() {{ \"$0\" \"$@\"; }}; {line}");
    Ran::of(&mut home.command_by(&["sh", "-c", &script]))
}

/// A whole file of grants, for the bytes that the skill has and the folders that there are.
fn file(home: &Home, grant: &str) -> String {
    let shown = home.run(&["--json", "skills", "show", SKILL]).expect(0).json();
    let digest = shown["digest"].as_str().unwrap();
    let folder = format!("\"{}/", home.path("").display());
    let head = "giver = \"ada\"\ngiven_at = 2026-11-20T11:00:00Z\n";
    let whole = if grant.starts_with("version") {
        grant.to_owned()
    } else {
        format!("version = 1\n\n[[grant]]\nskill = \"{SKILL}\"\ndigest = \"{DIGEST}\"\n{head}{grant}")
    };
    whole.replace(DIGEST, digest).replace("\"/srv/", &folder)
}

//! `bailiwick new`: packages that are right as they stand, and nothing that was there is lost.

use std::fs;

use serde_json::json;

use crate::host::Home;

#[test]
fn a_new_package_is_complete_and_says_what_to_do_next() {
    let home = Home::new();
    let ran = home.run(&["new", "word-watch", "--lang", "rust", "--namespace", "acme"]).expect(0);
    assert_eq!(ran.stderr, "");
    assert!(ran.stdout.starts_with("made acme/word-watch in word-watch\n"), "{}", ran.stdout);
    let next: Vec<_> = ran.stdout.lines().skip_while(|line| *line != "Next:").skip(1).collect();
    assert_eq!(next.len(), 3, "{}", ran.stdout);
    assert_eq!(next[0].trim(), "bailiwick build word-watch");
    let read = |file: &str| fs::read_to_string(home.path("word-watch").join(file)).unwrap();
    assert!(read("skill.toml").contains("skill_id = \"acme/word-watch\""));
    assert!(read("wit/skill.wit").starts_with("package acme:word-watch@0.1.0;"));
    assert!(read("Cargo.toml").contains("name = \"word-watch\""));
    assert!(read(".gitignore").contains("/.build/"));
    // What the build needs of this project is there already, for editors.
    assert!(read(".build/sdk/rust/src/lib.rs").contains("pub mod skills;"));
    assert!(read(".build/sdk/wit/skill/host.wit").contains("package bailiwick:skill@"));
}

#[test]
fn a_prompt_is_text_alone_and_can_be_used_at_once() {
    let home = Home::new();
    home.run(&["new", "reviews", "--kind", "prompt", "--path", "skills/reviews"]).expect(0);
    home.run(&["new", "reviews", "--kind", "prompt", "--namespace", "acme", "--path", "skills/acme"]).expect(0);
    let list = home.run(&["--json", "skills", "list"]).expect(0).json();
    assert_eq!(list["broken"], json!([]));
    let ids: Vec<_> = list["skills"].as_array().unwrap().iter().map(|skill| &skill["id"]).collect();
    assert_eq!(ids, ["acme/reviews", "local/reviews"]);
    assert!(!home.path("skills/reviews/skill.toml").exists() && !home.path("skills/reviews/.build").exists());
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let home = Home::new();
    home.write("notes/SKILL.md", "mine");
    let ran = home.run(&["new", "notes", "--lang", "rust"]).expect(2);
    assert!(ran.stderr.contains("`notes` is there already") && ran.stderr.contains("--path"), "{}", ran.stderr);
    assert_eq!(fs::read_dir(home.path("notes")).unwrap().count(), 1);
    // A folder that is there and empty is as good as none.
    fs::create_dir(home.path("empty")).unwrap();
    home.run(&["new", "notes", "--lang", "rust", "--path", "empty"]).expect(0);
    home.run(&["new", "notes", "--lang", "rust", "--path", "empty"]).expect(2);
}

#[test]
fn a_name_that_no_language_takes_is_refused_with_one_that_would_do() {
    let home = Home::new();
    for (name, says) in [
        ("Word Watch", "did you mean `word-watch`?"),
        ("word_watch", "did you mean `word-watch`?"),
        ("2words", "each word beginning with a letter"),
        ("return", "such as `return-tool`"),
    ] {
        let ran = home.run(&["new", name, "--lang", "rust"]).expect(2);
        assert!(ran.stderr.contains(&format!("`{name}` can't be a name")), "{}", ran.stderr);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert!(!home.path(name).exists());
    }
    let ran = home.run(&["new", "words", "--lang", "rust", "--namespace", "Acme"]).expect(2);
    assert!(ran.stderr.contains("`Acme` can't be a namespace"), "{}", ran.stderr);
}

#[test]
fn only_a_prompt_needs_no_language() {
    let home = Home::new();
    for kind in ["tool", "workflow"] {
        let ran = home.run(&["new", "words", "--kind", kind]).expect(2);
        assert!(ran.stderr.contains("--lang rust") && ran.stderr.contains("--kind prompt"), "{}", ran.stderr);
    }
    let ran = home.run(&["new", "words", "--lang", "cobol"]).expect(2);
    assert!(ran.stderr.contains("rust, python, javascript, c"), "{}", ran.stderr);
}

#[test]
fn a_package_needs_no_configuration_and_a_wrong_one_is_in_nobodys_way() {
    let home = Home::configured("nonsense");
    home.run(&["new", "words", "--lang", "rust"]).expect(0);
    home.run(&["skills", "list"]).expect(2);
}

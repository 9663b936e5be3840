//! The lock: what is installed is what it says, or doesn't run.

use std::fs;
use std::path::Path;

use super::{Author, Source, content, install, listed, placed, records};
use crate::host::{Home, eventually};

const NAME: &str = "acme_hello@1.0.0";

/// A home with `acme/hello`, installed from a signed file, and granted.
fn home(author: &Author) -> Home {
    let home = Home::with(&author.trusted("acme", &["acme"]));
    let source = Source::hello().with("NOTES.md", "for people");
    let packed = ["skills", "pack", source.path(), "--out", "hello.tar", "--sign", &author.file()];
    home.run(&packed).expect(0);
    install(&home, &["hello.tar"]).expect(0);
    home.grant("acme/hello", &[]);
    home
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// The skill doesn't run, and every list says why.
#[track_caller]
fn broken(home: &Home, says: &[&str]) {
    let (skills, broken) = listed(home);
    assert_eq!(skills, Vec::<String>::new());
    for text in says {
        assert!(broken[0].contains(text), "`{text}` is missing in: {broken:?}");
    }
    let ran = home.run(&["skills", "run", "acme/hello", "echo", "--arg", "text=hi"]).expect(3);
    assert!(ran.stderr.contains("can't be used") && ran.stderr.contains(says[0]), "{}", ran.stderr);
}

#[track_caller]
fn whole(home: &Home) {
    let ran = home.run(&["skills", "run", "acme/hello", "echo", "--arg", "text=hi"]).expect(0);
    assert_eq!(ran.stdout, "hi\n");
    assert_eq!(listed(home), (vec!["acme/hello 1.0.0".to_owned()], vec![]));
}

#[test]
fn an_installed_file_that_was_touched_does_not_run_until_it_is_brought_back() {
    let home = home(&Author::new());
    let folder = placed(&home, NAME);
    let installed = content(&folder);
    let what_to_do = [
        "its files are not those of `bailiwick.lock`",
        "`bailiwick skills install` brings back",
        "skills remove acme/hello@1.0.0",
    ];
    let touches: [(&str, &dyn Fn()); 7] = [
        ("a note", &|| fs::write(folder.join("NOTES.md"), "for people!").unwrap()),
        ("the manifest", &|| edit(&folder.join("skill.toml"), "kind", "idempotent = true\nkind")),
        ("a manifest that can't be read", &|| fs::write(folder.join("skill.toml"), "[").unwrap()),
        ("the component", &|| fs::write(folder.join("hostile.wasm"), crate::host::component("keeper")).unwrap()),
        ("one file more", &|| fs::write(folder.join("more"), "").unwrap()),
        ("one file less", &|| fs::remove_file(folder.join("NOTES.md")).unwrap()),
        ("a symlink", &|| {
            fs::remove_file(folder.join("NOTES.md")).unwrap();
            std::os::unix::fs::symlink("/etc/hostname", folder.join("NOTES.md")).unwrap();
        }),
    ];
    for (what, touch) in touches {
        whole(&home);
        touch();
        assert_ne!(content(&folder), installed, "{what}");
        broken(&home, &what_to_do);
        let done = install(&home, &[]).expect(0).stdout;
        assert!(done.contains("installed acme/hello 1.0.0") && done.contains("that grant holds"), "{what}: {done}");
        assert_eq!(content(&folder), installed, "{what}");
    }
    whole(&home);
}

#[test]
fn a_package_that_is_not_in_the_lock_does_not_run() {
    let home = home(&Author::new());
    // By hand, as somebody would who can write there.
    fs::rename(placed(&home, NAME), placed(&home, "acme_hello@2.0.0")).unwrap();
    broken(&home, &["it is installed and not in `bailiwick.lock`", "skills remove acme/hello@2.0.0"]);
    fs::rename(placed(&home, "acme_hello@2.0.0"), placed(&home, "hello")).unwrap();
    let (skills, errors) = listed(&home);
    assert!(skills.is_empty() && errors[0].contains("nothing was ever installed under this name"), "{errors:?}");
    fs::rename(placed(&home, "hello"), placed(&home, NAME)).unwrap();
    whole(&home);
    // Without a lock nothing is in it.
    fs::rename(home.path("bailiwick.lock"), home.path("kept.lock")).unwrap();
    broken(&home, &["it is installed and not in `bailiwick.lock`"]);
    // Bringing the host to an empty lock removes what it doesn't name, and says so.
    let done = install(&home, &[]).expect(0).stdout;
    assert_eq!(done, "removed acme/hello 1.0.0, which is not in the lock\n");
    assert_eq!(listed(&home), (vec![], vec![]));
    fs::rename(home.path("kept.lock"), home.path("bailiwick.lock")).unwrap();
    install(&home, &[]).expect(0);
    whole(&home);
}

#[test]
fn a_lock_that_was_edited_is_not_believed_over_the_bytes() {
    let author = Author::new();
    let home = home(&author);
    let lock = home.path("bailiwick.lock");
    let text = fs::read_to_string(&lock).unwrap();
    let value = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    };
    let other = format!("sha256:{}", "0".repeat(64));
    for (from, to, says) in [
        (value("bundle"), other.clone(), "its files are not those of `bailiwick.lock`"),
        (value("digest"), other.clone(), "and was installed as acme/hello 1.0.0"),
        ("acme/hello".to_owned(), "acme/hullo".to_owned(), "it is installed and not in `bailiwick.lock`"),
        ("1.0.0".to_owned(), "1.0.1".to_owned(), "it is installed and not in `bailiwick.lock`"),
        (
            author.public.clone(),
            Author::new().public,
            "it was signed by the key `acme`, which this host does not trust",
        ),
        ("signed_by".to_owned(), "singed_by".to_owned(), "`bailiwick.lock` is wrong, so that nothing in it counts"),
        ("version = 1\n".to_owned(), "version = 2\n".to_owned(), "its form is 2"),
    ] {
        whole(&home);
        edit(&lock, &from, &to);
        broken(&home, &[says]);
        fs::write(&lock, &text).unwrap();
    }
    whole(&home);
    // What stands there is fetched, and nothing else is taken for it.
    for (key, to, says) in
        [("digest", other.as_str(), "its `digest` is"), ("signed_by", "somebody", "its `signed_by` is acme (")]
    {
        fs::remove_dir_all(placed(&home, NAME)).unwrap();
        let line = |value: &str| format!("{key} = \"{value}\"\n");
        edit(&lock, &line(&value(key)), &line(to));
        let ran = install(&home, &[]).expect(4);
        assert!(ran.stderr.contains("is not what stands in the lock") && ran.stderr.contains(says), "{}", ran.stderr);
        assert!(!placed(&home, NAME).exists());
        fs::write(&lock, &text).unwrap();
        install(&home, &[]).expect(0);
    }
    edit(&lock, &value("bundle"), &other);
    let ran = install(&home, &[]).expect(4);
    assert!(ran.stderr.contains(&format!("and {other} was asked for")), "{}", ran.stderr);
    fs::write(&lock, "version = 7").unwrap();
    for command in [&["install"][..], &["install", "hello.tar"], &["remove", "acme/hello"]] {
        let ran = home.run(&[&["skills"], command].concat()).expect(2);
        assert!(ran.stderr.contains("bailiwick.lock") && ran.stderr.contains("its form is 7"), "{}", ran.stderr);
    }
    assert_eq!(fs::read_to_string(&lock).unwrap(), "version = 7", "what can't be read is not written over");
}

#[test]
fn what_the_lock_lets_in_unsigned_must_be_let_in_again_elsewhere() {
    let (here, source) = (Home::new(), Source::hello());
    here.run(&["skills", "pack", source.path(), "--out", "hello.tar"]).expect(0);
    install(&here, &["hello.tar", "--allow-unsigned"]).expect(0);
    let there = Home::new();
    for file in ["hello.tar", "bailiwick.lock"] {
        fs::copy(here.path(file), there.path(file)).unwrap();
    }
    let ran = install(&there, &[]).expect(4);
    assert!(ran.stderr.contains("it is not signed"), "{}", ran.stderr);
    install(&there, &["--allow-unsigned"]).expect(0);
    assert_eq!(content(&placed(&there, NAME)).len(), content(&placed(&here, NAME)).len());
    assert_eq!(listed(&there).0, ["acme/hello 1.0.0"]);
}

#[test]
fn a_key_that_is_no_longer_trusted_takes_its_skills_along() {
    let author = Author::new();
    let home = home(&author);
    let config = home.path("bailiwick.toml");
    let trusted = fs::read_to_string(&config).unwrap();
    fs::write(&config, trusted.split("[skills.trusted_keys").next().unwrap()).unwrap();
    let why = "it was signed by the key `acme`, which this host does not trust with the namespace `acme`";
    broken(&home, &[why, &author.public, "skills.trusted_keys"]);
    fs::write(&config, trusted.replace("[\"acme\"]", "[\"other\"]")).unwrap();
    broken(&home, &[why]);
    fs::write(&config, trusted).unwrap();
    whole(&home);
}

#[test]
fn other_bytes_under_the_same_version_are_refused() {
    let author = Author::new();
    let home = home(&author);
    let lock = fs::read(home.path("bailiwick.lock")).unwrap();
    let source = Source::new("acme/hello", "1.0.0", "keeper");
    home.run(&["skills", "pack", source.path(), "--out", "other.tar", "--sign", &author.file()]).expect(0);
    let ran = install(&home, &["other.tar"]).expect(4);
    for text in [
        "acme/hello 1.0.0 stands in the lock with other bytes",
        "from hello.tar (bundle sha256:",
        "now comes other.tar",
    ] {
        assert!(ran.stderr.contains(text), "`{text}` is missing in: {}", ran.stderr);
    }
    assert_eq!(fs::read(home.path("bailiwick.lock")).unwrap(), lock);
    assert_eq!(records(&home, "package-refused").len(), 1);
    whole(&home);
}

#[test]
fn a_running_server_notices_what_happens_to_its_packages() {
    let home = home(&Author::new());
    let server = home.serve();
    let echo = || server.execute("acme/hello", "echo", &serde_json::json!({ "text": "hi" }));
    assert_eq!(echo().output(), "hi");
    fs::write(placed(&home, NAME).join("NOTES.md"), "touched").unwrap();
    eventually("the touched package is broken", || (echo().status == 503).then_some(()));
    let broken = server.get("/v1/skills").ok()["broken"][0].clone();
    assert_eq!(broken["package"], NAME);
    let error = broken["error"].as_str().unwrap();
    assert!(
        error.contains("its files are not those of") && !error.contains(home.path("").to_str().unwrap()),
        "{error}"
    );
    fs::write(placed(&home, NAME).join("NOTES.md"), "for people").unwrap();
    eventually("it is whole again", || (echo().status == 200).then_some(()));
    // The lock is watched too, also where an editor puts another file in its place.
    let text = fs::read_to_string(home.path("bailiwick.lock")).unwrap();
    fs::write(home.path("new.lock"), text.replace("acme/hello", "acme/hullo")).unwrap();
    fs::rename(home.path("new.lock"), home.path("bailiwick.lock")).unwrap();
    eventually("it is in the lock no more", || (echo().status == 503).then_some(()));
    fs::write(home.path("bailiwick.lock"), text).unwrap();
    eventually("it is in the lock again", || (echo().status == 200).then_some(()));
}

#[test]
fn what_a_dying_host_left_behind_is_swept_and_never_read() {
    let home = home(&Author::new());
    let left = placed(&home, ".package-left");
    fs::create_dir_all(&left).unwrap();
    for (_, file) in content(&placed(&home, NAME)).iter().zip(["skill.toml", "hostile.wasm"]) {
        fs::copy(placed(&home, NAME).join(file), left.join(file)).unwrap();
    }
    whole(&home);
    assert!(!left.exists());
}

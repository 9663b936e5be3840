//! The key file: what is kept, what is refused, and what two writers do to each other.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bailiwick_api::auth::{CreatedKey, KeyFile, KeyFileError, NewKey, Scope};
use bailiwick_api::time;
use tempfile::TempDir;

fn folder() -> (TempDir, KeyFile) {
    let folder = TempDir::new().expect("folder");
    let file = KeyFile::new(folder.path().join("keys.toml"));
    (folder, file)
}

fn now() -> SystemTime {
    time::parse("2026-11-20T11:00:00.5Z").expect("valid")
}

fn new(name: &str) -> NewKey {
    NewKey { name: name.to_owned(), scopes: BTreeSet::from([Scope::SkillsRead]), expires_at: None }
}

fn create(file: &KeyFile, name: &str) -> CreatedKey {
    file.create(new(name), now()).expect("created")
}

#[test]
fn a_key_is_kept_as_a_hash_in_a_private_file() {
    let (_folder, file) = folder();
    let made = create(&file, "ci");
    let text = fs::read_to_string(file.path()).expect("file");
    let secret = made.token.rsplit_once('_').expect("form").1;
    assert!(!text.contains(secret) && !text.contains(&made.token), "{text}");
    assert!(text.contains(&made.info.id), "{text}");
    assert_eq!(fs::metadata(file.path()).expect("file").permissions().mode() & 0o777, 0o600);
    assert_eq!(file.list().expect("list"), std::slice::from_ref(&made.info));
    assert!(!format!("{made:?}").contains(secret));
}

#[test]
fn keys_are_revoked_by_id_or_name() {
    let (_folder, file) = folder();
    let (one, two) = (create(&file, "one"), create(&file, "two"));
    assert!(matches!(file.create(new("one"), now()), Err(KeyFileError::NameTaken(name)) if name == "one"));
    assert_eq!(file.revoke(&one.info.id).expect("revoked"), one.info);
    assert_eq!(file.revoke("two").expect("revoked"), two.info);
    assert!(matches!(file.revoke("two"), Err(KeyFileError::Unknown(_))));
    assert_eq!(file.list().expect("list"), []);
    create(&file, "one");
}

#[test]
fn keys_that_would_be_good_for_nothing_are_not_made() {
    let (_folder, file) = folder();
    let refused = |key: NewKey| file.create(key, now()).expect_err("refused").to_string();
    for name in ["", "a b", "a\nb", "ä", &"n".repeat(65)] {
        assert!(refused(new(name)).contains("can't name a key"));
    }
    assert!(refused(NewKey { scopes: BTreeSet::new(), ..new("a") }).contains("scope"));
    assert!(refused(NewKey { expires_at: Some(now()), ..new("a") }).contains("2026-11-20T11:00:00"));
    assert!(!file.path().exists());
}

#[test]
fn two_writers_lose_nothing() {
    let (_folder, file) = folder();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let file = &file;
            scope.spawn(move || {
                for n in 0..8 {
                    create(file, &format!("key-{writer}-{n}"));
                }
            });
        }
    });
    assert_eq!(file.list().expect("list").len(), 32);
}

#[test]
fn what_a_crash_left_behind_is_no_hindrance() {
    let (_folder, file) = folder();
    let left = PathBuf::from(format!("{}.new", file.path().display()));
    fs::write(&left, "half of a fi").expect("written");
    create(&file, "ci");
    assert!(!left.exists());
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    let (_folder, file) = folder();
    create(&file, "ci");
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o620)).expect("mode");
    let error = file.list().expect_err("refused").to_string();
    assert!(error.contains("mode 620"), "{error}");
    assert!(file.create(new("other"), now()).is_err());
}

#[test]
fn a_link_stays_a_link() {
    let (folder, _) = folder();
    let real = folder.path().join("real.toml");
    fs::write(&real, "").expect("written");
    let link = folder.path().join("keys.toml");
    std::os::unix::fs::symlink(&real, &link).expect("link");
    create(&KeyFile::new(&link), "ci");
    assert!(fs::symlink_metadata(&link).expect("link").is_symlink());
    assert_eq!(KeyFile::new(&real).list().expect("list").len(), 1);
}

#[test]
fn errors_say_where_and_what() {
    let hash = "0".repeat(64);
    let entry = |change: (&str, &str)| {
        let good = format!(
            "[[keys]]\nid = \"0123456789abcdef\"\nname = \"ci\"\nsha256 = \"{hash}\"\nscopes = [\"skills:read\"]\ncreated_at = 2026-11-20T11:00:00Z\n"
        );
        assert!(change.0.is_empty() || good.contains(change.0), "{} is not in the entry", change.0);
        good.replacen(change.0, change.1, 1)
    };
    let (_folder, file) = folder();
    let read = |text: &str| {
        fs::write(file.path(), text).expect("written");
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).expect("mode");
        file.list().map_err(|error| error.to_string())
    };
    assert_eq!(read(&entry(("", ""))).map(|keys| keys.len()), Ok(1));
    let cases = [
        ("id = \"01", "id = \"G1", "not 16 lowercase hex digits"),
        ("name = \"ci\"", "name = \"c i\"", "can't name a key"),
        ("sha256 = \"0", "sha256 = \"", "64 lowercase hex digits"),
        ("skills:read", "skills:write", "unknown variant `skills:write`"),
        ("[\"skills:read\"]", "[]", "at least one scope"),
        ("2026-11-20T11:00:00Z", "2026-11-20T11:00:00+01:00", "`2026-11-20T11:00:00+01:00` is not a time"),
        ("2026-11-20T11:00:00Z", "\"yesterday\"", "keys.toml, line 6"),
        ("created_at", "made_at", "unknown field `made_at`"),
        ("name = \"ci\"\n", "", "missing field `name`"),
        ("[[keys]]", "[[key]]", "unknown field `key`"),
    ];
    for (from, to, expected) in cases {
        let error = read(&entry((from, to))).expect_err(from);
        assert!(error.contains(expected) && error.contains("keys.toml"), "{from}: {error}");
    }
    let doubled = entry(("", "")) + &entry(("\"ci\"", "\"other\""));
    assert!(read(&doubled).expect_err("doubled").contains("key number 2: the id `0123456789abcdef` is taken"));
    let doubled = entry(("", "")) + &entry(("0123456789abcdef", "0123456789abcdee"));
    assert!(read(&doubled).expect_err("doubled").contains("the name `ci` is taken by key number 1"));
    assert!(read(&"#".repeat(9 << 20)).expect_err("large").contains("larger than the limit"));
}

#[test]
fn an_end_in_the_future_is_kept() {
    let (_folder, file) = folder();
    let end = now() + Duration::from_hours(1);
    let made = file.create(NewKey { expires_at: Some(end), ..new("ci") }, now()).expect("created");
    assert_eq!(made.info.expires_at, Some(end));
    assert_eq!(file.list().expect("list"), [made.info]);
}

//! Grants: the input is a file of grants as TOML, or, where it begins with `{`, one
//! grant as JSON. Behind a line `===` may stand a manifest to hold them against.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use bailiwick_domain::grant::{Capabilities, Grant};
use bailiwick_domain::manifest::Permissions;
use bailiwick_skills::grants::{GrantError, fuzzing};
use bailiwick_skills::package::{self, LoadOptions};
use serde_json::Value;

/// What stands between the grants and the manifest.
const SEPARATOR: &str = "\n===\n";

/// Reads grants, writes them and reads them again, in both forms; and holds them
/// against a manifest.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (text, manifest) = text.split_once(SEPARATOR).unwrap_or((text, ""));
    let grants = if text.starts_with('{') { from_json(text) } else { from_toml(text) };
    the_file_says_the_same(&grants);
    grants.iter().for_each(json_says_the_same);
    let options = LoadOptions { strict: true, allow_shell: true };
    let asked = package::fuzzing::manifest(manifest, options).map(|(manifest, _)| manifest.permissions);
    let asked = asked.unwrap_or_default();
    for grant in &grants {
        nothing_is_wider(&asked, &grant.capabilities);
    }
}

fn from_json(text: &str) -> Vec<Grant> {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    match fuzzing::from_json(&value) {
        Ok(grant) => vec![grant],
        Err(said) => {
            assert!(!said.is_empty(), "refused, and nobody knows why");
            Vec::new()
        }
    }
}

fn from_toml(text: &str) -> Vec<Grant> {
    match fuzzing::parse(text) {
        Ok(grants) => grants,
        Err(GrantError::Syntax { line, column, message, .. }) => {
            let found = line.checked_sub(1).and_then(|line| text.split('\n').nth(line));
            let characters = found.unwrap_or_else(|| panic!("there is no line {line}: {message}")).chars().count();
            assert!((1..=characters + 1).contains(&column), "line {line} has no column {column}: {message}");
            assert!(!message.is_empty() && !message.contains('\n'), "not one line: {message:?}");
            Vec::new()
        }
        Err(GrantError::Version { found, known, .. }) => {
            assert_ne!(found, known);
            Vec::new()
        }
        Err(other) => panic!("a text alone can't be refused so: {other}"),
    }
}

/// Times are kept in whole seconds, and all else as it is.
fn as_kept(grant: &Grant) -> Grant {
    let whole = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).expect("no moment before 1970 can be written");
        SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
    };
    Grant {
        given_at: whole(grant.given_at),
        expires_at: grant.expires_at.map(whole),
        used_at: grant.used_at.map(whole),
        ..grant.clone()
    }
}

fn the_file_says_the_same(grants: &[Grant]) {
    let written = fuzzing::write(grants).expect("what was read can be written");
    let again = fuzzing::parse(&written).unwrap_or_else(|error| panic!("what was written can't be read: {error}"));
    assert_eq!(again, grants.iter().map(as_kept).collect::<Vec<_>>(), "it is read as something else:\n{written}");
    assert_eq!(fuzzing::write(&again).expect("it was written before"), written, "it is written differently");
}

fn json_says_the_same(grant: &Grant) {
    let value = fuzzing::to_json(grant).expect("what was read can be told");
    let again = fuzzing::from_json(&value).unwrap_or_else(|error| panic!("what was told can't be read: {error}"));
    assert_eq!(again, as_kept(grant), "it is read as something else: {value}");
    let told = fuzzing::told(grant).expect("what was read can be told");
    let again = fuzzing::from_json(&told).unwrap_or_else(|error| panic!("what is told can't be read: {error}"));
    let keys = |grant: &Grant| grant.capabilities.config.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&again), keys(grant));
    let hidden = again.capabilities.config.values().all(|value| value == "(not shown)");
    assert!(hidden, "the value of a setting is told: {told}");
}

/// The rules for requests have a target of their own, `http_rules`.
fn nothing_is_wider(asked: &Permissions, granted: &Capabilities) {
    let cut = fuzzing::cut(asked, granted);
    assert!(fuzzing::is_within(asked, &cut), "what is cut is still wider: {cut:?}");
    assert_eq!(fuzzing::cut(asked, &cut), cut, "what is cut can be cut again");
    assert!(cut.fs.iter().all(|mount| granted.fs.contains(mount)), "a folder that was not there");
    assert!(cut.http.iter().all(|rule| granted.http.contains(rule)), "a rule that was not there");
    assert_eq!(cut.http_deny, granted.http_deny, "a deny rule is gone");
    let within = fuzzing::is_within(asked, granted);
    assert_eq!(within, cut == *granted, "the check and the cut differ");
    if !within {
        return;
    }
    for mount in &granted.fs {
        let inside = |root: &str| format!("{}/", mount.root).starts_with(&format!("{root}/"));
        let request = asked.fs.iter().find(|request| inside(request.root.as_str()));
        let request = request.unwrap_or_else(|| panic!("nobody asked for {}", mount.root));
        assert!(mount.access <= request.access, "more access than asked for: {}", mount.root);
    }
    for rule in &granted.shell {
        // The command as it stands, and one that goes on.
        let whole = rule.words().to_vec();
        let further = [whole.as_slice(), &["x".to_owned()]].concat();
        for command in [whole, further].iter().filter(|command| rule.allows(command)) {
            assert!(asked.shell.iter().any(|asked| asked.allows(command)), "nobody asked for {command:?}");
        }
    }
    assert!(granted.secrets.keys().all(|name| asked.secrets.contains(name)));
    assert!(granted.config.keys().all(|key| asked.config.contains(key)));
    assert!(granted.state.is_none() || asked.state.is_some());
    assert!(granted.workspace.is_none() || asked.workspace.is_some());
    assert!(granted.http.is_empty() || !asked.http.is_empty());
}

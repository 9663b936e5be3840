//! Narrowing, revoking, accepting, exporting and importing grants.

use std::io::Read as _;
use std::path::Path;

use bailiwick_wire::grant::GrantFile;
use serde_json::{Map, Value, json};

use super::{capabilities, entry};
use crate::app;
use crate::cli::grant::GrantNarrow;
use crate::desk::{Desk, encode};
use crate::output::{Done, Exit, Failure, Output};

/// Bytes of a file of grants that are read.
const MAX_FILE: u64 = 4 << 20;

pub(super) fn narrow(narrow: &GrantNarrow, desk: &Desk, out: Output) -> Done {
    let mut body = Map::new();
    let lists = [
        ("fs", &narrow.fs),
        ("read_only", &narrow.read_only),
        ("http", &narrow.http),
        ("config", &narrow.setting),
        ("secrets", &narrow.secret),
        ("shell", &narrow.shell),
        ("skills", &narrow.skill_call),
        ("models", &narrow.model),
        ("risks", &narrow.risk),
    ];
    for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        body.insert(key.to_owned(), json!(list));
    }
    for (key, taken) in [("state", narrow.state), ("workspace", narrow.workspace)] {
        if taken {
            body.insert(key.to_owned(), Value::Bool(true));
        }
    }
    if let Some(end) = app::end_of(narrow.expires.as_deref())? {
        body.insert("expires_at".to_owned(), json!(bailiwick_api::time::format(end)));
    }
    let mut limits = Map::new();
    limits.extend(narrow.memory.as_ref().map(|size| ("memory".to_owned(), json!(size))));
    limits.extend(narrow.deadline.as_ref().map(|time| ("deadline".to_owned(), json!(time))));
    limits.extend(narrow.concurrency.map(|calls| ("concurrency".to_owned(), json!(calls))));
    if !limits.is_empty() {
        body.insert("limits".to_owned(), Value::Object(limits));
    }
    if body.is_empty() {
        return Err(Failure::new(Exit::Usage, "nothing is to be taken away: name it, such as `--read-only /work`"));
    }
    let path = with_digest(&narrow.skill, narrow.digest.as_deref());
    let answer: Value = desk.send("PATCH", &path, Some(&Value::Object(body)))?;
    print(answer, "narrowed the grant of", out)
}

pub(super) fn accept(skill: &str, digest: &str, desk: &Desk, out: Output) -> Done {
    let answer: Value =
        desk.send("POST", &format!("/v1/grants/{}/accept", encode(skill)), Some(&json!({ "digest": digest })))?;
    print(answer, "granted to", out)
}

pub(super) fn revoke(skill: &str, digest: Option<&str>, desk: &Desk, out: Output) -> Done {
    let answer: Value = desk.send("DELETE", &with_digest(skill, digest), None)?;
    let gone = desk.entries(&answer)?;
    if out.json {
        let digests: Vec<_> = gone.iter().map(|entry| entry.grant.digest.to_string()).collect();
        out.value(&json!({ "skill": skill, "revoked": digests }));
        return Ok(());
    }
    for entry in &gone {
        out.line(format!("revoked the grant of {} ({})", entry.grant.skill, entry.grant.digest));
    }
    Ok(())
}

pub(super) fn export(desk: &Desk, out: Output) -> Done {
    let file: GrantFile = desk.get("/v1/grants/export")?;
    if out.json {
        out.value(&json!({ "toml": file.toml }));
    } else {
        out.line(file.toml.trim_end());
    }
    Ok(())
}

pub(super) fn import(path: &Path, desk: &Desk, out: Output) -> Done {
    let toml = read(path).map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", path.display())))?;
    let answer: Value = desk.send("POST", "/v1/grants/import", Some(&json!({ "toml": toml })))?;
    let given = desk.entries(&answer)?;
    if out.json {
        out.value(&answer);
        return Ok(());
    }
    for entry in &given {
        out.line(format!("granted to {} ({})", entry.grant.skill, entry.grant.digest));
    }
    out.line(format!("{} grants were given", given.len()));
    Ok(())
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().take(MAX_FILE).read_to_string(&mut text)?;
    } else {
        std::fs::File::open(path)?.take(MAX_FILE).read_to_string(&mut text)?;
    }
    Ok(text)
}

fn with_digest(skill: &str, digest: Option<&str>) -> String {
    let query = digest.map(|digest| format!("?digest={}", encode(digest))).unwrap_or_default();
    format!("/v1/grants/{}{query}", encode(skill))
}

fn print(answer: Value, what: &str, out: Output) -> Done {
    let entry = entry(answer)?;
    if out.json {
        out.value(&entry.to_json());
        return Ok(());
    }
    out.line(format!("{what} {} ({})", entry.grant.skill, entry.grant.digest));
    for line in capabilities(&entry.grant) {
        out.line(format!("  {line}"));
    }
    Ok(())
}

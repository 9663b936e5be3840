//! `bailiwick audit`: what skills could do, were allowed to do, and did.

mod page;
mod skill;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::Path;

use bailiwick_skills::audit::{PublicKey, Verified, verify};
use bailiwick_wire::audit::{AuditKey, AuditPage, AuditRecord};
use serde_json::{Value, json};

use crate::cli::audit::{Audit, AuditList};
use crate::config::Config;
use crate::desk::{Desk, encode};
use crate::output::{Done, Exit, Failure, Output, counted, note, tame};

/// Records on one page of the route.
const PAGE: u32 = 500;

/// Runs the command.
pub fn run(command: Audit, config: &Config, out: Output) -> Done {
    match command {
        Audit::List(list) => self::list(&list, &Desk::open(config, out)?, out),
        Audit::Skill { skill, html } => skill::run(&skill, html.as_deref(), &Desk::open(config, out)?, out),
        Audit::Export { file } => export(file.as_deref(), &Desk::open(config, out)?, out),
        Audit::Verify { file, key } => check(file.as_deref(), key.as_deref(), config, out),
        Audit::Key => {
            let key = key_of(&Desk::open(config, out)?)?;
            if out.json {
                out.value(&json!({ "key": key }));
            } else {
                out.line(key);
            }
            Ok(())
        }
    }
}

fn key_of(desk: &Desk) -> Result<String, Failure> {
    desk.get::<AuditKey>("/v1/audit/key").map(|it| it.key)
}

/// The newest records that are wanted, found from the start of the chain.
fn list(wanted: &AuditList, desk: &Desk, out: Output) -> Done {
    let filters = [
        ("kind", &wanted.kind),
        ("skill", &wanted.skill),
        ("principal", &wanted.principal),
        ("trace_id", &wanted.trace),
        ("outcome", &wanted.outcome),
        ("since", &wanted.since),
        ("until", &wanted.until),
    ];
    let filters: String = filters
        .into_iter()
        .filter_map(|(key, value)| value.as_ref().map(|value| format!("&{key}={}", encode(value))))
        .collect();
    let limit = usize::try_from(wanted.limit.get()).unwrap_or(usize::MAX);
    let (mut records, mut cursor) = (std::collections::VecDeque::new(), None::<String>);
    loop {
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page: AuditPage = desk.get(&format!("/v1/audit?limit={PAGE}{filters}{after}"))?;
        for record in page.records {
            if records.len() == limit {
                records.pop_front();
            }
            records.push_back(record);
        }
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    if out.json {
        out.value(&json!({ "records": records }));
        return Ok(());
    }
    if records.is_empty() {
        out.line("There is no such record.");
        return Ok(());
    }
    let rows: Vec<_> = records.iter().map(row).collect();
    out.table(["SEQ", "AT", "KIND", "WHO", "SKILL", "WHAT"], &rows);
    Ok(())
}

fn row(record: &AuditRecord) -> [String; 6] {
    let value: Value = serde_json::from_str(record.record.get()).unwrap_or_default();
    let content = if value["content"].is_object() { &value["content"] } else { &value };
    let text = |key: &str| {
        let found = value[key].as_str().or_else(|| content[key].as_str()).unwrap_or_default();
        tame(found).into_owned()
    };
    let of_package = text("kind").starts_with("package-");
    let keys = if of_package { ["version", "source", "signed_by"] } else { ["tool", "outcome", "approval"] };
    let what: Vec<_> = keys.into_iter().map(text).filter(|part| !part.is_empty()).collect();
    let seq = value["seq"].as_u64().unwrap_or_default().to_string();
    [seq, text("at"), text("kind"), text("principal"), text("skill"), what.join(" ")]
}

fn export(file: Option<&Path>, desk: &Desk, out: Output) -> Done {
    let Some(path) = file else {
        let mut stdout = io::stdout();
        return desk.stream("/v1/audit/export", &mut |piece| stdout.write_all(piece));
    };
    let failed = |error: io::Error| Failure::new(Exit::Host, format!("{}: {error}", path.display()));
    let mut written = File::create(path).map_err(failed)?;
    desk.stream("/v1/audit/export", &mut |piece| written.write_all(piece))?;
    written.sync_all().map_err(failed)?;
    if !out.json {
        note(format!("wrote {}; `bailiwick audit verify {}` checks it anywhere", path.display(), path.display()));
    }
    Ok(())
}

fn check(file: Option<&Path>, key: Option<&str>, config: &Config, out: Output) -> Done {
    let key = key.map(str::parse::<PublicKey>).transpose().map_err(|error| Failure::new(Exit::Usage, error))?;
    let named = key.is_some();
    let verified = match file {
        None => {
            let desk = Desk::open(config, out)?;
            let key = key.map_or_else(|| key_of(&desk).map(|key| key.parse().ok()), |key| Ok(Some(key)))?;
            let mut text = Vec::new();
            desk.stream("/v1/audit/export", &mut |piece| {
                text.extend_from_slice(piece);
                Ok(())
            })?;
            judge(text.as_slice(), key)?
        }
        Some(path) if path == Path::new("-") => judge(io::stdin().lock(), key)?,
        Some(path) => {
            let opened = File::open(path);
            let opened = opened.map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", path.display())))?;
            judge(BufReader::new(opened), key)?
        }
    };
    tell(&verified, named || file.is_none(), out);
    Ok(())
}

fn judge(export: impl BufRead, key: Option<PublicKey>) -> Result<Verified, Failure> {
    verify(export, key).map_err(|error| Failure::new(Exit::Refused, error))
}

fn tell(verified: &Verified, trusted: bool, out: Output) {
    if out.json {
        out.value(&json!({
            "records": verified.records,
            "checkpoints": verified.checkpoints,
            "hash": verified.hash.to_string(),
            "at": verified.at,
            "key": verified.key,
            "kinds": verified.kinds,
            "key_was_given": trusted,
        }));
        return;
    }
    out.line(out.green("Whole: no record was edited, removed, added or reordered, and the end is there."));
    let (records, checkpoints) = (counted(verified.records, "record"), counted(verified.checkpoints, "checkpoint"));
    out.line(format!("  {records}, {checkpoints}, up to {}", verified.at));
    for (kind, count) in &verified.kinds {
        out.line(format!("  {count:>8} {kind}"));
    }
    out.line(format!("  last hash {}", verified.hash));
    out.line(format!("  signed by {}", verified.key));
    if !trusted {
        note("That this is the key of the host you mean, only you can say: compare it, or use --key.");
    }
}

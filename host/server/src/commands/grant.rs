//! `bailiwick grant`: what skills may touch.

mod parse;

use std::collections::BTreeSet;
use std::num::{NonZeroU32, NonZeroU64};

use bailiwick_api::time;
use bailiwick_domain::authority::SecretDestination;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::{Capabilities, Grant as Given};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::units::{format_duration, format_size, parse_duration, parse_size};
use bailiwick_skills::grants::{GrantEntry, GrantError, NewGrant};
use bailiwick_skills::skill::Skill;
use serde_json::{Value, json};

use crate::app::{self, App, Ownership};
use crate::cli::{Grant, GrantAdd};
use crate::config::Config;
use crate::output::{Done, Exit, Failure, Output, note};

/// Runs the command.
pub fn run(command: Grant, config: &Config, out: Output) -> Done {
    match command {
        Grant::Add(add) => self::add(&add, config, out),
        Grant::List => list(config, out),
        Grant::Revoke { skill, digest } => revoke(&skill, digest.as_deref(), config, out),
    }
}

fn add(add: &GrantAdd, config: &Config, out: Output) -> Done {
    let app = App::open(config, Ownership::Shared, out)?;
    let skill = app.resolve(&add.skill)?;
    let entry = app.grants.add(&skill, new_grant(add, &skill)?).map_err(failure)?;
    if out.json {
        out.value(&describe(&entry));
        return Ok(());
    }
    let unknown = entry.grant.capabilities.secrets.keys().filter(|name| !config.secrets.contains_key(*name));
    for name in unknown {
        note(format!("The configuration has no secret `{name}`, so that requests with it are refused until it does."));
    }
    out.line(format!("granted to {} {} ({})", skill.manifest.id, skill.manifest.version, skill.digest));
    for line in capabilities(&entry.grant) {
        out.line(format!("  {line}"));
    }
    Ok(())
}

fn new_grant(add: &GrantAdd, skill: &Skill) -> Result<NewGrant, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::new(Exit::Usage, error);
    let asked = &skill.manifest.permissions;
    let mut granted = Capabilities { state: add.state, ..Capabilities::default() };
    for text in &add.fs {
        granted.fs.push(parse::mount(text, &asked.fs).map_err(|error| usage(&error))?);
    }
    for text in &add.http {
        granted.http.push(parse::http_rule(text, &asked.http).map_err(|error| usage(&error))?);
    }
    for text in &add.http_deny {
        granted.http_deny.push(parse::http_deny(text).map_err(|error| usage(&error))?);
    }
    for text in &add.secret {
        let (name, destination) = parse::secret(text).map_err(|error| usage(&error))?;
        granted.secrets.entry(name).or_default().push(destination);
    }
    for text in &add.setting {
        let pair = text.split_once('=').ok_or_else(|| usage(&format!("`{text}` is not KEY=VALUE")))?;
        granted.config.insert(pair.0.to_owned(), pair.1.to_owned());
    }
    Ok(NewGrant {
        giver: app::person(),
        expires_at: app::end_of(add.expires.as_deref())?,
        reason: add.reason.clone(),
        capabilities: granted,
        accepted_risks: add.accept_risk.iter().cloned().collect::<BTreeSet<_>>(),
        limits: limits(add)?,
    })
}

fn limits(add: &GrantAdd) -> Result<LimitsRequest, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::new(Exit::Usage, error);
    let size = |text: &Option<String>| text.as_deref().map(parse_size).transpose().map_err(|error| usage(&error));
    let deadline = add.deadline.as_deref().map(parse_duration).transpose().map_err(|error| usage(&error))?;
    let limits = LimitsRequest {
        memory_bytes: size(&add.memory)?,
        deadline,
        fuel: add.fuel.map(NonZeroU64::get),
        output_bytes: size(&add.output)?,
        concurrency: add.concurrency.map(NonZeroU32::get),
    };
    let is_zero = [
        ("--memory", limits.memory_bytes == Some(0)),
        ("--deadline", limits.deadline.is_some_and(|time| time.is_zero())),
        ("--output", limits.output_bytes == Some(0)),
    ];
    match is_zero.iter().find(|(_, zero)| *zero) {
        Some((option, _)) => Err(usage(&format!("`{option}` is zero, so that nothing could run: expected more"))),
        None => Ok(limits),
    }
}

fn list(config: &Config, out: Output) -> Done {
    let entries = app::grants(config)?.list();
    if out.json {
        out.value(&entries.iter().map(|entry| describe(entry)).collect());
        return Ok(());
    }
    if entries.is_empty() {
        out.line("Nothing is granted. Give a grant with `bailiwick grant add SKILL`.");
        return Ok(());
    }
    for entry in &entries {
        let grant = &entry.grant;
        out.line(format!("{}  {}", out.bold(grant.skill.as_str()), grant.digest));
        let mut about = format!("  by {} at {}", grant.giver, time::format(grant.given_at));
        if let Some(end) = grant.expires_at {
            about = format!("{about}, void from {}", time::format(end));
        }
        if let Some(reason) = &grant.reason {
            about = format!("{about}: {reason}");
        }
        out.line(about);
        for line in capabilities(grant) {
            out.line(format!("  {line}"));
        }
        if let Some(problem) = &entry.problem {
            out.line(out.red(&format!("  without effect: {problem}")));
        }
    }
    Ok(())
}

fn revoke(skill: &str, digest: Option<&str>, config: &Config, out: Output) -> Done {
    let usage = |error: &dyn std::fmt::Display| Failure::new(Exit::Usage, error);
    let id = skill.parse().map_err(|error| usage(&error))?;
    let digest = digest.map(str::parse::<Digest>).transpose().map_err(|error| usage(&error))?;
    let gone = app::grants(config)?.revoke(&id, digest).map_err(failure)?;
    if gone.is_empty() {
        return Err(Failure::new(Exit::NotFound, format!("nothing is granted to {id}")));
    }
    if out.json {
        let digests: Vec<_> = gone.iter().map(|grant| grant.digest.to_string()).collect();
        out.value(&json!({ "skill": id.as_str(), "revoked": digests }));
        return Ok(());
    }
    for grant in &gone {
        out.line(format!("revoked the grant of {id} ({})", grant.digest));
    }
    Ok(())
}

/// One line for each thing that a grant gives.
pub fn capabilities(grant: &Given) -> Vec<String> {
    let given = &grant.capabilities;
    let mut lines = Vec::new();
    lines.extend(
        given.fs.iter().map(|mount| format!("folder {} as {} ({})", mount.host.display(), mount.root, mount.access)),
    );
    lines.extend(given.http.iter().map(|rule| format!("requests {rule}")));
    lines.extend(given.http_deny.iter().map(|rule| format!("no requests {rule}")));
    lines.extend(given.secrets.iter().map(|(name, to)| format!("secret {name} for {}", texts(to).join(", "))));
    if given.state {
        lines.push("durable state".to_owned());
    }
    lines.extend(given.config.keys().map(|key| format!("setting {key}")));
    lines.extend(grant.accepted_risks.iter().map(|tag| format!("risk accepted: {tag}")));
    lines.extend(describe_limits(&grant.limits));
    if lines.is_empty() {
        lines.push("to run, and to touch nothing".to_owned());
    }
    lines
}

fn texts(destinations: &[SecretDestination]) -> Vec<String> {
    destinations.iter().map(ToString::to_string).collect()
}

fn describe_limits(limits: &LimitsRequest) -> Vec<String> {
    let lines = [
        limits.memory_bytes.map(|bytes| format!("at most {} of memory", format_size(bytes))),
        limits.deadline.map(|time| format!("at most {}", format_duration(time))),
        limits.fuel.map(|units| format!("at most {units} units of fuel")),
        limits.output_bytes.map(|bytes| format!("at most {} of output", format_size(bytes))),
        limits.concurrency.map(|calls| format!("at most {calls} calls at once")),
    ];
    lines.into_iter().flatten().collect()
}

fn describe(entry: &GrantEntry) -> Value {
    let grant = &entry.grant;
    let given = &grant.capabilities;
    let fs = given.fs.iter().map(|it| json!({ "root": it.root.as_str(), "host": it.host, "access": it.access }));
    let http = given.http.iter().map(|it| {
        json!({
            "host": it.host.to_string(), "schemes": it.schemes, "ports": it.ports, "methods": it.methods,
            "paths": it.paths,
        })
    });
    let denied = given.http_deny.iter().map(|it| {
        json!({
            "host": it.host.to_string(), "schemes": it.schemes, "ports": it.ports, "methods": it.methods,
            "paths": it.paths,
        })
    });
    let secrets = given.secrets.iter().map(|(name, to)| json!({ "name": name, "destinations": texts(to) }));
    json!({
        "skill": grant.skill.as_str(),
        "digest": grant.digest.to_string(),
        "giver": grant.giver,
        "given_at": time::format(grant.given_at),
        "expires_at": grant.expires_at.map(time::format),
        "reason": grant.reason,
        "fs": fs.collect::<Vec<_>>(),
        "http": http.collect::<Vec<_>>(),
        "http_deny": denied.collect::<Vec<_>>(),
        "secrets": secrets.collect::<Vec<_>>(),
        "state": given.state,
        "config": given.config.keys().collect::<Vec<_>>(),
        "accepted_risks": grant.accepted_risks,
        "limits": {
            "memory_bytes": grant.limits.memory_bytes,
            "deadline_ms": grant.limits.deadline.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            "fuel": grant.limits.fuel,
            "output_bytes": grant.limits.output_bytes,
            "concurrency": grant.limits.concurrency,
        },
        "problem": entry.problem,
    })
}

fn failure(error: GrantError) -> Failure {
    let exit = match &error {
        GrantError::Unreadable { .. }
        | GrantError::TooLarge { .. }
        | GrantError::Syntax { .. }
        | GrantError::Version { .. }
        | GrantError::Unwritable { .. }
        | GrantError::Busy(_) => Exit::Host,
        _ => Exit::Usage,
    };
    Failure::new(exit, error)
}

//! `bailiwick grant`: what skills may touch.

mod parse;

use std::collections::BTreeSet;
use std::num::{NonZeroU32, NonZeroU64};

use bailiwick_api::time;
use bailiwick_domain::authority::{Access, FsMount, HttpRule};
use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::{Capabilities, Grant as Given};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::quota::{Quota, StateQuota};
use bailiwick_domain::units::{format_duration, format_size, parse_duration, parse_size};
use bailiwick_skills::grants::{GrantEntry, GrantError, NewGrant};
use bailiwick_skills::skill::Skill;
use serde_json::{Value, json};

use crate::app::{self, App, Ownership};
use crate::cli::{Grant, GrantAdd};
use crate::config::Config;
use crate::output::{Done, Exit, Failure, Output};

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
    out.line(format!("granted to {} {} ({})", skill.manifest.id, skill.manifest.version, skill.digest));
    for line in capabilities(&entry.grant) {
        out.line(format!("  {line}"));
    }
    Ok(())
}

fn new_grant(add: &GrantAdd, skill: &Skill) -> Result<NewGrant, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::new(Exit::Usage, error);
    let asked = &skill.manifest.permissions;
    let mut granted = Capabilities {
        workspace: add.workspace.then(Quota::default),
        state: add.state.then(StateQuota::default),
        ..Capabilities::default()
    };
    for text in &add.fs {
        granted.fs.push(parse::mount(text, &asked.fs).map_err(|error| usage(&error))?);
    }
    for text in &add.quota {
        parse::quota(text, &mut granted).map_err(|error| usage(&error))?;
    }
    for text in &add.http {
        granted.http.push(parse::http_rule(text, &asked.http).map_err(|error| usage(&error))?);
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
        table_elements: add.table_elements.map(NonZeroU64::get),
        instances: add.instances.map(NonZeroU64::get),
        deadline,
        fuel: add.fuel.map(NonZeroU64::get),
        host_calls: add.host_calls.map(NonZeroU64::get),
        input_bytes: size(&add.input)?,
        output_bytes: size(&add.output)?,
        http_requests: add.http_requests.map(NonZeroU64::get),
        http_sent_bytes: size(&add.http_sent)?,
        http_received_bytes: size(&add.http_received)?,
        log_bytes: size(&add.log)?,
        random_bytes: size(&add.random)?,
        concurrency: add.concurrency.map(NonZeroU32::get),
    };
    let is_zero = [
        ("--memory", limits.memory_bytes == Some(0)),
        ("--deadline", limits.deadline.is_some_and(|time| time.is_zero())),
        ("--input", limits.input_bytes == Some(0)),
        ("--output", limits.output_bytes == Some(0)),
        ("--http-sent", limits.http_sent_bytes == Some(0)),
        ("--http-received", limits.http_received_bytes == Some(0)),
        ("--log", limits.log_bytes == Some(0)),
        ("--random", limits.random_bytes == Some(0)),
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
    lines.extend(given.fs.iter().map(describe_mount));
    lines.extend(given.workspace.map(|quota| format!("a fresh folder for each call as /workspace ({})", room(quota))));
    lines.extend(given.http.iter().map(|rule| format!("requests {}", describe_rule(rule))));
    lines.extend(given.state.map(|StateQuota { max_bytes, max_keys }| {
        format!("durable state, at most {} and {max_keys} keys", format_size(max_bytes))
    }));
    lines.extend(given.config.keys().map(|key| format!("setting {key}")));
    lines.extend(grant.accepted_risks.iter().map(|tag| format!("risk accepted: {tag}")));
    lines.extend(describe_limits(&grant.limits));
    if lines.is_empty() {
        lines.push("to run, and to touch nothing".to_owned());
    }
    lines
}

fn describe_mount(mount: &FsMount) -> String {
    let folder = format!("folder {} as {}", mount.host.display(), mount.root);
    match mount.access {
        Access::Read => format!("{folder} (read)"),
        Access::ReadWrite => format!("{folder} (read-write, {})", room(mount.quota)),
    }
}

fn room(Quota { max_bytes, max_files }: Quota) -> String {
    format!("at most {} and {max_files} new files a call", format_size(max_bytes))
}

/// A rule as it would be typed.
pub fn describe_rule(rule: &HttpRule) -> String {
    let schemes: Vec<_> = rule.schemes.iter().map(ToString::to_string).collect();
    let ports: Vec<_> = rule.ports.iter().map(ToString::to_string).collect();
    let port = if ports.is_empty() { String::new() } else { format!(":{}", ports.join(",")) };
    let paths = if rule.paths.is_empty() { String::new() } else { format!(" below {}", rule.paths.join(", ")) };
    format!("{} {}://{}{port}{paths}", rule.methods.join(","), schemes.join("|"), rule.host)
}

fn describe_limits(limits: &LimitsRequest) -> Vec<String> {
    let lines = [
        limits.memory_bytes.map(|bytes| format!("at most {} of memory", format_size(bytes))),
        limits.table_elements.map(|elements| format!("at most {elements} elements in a table")),
        limits.instances.map(|instances| format!("at most {instances} core instances")),
        limits.deadline.map(|time| format!("at most {}", format_duration(time))),
        limits.fuel.map(|units| format!("at most {units} units of fuel")),
        limits.host_calls.map(|calls| format!("at most {calls} calls of the host")),
        limits.input_bytes.map(|bytes| format!("at most {} of arguments", format_size(bytes))),
        limits.http_requests.map(|requests| format!("at most {requests} requests over HTTP")),
        limits.http_sent_bytes.map(|bytes| format!("at most {} sent over HTTP", format_size(bytes))),
        limits.http_received_bytes.map(|bytes| format!("at most {} received over HTTP", format_size(bytes))),
        limits.log_bytes.map(|bytes| format!("at most {} of log", format_size(bytes))),
        limits.random_bytes.map(|bytes| format!("at most {} of random bytes", format_size(bytes))),
        limits.output_bytes.map(|bytes| format!("at most {} of output", format_size(bytes))),
        limits.concurrency.map(|calls| format!("at most {calls} calls at once")),
    ];
    lines.into_iter().flatten().collect()
}

fn describe(entry: &GrantEntry) -> Value {
    let grant = &entry.grant;
    let given = &grant.capabilities;
    let fs = given.fs.iter().map(|it| {
        let quota = (it.access == Access::ReadWrite).then_some(it.quota);
        json!({
            "root": it.root.as_str(), "host": it.host, "access": it.access,
            "max_bytes": quota.map(|quota| quota.max_bytes), "max_files": quota.map(|quota| quota.max_files),
        })
    });
    let workspace = given.workspace.map(|it| json!({ "max_bytes": it.max_bytes, "max_files": it.max_files }));
    let state = given.state.map(|it| json!({ "max_bytes": it.max_bytes, "max_keys": it.max_keys }));
    let http = given.http.iter().map(|it| {
        json!({
            "host": it.host.to_string(), "schemes": it.schemes, "ports": it.ports, "methods": it.methods,
            "paths": it.paths,
        })
    });
    json!({
        "skill": grant.skill.as_str(),
        "digest": grant.digest.to_string(),
        "giver": grant.giver,
        "given_at": time::format(grant.given_at),
        "expires_at": grant.expires_at.map(time::format),
        "reason": grant.reason,
        "fs": fs.collect::<Vec<_>>(),
        "http": http.collect::<Vec<_>>(),
        "workspace": workspace,
        "state": state,
        "config": given.config.keys().collect::<Vec<_>>(),
        "accepted_risks": grant.accepted_risks,
        "limits": {
            "memory_bytes": grant.limits.memory_bytes,
            "deadline_ms": grant.limits.deadline.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            "fuel": grant.limits.fuel,
            "table_elements": grant.limits.table_elements,
            "instances": grant.limits.instances,
            "host_calls": grant.limits.host_calls,
            "input_bytes": grant.limits.input_bytes,
            "http_requests": grant.limits.http_requests,
            "http_sent_bytes": grant.limits.http_sent_bytes,
            "http_received_bytes": grant.limits.http_received_bytes,
            "log_bytes": grant.limits.log_bytes,
            "random_bytes": grant.limits.random_bytes,
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

//! `bailiwick grant`: what skills may touch.

mod change;
mod parse;

use std::collections::BTreeSet;
use std::num::{NonZeroU32, NonZeroU64};

use bailiwick_api::time;
use bailiwick_domain::authority::{Access, FsMount, InvalidCommand, SecretDestination};
use bailiwick_domain::grant::{Capabilities, Grant as Given};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::manifest::Permissions;
use bailiwick_domain::quota::{Quota, StateQuota};
use bailiwick_domain::skill_id::InvalidSkillId;
use bailiwick_domain::units::{format_duration, format_size, parse_duration, parse_size};
use bailiwick_skills::grants::{GrantEntry, NewGrant};
use bailiwick_skills::review::Review;
use serde_json::Value;

use crate::app;
use crate::cli::grant::{Grant, GrantAdd, GrantTerms};
use crate::config::Config;
use crate::desk::{Desk, encode};
use crate::output::{Done, Exit, Failure, Output, note, tame};

/// Runs the command.
pub fn run(command: Grant, config: &Config, out: Output) -> Done {
    let desk = Desk::open(config, out)?;
    match command {
        Grant::Add(add) => self::add(&add, desk, config, out),
        Grant::List => list(&desk, out),
        Grant::Narrow(narrow) => change::narrow(&narrow, &desk, out),
        Grant::Revoke { skill, digest } => change::revoke(&skill, digest.as_deref(), &desk, out),
        Grant::Review { skill } => review(&skill, &desk, out),
        Grant::Accept { skill, digest } => change::accept(&skill, &digest, &desk, out),
        Grant::Export => change::export(&desk, out),
        Grant::Import { file } => change::import(&file, &desk, out),
    }
}

fn add(add: &GrantAdd, mut desk: Desk, config: &Config, out: Output) -> Done {
    let skill = desk.resolve(&add.skill)?;
    let id = &skill.manifest.id;
    let new = new_grant(&add.terms, &skill.manifest.permissions)?;
    let body = new.to_json(id, skill.digest).map_err(|error| Failure::new(Exit::Usage, error))?;
    let path = format!("/v1/grants/{id}@={}", encode(&skill.manifest.version.to_string()));
    let answer: Value = desk.send("PUT", &path, Some(&body))?;
    let entry = entry(answer)?;
    if out.json {
        out.value(&entry.to_json());
        return Ok(());
    }
    let unknown = entry.grant.capabilities.secrets.keys().filter(|name| !config.secrets.contains_key(*name));
    for name in unknown {
        note(format!("The configuration has no secret `{name}`, so that requests with it are refused until it does."));
    }
    let unknown = entry.grant.capabilities.models.iter().filter(|name| !config.models.contains_key(*name));
    for name in unknown {
        note(format!("The configuration has no model `{name}`, so that nothing answers for it; {}.", models(config)));
    }
    out.line(format!("granted to {id} {} ({})", skill.manifest.version, skill.digest));
    for line in capabilities(&entry.grant) {
        out.line(format!("  {line}"));
    }
    Ok(())
}

/// Which models there are.
fn models(config: &Config) -> String {
    let names: Vec<_> = config.models.keys().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) }
}

/// The grant of an answer.
fn entry(answer: Value) -> Result<GrantEntry, Failure> {
    let problem = |problem| Failure::new(Exit::Host, format!("the host answered what is not a grant: {problem}"));
    GrantEntry::from_json(answer).map_err(problem)
}

/// What is new in the bytes that a skill has now.
fn review(skill: &str, desk: &Desk, out: Output) -> Done {
    let review: Review = desk.get(&format!("/v1/skills/{}/review", encode(skill)))?;
    let Some(difference) = &review.difference else {
        let problem = format!("no other bytes of {} were granted anything: see `bailiwick audit skill`", review.skill);
        return Err(Failure::new(Exit::NotFound, problem));
    };
    if out.json {
        out.value(&serde_json::to_value(&review).unwrap_or_default());
        return Ok(());
    }
    let version = difference.version.as_deref().unwrap_or("?");
    out.line(format!("{} {} ({})", out.bold(&review.skill), review.version, review.digest));
    out.line(format!("beside {version} ({})", difference.digest));
    let list = |title: &str, sign: &str, lines: &mut dyn Iterator<Item = &String>| {
        let lines: Vec<_> = lines.map(|line| format!("  {sign} {}", tame(line))).collect();
        if !lines.is_empty() {
            out.line(format!("\n{}", out.bold(title)));
            for line in &lines {
                out.line(line);
            }
        }
        lines.len()
    };
    let mut changed = list("Imports now, and did not", "+", &mut difference.imports_added.iter());
    changed += list("Imported, and does no longer", "-", &mut difference.imports_removed.iter());
    changed += list("Asks for now, and did not", "+", &mut difference.asked_added.iter());
    changed += list("Asked for, and does no longer", "-", &mut difference.asked_removed.iter());
    if changed == 0 {
        out.line("\nIt imports and asks for the same; its code is another one.");
    }
    list("Was granted", " ", &mut difference.granted.iter());
    list("Has used of that", " ", &mut difference.used.iter());
    if review.grant.is_none() {
        out.line(format!(
            "\nIt is suspended. To give it what it was granted: bailiwick grant accept {} --digest {}",
            review.skill, review.digest
        ));
    }
    Ok(())
}

/// What was typed, for a skill that asks for `asked`.
pub(crate) fn new_grant(add: &GrantTerms, asked: &Permissions) -> Result<NewGrant, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::new(Exit::Usage, error);
    let mut granted = Capabilities {
        workspace: add.workspace.then(Quota::default),
        state: add.state.then(StateQuota::default),
        ..Capabilities::default()
    };
    for text in &add.fs {
        let mount = parse::mount(text, &asked.fs).map_err(|error| usage(&error))?;
        // A server has another working folder than whoever types this.
        let host = std::path::absolute(&mount.host).map_err(|error| usage(&error))?;
        granted.fs.push(FsMount { host, ..mount });
    }
    for text in &add.quota {
        parse::quota(text, &mut granted).map_err(|error| usage(&error))?;
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
    for text in &add.shell {
        let words = shlex::split(text).ok_or_else(|| usage(&format!("`{text}` has a quote that is not closed")))?;
        granted.shell.push(words.try_into().map_err(|error: InvalidCommand| usage(&error))?);
    }
    for text in &add.skill_call {
        granted.skills.push(text.parse().map_err(|error: InvalidSkillId| usage(&error))?);
    }
    granted.models.clone_from(&add.model);
    Ok(NewGrant {
        giver: app::person(),
        expires_at: app::end_of(add.expires.as_deref())?,
        reason: add.reason.clone(),
        capabilities: granted,
        accepted_risks: add.accept_risk.iter().cloned().collect::<BTreeSet<_>>(),
        limits: limits(add)?,
        one_shot: add.one_shot,
    })
}

fn limits(add: &GrantTerms) -> Result<LimitsRequest, Failure> {
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
        skill_calls: add.skill_calls.map(NonZeroU64::get),
        model_calls: add.model_calls.map(NonZeroU64::get),
        model_tokens: add.model_tokens.map(NonZeroU64::get),
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

fn list(desk: &Desk, out: Output) -> Done {
    let entries = desk.grants()?;
    if out.json {
        out.value(&entries.iter().map(GrantEntry::to_json).collect());
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
        if grant.one_shot {
            let used = grant.used_at.map_or("not used yet".to_owned(), |at| format!("used at {}", time::format(at)));
            about = format!("{about}, for one call ({used})");
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

/// One line for each thing that a grant gives.
pub fn capabilities(grant: &Given) -> Vec<String> {
    let given = &grant.capabilities;
    let mut lines = Vec::new();
    lines.extend(given.fs.iter().map(describe_mount));
    lines.extend(given.workspace.map(|quota| {
        format!("a folder of its own as /workspace for each call, or for each task of a run ({})", room(quota))
    }));
    lines.extend(given.http.iter().map(|rule| format!("requests {rule}")));
    lines.extend(given.http_deny.iter().map(|rule| format!("no requests {rule}")));
    lines.extend(given.secrets.iter().map(|(name, to)| format!("secret {name} for {}", texts(to).join(", "))));
    lines.extend(given.state.map(|StateQuota { max_bytes, max_keys }| {
        format!("durable state, at most {} and {max_keys} keys", format_size(max_bytes))
    }));
    lines.extend(given.config.keys().map(|key| format!("setting {key}")));
    lines.extend(given.shell.iter().map(|rule| format!("command {rule}")));
    lines.extend(given.skills.iter().map(|skill| format!("skill {skill}")));
    lines.extend(given.models.iter().map(|model| format!("model {model}")));
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

fn describe_limits(limits: &LimitsRequest) -> Vec<String> {
    let lines = [
        limits.memory_bytes.map(|bytes| format!("at most {} of memory", format_size(bytes))),
        limits.table_elements.map(|elements| format!("at most {elements} elements in a table")),
        limits.instances.map(|instances| format!("at most {instances} core instances")),
        limits.deadline.map(|time| format!("at most {}", format_duration(time))),
        limits.fuel.map(|units| format!("at most {units} units of fuel")),
        limits.host_calls.map(|calls| format!("at most {calls} calls of the host")),
        limits.input_bytes.map(|bytes| format!("at most {} of arguments", format_size(bytes))),
        limits.skill_calls.map(|calls| format!("at most {calls} calls of other skills")),
        limits.model_calls.map(|calls| format!("at most {calls} requests to models")),
        limits.model_tokens.map(|tokens| format!("at most {tokens} tokens of models")),
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

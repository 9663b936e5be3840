//! One page about a skill, for a reviewer: what it can't do, what it asks for, what
//! it was granted, and what of that it has used.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_domain::authority::{Access, HttpRule, HttpTarget, Scheme};
use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::{Capabilities, Grant};
use bailiwick_journal::JournalError;
use serde::{Deserialize, Serialize};

use crate::audit::{Audit, AuditQuery};
use crate::grants::{Grants, rfc3339};
use crate::package::asked;
use crate::skill::Skill;

/// Records that are read at once.
const PAGE: usize = 500;

/// What can be said of a skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The skill.
    pub skill: String,
    /// Its release.
    pub version: String,
    /// Its bytes.
    pub digest: Digest,
    /// What stands in the way of a call, where something does: `not granted`,
    /// `suspended`, or why the grant has no effect.
    pub problem: Option<String>,
    /// Every interface that the component imports.
    pub imports: Vec<String>,
    /// Capabilities, and whether the component can use them at all.
    pub reach: Vec<Reach>,
    /// What the manifest asks for.
    pub asked: BTreeSet<String>,
    /// The grant for these bytes.
    pub grant: Option<ReviewedGrant>,
    /// Options of `bailiwick grant narrow` that take away what no call has used; empty
    /// before the first call.
    pub could_lose: Vec<String>,
    /// What was asked for and not granted.
    pub withheld: BTreeSet<String>,
    /// What these bytes did so far.
    pub history: History,
    /// The difference to the bytes that were granted something before.
    pub difference: Option<Difference>,
}

/// A capability as the component's imports show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Such as `files`.
    pub capability: String,
    /// Whether any interface for it is imported. Where none is, no grant can give it.
    pub imported: bool,
    /// What that means.
    pub meaning: String,
}

/// A grant, with what was made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedGrant {
    /// Who gave it.
    pub giver: String,
    /// When.
    pub given_at: String,
    /// From when on it is void.
    pub expires_at: Option<String>,
    /// What for.
    pub reason: Option<String>,
    /// What it gives, a line each.
    pub terms: Vec<ReviewedTerm>,
}

/// One thing that is granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedTerm {
    /// What.
    pub term: String,
    /// In how many calls it was used; nothing where the host can't tell.
    pub used: Option<u64>,
}

/// What bytes did, as the audit chain has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Calls that ran.
    pub calls: u64,
    /// Calls by how they ended.
    pub outcomes: BTreeMap<String, u64>,
    /// Calls that made use of something, by what it was.
    pub used: BTreeMap<String, u64>,
    /// Refusals while they ran, by capability.
    pub denials: BTreeMap<String, u64>,
    /// When the last one ended.
    pub last: Option<String>,
}

/// What is new in these bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The bytes before.
    pub digest: Digest,
    /// Their release.
    pub version: Option<String>,
    /// Interfaces that are imported now and were not.
    pub imports_added: BTreeSet<String>,
    /// Interfaces that were imported.
    pub imports_removed: BTreeSet<String>,
    /// Permissions that are asked for now and were not.
    pub asked_added: BTreeSet<String>,
    /// Permissions that were asked for.
    pub asked_removed: BTreeSet<String>,
    /// What the bytes before were granted.
    pub granted: Vec<String>,
    /// What they made use of.
    pub used: BTreeSet<String>,
}

/// Capabilities with the prefixes of their interfaces, and what the lack of them means.
const CAPABILITIES: [(&str, &[&str], &str); 11] = [
    ("files", &["wasi:filesystem/"], "it can read and write no file"),
    ("requests", &["wasi:http/outgoing-handler", "wasi:http/client"], "it can send nothing over HTTP"),
    ("sockets", &["wasi:sockets/"], "it can open no connection of its own (this host refuses all of them anyway)"),
    ("state", &["wasi:keyvalue/"], "it can keep nothing from one call to the next"),
    ("settings", &["wasi:config/"], "it can read no configuration"),
    ("commands", &["bailiwick:shell/"], "it can run no command of the host"),
    ("time", &["wasi:clocks/"], "it can't tell the time"),
    ("random numbers", &["wasi:random/"], "it answers the same arguments alike"),
    ("other skills", &["bailiwick:skill/skills"], "it can call no other skill"),
    ("models", &["bailiwick:skill/models"], "it can ask no model"),
    ("questions", &["bailiwick:skill/approvals"], "it can ask no person anything"),
];

impl Review {
    /// What can be said of `skill` now.
    pub fn of(skill: &Skill, grants: &Grants, audit: &Audit) -> Result<Self, JournalError> {
        let id = &skill.manifest.id;
        let entry = grants.of(id, &skill.digest);
        let before = grants.latest_of_others(id, &skill.digest).map(|entry| &entry.grant);
        let histories = histories(audit, id.as_str())?;
        let history = histories.get(&skill.digest).cloned().unwrap_or_default();
        let imports: Vec<String> = skill.inspection.iter().flat_map(|it| &it.imports).cloned().collect();
        let asked = asked::lines(&skill.manifest.permissions);
        let problem = match (entry, before) {
            (Some(entry), _) => entry.problem.clone(),
            (None, Some(_)) => Some("suspended: these bytes are others than those that were granted".to_owned()),
            (None, None) => Some("not granted".to_owned()),
        };
        Ok(Self {
            skill: id.to_string(),
            version: skill.manifest.version.to_string(),
            digest: skill.digest,
            problem,
            reach: reach(&imports),
            could_lose: entry.map(|entry| unused(&entry.grant.capabilities, &history)).unwrap_or_default(),
            withheld: withheld(skill, entry.map(|entry| &entry.grant.capabilities)),
            grant: entry.map(|entry| reviewed(&entry.grant, &history)),
            difference: before.map(|before| difference(&imports, &asked, before, histories.get(&before.digest))),
            imports,
            asked,
            history,
        })
    }
}

/// What a component with these imports can reach, and what it can't whatever it is granted.
pub fn reach(imports: &[String]) -> Vec<Reach> {
    let reach = |&(capability, prefixes, lacking): &(&str, &[&str], &str)| {
        let imported = imports.iter().any(|import| prefixes.iter().any(|prefix| import.starts_with(prefix)));
        let meaning = match (imported, capability) {
            (false, _) => lacking,
            (true, "time" | "random numbers" | "questions") => "as every skill can",
            (true, _) => "only what a grant gives",
        };
        Reach { capability: capability.to_owned(), imported, meaning: meaning.to_owned() }
    };
    CAPABILITIES.iter().map(reach).collect()
}

/// One line for each thing that is asked for and that the grant gives nothing of.
fn withheld(skill: &Skill, granted: Option<&Capabilities>) -> BTreeSet<String> {
    let mut asked = skill.manifest.permissions.clone();
    // What it promises not to do is nothing that could be withheld.
    asked.http_deny.clear();
    if let Some(granted) = granted {
        asked.fs.retain(|request| !granted.fs.iter().any(|mount| request.root.contains(&mount.root)));
        asked.http.retain(|rule| !granted.http.iter().any(|granted| overlap(rule, granted)));
        asked.secrets.retain(|name| !granted.secrets.contains_key(name));
        asked.state = asked.state.filter(|_| granted.state.is_none());
        asked.workspace = asked.workspace.filter(|_| granted.workspace.is_none());
        asked.config.retain(|key| !granted.config.contains_key(key));
        asked.skills.retain(|asked| !granted.skills.iter().any(|given| given.id == asked.id));
        asked.models.retain(|model| !granted.models.contains(model));
        asked.shell.retain(|asked| !granted.shell.iter().any(|rule| asked.covers(rule)));
    }
    asked::lines(&asked)
}

/// Whether a granted rule gives something of what `asked` wants.
fn overlap(asked: &HttpRule, granted: &HttpRule) -> bool {
    let host = granted.host.to_string();
    let host = host.strip_prefix("*.").map_or(host.clone(), |rest| format!("any.{rest}"));
    asked.host == granted.host || asked.host.matches(&host)
}

fn reviewed(grant: &Grant, history: &History) -> ReviewedGrant {
    let count = |meant: &dyn Fn(&str) -> bool| {
        history.used.iter().filter(|(used, _)| meant(used)).map(|(_, calls)| *calls).max().unwrap_or_default()
    };
    let given = &grant.capabilities;
    let mut terms = Vec::new();
    for mount in &given.fs {
        let prefix = format!("fs {} ", mount.root);
        terms.push(ReviewedTerm {
            term: format!("folder {} as {} ({})", mount.host.display(), mount.root, mount.access),
            used: Some(count(&|used| used.starts_with(&prefix))),
        });
    }
    for rule in &given.http {
        terms.push(ReviewedTerm {
            term: format!("requests {rule}"),
            used: Some(count(&|used| used.strip_prefix("http ").is_some_and(|request| is_under(rule, request)))),
        });
    }
    for (name, destinations) in &given.secrets {
        let destinations: Vec<_> = destinations.iter().map(ToString::to_string).collect();
        let use_of_it = format!("secret {name}");
        terms.push(ReviewedTerm {
            term: format!("secret {name} for {}", destinations.join(", ")),
            used: Some(count(&|used| used == use_of_it)),
        });
    }
    if given.workspace.is_some() {
        terms.push(ReviewedTerm {
            term: "a folder of its own for each call, or for each task of a run".to_owned(),
            used: Some(count(&|used| used.starts_with("fs /workspace "))),
        });
    }
    if given.state.is_some() {
        terms.push(ReviewedTerm {
            term: "durable state".to_owned(),
            used: Some(count(&|used| used.starts_with("state "))),
        });
    }
    for key in given.config.keys() {
        let use_of_it = format!("config {key}");
        terms.push(ReviewedTerm { term: format!("setting {key}"), used: Some(count(&|used| used == use_of_it)) });
    }
    for rule in &given.shell {
        let use_of_it = format!("shell {rule}");
        terms.push(ReviewedTerm { term: format!("command {rule}"), used: Some(count(&|used| used == use_of_it)) });
    }
    for skill in &given.skills {
        let use_of_it = format!("skill {}", skill.id);
        terms.push(ReviewedTerm { term: format!("skill {skill}"), used: Some(count(&|used| used == use_of_it)) });
    }
    for model in &given.models {
        let use_of_it = format!("model {model}");
        terms.push(ReviewedTerm { term: use_of_it.clone(), used: Some(count(&|used| used == use_of_it)) });
    }
    terms.extend(
        grant.accepted_risks.iter().map(|tag| ReviewedTerm { term: format!("risk accepted: {tag}"), used: None }),
    );
    ReviewedGrant {
        giver: grant.giver.clone(),
        given_at: rfc3339(grant.given_at),
        expires_at: grant.expires_at.map(rfc3339),
        reason: grant.reason.clone(),
        terms,
    }
}

/// What of a grant no call has used, as options that take it away.
fn unused(given: &Capabilities, history: &History) -> Vec<String> {
    let mut options = Vec::new();
    if history.calls == 0 {
        return options;
    }
    let used = |what: &str| history.used.contains_key(what);
    for mount in &given.fs {
        let (read, written) = (used(&format!("fs {} read", mount.root)), used(&format!("fs {} written", mount.root)));
        if !read && !written {
            options.push(format!("--fs {}", mount.root));
        } else if !written && mount.access == Access::ReadWrite {
            options.push(format!("--read-only {}", mount.root));
        }
    }
    let requests = || history.used.keys().filter_map(|used| used.strip_prefix("http "));
    let is_used = |rule: &HttpRule| requests().any(|request| is_under(rule, request));
    // All rules for a host go together.
    let hosts: BTreeSet<String> = given.http.iter().map(|rule| rule.host.to_string()).collect();
    let idle = |host: &String| !given.http.iter().any(|rule| rule.host.to_string() == *host && is_used(rule));
    options.extend(hosts.iter().filter(|host| idle(host)).map(|host| format!("--http {host}")));
    let secrets = given.secrets.keys().filter(|name| !used(&format!("secret {name}")));
    options.extend(secrets.map(|name| format!("--secret {name}")));
    let settings = given.config.keys().filter(|key| !used(&format!("config {key}")));
    options.extend(settings.map(|key| format!("--setting {key}")));
    let commands = given.shell.iter().filter(|rule| !used(&format!("shell {rule}")));
    options.extend(commands.map(|rule| format!("--shell '{rule}'")));
    let skills = given.skills.iter().filter(|skill| !used(&format!("skill {}", skill.id)));
    options.extend(skills.map(|skill| format!("--skill-call {}", skill.id)));
    let models = given.models.iter().filter(|model| !used(&format!("model {model}")));
    options.extend(models.map(|model| format!("--model {model}")));
    if given.state.is_some() && !used("state bucket") {
        options.push("--state".to_owned());
    }
    if given.workspace.is_some() && !used("fs /workspace read") && !used("fs /workspace written") {
        options.push("--workspace".to_owned());
    }
    options
}

/// Whether a rule covers a request such as `GET https://example.com:443`, whose path
/// is not in the records because it may hold what is secret.
fn is_under(rule: &HttpRule, request: &str) -> bool {
    let parts = request.split_once(' ').and_then(|(method, url)| {
        let (scheme, authority) = url.split_once("://")?;
        let (host, port) = authority.rsplit_once(':')?;
        Some((method, scheme, host, port.parse::<u16>().ok()?))
    });
    let Some((method, scheme, host, port)) = parts else { return false };
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    let rule = HttpRule { paths: Vec::new(), ..rule.clone() };
    rule.allows(&HttpTarget { method, scheme, host, port, path: "/" })
}

fn difference(imports: &[String], asked: &BTreeSet<String>, before: &Grant, history: Option<&History>) -> Difference {
    let imports: BTreeSet<String> = imports.iter().cloned().collect();
    let minus = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect();
    let seen = &before.seen;
    let granted = reviewed(before, &History::default());
    Difference {
        digest: before.digest,
        version: seen.version.clone(),
        imports_added: minus(&imports, &seen.imports),
        imports_removed: minus(&seen.imports, &imports),
        asked_added: minus(asked, &seen.asked),
        asked_removed: minus(&seen.asked, asked),
        granted: granted.terms.into_iter().map(|term| term.term).collect(),
        used: history.map(|history| history.used.keys().cloned().collect()).unwrap_or_default(),
    }
}

/// The parts of a call's record that are counted.
#[derive(Deserialize)]
struct Called {
    at: String,
    digest: Digest,
    outcome: String,
    #[serde(default)]
    used: Vec<String>,
    #[serde(default)]
    denials: Vec<Denied>,
}

#[derive(Deserialize)]
struct Denied {
    capability: String,
}

/// What each of a skill's bytes did.
fn histories(audit: &Audit, skill: &str) -> Result<BTreeMap<Digest, History>, JournalError> {
    let query = AuditQuery { kind: Some("call".to_owned()), skill: Some(skill.to_owned()), ..AuditQuery::default() };
    let mut histories: BTreeMap<Digest, History> = BTreeMap::new();
    let mut after = Some(0);
    while let Some(place) = after {
        let page = audit.query(&query, place, PAGE)?;
        for entry in page.entries {
            let Ok(called) = serde_json::from_str::<Called>(&entry.record) else { continue };
            let history = histories.entry(called.digest).or_default();
            history.calls += 1;
            *history.outcomes.entry(called.outcome).or_default() += 1;
            for used in called.used {
                *history.used.entry(used).or_default() += 1;
            }
            for denied in called.denials {
                *history.denials.entry(denied.capability).or_default() += 1;
            }
            history.last = Some(called.at);
        }
        after = page.next;
    }
    Ok(histories)
}

//! The reason for every term of a permit, for the audit chain.

use bailiwick_domain::digest::Digest;
use bailiwick_domain::limits::LimitsPolicy;
use bailiwick_domain::permit::Terms;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::grants::{GrantEntry, rfc3339};
use crate::skill::Skill;

/// What calls may do under one grant, with the reason for each term. It is in the
/// audit chain once; the records of calls name it by its digest.
#[derive(Debug)]
pub struct Basis {
    /// sha256 of the content.
    pub id: Digest,
    /// The terms with their reasons, as a JSON object.
    pub content: Box<RawValue>,
}

#[derive(Serialize)]
struct Content<'a> {
    skill: &'a str,
    version: String,
    digest: Digest,
    grant: GrantContent<'a>,
    terms: Vec<Term>,
}

#[derive(Serialize)]
struct GrantContent<'a> {
    fingerprint: Digest,
    giver: &'a str,
    given_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Term {
    /// Which kind: `fs`, `http`, `http-deny`, `secret`, `state`, `config`, `limit`.
    kind: &'static str,
    /// What is allowed.
    term: String,
    /// Why.
    because: String,
}

impl Basis {
    pub(super) fn new(skill: &Skill, entry: &GrantEntry, terms: &Terms, limits: &LimitsPolicy) -> Self {
        let grant = &entry.grant;
        let content = Content {
            skill: terms.skill.as_str(),
            version: skill.manifest.version.to_string(),
            digest: terms.digest,
            grant: GrantContent {
                fingerprint: entry.fingerprint,
                giver: &grant.giver,
                given_at: rfc3339(grant.given_at),
                expires_at: grant.expires_at.map(rfc3339),
                reason: grant.reason.as_deref(),
            },
            terms: reasons(skill, entry, terms, limits),
        };
        // Numbers and text can be written.
        let text = serde_json::to_string(&content).unwrap_or_else(|_| "{}".to_owned());
        let id = Digest::of(text.as_bytes());
        Self { id, content: RawValue::from_string(text).unwrap_or_default() }
    }
}

fn reasons(skill: &Skill, entry: &GrantEntry, terms: &Terms, limits: &LimitsPolicy) -> Vec<Term> {
    let asked = &skill.manifest.permissions;
    let giver = &entry.grant.giver;
    let mut reasons = Vec::new();
    for mount in &terms.fs {
        let request = asked.fs.iter().find(|request| request.root.contains(&mount.root));
        let request = request.map(|it| format!("the manifest asks for {} ({})", it.root, it.access));
        let granted = entry.grant.capabilities.fs.iter().find(|it| it.root == mount.root);
        let granted = granted.map(|it| format!("{giver} grants {} ({})", it.host.display(), it.access));
        reasons.push(Term {
            kind: "fs",
            term: format!("{} as {} ({})", mount.host.display(), mount.root, mount.access),
            because: [request, granted].into_iter().flatten().collect::<Vec<_>>().join("; "),
        });
    }
    for rule in &terms.http.granted {
        let requested: Vec<_> = terms.http.requested.iter().map(ToString::to_string).collect();
        reasons.push(Term {
            kind: "http",
            term: rule.to_string(),
            because: format!(
                "{giver} grants it; of that, what the manifest asks for: {}; private addresses only where named",
                requested.join("; ")
            ),
        });
    }
    for rule in &terms.http.denied {
        let because = "the manifest, the grant or the host denies it, which wins over what is allowed".to_owned();
        reasons.push(Term { kind: "http-deny", term: rule.to_string(), because });
    }
    for (name, destinations) in &terms.secrets {
        let destinations: Vec<_> = destinations.iter().map(ToString::to_string).collect();
        let because = format!("the manifest names it; {giver} grants it for these destinations");
        reasons.push(Term { kind: "secret", term: format!("{name} for {}", destinations.join(", ")), because });
    }
    if terms.state {
        let because = format!("the manifest asks for it; {giver} grants it");
        reasons.push(Term { kind: "state", term: format!("its own namespace, {}", terms.skill), because });
    }
    for key in terms.config.keys() {
        let because = format!("the manifest asks for it; {giver} grants a value");
        reasons.push(Term { kind: "config", term: key.clone(), because });
    }
    reasons.extend(limit_reasons(skill, entry, terms, limits));
    reasons
}

/// Where each limit comes from: the smallest of what the manifest asks (or else the
/// host's default), the grant and the host's ceiling.
fn limit_reasons(skill: &Skill, entry: &GrantEntry, terms: &Terms, limits: &LimitsPolicy) -> Vec<Term> {
    let (asked, granted) = (&skill.manifest.limits, &entry.grant.limits);
    let (default, ceiling) = (&limits.default, &limits.ceiling);
    let giver = &entry.grant.giver;
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let term = |name: &str, value: u64, asked: Option<u64>, granted: Option<u64>, default: u64, ceiling: u64| {
        let source = if granted == Some(value) && asked.unwrap_or(default) != value {
            format!("{giver} grants no more")
        } else if asked == Some(value) {
            "the manifest asks for it".to_owned()
        } else if ceiling == value {
            "the host allows no more".to_owned()
        } else {
            "the host's default".to_owned()
        };
        Term { kind: "limit", term: format!("{name} {value}"), because: source }
    };
    let now = &terms.limits;
    let mut reasons = vec![
        term(
            "memory_bytes",
            now.memory_bytes,
            asked.memory_bytes,
            granted.memory_bytes,
            default.memory_bytes,
            ceiling.memory_bytes,
        ),
        term(
            "deadline_ms",
            millis(now.deadline),
            asked.deadline.map(millis),
            granted.deadline.map(millis),
            millis(default.deadline),
            millis(ceiling.deadline),
        ),
        term(
            "output_bytes",
            now.output_bytes,
            asked.output_bytes,
            granted.output_bytes,
            default.output_bytes,
            ceiling.output_bytes,
        ),
        term(
            "concurrency",
            now.concurrency.into(),
            asked.concurrency.map(u64::from),
            granted.concurrency.map(u64::from),
            default.concurrency.into(),
            ceiling.concurrency.into(),
        ),
    ];
    if let Some(fuel) = now.fuel {
        let most = u64::MAX;
        reasons.push(term(
            "fuel",
            fuel,
            asked.fuel,
            granted.fuel,
            default.fuel.unwrap_or(most),
            ceiling.fuel.unwrap_or(most),
        ));
    }
    reasons
}

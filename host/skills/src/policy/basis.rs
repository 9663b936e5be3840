//! The reason for every term of a permit, for the audit chain.

use bailiwick_domain::authority::Access;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::limits::LimitsPolicy;
use bailiwick_domain::permit::Terms;
use bailiwick_domain::quota::{Quota, StateQuota};
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
    /// Which kind: `fs`, `http`, `http-deny`, `secret`, `workspace`,
    /// `state`, `config`, `shell`, `skill`, `model`, `limit`.
    kind: &'static str,
    /// What is allowed.
    #[serde(rename = "term")]
    what: String,
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
            what: match mount.access {
                Access::Read => format!("{} as {} (read)", mount.host.display(), mount.root),
                Access::ReadWrite => format!(
                    "{} as {} (read-write, at most {} bytes and {} new files a call)",
                    mount.host.display(),
                    mount.root,
                    mount.quota.max_bytes,
                    mount.quota.max_files
                ),
            },
            because: [request, granted].into_iter().flatten().collect::<Vec<_>>().join("; "),
        });
    }
    for rule in &terms.http.granted {
        let requested: Vec<_> = terms.http.requested.iter().map(ToString::to_string).collect();
        reasons.push(Term {
            kind: "http",
            what: rule.to_string(),
            because: format!(
                "{giver} grants it; of that, what the manifest asks for: {}; private addresses only where named",
                requested.join("; ")
            ),
        });
    }
    for rule in &terms.http.denied {
        let because = "the manifest, the grant or the host denies it, which wins over what is allowed".to_owned();
        reasons.push(Term { kind: "http-deny", what: rule.to_string(), because });
    }
    for (name, destinations) in &terms.secrets {
        let destinations: Vec<_> = destinations.iter().map(ToString::to_string).collect();
        let because = format!("the manifest names it; {giver} grants it for these destinations");
        reasons.push(Term { kind: "secret", what: format!("{name} for {}", destinations.join(", ")), because });
    }
    let asked_and_granted = || format!("the manifest asks for it; {giver} grants it");
    if let Some(Quota { max_bytes, max_files }) = terms.workspace {
        let what = format!("/workspace, at most {max_bytes} bytes and {max_files} files");
        reasons.push(Term { kind: "workspace", what, because: asked_and_granted() });
    }
    if let Some(StateQuota { max_bytes, max_keys }) = terms.state {
        let what = format!("its own namespace, {}, at most {max_bytes} bytes and {max_keys} keys", terms.skill);
        reasons.push(Term { kind: "state", what, because: asked_and_granted() });
    }
    for key in terms.config.keys() {
        let because = format!("the manifest asks for it; {giver} grants a value");
        reasons.push(Term { kind: "config", what: key.clone(), because });
    }
    for rule in &terms.shell {
        reasons.push(Term { kind: "shell", what: rule.to_string(), because: asked_and_granted() });
    }
    for rule in &terms.skills {
        let because = format!("the manifest asks for {}; {giver} grants {}", rule.asked, rule.granted);
        reasons.push(Term { kind: "skill", what: rule.id.to_string(), because });
    }
    for model in &terms.models {
        reasons.push(Term { kind: "model", what: model.clone(), because: asked_and_granted() });
    }
    reasons.extend(limit_reasons(skill, entry, terms, limits));
    reasons
}

/// Where each limit comes from: the smallest of what the manifest asks (or else the
/// host's default), the grant and the host's ceiling.
fn limit_reasons(skill: &Skill, entry: &GrantEntry, terms: &Terms, limits: &LimitsPolicy) -> Vec<Term> {
    let (asked, granted) = (skill.manifest.limits.named(), entry.grant.limits.named());
    let ceiling = limits.ceiling.named();
    let says = |named: &[(&str, String)], name: &str, value: &str| named.iter().any(|it| it.0 == name && it.1 == value);
    let reason = |(name, value): (&'static str, String)| {
        let because = if says(&asked, name, &value) {
            "the manifest asks for it".to_owned()
        } else if says(&granted, name, &value) {
            format!("{} grants no more", entry.grant.giver)
        } else if says(&ceiling, name, &value) {
            "the host allows no more".to_owned()
        } else {
            "the host's default".to_owned()
        };
        Term { kind: "limit", what: format!("{name} {value}"), because }
    };
    terms.limits.named().into_iter().map(reason).collect()
}

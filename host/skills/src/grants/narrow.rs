//! Taking something away from a grant.

use std::time::SystemTime;

use bailiwick_domain::authority::{Access, CommandRule, GuestPath, HostPattern};
use bailiwick_domain::grant::Grant;
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::quota::Quota;
use bailiwick_domain::skill_id::SkillId;

use serde::Deserialize;
use serde_json::Value;

use super::error::GrantError;
use super::raw::RawLimits;
use super::{mounts, whole_seconds};

/// What is to be taken away. Nothing here can make a grant wider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// Folders, as the guest sees them.
    pub fs: Vec<GuestPath>,
    /// Folders that may be read from now on and no longer written.
    pub read_only: Vec<GuestPath>,
    /// The rules for these hosts.
    pub http: Vec<HostPattern>,
    /// Durable state.
    pub state: bool,
    /// The folder of each call, or of each task of a run.
    pub workspace: bool,
    /// Configuration values, by key.
    pub config: Vec<String>,
    /// Secrets, by name.
    pub secrets: Vec<String>,
    /// Commands, as they are listed: `git log ...`.
    pub shell: Vec<String>,
    /// Other skills that it may call.
    pub skills: Vec<SkillId>,
    /// Models, by name.
    pub models: Vec<String>,
    /// Risks that were accepted.
    pub risks: Vec<String>,
    /// An earlier end.
    pub expires_at: Option<SystemTime>,
    /// Lower limits.
    pub limits: LimitsRequest,
}

/// The grant without what is taken away. What it doesn't have can't be taken, and what
/// would leave a grant without effect neither.
pub(super) fn apply(grant: &Grant, narrowing: &Narrowing) -> Result<Grant, GrantError> {
    let mut narrowed = grant.clone();
    let capabilities = &mut narrowed.capabilities;
    let missing = |what: String| GrantError::NothingToNarrow { skill: grant.skill.clone(), what };
    for root in &narrowing.fs {
        take(&mut capabilities.fs, |mount| mount.root == *root).ok_or_else(|| missing(format!("folder {root}")))?;
    }
    for root in &narrowing.read_only {
        let mount = capabilities.fs.iter_mut().find(|mount| mount.root == *root && mount.access == Access::ReadWrite);
        let mount = mount.ok_or_else(|| missing(format!("writable folder {root}")))?;
        mount.access = Access::Read;
        // A quota says nothing of a folder that is only read, and no document has one there.
        mount.quota = Quota::default();
    }
    if !narrowing.read_only.is_empty() {
        // Through one that is still writable a guest could change what it may only read now.
        mounts::check_pairs(&capabilities.fs)?;
    }
    for host in &narrowing.http {
        take(&mut capabilities.http, |rule| rule.host == *host).ok_or_else(|| missing(format!("rule for {host}")))?;
    }
    if narrowing.state {
        capabilities.state.take().ok_or_else(|| missing("durable state".to_owned()))?;
    }
    if narrowing.workspace {
        capabilities.workspace.take().ok_or_else(|| missing("workspace".to_owned()))?;
    }
    for key in &narrowing.config {
        capabilities.config.remove(key).ok_or_else(|| missing(format!("setting {key}")))?;
    }
    for name in &narrowing.secrets {
        capabilities.secrets.remove(name).ok_or_else(|| missing(format!("secret {name}")))?;
    }
    for command in &narrowing.shell {
        let is_meant = |rule: &CommandRule| rule.to_string() == *command;
        take(&mut capabilities.shell, is_meant).ok_or_else(|| missing(format!("command {command}")))?;
    }
    for skill in &narrowing.skills {
        take(&mut capabilities.skills, |it| it.id == *skill).ok_or_else(|| missing(format!("skill {skill}")))?;
    }
    for model in &narrowing.models {
        take(&mut capabilities.models, |it| it == model).ok_or_else(|| missing(format!("model {model}")))?;
    }
    for tag in &narrowing.risks {
        if !narrowed.accepted_risks.remove(tag) {
            return Err(missing(format!("accepted risk {tag}")));
        }
    }
    if let Some(end) = narrowing.expires_at.map(whole_seconds) {
        narrowed.expires_at = Some(narrowed.expires_at.map_or(end, |known| known.min(end)));
    }
    narrowed.limits = narrowed.limits.least(&narrowing.limits);
    Ok(narrowed)
}

/// The keys of a narrowing. Limits and the end are written as in a grant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    fs: Vec<GuestPath>,
    #[serde(default)]
    read_only: Vec<GuestPath>,
    #[serde(default)]
    http: Vec<HostPattern>,
    #[serde(default)]
    state: bool,
    #[serde(default)]
    workspace: bool,
    #[serde(default)]
    config: Vec<String>,
    #[serde(default)]
    secrets: Vec<String>,
    #[serde(default)]
    shell: Vec<String>,
    #[serde(default)]
    skills: Vec<SkillId>,
    #[serde(default)]
    models: Vec<String>,
    #[serde(default)]
    risks: Vec<String>,
    #[serde(default)]
    expires_at: Option<String>,
    #[serde(default)]
    limits: RawLimits,
}

pub(super) fn from_json(value: &Value) -> Result<Narrowing, String> {
    let raw = Raw::deserialize(value).map_err(|error| error.to_string())?;
    let end = |text: String| {
        let parsed = humantime::parse_rfc3339(&text);
        parsed.map_err(|_| format!("expires_at: `{text}` is not a moment such as 2026-12-31T23:59:59Z"))
    };
    Ok(Narrowing {
        fs: raw.fs,
        read_only: raw.read_only,
        http: raw.http,
        state: raw.state,
        workspace: raw.workspace,
        config: raw.config,
        secrets: raw.secrets,
        shell: raw.shell,
        skills: raw.skills,
        models: raw.models,
        risks: raw.risks,
        expires_at: raw.expires_at.map(end).transpose()?,
        limits: raw.limits.into(),
    })
}

fn take<T>(items: &mut Vec<T>, meant: impl Fn(&T) -> bool) -> Option<()> {
    let before = items.len();
    items.retain(|item| !meant(item));
    (items.len() < before).then_some(())
}

//! How a call with an idempotency key is kept, apart from the types that it is
//! made of, so that these may change and old records can still be read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bailiwick_domain::authority::{
    Access, CommandRule, FsMount, GuestPath, HostPattern, HttpDeny, HttpRule, PathPattern, Scheme, SecretDestination,
    SkillRule,
};
use bailiwick_domain::digest::Digest;
use bailiwick_domain::limits::Limits;
use bailiwick_domain::permit::{HttpAuthority, Terms};
use bailiwick_domain::quota::{Quota, StateQuota};
use bailiwick_domain::receipt::{Denial, Receipt};
use bailiwick_domain::sandbox::Output;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_domain::usage::Usage;
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

/// How a call ended.
#[derive(Debug)]
pub(super) enum Record {
    /// The tool answered.
    Answered(Output, Box<Receipt>),
    /// The host answered an error, by its code and message.
    Failed(String, String),
}

/// The names of [`Receipt::outcome`] for a tool that answered.
pub(crate) const fn outcome(output: &Output) -> &'static str {
    match output {
        Output::Success(_) => "succeeded",
        Output::Failure(_) => "failed",
    }
}

/// The record of a call that was answered.
pub(super) fn answered(output: &Output, receipt: &Receipt) -> Result<Vec<u8>, serde_json::Error> {
    let stored = match output {
        Output::Success(json) => StoredEnding::Success { output: json.into(), receipt: receipt.into() },
        Output::Failure(json) => StoredEnding::Failure { failure: json.into(), receipt: receipt.into() },
    };
    serde_json::to_vec(&stored)
}

/// The record of a call that the host answered with an error.
pub(super) fn failed(code: &str, message: &str) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&StoredEnding::Error { code: code.into(), message: message.into() })
}

/// Reads a record.
pub(super) fn read(record: &[u8]) -> Result<Record, serde_json::Error> {
    Ok(match serde_json::from_slice(record)? {
        StoredEnding::Success { output, receipt } => answer(Output::Success(output), receipt),
        StoredEnding::Failure { failure, receipt } => answer(Output::Failure(failure), receipt),
        StoredEnding::Error { code, message } => Record::Failed(code, message),
    })
}

fn answer(output: Output, receipt: StoredReceipt) -> Record {
    let outcome = outcome(&output);
    Record::Answered(output, Box::new(receipt.receipt(outcome)))
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "ending", rename_all = "kebab-case", deny_unknown_fields)]
enum StoredEnding {
    Success { output: String, receipt: StoredReceipt },
    Failure { failure: String, receipt: StoredReceipt },
    Error { code: String, message: String },
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredReceipt {
    id: String,
    started_at_micros: u64,
    principal: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    trace_id: String,
    skill: SkillId,
    version: Version,
    digest: Digest,
    tool: String,
    arguments: Digest,
    terms: StoredTerms,
    denials: Vec<StoredDenial>,
    #[serde(default)]
    used: Vec<String>,
    usage: Usage,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredTerms {
    fs: Vec<StoredMount>,
    http_requested: Vec<StoredRule>,
    http_granted: Vec<StoredRule>,
    #[serde(default)]
    http_denied: Vec<StoredRule>,
    #[serde(default)]
    secrets: BTreeMap<String, Vec<SecretDestination>>,
    workspace: Option<StoredQuota>,
    state: Option<StoredStateQuota>,
    config: BTreeMap<String, String>,
    #[serde(default)]
    shell: Vec<CommandRule>,
    #[serde(default)]
    skills: Vec<StoredSkill>,
    #[serde(default)]
    models: Vec<String>,
    limits: Limits,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredSkill {
    id: SkillId,
    asked: VersionReq,
    granted: VersionReq,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredMount {
    root: GuestPath,
    host: PathBuf,
    access: Access,
    quota: StoredQuota,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredQuota {
    max_bytes: u64,
    max_files: u64,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredStateQuota {
    max_bytes: u64,
    max_keys: u64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredRule {
    host: HostPattern,
    schemes: Vec<Scheme>,
    ports: Vec<u16>,
    methods: Vec<String>,
    paths: Vec<PathPattern>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredDenial {
    capability: String,
    request: String,
    reason: String,
}

impl From<&Receipt> for StoredReceipt {
    fn from(receipt: &Receipt) -> Self {
        let since = receipt.started_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            id: receipt.id.clone(),
            started_at_micros: u64::try_from(since.as_micros()).unwrap_or(u64::MAX),
            principal: receipt.principal.clone(),
            caller: receipt.caller.clone(),
            run: receipt.run.clone(),
            trace_id: receipt.trace_id.clone(),
            skill: receipt.skill.clone(),
            version: receipt.version.clone(),
            digest: receipt.digest,
            tool: receipt.tool.clone(),
            arguments: receipt.arguments,
            terms: StoredTerms::from(&*receipt.terms),
            denials: receipt.denials.iter().map(StoredDenial::from).collect(),
            used: receipt.used.clone(),
            usage: receipt.usage.clone(),
        }
    }
}

impl StoredReceipt {
    fn receipt(self, outcome: &'static str) -> Receipt {
        let terms = self.terms.terms(self.skill.clone(), self.digest);
        Receipt {
            id: self.id,
            started_at: started_at(self.started_at_micros),
            principal: self.principal,
            caller: self.caller,
            run: self.run,
            trace_id: self.trace_id,
            skill: self.skill,
            version: self.version,
            digest: self.digest,
            tool: self.tool,
            arguments: self.arguments,
            terms: Arc::new(terms),
            denials: self.denials.into_iter().map(Denial::from).collect(),
            used: self.used,
            usage: self.usage,
            outcome,
        }
    }
}

/// A record can't name a moment that the system has no room for, unless it was damaged.
fn started_at(micros: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_micros(micros)).unwrap_or(UNIX_EPOCH)
}

impl From<&Terms> for StoredTerms {
    fn from(terms: &Terms) -> Self {
        let rules = |rules: &[HttpRule]| rules.iter().map(StoredRule::from).collect();
        Self {
            fs: terms.fs.iter().map(StoredMount::from).collect(),
            http_requested: rules(&terms.http.requested),
            http_granted: rules(&terms.http.granted),
            http_denied: terms.http.denied.iter().map(StoredRule::from).collect(),
            secrets: terms.secrets.clone(),
            workspace: terms.workspace.map(StoredQuota::from),
            state: terms.state.map(StoredStateQuota::from),
            config: terms.config.clone(),
            shell: terms.shell.clone(),
            skills: terms.skills.iter().map(StoredSkill::from).collect(),
            models: terms.models.clone(),
            limits: terms.limits.clone(),
        }
    }
}

impl StoredTerms {
    fn terms(self, skill: SkillId, digest: Digest) -> Terms {
        let rules = |rules: Vec<StoredRule>| rules.into_iter().map(HttpRule::from).collect();
        Terms {
            skill,
            digest,
            fs: self.fs.into_iter().map(FsMount::from).collect(),
            http: HttpAuthority {
                requested: rules(self.http_requested),
                granted: rules(self.http_granted),
                denied: self.http_denied.into_iter().map(HttpDeny::from).collect(),
            },
            secrets: self.secrets,
            workspace: self.workspace.map(Quota::from),
            state: self.state.map(StateQuota::from),
            config: self.config,
            shell: self.shell,
            skills: self.skills.into_iter().map(SkillRule::from).collect(),
            models: self.models,
            limits: self.limits,
        }
    }
}

impl From<&SkillRule> for StoredSkill {
    fn from(rule: &SkillRule) -> Self {
        let SkillRule { id, asked, granted } = rule.clone();
        Self { id, asked, granted }
    }
}

impl From<StoredSkill> for SkillRule {
    fn from(stored: StoredSkill) -> Self {
        let StoredSkill { id, asked, granted } = stored;
        Self { id, asked, granted }
    }
}

impl From<&FsMount> for StoredMount {
    fn from(mount: &FsMount) -> Self {
        Self { root: mount.root.clone(), host: mount.host.clone(), access: mount.access, quota: mount.quota.into() }
    }
}

impl From<StoredMount> for FsMount {
    fn from(stored: StoredMount) -> Self {
        Self { root: stored.root, host: stored.host, access: stored.access, quota: stored.quota.into() }
    }
}

impl From<&HttpRule> for StoredRule {
    fn from(rule: &HttpRule) -> Self {
        let HttpRule { host, schemes, ports, methods, paths } = rule.clone();
        Self { host, schemes, ports, methods, paths }
    }
}

impl From<StoredRule> for HttpRule {
    fn from(stored: StoredRule) -> Self {
        let StoredRule { host, schemes, ports, methods, paths } = stored;
        Self { host, schemes, ports, methods, paths }
    }
}

impl From<&HttpDeny> for StoredRule {
    fn from(rule: &HttpDeny) -> Self {
        let HttpDeny { host, schemes, ports, methods, paths } = rule.clone();
        Self { host, schemes, ports, methods, paths }
    }
}

impl From<StoredRule> for HttpDeny {
    fn from(stored: StoredRule) -> Self {
        let StoredRule { host, schemes, ports, methods, paths } = stored;
        Self { host, schemes, ports, methods, paths }
    }
}

impl From<Quota> for StoredQuota {
    fn from(Quota { max_bytes, max_files }: Quota) -> Self {
        Self { max_bytes, max_files }
    }
}

impl From<StoredQuota> for Quota {
    fn from(StoredQuota { max_bytes, max_files }: StoredQuota) -> Self {
        Self { max_bytes, max_files }
    }
}

impl From<StateQuota> for StoredStateQuota {
    fn from(StateQuota { max_bytes, max_keys }: StateQuota) -> Self {
        Self { max_bytes, max_keys }
    }
}

impl From<StoredStateQuota> for StateQuota {
    fn from(StoredStateQuota { max_bytes, max_keys }: StoredStateQuota) -> Self {
        Self { max_bytes, max_keys }
    }
}

impl From<&Denial> for StoredDenial {
    fn from(denial: &Denial) -> Self {
        let capability = denial.capability.to_owned();
        Self { capability, request: denial.request.clone(), reason: denial.reason.clone() }
    }
}

impl From<StoredDenial> for Denial {
    fn from(stored: StoredDenial) -> Self {
        Self { capability: capability(&stored.capability), request: stored.request, reason: stored.reason }
    }
}

/// The one name for a capability that the domain has.
fn capability(stored: &str) -> &'static str {
    let known = ["fs", "http", "secret", "state", "config", "shell", "skill", "model", "approval", "sockets"];
    known.into_iter().find(|known| *known == stored).unwrap_or("other")
}

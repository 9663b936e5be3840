//! Grants as TOML: the documents of the journal, the files that a team keeps in
//! git, and the way to and from the domain.
//!
//! Values that have a grammar are read by types of their own, so that an error
//! in one says where in the file it stands.

mod limits;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::num::{NonZeroU16, NonZeroU64};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bailiwick_domain::authority::{
    Access, CommandRule, FsMount, GuestPath, HostPattern, HttpDeny, HttpRule, PathPattern, Scheme, SecretDestination,
};
use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::{Capabilities, Grant, Seen};
use bailiwick_domain::quota::{Quota, StateQuota};
use bailiwick_domain::skill_id::{SkillId, SkillSelector};
use bailiwick_domain::units;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::value::Datetime;

pub(super) use self::limits::RawLimits;
use super::error::GrantError;
use super::rfc3339;

/// The only layout so far.
const VERSION: i64 = 1;

/// What stands above the grants, for those who open the file.
const HEADER: &str = "# What skills may do, and to which bytes it was granted. Written by `bailiwick grant export`,\n\
                      # read by `bailiwick grant import`; comments are not kept.\n\n";

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    version: i64,
    #[serde(default, rename = "grant", skip_serializing_if = "Vec::is_empty")]
    grants: Vec<RawGrant>,
}

/// The keys in the order in which they are written: tables come last.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGrant {
    skill: SkillId,
    digest: Digest,
    giver: String,
    given_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    accept_risks: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    one_shot: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shell: Vec<CommandRule>,
    #[serde(default, skip_serializing_if = "Skills::is_empty")]
    skills: Skills,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    models: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<Given<RawQuota>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Given<RawStateQuota>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    config: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    secrets: BTreeMap<String, Several<SecretDestination>>,
    #[serde(default, skip_serializing_if = "RawLimits::is_empty")]
    limits: RawLimits,
    #[serde(default, skip_serializing_if = "RawSeen::is_empty")]
    seen: RawSeen,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fs: Vec<RawMount>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    http: Vec<RawRule>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    http_deny: Vec<RawDeny>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawSeen {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    imports: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    asked: BTreeSet<String>,
}

impl RawSeen {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "MountKeys", into = "MountKeys")]
struct RawMount(FsMount);

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct MountKeys {
    root: GuestPath,
    host: HostFolder,
    access: Access,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_bytes: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_files: Option<NonZeroU64>,
}

/// What is given by `true`, or by a table that says how much of it.
#[derive(Debug)]
struct Given<T>(T);

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor(PhantomData)).map(Self)
    }
}

impl<T: Serialize> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

struct GivenVisitor<T>(PhantomData<T>);

impl<'de, T: Default + Deserialize<'de>> Visitor<'de> for GivenVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`true` or a table")
    }

    fn visit_bool<E: de::Error>(self, given: bool) -> Result<T, E> {
        if given { Ok(T::default()) } else { Err(E::custom("`false` gives nothing: leave the key out")) }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(de::value::MapAccessDeserializer::new(map))
    }
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawQuota {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_bytes: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_files: Option<NonZeroU64>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawStateQuota {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_bytes: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_keys: Option<NonZeroU64>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    host: HostPattern,
    #[serde(default = "https")]
    schemes: Several<Scheme>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ports: Vec<NonZeroU16>,
    methods: Several<Method>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    paths: Vec<PathPattern>,
}

/// What is absent means each.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawDeny {
    host: HostPattern,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    schemes: Vec<Scheme>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ports: Vec<NonZeroU16>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    methods: Vec<Method>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    paths: Vec<PathPattern>,
}

/// A moment, written as TOML writes it and in UTC.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(try_from = "Datetime", into = "Datetime")]
struct Time(SystemTime);

impl TryFrom<Datetime> for Time {
    type Error = String;

    fn try_from(time: Datetime) -> Result<Self, String> {
        let parsed = humantime::parse_rfc3339(&time.to_string());
        parsed
            .map(Self)
            .map_err(|_| format!("`{time}` is not a moment in UTC: expected one such as 2026-12-31T23:59:59Z"))
    }
}

impl From<Time> for Datetime {
    fn from(Time(time): Time) -> Self {
        // RFC 3339 is what TOML's moments are written in, so this always parses;
        // if it did not, the file would not be written.
        rfc3339(time).parse().unwrap_or(Self { date: None, time: None, offset: None })
    }
}

/// A folder of the host.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
struct HostFolder(String);

impl TryFrom<String> for HostFolder {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if Path::new(&text).is_absolute() {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not an absolute path: expected the folder's whole path on this host"))
        }
    }
}

impl From<HostFolder> for String {
    fn from(folder: HostFolder) -> Self {
        folder.0
    }
}

/// A list that says nothing when it is empty, which would be a slip.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(
    try_from = "Vec<T>",
    into = "Vec<T>",
    bound(deserialize = "T: Deserialize<'de>", serialize = "T: Serialize + Clone")
)]
struct Several<T>(Vec<T>);

impl<T> TryFrom<Vec<T>> for Several<T> {
    type Error = &'static str;

    fn try_from(values: Vec<T>) -> Result<Self, &'static str> {
        if values.is_empty() {
            Err("an empty list allows nothing: expected one entry at least")
        } else {
            Ok(Self(values))
        }
    }
}

impl<T> From<Several<T>> for Vec<T> {
    fn from(several: Several<T>) -> Self {
        several.0
    }
}

/// Skills that may be called, each once: of two ranges, which one holds would be a guess.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(try_from = "Vec<SkillSelector>", into = "Vec<SkillSelector>")]
struct Skills(Vec<SkillSelector>);

impl Skills {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<SkillSelector>> for Skills {
    type Error = String;

    fn try_from(skills: Vec<SkillSelector>) -> Result<Self, String> {
        let ids: BTreeSet<&SkillId> = skills.iter().map(|skill| &skill.id).collect();
        if ids.len() == skills.len() {
            return Ok(Self(skills));
        }
        let again =
            skills.iter().enumerate().find(|(index, skill)| skills[..*index].iter().any(|it| it.id == skill.id));
        let id = again.map(|(_, skill)| skill.id.to_string()).unwrap_or_default();
        Err(format!("`{id}` stands twice: expected each skill once, with one range"))
    }
}

impl From<Skills> for Vec<SkillSelector> {
    fn from(skills: Skills) -> Self {
        skills.0
    }
}

/// A method in upper case.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
struct Method(String);

impl TryFrom<String> for Method {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !c.is_ascii_lowercase()) {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not a method: expected one in upper case, such as `GET`"))
        }
    }
}

impl From<Method> for String {
    fn from(method: Method) -> Self {
        method.0
    }
}

/// Bytes, as in a manifest: `64 MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
struct Size(u64);

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match units::parse_size(&text) {
            Ok(0) => Err(format!("`{text}` would leave nothing: expected at least `1 B`")),
            Ok(bytes) => Ok(Self(bytes)),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        units::format_size(size.0)
    }
}

/// Time, as in a manifest: `5 s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
struct Span(Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match units::parse_duration(&text) {
            Ok(Duration::ZERO) => Err(format!("`{text}` would leave no time: expected at least `1 ms`")),
            Ok(duration) => Ok(Self(duration)),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        units::format_duration(span.0)
    }
}

/// Reads the text of the file at `path`.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<Grant>, GrantError> {
    let raw: RawFile = toml::from_str(text).map_err(|error| syntax(path, text, error))?;
    if raw.version != VERSION {
        return Err(GrantError::Version { path: path.to_owned(), found: raw.version, known: VERSION });
    }
    Ok(raw.grants.into_iter().map(Grant::from).collect())
}

/// The text of a file with `grants`.
pub(super) fn write(grants: &[Grant]) -> Result<String, String> {
    let raw = RawFile { version: VERSION, grants: grants.iter().map(RawGrant::from).collect() };
    toml::to_string(&raw).map(|text| format!("{HEADER}{text}")).map_err(|error| error.to_string())
}

/// The document of one grant.
pub(super) fn document(grant: &Grant) -> Result<String, String> {
    toml::to_string(&RawGrant::from(grant)).map_err(|error| error.to_string())
}

/// The grant of a document.
pub(super) fn read_document(text: &str) -> Result<Grant, String> {
    toml::from_str::<RawGrant>(text).map(Grant::from).map_err(|error| error.to_string())
}

/// Where the fault is, which key has it, and what it is.
fn syntax(path: &Path, text: &str, mut error: toml::de::Error) -> GrantError {
    let offset = error.span().map_or(0, |span| span.start).min(text.len());
    let before = &text.as_bytes()[..offset];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.split(|byte| *byte == b'\n').count();
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    // Without its input the error names the key in place of showing the line.
    error.set_input(None);
    let message = error.to_string().trim_end().replace('\n', " ");
    GrantError::Syntax { path: path.to_owned(), line, column, message }
}

fn https() -> Several<Scheme> {
    Several(vec![Scheme::Https])
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl From<RawGrant> for Grant {
    fn from(raw: RawGrant) -> Self {
        Self {
            skill: raw.skill,
            digest: raw.digest,
            giver: raw.giver,
            given_at: raw.given_at.0,
            expires_at: raw.expires_at.map(|time| time.0),
            reason: raw.reason,
            capabilities: Capabilities {
                fs: raw.fs.into_iter().map(|mount| mount.0).collect(),
                http: raw.http.into_iter().map(HttpRule::from).collect(),
                http_deny: raw.http_deny.into_iter().map(HttpDeny::from).collect(),
                secrets: raw.secrets.into_iter().map(|(name, destinations)| (name, destinations.0)).collect(),
                workspace: raw.workspace.map(|given| given.0.into()),
                state: raw.state.map(|given| given.0.into()),
                config: raw.config,
                shell: raw.shell,
                skills: raw.skills.0,
                models: raw.models,
            },
            accepted_risks: raw.accept_risks,
            limits: raw.limits.into(),
            one_shot: raw.one_shot,
            used_at: raw.used_at.map(|time| time.0),
            seen: Seen { version: raw.seen.version, imports: raw.seen.imports, asked: raw.seen.asked },
        }
    }
}

impl From<&Grant> for RawGrant {
    fn from(grant: &Grant) -> Self {
        let capabilities = &grant.capabilities;
        Self {
            skill: grant.skill.clone(),
            digest: grant.digest,
            giver: grant.giver.clone(),
            given_at: Time(grant.given_at),
            expires_at: grant.expires_at.map(Time),
            reason: grant.reason.clone(),
            accept_risks: grant.accepted_risks.clone(),
            one_shot: grant.one_shot,
            used_at: grant.used_at.map(Time),
            seen: RawSeen {
                version: grant.seen.version.clone(),
                imports: grant.seen.imports.clone(),
                asked: grant.seen.asked.clone(),
            },
            workspace: capabilities.workspace.map(|quota| Given(quota.into())),
            state: capabilities.state.map(|quota| Given(quota.into())),
            config: capabilities.config.clone(),
            shell: capabilities.shell.clone(),
            skills: Skills(capabilities.skills.clone()),
            models: capabilities.models.clone(),
            secrets: capabilities.secrets.iter().map(|(name, all)| (name.clone(), Several(all.clone()))).collect(),
            limits: RawLimits::from(&grant.limits),
            fs: capabilities.fs.iter().cloned().map(RawMount).collect(),
            http: capabilities.http.iter().map(RawRule::from).collect(),
            http_deny: capabilities.http_deny.iter().map(RawDeny::from).collect(),
        }
    }
}

impl TryFrom<MountKeys> for RawMount {
    type Error = &'static str;

    fn try_from(keys: MountKeys) -> Result<Self, &'static str> {
        let MountKeys { root, host, access, max_bytes, max_files } = keys;
        if access == Access::Read && (max_bytes.is_some() || max_files.is_some()) {
            return Err("a quota says nothing of a folder with `read` access: leave it out, or give `read-write`");
        }
        let quota = RawQuota { max_bytes, max_files }.into();
        Ok(Self(FsMount { root, host: PathBuf::from(host.0), access, quota }))
    }
}

impl From<RawMount> for MountKeys {
    fn from(RawMount(mount): RawMount) -> Self {
        // A name that is not UTF-8 is read back as another one, and then not written.
        let host = HostFolder(mount.host.to_string_lossy().into_owned());
        let quota = match mount.access {
            Access::Read => RawQuota::default(),
            Access::ReadWrite => mount.quota.into(),
        };
        let RawQuota { max_bytes, max_files } = quota;
        Self { root: mount.root, host, access: mount.access, max_bytes, max_files }
    }
}

impl From<RawQuota> for Quota {
    fn from(raw: RawQuota) -> Self {
        let default = Self::default();
        Self {
            max_bytes: raw.max_bytes.map_or(default.max_bytes, |size| size.0),
            max_files: raw.max_files.map_or(default.max_files, NonZeroU64::get),
        }
    }
}

impl From<Quota> for RawQuota {
    fn from(quota: Quota) -> Self {
        Self { max_bytes: Some(Size(quota.max_bytes)), max_files: NonZeroU64::new(quota.max_files) }
    }
}

impl From<RawStateQuota> for StateQuota {
    fn from(raw: RawStateQuota) -> Self {
        let most = Self::MOST;
        Self {
            max_bytes: raw.max_bytes.map_or(most.max_bytes, |size| size.0),
            max_keys: raw.max_keys.map_or(most.max_keys, NonZeroU64::get),
        }
    }
}

impl From<StateQuota> for RawStateQuota {
    fn from(quota: StateQuota) -> Self {
        Self { max_bytes: Some(Size(quota.max_bytes)), max_keys: NonZeroU64::new(quota.max_keys) }
    }
}

impl From<RawRule> for HttpRule {
    fn from(raw: RawRule) -> Self {
        Self {
            host: raw.host,
            schemes: raw.schemes.0,
            ports: raw.ports.into_iter().map(NonZeroU16::get).collect(),
            methods: raw.methods.0.into_iter().map(String::from).collect(),
            paths: raw.paths,
        }
    }
}

impl From<&HttpRule> for RawRule {
    fn from(rule: &HttpRule) -> Self {
        Self {
            host: rule.host.clone(),
            schemes: Several(rule.schemes.clone()),
            ports: rule.ports.iter().copied().filter_map(NonZeroU16::new).collect(),
            methods: Several(rule.methods.iter().cloned().map(Method).collect()),
            paths: rule.paths.clone(),
        }
    }
}

impl From<RawDeny> for HttpDeny {
    fn from(raw: RawDeny) -> Self {
        Self {
            host: raw.host,
            schemes: raw.schemes,
            ports: raw.ports.into_iter().map(NonZeroU16::get).collect(),
            methods: raw.methods.into_iter().map(String::from).collect(),
            paths: raw.paths,
        }
    }
}

impl From<&HttpDeny> for RawDeny {
    fn from(rule: &HttpDeny) -> Self {
        Self {
            host: rule.host.clone(),
            schemes: rule.schemes.clone(),
            ports: rule.ports.iter().copied().filter_map(NonZeroU16::new).collect(),
            methods: rule.methods.iter().cloned().map(Method).collect(),
            paths: rule.paths.clone(),
        }
    }
}

//! Configuration: read from one strict file, checked, and complete.

mod address;
mod agents;
mod raw;
mod traces;
mod trust;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bailiwick_api::host_check::{AllowedHosts, InvalidAllowedHost};
use bailiwick_distribution::trust::Trust;
use bailiwick_domain::authority::{HostPattern, HttpDeny};
use bailiwick_domain::limits::{Limits, LimitsPolicy, MAX_INSTANCES, MAX_TABLE_ELEMENTS};
use bailiwick_domain::secret::MAX_SECRETS;

pub(crate) use address::shown;
pub use agents::{AgentsConfig, ModelSource, Parallelism};
pub use traces::Exporter;
pub use trust::PACKAGES;

/// The file that is read where none is named.
pub const FILE_NAME: &str = "bailiwick.toml";

/// Where the server listens where nobody says.
const DEFAULT_ADDRESS: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7171));

/// A checked configuration, without gaps.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the file, under its name")]
pub struct Config {
    /// The file that it came from; none when everything is default.
    pub source: Option<PathBuf>,
    /// Grants, keys, state, compiled code.
    pub data_dir: PathBuf,
    /// Compiled code.
    pub cache_dir: PathBuf,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// Threads; none means one for each core.
    pub worker_threads: Option<usize>,
    /// Whether loopback callers need no key.
    pub allow_unauthenticated_loopback: bool,
    /// Further names in `Host`.
    pub allowed_hosts: Vec<String>,
    /// Allowed values of `Origin`.
    pub allowed_origins: Vec<String>,
    /// Bytes of a request body.
    pub max_body: usize,
    /// Connections at once.
    pub max_connections: u32,
    /// Time to finish after a signal.
    pub drain: Duration,
    /// Folders of packages.
    pub skill_directories: Vec<PathBuf>,
    /// Whether manifests are read strictly.
    pub strict_validation: bool,
    /// Whether manifests may ask for commands.
    pub allow_shell: bool,
    /// Risk tags that need an approval.
    pub require_approval_tags: Vec<String>,
    /// How long approvals wait and hold.
    pub approval_lifetime: Duration,
    /// How often the audit log is signed.
    pub checkpoint_every: Duration,
    /// Requests that nobody sends.
    pub http_deny: Vec<HttpDeny>,
    /// Calls at once.
    pub max_concurrent_calls: u16,
    /// How deep skills call skills.
    pub max_call_depth: u8,
    /// Whether changes of files are watched.
    pub watch: bool,
    /// Whose signatures let packages in.
    pub trust: Trust,
    /// The lock of installed packages, which need not be there.
    pub lock: PathBuf,
    /// How long workspaces are kept after their calls.
    pub workspace_retention: Duration,
    /// Limits of calls.
    pub limits: LimitsPolicy,
    /// Where secrets come from, by their name.
    pub secrets: BTreeMap<String, SecretSource>,
    /// Agents, and how they run.
    pub agents: AgentsConfig,
    /// What they may ask, by name.
    pub models: BTreeMap<String, ModelSource>,
    /// What takes traces of runs.
    pub exporter: Exporter,
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// This variable of the environment.
    Env(String),
    /// This file.
    File(PathBuf),
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The named file can't be read.
    #[error("the configuration {path} can't be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key or a value is wrong. The message has line, column and what was expected.
    #[error("the configuration {path} is wrong\n{message}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// From the parser.
        message: String,
    },
    /// A value contradicts another.
    #[error("the configuration {path} is wrong: `{key}` {problem}")]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// The dotted key.
        key: String,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// A secret can't be had as it is configured.
    #[error("the configuration {path} is wrong: `secrets.{name}` {problem}")]
    Secret {
        /// The file.
        path: PathBuf,
        /// The secret's name.
        name: String,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// There is no place for data.
    #[error("no folder for data: set `data_dir` in {FILE_NAME}, BAILIWICK_DATA_DIR, or HOME")]
    NoDataDir,
}

/// What the command line and the environment say before the file is read.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The file to read; it must exist.
    pub file: Option<PathBuf>,
    /// In place of `data_dir`.
    pub data_dir: Option<PathBuf>,
}

/// Reads the named file, else `bailiwick.toml` here, else the user's own, else defaults.
pub fn load(overrides: &Overrides) -> Result<Config, ConfigError> {
    let found = match &overrides.file {
        Some(file) => Some(file.clone()),
        None => candidates().into_iter().find(|path| path.is_file()),
    };
    let Some(path) = found else {
        return complete(raw::Config::default(), None, Path::new(""), overrides);
    };
    let text =
        std::fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
    let raw = toml::from_str(&text).map_err(|error| ConfigError::Invalid {
        path: path.clone(),
        message: error.to_string().trim_end().to_owned(),
    })?;
    let base = path.parent().map(Path::to_owned).unwrap_or_default();
    complete(raw, Some(path), &base, overrides)
}

/// The JSON Schema of the file.
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    let mut schema = settings.into_generator().into_root_schema_for::<raw::Config>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("$id".to_owned(), "urn:bailiwick:schema:config:1".into());
        object.insert("title".to_owned(), FILE_NAME.into());
    }
    schema
}

fn candidates() -> Vec<PathBuf> {
    let user = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let user = user.or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    let mut paths = vec![PathBuf::from(FILE_NAME)];
    paths.extend(user.map(|folder| folder.join("bailiwick").join(FILE_NAME)));
    paths
}

fn default_data_dir() -> Option<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| std::env::home_dir().map(|home| home.join(".local/share")));
    data.map(|folder| folder.join("bailiwick"))
}

fn complete(
    raw: raw::Config,
    source: Option<PathBuf>,
    base: &Path,
    overrides: &Overrides,
) -> Result<Config, ConfigError> {
    let path = source.clone().unwrap_or_default();
    let data_dir = overrides.data_dir.clone().or_else(|| raw.data_dir.map(|dir| base.join(dir)));
    let data_dir = data_dir.or_else(default_data_dir).ok_or(ConfigError::NoDataDir)?;
    let cache_dir = raw.cache_dir.map_or_else(|| data_dir.join("cache"), |folder| base.join(folder));
    let limits = limits(&raw.limits);
    check_limits(&limits, &path)?;
    check_server(&raw.server, &path)?;
    check_tags(&raw.skills.require_approval_tags, &path)?;
    check_span("skills.approval_lifetime", raw.skills.approval_lifetime, &path)?;
    check_span("audit.checkpoint_every", raw.audit.checkpoint_every, &path)?;
    let http_deny = http_deny(&raw.skills.http_deny, &path)?;
    let secrets = secrets(raw.secrets, base, &path)?;
    let agents = agents::agents(&raw.agents, base, &path)?;
    let models = agents::models(raw.models, &secrets, base, &path)?;
    let exporter = traces::exporter(raw.tracing, &secrets, &path)?;
    let skill_directories: Vec<PathBuf> = raw.skills.directories.iter().map(|folder| base.join(folder)).collect();
    check_workspaces(&data_dir, &skill_directories, &path)?;
    trust::check_directories(&data_dir, &skill_directories, &path)?;
    let trust = trust::trust(raw.skills.trusted_keys, raw.skills.allow_unsigned, &path)?;
    let lock = trust::lock_path(source.as_deref(), &data_dir);
    let listen = raw.server.listen.unwrap_or(DEFAULT_ADDRESS);
    let raw::Server { worker_threads, max_body, max_connections, drain, .. } = raw.server;
    if raw.skills.max_call_depth > MAX_CALL_DEPTH {
        let problem = format!("is more than {MAX_CALL_DEPTH}, and each call holds the memory of all above it");
        return Err(ConfigError::Contradiction { path, key: "skills.max_call_depth".to_owned(), problem });
    }
    Ok(Config {
        data_dir,
        cache_dir,
        listen,
        worker_threads: worker_threads.map(|threads| usize::from(threads.get())),
        allow_unauthenticated_loopback: raw.server.allow_unauthenticated_loopback,
        allowed_hosts: raw.server.allowed_hosts,
        allowed_origins: raw.server.allowed_origins,
        max_body: max_body.map_or(4 << 20, |size| usize::try_from(size.0).unwrap_or(usize::MAX)),
        max_connections: max_connections.map_or(1024, std::num::NonZeroU32::get),
        drain: drain.map_or(Duration::from_secs(10), |span| span.0),
        skill_directories,
        strict_validation: raw.skills.strict_validation,
        allow_shell: raw.skills.allow_shell,
        require_approval_tags: raw.skills.require_approval_tags,
        approval_lifetime: raw.skills.approval_lifetime.map_or(Duration::from_hours(1), |span| span.0),
        checkpoint_every: raw.audit.checkpoint_every.map_or(Duration::from_mins(1), |span| span.0),
        http_deny,
        max_concurrent_calls: raw.skills.max_concurrent_calls.get(),
        max_call_depth: raw.skills.max_call_depth,
        watch: raw.skills.watch,
        trust,
        lock,
        workspace_retention: raw.skills.workspace_retention.map_or(Duration::ZERO, |span| span.0),
        limits,
        secrets,
        agents,
        models,
        exporter,
        source,
    })
}

/// No time at all would mean never, or always; neither is meant.
fn check_span(key: &'static str, span: Option<raw::Span>, path: &Path) -> Result<(), ConfigError> {
    match span {
        Some(raw::Span(Duration::ZERO)) => {
            let problem = "is no time at all: expected at least `1 ms`".to_owned();
            Err(ConfigError::Contradiction { path: path.to_owned(), key: key.to_owned(), problem })
        }
        _ => Ok(()),
    }
}

fn limits(raw: &raw::LimitSets) -> LimitsPolicy {
    let policy = LimitsPolicy::default();
    let ceiling = merge(&raw.ceiling, &policy.ceiling);
    // Who sets a ceiling alone need not set the host's own default below it too.
    let own = policy.default.at_most(&ceiling);
    LimitsPolicy { default: merge(&raw.default, &own), ceiling }
}

fn merge(raw: &raw::Limits, otherwise: &Limits) -> Limits {
    let size = |size: Option<raw::Size>, otherwise| size.map_or(otherwise, |size| size.0);
    let number = |number: Option<NonZeroU64>, otherwise| number.map_or(otherwise, NonZeroU64::get);
    Limits {
        memory_bytes: size(raw.memory, otherwise.memory_bytes),
        table_elements: number(raw.table_elements, otherwise.table_elements),
        instances: number(raw.instances, otherwise.instances),
        deadline: raw.deadline.map_or(otherwise.deadline, |span| span.0),
        fuel: raw.fuel.map(NonZeroU64::get).or(otherwise.fuel),
        host_calls: number(raw.host_calls, otherwise.host_calls),
        input_bytes: size(raw.input, otherwise.input_bytes),
        output_bytes: size(raw.output, otherwise.output_bytes),
        skill_calls: number(raw.skill_calls, otherwise.skill_calls),
        model_calls: number(raw.model_calls, otherwise.model_calls),
        model_tokens: number(raw.model_tokens, otherwise.model_tokens),
        http_requests: number(raw.http_requests, otherwise.http_requests),
        http_sent_bytes: size(raw.http_sent, otherwise.http_sent_bytes),
        http_received_bytes: size(raw.http_received, otherwise.http_received_bytes),
        log_bytes: size(raw.log, otherwise.log_bytes),
        random_bytes: size(raw.random, otherwise.random_bytes),
        concurrency: raw.concurrency.map_or(otherwise.concurrency, std::num::NonZeroU32::get),
    }
}

/// As deep as skills may ever call skills.
const MAX_CALL_DEPTH: u8 = 16;

/// Bytes of a risk tag in a manifest.
const MAX_TAG: usize = 64;

/// A memory of 32 bits has no more than this.
const MAX_MEMORY: u64 = 4 << 30;

fn check_limits(limits: &LimitsPolicy, path: &Path) -> Result<(), ConfigError> {
    let wrong = |key: String, problem: &str| {
        Err(ConfigError::Contradiction { path: path.to_owned(), key, problem: problem.to_owned() })
    };
    let (default, ceiling) = (&limits.default, &limits.ceiling);
    for (name, most, problem) in [
        ("memory", MAX_MEMORY, "is more than the 4 GiB that a memory can have"),
        ("table_elements", MAX_TABLE_ELEMENTS, "is more than the 100000 that this host has room for"),
        ("instances", MAX_INSTANCES, "is more than the 64 that this host has room for"),
    ] {
        if amounts(ceiling).iter().any(|(key, amount)| *key == name && *amount > u128::from(most)) {
            return wrong(format!("limits.ceiling.{name}"), problem);
        }
    }
    for ((key, default), (_, ceiling)) in amounts(default).into_iter().zip(amounts(ceiling)) {
        if default == 0 || ceiling == 0 {
            return wrong(format!("limits.*.{key}"), "is zero, so that nothing could run");
        }
        if default > ceiling {
            return wrong(format!("limits.default.{key}"), &format!("is above `limits.ceiling.{key}`"));
        }
    }
    Ok(())
}

/// Each limit that always holds, by its key.
fn amounts(limits: &Limits) -> [(&'static str, u128); 16] {
    [
        ("memory", limits.memory_bytes.into()),
        ("table_elements", limits.table_elements.into()),
        ("instances", limits.instances.into()),
        ("deadline", limits.deadline.as_nanos()),
        ("host_calls", limits.host_calls.into()),
        ("input", limits.input_bytes.into()),
        ("output", limits.output_bytes.into()),
        ("skill_calls", limits.skill_calls.into()),
        ("model_calls", limits.model_calls.into()),
        ("model_tokens", limits.model_tokens.into()),
        ("http_requests", limits.http_requests.into()),
        ("http_sent", limits.http_sent_bytes.into()),
        ("http_received", limits.http_received_bytes.into()),
        ("log", limits.log_bytes.into()),
        ("random", limits.random_bytes.into()),
        ("concurrency", limits.concurrency.into()),
    ]
}

/// A package is whatever lies in a skills folder, and what a call writes is none.
fn check_workspaces(data_dir: &Path, skills: &[PathBuf], path: &Path) -> Result<(), ConfigError> {
    let real = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    let Ok(data) = real(data_dir) else { return Ok(()) };
    match skills.iter().find(|folder| real(folder).is_ok_and(|folder| data.starts_with(folder))) {
        None => Ok(()),
        Some(folder) => Err(ConfigError::Contradiction {
            path: path.to_owned(),
            key: "data_dir".to_owned(),
            problem: format!("lies in `{}`, one of `skills.directories`: expected a folder outside", folder.display()),
        }),
    }
}

fn check_server(server: &raw::Server, path: &Path) -> Result<(), ConfigError> {
    let wrong =
        |key, problem| Err(ConfigError::Contradiction { path: path.to_owned(), key: String::from(key), problem });
    if server.max_body.is_some_and(|size| size.0 == 0) {
        return wrong("server.max_body", "is zero, so that nothing could be asked for".to_owned());
    }
    // Which address is bound makes no difference to whether a name can be one.
    match AllowedHosts::new(DEFAULT_ADDRESS, &server.allowed_hosts, &server.allowed_origins) {
        Ok(_) => Ok(()),
        Err(error @ InvalidAllowedHost::Host(_)) => wrong("server.allowed_hosts", format!("is wrong: {error}")),
        Err(error @ InvalidAllowedHost::Origin(_)) => wrong("server.allowed_origins", format!("is wrong: {error}")),
    }
}

fn http_deny(hosts: &[String], path: &Path) -> Result<Vec<HttpDeny>, ConfigError> {
    let wrong =
        |problem| ConfigError::Contradiction { path: path.to_owned(), key: "skills.http_deny".to_owned(), problem };
    let parse = |text: &String| text.parse::<HostPattern>().map(HttpDeny::of);
    hosts.iter().map(|text| parse(text).map_err(|error| wrong(format!("is wrong: {error}")))).collect()
}

/// Bytes of the name of a secret in a manifest.
const MAX_SECRET_NAME: usize = 128;

fn secrets(
    raw: BTreeMap<String, raw::Secret>,
    base: &Path,
    path: &Path,
) -> Result<BTreeMap<String, SecretSource>, ConfigError> {
    if raw.len() > MAX_SECRETS {
        let problem = format!("are {}: expected at most {MAX_SECRETS}", raw.len());
        return Err(ConfigError::Contradiction { path: path.to_owned(), key: "secrets".to_owned(), problem });
    }
    raw.into_iter().map(|(name, secret)| secret_source(name, secret, base, path)).collect()
}

fn secret_source(
    name: String,
    raw: raw::Secret,
    base: &Path,
    path: &Path,
) -> Result<(String, SecretSource), ConfigError> {
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let good = name.len() <= MAX_SECRET_NAME && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:/-".contains(c));
    let problem = match (raw.env, raw.file) {
        _ if !(begins && good) => {
            "is no name of a secret: expected 1 to 128 letters, digits and `_.:/-`, such as `github_token`"
        }
        (Some(variable), None) if variable.is_empty() || variable.contains(['=', '\0']) => {
            "has an `env` that is no variable: expected a name such as `GITHUB_TOKEN`"
        }
        (Some(variable), None) => return Ok((name, SecretSource::Env(variable))),
        (None, Some(file)) => return Ok((name, SecretSource::File(base.join(file)))),
        (Some(_), Some(_)) => "has `env` and `file`: expected one of both",
        (None, None) => "has neither `env` nor `file`: expected one of both",
    };
    Err(ConfigError::Secret { path: path.to_owned(), name, problem: problem.to_owned() })
}

/// A tag that no manifest can have would let through what it was meant to hold.
fn check_tags(tags: &[String], path: &Path) -> Result<(), ConfigError> {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_tag = |tag: &&String| {
        tag.starts_with(|c: char| c.is_ascii_lowercase()) && tag.len() <= MAX_TAG && tag.split(['_', '-']).all(word)
    };
    match tags.iter().find(|tag| !is_tag(tag)) {
        None => Ok(()),
        Some(tag) => Err(ConfigError::Contradiction {
            path: path.to_owned(),
            key: "skills.require_approval_tags".to_owned(),
            problem: format!("has `{tag}`: expected at most {MAX_TAG} lowercase letters, digits, `_` and `-`"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE_NAME);
        std::fs::write(&file, text).expect("written");
        let overrides = Overrides { file: Some(file), data_dir: None };
        load(&overrides).map_err(|error| error.to_string())
    }

    /// A table of a trusted key.
    fn key(name: &str, namespaces: &str) -> String {
        let key = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        format!("[skills.trusted_keys.{name}]\npublic_key = \"{key}\"\nnamespaces = {namespaces}\n")
    }

    /// A table of headers for a collector.
    fn otlp(header: &str) -> String {
        format!("[tracing]\nexporter = \"otlp\"\notlp_url = \"http://127.0.0.1:1\"\n[tracing.otlp_headers]\n{header}\n")
    }

    /// A table of a model by a service with one more key.
    fn service(key: &str) -> String {
        format!("[models.a]\nbase_url = \"http://127.0.0.1:1/v1\"\nmodel = \"x\"\n{key}\n")
    }

    /// A table of a model by a script with one more key.
    fn script(key: &str) -> String {
        format!("[models.a]\nprovider = \"scripted\"\nscript = \"x\"\n{key}\n")
    }

    /// So many models.
    fn models(count: usize) -> String {
        let one = |number: usize| format!("[models.m{number}]\nprovider = \"scripted\"\nscript = \"x\"\n");
        (0..count).map(one).collect::<Vec<_>>().concat()
    }

    /// A collector that so many headers go along to.
    fn collector(count: usize) -> String {
        let all: Vec<_> = (0..count).map(|number| format!("x-{number} = \"k\"\n")).collect();
        otlp(&all.concat()) + "[secrets.k]\nenv = \"K\"\n"
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        let config = read("").expect("valid");
        assert_eq!(config.exporter, Exporter::None);
        assert_eq!(config.listen, DEFAULT_ADDRESS);
        assert!(config.strict_validation && config.watch);
        assert!(!config.allow_unauthenticated_loopback && !config.allow_shell);
        assert!(config.trust.keys.is_empty() && !config.trust.allow_unsigned);
        assert_eq!(config.require_approval_tags, ["destructive", "external_side_effect"]);
    }

    #[test]
    fn whoever_names_the_usual_folder_of_agents_wants_it_there() {
        let usual = read("").expect("valid").agents;
        let named = read("[agents]\ndirectories = [\"agents\"]").expect("valid").agents;
        assert_eq!((usual.directories_named, named.directories_named), (false, true));
        for folder in [&usual.directories[..], &named.directories[..]] {
            assert!(matches!(folder, [only] if only.ends_with("agents")), "{folder:?}");
        }
        assert!(read("[agents]\ndirectories = []").expect("valid").agents.directories.is_empty());
    }

    #[test]
    fn a_ceiling_alone_holds_for_the_defaults_too() {
        let limits = read("[limits.ceiling]\nmemory = \"8 MiB\"\ndeadline = \"1 s\"\n").expect("valid").limits;
        assert_eq!((limits.default.memory_bytes, limits.default.deadline), (8 << 20, Duration::from_secs(1)));
    }

    #[test]
    fn errors_name_line_key_and_what_was_expected() {
        for (text, expected) in [
            ("[skills]\ndirectorys = []", "unknown field `directorys`"),
            ("[skills]\nallow_shell = \"yes\"", "expected a boolean"),
            ("[server]\nlisten = \"localhost\"", "invalid socket address"),
            ("[server]\nmax_body = \"4 MB\"", "expected a whole number and B, KiB, MiB or GiB"),
            ("[server]\nworker_threads = 0", "expected a nonzero"),
            ("[limits.default]\ndeadline = 5", "expected a string"),
            ("[limits.ceiling]\nfuel = 0", "expected a nonzero"),
            ("[limits.ceiling]\nmemory = \"5 GiB\"", "`limits.ceiling.memory` is more than the 4 GiB"),
            ("[limits.default]\nmemory = \"1 GiB\"", "`limits.default.memory` is above"),
            ("[limits.ceiling]\noutput = \"0 B\"", "is zero"),
            ("[limits.default]\nrandom = \"0 B\"", "`limits.*.random` is zero"),
            ("[limits.default]\nhost_calls = 0", "expected a nonzero"),
            ("[limits.ceiling]\ninstances = 65", "`limits.ceiling.instances` is more than the 64"),
            ("[limits.ceiling]\ntable_elements = 100001", "`limits.ceiling.table_elements` is more than the 100000"),
            ("[limits.default]\nhttp_sent = \"2 GiB\"", "`limits.default.http_sent` is above"),
            ("data_dir = \"skills/data\"", "`data_dir` lies in"),
            ("[skills]\nworkspace_retention = \"1 day\"", "expected a whole number and ms, s, min or h"),
            ("[server]\nmax_body = \"0 B\"", "`server.max_body` is zero"),
            ("[server]\nallowed_hosts = [\"http://a\"]", "`server.allowed_hosts` is wrong: `http://a`"),
            ("[server]\nallowed_origins = [\"a\"]", "`server.allowed_origins` is wrong: `a`"),
            ("[skills]\nrequire_approval_tags = [\"Destructive\"]", "has `Destructive`"),
            ("[skills]\nrequire_approval_tags = [\"a__b\"]", "has `a__b`"),
            ("skills = 1", "expected struct Skills"),
            ("data_dir = \"d\"\n[skills]\ndirectories = [\"d/packages/x\"]", "where installed packages are"),
            ("[skills.trusted_keys.a]\nnamespaces = [\"a\"]", "missing field `public_key`"),
            ("[skills.trusted_keys.a]\npublic_key = \"x\"", "missing field `namespaces`"),
            (
                "[skills.trusted_keys.a]\npublic_key = \"x\"\nnamespaces = [\"a\"]",
                "`skills.trusted_keys.a.public_key` is not an ed25519 public key",
            ),
            (&key("a", "[]"), "`skills.trusted_keys.a.namespaces` is empty"),
            (&key("a", "[\"a/b\"]"), "`skills.trusted_keys.a.namespaces` has `a/b`"),
            (&key("a", "[\"*\"]"), "`skills.trusted_keys.a.namespaces` has `*`"),
            (&key("\"a b\"", "[\"a\"]"), "`skills.trusted_keys.a b` is no name of a key"),
            (&(key("a", "[\"a\"]") + &key("b", "[\"a\"]")), "`skills.trusted_keys.b.public_key` is that of `a` too"),
            (&(key("a", "[\"a\"]") + "note = 1"), "unknown field `note`"),
            ("[skills]\nhttp_deny = [\"10.0.0.1/8\"]", "`skills.http_deny` is wrong: `10.0.0.1/8`"),
            ("[skills]\nhttp_deny = [\"http://a.com\"]", "`http://a.com` is not a host"),
            ("[agents]\nmax_parallel_agents = 0", "expected a nonzero"),
            ("[agents]\nmax_parallel_agents = 4097", "`agents.max_parallel_agents` is 4097: expected at most 4096"),
            ("[agents]\nparallelism = \"dynamic\"", "unknown variant `dynamic`"),
            ("[agents]\nqueue_capacity = 100001", "`agents.queue_capacity` is 100001"),
            ("[agents]\nmax_steps_per_run = -1", "expected"),
            ("[agents]\nmax_timeout = \"1 s\"", "`agents.default_timeout_sec` is above `agents.max_timeout`"),
            ("[agents]\nageing = \"0 s\"", "`agents.ageing` is no time at all"),
            ("[agents]\nretention = \"0 s\"", "`agents.retention` is no time at all"),
            ("[models.\"a b\"]\nscript = \"x\"", "`models.a b` is no name of a model"),
            ("[models.a]\nprovider = \"mock\"", "unknown variant `mock`"),
            ("[models.a]\nmodel = \"x\"", "`models.a.base_url` is missing"),
            ("[models.a]\nbase_url = \"http://127.0.0.1:1/v1\"", "`models.a.model` is missing"),
            ("[models.a]\nscript = \"x\"", "`models.a.script` is for `provider = \"scripted\"`"),
            ("[models.a]\nprovider = \"scripted\"", "`models.a.script` is missing"),
            (&script("base_url = \"http://127.0.0.1:1/v1\""), "`models.a.base_url` is for `provider = \"openai\"`"),
            (&script("model = \"x\""), "`models.a.model` is for `provider = \"openai\"`"),
            (&script("key = \"k\""), "`models.a.key` is for `provider = \"openai\"`"),
            (&script("input_usd_per_million = 1.0"), "`models.a.input_usd_per_million` is for `provider = \"openai\"`"),
            (
                &script("output_usd_per_million = 1.0"),
                "`models.a.output_usd_per_million` is for `provider = \"openai\"`",
            ),
            (&service("key = \"k\""), "`models.a.key` is `k`, and there is no `secrets.k`"),
            (
                &service("key = \"k\"\n[secrets.k]\nenv = \"K\"").replace("127.0.0.1", "10.0.0.1"),
                "`models.a.base_url` is `http://10.0.0.1:1/v1`, and the secret of `key` would go there in clear text",
            ),
            (&service("").replace("http://", ""), "`models.a.base_url` is no address"),
            (&service("").replace("http", "grpc"), "`models.a.base_url` has another scheme than http and https"),
            (&service("").replace("//", "//ada:word@"), "`models.a.base_url` has a user in it"),
            (&service("").replace("/v1", "/v1?key=word"), "`models.a.base_url` has a query or a fragment"),
            (&service("input_usd_per_million = -1.0"), "`models.a.input_usd_per_million` is no price"),
            (&service("input_usd_per_million = nan"), "`models.a.input_usd_per_million` is no price"),
            (&service("output_usd_per_million = -1.0"), "`models.a.output_usd_per_million` is no price"),
            (&service("output_usd_per_million = nan"), "`models.a.output_usd_per_million` is no price"),
            (&service("output_usd_per_million = inf"), "`models.a.output_usd_per_million` is no price"),
            (&models(257), "`models` are 257: expected at most 256"),
            ("[tracing]\nexporter = \"jaeger\"", "unknown variant `jaeger`"),
            ("[tracing]\nexporter = \"otlp\"", "`tracing.otlp_url` is missing"),
            ("[tracing]\notlp_url = \"http://127.0.0.1:1\"", "`tracing.otlp_url` is for `exporter = \"otlp\"`"),
            ("[tracing.otlp_headers]\na = \"k\"", "`tracing.otlp_headers` is for `exporter = \"otlp\"`"),
            (&otlp("a = \"k\""), "`tracing.otlp_headers.a` is `k`, and there is no `secrets.k`"),
            (&otlp("\"a b\" = \"k\""), "`tracing.otlp_headers.a b` is no header that can be sent along"),
            (&otlp("Content-Type = \"k\""), "`tracing.otlp_headers.Content-Type` is no header that can be sent"),
            (&collector(17), "`tracing.otlp_headers` are 17: expected at most 16"),
            (
                &(otlp("a = \"k\"").replace("127.0.0.1", "10.0.0.1") + "[secrets.k]\nenv = \"K\""),
                "`tracing.otlp_url` is `http://10.0.0.1:1`, and the secrets of `tracing.otlp_headers` would go there",
            ),
            ("[secrets.a]\nvalue = \"x\"", "unknown field `value`"),
            ("[secrets]\na = \"x\"", "expected struct Secret"),
            ("[secrets.a]", "`secrets.a` has neither `env` nor `file`"),
            ("[secrets.a]\nenv = \"A\"\nfile = \"a\"", "`secrets.a` has `env` and `file`"),
            ("[secrets.a]\nenv = \"A=B\"", "`secrets.a` has an `env` that is no variable"),
            ("[secrets.\"a b\"]\nenv = \"A\"", "`secrets.a b` is no name of a secret"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
            assert!(error.contains("line 2") || error.contains("line 1") || error.contains('`'), "{error}");
        }
    }

    #[test]
    fn what_is_just_at_its_bound_is_taken() {
        assert_eq!(read(&models(256)).expect("valid").models.len(), 256);
        let exporter = read(&collector(16)).expect("valid").exporter;
        assert!(matches!(&exporter, Exporter::Otlp { headers, .. } if headers.len() == 16), "{exporter:?}");
        read(&service("input_usd_per_million = 0.0\noutput_usd_per_million = 0.0")).expect("what is free has a price");
        read(&script("")).expect("a script needs nothing else");
    }

    #[test]
    fn a_key_of_a_model_goes_only_where_nobody_reads_it_on_the_way() {
        let keyed = service("key = \"k\"\n[secrets.k]\nenv = \"K\"");
        for (there, allowed) in [
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1", true),
            ("http://localhost:1", true),
            ("https://models.example.com", true),
            ("http://models.example.com", false),
            ("http://10.0.0.1:1", false),
            ("http://localhost.example.com", false),
        ] {
            let taken = read(&keyed.replace("http://127.0.0.1:1", there));
            assert_eq!(taken.is_ok(), allowed, "{there}: {taken:?}");
        }
        read(&service("").replace("127.0.0.1", "10.0.0.1")).expect("without a key there is no secret");
    }

    #[test]
    fn the_schema_knows_every_key_and_no_other() {
        let schema = schema();
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let good = serde_json::json!({ "server": { "max_body": "1 MiB" }, "limits": { "ceiling": { "fuel": 5 } } });
        assert!(validator.is_valid(&good));
        assert!(!validator.is_valid(&serde_json::json!({ "servers": {} })));
        assert!(!validator.is_valid(&serde_json::json!({ "server": { "max_body": "1 MB" } })));
    }
}

//! `bailiwick.toml` as it is written: every key, its form, and its default.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bailiwick_domain::units::{parse_duration, parse_size};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

/// Configuration of a Bailiwick host. Every key may be left out.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Where grants, approvals, audit log, API keys, state and compiled code are kept.
    /// Relative to this file. Default: `$XDG_DATA_HOME/bailiwick`, else `~/.local/share/bailiwick`.
    pub(super) data_dir: Option<PathBuf>,
    /// Where compiled code is kept, such as a faster disk. Relative to this file.
    /// Default: `cache` in the data folder.
    pub(super) cache_dir: Option<PathBuf>,
    /// The REST server.
    pub(super) server: Server,
    /// Which skills there are, and what is asked of them.
    pub(super) skills: Skills,
    /// Which agents there are, and how they run.
    pub(super) agents: Agents,
    /// What agents and skills may ask, by a name of the operator's own.
    pub(super) models: BTreeMap<String, Model>,
    /// The record of what happened.
    pub(super) audit: Audit,
    /// Where traces of runs go.
    pub(super) tracing: Tracing,
    /// How much calls may take.
    pub(super) limits: LimitSets,
    /// Secrets by name, each from the environment or from a file, never from here.
    pub(super) secrets: BTreeMap<String, Secret>,
}

/// Where a secret comes from: exactly one of both.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Secret {
    /// The variable of the environment that holds it.
    pub(super) env: Option<String>,
    /// The file that holds it, which others may not read. Relative to this file. A
    /// line break at its end is not part of the secret; a changed file is read again.
    pub(super) file: Option<PathBuf>,
}

/// The REST server.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    /// Address and port. Default: `127.0.0.1:7171`; port 0 takes any free one.
    pub(super) listen: Option<std::net::SocketAddr>,
    /// Threads that serve requests and run guests. Default: one for each core.
    pub(super) worker_threads: Option<std::num::NonZeroU16>,
    /// Let callers on this machine in without an API key. Default: false.
    pub(super) allow_unauthenticated_loopback: bool,
    /// Names under which clients may address this server, as in `Host`, besides
    /// the loopback names and the address it listens on.
    pub(super) allowed_hosts: Vec<String>,
    /// Origins of web pages that may call this server, such as `https://app.example.com`.
    pub(super) allowed_origins: Vec<String>,
    /// Largest request body. Default: `4 MiB`.
    pub(super) max_body: Option<Size>,
    /// Connections at once; more wait to be accepted. Default: 1024.
    pub(super) max_connections: Option<std::num::NonZeroU32>,
    /// How long requests under way may take after a signal to stop. Default: `10 s`.
    pub(super) drain: Option<Span>,
}

/// Which skills there are, and what is asked of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the file, under its name")]
pub(super) struct Skills {
    /// Folders whose subfolders are skill packages. Relative to this file. Default: `skills`.
    pub(super) directories: Vec<PathBuf>,
    /// Whether unknown keys and coerced types in manifests are errors. If not, they
    /// are warnings. Default: true.
    pub(super) strict_validation: bool,
    /// Whether manifests may ask to run commands at all. Default: false.
    pub(super) allow_shell: bool,
    /// Risk tags whose calls need an approval or a grant that accepts the risk.
    /// Default: `destructive`, `external_side_effect`.
    pub(super) require_approval_tags: Vec<String>,
    /// How long a call waits for a person's approval, and how long the approval
    /// holds. Default: `1 h`.
    pub(super) approval_lifetime: Option<Span>,
    /// Hosts and blocks of addresses that no skill reaches, whatever it was granted,
    /// such as `*.internal.example.com` (every name below it) and `10.0.0.0/8`.
    pub(super) http_deny: Vec<String>,
    /// Calls at once, over all skills. Default: 256.
    pub(super) max_concurrent_calls: std::num::NonZeroU16,
    /// How deep skills call skills: with 1, a skill that is called by another one calls
    /// none; with 0, no skill calls any. At most 16. Default: 4.
    #[schemars(range(max = 16))]
    pub(super) max_call_depth: u8,
    /// Whether packages are loaded anew when their files change. Default: true.
    pub(super) watch: bool,
    /// Keys whose signatures let packages in, each by a name of the operator's own.
    pub(super) trusted_keys: BTreeMap<String, TrustedKey>,
    /// Whether packages that no such key signed may be installed. Default: false, so that
    /// each needs `--allow-unsigned`.
    pub(super) allow_unsigned: bool,
    /// How long the workspace of a call is kept after it, or after the run whose calls share it,
    /// for a person to look at. Default: `0 s`, so that it is gone with the call or the run.
    pub(super) workspace_retention: Option<Span>,
}

impl Default for Skills {
    fn default() -> Self {
        Self {
            directories: vec![PathBuf::from("skills")],
            strict_validation: true,
            allow_shell: false,
            require_approval_tags: vec!["destructive".to_owned(), "external_side_effect".to_owned()],
            approval_lifetime: None,
            http_deny: Vec::new(),
            max_call_depth: 4,
            max_concurrent_calls: const { std::num::NonZeroU16::new(256).unwrap() },
            watch: true,
            trusted_keys: BTreeMap::new(),
            allow_unsigned: false,
            workspace_retention: None,
        }
    }
}

/// Which agents there are, and how they run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Agents {
    /// Whether runs of agents are taken up. Default: true.
    pub(super) enabled: bool,
    /// Folders with agents, one TOML file each. Relative to this file. Default: `agents`, which need
    /// not be there.
    pub(super) directories: Option<Vec<PathBuf>>,
    /// Runs that are at work at once; more wait. At most 4096. Default: 10.
    #[schemars(range(min = 1, max = 4096))]
    #[expect(clippy::struct_field_names, reason = "the key is called so")]
    pub(super) max_parallel_agents: std::num::NonZeroU32,
    /// Whether `max_parallel_agents` are at work at once, or fewer where the machine has no
    /// room for so many. Default: `fixed`.
    pub(super) parallelism: Parallelism,
    /// Runs that may wait for a place; more are refused. Default: 256.
    pub(super) queue_capacity: std::num::NonZeroU32,
    /// Requests to models and calls of skills in one run, at the most. Default: 100.
    pub(super) max_steps_per_run: std::num::NonZeroU32,
    /// Seconds that a run may take where it asks for no time. Default: 600.
    pub(super) default_timeout_sec: std::num::NonZeroU32,
    /// The most time that a run may ask for. Default: `24 h`.
    pub(super) max_timeout: Option<Span>,
    /// How long a run may wait before it counts as more urgent than it is, so that none
    /// waits for ever. Default: `30 s`.
    pub(super) ageing: Option<Span>,
    /// How long runs are kept after their end. Default: `720 h`.
    pub(super) retention: Option<Span>,
}

impl Default for Agents {
    fn default() -> Self {
        Self {
            enabled: true,
            directories: None,
            max_parallel_agents: const { std::num::NonZeroU32::new(10).unwrap() },
            parallelism: Parallelism::Fixed,
            queue_capacity: const { std::num::NonZeroU32::new(256).unwrap() },
            max_steps_per_run: const { std::num::NonZeroU32::new(100).unwrap() },
            default_timeout_sec: const { std::num::NonZeroU32::new(600).unwrap() },
            max_timeout: None,
            ageing: None,
            retention: None,
        }
    }
}

/// How many runs are at work at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Parallelism {
    /// As many as configured.
    #[default]
    Fixed,
    /// As many as the machine has CPU time and memory for, and as configured at the most.
    Resources,
}

/// What agents and skills may ask.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Model {
    /// What answers.
    pub(super) provider: Provider,
    /// For `openai`: where the service is, up to and with its version, such as
    /// `https://openrouter.ai/api/v1`. Where a key goes along, it has to be `https`, or `http` to
    /// this machine: `localhost` or a loopback address.
    pub(super) base_url: Option<String>,
    /// For `openai`: the service's own name of the model.
    #[expect(clippy::struct_field_names, reason = "the key is called so")]
    pub(super) model: Option<String>,
    /// For `openai`: the name of the secret that is its key. Without it, none is sent. It goes along
    /// only by `https`, or by `http` to this machine.
    pub(super) key: Option<String>,
    /// For `openai`: US dollars for a million tokens of requests, where the service
    /// doesn't say what an answer cost.
    pub(super) input_usd_per_million: Option<f64>,
    /// For `openai`: US dollars for a million tokens of answers.
    pub(super) output_usd_per_million: Option<f64>,
    /// For `scripted`: the file with the answers. Relative to this file.
    pub(super) script: Option<PathBuf>,
}

/// What answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Provider {
    /// A service that speaks as `OpenAI`'s chat completions do.
    #[default]
    Openai,
    /// A file with prepared answers, for tests and demonstrations.
    Scripted,
}

/// A key whose signatures let packages in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustedKey {
    /// An ed25519 public key, as PEM or as its base64 on one line: what
    /// `bailiwick skills keygen` or `openssl pkey -pubout` prints.
    pub(super) public_key: String,
    /// The namespaces of the skills that it may sign, such as `acme` for `acme/hello`.
    pub(super) namespaces: Vec<String>,
}

/// The record of what happened.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Audit {
    /// How often the place that the record has reached is signed, kept and logged,
    /// where there is something new. Default: `1 min`.
    pub(super) checkpoint_every: Option<Span>,
}

/// Where traces of runs go.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tracing {
    /// What takes them. Default: `none`.
    pub(super) exporter: Exporter,
    /// For `otlp`: where the collector is, such as `http://127.0.0.1:4318`. The path `/v1/traces`
    /// is put behind. Where headers go along, it has to be `https`, or `http` to this machine:
    /// `localhost` or a loopback address.
    pub(super) otlp_url: Option<String>,
    /// For `otlp`: headers that go along, each with the name of the secret that is its value.
    /// They go along only by `https`, or by `http` to this machine.
    pub(super) otlp_headers: BTreeMap<String, String>,
}

/// What takes traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Exporter {
    /// Nobody.
    #[default]
    None,
    /// The server's log, a line for each span.
    Log,
    /// A collector that speaks OpenTelemetry's protocol over HTTP.
    Otlp,
}

/// How much calls may take.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitSets {
    /// Where a manifest is silent.
    pub(super) default: Limits,
    /// At the most, whatever manifests and grants say.
    pub(super) ceiling: Limits,
}

/// One set of limits.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    /// Linear memory of one call.
    pub(super) memory: Option<Size>,
    /// Elements of each table of one call, at most 100000.
    pub(super) table_elements: Option<std::num::NonZeroU64>,
    /// Core instances of one call, at most 64.
    pub(super) instances: Option<std::num::NonZeroU64>,
    /// Wall time of one call.
    pub(super) deadline: Option<Span>,
    /// Units of fuel of one call. Where it is set, every call is slower by a fifth to a half.
    pub(super) fuel: Option<std::num::NonZeroU64>,
    /// Requests over HTTP, operations on files, folders and state, settings, commands, calls of skills and models, questions, reports, and random bytes of one call.
    pub(super) host_calls: Option<std::num::NonZeroU64>,
    /// Arguments of one call, as JSON.
    pub(super) input: Option<Size>,
    /// Output of one call, as JSON.
    pub(super) output: Option<Size>,
    /// Calls of other skills by one call, those that they make in turn included.
    pub(super) skill_calls: Option<std::num::NonZeroU64>,
    /// Requests to models by one call, those of called skills included.
    pub(super) model_calls: Option<std::num::NonZeroU64>,
    /// Tokens of requests to models by one call and of their answers together, those of called skills included.
    pub(super) model_tokens: Option<std::num::NonZeroU64>,
    /// Requests over HTTP of one call.
    pub(super) http_requests: Option<std::num::NonZeroU64>,
    /// What one call sends over HTTP.
    pub(super) http_sent: Option<Size>,
    /// What one call receives over HTTP.
    pub(super) http_received: Option<Size>,
    /// What one call writes to stdout and stderr.
    pub(super) log: Option<Size>,
    /// Random bytes of one call.
    pub(super) random: Option<Size>,
    /// Calls of one skill at once.
    pub(super) concurrency: Option<std::num::NonZeroU32>,
}

/// A size such as `64 MiB`.
#[derive(Clone, Copy, Debug, JsonSchema)]
#[schemars(with = "String", extend("pattern" = "^[0-9]+ *(B|KiB|MiB|GiB)$"))]
pub(super) struct Size(pub(super) u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_size(&text).map(Self).map_err(de::Error::custom)
    }
}

/// A duration such as `10 s`.
#[derive(Clone, Copy, Debug, JsonSchema)]
#[schemars(with = "String", extend("pattern" = "^[0-9]+ *(ms|s|min|h)$"))]
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text).map(Self).map_err(de::Error::custom)
    }
}

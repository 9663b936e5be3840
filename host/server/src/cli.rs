//! The command line.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub mod author;
pub mod run;

/// Run skills that can do only what they were granted.
///
/// A skill is a WebAssembly component. What it may touch (folders, hosts,
/// state, configuration) is a grant that a person gave to exactly those bytes.
#[derive(Debug, Parser)]
#[command(name = "bailiwick", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// Configuration to read, in place of ./bailiwick.toml or the user's own.
    #[arg(long, global = true, env = "BAILIWICK_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where grants, keys, state and compiled code are kept.
    #[arg(long, global = true, env = "BAILIWICK_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the host failed, or a check, a case or a build did
  2  wrong usage, or a wrong configuration
  3  no such skill, version, tool, grant, approval, key, agent or run
  4  refused: no grant, a suspended or expired grant, or an approval is needed; or a run
     was cut off in a call, and a person has to say how it goes on
  5  the tool ran and answered its own failure
  6  the arguments don't fit the tool
  7  the call was ended: deadline, fuel, memory, output, another limit, trap; or the run
     has failed or was cancelled";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write, build, check and try skills.
    #[command(flatten)]
    Author(author::Author),
    /// Serve skills over HTTP.
    Serve(Serve),
    /// Have an agent do something, and watch it.
    Run(Box<run::Run>),
    /// See runs, and say how they go on.
    #[command(subcommand)]
    Runs(run::Runs),
    /// See which agents there are and what they are at, and pause them.
    #[command(subcommand)]
    Agents(run::Agents),
    /// List, show and run skills.
    #[command(subcommand)]
    Skills(Skills),
    /// Say what a skill may touch.
    #[command(subcommand)]
    Grant(Grant),
    /// Answer calls that a person has to approve.
    #[command(subcommand)]
    Approvals(Approvals),
    /// Ask what skills could do, were allowed to do, and did.
    #[command(subcommand)]
    Audit(Audit),
    /// Manage the API keys of the server.
    #[command(subcommand)]
    Key(Key),
    /// Look at the secrets that this host puts into requests.
    #[command(subcommand)]
    Secrets(Secrets),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Become a command of a skill, confined; started by the sandbox alone.
    #[command(hide = true)]
    Launch(Launch),
    /// Print a completion script, e.g. `bailiwick completion bash > /etc/bash_completion.d/bailiwick`.
    Completion {
        /// For which shell.
        shell: Shell,
    },
}

/// Become a command of a skill, confined.
#[derive(Debug, Args)]
pub struct Launch {
    /// The one folder that may be written.
    pub workspace: PathBuf,
    /// Bytes that a file may have.
    pub max_file: u64,
    /// The program and its arguments.
    #[arg(last = true)]
    pub command: Vec<String>,
}

/// Serve skills over HTTP.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port, in place of `server.listen`; port 0 takes any free one.
    #[arg(long, env = "BAILIWICK_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Log as lines of JSON.
    #[arg(long)]
    pub log_json: bool,
}

/// List, show and run skills.
#[derive(Debug, Subcommand)]
pub enum Skills {
    /// List every skill in every version, and the packages that are broken.
    List {
        /// Only skills whose id or description contains this.
        filter: Option<String>,
    },
    /// Show one skill: its tools, what it asks for, what it was granted.
    Show {
        /// `namespace/name`, or `namespace/name@range`.
        skill: String,
    },
    /// Run a tool: on the server of this data folder, or here where none runs.
    Run(Run),
    /// Run tools on copies, and write the smallest permissions and grant from what they did.
    Observe(Box<Observe>),
    /// Install a package, or without a source what bailiwick.lock says. Grants nothing.
    Install(Install),
    /// Remove an installed package.
    Remove {
        /// `namespace/name`, or `namespace/name@version`.
        skill: String,
    },
    /// Pack a package into one file.
    Pack(Pack),
    /// Put a package into a registry.
    Publish(Publish),
    /// Make a key that signs packages, and print its public half.
    Keygen {
        /// The file of the private key, which must be new.
        file: PathBuf,
    },
}

/// Run tools on copies, and write the smallest permissions and grant from what they did.
///
/// Folders are copied and state is gone afterwards, so that nothing stays of what the
/// calls do there; requests are sent. What is named below is the most that they may
/// touch, whatever the manifest asks for.
#[derive(Debug, Args)]
pub struct Observe {
    /// `namespace/name`, or `namespace/name@range`.
    pub skill: String,
    /// Which tool; may be left out where there is only one.
    pub tool: Option<String>,
    /// Arguments as a JSON object; `-` reads them from stdin, `@FILE` from a file.
    #[arg(long, default_value = "{}", value_name = "JSON")]
    pub args: String,
    /// One argument; the value is JSON where it can be read as such, else text.
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    pub arg: Vec<String>,
    /// Several calls in place of one, a line each: {"tool": "read", "arguments": {…}}.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tool", "args", "arg"])]
    pub calls: Option<PathBuf>,
    /// Write permissions.toml and grant.toml into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub save: Option<PathBuf>,
    /// Put the permissions into the skill's own skill.toml, in place of those it has.
    #[arg(long)]
    pub update: bool,
    /// The most that may be touched.
    #[command(flatten)]
    pub terms: GrantTerms,
}

/// Install a package, or without a source what bailiwick.lock says. Grants nothing.
#[derive(Debug, Args)]
pub struct Install {
    /// A folder, a file of `skills pack`, or `oci://host[:port]/repository:tag`, or `@sha256:…`
    /// in place of the tag.
    pub source: Option<String>,
    /// What it must be: the digest of the manifest in a registry, else of the bundle.
    #[arg(long, value_name = "sha256:…", requires = "source")]
    pub digest: Option<String>,
    /// Take it without a signature of a key in `skills.trusted_keys`.
    #[arg(long)]
    pub allow_unsigned: bool,
    /// How the registry is asked.
    #[command(flatten)]
    pub registry: RegistryAccess,
}

/// Pack a package into one file.
#[derive(Debug, Args)]
pub struct Pack {
    /// The package.
    pub folder: PathBuf,
    /// The file to write. NAME-VERSION.tar where it is left out.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Sign it with this private key; the signature is the file with `.sig` behind its name.
    #[arg(long, value_name = "KEYFILE")]
    pub sign: Option<PathBuf>,
}

/// Put a package into a registry.
#[derive(Debug, Args)]
pub struct Publish {
    /// The package.
    pub folder: PathBuf,
    /// `oci://host[:port]/repository:tag`.
    pub place: String,
    /// Sign it with this private key.
    #[arg(long, value_name = "KEYFILE")]
    pub sign: Option<PathBuf>,
    /// How the registry is asked.
    #[command(flatten)]
    pub registry: RegistryAccess,
}

/// How a registry is asked.
#[derive(Debug, Args)]
pub struct RegistryAccess {
    /// Ask it without encryption, also on another machine.
    #[arg(long)]
    pub plain_http: bool,
    /// Who asks.
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    pub username: Option<String>,
    /// Read the password, or a token in its place, from stdin.
    #[arg(long, requires = "username")]
    pub password_stdin: bool,
}

/// Run a tool: on the server of this data folder, or here where none runs.
#[derive(Debug, Args)]
pub struct Run {
    /// `namespace/name`, or `namespace/name@range`.
    pub skill: String,
    /// Which tool; may be left out where there is only one.
    pub tool: Option<String>,
    /// Arguments as a JSON object; `-` reads them from stdin, `@FILE` from a file.
    #[arg(long, default_value = "{}", value_name = "JSON")]
    pub args: String,
    /// One argument; the value is JSON where it can be read as such, else text.
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    pub arg: Vec<String>,
    /// Less time than the skill's own deadline, e.g. `500 ms`.
    #[arg(long, value_name = "TIME")]
    pub deadline: Option<String>,
    /// Also print the receipt: what the call could do, did and cost.
    #[arg(long)]
    pub receipt: bool,
    /// How long to wait for a person, where the call needs approval, e.g. `2 min`.
    #[arg(long, value_name = "TIME")]
    pub wait: Option<String>,
}

/// Say what a skill may touch.
#[derive(Debug, Subcommand)]
pub enum Grant {
    /// Grant one skill, in exactly the bytes that it has now.
    Add(Box<GrantAdd>),
    /// List all grants.
    List,
    /// Take something away from a grant. Calls that began with more are ended.
    Narrow(Box<GrantNarrow>),
    /// Take back the grants of a skill. Calls under way are ended.
    Revoke {
        /// `namespace/name`.
        skill: String,
        /// Only the grant for these bytes.
        #[arg(long, value_name = "sha256:…")]
        digest: Option<String>,
    },
    /// Show what is new in bytes that were not granted anything yet.
    Review {
        /// `namespace/name`, or `namespace/name@range`.
        skill: String,
    },
    /// Give new bytes what the ones before were granted, as far as they still ask for it.
    Accept {
        /// `namespace/name`, or `namespace/name@range`.
        skill: String,
        /// The bytes that were looked at, as `grant review` shows them.
        #[arg(long, value_name = "sha256:…")]
        digest: String,
    },
    /// Print every grant as TOML, for a team to keep in git.
    Export,
    /// Give every grant of such a file, all of them or none.
    Import {
        /// The file; `-` reads stdin.
        file: PathBuf,
    },
}

/// Take something away from a grant.
#[derive(Debug, Args)]
pub struct GrantNarrow {
    /// `namespace/name`.
    pub skill: String,
    /// The grant for these bytes; may be left out where there is one only.
    #[arg(long, value_name = "sha256:…")]
    pub digest: Option<String>,
    /// A folder, as the skill sees it.
    #[arg(long, value_name = "GUEST")]
    pub fs: Vec<String>,
    /// A folder that it may still read, and no longer write.
    #[arg(long, value_name = "GUEST")]
    pub read_only: Vec<String>,
    /// The rules for a host.
    #[arg(long, value_name = "HOST")]
    pub http: Vec<String>,
    /// Its durable state.
    #[arg(long)]
    pub state: bool,
    /// The folder of each call, or of each task of a run.
    #[arg(long)]
    pub workspace: bool,
    /// A configuration value.
    #[arg(long, value_name = "KEY")]
    pub setting: Vec<String>,
    /// A secret.
    #[arg(long, value_name = "NAME")]
    pub secret: Vec<String>,
    /// A command, as `grant list` shows it.
    #[arg(long, value_name = "COMMAND")]
    pub shell: Vec<String>,
    /// Another skill that it may call: `namespace/name`.
    #[arg(long, value_name = "SKILL")]
    pub skill_call: Vec<String>,
    /// A model.
    #[arg(long, value_name = "NAME")]
    pub model: Vec<String>,
    /// A risk that was accepted.
    #[arg(long, value_name = "TAG")]
    pub risk: Vec<String>,
    /// Void after this time, e.g. `12 h`, if it isn't before.
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
    /// Less memory, e.g. `16 MiB`.
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
    /// Less time, e.g. `1 s`.
    #[arg(long, value_name = "TIME")]
    pub deadline: Option<String>,
    /// Fewer calls at once.
    #[arg(long, value_name = "CALLS")]
    pub concurrency: Option<NonZeroU32>,
}

/// Answer calls that a person has to approve.
#[derive(Debug, Subcommand)]
pub enum Approvals {
    /// List what waits, or everything of the last 30 days.
    List {
        /// Also what was answered.
        #[arg(long)]
        all: bool,
    },
    /// Show one, with the arguments of the call.
    Show {
        /// Its id.
        id: String,
    },
    /// Let the call be made, once.
    Approve {
        /// Its id.
        id: String,
        /// Why; the caller sees it.
        #[arg(long)]
        reason: Option<String>,
        /// Arguments in place of those that were asked for, as a JSON object.
        #[arg(long, value_name = "JSON")]
        args: Option<String>,
        /// For every call with the same arguments until the approval expires.
        #[arg(long)]
        until_expiry: bool,
    },
    /// Refuse the call.
    Deny {
        /// Its id.
        id: String,
        /// Why; the caller sees it.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// Ask what skills could do, were allowed to do, and did.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List records of the audit log, the newest last.
    List(AuditList),
    /// One page about a skill: what it can't do, was granted, and has used.
    Skill {
        /// `namespace/name`, or `namespace/name@range`.
        skill: String,
        /// Also write the page as HTML.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Write the whole audit log as JSON lines, with a signed end.
    Export {
        /// Where to; stdout where it is left out.
        file: Option<PathBuf>,
    },
    /// Check an export: no record edited, removed, added or reordered, and no end cut off.
    Verify {
        /// The export; `-` reads stdin. The log of this host where it is left out.
        file: Option<PathBuf>,
        /// The key that must have signed it, as `audit key` prints it. Without one,
        /// that of this host where there is one.
        #[arg(long, value_name = "ed25519:…")]
        key: Option<String>,
    },
    /// Print the public key that signs the audit log.
    Key,
}

/// List records of the audit log.
#[derive(Debug, Args)]
pub struct AuditList {
    /// Only this kind, such as `call`, `refusal`, `grant-given`, `approval-used`.
    #[arg(long)]
    pub kind: Option<String>,
    /// Only this skill.
    #[arg(long, value_name = "ID")]
    pub skill: Option<String>,
    /// Only what this principal asked for, such as `key:ci`.
    #[arg(long)]
    pub principal: Option<String>,
    /// Only what belongs to this trace.
    #[arg(long, value_name = "TRACE")]
    pub trace: Option<String>,
    /// Only what ended so, such as `succeeded`.
    #[arg(long)]
    pub outcome: Option<String>,
    /// Not before this moment, such as 2026-11-20T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before this moment.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// How many at the most.
    #[arg(long, default_value = "100")]
    pub limit: NonZeroU32,
}

/// Grant one skill, in exactly the bytes that it has now.
#[derive(Debug, Args)]
pub struct GrantAdd {
    /// `namespace/name`, or `namespace/name@range`.
    pub skill: String,
    /// What is given.
    #[command(flatten)]
    pub terms: GrantTerms,
}

/// What is given, or at the most touched.
#[derive(Debug, Args)]
pub struct GrantTerms {
    /// A folder: HOST[:GUEST][:ro|:rw]. Read only where nothing else is said;
    /// GUEST may be left out where the skill asks for one root.
    #[arg(long, value_name = "HOST[:GUEST][:ro|:rw]")]
    pub fs: Vec<String>,
    /// Requests: [METHOD,…] [http|https://]HOST[:PORT][/PATH]. Methods are those
    /// that the skill asks for where none are named; HOST may be `*`, any public one,
    /// or a block such as `[10.0.0.0/8]`; PATH a prefix or a glob such as `/v1/*/items`.
    #[arg(long, value_name = "[METHODS ]URL")]
    pub http: Vec<String>,
    /// Requests that are never sent, written alike; what is left out means each.
    #[arg(long, value_name = "[METHODS ]URL")]
    pub http_deny: Vec<String>,
    /// A secret that the host puts into headers of requests to HOST, and to no other.
    #[arg(long, value_name = "NAME=HOST[:PORT]")]
    pub secret: Vec<String>,
    /// A folder of its own at /workspace, fresh for each call, or for each task of a run.
    #[arg(long)]
    pub workspace: bool,
    /// Durable state of its own.
    #[arg(long)]
    pub state: bool,
    /// How much of it: for a folder (its GUEST) and `/workspace` the bytes that one call writes and
    /// the files that it makes, for `state` the bytes and keys that it keeps. Either may be left out.
    #[arg(long, value_name = "GUEST|state=[SIZE][,NUMBER]")]
    pub quota: Vec<String>,
    /// A configuration value that it sees.
    #[arg(long, value_name = "KEY=VALUE")]
    pub setting: Vec<String>,
    /// A command of the host, exactly so, in the workspace of each call; `git log ...` lets any
    /// arguments follow. Words with blanks stand in quotes.
    #[arg(long, value_name = "COMMAND")]
    pub shell: Vec<String>,
    /// Another skill that it may call, under that one's own grant, with `@` and a version or
    /// range where not every release will do.
    #[arg(long, value_name = "SKILL[@RANGE]")]
    pub skill_call: Vec<String>,
    /// A model that it may ask; the first is the one that it gets where it names none.
    #[arg(long, value_name = "NAME")]
    pub model: Vec<String>,
    /// Accept a risk for every call, so that none needs an approval.
    #[arg(long, value_name = "TAG")]
    pub accept_risk: Vec<String>,
    /// What for; stands in every list.
    #[arg(long)]
    pub reason: Option<String>,
    /// Void after this time, e.g. `12 h`.
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
    /// For one call only.
    #[arg(long)]
    pub one_shot: bool,
    /// Less memory than it asks for, e.g. `16 MiB`.
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
    /// Less time than it asks for, e.g. `1 s`.
    #[arg(long, value_name = "TIME")]
    pub deadline: Option<String>,
    /// Count fuel, and end a call that uses more.
    #[arg(long, value_name = "UNITS")]
    pub fuel: Option<NonZeroU64>,
    /// Less output than it asks for, e.g. `64 KiB`.
    #[arg(long, value_name = "SIZE")]
    pub output: Option<String>,
    /// Smaller tables than it asks for.
    #[arg(long, value_name = "ELEMENTS")]
    pub table_elements: Option<NonZeroU64>,
    /// Fewer core instances than it asks for.
    #[arg(long, value_name = "INSTANCES")]
    pub instances: Option<NonZeroU64>,
    /// Fewer calls of the host: requests, files, state, random bytes.
    #[arg(long, value_name = "CALLS")]
    pub host_calls: Option<NonZeroU64>,
    /// Smaller arguments, e.g. `64 KiB`.
    #[arg(long, value_name = "SIZE")]
    pub input: Option<String>,
    /// Fewer calls of other skills, those that they make in turn included.
    #[arg(long, value_name = "CALLS")]
    pub skill_calls: Option<NonZeroU64>,
    /// Fewer requests to models, those of called skills included.
    #[arg(long, value_name = "REQUESTS")]
    pub model_calls: Option<NonZeroU64>,
    /// Fewer tokens of requests to models and their answers together, those of called skills
    /// included.
    #[arg(long, value_name = "TOKENS")]
    pub model_tokens: Option<NonZeroU64>,
    /// Fewer requests over HTTP.
    #[arg(long, value_name = "REQUESTS")]
    pub http_requests: Option<NonZeroU64>,
    /// Less that is sent over HTTP, e.g. `64 KiB`.
    #[arg(long, value_name = "SIZE")]
    pub http_sent: Option<String>,
    /// Less that is received over HTTP, e.g. `1 MiB`.
    #[arg(long, value_name = "SIZE")]
    pub http_received: Option<String>,
    /// Less on stdout and stderr, e.g. `64 KiB`.
    #[arg(long, value_name = "SIZE")]
    pub log: Option<String>,
    /// Fewer random bytes, e.g. `1 KiB`.
    #[arg(long, value_name = "SIZE")]
    pub random: Option<String>,
    /// Fewer calls at once.
    #[arg(long, value_name = "CALLS")]
    pub concurrency: Option<NonZeroU32>,
}

/// Manage the API keys of the server.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make a key. Its token is shown this once.
    Create {
        /// What to call it.
        name: String,
        /// What it is good for: `skills:read`, `skills:execute`, `approvals:answer`,
        /// `runs:read`, `runs:submit`, `audit:read`, `admin`.
        #[arg(long, value_name = "SCOPE", default_values = ["skills:read", "skills:execute"])]
        scope: Vec<String>,
        /// Void after this time, e.g. `720 h`.
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// List all keys, without their tokens.
    List,
    /// Take a key back.
    Revoke {
        /// Its id or its name.
        key: String,
    },
}

/// Look at the secrets that this host puts into requests.
#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// List their names, where they come from, and whether they can be read.
    List,
}

/// Look at the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read it, and say what holds or what is wrong.
    Check,
}

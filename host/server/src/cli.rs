//! The command line.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

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
  1  the host failed
  2  wrong usage, or a wrong configuration
  3  no such skill, version, tool, grant or key
  4  refused: no grant, a suspended or expired grant, or an approval is needed
  5  the tool ran and answered its own failure
  6  the arguments don't fit the tool
  7  the call was ended: deadline, fuel, memory, output, another limit, trap";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve skills over HTTP.
    Serve(Serve),
    /// List, show and run skills.
    #[command(subcommand)]
    Skills(Skills),
    /// Say what a skill may touch.
    #[command(subcommand)]
    Grant(Grant),
    /// Manage the API keys of the server.
    #[command(subcommand)]
    Key(Key),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script, e.g. `bailiwick completion bash > /etc/bash_completion.d/bailiwick`.
    Completion {
        /// For which shell.
        shell: Shell,
    },
}

/// Serve skills over HTTP.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port, in place of `server.listen`; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
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
    /// Run a tool here, without a server.
    Run(Run),
}

/// Run a tool here, without a server.
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
}

/// Say what a skill may touch.
#[derive(Debug, Subcommand)]
pub enum Grant {
    /// Grant one skill, in exactly the bytes that it has now.
    Add(Box<GrantAdd>),
    /// List all grants.
    List,
    /// Take back the grants of a skill.
    Revoke {
        /// `namespace/name`.
        skill: String,
        /// Only the grant for these bytes.
        #[arg(long, value_name = "sha256:…")]
        digest: Option<String>,
    },
}

/// Grant one skill, in exactly the bytes that it has now.
#[derive(Debug, Args)]
pub struct GrantAdd {
    /// `namespace/name`, or `namespace/name@range`.
    pub skill: String,
    /// A folder: HOST[:GUEST][:ro|:rw]. Read only where nothing else is said;
    /// GUEST may be left out where the skill asks for one root.
    #[arg(long, value_name = "HOST[:GUEST][:ro|:rw]")]
    pub fs: Vec<String>,
    /// Requests: [METHOD,…] [http|https://]HOST[:PORT][/PATH]. Methods are those
    /// that the skill asks for where none are named; HOST may be `*`, any public one.
    #[arg(long, value_name = "[METHODS ]URL")]
    pub http: Vec<String>,
    /// A fresh folder for each call, at /workspace.
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
    /// Accept a risk for every call, so that none needs an approval.
    #[arg(long, value_name = "TAG")]
    pub accept_risk: Vec<String>,
    /// What for; stands in every list.
    #[arg(long)]
    pub reason: Option<String>,
    /// Void after this time, e.g. `12 h`.
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
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
        /// What it is good for: `skills:read`, `skills:execute`, `admin`.
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

/// Look at the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read it, and say what holds or what is wrong.
    Check,
}

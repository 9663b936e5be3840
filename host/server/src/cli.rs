//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub mod approvals;
pub mod audit;
pub mod author;
pub mod grant;
pub mod run;
pub mod skills;

/// Run agents whose skills can do only what they were granted.
///
/// A skill is a WebAssembly component. What it may touch (folders, hosts,
/// state, settings) is a grant that a person gave to exactly those bytes.
/// An agent is instructions for a model, and the skills that it may call.
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
    /// Serve skills and agents over HTTP.
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
    Skills(skills::Skills),
    /// Say what a skill may touch.
    #[command(subcommand)]
    Grant(grant::Grant),
    /// Answer calls that a person has to approve.
    #[command(subcommand)]
    Approvals(approvals::Approvals),
    /// Ask what skills could do, were allowed to do, and did.
    #[command(subcommand)]
    Audit(audit::Audit),
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

/// Serve skills and agents over HTTP.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port, in place of `server.listen`; port 0 takes any free one.
    #[arg(long, env = "BAILIWICK_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Log as lines of JSON.
    #[arg(long)]
    pub log_json: bool,
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

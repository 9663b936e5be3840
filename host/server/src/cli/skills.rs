//! The commands for skills and their packages.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::grant::GrantTerms;

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

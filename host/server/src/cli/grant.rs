//! The commands for grants.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use clap::{Args, Subcommand};

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
    /// What for, in at most 1000 characters; stands in every list.
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

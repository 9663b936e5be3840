//! The commands for the audit log.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Subcommand};

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

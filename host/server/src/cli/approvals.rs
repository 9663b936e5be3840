//! The commands for calls that a person has to approve.

use clap::Subcommand;

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

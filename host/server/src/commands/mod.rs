//! One file for each subcommand.

pub mod agents;
pub mod approvals;
pub mod audit;
pub mod author;
pub mod config;
pub mod grant;
pub mod key;
pub mod launch;
pub mod run;
pub mod runs;
pub mod secrets;
pub mod serve;
pub mod skills;

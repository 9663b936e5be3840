//! The host beside its floor.
//!
//! A floor is what the same work costs with the engine alone: the same
//! component, the same settings, and nothing that checks, limits or records.
//! Both sides run in turns in one run, so that a ratio holds on any machine.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

pub mod call;
pub mod child;
pub mod clock;
pub mod floor;
pub mod guests;
pub mod host;
pub mod http;
pub mod journal;
pub mod load;
pub mod log;
pub mod memory;
pub mod ready;
pub mod report;
pub mod runs;
pub mod servers;

/// What every call says and gets back: 64 bytes.
pub const TEXT: &str = "sixty-four bytes of plain text, as one call carries it, no more.";

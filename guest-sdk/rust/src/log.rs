//! Structured logging, over `wasi:logging/logging@0.1.0-draft`.
//!
//! ```no_run
//! use bailiwick_guest::log;
//!
//! log::info("3 pages read");
//! log::warn(format_args!("page {} is empty", 2));
//! ```
//!
//! What a skill prints to stdout and stderr is logged too, without a level.

use std::fmt::Display;

pub use bindings::wasi::logging::logging::Level;

/// Logs a message. `context` names the part of the skill that it comes from, and may be empty.
pub fn log(level: Level, context: &str, message: impl Display) {
    bindings::wasi::logging::logging::log(level, context, &message.to_string());
}

/// The inside of the skill, step by step.
pub fn trace(message: impl Display) {
    log(Level::Trace, "", message);
}

/// For whoever looks for a fault.
pub fn debug(message: impl Display) {
    log(Level::Debug, "", message);
}

/// What a person who runs the skill may want to know.
pub fn info(message: impl Display) {
    log(Level::Info, "", message);
}

/// Something may be wrong.
pub fn warn(message: impl Display) {
    log(Level::Warn, "", message);
}

/// Something is wrong.
pub fn error(message: impl Display) {
    log(Level::Error, "", message);
}

/// The skill can't go on.
pub fn critical(message: impl Display) {
    log(Level::Critical, "", message);
}

mod bindings {
    wit_bindgen::generate!({ world: "log", path: "wit", generate_all });
}

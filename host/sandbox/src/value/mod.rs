//! JSON to Component Model values and back, by the types of the tool.
//!
//! The rule of both directions: a value crosses unchanged or not at all.

#[doc(hidden)]
pub mod fuzzing;
mod lift;
mod lower;
#[cfg(test)]
mod round_trip;

pub(crate) use lift::{LiftError, lift};
pub(crate) use lower::lower_arguments;

/// Integers up to here are exact in every JSON reader; beyond, they cross as text.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

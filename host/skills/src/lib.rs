//! Packages, registry, grants, policy and execution: who may run what.
//!
//! A folder becomes a [`package::Package`], and together with what the sandbox
//! read in its component a [`skill::Skill`]. The [`registry`] keeps them, the
//! [`grants`] say what a person allowed to which bytes, [`policy`] turns both
//! into a permit or a refusal, and the [`execute::Executor`] makes the call.
//!
//! Nothing here knows HTTP or an engine: calls come in as domain invocations,
//! and components run behind the domain's `Sandbox`.

pub mod approvals;
pub mod audit;
pub mod catalog;
pub mod content;
pub mod execute;
mod gate;
pub mod grants;
pub mod near;
pub mod observe;
pub mod package;
pub mod policy;
pub mod random;
pub mod registry;
pub mod review;
pub mod schema;
pub mod skill;
mod stamp;
#[cfg(test)]
mod tests;
pub mod watch;

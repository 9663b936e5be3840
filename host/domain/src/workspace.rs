//! Workspaces that last from call to call.

use crate::run::RunId;

/// Whose calls find what the ones before have left in a workspace: those that an agent makes
/// for one task of a run, of one skill at a time. Which skill, and which bytes of it, is in
/// the terms of each call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceKey {
    /// The run, which has one principal.
    pub run: RunId,
    /// The task: an agent may have several at once.
    pub task: u32,
    /// The agent that has the task now.
    pub agent: String,
}

//! What agents are at, and how they fared: what follows from what is known of one.
//!
//! Only whether an agent is paused outlives the host, like what it is. All else is counted
//! from its start on.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::registry::Agent;

/// Tasks in a row that failed before an agent counts as broken: as many as open a circuit.
pub const FAILED_IN_A_ROW: u32 = 5;

/// What an agent is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// It is there, and a skill of it is being compiled, so that no run can have it yet.
    Spawning,
    /// It has nothing to do.
    Idle,
    /// It has open tasks.
    Working,
    /// A person paused it: no new run gets it. Those that have it go on.
    Paused,
    /// Its definition can't be used, or its last tasks failed, [`FAILED_IN_A_ROW`] of them.
    /// In the second case runs still get it, and a task that is completed ends it.
    Error,
    /// It was removed while it had open tasks, and has some still.
    Terminated,
}

/// Whether an agent is there, and can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Being {
    /// It was removed.
    Gone,
    /// Its definition can't be used.
    Broken,
    /// A skill of it is being compiled.
    Preparing,
    /// Runs can have it.
    #[default]
    Usable,
}

/// What a state follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether it is there, and can be used.
    pub being: Being,
    /// Whether a person paused it.
    pub paused: bool,
    /// How it fared.
    pub health: Health,
}

/// How an agent fared since the host started. A task that ended with its run, and not by
/// itself, is neither completed nor failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Tasks that it has now.
    pub open_tasks: u32,
    /// Tasks that it completed.
    pub tasks_completed: u64,
    /// Tasks that failed.
    pub tasks_failed: u64,
    /// Tasks that failed since the last one that it completed.
    pub failed_in_a_row: u32,
    /// When something happened last in one of its tasks, in milliseconds since 1970.
    pub last_active: Option<u64>,
}

/// An agent with what it is at and how it fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// It; one that was removed, as it was.
    pub agent: Arc<Agent>,
    /// What it is at.
    pub state: AgentState,
    /// How it fared.
    pub health: Health,
}

impl AgentState {
    /// The state that follows from these facts; `None` where there is no such agent any more.
    ///
    /// What a person has to see comes first: that it is gone, that it can't be used, that it
    /// is paused, that it fails. Only then comes whether it is at work.
    pub const fn of(facts: &Facts) -> Option<Self> {
        let Health { open_tasks, failed_in_a_row, .. } = facts.health;
        match (facts.being, facts.paused, open_tasks) {
            (Being::Gone, _, 0) => None,
            (Being::Gone, _, _) => Some(Self::Terminated),
            (Being::Broken, _, _) => Some(Self::Error),
            (_, true, _) => Some(Self::Paused),
            _ if failed_in_a_row >= FAILED_IN_A_ROW => Some(Self::Error),
            (Being::Usable, _, 0) => Some(Self::Idle),
            (Being::Preparing, _, 0) => Some(Self::Spawning),
            (Being::Usable | Being::Preparing, _, _) => Some(Self::Working),
        }
    }

    /// As it stands in answers and in what is told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spawning => "spawning",
            Self::Idle => "idle",
            Self::Working => "working",
            Self::Paused => "paused",
            Self::Error => "error",
            Self::Terminated => "terminated",
        }
    }
}

impl Health {
    /// Takes note of a task that ended.
    pub(crate) const fn ended(&mut self, completed: bool) {
        if completed {
            self.tasks_completed = self.tasks_completed.saturating_add(1);
            self.failed_in_a_row = 0;
        } else {
            self.tasks_failed = self.tasks_failed.saturating_add(1);
            self.failed_in_a_row = self.failed_in_a_row.saturating_add(1);
        }
    }
}

//! A run in a line: what lists show and filters look at.

use std::collections::BTreeSet;

use bailiwick_domain::run::{Class, Run, RunId, RunOutcome, Spend, Status};
use serde::{Deserialize, Serialize};

use super::keep;

/// A run in a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSummary {
    /// Which.
    pub id: RunId,
    /// Where it stands.
    pub status: Status,
    /// The name of its strategy.
    pub strategy: String,
    /// How urgent it is.
    pub class: Class,
    /// The client's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// On whose behalf.
    pub principal: String,
    /// The trace that it belongs to: 32 hex digits.
    pub trace_id: String,
    /// Every agent that it has.
    pub agents: BTreeSet<String>,
    /// When it was taken up, in milliseconds since 1970.
    pub queued_at: u64,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<u64>,
    /// When its last event happened.
    pub updated_at: u64,
    /// What it took.
    pub spend: Spend,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Which runs to list. What is not said takes all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Those that stand there.
    pub status: Option<Status>,
    /// Those that have this agent.
    pub agent: Option<String>,
    /// Those with this label.
    pub label: Option<String>,
    /// Those on whose behalf.
    pub principal: Option<String>,
}

impl RunSummary {
    pub(super) fn of(run: &Run) -> Self {
        Self {
            id: run.spec.id.clone(),
            status: run.status,
            strategy: run.spec.strategy.name().to_owned(),
            class: run.spec.class,
            label: run.spec.label.clone(),
            principal: run.spec.principal.clone(),
            trace_id: run.spec.trace_id().to_owned(),
            agents: run.team.members.keys().cloned().collect(),
            queued_at: run.queued_at,
            started_at: run.started_at,
            updated_at: run.updated_at,
            spend: run.spend,
            code: match &run.outcome {
                Some(RunOutcome::Failed { code, .. }) => Some(code.clone()),
                _ => None,
            },
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        keep::json(self)
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl RunFilter {
    pub(super) fn takes(&self, run: &RunSummary) -> bool {
        self.status.is_none_or(|status| run.status == status)
            && self.agent.as_ref().is_none_or(|agent| run.agents.contains(agent))
            && self.label.as_ref().is_none_or(|label| run.label.as_ref() == Some(label))
            && self.principal.as_ref().is_none_or(|principal| run.principal == *principal)
    }
}

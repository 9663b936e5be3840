//! One question, and the life that it has.

use std::fmt;
use std::time::{Duration, SystemTime};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::run::RunId;
use bailiwick_domain::skill_id::SkillId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Question;
use super::error::ApprovalError;
use crate::execute::arguments_digest;

/// How a question stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody has answered.
    Pending,
    /// The call may be made.
    Approved,
    /// The call may not be made.
    Denied,
    /// The call was begun.
    Used,
    /// Nobody answered in time, or nobody made the call in time.
    Expired,
    /// The run that asked needs no answer any more.
    Withdrawn,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        })
    }
}

/// How often an approval holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Uses {
    /// For one call.
    #[default]
    Once,
    /// For every call with the same arguments until it expires.
    UntilExpiry,
}

/// What a person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The call may be made.
    Approve {
        /// How often.
        uses: Uses,
        /// Arguments in place of those that were asked for.
        arguments: Option<Value>,
        /// Why.
        reason: Option<String>,
    },
    /// The call may not be made.
    Deny {
        /// Why not.
        reason: Option<String>,
    },
}

/// A question, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Its name.
    pub id: String,
    /// How it stands.
    pub state: State,
    /// When it was asked.
    pub requested_at: SystemTime,
    /// From when on it counts for nothing.
    pub expires_at: SystemTime,
    /// Who wants to make the call.
    pub principal: String,
    /// The run that the call is made in, whose question it is alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The trace of the call that asked.
    pub trace_id: String,
    /// The skill.
    pub skill: SkillId,
    /// Its release.
    pub version: String,
    /// The bytes that would run.
    pub digest: Digest,
    /// The tool.
    pub tool: String,
    /// What a running skill asks, in one line; `None` where a call is to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What it would be called with, or what a person should know for an answer.
    pub arguments: Value,
    /// sha256 of these in canonical form.
    pub arguments_digest: Digest,
    /// What the person put in their place.
    pub edited: Option<Edited>,
    /// The grant that the call rests on.
    pub grant: Digest,
    /// The risks that make it a question.
    pub tags: Vec<String>,
    /// How often it holds.
    pub uses: Uses,
    /// Who answered.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<SystemTime>,
    /// Why.
    pub reason: Option<String>,
}

/// Arguments that a person put in place of others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edited {
    /// What the call is made with.
    pub arguments: Value,
    /// sha256 of these in canonical form.
    pub digest: Digest,
}

impl Approval {
    pub(super) fn new(id: String, question: &Question<'_>, now: SystemTime, lifetime: Duration) -> Self {
        let Question { principal, run, trace_id, skill, tool, arguments, arguments_digest, entry, tags, summary } =
            question;
        Self {
            id,
            state: State::Pending,
            requested_at: now,
            expires_at: now + lifetime,
            principal: (*principal).to_owned(),
            run: run.cloned(),
            trace_id: trace_id.clone(),
            skill: skill.manifest.id.clone(),
            version: skill.manifest.version.to_string(),
            digest: skill.digest,
            tool: (*tool).to_owned(),
            summary: summary.map(str::to_owned),
            arguments: Value::clone(arguments),
            arguments_digest: *arguments_digest,
            edited: None,
            grant: entry.fingerprint,
            tags: tags.clone(),
            uses: Uses::Once,
            decided_by: None,
            decided_at: None,
            reason: None,
        }
    }

    /// The hash of the arguments that may run.
    pub fn binding(&self) -> Digest {
        self.edited.as_ref().map_or(self.arguments_digest, |edited| edited.digest)
    }

    /// How it stands at `now`.
    pub(super) fn state_at(&self, now: SystemTime) -> State {
        let open = matches!(self.state, State::Pending | State::Approved);
        if open && now >= self.expires_at { State::Expired } else { self.state }
    }

    /// The same as it stands at `now`.
    pub(super) fn at(&self, now: SystemTime) -> Self {
        Self { state: self.state_at(now), ..self.clone() }
    }

    /// Whether it is open, for the run that asked and nobody else.
    pub(super) fn is_open_for(&self, run: &RunId, now: SystemTime) -> bool {
        let open = match self.state_at(now) {
            State::Pending => true,
            State::Approved => self.uses == Uses::Once,
            State::Denied | State::Used | State::Expired | State::Withdrawn => false,
        };
        open && self.run.as_ref() == Some(run)
    }

    /// Whether this is the answer to `question`: the same caller, bytes, tool,
    /// arguments and grant, and no risk that wasn't shown. A question and a yes for one call
    /// are those of one run, or of calls outside of runs.
    pub(super) fn answers(&self, question: &Question<'_>, now: SystemTime) -> bool {
        let same_run = self.run.as_ref() == question.run;
        let live = match self.state_at(now) {
            State::Pending => same_run,
            State::Approved => same_run || self.uses == Uses::UntilExpiry,
            // A no holds as long as a yes would.
            State::Denied => now < self.expires_at,
            State::Used | State::Expired | State::Withdrawn => false,
        };
        live && self.principal == question.principal
            && self.summary.as_deref() == question.summary
            && self.skill == question.skill.manifest.id
            && self.digest == question.skill.digest
            && self.tool == question.tool
            && self.arguments_digest == question.arguments_digest
            && self.grant == question.entry.fingerprint
            && question.tags.iter().all(|tag| self.tags.contains(tag))
    }

    /// The same with what a person said.
    pub(super) fn answered(&self, answer: Answer, by: &str, now: SystemTime) -> Self {
        let decided = Self { decided_by: Some(by.to_owned()), decided_at: Some(now), ..self.clone() };
        match answer {
            Answer::Deny { reason } => Self { state: State::Denied, reason, ..decided },
            Answer::Approve { uses, arguments, reason } => {
                let edited = arguments.map(|arguments| {
                    let digest = arguments_digest(&arguments);
                    Edited { arguments, digest }
                });
                Self { state: State::Approved, uses, edited, reason, ..decided }
            }
        }
    }

    /// The same after a call began with it.
    pub(super) fn used(&self) -> Self {
        let state = match self.uses {
            Uses::Once => State::Used,
            Uses::UntilExpiry => State::Approved,
        };
        Self { state, ..self.clone() }
    }

    /// The same after whoever asked went away.
    pub(super) fn withdrawn(&self) -> Self {
        Self { state: State::Withdrawn, ..self.clone() }
    }
}

pub(super) fn read(id: &str, document: &[u8]) -> Result<Approval, ApprovalError> {
    serde_json::from_slice(document)
        .map_err(|error| ApprovalError::Unreadable { id: id.to_owned(), problem: error.to_string() })
}

pub(super) fn write(approval: &Approval) -> Result<Vec<u8>, ApprovalError> {
    serde_json::to_vec(approval)
        .map_err(|error| ApprovalError::Unreadable { id: approval.id.clone(), problem: error.to_string() })
}

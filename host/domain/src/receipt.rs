//! What a finished invocation could do, did and cost.

use std::time::SystemTime;

use semver::Version;

use crate::digest::Digest;
use crate::permit::Terms;
use crate::skill_id::SkillId;
use crate::usage::Usage;

/// The record of one invocation.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Unique, in the order of time: 32 hex digits.
    pub id: String,
    /// When the invocation began.
    pub started_at: SystemTime,
    /// On whose behalf.
    pub principal: String,
    /// The receipt of the call that made it, where another skill did.
    pub caller: Option<String>,
    /// The step of a run that made it, as `RUN/STEP`, where one did.
    pub run: Option<String>,
    /// The trace that it belongs to, 32 hex digits.
    pub trace_id: String,
    /// The skill.
    pub skill: SkillId,
    /// Its release.
    pub version: Version,
    /// The bytes that ran.
    pub digest: Digest,
    /// The tool.
    pub tool: String,
    /// sha256 of the arguments in canonical form.
    pub arguments: Digest,
    /// What it was allowed to do.
    pub terms: std::sync::Arc<Terms>,
    /// What the host refused it while it ran.
    pub denials: Vec<Denial>,
    /// What it made use of, of all that it was allowed: `http GET https://example.com:443`.
    pub used: Vec<String>,
    /// What it cost.
    pub usage: Usage,
    /// How it ended: `succeeded`, `failed` (the tool's own failure) or the code of the error.
    pub outcome: &'static str,
}

/// One refusal of the host: the typed answer that the guest got, kept for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// `fs`, `http`, `secret`, `state`, `config`, `shell`, `skill`, `model`, `approval`, `sockets`.
    pub capability: &'static str,
    /// What was asked for, without anything secret: `GET https://example.com`.
    pub request: String,
    /// Why not.
    pub reason: String,
}

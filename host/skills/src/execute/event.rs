//! The one line in the host's log that each call leaves.

use std::sync::Arc;
use std::time::Instant;

use bailiwick_domain::clock::Clock;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::invocation::Invocation;
use semver::Version;

use super::{ExecuteError, Execution};
use crate::skill::{Skill, Tool};

/// The outcome of a receipt when all went well.
const SUCCEEDED: &str = "succeeded";

/// What is known of a call. It is logged when the call ends, or when it is
/// dropped because the caller went away; arguments and outputs never are.
pub(super) struct Event<'a> {
    invocation: &'a Invocation,
    clock: &'a dyn Clock,
    start: Instant,
    skill: Option<Arc<Skill>>,
    /// The tool's name.
    tool: Option<String>,
    logged: bool,
}

impl<'a> Event<'a> {
    pub(super) fn begin(invocation: &'a Invocation, clock: &'a dyn Clock) -> Self {
        Self { invocation, clock, start: clock.instant(), skill: None, tool: None, logged: false }
    }

    pub(super) fn resolved(&mut self, skill: &Arc<Skill>) {
        self.skill = Some(Arc::clone(skill));
    }

    pub(super) fn found(&mut self, tool: &Tool) {
        self.tool = Some(tool.name.clone());
    }

    pub(super) fn end(mut self, result: &Result<Execution, ExecuteError>) {
        match result {
            Ok(execution) if execution.replayed => self.log("replayed"),
            Ok(execution) => self.log(execution.receipt.outcome),
            Err(error) => self.log(error.code()),
        }
    }

    fn log(&mut self, outcome: &str) {
        self.logged = true;
        let known = self.skill.as_deref();
        let version: Option<&Version> = known.map(|skill| &skill.manifest.version);
        let digest: Option<&Digest> = known.map(|skill| &skill.digest);
        let tool = self.tool.as_deref();
        let wall = self.clock.instant().saturating_duration_since(self.start);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    skill = %self.invocation.skill.id,
                    version = version.map(tracing::field::display),
                    digest = digest.map(tracing::field::display),
                    tool,
                    outcome,
                    wall_ms = wall.as_secs_f64() * 1000.0,
                    trace_id = self.invocation.trace.trace_id_hex(),
                    principal = &*self.invocation.principal.name,
                    "call"
                )
            };
        }
        // A line of text costs as much as a small call. Those that went well are
        // for who asks for them; the others are for everybody.
        if outcome == SUCCEEDED { line!(debug) } else { line!(info) }
    }
}

impl Drop for Event<'_> {
    fn drop(&mut self) {
        if !self.logged {
            self.log("cancelled");
        }
    }
}

/// What the guest wrote, line by line, for those who ask for it.
pub(super) fn guest_log(skill: &Skill, tool: &Tool, log: &str) {
    if log.is_empty() || !tracing::enabled!(target: "bailiwick::guest", tracing::Level::DEBUG) {
        return;
    }
    for line in log.lines() {
        // Control characters could steer the terminal that shows the line.
        let line: String = line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        tracing::debug!(target: "bailiwick::guest", skill = %skill.manifest.id, tool = tool.name, "{line}");
    }
}

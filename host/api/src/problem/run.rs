//! What can go wrong with runs and with agents.

use std::path::Path;

use bailiwick_agents::definition::{DefinitionError, Problem as KeyProblem};
use bailiwick_agents::registry::{AgentError, PinError};
use bailiwick_agents::skills::DriverError;
use bailiwick_agents::{ControlError, SubmitError};
use bailiwick_domain::run::InvalidSpec;
use bailiwick_domain::trace::TraceContext;

use super::{Failure, Kind, quote};

/// Runs.
impl Failure {
    /// The path names no run.
    pub(crate) fn no_run() -> Self {
        Self::new(Kind::UNKNOWN_RUN, "no run has this id")
    }

    /// The run is there, and has no such graph.
    pub(crate) fn no_graph(subrun: Option<u32>) -> Self {
        let of = subrun.map(|subrun| format!("no subrun {subrun} that has a graph"));
        Self::new(Kind::UNKNOWN_RUN, format!("the run has {}", of.as_deref().unwrap_or("no graph")))
    }

    /// A member that makes a run impossible.
    pub(crate) fn invalid_run(pointer: &str, detail: &str) -> Self {
        Self::new(Kind::INVALID_RUN, format!("{pointer}: {detail}")).at(pointer.to_owned(), detail.to_owned())
    }

    /// The run is asked for by a capability that no agent has.
    pub(crate) fn no_capability(pointer: &str, word: &str) -> Self {
        Self::invalid_run(pointer, &format!("no agent that can be used has the capability `{}`", quote(word)))
    }

    /// A run was not taken up.
    pub(crate) fn submit(error: &SubmitError, trace: &TraceContext) -> Self {
        let detail = error.to_string();
        match error {
            SubmitError::Disabled => Self::new(Kind::RUNS_DISABLED, detail),
            SubmitError::Agent(error) => Self::pin(error),
            SubmitError::Spec(error) => Self::spec(error),
            SubmitError::Workflow(error) => Self::workflow(error),
            SubmitError::Budget { what, .. } => Self::invalid_run(&format!("/budget/{what}"), &detail),
            SubmitError::Input { .. } | SubmitError::WorkflowInput(_) => Self::invalid_run("/input", &detail),
            SubmitError::QueueFull(full) => {
                let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
                Self::after(Kind::RUN_QUEUE_FULL, detail, full.retry_after).with(|problem| {
                    problem.size = Some(count(full.size));
                    problem.capacity = Some(count(full.capacity));
                })
            }
            SubmitError::KeyMismatch => Self::new(Kind::IDEMPOTENCY_MISMATCH, detail),
            SubmitError::Journal(_) | SubmitError::Unwritable(_) | SubmitError::Random(_) => {
                Self::host_failure(&trace.trace_id_hex(), error)
            }
            SubmitError::Stopping => Self::not_ready(&detail),
        }
    }

    /// A run doesn't do what it is told, or can't be shown.
    pub(crate) fn control(error: &ControlError, trace: &TraceContext) -> Self {
        let detail = error.to_string();
        match error {
            ControlError::Unknown(_) => Self::new(Kind::UNKNOWN_RUN, detail),
            ControlError::Illegal { .. } | ControlError::Unfit(_) => Self::new(Kind::ILLEGAL_TRANSITION, detail),
            ControlError::Damaged { .. } => Self::new(Kind::RUN_DAMAGED, detail),
            ControlError::Journal(_) => Self::host_failure(&trace.trace_id_hex(), error),
            ControlError::Stopping => Self::not_ready(&detail),
        }
    }

    fn spec(error: &InvalidSpec) -> Self {
        let member = match error {
            InvalidSpec::UnknownAgent(_) => return Self::new(Kind::UNKNOWN_AGENT, quote(&error.to_string())),
            InvalidSpec::Empty(what) => *what,
            InvalidSpec::Twice(_) | InvalidSpec::TooManyAgents(_) => "agents",
            InvalidSpec::TooMany(_) => "items",
            InvalidSpec::Graph(_) => "graph",
            InvalidSpec::FirstIsNone(_) => "first",
            InvalidSpec::Depth(_) => "max_depth",
            InvalidSpec::NothingAtOnce => "at_once",
        };
        Self::invalid_run(&format!("/strategy/{member}"), &quote(&error.to_string()))
    }

    /// The skill can't drive a run.
    fn workflow(error: &DriverError) -> Self {
        let detail = match error {
            DriverError::Resolve(error) => return Self::resolve(error),
            DriverError::Callee { skill, callee, reason } => {
                let reason = Self::resolve(reason).document().detail.clone();
                format!("the workflow `{skill}` can't have the skill `{callee}`: {reason}")
            }
            DriverError::NoWorkflow(_) | DriverError::Acts { .. } => error.to_string(),
        };
        Self::invalid_run("/strategy/skill", &detail)
    }

    /// The agents of a run can't be had. Where files lie is the host's own affair.
    fn pin(error: &PinError) -> Self {
        match error {
            PinError::Unknown { .. } => Self::new(Kind::UNKNOWN_AGENT, quote(&error.to_string())),
            PinError::Broken { name, problem } => {
                Self::new(Kind::INVALID_RUN, format!("the agent `{name}` can't be used: {}", told(problem)))
            }
            PinError::Paused { .. } => Self::new(Kind::AGENT_PAUSED, error.to_string()),
            PinError::Skill { agent, skill, reason } => {
                let reason = Self::resolve(reason).document().detail.clone();
                let detail = format!("the agent `{agent}` can't have its skill `{skill}`: {reason}");
                Self::new(Kind::INVALID_RUN, detail)
            }
            PinError::Fallback { agent, problem } => {
                let reason = Self::pin(problem).document().detail.clone();
                let detail = format!("`on_failure.fallback` of the agent `{agent}`: {reason}");
                Self::new(Kind::INVALID_RUN, detail)
            }
        }
    }
}

/// Agents.
impl Failure {
    /// The path names no agent.
    pub(crate) fn no_agent() -> Self {
        Self::new(Kind::UNKNOWN_AGENT, "the path names no agent")
    }

    /// No agent has this name.
    pub(crate) fn unknown_agent(name: &str, near: Vec<String>) -> Self {
        let error = PinError::Unknown { name: quote(name), near };
        Self::new(Kind::UNKNOWN_AGENT, error.to_string())
    }

    /// The name in the body is not that in the path.
    pub(crate) fn other_name(found: &str, expected: &str) -> Self {
        let detail = format!("found `{}`, expected `{}`, as in the path", quote(found), quote(expected));
        Self::new(Kind::INVALID_AGENT, format!("name: {detail}")).at("/name".to_owned(), detail)
    }

    /// What is put is no definition.
    pub(crate) fn definition(error: &DefinitionError) -> Self {
        let failure = Self::new(Kind::INVALID_AGENT, told(error));
        let DefinitionError::Invalid { problems, .. } = error else { return failure };
        problems.iter().fold(failure, |failure, problem| {
            let KeyProblem { key, found, expected } = problem;
            failure.at(pointer(key), format!("found {found}, expected {expected}"))
        })
    }

    /// An agent can't be changed.
    pub(crate) fn agent(error: &AgentError, trace: &TraceContext) -> Self {
        let detail = error.to_string();
        match error {
            AgentError::Invalid(error) => Self::definition(error),
            AgentError::IsFile { .. } => Self::new(Kind::AGENT_IS_A_FILE, detail),
            AgentError::Unknown { .. } => Self::new(Kind::UNKNOWN_AGENT, quote(&detail)),
            AgentError::TooMany { .. } => Self::new(Kind::INVALID_AGENT, detail),
            AgentError::Random(_) | AgentError::Journal(_) => Self::host_failure(&trace.trace_id_hex(), error),
            AgentError::Stopping => Self::not_ready(&detail),
        }
    }
}

/// What is wrong with a definition, without the folders of the host.
pub(crate) fn told(error: &DefinitionError) -> String {
    let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match error {
        DefinitionError::Unreadable { file, reason } => format!("can't use `{}`: it {reason}", name(file)),
        DefinitionError::Syntax { file, line, message } => format!("{}:{line}: not TOML: {message}", name(file)),
        DefinitionError::Invalid { problems, .. } => {
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
        DefinitionError::Twice { first, .. } => format!("two files are named `{}`: expected one", name(first)),
        DefinitionError::Record(_) => error.to_string(),
    }
}

/// The JSON Pointer of a dotted key: `/skills/1` for `skills[1]`.
fn pointer(key: &str) -> String {
    let parts = key.split(['.', '[']).map(|part| part.trim_end_matches(']')).filter(|part| !part.is_empty());
    parts.flat_map(|part| ["/".to_owned(), part.replace('~', "~0").replace('/', "~1")]).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use bailiwick_agents::scheduler::queue::RunQueueFull;
    use bailiwick_domain::run::{EventKind, Status};
    use serde_json::json;

    use super::*;

    const TRACE: TraceContext = TraceContext { trace_id: [1; 16], span_id: [2; 8], sampled: false };

    #[test]
    fn a_full_queue_says_how_full_it_is_and_when_to_try_again() {
        let full = RunQueueFull { size: 64, capacity: 64, retry_after: Duration::from_secs(5) };
        let failure = Failure::submit(&SubmitError::QueueFull(full), &TRACE);
        let problem = failure.document();
        assert_eq!((problem.status, problem.code.as_str()), (429, "run-queue-full"));
        assert_eq!((problem.size, problem.capacity, problem.retry_after_ms), (Some(64), Some(64), Some(5000)));
        assert!(problem.detail.ends_with("Retry when queue pressure drops."), "{}", problem.detail);
    }

    #[test]
    fn a_transition_that_is_illegal_names_the_event_and_the_status() {
        let error = ControlError::Illegal { event: EventKind::Paused, status: Status::Completed };
        let failure = Failure::control(&error, &TRACE);
        assert_eq!(failure.document().status, 409);
        assert_eq!(failure.document().detail, "`run.paused` can't happen to a run that is completed");
    }

    #[test]
    fn what_is_wrong_with_a_definition_is_pointed_at() {
        use bailiwick_agents::AgentDefinition;
        let value = json!({ "name": "a", "description": "d", "instructions": "i", "models": ["m"],
            "skills": ["acme/echo", 7], "limits": { "max_steps": 0 } });
        let error = AgentDefinition::from_json(&value).expect_err("two keys are wrong");
        let failure = Failure::definition(&error);
        let pointers: Vec<&str> = failure.document().errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/skills/1", "/limits/max_steps"]);
    }

    #[test]
    fn clients_are_not_told_where_files_lie() {
        let file = PathBuf::from("/srv/agents/scout.toml");
        let problem = DefinitionError::Syntax { file, line: 3, message: "expected `=`".to_owned() };
        let error = SubmitError::Agent(PinError::Broken { name: "scout".to_owned(), problem });
        let failure = Failure::submit(&error, &TRACE);
        let detail = &failure.document().detail;
        assert_eq!(detail, "the agent `scout` can't be used: scout.toml:3: not TOML: expected `=`");
    }
}

//! What is asked for, as runs know it.

use bailiwick_agents::{Agents, BudgetRequest, RunFilter, Submission};
use bailiwick_domain::invocation::Principal;
use bailiwick_domain::model::Usd;
use bailiwick_domain::run::{Budget, Class, OnFailure, Status, Strategy};
use bailiwick_domain::trace::TraceContext;
use bailiwick_domain::units::parse_duration;
use bailiwick_wire::run as wire;

use crate::problem::Failure;

/// Characters of a label: a line that lists can show.
const MAX_LABEL: usize = 200;

/// How many agents go on one behind the other where nothing is said.
const DEFAULT_DEPTH: u32 = 4;

/// Items of a map under way at once where the request doesn't say.
const DEFAULT_AT_ONCE: u32 = 8;

/// Items of a map under way at once at the most: more are no faster with any provider.
const MAX_AT_ONCE: u32 = 64;

/// Who asks, beside what.
pub(crate) struct Submitter {
    /// On whose behalf.
    pub(crate) principal: Principal,
    /// The trace that the run belongs to.
    pub(crate) trace: TraceContext,
    /// What others say of it.
    pub(crate) trace_state: Option<String>,
    /// Makes repeated requests one run.
    pub(crate) idempotency_key: Option<String>,
}

/// The run that a request asks for.
pub(crate) fn submission(request: wire::RunRequest, agents: &Agents, by: Submitter) -> Result<Submission, Failure> {
    let wire::RunRequest { agent, strategy: asked, input, class: urgency, budget: taken, label } = request;
    let strategy = match (agent, asked) {
        (Some(agent), None) => Strategy::Single { agent },
        (None, Some(asked)) => strategy(asked, agents, "/strategy")?,
        (Some(_), Some(_)) => {
            return Err(Failure::invalid_run("/strategy", "it stands beside `agent`; expected one of them"));
        }
        (None, None) => {
            return Err(Failure::invalid_run("/agent", "there is no `agent` and no `strategy`; expected one of them"));
        }
    };
    if label.as_ref().is_some_and(|label| !is_label(label)) {
        let detail = format!("expected 1 to {MAX_LABEL} characters in one line");
        return Err(Failure::invalid_run("/label", &detail));
    }
    Ok(Submission {
        input,
        strategy,
        class: class(urgency),
        budget: budget(taken)?,
        label,
        principal: by.principal,
        trace: by.trace,
        trace_state: by.trace_state,
        idempotency_key: by.idempotency_key,
    })
}

/// What is asked for at a new try, on top of what the run had.
pub(crate) fn renewed(asked: wire::RunBudgetRequest, had: &Budget) -> Result<BudgetRequest, Failure> {
    let asked = budget(asked)?;
    Ok(BudgetRequest {
        steps: asked.steps.or(Some(had.steps)),
        wall: asked.wall.or(Some(had.wall())),
        tokens: asked.tokens.or(had.tokens),
        usd: asked.usd.or(had.usd),
        fuel: asked.fuel.or(had.fuel),
        host_calls: asked.host_calls.or(had.host_calls),
    })
}

/// Which runs are asked for.
pub(crate) fn filter(query: wire::RunsQuery) -> RunFilter {
    let wire::RunsQuery { status: stands, agent, label, principal, limit: _, cursor: _ } = query;
    RunFilter { status: stands.map(status), agent, label, principal }
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.chars().count()) && !label.chars().any(char::is_control)
}

/// The strategy that stands at `at` in the request.
pub(super) fn strategy(asked: wire::RunStrategy, registry: &Agents, at: &str) -> Result<Strategy, Failure> {
    match asked {
        wire::RunStrategy::Single { agent } => Ok(Strategy::Single { agent }),
        wire::RunStrategy::Router { agents, by, capability } => {
            let agents = routed(agents, capability.as_deref(), registry, at)?;
            let by = by.or_else(|| agents.first().cloned()).unwrap_or_default();
            Ok(Strategy::Router { agents, by })
        }
        wire::RunStrategy::Handoff { agents, first, max_depth } => {
            let first = first.or_else(|| agents.first().cloned()).unwrap_or_default();
            Ok(Strategy::Handoff { agents, first, max_depth: max_depth.unwrap_or(DEFAULT_DEPTH) })
        }
        wire::RunStrategy::Workflow { skill } => match skill.parse() {
            Ok(skill) => Ok(Strategy::Workflow { skill }),
            Err(error) => Err(Failure::invalid_run(&format!("{at}/skill"), &format!("`{skill}`: {error}"))),
        },
        wire::RunStrategy::Graph { graph, agents } => {
            Ok(Strategy::Graph { graph: super::graph::graph(graph, registry, &format!("{at}/graph"))?, agents })
        }
        wire::RunStrategy::ParallelMap { agent, items, reduce, on_failure, at_once } => {
            let at_once = at_once.unwrap_or(DEFAULT_AT_ONCE);
            if !(1..=MAX_AT_ONCE).contains(&at_once) {
                let detail = format!("{at_once}, expected 1 to {MAX_AT_ONCE}");
                return Err(Failure::invalid_run(&format!("{at}/at_once"), &detail));
            }
            let on_failure = match on_failure {
                wire::OnFailure::FailFast => OnFailure::FailFast,
                wire::OnFailure::Collect => OnFailure::Collect,
            };
            Ok(Strategy::ParallelMap { agent, items, reduce, on_failure, at_once })
        }
    }
}

/// The agents that a router chooses among.
fn routed(named: Vec<String>, capability: Option<&str>, registry: &Agents, at: &str) -> Result<Vec<String>, Failure> {
    match (named.is_empty(), capability) {
        (false, None) => Ok(named),
        (true, None) => {
            Err(Failure::invalid_run(&format!("{at}/agents"), "it is empty; expected one at least, or a `capability`"))
        }
        (false, Some(_)) => {
            Err(Failure::invalid_run(&format!("{at}/capability"), "it stands beside `agents`; expected one of them"))
        }
        (true, Some(word)) => {
            let capable: Vec<String> = registry.for_capability(word).iter().map(|agent| agent.name.clone()).collect();
            if capable.is_empty() {
                Err(Failure::no_capability(&format!("{at}/capability"), word))
            } else {
                Ok(capable)
            }
        }
    }
}

fn budget(asked: wire::RunBudgetRequest) -> Result<BudgetRequest, Failure> {
    let wire::RunBudgetRequest { steps, wall, tokens, usd, fuel, host_calls } = asked;
    let wall = wall.as_deref().map(parse_duration).transpose();
    let wall = wall.map_err(|error| Failure::invalid_run("/budget/wall", &error.to_string()))?;
    Ok(BudgetRequest { steps, wall, tokens, usd: usd.map(Usd::from_dollars), fuel, host_calls })
}

const fn class(class: wire::RunClass) -> Class {
    match class {
        wire::RunClass::Interactive => Class::Interactive,
        wire::RunClass::Normal => Class::Normal,
        wire::RunClass::Batch => Class::Batch,
    }
}

const fn status(status: wire::RunStatus) -> Status {
    match status {
        wire::RunStatus::Queued => Status::Queued,
        wire::RunStatus::Running => Status::Running,
        wire::RunStatus::WaitingApproval => Status::WaitingApproval,
        wire::RunStatus::Paused => Status::Paused,
        wire::RunStatus::Interrupted => Status::Interrupted,
        wire::RunStatus::Completed => Status::Completed,
        wire::RunStatus::Failed => Status::Failed,
        wire::RunStatus::Cancelled => Status::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_new_try_keeps_what_is_not_asked_for() {
        let had = Budget {
            steps: 10,
            wall_ms: 60_000,
            tokens: None,
            usd: Some(Usd::from_dollars(0.5)),
            fuel: Some(7),
            host_calls: None,
        };
        let asked = wire::RunBudgetRequest { steps: Some(20), tokens: Some(900), ..wire::RunBudgetRequest::default() };
        let renewed = renewed(asked, &had).expect("a budget");
        let expected = BudgetRequest {
            steps: Some(20),
            wall: Some(Duration::from_mins(1)),
            tokens: Some(900),
            usd: Some(Usd::from_dollars(0.5)),
            fuel: Some(7),
            host_calls: None,
        };
        assert_eq!(renewed, expected);
    }

    #[test]
    fn time_that_nobody_can_read_is_pointed_at() {
        let asked = wire::RunBudgetRequest { wall: Some("soon".to_owned()), ..wire::RunBudgetRequest::default() };
        let failure = budget(asked).expect_err("no time");
        assert_eq!(failure.document().code, "invalid-run");
        assert_eq!(failure.document().errors[0].pointer, "/budget/wall");
    }

    #[test]
    fn a_label_is_one_short_line() {
        assert!(is_label("ports, second try"));
        assert!(is_label(&"å".repeat(MAX_LABEL)));
        assert!(!is_label(""));
        assert!(!is_label("two\nlines"));
        assert!(!is_label(&"a".repeat(MAX_LABEL + 1)));
    }
}

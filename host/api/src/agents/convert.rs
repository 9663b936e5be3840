//! From agents to the wire.

use std::time::{Duration, UNIX_EPOCH};

use bailiwick_agents::AgentDefinition;
use bailiwick_agents::definition::AgentLimits;
use bailiwick_agents::registry::{Agent, Pause, Source};
use bailiwick_agents::standing::{AgentState, Standing};
use bailiwick_domain::model::Usd;
use bailiwick_domain::run::{Disclosure, FailurePolicy};
use bailiwick_domain::units::format_duration;
use bailiwick_wire::agent as wire;

use crate::problem;
use crate::time;

/// An agent in short.
pub(super) fn summary(standing: &Standing) -> wire::AgentSummary {
    let (agent, health) = (&standing.agent, &standing.health);
    let definition = agent.usable();
    wire::AgentSummary {
        name: agent.name.clone(),
        state: state(standing.state),
        source: source(agent),
        open_tasks: health.open_tasks,
        tasks_completed: health.tasks_completed,
        tasks_failed: health.tasks_failed,
        last_active: health.last_active.map(moment),
        paused: agent.paused.as_ref().map(pause),
        description: definition.map(|definition| definition.description.clone()),
        capabilities: definition.map(|definition| definition.capabilities.clone()).unwrap_or_default(),
        skills: definition.map(skills).unwrap_or_default(),
        models: definition.map(|definition| definition.models.clone()).unwrap_or_default(),
        error: error(standing),
    }
}

/// All that is known of an agent.
pub(super) fn agent(standing: &Standing) -> wire::Agent {
    let (agent, health) = (&standing.agent, &standing.health);
    wire::Agent {
        id: agent.id.clone(),
        name: agent.name.clone(),
        state: state(standing.state),
        source: source(agent),
        open_tasks: health.open_tasks,
        tasks_completed: health.tasks_completed,
        tasks_failed: health.tasks_failed,
        last_active: health.last_active.map(moment),
        paused: agent.paused.as_ref().map(pause),
        definition: agent.usable().map(definition),
        error: error(standing),
        created_at: moment(agent.created_at),
        updated_at: moment(agent.updated_at),
    }
}

fn moment(millis: u64) -> String {
    time::format_millis(UNIX_EPOCH + Duration::from_millis(millis))
}

fn pause(pause: &Pause) -> wire::AgentPause {
    wire::AgentPause { by: pause.by.clone(), at: moment(pause.at) }
}

const fn state(state: AgentState) -> wire::AgentState {
    match state {
        AgentState::Spawning => wire::AgentState::Spawning,
        AgentState::Idle => wire::AgentState::Idle,
        AgentState::Working => wire::AgentState::Working,
        AgentState::Paused => wire::AgentState::Paused,
        AgentState::Error => wire::AgentState::Error,
        AgentState::Terminated => wire::AgentState::Terminated,
    }
}

/// Why an agent is in error.
fn error(standing: &Standing) -> Option<String> {
    match &standing.agent.definition {
        Err(error) => Some(problem::told(error)),
        Ok(_) if standing.state == AgentState::Error => {
            Some(format!("its last {} tasks failed", standing.health.failed_in_a_row))
        }
        Ok(_) => None,
    }
}

const fn source(agent: &Agent) -> wire::AgentSource {
    match agent.source {
        Source::File(_) => wire::AgentSource::File,
        Source::Record => wire::AgentSource::Record,
    }
}

fn skills(definition: &AgentDefinition) -> Vec<String> {
    definition.skills.iter().map(ToString::to_string).collect()
}

fn definition(definition: &AgentDefinition) -> wire::AgentDefinition {
    wire::AgentDefinition {
        name: Some(definition.name.clone()),
        description: definition.description.clone(),
        instructions: definition.instructions.clone(),
        models: definition.models.clone(),
        skills: skills(definition),
        capabilities: definition.capabilities.clone(),
        disclosure: match definition.disclosure {
            Disclosure::Progressive => wire::AgentDisclosure::Progressive,
            Disclosure::All => wire::AgentDisclosure::All,
        },
        max_tokens: definition.max_tokens,
        temperature: definition.temperature_milli.map(|milli| f64::from(milli) / 1000.0),
        can_delegate: Some(definition.can_delegate),
        limits: limits(&definition.limits),
        on_failure: (!definition.on_failure.is_none()).then(|| on_failure(&definition.on_failure)),
        output_schema: definition.output_schema.clone(),
    }
}

fn on_failure(policy: &FailurePolicy) -> wire::AgentOnFailure {
    wire::AgentOnFailure { retries: Some(policy.retries), fallback: policy.fallback.clone(), ask: Some(policy.ask) }
}

fn limits(limits: &AgentLimits) -> wire::AgentLimits {
    wire::AgentLimits {
        max_steps: Some(limits.max_steps),
        tokens: limits.tokens,
        usd: limits.usd.map(Usd::dollars),
        fuel: limits.fuel,
        wall: limits.wall.map(format_duration),
        host_calls: limits.host_calls,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_shown_of_an_agent_can_be_put_again() {
        let value = json!({
            "name": "scout", "description": "d", "instructions": "i", "models": ["small"],
            "skills": ["acme/echo@^0.1"], "capabilities": ["research"], "disclosure": "all",
            "max_tokens": 900, "temperature": 0.7, "can_delegate": false,
            "limits": { "max_steps": 5, "tokens": 1000, "usd": 0.25, "wall": "10 min", "host_calls": 3 },
            "on_failure": { "retries": 2, "fallback": "writer", "ask": true },
            "output_schema": { "type": "object", "required": ["title"] }
        });
        let known = AgentDefinition::from_json(&value).expect("valid");
        let shown = serde_json::to_value(definition(&known)).expect("writable");
        assert_eq!(AgentDefinition::from_json(&shown), Ok(known));
    }
}

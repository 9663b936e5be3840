//! The agents of a run as they are now: what the run keeps of them.

use std::time::{Duration, UNIX_EPOCH};

use bailiwick_domain::run::{Disclosure, FailurePolicy, Member, PinnedSkill, PinnedTool, TaskLimits, Team};
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_skills::audit::moment;
use bailiwick_skills::catalog::ResolveError;
use bailiwick_skills::near::hint;
use bailiwick_skills::skill::{Skill, Tool};

use super::{Agents, Pause};
use crate::definition::{AgentDefinition, DefinitionError};
use crate::skills::Driver;

/// Characters of the line that stands for a skill without a description of its own.
const MAX_LINE: usize = 1024;

/// Why the agents of a run can't be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// There is no such agent.
    #[error("there is no agent `{name}`{}", hint(near))]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// Names that are like it.
        near: Vec<String>,
    },
    /// There is one, and it can't be used.
    #[error("the agent `{name}` can't be used: {problem}")]
    Broken {
        /// Which agent.
        name: String,
        /// What is wrong with it.
        problem: DefinitionError,
    },
    /// A person paused it.
    #[error(
        "the agent `{name}` is paused, by `{by}` since {at}, and gets no new runs: `bailiwick agents resume {name}` \
         or `POST /v1/agents/{name}/resume` lets it go on"
    )]
    Paused {
        /// Which agent.
        name: String,
        /// Who paused it.
        by: String,
        /// Since when.
        at: String,
    },
    /// One of its skills isn't there.
    #[error("the agent `{agent}` can't have its skill `{skill}`: {reason}")]
    Skill {
        /// Which agent.
        agent: String,
        /// The skill as the agent names it.
        skill: String,
        /// Why not.
        reason: Box<ResolveError>,
    },
    /// The agent that goes on where it fails can't be had.
    #[error("`on_failure.fallback` of the agent `{agent}`: {problem}")]
    Fallback {
        /// Whose.
        agent: String,
        /// Why not.
        problem: Box<Self>,
    },
}

/// Says what a selector means now, as runs keep it.
pub type Pin<'p> = &'p dyn Fn(&SkillSelector) -> Result<PinnedSkill, ResolveError>;

/// The agents of these names with their skills as `pin` has them, and those that go on where they
/// fail. A name may be given more than once.
///
/// # Errors
///
/// The first agent that there isn't, that is paused or can't be used, or whose skill can't
/// be had.
pub fn team(agents: &Agents, names: &[&str], pin: Pin<'_>) -> Result<Team, PinError> {
    let mut team = Team::default();
    for name in names {
        let (mut name, mut named_by) = ((*name).to_owned(), None);
        // Who is in the team has its own there too, so that a circle ends.
        while !team.members.contains_key(&name) {
            let by: Option<String> = named_by.take();
            let member = pinned_agent(agents, &name, pin).map_err(|problem| match by {
                None => problem,
                Some(agent) => PinError::Fallback { agent, problem: Box::new(problem) },
            })?;
            let fallback = member.on_failure.fallback.clone();
            team.members.insert(name.clone(), member);
            let Some(fallback) = fallback else { break };
            named_by = Some(std::mem::replace(&mut name, fallback));
        }
    }
    Ok(team)
}

fn pinned_agent(agents: &Agents, name: &str, pin: Pin<'_>) -> Result<Member, PinError> {
    let Some(agent) = agents.get(name) else {
        return Err(PinError::Unknown { name: name.to_owned(), near: agents.near(name) });
    };
    if let Some(Pause { by, at }) = &agent.paused {
        let at = moment(UNIX_EPOCH + Duration::from_millis(*at));
        return Err(PinError::Paused { name: agent.name.clone(), by: by.clone(), at });
    }
    let definition = agent.definition.as_ref();
    let broken = |problem: &DefinitionError| PinError::Broken { name: agent.name.clone(), problem: problem.clone() };
    member(definition.map_err(broken)?, pin)
}

fn member(definition: &AgentDefinition, pin: Pin<'_>) -> Result<Member, PinError> {
    let mut skills = Vec::with_capacity(definition.skills.len());
    for selector in &definition.skills {
        let skill = pin(selector).map_err(|reason| PinError::Skill {
            agent: definition.name.clone(),
            skill: selector.to_string(),
            reason: Box::new(reason),
        })?;
        skills.push(skill);
    }
    let mut member = Member {
        description: definition.description.clone(),
        instructions: definition.instructions.clone(),
        models: definition.models.clone(),
        skills,
        disclosure: definition.disclosure,
        max_steps: definition.limits.max_steps,
        limits: TaskLimits {
            tokens: definition.limits.tokens,
            usd: definition.limits.usd,
            fuel: definition.limits.fuel,
            host_calls: definition.limits.host_calls,
        },
        max_tokens: definition.max_tokens,
        temperature_milli: definition.temperature_milli,
        can_delegate: definition.can_delegate,
        on_failure: definition.on_failure.clone(),
        output_schema: definition.output_schema.clone(),
    };
    member.name_tools();
    Ok(member)
}

/// The team of a run that a workflow drives: the workflow alone, under its own name, with
/// the skills that it may call behind it.
pub fn driven(driver: Driver) -> Team {
    let name = driver.skill.id.to_string();
    let mut member = Member {
        description: driver.skill.description.clone(),
        instructions: String::new(),
        models: Vec::new(),
        skills: [driver.skill].into_iter().chain(driver.calls).collect(),
        disclosure: Disclosure::All,
        max_steps: u64::MAX,
        limits: TaskLimits::default(),
        max_tokens: None,
        temperature_milli: None,
        can_delegate: false,
        on_failure: FailurePolicy::default(),
        output_schema: None,
    };
    member.name_tools();
    Team { members: [(name, member)].into() }
}

/// A skill as runs keep it.
pub fn pinned(skill: &Skill) -> PinnedSkill {
    PinnedSkill {
        id: skill.manifest.id.clone(),
        version: skill.manifest.version.clone(),
        digest: skill.digest,
        description: skill.instructions.as_ref().map_or_else(|| line(&skill.tools), |text| text.description.clone()),
        instructions: skill.instructions.as_ref().map(|text| text.body.clone()).unwrap_or_default(),
        tools: skill.tools.iter().map(pinned_tool).collect(),
    }
}

/// A tool whose alias is given when all of the agent are known.
fn pinned_tool(tool: &Tool) -> PinnedTool {
    PinnedTool {
        name: tool.name.clone(),
        alias: String::new(),
        description: tool.description.clone(),
        input_schema: tool.input_schema.clone(),
        idempotent: tool.idempotent,
    }
}

/// What a skill without a `SKILL.md` is good for, as far as its tools tell.
fn line(tools: &[Tool]) -> String {
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    format!("Its tools: {}", names.join(", ")).chars().take(MAX_LINE).collect()
}

//! The agents of a run as they were when it began. A run keeps them, whatever becomes
//! of their files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::escalation::FailurePolicy;
use super::names;
use super::spend::TaskLimits;
use crate::digest::Digest;
use crate::skill_id::SkillId;

/// The agents of a run by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Each as it was when the run began.
    pub members: BTreeMap<String, Member>,
}

/// An agent as it was when a run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// What it is good for, in a line.
    pub description: String,
    /// What it is told before anything else.
    pub instructions: String,
    /// Names of models by preference.
    pub models: Vec<String>,
    /// What it may call.
    pub skills: Vec<PinnedSkill>,
    /// How it learns what it may call.
    pub disclosure: Disclosure,
    /// Requests to models that one task of it may take.
    pub max_steps: u64,
    /// What one task of it may take otherwise.
    #[serde(default)]
    pub limits: TaskLimits,
    /// The most tokens of one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// From 0 upward, in thousandths, so that the same agent is the same text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_milli: Option<u32>,
    /// Whether it may give its work to other agents. Runs of before don't say; all could.
    #[serde(default = "yes")]
    pub can_delegate: bool,
    /// What follows where a task of it fails.
    #[serde(default, skip_serializing_if = "FailurePolicy::is_none")]
    pub on_failure: FailurePolicy,
    /// A JSON Schema that its last answer has to fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
}

/// How an agent learns what it may call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disclosure {
    /// Names and descriptions of skills first; instructions and tools of those that it
    /// chooses.
    #[default]
    Progressive,
    /// Everything at once.
    All,
}

/// A skill as it was when a run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedSkill {
    /// Which.
    pub id: SkillId,
    /// Its release.
    pub version: Version,
    /// Its bytes. A run calls no others.
    pub digest: Digest,
    /// What it is good for.
    pub description: String,
    /// What its `SKILL.md` says.
    pub instructions: String,
    /// What can be called; none for prompts.
    pub tools: Vec<PinnedTool>,
}

/// A tool as it was when a run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedTool {
    /// By which the skill knows it.
    pub name: String,
    /// By which models know it: unlike that of every other tool of the agent.
    pub alias: String,
    /// What it does.
    pub description: String,
    /// JSON Schema of the arguments.
    pub input_schema: Arc<Value>,
    /// Whether a call that was cut off may simply be made again.
    pub idempotent: bool,
}

impl Team {
    /// An agent with all that may get a task of it where it fails: its fallback, the fallback
    /// of that one and so on, each once.
    pub fn line_of<'t>(&'t self, name: &'t str) -> Vec<&'t Member> {
        let (mut line, mut seen) = (Vec::new(), BTreeSet::new());
        let mut next = Some(name);
        while let Some(name) = next.filter(|name| seen.insert(*name)) {
            let Some(member) = self.members.get(name) else { break };
            line.push(member);
            next = member.on_failure.fallback.as_deref();
        }
        line
    }
}

impl Member {
    /// The tool that models know by `alias`, with its skill.
    pub fn tool(&self, alias: &str) -> Option<(&PinnedSkill, &PinnedTool)> {
        let all = self.skills.iter().flat_map(|skill| skill.tools.iter().map(move |tool| (skill, tool)));
        all.into_iter().find(|(_, tool)| tool.alias == alias)
    }

    /// Whether it may call what `other` may not: then whoever gives it work gives more than
    /// it has.
    pub fn reaches_beyond(&self, other: &Self) -> bool {
        let has = |wanted: &PinnedSkill| other.skills.iter().any(|skill| skill.id == wanted.id);
        self.skills.iter().any(|skill| !has(skill))
    }

    /// The skill of this id, or of this name where no other skill has it.
    pub fn skill(&self, name: &str) -> Option<&PinnedSkill> {
        let by_id = self.skills.iter().find(|skill| skill.id.as_str() == name);
        by_id.or_else(|| {
            let mut named = self.skills.iter().filter(|skill| skill.id.name() == name);
            named.next().filter(|_| named.next().is_none())
        })
    }

    /// Gives every tool a name that models take and that no other tool of the agent has.
    pub fn name_tools(&mut self) {
        let mut taken: Vec<String> =
            [names::USE_SKILL, names::CHOOSE_AGENT, names::HANDOFF, names::ADD_NODES].map(str::to_owned).into();
        for skill in &mut self.skills {
            for tool in &mut skill.tools {
                tool.alias = names::unlike(&taken, names::alias(&skill.id, &tool.name));
                taken.push(tool.alias.clone());
            }
        }
    }
}

const fn yes() -> bool {
    true
}

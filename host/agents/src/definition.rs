//! What an agent is: who it is, what it is told, and what it may take.
//!
//! A definition comes from a TOML file or from JSON. Both have the same keys and are
//! read by the same code (`read`); `source` turns a file into the JSON that it says, with
//! the instructions that may lie beside it. What is wrong is said with the key, what was
//! found and what was expected, all of it at once.

mod error;
mod found;
mod read;
mod source;
mod stamp;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::model::Usd;
use bailiwick_domain::run::{Disclosure, FailurePolicy};
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::units::format_duration;
use serde_json::{Value, json};

pub use self::error::{DefinitionError, Problem};
pub(crate) use self::source::read_file;
pub(crate) use self::stamp::Stamp;

/// Characters of a name, and of the word for a capability.
pub const MAX_NAME: usize = 64;

/// Characters of a description: one line for those who choose, as the Agent Skills format has it.
pub const MAX_DESCRIPTION: usize = 1024;

/// Bytes of instructions: some 16,000 tokens, which every request to the model carries.
pub const MAX_INSTRUCTIONS: usize = 64 << 10;

/// Models of one agent: more are no preference.
pub const MAX_MODELS: usize = 8;

/// Skills of one agent: models lose sight of more.
pub const MAX_SKILLS: usize = 64;

/// Capabilities of one agent.
pub const MAX_CAPABILITIES: usize = 64;

/// How often an agent may begin a task anew by itself: what fails more often is no accident.
pub const MAX_TASK_RETRIES: u32 = 5;

/// Bytes of the schema of an agent's answers, as JSON: every request to the model carries it.
pub const MAX_OUTPUT_SCHEMA: usize = 64 << 10;

/// Requests to models that one task may take where nothing is said.
pub const DEFAULT_MAX_STEPS: u64 = 32;

/// What an agent is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentDefinition {
    /// Who it is: 1 to 64 lowercase letters, digits and single hyphens, a letter first.
    pub name: String,
    /// What it is good for, in one line of 1 to 1024 characters.
    pub description: String,
    /// What it is told before anything else: at most 64 KiB, and not blank.
    pub instructions: String,
    /// Names of models by preference: 1 to 8, each once.
    pub models: Vec<String>,
    /// What it may call: at most 64, no two of one id.
    pub skills: Vec<SkillSelector>,
    /// Words by which it can be found: at most 64, of the form of a name, each once.
    pub capabilities: Vec<String>,
    /// How it learns what it may call.
    pub disclosure: Disclosure,
    /// The most tokens of one answer.
    pub max_tokens: Option<u32>,
    /// From 0 to 2000, in thousandths, so that the same agent is the same text.
    pub temperature_milli: Option<u32>,
    /// Whether it may give its work to other agents, where a strategy has several.
    pub can_delegate: bool,
    /// What it may take.
    pub limits: AgentLimits,
    /// What follows where a task of it fails: at most 5 retries, and no fallback to itself.
    pub on_failure: FailurePolicy,
    /// A JSON Schema (2020-12) that its last answer has to fit: at most 64 KiB of JSON, and
    /// complete in itself.
    pub output_schema: Option<Value>,
}

/// What one task of an agent may take. Where nothing is said, the run's own budget alone
/// ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentLimits {
    /// Requests to models that one task of it may take: 1 to 1000.
    pub max_steps: u64,
    /// Tokens of requests and answers together.
    pub tokens: Option<u64>,
    /// Money.
    pub usd: Option<Usd>,
    /// Units of fuel of all calls of skills.
    pub fuel: Option<u64>,
    /// Time of each run that the agent is in, in whole milliseconds, at most 720 hours.
    pub wall: Option<Duration>,
    /// Calls of the host by skills.
    pub host_calls: Option<u64>,
}

impl Default for AgentLimits {
    fn default() -> Self {
        Self { max_steps: DEFAULT_MAX_STEPS, tokens: None, usd: None, fuel: None, wall: None, host_calls: None }
    }
}

impl AgentDefinition {
    /// Reads the text of the file at `file`, whose stem must be the agent's name. The
    /// file itself is not read, but the one that `instructions_file` names beside it is.
    ///
    /// # Errors
    ///
    /// All that is wrong, with the keys.
    pub fn from_toml(text: &str, file: &Path) -> Result<Self, DefinitionError> {
        source::parse(text, file).definition
    }

    /// Reads a JSON object with the keys of a file, but for `instructions_file`.
    ///
    /// # Errors
    ///
    /// All that is wrong, with the keys.
    pub fn from_json(value: &Value) -> Result<Self, DefinitionError> {
        read::read_json(value).map_err(|problems| DefinitionError::Invalid { file: None, problems })
    }

    /// The definition as JSON, by the keys of a file. [`AgentDefinition::from_json`] reads
    /// it as the same definition. Members stand in a fixed order.
    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "name": self.name,
            "description": self.description,
            "instructions": self.instructions,
            "models": self.models,
            "skills": self.skills.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "capabilities": self.capabilities,
            "disclosure": match self.disclosure {
                Disclosure::Progressive => "progressive",
                Disclosure::All => "all",
            },
        });
        let mut put = |key: &str, member: Option<Value>| {
            if let Some(member) = member {
                value[key] = member;
            }
        };
        put("max_tokens", self.max_tokens.map(Value::from));
        put("temperature", self.temperature_milli.map(|milli| Value::from(f64::from(milli) / 1000.0)));
        put("can_delegate", Some(Value::from(self.can_delegate)));
        put("limits", Some(self.limits.to_json()));
        put("on_failure", (!self.on_failure.is_none()).then(|| on_failure_json(&self.on_failure)));
        put("output_schema", self.output_schema.clone());
        value
    }

    /// sha256 of the definition as JSON: equal for equal definitions.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_json().to_string().as_bytes())
    }

    /// Whether it says that it has this capability.
    pub fn is_capable_of(&self, word: &str) -> bool {
        self.capabilities.iter().any(|capability| capability == word)
    }
}

impl AgentLimits {
    fn to_json(&self) -> Value {
        let mut value = json!({ "max_steps": self.max_steps });
        let mut put = |key: &str, member: Option<Value>| {
            if let Some(member) = member {
                value[key] = member;
            }
        };
        put("tokens", self.tokens.map(Value::from));
        put("usd", self.usd.map(|usd| Value::from(usd.dollars())));
        put("fuel", self.fuel.map(Value::from));
        put("wall", self.wall.map(|wall| Value::from(format_duration(wall))));
        put("host_calls", self.host_calls.map(Value::from));
        value
    }
}

fn on_failure_json(policy: &FailurePolicy) -> Value {
    let mut value = json!({ "retries": policy.retries });
    if let Some(fallback) = &policy.fallback {
        value["fallback"] = Value::from(fallback.as_str());
    }
    value["ask"] = Value::from(policy.ask);
    value
}

/// Whether `text` can be the name of an agent: 1 to 64 lowercase letters, digits and
/// single hyphens, a letter first; `runs` is taken.
pub fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= MAX_NAME
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(allowed)
        && !text.ends_with('-')
        && !text.contains("--")
        // `/v1/agents/runs` is another route.
        && text != "runs"
}

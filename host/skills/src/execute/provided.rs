//! What a component provides by `bailiwick:skill`: tools that are known only at run
//! time, and the functions behind prompts and resources.
//!
//! Each is a call like any other: under the skill's grant, within its limits, recorded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::sandbox::Output;
use bailiwick_domain::skill_id::SkillSelector;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{ExecuteError, Executor, Hooks, find_tool};
use crate::schema::Validator;
use crate::skill::{Passing, Skill, Tool};

/// How long a list of tools is believed. A change of the skill or of its grant ends it
/// earlier.
const LIFETIME: Duration = Duration::from_secs(30);

/// Lists that are kept: one for each skill that has some.
const MAX_LISTINGS: usize = 1024;

/// Tools that one list may have: as many as a component may export.
const MAX_TOOLS: usize = 256;

/// Bytes of a tool's name, which stands in records and logs.
const MAX_NAME: usize = 128;

/// A tool that the skill named at run time, held by whoever calls it.
pub type ListedTool = Arc<Tool>;

/// The lists of run-time tools, by the bytes of the skill and the grant that they were
/// made under.
#[derive(Default)]
pub(super) struct Listings(Mutex<HashMap<(Digest, Digest), Listing>>);

/// The tools, and when they were listed.
type Listing = (Instant, Arc<[ListedTool]>);

/// Why what a skill provides can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProvidedError {
    /// The call of its function came to nothing.
    #[error(transparent)]
    Execute(#[from] Box<ExecuteError>),
    /// Its own failure, in words.
    #[error("`{function}` of the skill failed: {message}")]
    Failed {
        /// Which function: `tools.list`.
        function: &'static str,
        /// What it said.
        message: String,
    },
    /// Its answer is not what the interface says.
    #[error("`{function}` of the skill answered what nobody can use: {problem}")]
    Answer {
        /// Which function.
        function: &'static str,
        /// What is wrong.
        problem: String,
    },
}

/// The call that asks for what a skill provides: on whose behalf, and in which trace.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) skill: &'a Arc<Skill>,
    pub(crate) function: &'static str,
    pub(crate) arguments: Value,
    pub(crate) invocation: &'a Invocation,
}

/// A tool as a skill lists it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    name: String,
    description: Option<String>,
    input_schema: String,
    output_schema: Option<String>,
}

/// The tool that a call means: one of the component's types, or one that it lists.
pub(super) enum Found<'s> {
    Typed(&'s Tool),
    Listed(ListedTool),
}

impl std::ops::Deref for Found<'_> {
    type Target = Tool;

    fn deref(&self) -> &Tool {
        match self {
            Self::Typed(tool) => tool,
            Self::Listed(tool) => tool,
        }
    }
}

impl Executor {
    /// The tools that the skill names at run time; none where it has no such list.
    pub async fn listed_tools(&self, invocation: &Invocation) -> Result<Arc<[ListedTool]>, ProvidedError> {
        let skill = self.resolve(&invocation.skill)?;
        self.listed(&skill, invocation).await
    }

    /// The skill that a selector means.
    pub(crate) fn resolve(&self, skill: &SkillSelector) -> Result<Arc<Skill>, Box<ExecuteError>> {
        self.parts.registry.catalog().resolve(skill).map_err(|error| Box::new(error.into()))
    }

    /// The tool that an invocation means.
    pub(super) async fn tool<'s>(
        &self,
        skill: &'s Arc<Skill>,
        invocation: &Invocation,
    ) -> Result<Found<'s>, ExecuteError> {
        let named = invocation.tool.as_deref();
        let typed = named.and_then(|name| skill.tool(name));
        if typed.is_some() || skill.provided("tools.call").is_none() {
            return typed.map_or_else(|| find_tool(skill, named), Ok).map(Found::Typed);
        }
        let listed = self.listed(skill, invocation).await.map_err(ExecuteError::from)?;
        let all = || skill.tools.iter().chain(listed.iter().map(|tool| &**tool));
        let id = || skill.manifest.id.clone();
        let tools = || all().map(|tool| tool.name.clone()).collect::<Vec<_>>();
        match named {
            None if skill.tools.is_empty() && listed.len() == 1 => Ok(Found::Listed(Arc::clone(&listed[0]))),
            None => Err(ExecuteError::NoToolNamed { skill: id(), tools: tools() }),
            Some(name) => {
                listed.iter().find(|tool| tool.name == name).map(|tool| Found::Listed(Arc::clone(tool))).ok_or_else(
                    || {
                        let near = crate::near::near(name, all().map(|tool| tool.name.as_str()));
                        ExecuteError::UnknownTool { skill: id(), name: name.to_owned(), near, tools: tools() }
                    },
                )
            }
        }
    }

    async fn listed(&self, skill: &Arc<Skill>, invocation: &Invocation) -> Result<Arc<[ListedTool]>, ProvidedError> {
        const FUNCTION: &str = "tools.list";
        let Some(call) = skill.provided("tools.call").filter(|_| skill.provided(FUNCTION).is_some()) else {
            return Ok(Arc::default());
        };
        let grants = self.parts.grants.current();
        let grant = grants.of(&skill.manifest.id, &skill.digest).map(|entry| entry.fingerprint);
        let now = self.parts.clock.instant();
        let key = grant.map(|grant| (skill.digest, grant));
        if let Some(known) = key.and_then(|key| self.listings.get(&key, now)) {
            return Ok(known);
        }
        let ask = Ask { skill, function: FUNCTION, arguments: json!({}), invocation };
        let listed: Vec<Listed> = self.provided(ask).await?;
        let wrong = |problem| ProvidedError::Answer { function: FUNCTION, problem };
        let tools: Arc<[ListedTool]> = tools(skill, call, listed).map_err(wrong)?.into();
        if let Some(key) = key {
            self.listings.keep(key, now, &tools);
        }
        Ok(tools)
    }

    /// Calls a function that the skill provides, and reads its answer.
    pub(crate) async fn provided<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T, ProvidedError> {
        let function = ask.function;
        match self.provided_raw(ask).await? {
            Ok(json) => serde_json::from_str(&json)
                .map_err(|error| ProvidedError::Answer { function, problem: error.to_string() }),
            Err(json) => Err(ProvidedError::Failed { function, message: words(json) }),
        }
    }

    /// The same, as JSON: its answer, or its own failure.
    pub(crate) async fn provided_raw(&self, ask: Ask<'_>) -> Result<Result<String, String>, ProvidedError> {
        let Ask { skill, function, arguments, invocation } = ask;
        let failed = |message| ProvidedError::Failed { function, message };
        let tool = skill.provided(function).ok_or_else(|| failed("the skill has no such function".to_owned()))?;
        let invocation = Invocation { arguments, tool: None, idempotency_key: None, ..invocation.clone() };
        let execution = self.run_tool(skill, tool, &invocation, Hooks::default());
        // The call of a call: its future would otherwise hold itself.
        let execution = Box::pin(execution).await.map_err(Box::new)?;
        Ok(match execution.output {
            Output::Success(json) => Ok(json),
            Output::Failure(json) => Err(json),
        })
    }
}

impl Listings {
    fn get(&self, key: &(Digest, Digest), now: Instant) -> Option<Arc<[ListedTool]>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (made, tools) = known.get(key)?;
        (now.saturating_duration_since(*made) < LIFETIME).then(|| Arc::clone(tools))
    }

    fn keep(&self, key: (Digest, Digest), now: Instant, tools: &Arc<[ListedTool]>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (made, _)| now.saturating_duration_since(*made) < LIFETIME);
        if known.len() < MAX_LISTINGS {
            known.insert(key, (now, Arc::clone(tools)));
        }
    }
}

/// The words of a failure: the text of its case, where it is one.
fn words(json: String) -> String {
    match serde_json::from_str(&json) {
        Ok(Value::String(text)) => text,
        Ok(Value::Object(case)) if case.len() == 1 => {
            let told = |(name, value): (&String, &Value)| format!("{name}: {}", value.as_str().unwrap_or_default());
            case.iter().next().map(told).unwrap_or(json)
        }
        _ => json,
    }
}

/// The tools of a list, if each is one that can be called.
fn tools(skill: &Skill, call: &Tool, listed: Vec<Listed>) -> Result<Vec<ListedTool>, String> {
    if listed.len() > MAX_TOOLS {
        return Err(format!("{} tools, of which there may be {MAX_TOOLS}", listed.len()));
    }
    let mut tools: Vec<ListedTool> = Vec::with_capacity(listed.len());
    for tool in listed {
        let name = &tool.name;
        if name.is_empty() || name.len() > MAX_NAME || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(format!("the name {name:?} is not 1 to {MAX_NAME} bytes without blanks"));
        }
        if tools.iter().any(|other| other.name == *name) || skill.tool(name).is_some() {
            return Err(format!("two tools are named `{name}`"));
        }
        tools.push(Arc::new(listed_tool(call, tool)?));
    }
    Ok(tools)
}

/// What is said of the function that calls it holds for a tool that is listed.
fn listed_tool(call: &Tool, listed: Listed) -> Result<Tool, String> {
    let Listed { name, description, input_schema, output_schema } = listed;
    let read = |which: &str, text: &str| {
        let schema: Value = serde_json::from_str(text)
            .map_err(|error| format!("the {which} schema of `{name}` is not JSON: {error}"))?;
        let validator = Validator::new(&schema)
            .map_err(|error| format!("the {which} schema of `{name}` can't be used: {error}"))?;
        Ok::<_, String>((Arc::new(schema), Some(validator)))
    };
    let (input_schema, input_narrowing) = read("input", &input_schema)?;
    let (output_schema, output_narrowing) = match output_schema {
        Some(text) => read("output", &text)?,
        None => (Arc::new(json!({})), None),
    };
    Ok(Tool {
        description: description.unwrap_or_default(),
        index: call.index,
        passing: Passing::NamedJson,
        input_schema,
        output_schema,
        failure_schema: call.failure_schema.clone(),
        risk_tags: call.risk_tags.clone(),
        idempotent: call.idempotent,
        input_narrowing,
        output_narrowing,
        name,
    })
}

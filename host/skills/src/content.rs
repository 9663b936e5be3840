//! Prompts and resources of a skill: the files of its package that are there to be
//! read, and what its component provides.
//!
//! Files are read without running anything. What the component provides is called
//! under the skill's grant like any tool.

mod files;

use std::sync::Arc;

use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::manifest::Kind;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::files::ReadError;
use crate::execute::{Ask, Executor, ProvidedError};
use crate::skill::Skill;

/// A prompt.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Prompt {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// What it can be told.
    #[serde(default)]
    pub arguments: Vec<PromptArgument>,
}

/// What a prompt can be told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// What it means.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it must be given.
    pub required: bool,
}

/// A prompt with its arguments put in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PromptContent {
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// The turns.
    pub messages: Vec<PromptMessage>,
}

/// One turn of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PromptMessage {
    /// Who says it.
    pub role: PromptRole,
    /// What.
    pub text: String,
}

/// Who says something in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptRole {
    /// Whoever talks with a model.
    User,
    /// The model.
    Assistant,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Resource {
    /// What names it.
    pub uri: String,
    /// What to call it.
    pub name: String,
    /// What it holds.
    #[serde(default)]
    pub description: Option<String>,
    /// Its media type.
    #[serde(default)]
    pub mime_type: Option<String>,
    /// Bytes, where they are known.
    #[serde(default)]
    pub size: Option<u64>,
}

/// Many resources at once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResourceTemplate {
    /// By RFC 6570.
    pub uri_template: String,
    /// What to call them.
    pub name: String,
    /// What they hold.
    #[serde(default)]
    pub description: Option<String>,
    /// Their media type.
    #[serde(default)]
    pub mime_type: Option<String>,
}

/// What can be read of a skill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Each by itself.
    pub resources: Vec<Resource>,
    /// Many at once.
    pub templates: Vec<ResourceTemplate>,
}

/// A resource as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResourceContent {
    /// What names it.
    pub uri: String,
    /// Its media type.
    #[serde(default)]
    pub mime_type: Option<String>,
    /// What it holds.
    pub body: ResourceBody,
}

/// What a resource holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceBody {
    /// Text.
    Text(String),
    /// Bytes, in base64.
    Blob(String),
}

/// Why there is no prompt or resource.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// No prompt has the name.
    #[error("`{skill}` has no prompt `{name}`")]
    NoPrompt {
        /// The skill.
        skill: String,
        /// The name.
        name: String,
    },
    /// No resource has the URI.
    #[error("`{skill}` has no resource `{uri}`")]
    NoResource {
        /// The skill.
        skill: String,
        /// The URI.
        uri: String,
    },
    /// The prompt was told what it doesn't know.
    #[error("{0}")]
    Arguments(String),
    /// A file of the package can't be read.
    #[error(transparent)]
    File(#[from] ReadError),
    /// The component has no answer.
    #[error(transparent)]
    Provided(#[from] ProvidedError),
}

/// The failures that the interfaces have.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answered<T> {
    Ok(T),
    Err(GuestError),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum GuestError {
    /// What was looked for is told by whoever asked.
    NotFound(IgnoredAny),
    InvalidArguments(String),
    Failed(String),
}

impl Executor {
    /// The prompts of the skill that `invocation` names.
    pub async fn prompts(&self, invocation: &Invocation) -> Result<Vec<Prompt>, ContentError> {
        const FUNCTION: &str = "prompts.list";
        let skill = self.skill(invocation)?;
        let mut prompts: Vec<Prompt> = own_prompt(&skill).into_iter().collect();
        if skill.provided(FUNCTION).is_some() {
            let listed: Vec<Prompt> = self.provided(ask(&skill, FUNCTION, json!({}), invocation)).await?;
            prompts.extend(listed);
        }
        Ok(prompts)
    }

    /// The prompt `name`, with arguments by name.
    pub async fn prompt(
        &self,
        invocation: &Invocation,
        name: &str,
        arguments: &[(String, String)],
    ) -> Result<PromptContent, ContentError> {
        const FUNCTION: &str = "prompts.get";
        let skill = self.skill(invocation)?;
        if let Some(prompt) = own_prompt(&skill).filter(|prompt| prompt.name == name) {
            if let Some((argument, _)) = arguments.first() {
                let problem = format!("the prompt `{name}` takes no arguments, so not `{argument}` either");
                return Err(ContentError::Arguments(problem));
            }
            let text = skill.instructions.as_ref().map(|text| text.body.clone()).unwrap_or_default();
            let messages = vec![PromptMessage { role: PromptRole::User, text }];
            return Ok(PromptContent { description: prompt.description, messages });
        }
        let missing = || ContentError::NoPrompt { skill: skill.manifest.id.to_string(), name: name.to_owned() };
        if skill.provided(FUNCTION).is_none() {
            return Err(missing());
        }
        let arguments = json!({ "name": name, "arguments": arguments });
        self.answer(ask(&skill, FUNCTION, arguments, invocation), missing).await
    }

    /// The resources of the skill that `invocation` names, and their templates: of one
    /// release, whatever is installed meanwhile.
    pub async fn resources(&self, invocation: &Invocation) -> Result<Resources, ContentError> {
        const LIST: &str = "resources.list";
        const TEMPLATES: &str = "resources.templates";
        let skill = self.skill(invocation)?;
        let of_package = Arc::clone(&skill);
        let mut resources = blocking(move || files::list(&of_package)).await?;
        if skill.provided(LIST).is_some() {
            let listed: Vec<Resource> = self.provided(ask(&skill, LIST, json!({}), invocation)).await?;
            resources.extend(listed);
        }
        let templates = match skill.provided(TEMPLATES) {
            Some(_) => self.provided(ask(&skill, TEMPLATES, json!({}), invocation)).await?,
            None => Vec::new(),
        };
        Ok(Resources { resources, templates })
    }

    /// The resource that `uri` names.
    pub async fn resource(&self, invocation: &Invocation, uri: &str) -> Result<ResourceContent, ContentError> {
        const FUNCTION: &str = "resources.read";
        let skill = self.skill(invocation)?;
        let missing = || ContentError::NoResource { skill: skill.manifest.id.to_string(), uri: uri.to_owned() };
        if let Some(path) = files::path_of(&skill, uri) {
            let of_package = Arc::clone(&skill);
            let read = blocking(move || files::read(&of_package, &path)).await?;
            return read.ok_or_else(missing);
        }
        if skill.provided(FUNCTION).is_none() {
            return Err(missing());
        }
        self.answer(ask(&skill, FUNCTION, json!({ "uri": uri }), invocation), missing).await
    }

    fn skill(&self, invocation: &Invocation) -> Result<Arc<Skill>, ContentError> {
        self.resolve(&invocation.skill).map_err(|error| ContentError::Provided(error.into()))
    }

    /// An answer that says by itself when there is no such thing.
    async fn answer<T: serde::de::DeserializeOwned>(
        &self,
        ask: Ask<'_>,
        missing: impl Fn() -> ContentError,
    ) -> Result<T, ContentError> {
        let function = ask.function;
        match self.answered::<T>(ask).await? {
            Answered::Ok(value) => Ok(value),
            Answered::Err(GuestError::NotFound(_)) => Err(missing()),
            Answered::Err(GuestError::InvalidArguments(problem)) => Err(ContentError::Arguments(problem)),
            Answered::Err(GuestError::Failed(message)) => {
                Err(ContentError::Provided(ProvidedError::Failed { function, message }))
            }
        }
    }

    async fn answered<T: serde::de::DeserializeOwned>(&self, ask: Ask<'_>) -> Result<Answered<T>, ContentError> {
        let function = ask.function;
        let unusable = |error: serde_json::Error| ProvidedError::Answer { function, problem: error.to_string() };
        Ok(match self.provided_raw(ask).await? {
            Ok(json) => Answered::Ok(serde_json::from_str(&json).map_err(unusable)?),
            Err(json) => Answered::Err(serde_json::from_str(&json).map_err(unusable)?),
        })
    }
}

fn ask<'a>(skill: &'a Arc<Skill>, function: &'static str, arguments: Value, invocation: &'a Invocation) -> Ask<'a> {
    Ask { skill, function, arguments, invocation }
}

/// The prompt that a package without a component is.
fn own_prompt(skill: &Skill) -> Option<Prompt> {
    let instructions = skill.instructions.as_ref().filter(|_| skill.manifest.kind == Kind::Prompt)?;
    let description = Some(instructions.description.clone());
    Some(Prompt { name: skill.manifest.id.name().to_owned(), description, arguments: Vec::new() })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Result<T, ContentError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| ReadError::new("the package", &std::io::Error::other(error)))??)
}

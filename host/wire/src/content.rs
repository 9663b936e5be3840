//! Prompts, resources and run-time tools of a skill.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::skill::ToolDetail;

/// The tools of a skill, those included that it names at run time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "tools": [] })))]
pub struct Tools {
    /// Those of the component's types first.
    pub tools: Vec<ToolDetail>,
}

/// The prompts of a skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "prompts": [{ "name": "review", "description": "Review a change.", "arguments": [] }] })))]
pub struct Prompts {
    /// In the skill's order.
    pub prompts: Vec<Prompt>,
}

/// A prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "name": "review",
    "description": "Review a change.",
    "arguments": [{ "name": "language", "description": "Of the code.", "required": true }]
})))]
pub struct Prompt {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it can be told.
    pub arguments: Vec<PromptArgument>,
}

/// What a prompt can be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "language", "description": "Of the code.", "required": true })))]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it must be given.
    pub required: bool,
}

/// What to put into a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "arguments": { "language": "Rust" } })))]
pub struct PromptRequest {
    /// Texts by the names of the arguments.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
}

/// A prompt with its arguments put in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "messages": [{ "role": "user", "text": "Review this Rust code." }] })))]
pub struct PromptContent {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The turns.
    pub messages: Vec<PromptMessage>,
}

/// One turn of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "role": "user", "text": "Review this Rust code." })))]
pub struct PromptMessage {
    /// Who says it.
    pub role: PromptRole,
    /// What.
    pub text: String,
}

/// Who says something in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PromptRole {
    /// Whoever talks with a model.
    User,
    /// The model.
    Assistant,
}

/// The resources of a skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "resources": [], "templates": [] })))]
pub struct Resources {
    /// Files of the package first.
    pub resources: Vec<Resource>,
    /// Many at once.
    pub templates: Vec<ResourceTemplate>,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "uri": "skill://acme/style/references/tone.md", "name": "references/tone.md", "mime_type": "text/markdown",
    "size": 812
})))]
pub struct Resource {
    /// What names it.
    pub uri: String,
    /// What to call it.
    pub name: String,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Bytes, where they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Many resources at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "uri_template": "notes://day/{date}", "name": "The notes of a day" })))]
pub struct ResourceTemplate {
    /// By RFC 6570.
    pub uri_template: String,
    /// What to call them.
    pub name: String,
    /// What they hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Their media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
}

/// Which resource to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResourceQuery {
    /// What names it.
    #[param(example = "skill://acme/style/SKILL.md")]
    pub uri: String,
}

/// A resource as it was read: text, or bytes in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "uri": "skill://acme/style/references/tone.md", "mime_type": "text/markdown", "text": "# Tone\n"
})))]
pub struct ResourceContent {
    /// What names it.
    pub uri: String,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// What it holds, where that is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it holds in base64, where that is not text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
}

/// What a call tells while it runs, as the data of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "done": 3, "total": 10, "message": "reading sales.csv" })))]
pub struct Progress {
    /// In a unit of the skill's own.
    pub done: u64,
    /// Where the end is, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// One line for a person.
    pub message: String,
}

/// A line of a call's log, as the data of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "level": "info", "context": "reader", "message": "3 rows are empty" })))]
pub struct LogLine {
    /// `trace`, `debug`, `info`, `warn`, `error` or `critical`.
    pub level: String,
    /// The part of the skill; may be empty.
    pub context: String,
    /// What.
    pub message: String,
}

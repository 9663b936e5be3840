//! Prompts, resources and run-time tools of a skill.
//!
//! Files of a package are read without running anything. What a component provides is a
//! call of the skill, so that these routes need the scope that calls need.

use axum::extract::{Path, State};
use axum::response::Response;
use bailiwick_domain::invocation::{Invocation, Principal};
use bailiwick_domain::trace::TraceContext;
use bailiwick_skills::content::{
    ContentError, Prompt, PromptContent, PromptRole, Resource, ResourceBody, ResourceContent, ResourceTemplate,
    Resources,
};
use bailiwick_wire::content as wire;
use bailiwick_wire::content::{PromptRequest, ResourceQuery};
use bailiwick_wire::execute::ExecuteRequest;
use bailiwick_wire::skill::SelectorPath;

use crate::answer;
use crate::auth::caller::{Allowed, Execute};
use crate::body::JsonBody;
use crate::convert;
use crate::extract::{NoQuery, Query, SkillPath, Trace, TraceState};
use crate::openapi::ExecuteProblems;
use crate::problem::{Failure, Kind};
use crate::state::ApiState;

/// List tools
///
/// The tools of a skill, those included that it names only when it runs. For these, the
/// skill is called.
#[utoipa::path(
    get,
    path = "/v1/skills/{namespace}/{name}/tools",
    operation_id = "listTools",
    tag = "skills",
    security(("key" = ["skills:execute"])),
    params(SelectorPath),
    responses((status = 200, description = "The tools.", body = wire::Tools), ExecuteProblems)
)]
pub(crate) async fn tools(
    State(state): State<ApiState>,
    caller: Allowed<Execute>,
    Trace(trace): Trace,
    TraceState(trace_state): TraceState,
    path: SkillPath,
    _: NoQuery,
) -> Result<Response, Failure> {
    let invocation = invocation(path, caller.0, (trace, trace_state))?;
    let skill = state.registry().catalog().resolve(&invocation.skill).map_err(|error| Failure::resolve(&error))?;
    let listed = state.executor().listed_tools(&invocation).await;
    let listed = listed.map_err(|error| Failure::content(ContentError::Provided(error), &trace))?;
    let all = skill.tools.iter().chain(listed.iter().map(|tool| &**tool));
    answer::json(&wire::Tools { tools: all.map(convert::tool).collect() })
}

/// List prompts
///
/// The prompts of a skill: that of a package which is one, and those that a component
/// provides. For these, the skill is called.
#[utoipa::path(
    get,
    path = "/v1/skills/{namespace}/{name}/prompts",
    operation_id = "listPrompts",
    tag = "skills",
    security(("key" = ["skills:execute"])),
    params(SelectorPath),
    responses((status = 200, description = "The prompts.", body = wire::Prompts), ExecuteProblems)
)]
pub(crate) async fn prompts(
    State(state): State<ApiState>,
    caller: Allowed<Execute>,
    Trace(trace): Trace,
    TraceState(trace_state): TraceState,
    path: SkillPath,
    _: NoQuery,
) -> Result<Response, Failure> {
    let prompts = state.executor().prompts(&invocation(path, caller.0, (trace, trace_state))?).await;
    let prompts = prompts.map_err(|error| Failure::content(error, &trace))?;
    answer::json(&wire::Prompts { prompts: prompts.into_iter().map(prompt).collect() })
}

/// Get a prompt
///
/// The prompt with its arguments put in.
#[utoipa::path(
    post,
    path = "/v1/skills/{namespace}/{name}/prompts/{prompt}",
    operation_id = "getPrompt",
    tag = "skills",
    security(("key" = ["skills:execute"])),
    params(
        SelectorPath,
        ("prompt" = String, Path, description = "The name of the prompt.", example = "review"),
    ),
    request_body = PromptRequest,
    responses((status = 200, description = "The prompt.", body = wire::PromptContent), ExecuteProblems)
)]
pub(crate) async fn get_prompt(
    State(state): State<ApiState>,
    caller: Allowed<Execute>,
    Trace(trace): Trace,
    TraceState(trace_state): TraceState,
    Path((namespace, name, prompt)): Path<(String, String, String)>,
    _: NoQuery,
    body: JsonBody<PromptRequest>,
) -> Result<Response, Failure> {
    let path = SkillPath::of(&namespace, &name)?;
    let arguments: Vec<(String, String)> = body.value.arguments.into_iter().collect();
    let got = state.executor().prompt(&invocation(path, caller.0, (trace, trace_state))?, &prompt, &arguments).await;
    answer::json(&prompt_content(got.map_err(|error| Failure::content(error, &trace))?))
}

/// List resources
///
/// The resources of a skill: its `SKILL.md`, the files in `references/` and `assets/`,
/// and what a component provides, with templates. For these, the skill is called.
#[utoipa::path(
    get,
    path = "/v1/skills/{namespace}/{name}/resources",
    operation_id = "listResources",
    tag = "skills",
    security(("key" = ["skills:execute"])),
    params(SelectorPath),
    responses((status = 200, description = "The resources.", body = wire::Resources), ExecuteProblems)
)]
pub(crate) async fn resources(
    State(state): State<ApiState>,
    caller: Allowed<Execute>,
    Trace(trace): Trace,
    TraceState(trace_state): TraceState,
    path: SkillPath,
    _: NoQuery,
) -> Result<Response, Failure> {
    let resources = state.executor().resources(&invocation(path, caller.0, (trace, trace_state))?).await;
    let Resources { resources, templates } = resources.map_err(|error| Failure::content(error, &trace))?;
    answer::json(&wire::Resources {
        resources: resources.into_iter().map(resource).collect(),
        templates: templates.into_iter().map(template).collect(),
    })
}

/// Read a resource
///
/// What the resource holds: text, or bytes in base64.
#[utoipa::path(
    get,
    path = "/v1/skills/{namespace}/{name}/resources/content",
    operation_id = "readResource",
    tag = "skills",
    security(("key" = ["skills:execute"])),
    params(SelectorPath, ResourceQuery),
    responses((status = 200, description = "The resource.", body = wire::ResourceContent), ExecuteProblems)
)]
pub(crate) async fn read_resource(
    State(state): State<ApiState>,
    caller: Allowed<Execute>,
    Trace(trace): Trace,
    TraceState(trace_state): TraceState,
    path: SkillPath,
    Query(query): Query<ResourceQuery>,
) -> Result<Response, Failure> {
    let read = state.executor().resource(&invocation(path, caller.0, (trace, trace_state))?, &query.uri).await;
    answer::json(&content(read.map_err(|error| Failure::content(error, &trace))?))
}

/// The call that a skill is asked by.
fn invocation(
    path: SkillPath,
    principal: Principal,
    trace: (TraceContext, Option<String>),
) -> Result<Invocation, Failure> {
    convert::invocation(path, ExecuteRequest::default(), principal, trace, None, std::time::Duration::ZERO)
}

fn prompt(prompt: Prompt) -> wire::Prompt {
    let argument = |argument: bailiwick_skills::content::PromptArgument| wire::PromptArgument {
        name: argument.name,
        description: argument.description,
        required: argument.required,
    };
    let arguments = prompt.arguments.into_iter().map(argument).collect();
    wire::Prompt { name: prompt.name, description: prompt.description, arguments }
}

fn prompt_content(content: PromptContent) -> wire::PromptContent {
    let message = |message: bailiwick_skills::content::PromptMessage| wire::PromptMessage {
        role: match message.role {
            PromptRole::User => wire::PromptRole::User,
            PromptRole::Assistant => wire::PromptRole::Assistant,
        },
        text: message.text,
    };
    let messages = content.messages.into_iter().map(message).collect();
    wire::PromptContent { description: content.description, messages }
}

fn resource(resource: Resource) -> wire::Resource {
    let Resource { uri, name, description, mime_type, size } = resource;
    wire::Resource { uri, name, description, mime_type, size }
}

fn template(template: ResourceTemplate) -> wire::ResourceTemplate {
    let ResourceTemplate { uri_template, name, description, mime_type } = template;
    wire::ResourceTemplate { uri_template, name, description, mime_type }
}

fn content(content: ResourceContent) -> wire::ResourceContent {
    let (text, blob) = match content.body {
        ResourceBody::Text(text) => (Some(text), None),
        ResourceBody::Blob(base64) => (None, Some(base64)),
    };
    wire::ResourceContent { uri: content.uri, mime_type: content.mime_type, text, blob }
}

impl Failure {
    /// There is no such prompt or resource, or the skill has no answer.
    fn content(error: ContentError, trace: &TraceContext) -> Self {
        use bailiwick_skills::execute::{ExecuteError, ProvidedError};
        match error {
            ContentError::NoPrompt { .. } => Self::new(Kind::UNKNOWN_PROMPT, error.to_string()),
            ContentError::NoResource { .. } => Self::new(Kind::UNKNOWN_RESOURCE, error.to_string()),
            ContentError::Arguments(problem) => Self::invalid_member("/arguments", &problem),
            ContentError::File(error) => Self::host_failure(&trace.trace_id_hex(), &error),
            ContentError::Provided(ProvidedError::Execute(error)) => Self::execute(*error, trace),
            ContentError::Provided(error) => Self::execute(ExecuteError::Listing(Box::new(error)), trace),
        }
    }
}

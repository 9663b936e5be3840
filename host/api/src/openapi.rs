//! The `OpenAPI` document, made from the routes themselves.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::response::Response;
use bailiwick_wire as wire;
use bailiwick_wire::problem::{MEDIA_TYPE, Problem};
use bytes::Bytes;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Response as Described, ResponseBuilder, Type,
};
use utoipa::{IntoResponses, Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer;
use crate::problem::Kind;
use crate::state::ApiState;
use crate::{agents, approvals, audit, content, execute, grants, health, observe, packages, runs, skills, ws};

/// The document: every route with its requests, answers and problems.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

/// The routes with the document that describes them.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(skills::list))
        .routes(routes!(skills::show))
        .routes(routes!(execute::execute))
        .routes(routes!(content::tools))
        .routes(routes!(content::prompts))
        .routes(routes!(content::get_prompt))
        .routes(routes!(content::resources))
        .routes(routes!(content::read_resource))
        .routes(routes!(audit::review))
        .routes(routes!(observe::observe))
        .routes(routes!(grants::list))
        .routes(routes!(grants::export))
        .routes(routes!(grants::import))
        .routes(routes!(grants::give, grants::narrow, grants::revoke))
        .routes(routes!(grants::accept))
        .routes(routes!(packages::list, packages::install))
        .routes(routes!(packages::remove))
        .routes(routes!(approvals::list))
        .routes(routes!(approvals::events))
        .routes(routes!(approvals::show))
        .routes(routes!(approvals::answer))
        .routes(routes!(runs::submit, runs::list))
        .routes(routes!(runs::show))
        .routes(routes!(runs::steps::list))
        .routes(routes!(runs::graph::show))
        .routes(routes!(runs::events::follow))
        .routes(routes!(runs::control::cancel))
        .routes(routes!(runs::control::pause))
        .routes(routes!(runs::control::resume))
        .routes(routes!(runs::control::retry))
        .routes(routes!(runs::control::answer_handoff))
        .routes(routes!(runs::control::answer_task))
        .routes(routes!(runs::control::cancel_many))
        .routes(routes!(ws::listen))
        .routes(routes!(agents::list))
        .routes(routes!(agents::show, agents::put, agents::remove))
        .routes(routes!(agents::pause))
        .routes(routes!(agents::resume))
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
        .routes(routes!(audit::key))
        .routes(routes!(health::health))
        .routes(routes!(health::readiness))
        .routes(routes!(show))
}

/// This document
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    tag = "probes",
    security(()),
    responses(
        (status = 200, description = "OpenAPI 3.1.", content_type = "application/json", body = serde_json::Value),
        PublicProblems,
    )
)]
pub(crate) async fn show() -> Response {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
        let text = openapi().to_json().expect("a document of strings and numbers can be written");
        Bytes::from(text)
    });
    answer::document(DOCUMENT.clone())
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Bailiwick",
        description = "Runs agents and their skills: sandboxed WebAssembly components that can do only what a person granted them.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/")),
    tags(
        (name = "skills", description = "Which skills there are, and running their tools."),
        (name = "grants", description = "What people allow skills to touch."),
        (name = "packages", description = "What is installed, and installing more."),
        (name = "approvals", description = "Calls that a person has to approve."),
        (name = "runs", description = "Agents at work on one input: submitted, followed, and told what to do."),
        (name = "agents", description = "Which agents there are, and what they are at."),
        (name = "audit", description = "What skills could do, were allowed to do, and did."),
        (name = "probes", description = "What monitors and tools ask."),
    ),
    components(schemas(
        Problem,
        wire::content::Progress,
        wire::content::LogLine,
        wire::run::RunNews,
        wire::socket::SocketCommand,
        wire::socket::SocketVerb
    )),
    modifiers(&ApiKeys),
)]
struct Api;

/// Describes API keys as the bearer tokens that they are.
struct ApiKeys;

impl Modify for ApiKeys {
    fn modify(&self, document: &mut OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.bearer_format = Some("bwk_<16 hex digits>_<43 characters of base64url>".to_owned());
        scheme.description = Some(
            "An API key of this host. The operator makes them, and each is good for some scopes: \
             `skills:read`, `skills:execute`, `approvals:answer`, `runs:read`, `runs:submit`, `audit:read`, \
             or `admin` for all. `runs:read` shows the runs of all callers, and `runs:submit` controls them."
                .to_owned(),
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

/// Problems of routes that anybody may use.
pub(crate) struct PublicProblems;

/// Problems of routes that read the catalogue.
pub(crate) struct ReadProblems;

/// Problems of routes that run tools.
pub(crate) struct ExecuteProblems;

/// Problems of routes that change what skills may do.
pub(crate) struct GrantProblems;

/// Problems of routes that observe calls.
pub(crate) struct ObserveProblems;

/// Problems of routes that install packages.
pub(crate) struct PackageProblems;

/// Problems of routes that ask a person.
pub(crate) struct ApprovalProblems;

/// Problems of routes that show runs.
pub(crate) struct RunProblems;

/// Problems of the route that follows a run.
pub(crate) struct EventProblems;

/// Problems of the WebSocket.
pub(crate) struct SocketProblems;

/// Problems of the route that submits runs.
pub(crate) struct SubmitProblems;

/// Problems of routes that tell runs what to do.
pub(crate) struct ControlProblems;

/// Problems of routes that show agents.
pub(crate) struct AgentReadProblems;

/// Problems of routes that change agents.
pub(crate) struct AgentProblems;

/// Problems of routes that tell what happened.
pub(crate) struct AuditProblems;

/// What can go wrong before a request reaches its route.
const PUBLIC: &[Kind] = &[
    Kind::WRONG_ORIGIN,
    Kind::METHOD_NOT_ALLOWED,
    Kind::WRONG_HOST,
    Kind::HOST_FAILURE,
    Kind::KEYS_UNAVAILABLE,
    Kind::NOT_READY,
];

const READ: &[Kind] = &[
    Kind::INVALID_QUERY,
    Kind::INVALID_PATH,
    Kind::INVALID_VERSION,
    Kind::UNAUTHENTICATED,
    Kind::FORBIDDEN_SCOPE,
    Kind::WRONG_ORIGIN,
    Kind::UNKNOWN_SKILL,
    Kind::UNKNOWN_VERSION,
    Kind::METHOD_NOT_ALLOWED,
    Kind::WRONG_HOST,
    Kind::TOO_MANY_ATTEMPTS,
    Kind::HOST_FAILURE,
    Kind::KEYS_UNAVAILABLE,
];

/// What can go wrong on the way to runs and agents.
const RUN_READ: &[Kind] = &[
    Kind::INVALID_QUERY,
    Kind::UNAUTHENTICATED,
    Kind::FORBIDDEN_SCOPE,
    Kind::WRONG_ORIGIN,
    Kind::METHOD_NOT_ALLOWED,
    Kind::WRONG_HOST,
    Kind::TOO_MANY_ATTEMPTS,
    Kind::HOST_FAILURE,
    Kind::KEYS_UNAVAILABLE,
];

/// What can go wrong with a body.
const BODY: &[Kind] = &[
    Kind::INVALID_JSON,
    Kind::INVALID_REQUEST,
    Kind::INCOMPLETE_BODY,
    Kind::BODY_TIMEOUT,
    Kind::BODY_TOO_LARGE,
    Kind::UNSUPPORTED_MEDIA_TYPE,
    Kind::BUSY,
];

/// What can go wrong with packages.
const PACKAGES: &[Kind] = &[
    Kind::PACKAGE_REFUSED,
    Kind::UNKNOWN_PACKAGE,
    Kind::PACKAGE_CONFLICT,
    Kind::INVALID_PACKAGE,
    Kind::SOURCE_UNAVAILABLE,
    Kind::LOCK_UNAVAILABLE,
];

/// What can go wrong with runs.
const RUNS: &[Kind] = &[
    Kind::UNKNOWN_RUN,
    Kind::ILLEGAL_TRANSITION,
    Kind::AGENT_PAUSED,
    Kind::INVALID_RUN,
    Kind::RUN_QUEUE_FULL,
    Kind::RUN_DAMAGED,
    Kind::RUNS_DISABLED,
];

/// What can go wrong with agents.
const AGENTS: &[Kind] = &[Kind::UNKNOWN_AGENT, Kind::AGENT_IS_A_FILE, Kind::INVALID_AGENT];

/// What can go wrong with `WebSockets` before they are.
const SOCKETS: &[Kind] = &[Kind::UPGRADE_REQUIRED, Kind::TOO_MANY_SOCKETS];

impl IntoResponses for PublicProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        describe(PUBLIC)
    }
}

impl IntoResponses for ReadProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        describe(READ)
    }
}

impl IntoResponses for AuditProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        describe(READ)
    }
}

impl IntoResponses for GrantProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        let own = [Kind::UNKNOWN_GRANT, Kind::GRANT_CONFLICT, Kind::INVALID_GRANT];
        describe(&[READ, BODY, &own].concat())
    }
}

impl IntoResponses for ObserveProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        let own = [
            Kind::GRANT_CONFLICT,
            Kind::INVALID_GRANT,
            Kind::UNKNOWN_TOOL,
            Kind::TOOL_NOT_NAMED,
            Kind::NO_TOOLS,
            Kind::BROKEN_SKILL,
            Kind::INVALID_ARGUMENTS,
            Kind::APPROVAL_REQUIRED,
        ];
        describe(&[READ, BODY, &own].concat())
    }
}

impl IntoResponses for PackageProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        describe(&[READ, BODY, PACKAGES].concat())
    }
}

impl IntoResponses for ApprovalProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        describe(&[READ, BODY, &[Kind::UNKNOWN_APPROVAL, Kind::APPROVAL_SETTLED]].concat())
    }
}

impl IntoResponses for RunProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        describe(&[RUN_READ, &[Kind::UNKNOWN_RUN, Kind::RUN_DAMAGED]].concat())
    }
}

impl IntoResponses for EventProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        describe(&[RUN_READ, &[Kind::INVALID_HEADER, Kind::UNKNOWN_RUN, Kind::RUN_DAMAGED]].concat())
    }
}

impl IntoResponses for SocketProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        describe(&[RUN_READ, SOCKETS].concat())
    }
}

impl IntoResponses for SubmitProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        let own = [
            Kind::INVALID_HEADER,
            Kind::UNKNOWN_RUN,
            Kind::UNKNOWN_AGENT,
            Kind::IDEMPOTENCY_MISMATCH,
            Kind::AGENT_PAUSED,
            Kind::INVALID_RUN,
            Kind::RUN_QUEUE_FULL,
            Kind::RUN_DAMAGED,
            Kind::RUNS_DISABLED,
            Kind::NOT_READY,
        ];
        describe(&[RUN_READ, BODY, &own].concat())
    }
}

impl IntoResponses for ControlProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        let own = [Kind::UNKNOWN_RUN, Kind::ILLEGAL_TRANSITION, Kind::INVALID_RUN, Kind::RUN_DAMAGED, Kind::NOT_READY];
        describe(&[RUN_READ, BODY, &own].concat())
    }
}

impl IntoResponses for AgentReadProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        describe(&[RUN_READ, &[Kind::UNKNOWN_AGENT]].concat())
    }
}

impl IntoResponses for AgentProblems {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        describe(&[RUN_READ, BODY, AGENTS, &[Kind::NOT_READY]].concat())
    }
}

impl IntoResponses for ExecuteProblems {
    /// All but those that only other routes can meet.
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        let elsewhere = [
            Kind::UNKNOWN_ROUTE,
            Kind::NOT_READY,
            Kind::UNKNOWN_GRANT,
            Kind::UNKNOWN_APPROVAL,
            Kind::GRANT_CONFLICT,
            Kind::INVALID_GRANT,
        ];
        let only_elsewhere =
            |kind: &Kind| [&elsewhere[..], PACKAGES, RUNS, AGENTS, SOCKETS].iter().any(|of| of.contains(kind));
        let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(|kind| !only_elsewhere(kind)).collect();
        describe(&kinds)
    }
}

/// One response a status, which names the codes that it can have.
fn describe(kinds: &[Kind]) -> BTreeMap<String, RefOr<Described>> {
    let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    for kind in kinds {
        by_status.entry(kind.status).or_default().push(*kind);
    }
    let response = |(status, kinds): (u16, Vec<Kind>)| (status.to_string(), RefOr::T(response(status, &kinds)));
    by_status.into_iter().map(response).collect()
}

fn response(status: u16, kinds: &[Kind]) -> Described {
    let lines: Vec<String> = kinds.iter().map(|kind| format!("`{}`: {}.", kind.code, kind.title)).collect();
    let schema = Ref::from_schema_name("Problem");
    let mut response = ResponseBuilder::new()
        .description(lines.join(" "))
        .content(MEDIA_TYPE, ContentBuilder::new().schema(Some(schema)).build());
    if matches!(status, 409 | 429 | 503) {
        response = response.header("Retry-After", header(Type::Integer, "Seconds to wait, where waiting helps."));
    }
    if status == 401 {
        response = response.header("WWW-Authenticate", header(Type::String, "Always `Bearer`."));
    }
    response.build()
}

fn header(schema_type: Type, description: &str) -> utoipa::openapi::Header {
    let schema = ObjectBuilder::new().schema_type(schema_type).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}

//! What people allow. Nothing here is reachable by a skill, nor by a key without `admin`.

use std::path::Path;

use axum::extract::State;
use axum::response::Response;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_skills::grants::{GrantEntry, GrantError, GrantStore, Narrowing, NewGrant};
use bailiwick_wire::grant::{AcceptRequest, GrantFile, GrantQuery, Grants};
use bailiwick_wire::skill::{IdPath, SelectorPath};
use serde_json::Value;

use crate::answer;
use crate::auth::caller::{Admin, Allowed};
use crate::body::JsonBody;
use crate::extract::{NoQuery, Query, SkillPath, Trace};
use crate::openapi::GrantProblems;
use crate::problem::Failure;
use crate::state::ApiState;

/// The name of a file that came in a request.
const IMPORTED: &str = "toml";

/// List grants
///
/// Every grant, for whichever bytes.
#[utoipa::path(
    get,
    path = "/v1/grants",
    operation_id = "listGrants",
    tag = "grants",
    security(("key" = ["admin"])),
    responses((status = 200, description = "The grants.", body = Grants), GrantProblems)
)]
pub(crate) async fn list(State(state): State<ApiState>, _: Allowed<Admin>, _: NoQuery) -> Result<Response, Failure> {
    let grants = state.executor().grants().list().iter().map(|entry| entry.to_json()).collect();
    answer::json(&Grants { grants })
}

/// Grant a skill
///
/// Gives the bytes with `digest` what the body says, in place of what they were
/// granted before. The body has the keys of a file of grants: `digest`, `fs`, `http`,
/// `http_deny`, `secrets`, `state`, `workspace`, `config`, `shell`, `accept_risks`, `limits`, `reason`, `expires_at`, `one_shot`.
/// A reason has at most 1000 characters.
#[utoipa::path(
    put,
    path = "/v1/grants/{namespace}/{name}",
    operation_id = "giveGrant",
    tag = "grants",
    security(("key" = ["admin"])),
    params(SelectorPath),
    request_body(content = Object, example = json!({
        "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "fs": [{ "root": "/work", "host": "/srv/notes", "access": "read" }]
    })),
    responses((status = 200, description = "The grant.", body = Object), GrantProblems)
)]
pub(crate) async fn give(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    path: SkillPath,
    _: NoQuery,
    body: JsonBody<Value>,
) -> Result<Response, Failure> {
    let selector = path.select(None)?;
    let (digest, new) = NewGrant::from_json(&selector.id, &caller.0.name, body.value)
        .map_err(|problem| Failure::invalid_member("", &problem))?;
    let skill = resolve(&state, &selector)?;
    if skill.digest != digest {
        let id = selector.id;
        let error = GrantError::OtherBytes { skill: id, expected: digest, now: skill.digest };
        return Err(Failure::grant(&error, &trace.trace_id_hex()));
    }
    let entry = change(&state, &trace.trace_id_hex(), move |grants| grants.add(&skill, new)).await?;
    answer::json(&entry.to_json())
}

/// Narrow a grant
///
/// Takes away what the body names: `fs`, `read_only`, `http`, `config`, `secrets`, `shell` and
/// `risks` are lists of roots, hosts, keys, names, commands and tags, `state` and `workspace` are flags, `limits` and `expires_at`
/// are as in a grant. Calls that began with more are ended.
#[utoipa::path(
    patch,
    path = "/v1/grants/{namespace}/{name}",
    operation_id = "narrowGrant",
    tag = "grants",
    security(("key" = ["admin"])),
    params(IdPath, GrantQuery),
    request_body(content = Object, example = json!({ "read_only": ["/work"] })),
    responses((status = 200, description = "The grant as it is now.", body = Object), GrantProblems)
)]
pub(crate) async fn narrow(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    path: SkillPath,
    Query(query): Query<GrantQuery>,
    body: JsonBody<Value>,
) -> Result<Response, Failure> {
    let id = path.select(None)?.id;
    let digest = digest_of(&query)?;
    let narrowing = Narrowing::from_json(&body.value).map_err(|problem| Failure::invalid_member("", &problem))?;
    let by = caller.0.name;
    let trace = trace.trace_id_hex();
    let entry = change(&state, &trace, move |grants| grants.narrow(&id, digest, &narrowing, &by)).await?;
    answer::json(&entry.to_json())
}

/// Accept new bytes
///
/// Gives the bytes that were looked at what the grant of the ones before gave, as far
/// as the manifest still asks for it.
#[utoipa::path(
    post,
    path = "/v1/grants/{namespace}/{name}/accept",
    operation_id = "acceptBytes",
    tag = "grants",
    security(("key" = ["admin"])),
    params(IdPath),
    request_body = AcceptRequest,
    responses((status = 200, description = "The new grant.", body = Object), GrantProblems)
)]
pub(crate) async fn accept(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    path: SkillPath,
    _: NoQuery,
    body: JsonBody<AcceptRequest>,
) -> Result<Response, Failure> {
    let digest = parse_digest(&body.value.digest).map_err(|error| Failure::invalid_member("/digest", &error))?;
    let skill = resolve(&state, &path.select(None)?)?;
    let by = caller.0.name;
    let trace = trace.trace_id_hex();
    let entry = change(&state, &trace, move |grants| grants.accept(&skill, digest, &by)).await?;
    answer::json(&entry.to_json())
}

/// Take grants back
///
/// All grants of a skill, or the one for `digest`. Calls under way are ended.
#[utoipa::path(
    delete,
    path = "/v1/grants/{namespace}/{name}",
    operation_id = "revokeGrant",
    tag = "grants",
    security(("key" = ["admin"])),
    params(IdPath, GrantQuery),
    responses((status = 200, description = "The grants that were taken back.", body = Grants), GrantProblems)
)]
pub(crate) async fn revoke(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    path: SkillPath,
    Query(query): Query<GrantQuery>,
) -> Result<Response, Failure> {
    let id = path.select(None)?.id;
    let digest = digest_of(&query)?;
    let (by, trace, name) = (caller.0.name, trace.trace_id_hex(), id.to_string());
    let current = state.executor().grants().current();
    let revoked = change(&state, &trace, move |grants| grants.revoke(&id, digest, &by)).await?;
    if revoked.is_empty() {
        return Err(Failure::grant(&GrantError::NoSuchGrant(name), &trace));
    }
    let entries = revoked.iter().filter_map(|grant| current.of(&grant.skill, &grant.digest));
    answer::json(&Grants { grants: entries.map(|entry| entry.to_json()).collect() })
}

/// Export grants
///
/// Every grant as a file that a team can keep in git.
#[utoipa::path(
    get,
    path = "/v1/grants/export",
    operation_id = "exportGrants",
    tag = "grants",
    security(("key" = ["admin"])),
    responses((status = 200, description = "The file.", body = GrantFile), GrantProblems)
)]
pub(crate) async fn export(
    State(state): State<ApiState>,
    _: Allowed<Admin>,
    Trace(trace): Trace,
    _: NoQuery,
) -> Result<Response, Failure> {
    let toml = state.executor().grants().export();
    answer::json(&GrantFile { toml: toml.map_err(|error| Failure::grant(&error, &trace.trace_id_hex()))? })
}

/// Import grants
///
/// Gives every grant of a file, all of them or none. Each takes the place of one for
/// the same bytes.
#[utoipa::path(
    post,
    path = "/v1/grants/import",
    operation_id = "importGrants",
    tag = "grants",
    security(("key" = ["admin"])),
    request_body = GrantFile,
    responses((status = 200, description = "The grants that were given.", body = Grants), GrantProblems)
)]
pub(crate) async fn import(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    _: NoQuery,
    body: JsonBody<GrantFile>,
) -> Result<Response, Failure> {
    let (by, trace) = (caller.0.name, trace.trace_id_hex());
    let text = body.value.toml;
    let given = change(&state, &trace, move |grants| grants.import(Path::new(IMPORTED), &text, &by)).await?;
    let current = state.executor().grants().current();
    let entries = given.iter().filter_map(|grant| current.of(&grant.skill, &grant.digest));
    answer::json(&Grants { grants: entries.map(|entry: &std::sync::Arc<GrantEntry>| entry.to_json()).collect() })
}

fn resolve(
    state: &ApiState,
    selector: &SkillSelector,
) -> Result<std::sync::Arc<bailiwick_skills::skill::Skill>, Failure> {
    state.registry().catalog().resolve(selector).map_err(|error| Failure::resolve(&error))
}

/// Changes grants where blocking is allowed: the store waits for the disk.
async fn change<T: Send + 'static>(
    state: &ApiState,
    trace: &str,
    change: impl FnOnce(&GrantStore) -> Result<T, GrantError> + Send + 'static,
) -> Result<T, Failure> {
    let grants = std::sync::Arc::clone(state.executor().grants());
    let changed = tokio::task::spawn_blocking(move || change(&grants)).await;
    let changed = changed.map_err(|error| Failure::host_failure(trace, &error))?;
    changed.map_err(|error| Failure::grant(&error, trace))
}

fn digest_of(query: &GrantQuery) -> Result<Option<Digest>, Failure> {
    let parsed = query.digest.as_deref().map(parse_digest).transpose();
    parsed.map_err(|error| Failure::invalid_query(&format!("digest: {error}")))
}

fn parse_digest(text: &str) -> Result<Digest, String> {
    text.parse().map_err(|error: bailiwick_domain::digest::InvalidDigest| error.to_string())
}

//! The catalogue: which skills there are.

use axum::extract::State;
use axum::response::Response;
use bailiwick_wire::skill::{SelectorPath, SkillDetail, SkillPage, SkillQuery, SkillsQuery};

use crate::answer;
use crate::auth::caller::{Allowed, Read};
use crate::convert;
use crate::extract::{Query, SkillPath};
use crate::openapi::ReadProblems;
use crate::page;
use crate::problem::Failure;
use crate::state::ApiState;

/// List skills
///
/// The newest release of each skill, in the order of ids, page by page.
#[utoipa::path(
    get,
    path = "/v1/skills",
    operation_id = "listSkills",
    tag = "skills",
    security(("key" = ["skills:read"])),
    params(SkillsQuery),
    responses((status = 200, description = "One page of the catalogue.", body = SkillPage), ReadProblems)
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Allowed<Read>,
    Query(query): Query<SkillsQuery>,
) -> Result<Response, Failure> {
    answer::json(&page::of(&state.registry().catalog(), &query)?)
}

/// Describe a skill
///
/// All that is known of one release: its tools with their schemas, what it
/// imports, and what it asks for.
#[utoipa::path(
    get,
    path = "/v1/skills/{namespace}/{name}",
    operation_id = "showSkill",
    tag = "skills",
    security(("key" = ["skills:read"])),
    params(SelectorPath, SkillQuery),
    responses((status = 200, description = "The release.", body = SkillDetail), ReadProblems)
)]
pub(crate) async fn show(
    State(state): State<ApiState>,
    _: Allowed<Read>,
    path: SkillPath,
    Query(query): Query<SkillQuery>,
) -> Result<Response, Failure> {
    let selector = path.select(query.version.as_deref())?;
    let catalog = state.registry().catalog();
    let skill = catalog.resolve(&selector).map_err(|error| Failure::resolve(&error))?;
    answer::json(&convert::detail(&catalog, &skill))
}

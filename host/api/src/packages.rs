//! Packages: what is installed, installing and removing. Only with `admin`.

use axum::extract::State;
use axum::response::Response;
use bailiwick_distribution::install::{By, InstallError, Installed, Request};
use bailiwick_distribution::oci;
use bailiwick_distribution::trust::Signer;
use bailiwick_wire::package::{InstallRequest, Installation, InstalledPackage, Packages, Removal, RemovedPackage};

use crate::answer;
use crate::auth::caller::{Admin, Allowed};
use crate::body::JsonBody;
use crate::extract::{NoQuery, SkillPath, Trace};
use crate::openapi::PackageProblems;
use crate::problem::Failure;
use crate::state::ApiState;

/// List installed packages
///
/// Every package that the lock names, and whether it is there with all its bytes.
#[utoipa::path(
    get,
    path = "/v1/packages",
    operation_id = "listPackages",
    tag = "packages",
    security(("key" = ["admin"])),
    responses((status = 200, description = "The packages.", body = Packages), PackageProblems)
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Allowed<Admin>,
    Trace(trace): Trace,
    _: NoQuery,
) -> Result<Response, Failure> {
    let installed = state.packages().list().await;
    let installed = installed.map_err(|error| Failure::install(&error, &trace.trace_id_hex()))?;
    answer::json(&Packages { packages: installed.iter().map(|it| package(it, it.already)).collect() })
}

/// Install a package
///
/// Fetches a package from `source`, checks who signed it and that it is a skill, puts it
/// into the lock and in place. Without a source, brings what is installed to what the
/// lock says. Nothing is granted by it.
#[utoipa::path(
    post,
    path = "/v1/packages",
    operation_id = "installPackage",
    tag = "packages",
    security(("key" = ["admin"])),
    request_body = InstallRequest,
    responses((status = 200, description = "What was installed.", body = Installation), PackageProblems)
)]
pub(crate) async fn install(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    _: NoQuery,
    body: JsonBody<InstallRequest>,
) -> Result<Response, Failure> {
    let trace = trace.trace_id_hex();
    let by = By { principal: caller.0.name.to_string(), trace_id: trace.clone() };
    let InstallRequest { source, digest, allow_unsigned, plain_http, credentials } = body.value;
    let credentials = credentials.map(|it| oci::Credentials { username: it.username, password: it.password.into() });
    let access = oci::Access { plain_http, credentials };
    let failed = |error: InstallError| Failure::install(&error, &trace);
    let done = match source {
        None if digest.is_some() => {
            let problem = "a digest says what one source must be; without `source`, the lock has the digests";
            return Err(Failure::invalid_member("/digest", problem));
        }
        None => {
            let synced = state.packages().sync(allow_unsigned, access, by).await.map_err(failed)?;
            let (unchanged, installed) = synced.installed.iter().partition(|it| it.already);
            Installation {
                installed: packages(installed),
                unchanged: packages(unchanged),
                removed: synced.removed.iter().map(|(skill, version)| removed(skill, version)).collect(),
            }
        }
        Some(source) => {
            let source = source.parse().map_err(|error: bailiwick_distribution::source::InvalidReference| {
                Failure::invalid_member("/source", &error.to_string())
            })?;
            let digest = digest.as_deref().map(str::parse).transpose();
            let digest = digest.map_err(|error: bailiwick_domain::digest::InvalidDigest| {
                Failure::invalid_member("/digest", &error.to_string())
            })?;
            let request = Request { source, digest, allow_unsigned, access };
            let installed = state.packages().install(request, by).await.map_err(failed)?;
            let (unchanged, installed) = [&installed].into_iter().partition(|it| it.already);
            Installation { installed: packages(installed), unchanged: packages(unchanged), removed: Vec::new() }
        }
    };
    answer::json(&done)
}

/// Remove a package
///
/// All versions of an installed skill, or the one behind `@`. Calls under way go on to
/// their end; grants stay as they are.
#[utoipa::path(
    delete,
    path = "/v1/packages/{namespace}/{name}",
    operation_id = "removePackage",
    tag = "packages",
    security(("key" = ["admin"])),
    params(
        ("namespace" = String, Path, description = "The part of the id before the slash.", example = "acme"),
        ("name" = String, Path, description = "The part behind it, with `@` and a version where not all are meant.", example = "hello"),
    ),
    responses((status = 200, description = "What was removed.", body = Removal), PackageProblems)
)]
pub(crate) async fn remove(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    path: SkillPath,
    _: NoQuery,
) -> Result<Response, Failure> {
    let trace = trace.trace_id_hex();
    let by = By { principal: caller.0.name.to_string(), trace_id: trace.clone() };
    let (id, version) = path.exact();
    let version = version.map(|text| text.parse().map_err(|error| wrong_version(&text, &error))).transpose()?;
    let gone = state.packages().remove(id, version, by).await;
    let gone = gone.map_err(|error| Failure::install(&error, &trace))?;
    answer::json(&Removal { removed: gone.iter().map(|(skill, version)| removed(skill, version)).collect() })
}

fn wrong_version(text: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::invalid_version(&format!("`{text}` is not a version such as `1.2.3`: {error}"))
}

fn packages(installed: Vec<&Installed>) -> Vec<InstalledPackage> {
    installed.into_iter().map(|it| package(it, true)).collect()
}

fn package(installed: &Installed, intact: bool) -> InstalledPackage {
    let locked = &installed.locked;
    let (signed_by, public_key) = match &locked.signer {
        Signer::Key { name, key } => (Some(name.clone()), Some(key.to_string())),
        Signer::Unsigned => (None, None),
    };
    InstalledPackage {
        skill: locked.skill.to_string(),
        version: locked.version.to_string(),
        digest: locked.digest.to_string(),
        bundle: locked.bundle.to_string(),
        source: locked.source.to_string(),
        manifest: locked.manifest.map(|digest| digest.to_string()),
        signed_by,
        public_key,
        intact,
    }
}

fn removed(skill: &dyn std::fmt::Display, version: &dyn std::fmt::Display) -> RemovedPackage {
    RemovedPackage { skill: skill.to_string(), version: version.to_string() }
}

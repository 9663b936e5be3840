//! The intersection of what is asked for, what is granted and what the host allows.

use std::collections::BTreeMap;

use bailiwick_domain::authority::{CommandRule, FsMount, FsRequest, GuestPath, SecretDestination, SkillRule};
use bailiwick_domain::grant::{Capabilities, Grant};
use bailiwick_domain::manifest::Permissions;
use bailiwick_domain::permit::{HttpAuthority, Terms};
use bailiwick_domain::quota::StateRequest;
use bailiwick_domain::skill_id::SkillSelector;

use super::PolicyOptions;
use crate::skill::Skill;

/// What calls of `skill` may do under `grant`. What only one of manifest and
/// grant names is in none of it, and what one of them or the host denies is denied.
pub fn effective_terms(skill: &Skill, grant: &Grant, host: &PolicyOptions) -> Terms {
    let asked = &skill.manifest.permissions;
    let granted = &grant.capabilities;
    Terms {
        skill: skill.manifest.id.clone(),
        digest: skill.digest,
        fs: granted.fs.iter().filter_map(|mount| within_request(&asked.fs, mount)).collect(),
        http: http(asked, granted, host),
        secrets: asked_secrets(asked, &granted.secrets),
        workspace: asked.workspace.zip(granted.workspace).map(|(asked, granted)| asked.cut(granted)),
        state: asked.state.zip(granted.state).map(|(asked, granted)| asked.cut(granted)),
        config: asked_config(asked, &granted.config),
        shell: asked_commands(asked, &granted.shell),
        skills: asked_skills(asked, &granted.skills),
        models: asked_models(asked, &skill.manifest.model_preferences, &granted.models),
        limits: host.limits.effective(&skill.manifest.limits, &grant.limits),
    }
}

/// What observed calls of `skill` may do: what the bounds say, on copies, whatever the
/// manifest asks for. What the author promised not to do, and what the host denies, holds.
///
/// State and a workspace are there also where the bounds have none: they are empty,
/// nobody else's and gone afterwards, so that only their use is seen. A grant comes of
/// it where the bounds give one.
pub(super) fn observed_terms(skill: &Skill, within: &Grant, copies: Vec<FsMount>, host: &PolicyOptions) -> Terms {
    let granted = &within.capabilities;
    let workspace = GuestPath::workspace();
    let free = !copies.iter().any(|mount| mount.root.overlaps(&workspace));
    Terms {
        skill: skill.manifest.id.clone(),
        digest: skill.digest,
        fs: copies,
        http: HttpAuthority { requested: granted.http.clone(), ..http(&skill.manifest.permissions, granted, host) },
        secrets: granted.secrets.clone(),
        workspace: free.then(|| granted.workspace.unwrap_or_default()),
        state: Some(StateRequest::default().cut(granted.state.unwrap_or_default())),
        config: granted.config.clone(),
        // What a command does is not seen, and not done to copies alone.
        shell: Vec::new(),
        // The same holds for what other skills do, and for models.
        skills: Vec::new(),
        models: Vec::new(),
        limits: host.limits.effective(&skill.manifest.limits, &within.limits),
    }
}

fn http(asked: &Permissions, granted: &Capabilities, host: &PolicyOptions) -> HttpAuthority {
    let denied = [&asked.http_deny, &granted.http_deny, &host.http_deny];
    HttpAuthority {
        requested: asked.http.clone(),
        granted: granted.http.clone(),
        denied: denied.into_iter().flatten().cloned().collect(),
    }
}

fn asked_secrets(
    asked: &Permissions,
    granted: &BTreeMap<String, Vec<SecretDestination>>,
) -> BTreeMap<String, Vec<SecretDestination>> {
    let pair = |name: &String| granted.get(name).map(|destinations| (name.clone(), destinations.clone()));
    asked.secrets.iter().filter_map(pair).collect()
}

/// The mount as far as a request goes that its root lies in.
fn within_request(asked: &[FsRequest], mount: &FsMount) -> Option<FsMount> {
    let request = asked.iter().find(|request| request.root.contains(&mount.root))?;
    let (access, quota) = (mount.access.min(request.access), request.quota.cut(mount.quota));
    Some(FsMount { access, quota, ..mount.clone() })
}

fn asked_commands(asked: &Permissions, granted: &[CommandRule]) -> Vec<CommandRule> {
    let is_asked_for = |rule: &&CommandRule| asked.shell.iter().any(|asked| asked.covers(rule));
    granted.iter().filter(is_asked_for).cloned().collect()
}

fn asked_skills(asked: &Permissions, granted: &[SkillSelector]) -> Vec<SkillRule> {
    let rule = |granted: &SkillSelector| asked.skills.iter().find_map(|asked| SkillRule::of(asked, granted));
    granted.iter().filter_map(rule).collect()
}

/// Those that the author prefers stand first, because a request that names no model goes to
/// the first.
fn asked_models(asked: &Permissions, preferences: &[String], granted: &[String]) -> Vec<String> {
    let mut models: Vec<String> = granted.iter().filter(|model| asked.models.contains(model)).cloned().collect();
    models.sort_by_key(|model| preferences.iter().position(|preferred| preferred == model).unwrap_or(usize::MAX));
    models
}

fn asked_config(asked: &Permissions, granted: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let pair = |key: &String| granted.get(key).map(|value| (key.clone(), value.clone()));
    asked.config.iter().filter_map(pair).collect()
}

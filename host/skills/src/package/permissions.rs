//! What a manifest asks for, as the domain has it.

use bailiwick_domain::authority::{Access, CommandRule, FsRequest, GuestPath, HttpDeny, HttpRule, PathPattern, Scheme};
use bailiwick_domain::manifest::Permissions;
use bailiwick_domain::quota::{QuotaRequest, StateRequest};
use bailiwick_domain::skill_id::{SkillId, SkillSelector};

use super::document::excerpt;
use super::key_path::KeyPath;
use super::manifest::{Checker, number, positive_size};
use super::names;
use super::raw::{
    RawAccess, RawFs, RawHttp, RawHttpDeny, RawPermissions, RawQuota, RawScheme, RawShell, RawSkill, RawStateQuota,
};

/// The domain's permissions; `None` where an entry was reported.
pub(super) fn validate(raw: RawPermissions, allow_shell: bool, checker: &mut Checker<'_>) -> Option<Permissions> {
    let path = KeyPath::root().key("permissions");
    let fs = validate_fs(&raw.fs, &path.key("fs"), checker);
    let workspace =
        raw.workspace.0.map(|asked| validate_workspace(&asked, fs.as_deref(), &path.key("workspace"), checker));
    let state = raw.state.0.map(|asked| validate_state(&asked, &path.key("state"), checker));
    let http = validate_http(raw.http, &path.key("http"), checker);
    let http_deny = validate_denies(raw.http_deny, &path.key("http_deny"), checker);
    let skills = validate_skills(&raw.skills, &path.key("skills"), checker);
    let shell = validate_shell(raw.shell, &path.key("shell"), allow_shell, checker);
    let config = checker.set(&path.key("config"), raw.config, names::name);
    let secrets = checker.set(&path.key("secrets"), raw.secrets, names::name);
    let models = checker.list(&path.key("models"), raw.models, names::model);
    Some(Permissions {
        fs: fs?,
        http: http?,
        http_deny: http_deny?,
        workspace,
        state,
        config,
        secrets,
        skills: skills?,
        models,
        shell: shell?,
    })
}

fn validate_fs(raw: &[RawFs], path: &KeyPath, checker: &mut Checker<'_>) -> Option<Vec<FsRequest>> {
    let parsed: Vec<Option<FsRequest>> = raw
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            let path = path.index(index);
            let quota = validate_quota(entry.max_bytes.as_ref(), entry.max_files, &path, checker);
            check_read_quota(entry, &path, checker);
            let root = checker.parse(&path.key("root"), &entry.root, str::parse)?;
            Some(FsRequest { root, access: access(entry.access), quota })
        })
        .collect();
    let requests: Vec<FsRequest> = parsed.into_iter().collect::<Option<_>>()?;
    check_overlap(&requests, path, checker);
    Some(requests)
}

fn validate_quota(
    max_bytes: Option<&String>,
    max_files: Option<i64>,
    path: &KeyPath,
    checker: &mut Checker<'_>,
) -> QuotaRequest {
    let max_bytes = max_bytes.and_then(|text| checker.parse(&path.key("max_bytes"), text, positive_size));
    QuotaRequest { max_bytes, max_files: max_files.and_then(number) }
}

/// A quota of what is never written would be a slip: the access was to be another one.
fn check_read_quota(entry: &RawFs, path: &KeyPath, checker: &mut Checker<'_>) {
    let given = [("max_bytes", entry.max_bytes.is_some()), ("max_files", entry.max_files.is_some())];
    for (key, _) in given.into_iter().filter(|(_, given)| *given && matches!(entry.access, RawAccess::Read)) {
        checker.report(&path.key(key), format!("found `{key}`, expected none: nothing is written with `read` access"));
    }
}

fn validate_workspace(
    raw: &RawQuota,
    fs: Option<&[FsRequest]>,
    path: &KeyPath,
    checker: &mut Checker<'_>,
) -> QuotaRequest {
    let workspace = GuestPath::workspace();
    if let Some(other) = fs.into_iter().flatten().find(|request| request.root.overlaps(&workspace)) {
        let message = format!("found a workspace at `{workspace}`, expected none beside the folder `{}`", other.root);
        checker.report(path, message);
    }
    validate_quota(raw.max_bytes.as_ref(), raw.max_files, path, checker)
}

fn validate_state(raw: &RawStateQuota, path: &KeyPath, checker: &mut Checker<'_>) -> StateRequest {
    let max_bytes = raw.max_bytes.as_ref();
    let max_bytes = max_bytes.and_then(|text| checker.parse(&path.key("max_bytes"), text, positive_size));
    StateRequest { max_bytes, max_keys: raw.max_keys.and_then(number) }
}

/// With overlapping roots a path would have two accesses, and which one holds would be a guess.
fn check_overlap(requests: &[FsRequest], path: &KeyPath, checker: &mut Checker<'_>) {
    for (index, request) in requests.iter().enumerate() {
        let overlaps = |other: &&FsRequest| other.root.overlaps(&request.root);
        if let Some(other) = requests[..index].iter().find(overlaps) {
            let message = format!(
                "found `{}`, which overlaps with `{}` above, expected folders apart from each other",
                request.root, other.root
            );
            checker.report(&path.index(index).key("root"), message);
        }
    }
}

fn validate_http(raw: Vec<RawHttp>, path: &KeyPath, checker: &mut Checker<'_>) -> Option<Vec<HttpRule>> {
    let parsed: Vec<Option<HttpRule>> =
        raw.into_iter().enumerate().map(|(index, rule)| validate_rule(rule, &path.index(index), checker)).collect();
    let rules: Vec<HttpRule> = parsed.into_iter().collect::<Option<_>>()?;
    check_duplicates(&rules, path, checker);
    Some(rules)
}

fn validate_rule(raw: RawHttp, path: &KeyPath, checker: &mut Checker<'_>) -> Option<HttpRule> {
    let methods = checker.list(&path.key("methods"), raw.methods, names::method);
    let paths = validate_paths(raw.paths, &path.key("paths"), checker);
    let host = checker.parse(&path.key("host"), &raw.host, str::parse);
    Some(HttpRule {
        host: host?,
        schemes: raw.schemes.into_iter().map(scheme).collect(),
        ports: ports(raw.ports),
        methods,
        paths: paths?,
    })
}

fn validate_denies(raw: Vec<RawHttpDeny>, path: &KeyPath, checker: &mut Checker<'_>) -> Option<Vec<HttpDeny>> {
    let parsed: Vec<Option<HttpDeny>> =
        raw.into_iter().enumerate().map(|(index, rule)| validate_deny(rule, &path.index(index), checker)).collect();
    parsed.into_iter().collect()
}

fn validate_deny(raw: RawHttpDeny, path: &KeyPath, checker: &mut Checker<'_>) -> Option<HttpDeny> {
    let methods = checker.list(&path.key("methods"), raw.methods, names::method);
    let paths = validate_paths(raw.paths, &path.key("paths"), checker);
    let host = checker.parse(&path.key("host"), &raw.host, str::parse);
    Some(HttpDeny {
        host: host?,
        schemes: raw.schemes.into_iter().map(scheme).collect(),
        ports: ports(raw.ports),
        methods,
        paths: paths?,
    })
}

fn validate_paths(raw: Vec<String>, path: &KeyPath, checker: &mut Checker<'_>) -> Option<Vec<PathPattern>> {
    let raw = checker.list(path, raw, names::url_path);
    raw.iter().map(|text| text.parse().ok()).collect()
}

/// The shape allows no number that isn't a port.
fn ports(raw: Vec<i64>) -> Vec<u16> {
    raw.into_iter().filter_map(|port| u16::try_from(port).ok()).collect()
}

/// A rule that says the same as another one is a slip: one of the two was to be changed.
fn check_duplicates(rules: &[HttpRule], path: &KeyPath, checker: &mut Checker<'_>) {
    let sorted: Vec<HttpRule> = rules.iter().cloned().map(sort_rule).collect();
    for (index, rule) in sorted.iter().enumerate() {
        if let Some(first) = sorted[..index].iter().position(|other| other == rule) {
            let message = format!(
                "found a second rule for `{}` that says the same as {}, expected each rule once",
                rule.host,
                path.index(first)
            );
            checker.report(&path.index(index), message);
        }
    }
}

/// Order says nothing in a rule.
fn sort_rule(mut rule: HttpRule) -> HttpRule {
    rule.schemes.sort_unstable();
    rule.ports.sort_unstable();
    rule.methods.sort_unstable();
    rule.paths.sort_unstable();
    rule
}

fn validate_skills(raw: &[RawSkill], path: &KeyPath, checker: &mut Checker<'_>) -> Option<Vec<SkillSelector>> {
    let parsed: Vec<Option<SkillSelector>> =
        raw.iter().enumerate().map(|(index, skill)| validate_skill(skill, &path.index(index), checker)).collect();
    let selectors: Vec<SkillSelector> = parsed.into_iter().collect::<Option<_>>()?;
    for (index, selector) in selectors.iter().enumerate() {
        if let Some(first) = selectors[..index].iter().position(|other| other.id == selector.id) {
            let message =
                format!("found `{}` again, expected each skill once; the first is {}", selector.id, path.index(first));
            checker.report(&path.index(index).key("id"), message);
        }
    }
    Some(selectors)
}

fn validate_skill(raw: &RawSkill, path: &KeyPath, checker: &mut Checker<'_>) -> Option<SkillSelector> {
    let id: SkillId = checker.parse(&path.key("id"), &raw.id, str::parse)?;
    match &raw.version {
        Some(range) => checker.parse(&path.key("version"), range, |range| SkillSelector::within(id, range)),
        None => Some(SkillSelector::newest(id)),
    }
}

fn validate_shell(
    raw: Vec<RawShell>,
    path: &KeyPath,
    allow_shell: bool,
    checker: &mut Checker<'_>,
) -> Option<Vec<CommandRule>> {
    for (index, entry) in raw.iter().enumerate() {
        let (path, shown) = (path.index(index), excerpt(&entry.command.join(" ")));
        if !allow_shell {
            let message = format!(
                "found the command {shown}, expected none: this host runs no commands for skills; set `skills.allow_shell = true` in its configuration to let it"
            );
            checker.report(&path, message);
        }
        if let Some(position) = entry.command.iter().position(|word| word.contains('\0')) {
            checker.report(
                &path.key("command").index(position),
                "found a NUL character, expected none: no argument can hold it",
            );
        }
    }
    let rule = |(index, entry): (usize, RawShell)| {
        if entry.command.iter().any(|word| word.contains('\0')) {
            return None;
        }
        let path = path.index(index).key("command");
        CommandRule::beginning(entry.command).map_err(|error| checker.report(&path, format!("found {error}"))).ok()
    };
    let rules: Vec<_> = raw.into_iter().enumerate().map(rule).collect();
    rules.into_iter().collect()
}

const fn access(raw: RawAccess) -> Access {
    match raw {
        RawAccess::Read => Access::Read,
        RawAccess::ReadWrite => Access::ReadWrite,
    }
}

const fn scheme(raw: RawScheme) -> Scheme {
    match raw {
        RawScheme::Http => Scheme::Http,
        RawScheme::Https => Scheme::Https,
    }
}

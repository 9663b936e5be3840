//! What is asked for, against what the component can use at all.

use std::collections::BTreeMap;
use std::path::Path;

use bailiwick_domain::manifest::Permissions;

use super::about_manifest;
use crate::component::Facts;
use crate::finding::{Finding, Severity};
use crate::interfaces::{PERMISSIONS, Permission};

/// What the manifest asks for in vain, and what the component uses in vain.
pub(super) fn check(facts: &Facts, asked: &Permissions, component: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for permission in PERMISSIONS {
        let (wanted, imports) = (permission.asked(asked), permission.among(&facts.imports));
        if imports.is_empty() {
            findings.extend(surplus(permission, &wanted));
        } else if wanted.is_empty() {
            findings.push(unasked(permission, &imports, facts, component));
        }
    }
    findings.extend(sockets(facts, component));
    findings
}

/// Permissions that no import could ever use, one finding for each key.
fn surplus(permission: Permission, wanted: &[(&'static str, String)]) -> Vec<Finding> {
    let mut by_key: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, what) in wanted {
        by_key.entry(key).or_default().push(what);
    }
    let finding = |(key, what): (&str, Vec<&str>)| {
        let interface = permission.interfaces().first().copied().unwrap_or_default().trim_end_matches('/');
        let message = format!(
            "found a request for {}, which the component can't use: it imports nothing of `{interface}`",
            what.join(" and ")
        );
        let cure = format!("remove `{key}`, or use it in the code and build again");
        about_manifest(Severity::Error, "unused-permission", message, cure).of_key(key)
    };
    by_key.into_iter().map(finding).collect()
}

/// An interface that is imported and will refuse every use.
fn unasked(permission: Permission, imports: &[&str], facts: &Facts, component: &Path) -> Finding {
    let names = imports.iter().map(|import| format!("`{import}`")).collect::<Vec<_>>().join(", ");
    let keys = permission.keys();
    if by_library(permission, facts) {
        let message = format!(
            "imports {names} by way of its language's library; without `{keys}` every use of it is refused, which \
             hurts only code that uses it"
        );
        let cure = format!("nothing has to be done; if the skill does use it, ask for `{keys}`");
        return Finding::new(Severity::Note, "library-import", component, message, cure);
    }
    let message =
        format!("imports {names}, and the manifest doesn't ask for `{keys}`: every use of it will be refused");
    let cure = format!("ask for `{keys}` in skill.toml, or leave out of the code what uses it and build again");
    Finding::new(Severity::Error, "permission-not-asked", component, message, cure)
}

/// Whether the import may come from a library of the language and not from the author.
/// The standard library of every language brings files along; interpreters bring all of WASI.
fn by_library(permission: Permission, facts: &Facts) -> bool {
    match permission {
        Permission::Files => true,
        Permission::Requests | Permission::State | Permission::Settings => facts.is_interpreted(),
        Permission::Commands | Permission::Skills | Permission::Models => false,
    }
}

fn sockets(facts: &Facts, component: &Path) -> Option<Finding> {
    let imports = facts.imports.iter().any(|import| import.starts_with("wasi:sockets/"));
    imports.then(|| {
        let message = "imports `wasi:sockets`, and a host refuses connections of a skill's own whatever is granted";
        let cure = "nothing has to be done if only the language's library brings it along; else send requests over \
                    `wasi:http`";
        Finding::new(Severity::Note, "sockets", component, message, cure)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap as Map;

    use super::*;
    use crate::component::{Form, Module};

    fn facts(imports: &[&str], code: u64) -> Facts {
        Facts {
            form: Form::Component,
            size: code,
            imports: imports.iter().map(|&import| import.to_owned()).collect(),
            exports: Vec::new(),
            modules: vec![Module { code, ..Module::default() }],
            custom: Map::new(),
            producers: Map::new(),
        }
    }

    fn codes(facts: &Facts, asked: &Permissions) -> Vec<(Severity, &'static str)> {
        check(facts, asked, Path::new("s.wasm")).into_iter().map(|it| (it.severity, it.code)).collect()
    }

    #[test]
    fn each_permission_is_held_against_the_imports() {
        let http = "wasi:http/outgoing-handler@0.2.0";
        let nothing = Permissions::default();
        assert_eq!(codes(&facts(&[], 1), &nothing), []);
        let settings = Permissions { config: ["units".to_owned()].into(), ..Permissions::default() };
        assert_eq!(codes(&facts(&[], 1), &settings), [(Severity::Error, "unused-permission")]);
        assert_eq!(codes(&facts(&["wasi:config/store@0.2.0-rc.1"], 1), &settings), []);
        assert_eq!(codes(&facts(&[http], 1), &nothing), [(Severity::Error, "permission-not-asked")]);
        assert_eq!(codes(&facts(&[http], 8 << 20), &nothing), [(Severity::Note, "library-import")]);
        assert_eq!(codes(&facts(&["wasi:filesystem/types@0.2.0"], 1), &nothing), [(Severity::Note, "library-import")]);
        let skills = facts(&["bailiwick:skill/skills@0.1.0"], 8 << 20);
        assert_eq!(codes(&skills, &nothing), [(Severity::Error, "permission-not-asked")]);
        assert_eq!(codes(&facts(&["wasi:sockets/tcp@0.2.0"], 1), &nothing), [(Severity::Note, "sockets")]);
    }

    #[test]
    fn a_secret_needs_requests() {
        let asked = Permissions { secrets: ["token".to_owned()].into(), ..Permissions::default() };
        let found = check(&facts(&[], 1), &asked, Path::new("s.wasm"));
        assert_eq!(found[0].key.as_deref(), Some("permissions.secrets"));
        assert!(found[0].message.contains("the secret `token`"), "{}", found[0].message);
    }
}

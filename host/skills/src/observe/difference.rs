//! What was used, beside what the manifest asks for.

use std::collections::BTreeSet;
use std::slice;

use bailiwick_domain::authority::{Access, FsRequest, HttpRule};
use bailiwick_domain::manifest::Permissions;

use crate::grants::rule_is_asked_for;
use crate::package::asked;

/// A line for each thing of `needed` that `asked` does not cover.
pub(super) fn missing(asked: &Permissions, needed: &Permissions) -> BTreeSet<String> {
    let mut missing = observable(needed);
    missing.fs.retain(|needed| !asked.fs.iter().any(|asked| covers(asked, needed)));
    missing.http.retain(|rule| !rule_is_asked_for(&asked.http, rule));
    missing.workspace = missing.workspace.filter(|_| asked.workspace.is_none());
    missing.state = missing.state.filter(|_| asked.state.is_none());
    missing.config.retain(|key| !asked.config.contains(key));
    missing.secrets.retain(|name| !asked.secrets.contains(name));
    asked::lines(&missing)
}

/// A line for each thing of `asked` of which nothing was `needed`.
pub(super) fn unneeded(asked: &Permissions, needed: &Permissions) -> BTreeSet<String> {
    let mut unneeded = observable(asked);
    let of = |asked: &FsRequest, access| {
        needed.fs.iter().any(|needed| asked.root.contains(&needed.root) && needed.access >= access)
    };
    unneeded.fs.retain(|asked| !of(asked, Access::Read));
    unneeded.http.retain(|asked| !needed.http.iter().any(|needed| is_of(asked, needed)));
    unneeded.workspace = unneeded.workspace.filter(|_| needed.workspace.is_none());
    unneeded.state = unneeded.state.filter(|_| needed.state.is_none());
    unneeded.config.retain(|key| !needed.config.contains(key));
    unneeded.secrets.retain(|name| !needed.secrets.contains(name));
    let mut lines = asked::lines(&unneeded);
    let only_read = |asked: &&FsRequest| {
        asked.access == Access::ReadWrite && of(asked, Access::Read) && !of(asked, Access::ReadWrite)
    };
    lines.extend(asked.fs.iter().filter(only_read).map(|asked| format!("writing below {}", asked.root)));
    lines
}

/// What an observation can tell: the use of models, skills and commands is not seen
/// yet, and a promise is nothing that is used.
fn observable(permissions: &Permissions) -> Permissions {
    Permissions {
        http_deny: Vec::new(),
        skills: Vec::new(),
        models: Vec::new(),
        shell: Vec::new(),
        ..permissions.clone()
    }
}

fn covers(asked: &FsRequest, needed: &FsRequest) -> bool {
    asked.root.contains(&needed.root) && asked.access >= needed.access
}

fn is_of(asked: &HttpRule, needed: &HttpRule) -> bool {
    needed.methods.iter().any(|method| {
        let one = HttpRule { methods: vec![method.clone()], ..needed.clone() };
        rule_is_asked_for(slice::from_ref(asked), &one)
    })
}

#[cfg(test)]
mod tests {
    use bailiwick_domain::authority::Scheme;
    use bailiwick_domain::quota::{QuotaRequest, StateRequest};

    use super::*;

    fn folder(root: &str, access: Access) -> FsRequest {
        FsRequest { root: root.parse().expect(root), access, quota: QuotaRequest::default() }
    }

    fn rule(host: &str, methods: &[&str]) -> HttpRule {
        let methods = methods.iter().map(|method| (*method).to_owned()).collect();
        HttpRule {
            host: host.parse().expect(host),
            schemes: vec![Scheme::Https],
            ports: vec![],
            methods,
            paths: vec![],
        }
    }

    #[test]
    fn each_permission_is_compared_by_what_it_covers() {
        let asked = Permissions {
            fs: vec![folder("/work", Access::ReadWrite), folder("/never", Access::Read)],
            http: vec![rule("*.example.com", &["GET", "PUT"]), rule("other.com", &["GET"])],
            workspace: Some(QuotaRequest::default()),
            config: ["mode".to_owned(), "level".to_owned()].into(),
            models: vec!["small".to_owned()],
            ..Permissions::default()
        };
        let needed = Permissions {
            fs: vec![folder("/work/docs", Access::Read), folder("/out", Access::ReadWrite)],
            http: vec![rule("api.example.com", &["GET"]), rule("b.com", &["GET"])],
            state: Some(StateRequest::default()),
            config: ["mode".to_owned(), "region".to_owned()].into(),
            secrets: ["token".to_owned()].into(),
            ..Permissions::default()
        };
        let lines = |lines: BTreeSet<String>| lines.into_iter().collect::<Vec<_>>();
        assert_eq!(
            lines(missing(&asked, &needed)),
            [
                "durable state",
                "folder /out (read-write)",
                "requests GET https://b.com",
                "secret token",
                "setting region"
            ]
        );
        assert_eq!(
            lines(unneeded(&asked, &needed)),
            [
                "a folder of its own for each call, or for each task of a run",
                "folder /never (read)",
                "requests GET https://other.com",
                "setting level",
                "writing below /work"
            ]
        );
        assert!(missing(&asked, &asked).is_empty() && unneeded(&asked, &asked).is_empty());
    }
}

//! Whether a grant stays within what a manifest asks for.

use bailiwick_domain::authority::{FsMount, HostPattern, HttpRule, PathPattern, Scheme};
use bailiwick_domain::grant::Capabilities;
use bailiwick_domain::manifest::Permissions;

use super::error::Wider;

/// The first permission of `granted` that `asked` lacks.
pub(super) fn check(asked: &Permissions, granted: &Capabilities) -> Result<(), Wider> {
    granted.fs.iter().try_for_each(|mount| check_mount(asked, mount))?;
    granted.http.iter().try_for_each(|rule| check_rule(&asked.http, rule))?;
    if granted.workspace.is_some() && asked.workspace.is_none() {
        return Err(Wider::Workspace);
    }
    if granted.state.is_some() && asked.state.is_none() {
        return Err(Wider::State);
    }
    if let Some(name) = granted.secrets.keys().find(|name| !asked.secrets.contains(*name)) {
        return Err(Wider::Secret { name: name.clone(), names: asked.secrets.iter().cloned().collect() });
    }
    if let Some(rule) = granted.shell.iter().find(|rule| !asked.shell.iter().any(|asked| asked.covers(rule))) {
        let commands = asked.shell.iter().map(ToString::to_string).collect();
        return Err(Wider::Command { command: rule.to_string(), commands });
    }
    if let Some(skill) = granted.skills.iter().find(|skill| !asked.skills.iter().any(|asked| asked.id == skill.id)) {
        let skills = asked.skills.iter().map(|asked| asked.id.to_string()).collect();
        return Err(Wider::Skill { skill: skill.id.to_string(), skills });
    }
    if let Some(model) = granted.models.iter().find(|model| !asked.models.contains(model)) {
        return Err(Wider::Model { model: model.clone(), models: asked.models.clone() });
    }
    match granted.config.keys().find(|key| !asked.config.contains(*key)) {
        Some(key) => Err(Wider::Config { key: key.clone(), keys: asked.config.iter().cloned().collect() }),
        None => Ok(()),
    }
}

/// As much of `granted` as `asked` still covers.
pub(super) fn cut(asked: &Permissions, granted: &Capabilities) -> Capabilities {
    let mut kept = granted.clone();
    kept.fs.retain(|mount| check_mount(asked, mount).is_ok());
    kept.http.retain(|rule| check_rule(&asked.http, rule).is_ok());
    kept.secrets.retain(|name, _| asked.secrets.contains(name));
    kept.state = kept.state.filter(|_| asked.state.is_some());
    kept.workspace = kept.workspace.filter(|_| asked.workspace.is_some());
    kept.config.retain(|key, _| asked.config.contains(key));
    kept.skills.retain(|skill| asked.skills.iter().any(|asked| asked.id == skill.id));
    kept.models.retain(|model| asked.models.contains(model));
    kept.shell.retain(|rule| asked.shell.iter().any(|asked| asked.covers(rule)));
    kept
}

/// Whether all that `rule` gives is asked for.
pub(crate) fn rule_is_asked_for(asked: &[HttpRule], rule: &HttpRule) -> bool {
    check_rule(asked, rule).is_ok()
}

fn check_mount(asked: &Permissions, mount: &FsMount) -> Result<(), Wider> {
    let Some(request) = asked.fs.iter().find(|request| request.root.contains(&mount.root)) else {
        let roots = asked.fs.iter().map(|request| request.root.to_string()).collect();
        return Err(Wider::Root { root: mount.root.clone(), roots });
    };
    if mount.access > request.access {
        let (root, asked) = (request.root.clone(), request.access);
        return Err(Wider::Access { root, asked, granted: mount.access });
    }
    Ok(())
}

/// Requests are compared one scheme, port, method and path at a time, because
/// several rules of a manifest may together cover one of a grant.
fn check_rule(asked: &[HttpRule], rule: &HttpRule) -> Result<(), Wider> {
    let every = [PathPattern::every()];
    let paths = if rule.paths.is_empty() { every.as_slice() } else { rule.paths.as_slice() };
    for scheme in &rule.schemes {
        for port in ports(rule, *scheme) {
            for method in &rule.methods {
                for path in paths {
                    let covers = |asked: &HttpRule| covers(asked, &rule.host, *scheme, port, method, path);
                    if !asked.iter().any(covers) {
                        let request = format!("`{method} {scheme}://{}:{port}{path}`", rule.host.in_url());
                        let rules = asked.iter().map(|rule| rule.host.to_string()).collect();
                        return Err(Wider::Http { request, rules });
                    }
                }
            }
        }
    }
    Ok(())
}

fn ports(rule: &HttpRule, scheme: Scheme) -> Vec<u16> {
    if rule.ports.is_empty() { vec![scheme.default_port()] } else { rule.ports.clone() }
}

fn covers(asked: &HttpRule, host: &HostPattern, scheme: Scheme, port: u16, method: &str, path: &PathPattern) -> bool {
    asked.schemes.contains(&scheme)
        && (asked.asks_for_every_port() || ports(asked, scheme).contains(&port))
        && asked.methods.iter().any(|asked| asked == method)
        && asked.host.covers(host)
        && (asked.paths.is_empty() || asked.paths.iter().any(|asked| asked.covers(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(host: &str, methods: &[&str], paths: &[&str]) -> HttpRule {
        HttpRule {
            host: host.parse().expect("a host"),
            schemes: vec![Scheme::Https],
            ports: vec![],
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            paths: paths.iter().map(|path| path.parse().expect("a path")).collect(),
        }
    }

    #[test]
    fn each_field_of_an_http_rule_must_be_covered() {
        let asked = [rule("*.example.com", &["GET", "HEAD"], &["/v1/", "/v2"])];
        let covered = |granted: &HttpRule| check_rule(&asked, granted).is_ok();
        let good = rule("api.example.com", &["GET"], &["/v1/x"]);
        assert!(covered(&rule("api.example.com", &["GET"], &["/v1/*/items", "/v2/**"])));
        assert!(covered(&good));
        assert!(covered(&rule("*.example.com", &["GET", "HEAD"], &["/v1", "/v2"])));
        assert!(covered(&HttpRule { ports: vec![443], ..good.clone() }), "the scheme's own port");
        for wider in [
            HttpRule { ports: vec![443, 8443], ..good.clone() },
            HttpRule { schemes: vec![Scheme::Https, Scheme::Http], ..good.clone() },
            rule("api.example.com", &["GET", "POST"], &["/v1"]),
            rule("api.example.com", &["GET"], &["/v1", "/v3"]),
            rule("api.example.com", &["GET"], &["/v10"]),
            rule("api.example.com", &["GET"], &[]),
            rule("*", &["GET"], &["/v1"]),
            rule("example.com", &["GET"], &["/v1"]),
            rule("*.api.example.com", &["GET"], &["/v1"]),
            rule("127.0.0.1", &["GET"], &["/v1"]),
            rule("api.example.com", &["GET"], &["/*/x"]),
            rule("api.example.com", &["GET"], &["/**"]),
        ] {
            assert!(!covered(&wider), "{wider:?}");
        }
    }

    #[test]
    fn rules_of_a_manifest_cover_together() {
        let asked = [rule("a.com", &["GET"], &[]), rule("a.com", &["POST"], &["/form"])];
        assert!(check_rule(&asked, &rule("a.com", &["GET", "POST"], &["/form"])).is_ok());
        assert!(check_rule(&asked, &rule("a.com", &["GET", "POST"], &[])).is_err());
    }

    #[test]
    fn a_block_covers_what_lies_in_it() {
        let asked = [rule("10.0.0.0/8", &["GET"], &[])];
        for (host, inside) in [("10.1.0.0/16", true), ("10.1.2.3", true), ("11.0.0.0/16", false), ("a.com", false)] {
            assert_eq!(check_rule(&asked, &rule(host, &["GET"], &[])).is_ok(), inside, "{host}");
        }
    }

    #[test]
    fn any_host_covers_an_address_that_the_grant_names() {
        assert!(check_rule(&[rule("*", &["GET"], &[])], &rule("127.0.0.1", &["GET"], &[])).is_ok());
        assert!(check_rule(&[rule("127.0.0.1", &["GET"], &[])], &rule("127.0.0.2", &["GET"], &[])).is_err());
    }
}

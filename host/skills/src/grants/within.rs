//! Whether a grant stays within what a manifest asks for.

use bailiwick_domain::authority::{FsMount, HostPattern, HttpRule, Scheme};
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
    match granted.config.keys().find(|key| !asked.config.contains(*key)) {
        Some(key) => Err(Wider::Config { key: key.clone(), keys: asked.config.iter().cloned().collect() }),
        None => Ok(()),
    }
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
    let paths = if rule.paths.is_empty() { vec!["/"] } else { rule.paths.iter().map(String::as_str).collect() };
    for scheme in &rule.schemes {
        for port in ports(rule, *scheme) {
            for method in &rule.methods {
                for path in &paths {
                    let covers = |asked: &HttpRule| covers(asked, &rule.host, *scheme, port, method, path);
                    if !asked.iter().any(covers) {
                        let request = format!("`{method} {scheme}://{}:{port}{path}`", rule.host);
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

fn covers(asked: &HttpRule, host: &HostPattern, scheme: Scheme, port: u16, method: &str, path: &str) -> bool {
    let below = |prefix: &String| {
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    asked.schemes.contains(&scheme)
        && (asked.asks_for_every_port() || ports(asked, scheme).contains(&port))
        && asked.methods.iter().any(|asked| asked == method)
        && covers_host(&asked.host, host)
        && (asked.paths.is_empty() || asked.paths.iter().any(below))
}

/// Whether each host that `granted` means is one that `asked` means.
fn covers_host(asked: &HostPattern, granted: &HostPattern) -> bool {
    match (asked, granted) {
        // A manifest that asks for any host leaves it to the grant to name a private one.
        (HostPattern::Any, _) => true,
        (_, HostPattern::Any) => false,
        (asked, HostPattern::OneLabelBelow(_)) => asked == granted,
        (asked, HostPattern::Name(name)) => asked.matches(name),
        (asked, HostPattern::Address(address)) => asked.grants_address(*address),
    }
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
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }
    }

    #[test]
    fn each_field_of_an_http_rule_must_be_covered() {
        let asked = [rule("*.example.com", &["GET", "HEAD"], &["/v1/", "/v2"])];
        let covered = |granted: &HttpRule| check_rule(&asked, granted).is_ok();
        let good = rule("api.example.com", &["GET"], &["/v1/x"]);
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
    fn any_host_covers_an_address_that_the_grant_names() {
        assert!(check_rule(&[rule("*", &["GET"], &[])], &rule("127.0.0.1", &["GET"], &[])).is_ok());
        assert!(check_rule(&[rule("127.0.0.1", &["GET"], &[])], &rule("127.0.0.2", &["GET"], &[])).is_err());
    }
}

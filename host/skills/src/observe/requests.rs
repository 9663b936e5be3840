//! The narrowest rules that allow the requests that were sent to one host.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use bailiwick_domain::authority::{HostPattern, HttpRule, PathPattern, Scheme};

use super::places::{Below, common};

/// Paths that are granted one by one at one host.
const MAX_PATHS: usize = 8;

/// What was sent to one host over one scheme and port.
#[derive(Default)]
pub(super) struct Origin<'a> {
    /// By path.
    methods: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Private addresses that its name led to.
    pub(super) addresses: BTreeSet<IpAddr>,
}

impl<'a> Origin<'a> {
    /// Adds one request.
    pub(super) fn add(&mut self, method: &'a str, path: &'a str, address: Option<IpAddr>) {
        self.methods.entry(path).or_default().insert(method);
        self.addresses.extend(address);
    }

    /// Rules that say each method with its own paths.
    pub(super) fn rules(&self, pattern: &HostPattern, scheme: Scheme, port: u16) -> Vec<HttpRule> {
        let mut paths: BTreeMap<&BTreeSet<&str>, BTreeSet<&str>> = BTreeMap::new();
        for (path, methods) in &self.methods {
            paths.entry(methods).or_default().insert(path);
        }
        let ports = if port == scheme.default_port() { vec![] } else { vec![port] };
        let rule = |(methods, paths): (&BTreeSet<&str>, BTreeSet<&str>)| HttpRule {
            host: pattern.clone(),
            schemes: vec![scheme],
            ports: ports.clone(),
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            paths: prefixes(&paths),
        };
        paths.into_iter().map(rule).collect()
    }
}

/// Prefixes that allow each of `paths`; none at all where only every path does.
fn prefixes(paths: &BTreeSet<&str>) -> Vec<PathPattern> {
    let mut prefixes = BTreeSet::new();
    for path in paths {
        match prefix(path) {
            Some(prefix) => prefixes.insert(prefix),
            None => return Vec::new(),
        };
    }
    if prefixes.len() <= MAX_PATHS {
        let covered =
            |one: &PathPattern| prefixes.iter().any(|other| other != one && other.covers(one) && !one.covers(other));
        return prefixes.iter().filter(|prefix| !covered(prefix)).cloned().collect();
    }
    let parts = |path: &&str| path.split('/').skip(1).map(str::to_owned).collect::<Below>();
    let lists: Vec<Below> = paths.iter().map(parts).collect();
    let shared = format!("/{}", common(lists.iter()).join("/"));
    prefix(&shared).filter(|prefix| paths.iter().all(|path| prefix.allows(path))).into_iter().collect()
}

/// The longest prefix that a rule can name and that allows `path`; none where only
/// the prefix of every path does.
fn prefix(path: &str) -> Option<PathPattern> {
    let mut text = path;
    loop {
        let literal = !text.contains('*') && text != "/" && !text.is_empty();
        if literal && let Some(pattern) = text.parse::<PathPattern>().ok().filter(|pattern| pattern.allows(path)) {
            return Some(pattern);
        }
        text = &text[..text.rfind('/')?];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(requests: &[(&str, &str)]) -> Vec<String> {
        let mut origin = Origin::default();
        for (method, path) in requests {
            origin.add(method, path, None);
        }
        let host = "api.example.com".parse().expect("a host");
        origin.rules(&host, Scheme::Https, 443).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_method_has_its_own_paths() {
        assert_eq!(
            rules(&[("GET", "/v1/a"), ("POST", "/v1/b"), ("GET", "/v1/c"), ("GET", "/v1/c/d")]),
            ["GET https://api.example.com below /v1/a, /v1/c", "POST https://api.example.com below /v1/b"]
        );
        assert_eq!(rules(&[("GET", "/a"), ("PUT", "/a")]), ["GET,PUT https://api.example.com below /a"]);
        let mut origin = Origin::default();
        origin.add("GET", "/a", None);
        let rules = origin.rules(&"127.0.0.1".parse().expect("a host"), Scheme::Http, 8080);
        assert_eq!(rules.iter().map(ToString::to_string).collect::<Vec<_>>(), ["GET http://127.0.0.1:8080 below /a"]);
    }

    #[test]
    fn what_no_rule_can_name_is_allowed_by_one_that_can() {
        assert_eq!(rules(&[("GET", "/")]), ["GET https://api.example.com"]);
        assert_eq!(rules(&[("GET", "/a/*/b")]), ["GET https://api.example.com below /a"]);
        assert_eq!(rules(&[("GET", "/*")]), ["GET https://api.example.com"]);
        assert_eq!(rules(&[("GET", "/a"), ("GET", "/*")]), ["GET https://api.example.com"]);
    }

    #[test]
    fn many_paths_are_taken_together() {
        let paths = |root: &str, count: usize| (0..count).map(|number| format!("{root}/{number}")).collect::<Vec<_>>();
        let of = |paths: &[String]| rules(&paths.iter().map(|path| ("GET", path.as_str())).collect::<Vec<_>>());
        assert_eq!(of(&paths("/v1", MAX_PATHS))[0].matches("/v1/").count(), MAX_PATHS);
        assert_eq!(of(&paths("/v1", MAX_PATHS + 1)), ["GET https://api.example.com below /v1"]);
        assert_eq!(of(&paths("", MAX_PATHS + 1)), ["GET https://api.example.com"]);
    }
}

//! The narrowest rules that allow the requests that were sent to one host.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::slice;

use bailiwick_domain::authority::{HostPattern, HttpRule, PathPattern, Scheme, is_public};
use bailiwick_domain::observation::CUT;

use super::places::{Below, common};
use crate::grants::rule_is_asked_for;

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
        self.methods.entry(known(path)).or_default().insert(method);
        self.addresses.extend(address);
    }

    /// Rules that say each method with its own paths, and allow nothing that `within`
    /// does not.
    pub(super) fn rules(&self, pattern: &HostPattern, scheme: Scheme, port: u16, within: &[HttpRule]) -> Vec<HttpRule> {
        let bounds: Vec<HttpRule> = within.iter().filter_map(|rule| at(rule, pattern, scheme, port)).collect();
        let mut paths: BTreeMap<&BTreeSet<&str>, BTreeSet<&str>> = BTreeMap::new();
        for (path, methods) in &self.methods {
            paths.entry(methods).or_default().insert(path);
        }
        let mut rules: Vec<HttpRule> = Vec::new();
        for (methods, paths) in paths {
            for rule in bounded(&bounds, methods, &paths) {
                if !rules.contains(&rule) {
                    rules.push(rule);
                }
            }
        }
        rules
    }
}

/// As much of `rule` as is about this host, scheme and port, if it says anything of them.
fn at(rule: &HttpRule, pattern: &HostPattern, scheme: Scheme, port: u16) -> Option<HttpRule> {
    let host = match pattern {
        // A private address is meant by those alone that name it.
        HostPattern::Address(address) if !is_public(*address) => rule.host.grants_address(*address),
        HostPattern::Address(address) => rule.host.matches(&address.to_string()),
        named => rule.host.covers(named),
    };
    let own = port == scheme.default_port();
    let on_port = rule.ports.contains(&port) || (rule.ports.is_empty() && own);
    let (host, ports) = (host.then(|| pattern.clone())?, if own { vec![] } else { vec![port] });
    let here = on_port && rule.schemes.contains(&scheme);
    here.then(|| HttpRule { host, schemes: vec![scheme], ports, ..rule.clone() })
}

/// Rules for each of `methods` at each of `paths`: one with the common prefixes where
/// the bounds allow all that it does, else as much of each of the bounds as was used.
fn bounded(bounds: &[HttpRule], methods: &BTreeSet<&str>, paths: &BTreeSet<&str>) -> Vec<HttpRule> {
    let Some(first) = bounds.first() else { return Vec::new() };
    let named = |methods: &BTreeSet<&str>| methods.iter().map(|method| (*method).to_owned()).collect();
    let merged = HttpRule { methods: named(methods), paths: prefixes(paths), ..first.clone() };
    if rule_is_asked_for(bounds, &merged) {
        return vec![merged];
    }
    // A path that was cut for the record may be allowed by none. Any of them may have.
    let unclear = paths.iter().any(|path| !bounds.iter().any(|bound| allows(bound, path)));
    let used = |bound: &HttpRule| {
        let methods: BTreeSet<&str> =
            methods.iter().copied().filter(|method| bound.methods.iter().any(|allowed| allowed == method)).collect();
        let here: BTreeSet<&str> = paths.iter().copied().filter(|path| allows(bound, path)).collect();
        if methods.is_empty() || (here.is_empty() && !unclear) {
            return None;
        }
        let whole = HttpRule { methods: named(&methods), ..bound.clone() };
        if unclear {
            return Some(whole);
        }
        let prefixes = HttpRule { paths: prefixes(&here), ..whole.clone() };
        if rule_is_asked_for(slice::from_ref(bound), &prefixes) {
            return Some(prefixes);
        }
        let used = |pattern: &&PathPattern| here.iter().any(|path| pattern.allows(path));
        Some(HttpRule { paths: whole.paths.iter().filter(used).cloned().collect(), ..whole })
    };
    bounds.iter().filter_map(used).collect()
}

fn allows(bound: &HttpRule, path: &str) -> bool {
    bound.paths.is_empty() || bound.paths.iter().any(|pattern| pattern.allows(path))
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

/// As many whole segments of `path` as the record has: it is cut where it was long.
fn known(path: &str) -> &str {
    let Some((begin, _)) = path.split_once(CUT) else { return path };
    match begin.rfind('/') {
        Some(slash) if slash > 0 => &begin[..slash],
        _ => "/",
    }
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
    use bailiwick_domain::authority::HttpTarget;
    use proptest::prelude::*;

    use super::*;

    const HOST: &str = "api.example.com";

    fn rule(host: &str, methods: &[&str], paths: &[&str]) -> HttpRule {
        HttpRule {
            host: host.parse().expect("a host"),
            schemes: vec![Scheme::Http, Scheme::Https],
            ports: vec![],
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            paths: paths.iter().map(|path| path.parse().expect("a path")).collect(),
        }
    }

    fn within(bounds: &[HttpRule], requests: &[(&str, &str)]) -> Vec<HttpRule> {
        let mut origin = Origin::default();
        for (method, path) in requests {
            origin.add(method, path, None);
        }
        origin.rules(&HOST.parse().expect("a host"), Scheme::Https, 443, bounds)
    }

    fn texts(rules: &[HttpRule]) -> Vec<String> {
        rules.iter().map(ToString::to_string).collect()
    }

    fn rules(requests: &[(&str, &str)]) -> Vec<String> {
        texts(&within(&[rule("*", &["GET", "PUT", "POST"], &[])], requests))
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
        let host = "127.0.0.1".parse().expect("a host");
        let on = |ports: &[u16], host: &str| HttpRule { ports: ports.to_vec(), ..rule(host, &["GET"], &[]) };
        let bounds = [on(&[8080], "127.0.0.0/8")];
        let rules = origin.rules(&host, Scheme::Http, 8080, &bounds);
        assert_eq!(texts(&rules), ["GET http://127.0.0.1:8080 below /a"]);
        // Neither every host nor the own port means a private address on another one.
        for bounds in [on(&[8080], "*"), on(&[], "127.0.0.1"), on(&[80, 8081], "127.0.0.1")] {
            assert!(origin.rules(&host, Scheme::Http, 8080, slice::from_ref(&bounds)).is_empty(), "{bounds}");
        }
    }

    #[test]
    fn no_rule_is_wider_than_the_bounds() {
        let one = |bound: HttpRule, requests: &[(&str, &str)]| texts(&within(&[bound], requests));
        // What the longest prefix would add, nobody gave.
        assert_eq!(
            one(rule(HOST, &["GET"], &["/v1/*/x"]), &[("GET", "/v1/7/x")]),
            ["GET https://api.example.com below /v1/*/x"]
        );
        assert_eq!(
            one(rule(HOST, &["GET"], &["/a/*/b"]), &[("GET", "/a/*/b")]),
            ["GET https://api.example.com below /a/*/b"]
        );
        let many: Vec<_> = (0..=MAX_PATHS).map(|number| format!("/v1/{number}/x")).collect();
        let many: Vec<_> = many.iter().map(|path| ("GET", path.as_str())).collect();
        let bound = rule("*.example.com", &["GET", "PUT"], &["/v1/*/x", "/v2"]);
        assert_eq!(one(bound, &many), ["GET https://api.example.com below /v1/*/x"]);
        // Each of the bounds with the methods that it allowed.
        let bounds = [rule(HOST, &["GET"], &["/a/*"]), rule(HOST, &["PUT"], &["/a/**"])];
        assert_eq!(
            texts(&within(&bounds, &[("GET", "/a/1"), ("PUT", "/a/1")])),
            ["GET https://api.example.com below /a/*", "PUT https://api.example.com below /a/1"]
        );
    }

    #[test]
    fn a_path_that_was_cut_is_known_up_to_its_last_whole_segment() {
        assert_eq!(rules(&[("GET", "/v1/items/aaa…")]), ["GET https://api.example.com below /v1/items"]);
        assert_eq!(rules(&[("GET", "/aaa…")]), ["GET https://api.example.com"]);
        let bound = rule(HOST, &["GET", "PUT"], &["/v1/items/*", "/v2"]);
        let found = within(slice::from_ref(&bound), &[("GET", "/v1/items/aaa…")]);
        assert_eq!(texts(&found), ["GET https://api.example.com below /v1/items/*, /v2"]);
    }

    /// Paths and patterns of few segments, so that they often meet.
    fn path(segments: &'static [&'static str]) -> impl Strategy<Value = String> {
        proptest::collection::vec(proptest::sample::select(segments), 0..4).prop_map(|it| format!("/{}", it.join("/")))
    }

    fn bound() -> impl Strategy<Value = HttpRule> {
        let hosts = proptest::sample::select(&["*", "*.example.com", HOST, "other.com"][..]);
        let methods = proptest::sample::subsequence(&["GET", "PUT"][..], 1..=2);
        let paths = proptest::collection::vec(path(&["a", "b", "*", "**"]), 0..3);
        let ports = proptest::sample::select(vec![vec![], vec![443], vec![80, 8080]]);
        (hosts, methods, paths, ports).prop_map(|(host, methods, paths, ports)| {
            let paths = paths.iter().filter_map(|path| path.parse().ok()).collect();
            HttpRule { paths, ports, ..rule(host, &methods, &[]) }
        })
    }

    proptest! {
        #[test]
        fn rules_allow_what_was_sent_and_nothing_beyond_the_bounds(
            bounds in proptest::collection::vec(bound(), 1..4),
            sent in proptest::collection::vec((proptest::sample::select(&["GET", "PUT"][..]), path(&["a", "b", "c", "*", "%61", ""])), 1..14),
        ) {
            let target = |(method, path): &(&'static str, String)| {
                let (scheme, host, port) = (Scheme::Https, HOST, 443);
                bounds.iter().any(|bound| bound.allows(&HttpTarget { method, scheme, host, port, path }))
            };
            let sent: Vec<_> = sent.into_iter().filter(target).collect();
            let requests: Vec<_> = sent.iter().map(|(method, path)| (*method, path.as_str())).collect();
            let rules = within(&bounds, &requests);
            for rule in &rules {
                prop_assert!(rule_is_asked_for(&bounds, rule), "{rule} is wider than {bounds:?}");
            }
            for (method, path) in &requests {
                let target = HttpTarget { method, scheme: Scheme::Https, host: HOST, port: 443, path };
                prop_assert!(rules.iter().any(|rule| rule.allows(&target)), "{method} {path} is lost: {rules:?}");
            }
        }
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

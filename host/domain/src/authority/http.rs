//! Outgoing requests: rules that allow, rules that deny, and what they speak of.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{HostPattern, PathPattern};

/// `http` or `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Plain text.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// The port where none is named.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// Requests that may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRule {
    /// To which hosts.
    pub host: HostPattern,
    /// Over which schemes; never empty.
    pub schemes: Vec<Scheme>,
    /// To which ports; empty means the scheme's own port only.
    pub ports: Vec<u16>,
    /// With which methods, in upper case; never empty.
    pub methods: Vec<String>,
    /// To which paths; empty means every path.
    pub paths: Vec<PathPattern>,
}

/// Requests that may not be sent, whatever a rule allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpDeny {
    /// To which hosts, and to which addresses of any host.
    pub host: HostPattern,
    /// Over which schemes; empty means each.
    pub schemes: Vec<Scheme>,
    /// To which ports; empty means each.
    pub ports: Vec<u16>,
    /// With which methods; empty means each.
    pub methods: Vec<String>,
    /// To which paths; empty means each.
    pub paths: Vec<PathPattern>,
}

/// A request as the rules see it.
#[derive(Clone, Copy, Debug)]
pub struct HttpTarget<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The scheme of the URL.
    pub scheme: Scheme,
    /// A name or an address, without brackets.
    pub host: &'a str,
    /// Named in the URL or the scheme's own.
    pub port: u16,
    /// The path as sent, without the query.
    pub path: &'a str,
}

impl HttpRule {
    /// Whether this rule, as part of a grant, allows `target`.
    pub fn allows(&self, target: &HttpTarget<'_>) -> bool {
        self.host.matches(target.host) && self.allows_at_any_host(target)
    }

    /// Whether this rule, as part of a manifest, asks for `target`. One that asks
    /// for every host and names no port leaves the ports to the grant too.
    pub fn asks_for(&self, target: &HttpTarget<'_>) -> bool {
        let every_port = self.asks_for_every_port() && self.host.matches(target.host) && self.means(target);
        every_port || self.allows(target)
    }

    /// Whether this rule, as part of a manifest, leaves the ports to the grant.
    pub fn asks_for_every_port(&self) -> bool {
        self.host == HostPattern::Any && self.ports.is_empty()
    }

    /// Whether this rule, as part of a grant, names the address that the host of
    /// `target` was found at, and allows such a request to it.
    pub fn grants_address(&self, target: &HttpTarget<'_>, address: IpAddr) -> bool {
        self.host.grants_address(address) && self.allows_at_any_host(target)
    }

    fn allows_at_any_host(&self, target: &HttpTarget<'_>) -> bool {
        let own = self.ports.is_empty() && target.port == target.scheme.default_port();
        (own || self.ports.contains(&target.port)) && self.means(target)
    }

    /// Scheme, method and path.
    fn means(&self, target: &HttpTarget<'_>) -> bool {
        self.schemes.contains(&target.scheme)
            && self.methods.iter().any(|method| method == target.method)
            && (self.paths.is_empty() || self.paths.iter().any(|pattern| pattern.allows(target.path)))
    }
}

impl HttpDeny {
    /// Every request to these hosts.
    pub const fn of(host: HostPattern) -> Self {
        Self { host, schemes: Vec::new(), ports: Vec::new(), methods: Vec::new(), paths: Vec::new() }
    }

    /// Whether this rule denies `target`.
    pub fn denies(&self, target: &HttpTarget<'_>) -> bool {
        self.host.denies(target.host) && self.means(target)
    }

    /// Whether this rule denies `target` at the address that its host was found at.
    pub fn denies_address(&self, target: &HttpTarget<'_>, address: IpAddr) -> bool {
        self.host.denies_address(address) && self.means(target)
    }

    /// Scheme, port, method and path.
    fn means(&self, target: &HttpTarget<'_>) -> bool {
        let same = |method: &String| method.eq_ignore_ascii_case(target.method);
        (self.schemes.is_empty() || self.schemes.contains(&target.scheme))
            && (self.ports.is_empty() || self.ports.contains(&target.port))
            && (self.methods.is_empty() || self.methods.iter().any(same))
            && (self.paths.is_empty() || self.paths.iter().any(|pattern| pattern.denies(target.path)))
    }
}

impl fmt::Display for HttpRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, &self.host, &self.schemes, &self.ports, &self.methods, &self.paths)
    }
}

impl fmt::Display for HttpDeny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, &self.host, &self.schemes, &self.ports, &self.methods, &self.paths)
    }
}

/// `GET,POST https://api.example.com:8443 below /v1`, without what is not named.
fn write(
    f: &mut fmt::Formatter<'_>,
    host: &HostPattern,
    schemes: &[Scheme],
    ports: &[u16],
    methods: &[String],
    paths: &[PathPattern],
) -> fmt::Result {
    if !methods.is_empty() {
        write!(f, "{} ", methods.join(","))?;
    }
    if !schemes.is_empty() {
        write!(f, "{}://", joined(schemes, "|"))?;
    }
    f.write_str(&host.in_url())?;
    if !ports.is_empty() {
        write!(f, ":{}", joined(ports, ","))?;
    }
    if paths.is_empty() { Ok(()) } else { write!(f, " below {}", joined(paths, ", ")) }
}

fn joined<T: fmt::Display>(items: &[T], separator: &str) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PathPattern {
        text.parse().expect(text)
    }

    #[test]
    fn every_field_of_a_rule_counts() {
        let rule = HttpRule {
            host: HostPattern::Name("api.example.com".into()),
            schemes: vec![Scheme::Https],
            ports: vec![],
            methods: vec!["GET".into()],
            paths: vec![path("/v1/"), path("/v3/*/items")],
        };
        let good =
            HttpTarget { method: "GET", scheme: Scheme::Https, host: "api.example.com", port: 443, path: "/v1/x" };
        assert!(rule.allows(&good));
        assert!(rule.allows(&HttpTarget { path: "/v1", ..good }));
        assert!(rule.allows(&HttpTarget { path: "/v3/7/items", ..good }));
        assert!(!rule.allows(&HttpTarget { method: "POST", ..good }));
        assert!(!rule.allows(&HttpTarget { scheme: Scheme::Http, port: 80, ..good }));
        assert!(!rule.allows(&HttpTarget { host: "example.com", ..good }));
        assert!(!rule.allows(&HttpTarget { port: 8443, ..good }));
        for path in ["/v2", "/v10", "/v3", "/v3/7/items/8", "/v1/../v2", "/v1/%2e%2E/v2", "/v1/..%2fv2", "/v1/a\\..\\b"]
        {
            assert!(!rule.allows(&HttpTarget { path, ..good }), "{path}");
        }
    }

    #[test]
    fn every_field_of_a_deny_rule_counts() {
        let target =
            HttpTarget { method: "GET", scheme: Scheme::Https, host: "api.example.com", port: 443, path: "/v1/x" };
        let every = HttpDeny::of("*.example.com".parse().expect("a host"));
        assert!(every.denies(&target));
        assert!(every.denies(&HttpTarget { method: "PUT", scheme: Scheme::Http, port: 8080, path: "/", ..target }));
        assert!(!every.denies(&HttpTarget { host: "api.example.org", ..target }));
        for (narrow, other) in [
            (HttpDeny { schemes: vec![Scheme::Https], ..every.clone() }, HttpTarget { scheme: Scheme::Http, ..target }),
            (HttpDeny { ports: vec![443], ..every.clone() }, HttpTarget { port: 8443, ..target }),
            (HttpDeny { methods: vec!["GET".into()], ..every.clone() }, HttpTarget { method: "PUT", ..target }),
            (HttpDeny { paths: vec![path("/v1")], ..every.clone() }, HttpTarget { path: "/v2", ..target }),
        ] {
            assert!(narrow.denies(&target) && !narrow.denies(&other), "{narrow}");
        }
        let lower = HttpDeny { methods: vec!["DELETE".into()], ..every };
        assert!(lower.denies(&HttpTarget { method: "delete", ..target }), "a server may not tell them apart");
    }

    #[test]
    fn a_block_denies_whatever_leads_into_it() {
        let target = HttpTarget { method: "GET", scheme: Scheme::Https, host: "a.com", port: 443, path: "/" };
        let block = HttpDeny { ports: vec![443], ..HttpDeny::of("10.0.0.0/8".parse().expect("a block")) };
        assert!(!block.denies(&target) && block.denies(&HttpTarget { host: "10.1.2.3", ..target }));
        let at = |address: &str, target| block.denies_address(&target, address.parse().expect(address));
        assert!(at("10.1.2.3", target) && at("::ffff:10.1.2.3", target) && !at("11.1.2.3", target));
        assert!(!at("10.1.2.3", HttpTarget { port: 80, ..target }));
    }

    #[test]
    fn who_asks_for_every_host_leaves_the_ports_to_the_grant() {
        let rule = HttpRule {
            host: HostPattern::Any,
            schemes: vec![Scheme::Http],
            ports: vec![],
            methods: vec!["GET".into()],
            paths: vec![],
        };
        let target = HttpTarget { method: "GET", scheme: Scheme::Http, host: "a.com", port: 8080, path: "/" };
        assert!(rule.asks_for(&target) && !rule.allows(&target));
        assert!(!rule.asks_for(&HttpTarget { method: "PUT", ..target }));
        let named = HttpRule { host: HostPattern::Name("a.com".into()), ..rule };
        assert!(!named.asks_for(&target) && named.asks_for(&HttpTarget { port: 80, ..target }));
    }

    #[test]
    fn rules_are_written_as_they_would_be_typed() {
        let rule = HttpRule {
            host: "::1".parse().expect("a host"),
            schemes: vec![Scheme::Http, Scheme::Https],
            ports: vec![80, 8080],
            methods: vec!["GET".into(), "PUT".into()],
            paths: vec![path("/v1"), path("/w/*")],
        };
        assert_eq!(rule.to_string(), "GET,PUT http|https://[::1]:80,8080 below /v1, /w/*");
        assert_eq!(HttpDeny::of("10.0.0.0/8".parse().expect("a block")).to_string(), "[10.0.0.0/8]");
    }
}

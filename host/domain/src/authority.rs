//! The capabilities: what a guest may be allowed to touch, and when two such
//! allowances agree. Every rule here is pure; the sandbox enforces them.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::quota::{Quota, QuotaRequest};

/// What may be done below a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// List and read.
    Read,
    /// Also create, change and remove.
    ReadWrite,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::ReadWrite => "read-write",
        })
    }
}

/// An absolute path as the guest sees it: `/work`, `/work/docs`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GuestPath(String);

impl GuestPath {
    /// Where a call's workspace is mounted.
    pub fn workspace() -> Self {
        Self("/workspace".to_owned())
    }

    /// The path, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether one of the two is the other or lies below it.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// Whether `other` is this folder or lies below it.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for GuestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<GuestPath> for String {
    fn from(path: GuestPath) -> Self {
        path.0
    }
}

/// The text is not a guest path in its one normal form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a guest path: expected an absolute path such as `/work`, without `.`, `..`, `//` or a slash at its end"
)]
pub struct InvalidGuestPath(String);

impl FromStr for GuestPath {
    type Err = InvalidGuestPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
        match text.strip_prefix('/') {
            Some(rest) if rest.split('/').all(plain) => Ok(Self(text.to_owned())),
            _ => Err(InvalidGuestPath(text.to_owned())),
        }
    }
}

impl TryFrom<String> for GuestPath {
    type Error = InvalidGuestPath;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A folder that a skill asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FsRequest {
    /// Where the skill expects it; grants mount at it or below it.
    pub root: GuestPath,
    /// The most it needs.
    pub access: Access,
    /// How much one call writes below it, at the most.
    pub quota: QuotaRequest,
}

/// A host folder that is mounted for a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FsMount {
    /// Where the guest sees it.
    pub root: GuestPath,
    /// The folder on the host: absolute, no symlinks in it.
    pub host: PathBuf,
    /// What may be done below it.
    pub access: Access,
    /// How much one call may write below it; says nothing where it may only read.
    pub quota: Quota,
}

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

/// Which hosts a rule speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HostPattern {
    /// `*`: every public host. Private addresses are never meant by it.
    Any,
    /// `*.example.com`: exactly one label before the rest.
    OneLabelBelow(String),
    /// This name and no other, in lower case.
    Name(String),
    /// This address and no other. Only so can a private address be meant.
    Address(IpAddr),
}

impl HostPattern {
    /// Whether the pattern means `host`, a name or an address as it stands in a URL
    /// (an IPv6 address without its brackets).
    pub fn matches(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        match (self, host.parse::<IpAddr>()) {
            (Self::Address(granted), Ok(address)) => *granted == address,
            (Self::Any, _) => true,
            (Self::Name(name), Err(_)) => *name == host,
            (Self::OneLabelBelow(rest), Err(_)) => {
                host.split_once('.').is_some_and(|(label, below)| !label.is_empty() && below == rest)
            }
            (Self::Address(_), Err(_)) | (Self::Name(_) | Self::OneLabelBelow(_), Ok(_)) => false,
        }
    }

    /// Whether the pattern names exactly this address.
    pub fn grants_address(&self, address: IpAddr) -> bool {
        matches!(self, Self::Address(granted) if *granted == address)
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::OneLabelBelow(rest) => write!(f, "*.{rest}"),
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.to_string()
    }
}

/// The text is not a host pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a host: expected a name such as `api.example.com`, one wildcard label such as `*.example.com`, an IP address, or `*`"
)]
pub struct InvalidHost(String);

impl FromStr for HostPattern {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let invalid = || InvalidHost(text.to_owned());
        let (wildcard, name) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if !is_host_name(name) {
            return Err(invalid());
        }
        let name = name.to_ascii_lowercase();
        Ok(if wildcard { Self::OneLabelBelow(name) } else { Self::Name(name) })
    }
}

impl TryFrom<String> for HostPattern {
    type Error = InvalidHost;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A DNS name of at least one label; an all-digit last label would be an odd address.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_number = name.rsplit('.').next().is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()));
    name.len() <= 253 && name.split('.').all(label) && !last_is_number
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
    /// Below which paths, matched by whole segments; empty means every path.
    pub paths: Vec<String>,
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
        let own = self.ports.is_empty() && target.port == target.scheme.default_port();
        (own || self.ports.contains(&target.port)) && self.allows_at_any_port(target)
    }

    /// Whether this rule, as part of a manifest, asks for `target`. One that asks
    /// for every host and names no port leaves the ports to the grant too.
    pub fn asks_for(&self, target: &HttpTarget<'_>) -> bool {
        self.allows(target) || (self.asks_for_every_port() && self.allows_at_any_port(target))
    }

    /// Whether this rule, as part of a manifest, leaves the ports to the grant.
    pub fn asks_for_every_port(&self) -> bool {
        self.host == HostPattern::Any && self.ports.is_empty()
    }

    fn allows_at_any_port(&self, target: &HttpTarget<'_>) -> bool {
        self.schemes.contains(&target.scheme)
            && self.methods.iter().any(|method| method == target.method)
            && self.host.matches(target.host)
            && (self.paths.is_empty() || self.paths.iter().any(|prefix| path_below(target.path, prefix)))
    }
}

/// Whether `path` is `prefix` or lies below it. A path that climbs (`..`, also
/// percent-encoded) is below nothing, because the server might resolve it.
fn path_below(path: &str, prefix: &str) -> bool {
    let climbs = |segment: &str| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == ".." || plain == "." || plain.contains("%2f") || plain.contains("%5c") || plain.contains('\\')
    };
    if path.split('/').any(climbs) {
        return false;
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether an address is reachable on the public internet. All others (loopback,
/// private, link-local, the cloud's metadata service, multicast, reserved) need
/// a rule that names the address itself.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b)))
        }
        IpAddr::V6(v6) => {
            // Forms that carry an IPv4 address are judged by it.
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_public(IpAddr::V4(v4));
            }
            let [a, b, .., g, h] = v6.segments();
            let embedded = IpAddr::from([(g >> 8) as u8, (g & 0xff) as u8, (h >> 8) as u8, (h & 0xff) as u8]);
            let nat64 = a == 0x64 && b == 0xff9b;
            if nat64 {
                return is_public(embedded);
            }
            // 2000::/3 is all that is routed; of it 6to4, Teredo and documentation are not hosts.
            (a & 0xe000) == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b < 0x200 || b == 0xdb8)) && a != 0x3fff
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> GuestPath {
        text.parse().expect("valid")
    }

    #[test]
    fn guest_paths_have_one_form() {
        assert!(path("/work").contains(&path("/work/docs")));
        assert!(path("/work").contains(&path("/work")));
        assert!(!path("/work").contains(&path("/workshop")));
        for bad in ["", "/", "work", "/work/", "/work//a", "/work/../etc", "/./a", "/a\\b"] {
            assert!(bad.parse::<GuestPath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_match_by_label() {
        let matches = |pattern: &str, host: &str| pattern.parse::<HostPattern>().expect("valid").matches(host);
        assert!(matches("api.example.com", "API.example.com"));
        assert!(matches("api.example.com", "api.example.com."));
        assert!(!matches("api.example.com", "evil-api.example.com"));
        assert!(matches("*.example.com", "a.example.com"));
        assert!(!matches("*.example.com", "a.b.example.com"));
        assert!(!matches("*.example.com", "example.com"));
        assert!(matches("127.0.0.1", "127.0.0.1"));
        assert!(!matches("127.0.0.1", "127.0.0.2"));
        assert!(matches("::1", "0:0:0:0:0:0:0:1"));
        assert!(!matches("example.com", "1.2.3.4"));
        for bad in ["", "*.", "a b", "*.*.com", "a..b", "-a.com", "1.2.3", "a/b", "a:80"] {
            assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_field_of_a_rule_counts() {
        let rule = HttpRule {
            host: HostPattern::Name("api.example.com".into()),
            schemes: vec![Scheme::Https],
            ports: vec![],
            methods: vec!["GET".into()],
            paths: vec!["/v1/".into()],
        };
        let good =
            HttpTarget { method: "GET", scheme: Scheme::Https, host: "api.example.com", port: 443, path: "/v1/x" };
        assert!(rule.allows(&good));
        assert!(rule.allows(&HttpTarget { path: "/v1", ..good }));
        assert!(!rule.allows(&HttpTarget { method: "POST", ..good }));
        assert!(!rule.allows(&HttpTarget { scheme: Scheme::Http, port: 80, ..good }));
        assert!(!rule.allows(&HttpTarget { host: "example.com", ..good }));
        assert!(!rule.allows(&HttpTarget { port: 8443, ..good }));
        for path in ["/v2", "/v10", "/v1/../v2", "/v1/%2e%2E/v2", "/v1/..%2fv2", "/v1/a\\..\\b"] {
            assert!(!rule.allows(&HttpTarget { path, ..good }), "{path}");
        }
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
    fn private_addresses_are_not_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(private.parse().expect("address")), "{private}");
        }
        for public in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(public.parse().expect("address")), "{public}");
        }
    }
}

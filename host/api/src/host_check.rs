//! Refuses requests that a web page makes a browser send here.
//!
//! A page on any site can point a name of its own at this host's address (DNS
//! rebinding) and then talk to it as if it were its own server. Such requests
//! say the page's name in `Host`; so every request must name a host that this
//! one is known by. And a page that calls from elsewhere says so in `Origin`.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Uri};

/// Names that always mean the machine itself.
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The names that this host is known by, and the pages that may call it.
#[derive(Clone, Debug)]
pub struct AllowedHosts {
    hosts: Vec<Entry>,
    origins: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    port: Option<u16>,
}

/// A configured host or origin that can't be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAllowedHost {
    /// Not a host.
    #[error(
        "`{0}` can't be an allowed host: expected a name or an address, and a port where only that one is meant, such as `skills.example.com` or `10.0.0.5:8080`"
    )]
    Host(String),
    /// Not an origin.
    #[error(
        "`{0}` can't be an allowed origin: expected scheme, host and port without a path, such as `https://skills.example.com`"
    )]
    Origin(String),
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misdirected {
    /// It names another host, or none, or several.
    Host(String),
    /// A page of this origin sent it.
    Origin(String),
}

impl AllowedHosts {
    /// For a server bound to `bound`: the loopback names with its port, its own
    /// address unless that means every address, and what was configured. A
    /// configured host without a port is meant with every port.
    pub fn new(bound: SocketAddr, hosts: &[String], origins: &[String]) -> Result<Self, InvalidAllowedHost> {
        let port = Some(bound.port());
        let mut allowed: Vec<Entry> =
            LOOPBACK_NAMES.iter().map(|name| Entry { name: (*name).to_owned(), port }).collect();
        match bound.ip() {
            address if address.is_unspecified() => {}
            IpAddr::V4(v4) => allowed.push(Entry { name: v4.to_string(), port }),
            IpAddr::V6(v6) => allowed.push(Entry { name: format!("[{v6}]"), port }),
        }
        for host in hosts {
            let (name, port) = authority(host).ok_or_else(|| InvalidAllowedHost::Host(host.clone()))?;
            allowed.push(Entry { name: name.to_owned(), port });
        }
        for given in origins {
            origin(given).ok_or_else(|| InvalidAllowedHost::Origin(given.clone()))?;
        }
        Ok(Self { hosts: allowed, origins: origins.to_vec() })
    }

    /// Whether the request is meant for this host, and not sent by a page from elsewhere.
    pub(crate) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Misdirected> {
        let host = only(headers, &HOST).map_err(Misdirected::Host)?.unwrap_or_default();
        // A request line may name the host too, and the one who reads it may differ from the one who reads the header.
        let named = [Some(host), uri.authority().map(axum::http::uri::Authority::as_str)];
        for name in named.into_iter().flatten() {
            if !authority(name).is_some_and(|(name, port)| self.knows(name, port)) {
                return Err(Misdirected::Host(name.to_owned()));
            }
        }
        match only(headers, &ORIGIN).map_err(Misdirected::Origin)? {
            Some(origin) if !self.admits(origin, host) => Err(Misdirected::Origin(origin.to_owned())),
            _ => Ok(()),
        }
    }

    fn knows(&self, name: &str, port: Option<u16>) -> bool {
        self.hosts.iter().any(|entry| {
            let same_port = match (entry.port, port) {
                (None, _) => true,
                (Some(expected), Some(port)) => expected == port,
                (Some(expected), None) => expected == 80 || expected == 443,
            };
            same_port && entry.name.eq_ignore_ascii_case(name)
        })
    }

    /// Whether a page of this origin may call: one of this very host, or a configured one.
    fn admits(&self, text: &str, host: &str) -> bool {
        let same_host = || {
            let ((scheme_port, name, port), (host, host_port)) = (origin(text)?, authority(host)?);
            let ports = (port.unwrap_or(scheme_port), host_port.unwrap_or(scheme_port));
            Some(name.eq_ignore_ascii_case(host) && ports.0 == ports.1)
        };
        self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(text)) || same_host() == Some(true)
    }
}

/// The value of a header that may stand only once; the error is what to show.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, String> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(text), None) => Ok(Some(text)),
        (Err(_), None) => Err("(not text)".to_owned()),
        (_, Some(_)) => Err("(more than one)".to_owned()),
    }
}

/// The default port of the scheme, the host and the port of `https://host:port`.
fn origin(text: &str) -> Option<(u16, &str, Option<u16>)> {
    let (default, rest) = match text.split_once("://")? {
        (scheme, rest) if scheme.eq_ignore_ascii_case("http") => (80, rest),
        (scheme, rest) if scheme.eq_ignore_ascii_case("https") => (443, rest),
        _ => return None,
    };
    let (name, port) = authority(rest)?;
    Some((default, name, port))
}

/// The host (an IPv6 address in its brackets) and the port of `host:port`.
fn authority(text: &str) -> Option<(&str, Option<u16>)> {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, digits)) if !digits.contains(']') => {
            let plain = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
            (name, Some(digits.parse().ok().filter(|_| plain)?))
        }
        _ => (text, None),
    };
    is_host(name).then_some((name, port))
}

fn is_host(name: &str) -> bool {
    if let Some(address) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_');
    !name.is_empty() && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(bound: &str, extra: &[&str], origins: &[&str]) -> AllowedHosts {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        AllowedHosts::new(bound.parse().expect("address"), &owned(extra), &owned(origins)).expect("valid")
    }

    fn check(hosts: &AllowedHosts, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().expect("header"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().expect("header"));
        }
        hosts.check(&headers, &Uri::from_static("/v1/skills")).is_ok()
    }

    #[test]
    fn only_known_names_are_served() {
        let local = hosts("127.0.0.1:7777", &[], &[]);
        for good in ["localhost:7777", "LocalHost:7777", "127.0.0.1:7777", "[::1]:7777"] {
            assert!(check(&local, good, None), "{good}");
        }
        let bad = [
            "",
            "evil.example",
            "evil.example:7777",
            "localhost",
            "localhost:1",
            "localhost:",
            "localhost:+7777",
            "user@localhost:7777",
            "localhost.evil.example:7777",
            "127.0.0.1.evil.example:7777",
            "[::1",
            "::1:7777",
            "192.168.1.5:7777",
            "localhost:7777:7777",
        ];
        for bad in bad {
            assert!(!check(&local, bad, None), "{bad}");
        }
        assert!(local.check(&HeaderMap::new(), &Uri::from_static("/")).is_err(), "no Host at all");
    }

    #[test]
    fn configured_names_and_the_bound_address_are_served() {
        let public = hosts("10.0.0.5:80", &["Skills.example.com", "other.example:9000"], &[]);
        let good = ["10.0.0.5", "10.0.0.5:80", "skills.example.com", "skills.example.com:444", "other.example:9000"];
        for good in good {
            assert!(check(&public, good, None), "{good}");
        }
        for bad in ["other.example", "other.example:9001", "example.com"] {
            assert!(!check(&public, bad, None), "{bad}");
        }
        assert!(!check(&hosts("0.0.0.0:80", &[], &[]), "0.0.0.0", None));
    }

    #[test]
    fn the_request_line_and_doubled_headers_count_too() {
        let local = hosts("127.0.0.1:7777", &[], &[]);
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "localhost:7777".parse().expect("header"));
        let absolute = |uri| local.check(&headers, &Uri::from_static(uri));
        assert!(absolute("http://localhost:7777/").is_ok());
        assert_eq!(absolute("http://evil.example/"), Err(Misdirected::Host("evil.example".to_owned())));
        headers.append(HOST, "evil.example".parse().expect("header"));
        assert!(local.check(&headers, &Uri::from_static("/")).is_err());
    }

    #[test]
    fn pages_from_elsewhere_are_refused() {
        let local = hosts("127.0.0.1:7777", &["skills.example.com"], &["https://console.example.com"]);
        assert!(check(&local, "localhost:7777", Some("http://localhost:7777")));
        assert!(check(&local, "skills.example.com", Some("https://skills.example.com")));
        assert!(check(&local, "localhost:7777", Some("https://console.example.com")));
        let bad = [
            "null",
            "http://evil.example",
            "http://localhost:8888",
            "http://127.0.0.1:7777",
            "https://localhost",
            "file://",
            "http://localhost:7777/x",
            "http://localhost:7777@evil.example",
        ];
        for bad in bad {
            assert!(!check(&local, "localhost:7777", Some(bad)), "{bad}");
        }
        assert!(!check(&local, "skills.example.com", Some("http://skills.example.com:3000")));
    }

    #[test]
    fn what_is_no_host_can_not_be_configured() {
        let bound = "127.0.0.1:1".parse().expect("address");
        for bad in ["", "http://a", "a/b", "a b", "*", "a:99999"] {
            assert!(AllowedHosts::new(bound, &[bad.to_owned()], &[]).is_err(), "{bad}");
        }
        for bad in ["", "a", "*", "ftp://a", "https://a/path"] {
            assert!(AllowedHosts::new(bound, &[], &[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}

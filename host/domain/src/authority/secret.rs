//! Where a secret may be sent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{HostPattern, HttpTarget, Scheme, is_public};

/// Where a secret may be sent: `api.example.com`, `*.example.com:8443`, `127.0.0.1:9000`.
///
/// It goes over TLS alone, but for a private address that the destination names:
/// what is sent there in plain text stays on a network of the host's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretDestination {
    host: HostPattern,
    /// The scheme's own where there is none.
    port: Option<u16>,
}

impl SecretDestination {
    /// Whether a secret for this destination may go with `target`.
    pub fn allows(&self, target: &HttpTarget<'_>) -> bool {
        let port = self.port.unwrap_or_else(|| target.scheme.default_port());
        let safe = match target.scheme {
            Scheme::Https => true,
            Scheme::Http => {
                target.host.parse().is_ok_and(|address| self.host.grants_address(address) && !is_public(address))
            }
        };
        safe && port == target.port && self.host.matches(target.host)
    }
}

impl fmt::Display for SecretDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host.in_url()),
            None => write!(f, "{}", self.host.in_url()),
        }
    }
}

impl From<SecretDestination> for String {
    fn from(destination: SecretDestination) -> Self {
        destination.to_string()
    }
}

/// The text is not where a secret may be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not where a secret may be sent: expected HOST or HOST:PORT, such as `api.example.com`, `*.example.com` or `[::1]:8443`"
)]
pub struct InvalidDestination(String);

impl FromStr for SecretDestination {
    type Err = InvalidDestination;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidDestination(text.to_owned());
        let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, ""))) => (host, None),
            Some(Some((host, rest))) => (host, Some(rest.strip_prefix(':').ok_or_else(invalid)?)),
            Some(None) => return Err(invalid()),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let number = |port: &str| port.parse().ok().filter(|number| *number > 0 && !port.starts_with('+'));
        let port = port.map(|port| number(port).ok_or_else(invalid)).transpose()?;
        match host.parse().map_err(|_| invalid())? {
            // Whoever may send a secret anywhere may keep it.
            HostPattern::Any => Err(invalid()),
            host => Ok(Self { host, port }),
        }
    }
}

impl TryFrom<String> for SecretDestination {
    type Error = InvalidDestination;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: HttpTarget<'static> =
        HttpTarget { method: "GET", scheme: Scheme::Https, host: "api.example.com", port: 443, path: "/" };

    fn allows(destination: &str, target: HttpTarget<'_>) -> bool {
        destination.parse::<SecretDestination>().expect(destination).allows(&target)
    }

    #[test]
    fn host_and_port_must_be_those_that_are_named() {
        for destination in ["api.example.com", "*.example.com", "API.example.com:443"] {
            assert!(allows(destination, API), "{destination}");
            assert!(!allows(destination, HttpTarget { host: "example.com", ..API }), "{destination}");
            assert!(!allows(destination, HttpTarget { host: "a.api.example.com", ..API }), "{destination}");
            assert!(!allows(destination, HttpTarget { port: 8443, ..API }), "{destination}");
        }
        assert!(allows("api.example.com:8443", HttpTarget { port: 8443, ..API }));
        assert!(!allows("api.example.com:8443", API));
    }

    #[test]
    fn plain_text_is_for_private_addresses_alone() {
        let plain = HttpTarget { scheme: Scheme::Http, port: 80, ..API };
        assert!(!allows("api.example.com", plain) && !allows("api.example.com:80", plain));
        for (destination, host) in [("127.0.0.1", "127.0.0.1"), ("10.0.0.0/8", "10.1.2.3"), ("[::1]", "::1")] {
            let destination =
                if destination.contains('/') { format!("[{destination}]") } else { destination.to_owned() };
            assert!(allows(&destination, HttpTarget { host, ..plain }), "{destination}");
        }
        assert!(!allows("8.8.8.8", HttpTarget { host: "8.8.8.8", ..plain }), "it would cross the internet");
        assert!(allows("8.8.8.8", HttpTarget { host: "8.8.8.8", ..API }));
        assert!(!allows("localhost", HttpTarget { host: "localhost", ..plain }), "a name may come to mean another");
    }

    #[test]
    fn destinations_have_one_form() {
        for good in ["api.example.com", "*.example.com:8443", "[::1]:9000", "[::1]", "[10.0.0.0/8]:80", "127.0.0.1:1"] {
            assert_eq!(good.parse::<SecretDestination>().expect(good).to_string(), good);
        }
        for bad in
            ["", "*", "*:443", "a.com:", "a.com:0", "a.com:65536", "a.com:+1", "https://a.com", "a.com/v1", "[::1"]
        {
            assert!(bad.parse::<SecretDestination>().is_err(), "{bad}");
        }
    }
}

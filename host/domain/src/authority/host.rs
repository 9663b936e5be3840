//! Which hosts a rule speaks of.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::address::{AddressBlock, may_reach};

/// Which hosts a rule speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HostPattern {
    /// `*`: every public host. Private addresses are never meant by it.
    Any,
    /// `*.example.com`: exactly one label before the rest. In a rule that denies:
    /// one label or more.
    OneLabelBelow(String),
    /// This name and no other, in lower case.
    Name(String),
    /// This address and no other. Only so, or by a block, can a private address be meant.
    Address(IpAddr),
    /// `10.0.0.0/8`: each address of the block.
    Block(AddressBlock),
}

impl HostPattern {
    /// Whether the pattern means `host`, a name or an address as it stands in a URL
    /// (an IPv6 address without its brackets).
    pub fn matches(&self, host: &str) -> bool {
        let host = normal(host);
        match (self, host.parse::<IpAddr>()) {
            (Self::Any, _) => true,
            (Self::Address(granted), Ok(address)) => *granted == address,
            (Self::Block(block), Ok(address)) => block.contains(address),
            (Self::Name(name), Err(_)) => *name == host,
            (Self::OneLabelBelow(rest), Err(_)) => {
                host.split_once('.').is_some_and(|(label, below)| !label.is_empty() && below == rest)
            }
            (Self::Address(_) | Self::Block(_), Err(_)) | (Self::Name(_) | Self::OneLabelBelow(_), Ok(_)) => false,
        }
    }

    /// Whether the pattern, as part of a rule that denies, means `host`: every name
    /// below a wildcard, and an address in each form that reaches it.
    pub fn denies(&self, host: &str) -> bool {
        let host = normal(host);
        match (self, host.parse::<IpAddr>()) {
            (Self::Any, _) => true,
            (_, Ok(address)) => self.denies_address(address),
            (Self::Name(name), Err(_)) => *name == host,
            (Self::OneLabelBelow(rest), Err(_)) => {
                host.strip_suffix(rest.as_str()).is_some_and(|label| label.len() > 1 && label.ends_with('.'))
            }
            (Self::Address(_) | Self::Block(_), Err(_)) => false,
        }
    }

    /// Whether the pattern, as part of a rule that denies, means an address.
    pub fn denies_address(&self, address: IpAddr) -> bool {
        match self {
            Self::Address(denied) => may_reach(address, *denied),
            Self::Block(block) => block.touches(address),
            Self::Any => true,
            Self::Name(_) | Self::OneLabelBelow(_) => false,
        }
    }

    /// Whether the pattern names this address, by itself or by a block that is no
    /// wider than private blocks are.
    pub fn grants_address(&self, address: IpAddr) -> bool {
        match self {
            Self::Address(granted) => *granted == address,
            Self::Block(block) => block.names_its_addresses() && block.contains(address),
            Self::Any | Self::Name(_) | Self::OneLabelBelow(_) => false,
        }
    }

    /// Whether each host that `other` means is one that this pattern means. A pattern
    /// of any host leaves it to the other to name a private one.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (_, Self::Any) => false,
            (Self::Block(block), Self::Block(other)) => block.covers(other),
            (_, Self::OneLabelBelow(_) | Self::Block(_)) => self == other,
            (_, Self::Name(name)) => self.matches(name),
            (Self::Block(block), Self::Address(address)) => block.contains(*address),
            (_, Self::Address(_)) => self == other,
        }
    }

    /// The pattern as it stands in a URL: what has colons or a slash in brackets.
    pub fn in_url(&self) -> String {
        match self {
            Self::Address(IpAddr::V6(_)) | Self::Block(_) => format!("[{self}]"),
            _ => self.to_string(),
        }
    }
}

/// A host in the one form in which hosts are compared.
fn normal(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::OneLabelBelow(rest) => write!(f, "*.{rest}"),
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => write!(f, "{address}"),
            Self::Block(block) => write!(f, "{block}"),
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
pub enum InvalidHost {
    /// It has another form.
    #[error(
        "`{0}` is not a host: expected a name such as `api.example.com`, one wildcard label such as `*.example.com`, an IP address, a block such as `10.0.0.0/8`, or `*`"
    )]
    Form(String),
    /// It is nearly a block.
    #[error(transparent)]
    Block(#[from] super::InvalidBlock),
}

impl FromStr for HostPattern {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        // `10.0.0.0/33` is a slip in a block, and `api.example.com/v1` is no host at all.
        if text.split_once('/').is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok()) {
            return Ok(Self::Block(text.parse()?));
        }
        let invalid = || InvalidHost::Form(text.to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        text.parse().expect(text)
    }

    #[test]
    fn hosts_match_by_label() {
        let matches = |text: &str, host: &str| pattern(text).matches(host);
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
        assert!(matches("10.0.0.0/8", "10.1.2.3") && matches("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(!matches("10.0.0.0/8", "11.1.2.3") && !matches("10.0.0.0/8", "ten.example.com"));
        for bad in ["", "*.", "a b", "*.*.com", "a..b", "-a.com", "1.2.3", "a/b", "a:80", "10.0.0.0/33", "10.1.0.0/8"] {
            assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_denied_host_is_denied_at_every_depth_and_in_every_form() {
        let denies = |text: &str, host: &str| pattern(text).denies(host);
        for host in ["a.example.com", "A.B.Example.com", "a.example.com.."] {
            assert!(denies("*.example.com", host), "{host}");
        }
        for host in ["example.com", ".example.com", "aexample.com", "a.example.org"] {
            assert!(!denies("*.example.com", host), "{host}");
        }
        assert!(denies("example.com", "EXAMPLE.com.") && !denies("example.com", "a.example.com"));
        for host in ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"] {
            assert!(denies("127.0.0.1", host) && denies("127.0.0.0/8", host) && denies("*", host), "{host}");
        }
        assert!(!denies("127.0.0.0/8", "128.0.0.1"));
    }

    #[test]
    fn a_block_of_everything_names_nothing() {
        let grants = |text: &str, address: &str| pattern(text).grants_address(address.parse().expect(address));
        assert!(grants("10.0.0.0/8", "10.1.2.3") && grants("fc00::/7", "fd00::1") && grants("::1", "::1"));
        assert!(!grants("10.0.0.0/8", "11.1.2.3") && !grants("*", "10.1.2.3") && !grants("a.com", "10.1.2.3"));
        for (wide, address) in [("0.0.0.0/0", "10.1.2.3"), ("10.0.0.0/7", "10.1.2.3"), ("::/0", "fd00::1")] {
            assert!(!grants(wide, address), "{wide}");
            assert!(pattern(wide).matches(address), "{wide}");
        }
    }

    #[test]
    fn a_pattern_covers_what_means_no_more() {
        let covers = |one: &str, other: &str| pattern(one).covers(&pattern(other));
        for (one, other) in [
            ("*", "127.0.0.1"),
            ("*", "*.a.com"),
            ("*.a.com", "b.a.com"),
            ("10.0.0.0/8", "10.1.0.0/16"),
            ("10.0.0.0/8", "10.1.2.3"),
        ] {
            assert!(covers(one, other) && covers(one, one), "{one} {other}");
            assert!(!covers(other, one), "{other} {one}");
        }
        assert!(!covers("*.a.com", "*.b.a.com") && !covers("10.0.0.0/8", "11.0.0.1") && !covers("a.com", "1.2.3.4"));
    }
}

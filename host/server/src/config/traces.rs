//! Where traces go, as it is configured.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use super::{ConfigError, SecretSource, raw};

/// Headers that go along with traces: a key, and what says whose they are.
const MAX_HEADERS: usize = 16;

/// Headers that the client sets itself.
const OWN: [&str; 5] = ["connection", "content-length", "content-type", "host", "transfer-encoding"];

/// What takes traces of runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exporter {
    /// Nobody.
    None,
    /// The log.
    Log,
    /// A collector.
    Otlp {
        /// Where it is, without the path of traces.
        url: String,
        /// Headers that go along, with the names of the secrets that are their values.
        headers: BTreeMap<String, String>,
    },
}

pub(super) fn exporter(
    raw: raw::Tracing,
    secrets: &BTreeMap<String, SecretSource>,
    path: &Path,
) -> Result<Exporter, ConfigError> {
    let raw::Tracing { exporter, otlp_url, otlp_headers } = raw;
    let wrong = |key: &str, problem: String| {
        Err(ConfigError::Contradiction { path: path.to_owned(), key: format!("tracing.{key}"), problem })
    };
    let plain = match exporter {
        raw::Exporter::None => Exporter::None,
        raw::Exporter::Log => Exporter::Log,
        raw::Exporter::Otlp => {
            let Some(url) = otlp_url else {
                return wrong("otlp_url", "is missing: expected the address of the collector".to_owned());
            };
            if let Some((header, problem)) = wrong_header(&otlp_headers, secrets) {
                return wrong(&format!("otlp_headers.{header}"), problem);
            }
            if otlp_headers.len() > MAX_HEADERS {
                let problem = format!("are {}: expected at most {MAX_HEADERS}", otlp_headers.len());
                return wrong("otlp_headers", problem);
            }
            if !otlp_headers.is_empty() && !is_kept_from_others(&url) {
                let problem = format!(
                    "is `{}`, and the secrets of `tracing.otlp_headers` would go there in clear text: expected \
                     `https`, or `http` to this machine, such as `http://127.0.0.1:4318`",
                    shown(&url)
                );
                return wrong("otlp_url", problem);
            }
            return Ok(Exporter::Otlp { url, headers: otlp_headers });
        }
    };
    let foreign = [("otlp_url", otlp_url.is_some()), ("otlp_headers", !otlp_headers.is_empty())];
    match foreign.into_iter().find(|(_, is_there)| *is_there) {
        Some((key, _)) => wrong(key, "is for `exporter = \"otlp\"`".to_owned()),
        None => Ok(plain),
    }
}

/// Whether nobody on the way reads what is sent to `url`. It is read more strictly than by the
/// client, so that nothing that is written in an unusual way gets through.
fn is_kept_from_others(url: &str) -> bool {
    let url = url.to_ascii_lowercase();
    if url.starts_with("https://") {
        return true;
    }
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    // What stands before an `@` is a user, and the host comes behind it.
    if authority.contains('@') {
        return false;
    }
    if let Some((address, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    let host = authority.split(':').next().unwrap_or_default();
    host == "localhost" || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// An address without a user and a query, which may be secret.
fn shown(url: &str) -> String {
    let shown = match url.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => url.to_owned(),
    };
    shown.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// The first header that can't go along, and why.
fn wrong_header<'h>(
    headers: &'h BTreeMap<String, String>,
    secrets: &BTreeMap<String, SecretSource>,
) -> Option<(&'h str, String)> {
    headers.iter().find_map(|(header, secret)| {
        let is_token = header.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if header.is_empty() || !is_token || OWN.contains(&header.to_ascii_lowercase().as_str()) {
            let problem = "is no header that can be sent along: expected a name such as `x-api-key`".to_owned();
            return Some((header.as_str(), problem));
        }
        let problem = || format!("is `{secret}`, and there is no `secrets.{secret}`: expected the name of a secret");
        (!secrets.contains_key(secret)).then(|| (header.as_str(), problem()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tls_and_this_machine_keep_secrets_from_others() {
        for url in [
            "https://traces.example.com",
            "HTTPS://10.0.0.1:4318/otlp",
            "http://127.0.0.1:4318",
            "http://127.1.2.3/otlp",
            "http://localhost:4318",
            "http://LocalHost/",
            "http://[::1]:4318",
        ] {
            assert!(is_kept_from_others(url), "{url}");
        }
        for url in [
            "http://traces.example.com",
            "HTTP://10.0.0.1:4318",
            " http://traces.example.com",
            "http://0.0.0.0:4318",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com",
            "http://127.0.0.1:4318@example.com",
            "http://[::1]@example.com",
            "http://[::2]",
            "http:/127.0.0.1",
            "traces.example.com",
        ] {
            assert!(!is_kept_from_others(url), "{url}");
        }
    }

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        for (url, expected) in [
            ("http://10.0.0.1:4318/otlp", "http://10.0.0.1:4318/otlp"),
            ("http://ada:wo?rd@10.0.0.1/otlp", "…@10.0.0.1/otlp"),
            ("http://10.0.0.1/?key=word#word", "http://10.0.0.1/"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}

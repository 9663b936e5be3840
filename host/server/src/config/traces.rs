//! Where traces go, as it is configured.

use std::collections::BTreeMap;
use std::path::Path;

use super::address::{is_kept_from_others, shown};
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

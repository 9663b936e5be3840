//! Logging in to a registry: by name and password, or by a token that they are exchanged for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, Uri};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Credentials;

/// What a registry asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password with each request.
    Basic,
    /// A token.
    Bearer {
        /// Where to get it.
        realm: String,
        /// For which service.
        service: Option<String>,
        /// What for.
        scope: Option<String>,
    },
}

/// What the headers of an answer ask for. A token is taken before a password.
pub(super) fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let challenges: Vec<Challenge> = values.filter_map(parse).collect();
    let is_bearer = |it: &Challenge| matches!(it, Challenge::Bearer { .. });
    let (bearers, others): (Vec<_>, Vec<_>) = challenges.into_iter().partition(is_bearer);
    bearers.into_iter().chain(others).next()
}

/// The header for a name and a password.
pub(super) fn basic(credentials: &Credentials) -> HeaderValue {
    let pair = Zeroizing::new(format!("{}:{}", credentials.username, &*credentials.password));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    secret(&text)
}

/// The header for the token in the answer of its giver.
pub(super) fn bearer(answer: &[u8]) -> Option<HeaderValue> {
    #[derive(Deserialize)]
    struct Given {
        token: Option<String>,
        access_token: Option<String>,
    }
    let given: Given = serde_json::from_slice(answer).ok()?;
    let token = Zeroizing::new(given.token.or(given.access_token)?);
    let visible = !token.is_empty() && token.bytes().all(|c| c.is_ascii_graphic());
    visible.then(|| secret(&format!("Bearer {}", &*token)))
}

/// Where to ask for a token.
pub(super) fn token_uri(realm: &str, service: Option<&str>, scope: &str) -> Option<Uri> {
    let uri: Uri = realm.parse().ok()?;
    uri.authority().filter(|_| matches!(uri.scheme_str(), Some("http" | "https")))?;
    let join = if uri.query().is_some() { '&' } else { '?' };
    let service = service.map(|service| format!("service={}&", encode(service))).unwrap_or_default();
    format!("{realm}{join}{service}scope={}", encode(scope)).parse().ok()
}

/// A header that no log shows.
fn secret(text: &str) -> HeaderValue {
    // What was encoded, or held to be visible, always fits.
    let mut value = HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

fn parse(text: &str) -> Option<Challenge> {
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service, mut scope) = (None, None, None);
    let mut rest = rest;
    while let Some((name, value, after)) = parameter(rest) {
        match name.to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value),
            "service" => service = Some(value),
            "scope" => scope = Some(value),
            _ => {}
        }
        rest = after;
    }
    Some(Challenge::Bearer { realm: realm?, service, scope })
}

/// The next `name="value"`, and what follows it.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.trim_start_matches([' ', ',']).split_once('=')?;
    if let Some(rest) = rest.strip_prefix('"') {
        rest.split_once('"').map(|(value, rest)| (name.trim(), value.to_owned(), rest))
    } else {
        let (value, rest) = rest.split_once(',').unwrap_or((rest, ""));
        Some((name.trim(), value.trim().to_owned(), rest))
    }
}

/// Text as a part of a query.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/,".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&bailiwick_domain::digest::hex(&[byte]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(value));
        }
        challenge(&headers)
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let bearer = |service: Option<&str>, scope: Option<&str>| Challenge::Bearer {
            realm: "https://auth.example/token".to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        };
        let whole =
            "Bearer realm=\"https://auth.example/token\",service=\"r.example\",scope=\"repository:a/b:pull,push\"";
        assert_eq!(of(&[whole]), Some(bearer(Some("r.example"), Some("repository:a/b:pull,push"))));
        assert_eq!(of(&["bearer realm=https://auth.example/token, error=x"]), Some(bearer(None, None)));
        assert_eq!(of(&["Basic realm=\"r\"", "Bearer realm=\"https://auth.example/token\""]), Some(bearer(None, None)));
        assert_eq!(of(&["Basic realm=\"r\""]), Some(Challenge::Basic));
        for nothing in ["Bearer service=\"r\"", "Negotiate", "", "Bearer realm=\"no end"] {
            assert_eq!(of(&[nothing]), None, "{nothing}");
        }
    }

    #[test]
    fn a_token_is_asked_for_by_service_and_scope() {
        let uri = token_uri("https://auth.example/token?a=b", Some("r.example"), "repository:a/b:pull");
        let expected = "https://auth.example/token?a=b&service=r.example&scope=repository:a/b:pull";
        assert_eq!(uri.map(|uri| uri.to_string()).as_deref(), Some(expected));
        assert_eq!(token_uri("ftp://auth.example/", None, "x"), None);
        assert_eq!(token_uri("/token", None, "x"), None);
    }

    #[test]
    fn headers_that_log_in_are_told_to_no_log() {
        let credentials = Credentials { username: "ada".to_owned(), password: Zeroizing::new("pass:word".to_owned()) };
        let header = basic(&credentials);
        assert_eq!(header.to_str().ok(), Some("Basic YWRhOnBhc3M6d29yZA=="));
        assert!(header.is_sensitive() && !format!("{header:?} {credentials:?}").contains("pass"));
        for answer in ["{\"token\":\"abc\"}", "{\"access_token\":\"abc\",\"expires_in\":60}"] {
            assert_eq!(bearer(answer.as_bytes()).as_ref().and_then(|it| it.to_str().ok()), Some("Bearer abc"));
        }
        for answer in ["", "{}", "{\"token\":\"\"}", "{\"token\":\"a\\nb\"}", "{\"token\":1}"] {
            assert_eq!(bearer(answer.as_bytes()), None, "{answer}");
        }
    }
}

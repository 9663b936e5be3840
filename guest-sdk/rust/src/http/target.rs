use super::{Error, MAX_URL_BYTES};

/// A URL in the parts that `wasi:http` wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub https: bool,
    /// The host, with its port where the URL has one.
    pub authority: String,
    pub path_with_query: String,
}

impl Target {
    /// Takes a URL apart. This is stricter than the URL standard, which repairs
    /// what it can: a repair could make another host of the one that was meant.
    pub fn parse(url: &str) -> Result<Self, Error> {
        if url.len() > MAX_URL_BYTES {
            return Err(Error::InvalidRequest(format!(
                "the URL has {} bytes, and at most {MAX_URL_BYTES} are allowed",
                url.len()
            )));
        }
        if let Some(bad) = url.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(invalid(url, &format!("{bad:?} must be percent-encoded")));
        }
        let (scheme, rest) = url.split_once("://").ok_or_else(|| invalid(url, "it is not absolute"))?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(invalid(url, "its scheme is not http or https")),
        };
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        check_authority(url, authority)?;
        Ok(Self { https, authority: authority.to_owned(), path_with_query: path_with_query(rest) })
    }
}

fn check_authority(url: &str, authority: &str) -> Result<(), Error> {
    if authority.is_empty() {
        return Err(invalid(url, "it names no host"));
    }
    if authority.contains('@') {
        return Err(invalid(url, "credentials belong in an authorization header"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:[]".contains(c);
    if let Some(bad) = authority.chars().find(|c| !allowed(*c)) {
        return Err(invalid(url, &format!("{bad:?} cannot be part of a host")));
    }
    // The colons of an IPv6 address stand before its closing bracket.
    let end_of_address = authority.find(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = authority[end_of_address..].find(':') else {
        return Ok(());
    };
    let (host, port) = authority.split_at(end_of_address + colon);
    if host.is_empty() {
        return Err(invalid(url, "it names no host"));
    }
    match port[1..].parse::<u16>() {
        Ok(_) => Ok(()),
        Err(_) => Err(invalid(url, "its port is not a number up to 65535")),
    }
}

/// The fragment stays with the client, and the path is never empty.
fn path_with_query(rest: &str) -> String {
    let sent = rest.split_once('#').map_or(rest, |(sent, _)| sent);
    if sent.starts_with('/') { sent.to_owned() } else { format!("/{sent}") }
}

fn invalid(url: &str, why: &str) -> Error {
    Error::InvalidRequest(format!("the URL `{url}` is not valid: {why}"))
}

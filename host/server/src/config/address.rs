//! Addresses that secrets are sent to.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether nobody on the way reads what is sent to `url`. It is read more strictly than by the
/// client, so that nothing that is written in an unusual way gets through.
pub(super) fn is_kept_from_others(url: &str) -> bool {
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

/// An address without a user and a query, which may be secret. What may be read in two ways is
/// not shown at all.
pub(crate) fn shown(url: &str) -> String {
    const HIDDEN: &str = "…";
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (shown, tail) = url.split_at(end);
    let Some((_, rest)) = shown.split_once("://") else { return HIDDEN.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '\\']).unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    // A password with such a character in it is no URL; its first part looks like a port.
    let is_cut = path.is_empty() && tail.contains('@');
    match user {
        _ if is_cut || !has_port_or_none(host) => HIDDEN.to_owned(),
        Some(_) => format!("{HIDDEN}@{host}{path}"),
        None => shown.to_owned(),
    }
}

/// Whether what follows the name or the address of a host is its port.
fn has_port_or_none(host: &str) -> bool {
    let behind = host.rsplit_once(']').map_or(host, |(_, behind)| behind);
    let port = behind.split_once(':').map(|(_, port)| port);
    !host.is_empty() && port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
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
            ("http://10.0.0.1/?key=word#word", "http://10.0.0.1/"),
            ("http://[::1]:4318?key=word", "http://[::1]:4318"),
            ("http://ada:word@10.0.0.1/otlp", "…@10.0.0.1/otlp"),
            ("http://ada:w@rd@[::1]:4318/otlp?key=word", "…@[::1]:4318/otlp"),
            ("https://host/v1?token=ab@cd", "https://host/v1"),
            ("https://host/#frag@x", "https://host/"),
            ("http://evil.example/@127.0.0.1/v1", "http://evil.example/@127.0.0.1/v1"),
            ("http://evil.example\\@127.0.0.1/v1", "http://evil.example\\@127.0.0.1/v1"),
            ("http://ada:wo?rd@10.0.0.1/otlp", "…"),
            ("http://ada:12#rd@10.0.0.1/otlp", "…"),
            ("http://ada:wo/rd@10.0.0.1/otlp", "…"),
            ("https://?word", "…"),
            ("ada:word@10.0.0.1/otlp", "…"),
            ("word", "…"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}

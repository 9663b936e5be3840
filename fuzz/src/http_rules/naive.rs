//! What rules mean, once more: as short as it can be said, and as slow as that is.

use std::net::{IpAddr, Ipv6Addr};

use bailiwick_domain::authority::{HttpDeny, HttpRule, HttpTarget};
use bailiwick_domain::digest::hex;

/// How often a path is decoded before nobody would understand it.
const DECODINGS: usize = 2;

pub(super) fn allows(rule: &HttpRule, target: &HttpTarget<'_>) -> bool {
    let ports = if rule.ports.is_empty() { vec![target.scheme.default_port()] } else { rule.ports.clone() };
    ports.contains(&target.port) && means(rule, target)
}

/// The host `*` without a port asks for every port.
pub(super) fn asks_for(rule: &HttpRule, target: &HttpTarget<'_>) -> bool {
    let every_port = rule.host.to_string() == "*" && rule.ports.is_empty();
    if every_port { means(rule, target) } else { allows(rule, target) }
}

fn means(rule: &HttpRule, target: &HttpTarget<'_>) -> bool {
    rule.schemes.contains(&target.scheme)
        && rule.methods.iter().any(|method| method == target.method)
        && allows_host(&rule.host.to_string(), target.host)
        && (rule.paths.is_empty() || rule.paths.iter().any(|pattern| allows_path(pattern.as_str(), target.path)))
}

pub(super) fn denies(rule: &HttpDeny, target: &HttpTarget<'_>) -> bool {
    denies_host(&rule.host.to_string(), target.host) && denies_rest(rule, target)
}

pub(super) fn denies_address(rule: &HttpDeny, target: &HttpTarget<'_>, address: IpAddr) -> bool {
    let host = rule.host.to_string();
    (host == "*" || carried(address).iter().any(|form| holds(&host, *form))) && denies_rest(rule, target)
}

fn denies_rest(rule: &HttpDeny, target: &HttpTarget<'_>) -> bool {
    let method = |method: &String| method.eq_ignore_ascii_case(target.method);
    (rule.schemes.is_empty() || rule.schemes.contains(&target.scheme))
        && (rule.ports.is_empty() || rule.ports.contains(&target.port))
        && (rule.methods.is_empty() || rule.methods.iter().any(method))
        && (rule.paths.is_empty() || rule.paths.iter().any(|pattern| denies_path(pattern.as_str(), target.path)))
}

// --- hosts ---

fn lower(host: &str) -> String {
    let mut host = host.to_ascii_lowercase();
    while host.ends_with('.') {
        host.pop();
    }
    host
}

pub(super) fn allows_host(pattern: &str, host: &str) -> bool {
    let host = lower(host);
    if pattern == "*" {
        return true;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return if pattern.contains('/') { holds(pattern, address) } else { pattern.parse() == Ok(address) };
    }
    match pattern.strip_prefix("*.") {
        Some(rest) => {
            let label = host.strip_suffix(&format!(".{rest}"));
            label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
        }
        None => host == pattern,
    }
}

pub(super) fn denies_host(pattern: &str, host: &str) -> bool {
    let host = lower(host);
    if pattern == "*" {
        return true;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return carried(address).iter().any(|form| holds(pattern, *form));
    }
    match pattern.strip_prefix("*.") {
        Some(rest) => host.strip_suffix(&format!(".{rest}")).is_some_and(|labels| !labels.is_empty()),
        None => host == pattern,
    }
}

// --- addresses ---

/// The block of the first `bits` bits of an address, as one would type it.
pub(super) fn block(address: IpAddr, bits: u8) -> String {
    let octets = octets(address);
    let bits = usize::from(bits) % (octets.len() * 8 + 1);
    let kept = |(place, octet): (usize, &u8)| {
        (0..8).filter(|bit| place * 8 + bit < bits).fold(0, |kept, bit| kept | (octet & (0x80 >> bit)))
    };
    let first: Vec<u8> = octets.iter().enumerate().map(kept).collect();
    let first = match <[u8; 4]>::try_from(first.as_slice()) {
        Ok(four) => IpAddr::from(four),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(first.as_slice()).expect("there are no others")),
    };
    format!("{first}/{bits}")
}

/// Whether `pattern` grants this very address: by itself, or by a block that is no
/// wider than those of private networks.
pub(super) fn names_address(pattern: &str, address: IpAddr) -> bool {
    match pattern.split_once('/') {
        None => pattern.parse() == Ok(address),
        Some((first, bits)) => {
            let widest = if first.contains(':') { 7 } else { 8 };
            bits.parse::<u8>().is_ok_and(|bits| bits >= widest) && holds(pattern, address)
        }
    }
}

/// Whether an address or a block, as it is written, holds `address`.
fn holds(pattern: &str, address: IpAddr) -> bool {
    let (first, bits) = pattern.split_once('/').map_or((pattern, None), |(first, bits)| (first, Some(bits)));
    let Ok(first) = first.parse::<IpAddr>() else { return false };
    let (first, address) = (octets(plain(first)), octets(plain(address)));
    let bits = bits.map_or(first.len() * 8, |bits| bits.parse().expect("it was read"));
    let bit = |octets: &[u8], place: usize| (octets[place / 8] >> (7 - place % 8)) & 1;
    first.len() == address.len() && (0..bits).all(|place| bit(&first, place) == bit(&address, place))
}

/// IPv4 that is written as IPv6 is IPv4.
fn plain(address: IpAddr) -> IpAddr {
    match octets(address).as_slice() {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, four @ ..] => {
            IpAddr::from(<[u8; 4]>::try_from(four).expect("sixteen less twelve"))
        }
        _ => address,
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The address and, where it carries an IPv4 address, that one.
fn carried(address: IpAddr) -> Vec<IpAddr> {
    let octets = octets(address);
    let four = |from: usize| octets.get(from..from + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
    let inner = match octets.as_slice() {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ..] | [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, ..] => four(12),
        [0x20, 0x02, ..] if octets.len() == 16 => four(2),
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, first, ..] if *first != 0 => four(12),
        _ => None,
    };
    [Some(address), inner.map(IpAddr::from)].into_iter().flatten().collect()
}

/// By the registries of special addresses: RFC 6890 and those after it.
pub(super) fn is_public(address: IpAddr) -> bool {
    const NOT: [&str; 16] = [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "255.255.255.255/32",
    ];
    const NOT_ROUTED: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/16"];
    match plain(address) {
        v4 @ IpAddr::V4(_) => !NOT.iter().any(|block| holds(block, v4)),
        IpAddr::V6(v6) => match v6.octets() {
            [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => is_public(IpAddr::from([a, b, c, d])),
            _ => holds("2000::/3", v6.into()) && !NOT_ROUTED.iter().any(|block| holds(block, Ipv6Addr::into(v6))),
        },
    }
}

// --- paths ---

/// Decodes what can be decoded, but for a star.
fn decoded(path: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = path.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let rest: Vec<u8> = bytes.clone().take(2).collect();
        let hex = std::str::from_utf8(&rest).ok().filter(|hex| hex.len() == 2 && !hex.starts_with('+'));
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| byte == b'%') {
            Some(code) => {
                if code == b'*' {
                    out.extend(b"%2A");
                } else {
                    out.push(code);
                }
                bytes.nth(1);
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn readings(path: &str) -> Vec<String> {
    let mut all = vec![path.to_owned()];
    for _ in 0..DECODINGS {
        all.extend(all.last().map(|path| decoded(path)));
    }
    all
}

fn climbs(path: &str) -> bool {
    readings(path).iter().any(|path| {
        let path = path.to_ascii_lowercase().replace("%2e", ".");
        let dots = |segment: &str| {
            segment == "." || segment == ".." || segment.starts_with(".;") || segment.starts_with("..;")
        };
        path.split('/').any(dots) || ["\\", "%2f", "%5c"].iter().any(|mark| path.contains(mark))
    })
}

pub(super) fn allows_path(pattern: &str, path: &str) -> bool {
    if !path.starts_with('/') || climbs(path) {
        return false;
    }
    if pattern.contains('*') {
        let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
        return glob(&pattern, &path, &|one, segment| if one == "*" { !segment.is_empty() } else { one == *segment });
    }
    let below = pattern.strip_suffix('/').unwrap_or(pattern);
    path == below || path.starts_with(&format!("{below}/"))
}

pub(super) fn denies_path(pattern: &str, path: &str) -> bool {
    let prefix = !pattern.contains('*');
    let decoded: Vec<String> = pattern.split('/').map(decoded).filter(|segment| !segment.is_empty()).collect();
    let mut pattern: Vec<&str> = decoded.iter().map(String::as_str).collect();
    if prefix {
        pattern.push("**");
    }
    climbs(path)
        || readings(&path.replace('*', "%2A")).iter().any(|path| {
            resolutions(path).any(|path| {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                glob(&pattern, &path, &|one, segment| {
                    let heads = segment.match_indices(';').map(|(end, _)| &segment[..end]);
                    one == "*" || heads.chain([*segment]).any(|head| head.eq_ignore_ascii_case(one))
                })
            })
        })
}

/// The segments of a path that is not empty: with each of those that are nothing but
/// parameters there or not.
fn resolutions(path: &str) -> impl Iterator<Item = Vec<String>> {
    let segments: Vec<String> = path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
    let optional: Vec<usize> = (0..segments.len()).filter(|index| segments[*index].starts_with(';')).collect();
    (0..1_usize << optional.len().min(12)).map(move |choice| {
        let gone = |index: usize| {
            optional.iter().position(|it| *it == index).is_some_and(|bit| bit < 12 && choice >> bit & 1 == 1)
        };
        segments.iter().enumerate().filter(|(index, _)| !gone(*index)).map(|(_, segment)| segment.clone()).collect()
    })
}

fn glob<T>(pattern: &[&str], path: &[T], one: &dyn Fn(&str, &T) -> bool) -> bool {
    match (pattern, path) {
        ([], path) => path.is_empty(),
        (["**", rest @ ..], path) => (0..=path.len()).any(|taken| glob(rest, &path[taken..], one)),
        ([first, rest @ ..], [segment, below @ ..]) => one(first, segment) && glob(rest, below, one),
        ([_, ..], []) => false,
    }
}

/// Other ways to write the same path, for a server that is lenient.
pub(super) fn disguises(path: &str) -> Vec<String> {
    let mut all = vec![path.to_ascii_uppercase(), path.replace('/', "//"), format!("{path}/"), format!("{path};x")];
    // Where something is encoded already, once more may be more than anybody decodes.
    if !path.contains('%') {
        let encoded =
            |segment: &str| segment.bytes().flat_map(|byte| ["%".to_owned(), hex(&[byte])]).collect::<String>();
        all.push(path.split('/').map(encoded).collect::<Vec<_>>().join("/"));
    }
    all
}

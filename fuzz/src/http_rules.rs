//! Rules for requests. The input is read as choices: rules and targets from small
//! alphabets, so that they often speak of the same, and now and then from any text.

mod naive;

use std::fmt::{Debug, Display};
use std::net::IpAddr;
use std::str::FromStr;

use arbitrary::{Result, Unstructured};
use bailiwick_domain::authority::{
    HostPattern, HttpDeny, HttpRule, HttpTarget, PathPattern, Scheme, SecretDestination, is_public,
};
use bailiwick_domain::grant::Capabilities;
use bailiwick_domain::manifest::Permissions;
use bailiwick_domain::permit::{HttpAuthority, HttpRefusal};
use bailiwick_skills::grants::fuzzing;

const LABELS: [&str; 6] = ["a", "b", "com", "A", "x-1", "_"];
const ADDRESSES: [&str; 14] = [
    "10.0.0.1",
    "10.1.2.3",
    "127.0.0.1",
    "8.8.8.8",
    "169.254.169.254",
    "0.0.0.0",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "::10.0.0.1",
    "2606:4700::1111",
    "::",
];
const SEGMENTS: [&str; 24] = [
    "a", "b", "v1", "", "*", "**", "A", "%61", "%2561", "..", ".", "%2e", "..;x", ";x", "a;x", "a;x=1;y", "%2A", "%2f",
    "a\\b", "%", "%6", "%c3", "é", "%3B",
];
const METHODS: [&str; 4] = ["GET", "PUT", "get", "DELETE"];
const PORTS: [u16; 4] = [80, 443, 8443, 1];

/// Most entries of one list.
const MANY: u8 = 3;

/// A request, with a host's address.
#[derive(Debug)]
struct Asking {
    method: String,
    scheme: Scheme,
    host: String,
    port: u16,
    path: String,
    address: IpAddr,
}

impl Asking {
    fn target(&self) -> HttpTarget<'_> {
        HttpTarget { method: &self.method, scheme: self.scheme, host: &self.host, port: self.port, path: &self.path }
    }
}

/// Holds rules against requests, against each other, and against a second, naive reading.
pub fn check(input: &[u8]) {
    let mut u = Unstructured::new(input);
    // Choices from no more bytes are those of zeros, so that there is always a case.
    if let Ok((http, asking)) = case(&mut u) {
        rules_mean_what_they_say(&http, &asking);
        deny_wins(&http, &asking);
        a_grant_is_what_was_asked_for(&http, &asking);
        addresses_are_named(&http, &asking);
        rules_can_be_read_as_they_are_written(&http);
    }
}

fn case(u: &mut Unstructured<'_>) -> Result<(HttpAuthority, Asking)> {
    let asking = asking(u)?;
    let requested = several(u, rule)?;
    let granted = several(u, rule)?;
    let denied = several(u, deny)?;
    Ok((HttpAuthority { requested, granted, denied }, asking))
}

fn asking(u: &mut Unstructured<'_>) -> Result<Asking> {
    let address = address(u)?;
    let host = match u.int_in_range(0..=3)? {
        0 => address.to_string(),
        1 => name(u)? + if u.arbitrary()? { "." } else { "" },
        2 => name(u)?,
        _ => text(u)?,
    };
    Ok(Asking {
        method: (*u.choose(&METHODS)?).to_owned(),
        scheme: scheme(u)?,
        host,
        port: *u.choose(&PORTS)?,
        path: path(u)?,
        address,
    })
}

fn rule(u: &mut Unstructured<'_>) -> Result<HttpRule> {
    let methods = several(u, |u| Ok((*u.choose(&METHODS)?).to_owned()))?;
    let schemes = several(u, scheme)?;
    Ok(HttpRule {
        host: host(u)?,
        schemes: if schemes.is_empty() { vec![Scheme::Https] } else { schemes },
        ports: several(u, |u| u.choose(&PORTS).copied())?,
        methods: if methods.is_empty() { vec!["GET".to_owned()] } else { methods },
        paths: several(u, pattern)?,
    })
}

fn deny(u: &mut Unstructured<'_>) -> Result<HttpDeny> {
    Ok(HttpDeny {
        host: host(u)?,
        schemes: several(u, scheme)?,
        ports: several(u, |u| u.choose(&PORTS).copied())?,
        methods: several(u, |u| Ok((*u.choose(&METHODS)?).to_owned()))?,
        paths: several(u, pattern)?,
    })
}

fn several<T>(u: &mut Unstructured<'_>, one: impl Fn(&mut Unstructured<'_>) -> Result<T>) -> Result<Vec<T>> {
    (0..u.int_in_range(0..=MANY)?).map(|_| one(u)).collect()
}

fn scheme(u: &mut Unstructured<'_>) -> Result<Scheme> {
    Ok(if u.arbitrary()? { Scheme::Http } else { Scheme::Https })
}

fn address(u: &mut Unstructured<'_>) -> Result<IpAddr> {
    Ok(match u.int_in_range(0..=3)? {
        0 => IpAddr::from(u.arbitrary::<[u8; 4]>()?),
        1 => IpAddr::from(u.arbitrary::<[u8; 16]>()?),
        _ => u.choose(&ADDRESSES)?.parse().expect("they are addresses"),
    })
}

fn name(u: &mut Unstructured<'_>) -> Result<String> {
    let mut labels = several(u, |u| u.choose(&LABELS).copied())?;
    labels.push(u.choose(&LABELS)?);
    Ok(labels.join("."))
}

/// A host that can be written in a rule; any host where the text is none.
fn host(u: &mut Unstructured<'_>) -> Result<HostPattern> {
    let text = match u.int_in_range(0..=6)? {
        0 => "*".to_owned(),
        1 => format!("*.{}", name(u)?),
        2 | 3 => name(u)?,
        4 => address(u)?.to_string(),
        5 => naive::block(address(u)?, u.arbitrary()?),
        _ => text(u)?,
    };
    Ok(text.parse().unwrap_or(HostPattern::Any))
}

/// A pattern that can be written in a rule; that of every path where the text is none.
fn pattern(u: &mut Unstructured<'_>) -> Result<PathPattern> {
    Ok(path(u)?.parse().unwrap_or_else(|_| PathPattern::every()))
}

fn path(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(1, 8)? {
        return text(u);
    }
    let segments = (0..u.int_in_range(0..=5)?).map(|_| segment(u)).collect::<Result<Vec<_>>>()?;
    Ok(format!("/{}", segments.join("/")))
}

fn segment(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(1, 8)? { text(u) } else { Ok((*u.choose(&SEGMENTS)?).to_owned()) }
}

fn text(u: &mut Unstructured<'_>) -> Result<String> {
    let length = u.int_in_range(0..=6)?;
    let bytes = u.bytes(u.len().min(length))?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// Every rule and each of its parts, as `naive` has them.
fn rules_mean_what_they_say(http: &HttpAuthority, asking: &Asking) {
    let target = asking.target();
    for rule in http.requested.iter().chain(&http.granted) {
        let host = naive::allows_host(&rule.host.to_string(), &asking.host);
        assert_eq!(rule.host.matches(&asking.host), host, "{} {:?}", rule.host, asking.host);
        for pattern in &rule.paths {
            let path = naive::allows_path(pattern.as_str(), &asking.path);
            assert_eq!(pattern.allows(&asking.path), path, "{pattern} {:?}", asking.path);
        }
        assert_eq!(rule.allows(&target), naive::allows(rule, &target), "{rule} {asking:?}");
        assert_eq!(rule.asks_for(&target), naive::asks_for(rule, &target), "{rule} {asking:?}");
    }
    for rule in &http.denied {
        let host = naive::denies_host(&rule.host.to_string(), &asking.host);
        assert_eq!(rule.host.denies(&asking.host), host, "{} {:?}", rule.host, asking.host);
        for pattern in &rule.paths {
            let path = naive::denies_path(pattern.as_str(), &asking.path);
            assert_eq!(pattern.denies(&asking.path), path, "{pattern} {:?}", asking.path);
        }
        assert_eq!(rule.denies(&target), naive::denies(rule, &target), "{rule} {asking:?}");
    }
}

/// Deny rules win, mean at least what the same words would allow, and are not to be
/// got around by another way to write the same request.
fn deny_wins(http: &HttpAuthority, asking: &Asking) {
    let target = asking.target();
    let denied = http.denied.iter().any(|rule| rule.denies(&target));
    assert_eq!(matches!(http.judge(&target), Err(HttpRefusal::Denied(_))), denied, "{asking:?}");
    assert!(!denied || !http.allows(&target), "{asking:?}");
    let undenied = HttpAuthority { denied: Vec::new(), ..http.clone() };
    assert_eq!(http.allows(&target), undenied.allows(&target) && !denied, "{asking:?}");
    for rule in http.granted.iter().filter(|rule| rule.allows(&target)) {
        let HttpRule { host, schemes, ports, methods, paths } = rule.clone();
        let same = HttpDeny { host, schemes, ports, methods, paths };
        assert!(same.denies(&target), "{rule} allows what it does not deny: {asking:?}");
    }
    for rule in http.denied.iter().filter(|rule| rule.denies(&target)) {
        for path in naive::disguises(&asking.path) {
            let host = format!("{}.", asking.host.to_ascii_uppercase());
            let host = if asking.host.parse::<IpAddr>().is_ok() { &asking.host } else { &host };
            let disguised = HttpTarget { path: &path, host, ..target };
            assert!(rule.denies(&disguised), "{rule} denies {asking:?} and not {path:?}");
        }
    }
}

/// Whatever a grant allows was asked for, if it could be given; and so for each part of it.
fn a_grant_is_what_was_asked_for(http: &HttpAuthority, asking: &Asking) {
    let target = asking.target();
    let asked = Permissions { http: http.requested.clone(), ..Permissions::default() };
    for rule in &http.granted {
        let granted = Capabilities { http: vec![rule.clone()], ..Capabilities::default() };
        // A grant that names no path means every path, also those that no pattern means
        // because a server may read them as others. `/` stands for it there; that such
        // a path is refused all the same is what `allows` of both rules together says.
        let speaks = !rule.paths.is_empty() || PathPattern::every().allows(&asking.path);
        if speaks && rule.allows(&target) && fuzzing::is_within(&asked, &granted) {
            let meant = asked.http.iter().any(|asked| asked.asks_for(&target));
            assert!(meant, "{rule} was given, and nobody asked for {asking:?}");
        }
        for asked in &http.requested {
            let hosts = asked.host.covers(&rule.host) && rule.host.matches(&asking.host);
            assert!(!hosts || asked.host.matches(&asking.host), "{} {} {asking:?}", asked.host, rule.host);
            for (one, other) in asked.paths.iter().flat_map(|one| rule.paths.iter().map(move |other| (one, other))) {
                let paths = one.covers(other) && other.allows(&asking.path);
                assert!(!paths || one.allows(&asking.path), "{one} {other} {:?}", asking.path);
            }
        }
        assert!(rule.host.covers(&rule.host), "{} does not cover itself", rule.host);
        assert!(rule.paths.iter().all(|path| path.covers(path)), "{rule} does not cover itself");
    }
}

/// Whoever reaches an address that is not public was granted that very address.
fn addresses_are_named(http: &HttpAuthority, asking: &Asking) {
    let (target, address) = (asking.target(), asking.address);
    assert_eq!(is_public(address), naive::is_public(address), "{address}");
    if http.judge_address(&target, address).is_ok() {
        assert!(!http.denied.iter().any(|rule| naive::denies_address(rule, &target, address)), "{address} {asking:?}");
        let named = http.granted.iter().any(|rule| naive::names_address(&rule.host.to_string(), address));
        assert!(is_public(address) || named, "{address} was reached, and nobody named it");
    }
}

fn rules_can_be_read_as_they_are_written(http: &HttpAuthority) {
    let rules = http.requested.iter().chain(&http.granted);
    let parts = rules.map(|rule| (&rule.host, &rule.paths, &rule.ports));
    for (host, paths, ports) in parts.chain(http.denied.iter().map(|rule| (&rule.host, &rule.paths, &rule.ports))) {
        reads_back(host);
        paths.iter().for_each(reads_back);
        let port = ports.first().map_or_else(String::new, |port| format!(":{port}"));
        let destination = format!("{}{port}", host.in_url()).parse::<SecretDestination>();
        assert_eq!(destination.is_ok(), *host != HostPattern::Any, "{host}{port}");
        destination.iter().for_each(reads_back);
    }
}

fn reads_back<T: Debug + Display + FromStr + PartialEq>(value: &T) {
    let text = value.to_string();
    assert_eq!(text.parse::<T>().ok().as_ref(), Some(value), "{text}");
}

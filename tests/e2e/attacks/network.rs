//! Requests past the granted rules, and in forms that mean two things.

use std::time::{Duration, Instant};

use bailiwick_domain::authority::{HttpRule, Scheme};
use bailiwick_domain::sandbox::{InvokeError, MAX_DENIALS, Outcome};

use super::rogue::{self, Manners, Rogue};
use super::scene::{LATE, SHORT, Scene, peak_of};
use crate::sandbox::lab::{error, failure};

/// Bytes that the host may take for one call of a guest that floods it or has it flooded.
const MODEST: u64 = 96 << 20;

// Hosts that are not the one that is granted: none is looked up.
cases! { another_host:
    host_not_granted => "example.org",
    host_with_a_prefix => "evil-api.example.com",
    host_above => "example.com",
    host_below => "a.api.example.com",
    host_as_a_beginning => "api.example.com.example.org",
    host_as_loopback_with_a_dot => "localhost.",
    host_with_an_underscore => "api_example.com",
    host_in_other_letters => "api.exаmple.com",
}

async fn another_host(case: &str, host: &str) {
    let outcome = ask(vec![rule("api.example.com", 80)], "authority", host).await;
    let refusal = failure(&outcome);
    let letters = refusal == "authority refused" && !host.is_ascii();
    assert!(refusal == "HttpRequestDenied" || letters, "{case}: {refusal}");
    assert_eq!(outcome.usage.http_requests, 0);
}

// Hosts that are not one label below the granted one.
cases! { not_below:
    wildcard_two_labels => "a.b.example.com",
    wildcard_no_label => "example.com",
    wildcard_empty_label => ".example.com",
    wildcard_without_dot => "evilexample.com",
    wildcard_as_a_beginning => "api.example.com.example.org",
}

async fn not_below(case: &str, host: &str) {
    let outcome = ask(vec![rule("*.example.com", 80)], "authority", host).await;
    let refusal = failure(&outcome);
    assert!(refusal == "HttpRequestDenied" || refusal == "authority refused", "{case}: {refusal}");
    assert_eq!(outcome.usage.http_requests, 0);
}

// Authorities that one reads as this host and another one as that.
cases! { ambiguous:
    userinfo => "127.0.0.1@HIDDEN",
    userinfo_with_password => "user:password@GRANTED",
    userinfo_with_port => "GRANTED@HIDDEN",
    userinfo_twice => "a@GRANTED@HIDDEN",
    port_empty => "127.0.0.1:",
    port_too_large => "127.0.0.1:99999",
    port_twice => "GRANTED:80",
    port_negative => "127.0.0.1:-1",
    host_empty => ":80",
    authority_empty => "",
    brackets_open => "[::1",
    brackets_around_a_name => "[localhost]",
    zone => "[fe80::1%25eth0]:80",
}

async fn ambiguous(case: &str, authority: &str) {
    let (open, hidden) = (Rogue::start(rogue::polite), Rogue::start(rogue::polite));
    let authority = authority.replace("GRANTED", &open.authority()).replace("HIDDEN", &hidden.authority());
    // What can't be read is not taken for the default port either, where that is granted.
    let granted = vec![rule("127.0.0.1", open.port()), rule("127.0.0.1", 80)];
    let outcome = ask(granted, "authority", &authority).await;
    let refusal = failure(&outcome);
    let typed = ["authority refused", "HttpRequestUriInvalid", "HttpRequestDenied"];
    assert!(typed.iter().any(|name| refusal == *name), "{case}: {refusal}");
    assert_eq!((open.connections(), hidden.connections()), (0, 0));
}

// Paths that a server may read as `/hidden`, where only `/open` is granted.
cases! { another_path:
    path_not_granted => "/hidden",
    path_as_a_beginning => "/opened",
    path_root => "/",
    path_climbs => "/open/../hidden",
    path_climbs_in_place => "/open/./../hidden",
    path_climbs_encoded => "/open/%2e%2e/hidden",
    path_climbs_encoded_twice => "/open/%252e%252e/hidden",
    path_climbs_half_encoded => "/open/.%2E/hidden",
    path_climbs_by_an_encoded_slash => "/open/..%2fhidden",
    path_climbs_by_a_backslash => "/open/..\\hidden",
    path_climbs_by_an_encoded_backslash => "/open/..%5Chidden",
    path_climbs_with_a_parameter => "/open/..;/hidden",
    path_climbs_with_an_encoded_parameter => "/open/%2e%2e%3b/hidden",
    path_in_other_letters => "/OPEN/page",
    path_double_slash => "//open/page",
    path_absolute => "http://127.0.0.1/open/page",
}

async fn another_path(case: &str, path: &str) {
    let server = Rogue::start(rogue::polite);
    let granted = HttpRule { paths: vec!["/open".parse().unwrap()], ..rule("127.0.0.1", server.port()) };
    let outcome = ask(vec![granted], "path", &format!("{} {path}", server.authority())).await;
    let refusal = failure(&outcome);
    assert!(refusal == "HttpRequestDenied" || refusal == "path refused", "{case}: {refusal}");
    assert_eq!(server.connections(), 0);
}

// Paths that are not those of `/open/*/page`: a star is one segment.
cases! { past_a_glob:
    path_short_of_a_glob => "/open/one",
    path_past_a_glob => "/open/one/page/hidden",
    path_star_as_two => "/open/one/two/page",
    path_star_as_nothing => "/open//page",
    path_star_as_itself => "/open/page",
    path_star_climbs => "/open/../page",
}

async fn past_a_glob(case: &str, path: &str) {
    let server = Rogue::start(rogue::polite);
    let granted = HttpRule { paths: vec!["/open/*/page".parse().unwrap()], ..rule("127.0.0.1", server.port()) };
    let outcome = ask(vec![granted], "path", &format!("{} {path}", server.authority())).await;
    assert_eq!(failure(&outcome), "HttpRequestDenied", "{case}");
    assert_eq!(server.connections(), 0);
}

// Everything but the host and the port is another than that of the rule, or is forged.
cases! { unasked:
    method => "HttpRequestDenied",
    method_in_other_letters => "HttpRequestDenied",
    method_injection => "method refused",
    method_connect => "HttpRequestDenied",
    scheme => "HttpProtocolError",
    https_where_http_is_granted => "HttpRequestDenied",
    header_injection => "each was refused",
    header_name_injection => "each was refused",
    header_forbidden => "each was refused",
    path_injection => "each was refused",
    authority_injection => "each was refused",
}

async fn unasked(case: &str, expected: &str) {
    let server = Rogue::start(rogue::polite);
    let outcome = ask(vec![rule("127.0.0.1", server.port())], case, &server.authority()).await;
    assert_eq!(failure(&outcome), expected);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn port_not_granted() {
    let (open, hidden) = (Rogue::start(rogue::polite), Rogue::start(rogue::polite));
    let outcome = ask(vec![rule("127.0.0.1", open.port())], "authority", &hidden.authority()).await;
    assert_eq!(failure(&outcome), "HttpRequestDenied");
    assert_eq!((open.connections(), hidden.connections()), (0, 0));
}

#[tokio::test]
async fn granted_and_not_asked_for() {
    let server = Rogue::start(rogue::polite);
    let mut scene = Scene::of("network");
    scene.terms.http.granted = vec![rule("127.0.0.1", server.port())];
    let outcome = scene.attack("authority", &server.authority()).await;
    assert_eq!(failure(&outcome), "HttpRequestDenied");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn asked_for_and_not_granted() {
    let server = Rogue::start(rogue::polite);
    let mut scene = Scene::of("network");
    scene.terms.http.requested = vec![rule("127.0.0.1", server.port())];
    let outcome = scene.attack("authority", &server.authority()).await;
    assert_eq!(failure(&outcome), "HttpRequestDenied");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn redirect() {
    let hidden = Rogue::start(rogue::polite);
    let open = crate::web::Web::start(&[("/go", 302, &format!("http://{}/page", hidden.authority()), "")]);
    let outcome = ask(vec![rule("127.0.0.1", open.port())], "redirect", &format!("127.0.0.1:{}", open.port())).await;
    assert_eq!(failure(&outcome), "HttpRequestDenied");
    assert_eq!((open.requests(), hidden.connections()), (1, 0));
}

/// The server gets what the request is, and no word that the guest has put between.
#[tokio::test]
async fn length_too_short() {
    let server = Rogue::start(rogue::silent);
    let outcome = ask(vec![rule("127.0.0.1", server.port())], "length_too_short", &server.authority()).await;
    assert_eq!(failure(&outcome), "LastOperationFailed");
    assert!(!server.heard().contains("hidden"), "{}", server.heard());
}

#[tokio::test]
async fn length_too_long() {
    let server = Rogue::start(rogue::silent);
    let outcome = ask(vec![rule("127.0.0.1", server.port())], "length_too_long", &server.authority()).await;
    assert_eq!(failure(&outcome), "HttpRequestBodySize");
}

#[tokio::test]
async fn tls_to_a_plain_server() {
    let server = Rogue::start(rogue::deaf);
    let granted = HttpRule { schemes: vec![Scheme::Https], ..rule("127.0.0.1", server.port()) };
    let outcome = ask(vec![granted], "tls_to_a_plain_server", &server.authority()).await;
    assert_eq!(failure(&outcome), "TlsProtocolError");
    assert!(!server.heard().contains("GET"), "{}", server.heard());
}

// A call has a hundred requests, however they are made.
cases! { flood:
    request_flood => "HttpRequestDenied after 100",
    requests_at_once => "50 of 150 refused",
}

async fn flood(case: &str, expected: &str) {
    let server = Rogue::start(rogue::polite);
    let outcome = ask(vec![rule("127.0.0.1", server.port())], case, &server.authority()).await;
    assert_eq!(failure(&outcome), expected);
    assert!(outcome.denials.iter().all(|denial| denial.reason.contains("`http_requests` of 100")));
    // What is refused goes into the receipt, and not without end.
    assert!(outcome.denials.len() <= MAX_DENIALS, "{} refusals are kept", outcome.denials.len());
    assert!((1..=100).contains(&server.connections()), "{}", server.connections());
}

// Servers that are the attackers: the guest gets an error and the host stays small.
cases! { rogue_server:
    first_byte_never => (rogue::silent as Manners, "ConnectionReadTimeout"),
    next_byte_never => (rogue::faltering as Manners, "connection read timeout"),
    response_fields_without_end => (rogue::endless_fields as Manners, "HttpProtocolError"),
    response_field_without_end => (rogue::endless_field as Manners, "HttpProtocolError"),
    response_in_another_language => (rogue::babbling as Manners, "HttpProtocolError"),
    response_with_an_oversized_piece => (rogue::oversized_piece as Manners, "hyper error: error reading a body from connection"),
    response_with_two_lengths => (rogue::two_lengths as Manners, "HttpProtocolError"),
    response_cut_off => (rogue::abrupt as Manners, "hyper error: error reading a body from connection"),
    response_without_end => (rogue::endless as Manners, "HTTP response body size exceeds limit: 67108864 bytes after 63 MiB"),
    response_not_read => (rogue::endless as Manners, "status 200"),
    timeouts_of_zero => (rogue::silent as Manners, "ConnectionReadTimeout"),
}

async fn rogue_server(case: &str, (manners, expected): (Manners, &str)) {
    let server = Rogue::start(manners);
    // What a server does is no case of the guest's, unless the guest helps.
    let guest = if case.starts_with("response_") && !["response_without_end", "response_not_read"].contains(&case) {
        "authority"
    } else {
        case
    };
    let authority = server.authority();
    let (outcome, peak) = peak_of(ask(vec![rule("127.0.0.1", server.port())], guest, &authority)).await;
    assert_eq!(failure(&outcome), expected);
    assert!(peak < MODEST, "{} MiB", peak >> 20);
}

// Servers and bodies that outlast any patience but that of the call.
cases! { deadline:
    response_drips => (rogue::dripping as Manners, "authority"),
    response_is_always_soon => (rogue::always_soon as Manners, "authority"),
    body_sent_without_end => (rogue::silent as Manners, "body_sent_without_end"),
    timeouts_of_centuries => (rogue::silent as Manners, "timeouts_of_centuries"),
}

async fn deadline(case: &str, (manners, guest): (Manners, &str)) {
    let server = Rogue::start(manners);
    let mut scene = allowed(vec![rule("127.0.0.1", server.port())]).for_a(SHORT);
    // It is the time that is to end them.
    scene.terms.limits.http_sent_bytes = 1 << 40;
    let start = Instant::now();
    let (outcome, peak) = peak_of(scene.attack(guest, &server.authority())).await;
    assert!(start.elapsed() < SHORT + LATE, "{:?}", start.elapsed());
    assert!(outcome.usage.wall >= SHORT.saturating_sub(Duration::from_millis(50)), "{:?}", outcome.usage);
    assert_eq!(error(outcome).code(), "deadline-exceeded", "{case}");
    assert_eq!(server.connections(), 1);
    assert!(peak < MODEST, "{} MiB", peak >> 20);
}

// The interface has no error for these, so that the guest ends.
cases! { ended:
    header_count => "",
    header_size => "",
    body_without_permission => "",
}

async fn ended(case: &str, _: &str) {
    let server = Rogue::start(rogue::polite);
    let (outcome, peak) = peak_of(ask(vec![rule("127.0.0.1", server.port())], case, &server.authority())).await;
    let error = error(outcome);
    assert!(matches!(error, InvokeError::Trap { .. }), "{error:?}");
    assert!(peak < MODEST, "{} MiB", peak >> 20);
}

pub(super) async fn ask(granted: Vec<HttpRule>, case: &str, target: &str) -> Outcome {
    allowed(granted).attack(case, target).await
}

pub(super) fn allowed(granted: Vec<HttpRule>) -> Scene {
    let mut scene = Scene::of("network");
    scene.terms.http.requested.clone_from(&granted);
    scene.terms.http.granted = granted;
    scene
}

pub(super) fn rule(host: &str, port: u16) -> HttpRule {
    HttpRule {
        host: host.parse().unwrap(),
        schemes: vec![Scheme::Http],
        ports: vec![port],
        methods: vec!["GET".to_owned(), "POST".to_owned()],
        paths: vec![],
    }
}

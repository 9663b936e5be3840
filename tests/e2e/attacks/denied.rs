//! Requests that somebody denied, in forms in which they are something else.

use std::time::Duration;

use bailiwick_domain::authority::{HttpDeny, HttpRule};
use bailiwick_domain::sandbox::Outcome;
use serde_json::json;

use super::network::{allowed, rule};
use super::rogue::{self, Rogue};
use crate::host::Home;
use crate::sandbox::lab::failure;

// Everything is allowed but `/open/hidden` and what is below it.
cases! { hidden_path:
    path => "/open/hidden",
    path_below => "/open/hidden/page",
    path_encoded => "/open/%68idden",
    path_encoded_twice => "/open/%2568idden",
    path_in_other_letters => "/OPEN/Hidden",
    path_with_doubled_slashes => "//open//hidden",
    path_with_a_parameter => "/open;a=b/hidden;c",
    path_climbs => "/open/x/../hidden",
    path_climbs_encoded => "/open/x/%2e%2e/hidden",
    path_by_a_backslash => "/open\\hidden",
    path_by_an_encoded_slash => "/open%2fhidden",
    path_with_a_slash_behind => "/open/hidden/",
    path_with_a_query => "/open/hidden?page",
}

async fn hidden_path(case: &str, path: &str) {
    let server = Rogue::start(rogue::polite);
    let denied = HttpDeny { paths: vec!["/open/hidden".parse().unwrap()], ..HttpDeny::of("*".parse().unwrap()) };
    let target = format!("{} {path}", server.authority());
    let outcome = ask(vec![rule("127.0.0.1", server.port())], denied, "path", &target).await;
    let refusal = failure(&outcome);
    assert!(refusal == "HttpRequestDenied" || refusal == "path refused", "{case}: {refusal}");
    assert_eq!(server.connections(), 0);
}

// The host is denied, by a pattern that means it in another form than the request names it.
cases! { hidden_host:
    host => ("api.example.com", "api.example.com"),
    host_in_other_letters => ("api.example.com", "API.Example.COM"),
    host_with_a_dot_behind => ("api.example.com", "api.example.com."),
    host_below => ("*.example.com", "api.example.com"),
    host_two_labels_below => ("*.example.com", "a.b.example.com"),
    address => ("127.0.0.1", "127.0.0.1"),
    address_in_a_block => ("127.0.0.0/8", "127.9.8.7"),
    address_mapped => ("127.0.0.1", "[::ffff:127.0.0.1]"),
    address_mapped_in_a_block => ("127.0.0.0/8", "[::ffff:7f00:1]"),
    address_by_nat64 => ("127.0.0.1", "[64:ff9b::7f00:1]"),
    address_by_6to4_in_a_block => ("127.0.0.0/8", "[2002:7f00:1::1]"),
    address_as_it_was_written_once => ("127.0.0.1", "[::127.0.0.1]"),
    every_host => ("*", "api.example.com"),
}

async fn hidden_host(case: &str, (denied, host): (&str, &str)) {
    let named = host.trim_matches(['[', ']']);
    // What is granted names the host itself, so that nothing but the denial stops it.
    let granted = rule(named.trim_end_matches('.').to_ascii_lowercase().as_str(), 80);
    let outcome = ask(vec![granted], HttpDeny::of(denied.parse().unwrap()), "authority", host).await;
    refused_by_the_rule(&outcome, "HttpRequestDenied", case);
}

// Names whose address is denied, or that are written so that only who looks them up knows it.
cases! { hidden_address:
    address_of_a_name => "localhost",
    address_as_one_number => "2130706433",
    address_in_two_parts => "127.1",
}

async fn hidden_address(case: &str, host: &str) {
    let server = Rogue::start(rogue::polite);
    let granted = ["*", "localhost", "127.0.0.1", "::1"].map(|host| rule(host, server.port()));
    let denied = HttpDeny::of("127.0.0.0/8".parse().unwrap());
    let mut scene = allowed(granted.to_vec());
    scene.terms.http.denied = vec![denied, HttpDeny::of("::1".parse().unwrap())];
    let outcome = scene.attack("authority", &format!("{host}:{}", server.port())).await;
    refused_by_the_rule(&outcome, "DestinationIpProhibited", case);
    assert_eq!(server.connections(), 0);
}

// One part of a rule that denies is enough, and the others say nothing.
cases! { hidden_part:
    method => HttpDeny { methods: vec!["GET".to_owned()], ..any() },
    method_in_other_letters => HttpDeny { methods: vec!["get".to_owned()], ..any() },
    scheme => HttpDeny { schemes: vec![bailiwick_domain::authority::Scheme::Http], ..any() },
    port => HttpDeny { ports: vec![0], ..any() },
}

async fn hidden_part(case: &str, denied: HttpDeny) {
    let server = Rogue::start(rogue::polite);
    // A port is known when there is a server.
    let ports = denied.ports.iter().map(|_| server.port()).collect();
    let denied = HttpDeny { ports, ..denied };
    let granted = vec![rule("127.0.0.1", server.port())];
    let outcome = ask(granted, denied, "authority", &server.authority()).await;
    refused_by_the_rule(&outcome, "HttpRequestDenied", case);
    assert_eq!(server.connections(), 0);
}

/// Whoever denies is heard, whatever the two others say.
#[test]
fn by_the_manifest() {
    by(|port| format!("[[permissions.http_deny]]\nhost = \"127.0.0.1\"\nports = [{port}]\n"), |_| vec![], "");
}

#[test]
fn by_the_grant() {
    by(|_| String::new(), |port| vec!["--http-deny".to_owned(), format!("http://127.0.0.1:{port}")], "");
}

#[test]
fn by_the_host() {
    by(|_| String::new(), |_| vec![], "[skills]\nhttp_deny = [\"127.0.0.0/8\"]\n");
}

#[track_caller]
fn by(manifest: impl Fn(u16) -> String, grant: impl Fn(u16) -> Vec<String>, settings: &str) {
    let server = Rogue::start(rogue::polite);
    let home = Home::with(settings);
    let asked = "[[permissions.http]]\nhost = \"*\"\nschemes = [\"http\"]\nmethods = [\"GET\"]\n";
    home.guest("attacks-network", &format!("{asked}{}", manifest(server.port())));
    let (rule, denied) = (format!("GET http://{}", server.authority()), grant(server.port()));
    let options: Vec<&str> = ["--http", &rule].into_iter().chain(denied.iter().map(String::as_str)).collect();
    home.grant("tests/attacks-network", &options);
    let arguments = json!({ "name": "authority", "target": server.authority() });
    let problem = home.serve().execute("tests/attacks-network", "attack", &arguments).problem("tool-failed");
    assert_eq!(problem["failure"], "HttpRequestDenied", "{problem}");
    assert!(problem["receipt"]["denials"].to_string().contains("the deny rule"), "{problem}");
    assert_eq!(server.connections(), 0);
}

#[track_caller]
fn refused_by_the_rule(outcome: &Outcome, expected: &str, case: &str) {
    assert_eq!(failure(outcome), expected, "{case}");
    let [denial] = outcome.denials.as_slice() else { panic!("{:?}", outcome.denials) };
    assert!(denial.reason.contains("the deny rule"), "{denial:?}");
}

async fn ask(granted: Vec<HttpRule>, denied: HttpDeny, case: &str, target: &str) -> Outcome {
    let mut scene = allowed(granted).for_a(Duration::from_secs(10));
    scene.terms.http.denied = vec![denied];
    scene.attack(case, target).await
}

fn any() -> HttpDeny {
    HttpDeny::of("*".parse().unwrap())
}

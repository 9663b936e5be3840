//! Every route of the committed document, by callers who may not use it: they
//! are told so before anything has happened. A route that is new is tried like
//! the others without a word here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::host::{Home, Server};

/// Routes that anybody may use: probes, and the document itself.
const PUBLIC: &[&str] = &["/healthz", "/readyz", "/openapi.json"];

/// All scopes but this one are had by a key that lacks it.
const ADMIN: &str = "admin";

struct Route {
    method: String,
    path: String,
    scope: Option<String>,
    has_body: bool,
}

#[test]
fn every_route_refuses_who_has_no_key() {
    let home = home();
    let admin = home.key("admin", &[ADMIN]);
    let server = home.serve();
    let routes = guarded();
    let forged = forged(&admin);
    let admin = server.by(Some(&admin));
    let before = effects(&home, &admin);
    for token in [None, Some(forged.as_str()), Some("bwk_0123456789abcdef_0000000000000000000000000000000000000000000")]
    {
        let client = server.by(token);
        for route in &routes {
            let answer = route.ask(&client);
            // Whoever shows many bad keys has to wait, which is no less a refusal.
            let code = if answer.status == 429 { "too-many-attempts" } else { "unauthenticated" };
            let expected = if answer.status == 429 { 429 } else { 401 };
            assert_eq!(answer.status, expected, "{} {}: {}", route.method, route.path, answer.text());
            assert!(answer.status != 429 || token.is_some(), "no key is no bad key");
            if code == "unauthenticated" {
                answer.problem(code);
            }
        }
    }
    assert_eq!(effects(&home, &admin), before);
    expect_no_state(&server);
}

#[test]
fn every_route_refuses_who_lacks_its_scope() {
    let home = home();
    let routes = guarded();
    let scopes: BTreeSet<&str> = routes.iter().filter_map(|route| route.scope.as_deref()).collect();
    let lacking: BTreeMap<&str, String> = scopes
        .iter()
        .map(|lacked| {
            let others: Vec<&str> = ["skills:read", "skills:execute"]
                .into_iter()
                .chain(scopes.iter().copied())
                .filter(|scope| scope != lacked && *scope != ADMIN)
                .collect();
            (*lacked, home.key(&format!("lacks-{}", lacked.replace(':', "-")), &others))
        })
        .collect();
    // The keys are made before: a server that does not know them yet would take them for bad ones.
    let admin = home.key("admin", &[ADMIN]);
    let server = home.serve();
    let admin = server.by(Some(&admin));
    let before = effects(&home, &admin);
    for route in &routes {
        let scope = route.scope.as_deref().unwrap();
        let problem = route.ask(&server.by(Some(&lacking[scope]))).problem("forbidden-scope");
        assert_eq!(problem["status"], 403, "{} {}", route.method, route.path);
        assert!(problem["detail"].as_str().unwrap().contains(scope), "{problem}");
    }
    assert_eq!(effects(&home, &admin), before);
    expect_no_state(&server);
}

#[test]
fn every_route_says_who_may_use_it() {
    for route in routes() {
        let public = PUBLIC.contains(&route.path.as_str());
        assert_eq!(route.scope.is_none(), public, "{} {}", route.method, route.path);
    }
}

/// The token of a key that there is, with another secret.
fn forged(token: &str) -> String {
    let last = if token.ends_with('A') { "B" } else { "A" };
    format!("{}{last}", &token[..token.len() - 1])
}

impl Route {
    /// A request that would be good by a good key, as far as one can tell without knowing the route.
    fn ask(&self, client: &Client) -> Answer {
        let mut path = String::new();
        for part in self.path.split('/').skip(1) {
            let filled = match part {
                "{namespace}" => "tests",
                "{name}" => "keeper",
                part if part.starts_with('{') => "1",
                part => part,
            };
            path = format!("{path}/{filled}");
        }
        let body = json!({ "tool": "put", "arguments": { "key": "planted", "value": "x" } }).to_string();
        let headers = [("content-type", "application/json"), ("idempotency-key", "planted")];
        let (headers, body) = if self.has_body { (&headers[..], Some(body.as_bytes())) } else { (&[][..], None) };
        client.send(&self.method, &path, headers, body)
    }
}

fn home() -> Home {
    let home = Home::new();
    home.guest("keeper", "[permissions]\nstate = true\n").grant("tests/keeper", &["--state"]);
    home
}

/// What the host has: every list that it answers to an administrator, and its files.
fn effects(home: &Home, admin: &Client) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    // A stream has no end, and each export of the chain is signed anew.
    let lasting = |path: &str| !path.contains('{') && !path.ends_with("/events") && path != "/v1/audit/export";
    for route in routes().iter().filter(|route| route.method == "GET" && lasting(&route.path)) {
        let answer = admin.get(&route.path);
        // A route that must be asked for something answers something else.
        if answer.status == 200 {
            found.insert(route.path.clone(), answer.text());
        }
    }
    files(&home.path(""), &mut found);
    found
}

/// No tool ran: it would have left a key.
#[track_caller]
fn expect_no_state(server: &Server) {
    assert_eq!(server.execute("tests/keeper", "keys", &json!({})).output(), json!([]));
}

/// The files but for the journal, whose pages move for reasons of its own.
fn files(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() && path.extension().is_none_or(|extension| extension != "redb") {
            let content = fs::read(&path).unwrap();
            found.insert(path.display().to_string(), format!("{} bytes: {content:?}", content.len()));
        }
    }
}

fn guarded() -> Vec<Route> {
    let found: Vec<Route> = routes().into_iter().filter(|route| route.scope.is_some()).collect();
    assert!(found.len() >= 3);
    found
}

fn routes() -> Vec<Route> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/openapi.json");
    let document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let scope = operation["security"][0]["key"][0].as_str().map(str::to_owned);
            let has_body = operation["requestBody"].is_object();
            routes.push(Route { method: method.to_uppercase(), path: path.clone(), scope, has_body });
        }
    }
    routes
}

//! Who is let in: every route, without a key, with bad ones, and with one that lacks the scope.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN};
use bailiwick_api::Peer;
use bailiwick_api::auth::{NewKey, Scope};
use bailiwick_api::problem::Kind;

use crate::host::{Answer, TestHost, openapi_json, request};

/// Routes that anybody may use. A route that is not named here needs a key.
const PUBLIC: [&str; 3] = ["/healthz", "/readyz", "/openapi.json"];

struct Route {
    method: String,
    path: String,
    scope: Option<String>,
}

impl Route {
    /// A request that would be good with a good key.
    fn request(&self, token: Option<&str>) -> Request<Body> {
        let path = self.path.replace("{namespace}", "acme").replace("{name}", "echo");
        let mut request = request(&self.method, &path).header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = if self.method == "POST" { r#"{"tool":"say","arguments":{"text":"hi"}}"# } else { "" };
        request.body(Body::from(body)).expect("request")
    }

    fn is_public(&self) -> bool {
        PUBLIC.contains(&self.path.as_str())
    }
}

/// Every route, from the document that is made of the routes themselves.
fn routes() -> Vec<Route> {
    let document = openapi_json();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let scope = operation["security"][0]["key"][0].as_str().map(str::to_owned);
            routes.push(Route { method: method.to_uppercase(), path: path.clone(), scope });
        }
    }
    assert!(routes.len() >= 6);
    routes
}

/// Asks until the answer has this status. The host follows its key file within a
/// second; a machine that is busy gets more.
async fn until(status: u16, ask: &impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..100 {
        let answer = ask().await;
        if answer.status == status {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the answer never had the status {status}");
}

#[tokio::test]
async fn every_route_needs_a_key_unless_it_is_known_to_be_public() {
    let host = TestHost::new();
    for route in routes() {
        assert_eq!(route.scope.is_none(), route.is_public(), "{}", route.path);
        let answer = host.send(route.request(None)).await;
        if route.is_public() {
            answer.json();
        } else {
            answer.problem(Kind::UNAUTHENTICATED);
        }
    }
}

#[tokio::test]
async fn every_route_needs_the_scope_that_it_says() {
    for route in routes() {
        // Some routes change what others then answer.
        let host = TestHost::new();
        let Some(scope) = &route.scope else { continue };
        let (good, bad) = match scope.parse().expect("a scope") {
            Scope::SkillsRead => ("reader", "executor"),
            Scope::SkillsExecute => ("executor", "reader"),
            Scope::ApprovalsAnswer => ("approver", "both"),
            Scope::RunsRead => ("watcher", "submitter"),
            Scope::RunsSubmit => ("submitter", "watcher"),
            Scope::AuditRead => ("auditor", "both"),
            Scope::Admin => ("admin", "both"),
        };
        let problem = host.send(route.request(Some(host.token(bad)))).await.problem(Kind::FORBIDDEN_SCOPE);
        assert!(problem.detail.contains(scope.as_str()), "{}", problem.detail);
        // A stream has no end to wait for.
        if route.path.ends_with("/events") {
            continue;
        }
        for good in [good, "admin"] {
            // What the route then makes of an empty request is its own affair.
            let status = host.send(route.request(Some(host.token(good)))).await.status;
            assert!(status != 401 && status != 403, "{} {}: {status}", route.method, route.path);
        }
    }
}

#[tokio::test]
async fn every_route_refuses_other_names_and_pages_from_elsewhere() {
    let strange = Route { method: "GET".into(), path: "/nowhere".into(), scope: None };
    for route in routes().iter().chain([&strange]) {
        // Some routes change what others then answer.
        let host = TestHost::new();
        let good = || route.request(Some(host.token("admin")));
        let mut rebound = good();
        rebound.headers_mut().insert(HOST, "evil.example:7777".parse().expect("header"));
        host.send(rebound).await.problem(Kind::WRONG_HOST);
        let mut nameless = good();
        nameless.headers_mut().remove(HOST);
        host.send(nameless).await.problem(Kind::WRONG_HOST);
        let mut foreign = good();
        foreign.headers_mut().insert(ORIGIN, "https://evil.example".parse().expect("header"));
        host.send(foreign).await.problem(Kind::WRONG_ORIGIN);
        // A stream has no end to wait for.
        if route.path.ends_with("/events") {
            continue;
        }
        let mut own = good();
        own.headers_mut().insert(ORIGIN, "http://localhost:7777".parse().expect("header"));
        assert_ne!(host.send(own).await.status, 403);
    }
}

#[tokio::test]
async fn bad_keys_are_refused_and_many_of_them_have_to_wait() {
    let host = TestHost::new();
    let list = |value: String| {
        let request = request("GET", "/v1/skills").header(AUTHORIZATION, value);
        host.send(request.body(Body::empty()).expect("request"))
    };
    let good = host.token("reader").to_owned();
    let (head, _) = good.rsplit_once('_').expect("form");
    let wrong_secret = format!("Bearer {head}_{}", "A".repeat(43));
    let bad = [
        wrong_secret.clone(),
        format!("Bearer {good}x"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {good}"),
        good.clone(),
    ];
    for value in bad {
        list(value).await.problem(Kind::UNAUTHENTICATED);
    }
    for _ in 0..4 {
        list(wrong_secret.clone()).await.problem(Kind::UNAUTHENTICATED);
    }
    let problem = list(wrong_secret.clone()).await.problem(Kind::TOO_MANY_ATTEMPTS);
    assert!(problem.retry_after_ms.is_some_and(|wait| wait <= 60_000));
    list(format!("Bearer {good}")).await.json();
    host.clock.advance(Duration::from_secs(61));
    list(wrong_secret).await.problem(Kind::UNAUTHENTICATED);
}

#[tokio::test]
async fn two_keys_in_one_request_are_none() {
    let host = TestHost::new();
    let request = host.request("GET", "/v1/skills", "reader");
    let request = request.header(AUTHORIZATION, format!("Bearer {}", host.token("admin")));
    host.send(request.body(Body::empty()).expect("request")).await.problem(Kind::UNAUTHENTICATED);
}

#[tokio::test]
async fn keys_end_are_made_and_are_revoked_while_the_host_runs() {
    let host = TestHost::new();
    let now = bailiwick_domain::clock::Clock::now(&*host.clock);
    let new = NewKey {
        name: "late".to_owned(),
        scopes: [Scope::SkillsRead].into(),
        expires_at: Some(now + Duration::from_hours(1)),
    };
    let key = host.keys.create(new, now).expect("created");
    let list = async || {
        let request = request("GET", "/v1/skills").header(AUTHORIZATION, format!("Bearer {}", key.token));
        host.send(request.body(Body::empty()).expect("request")).await
    };
    until(200, &list).await.json();
    host.clock.advance(Duration::from_hours(1));
    assert!(list().await.problem(Kind::UNAUTHENTICATED).detail.contains("expired"));
    host.get("/v1/skills").await.json();
    host.keys.revoke("both").expect("revoked");
    until(401, &async || host.get("/v1/skills").await).await.problem(Kind::UNAUTHENTICATED);
}

#[tokio::test]
async fn a_key_file_that_is_broken_lets_nobody_in_until_it_is_repaired() {
    let host = TestHost::new();
    let good = std::fs::read(host.keys.path()).expect("file");
    std::fs::write(host.keys.path(), "[[keys]]\nid = 7\n").expect("written");
    until(503, &async || host.get("/v1/skills").await).await.problem(Kind::KEYS_UNAVAILABLE);
    host.get("/readyz").await.problem(Kind::KEYS_UNAVAILABLE);
    host.get("/healthz").await.json();
    std::fs::write(host.keys.path(), good).expect("written");
    until(200, &async || host.get("/v1/skills").await).await.json();
}

#[tokio::test]
async fn no_key_file_means_no_keys() {
    let host = TestHost::new();
    std::fs::remove_file(host.keys.path()).expect("removed");
    until(401, &async || host.get("/v1/skills").await).await.problem(Kind::UNAUTHENTICATED);
}

#[tokio::test]
async fn only_this_very_machine_can_go_without_a_key_and_only_if_told() {
    let list = |peer: &str, headers: &[(&'static str, &str)]| {
        let mut request = Request::builder().uri("/v1/skills").header(HOST, "localhost:7777");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.extension(Peer(peer.parse().expect("address"))).body(Body::empty()).expect("request")
    };
    let closed = TestHost::new();
    closed.send(list("127.0.0.1:5", &[])).await.problem(Kind::UNAUTHENTICATED);
    let open = TestHost::with(|options| options.allow_unauthenticated_loopback = true);
    for peer in ["127.0.0.1:5", "127.8.8.8:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
        open.send(list(peer, &[])).await.json();
    }
    for peer in ["192.0.2.7:5", "[2001:db8::1]:5", "10.0.0.1:5"] {
        open.send(list(peer, &[])).await.problem(Kind::UNAUTHENTICATED);
    }
    for header in ["forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-real-ip"] {
        open.send(list("127.0.0.1:5", &[(header, "x")])).await.problem(Kind::UNAUTHENTICATED);
    }
    // Who shows a key is judged by it.
    open.send(list("127.0.0.1:5", &[("authorization", "Bearer nonsense")])).await.problem(Kind::UNAUTHENTICATED);
    let unknown_peer = Request::builder().uri("/v1/skills").header(HOST, "localhost:7777").body(Body::empty());
    open.send(unknown_peer.expect("request")).await.problem(Kind::UNAUTHENTICATED);
}

//! What a permit gives and what it doesn't, by real skills.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use bailiwick_domain::authority::{Access, FsMount, HttpDeny, HttpRule, Scheme};
use bailiwick_domain::permit::Terms;
use bailiwick_domain::quota::{Quota, StateQuota};
use serde_json::json;

use super::lab::{Lab, error, failure, nothing, success};
use crate::web::Web;

fn mounted(terms: &mut Terms, root: &str, host: &Path, access: Access) {
    let (root, host) = (root.parse().unwrap(), host.canonicalize().unwrap());
    terms.fs.push(FsMount { root, host, access, quota: Quota::default() });
}

fn rule(host: &str, port: u16) -> HttpRule {
    HttpRule {
        host: host.parse().unwrap(),
        schemes: vec![Scheme::Http],
        ports: vec![port],
        methods: vec!["GET".to_owned()],
        paths: vec![],
    }
}

#[tokio::test]
async fn a_granted_folder_is_read_and_nothing_beside_it() {
    let lab = Lab::new();
    let guest = lab.skill("files");
    let (inside, beside) = (lab.folder.path().join("docs"), lab.folder.path().join("private"));
    fs::create_dir(&inside).unwrap();
    fs::create_dir(&beside).unwrap();
    fs::write(inside.join("a.txt"), "hello").unwrap();
    fs::write(beside.join("secret.txt"), "secret").unwrap();
    symlink(&beside, inside.join("link")).unwrap();
    symlink(beside.join("secret.txt"), inside.join("file-link")).unwrap();
    let mut terms = nothing(&guest);
    mounted(&mut terms, "/work", &inside, Access::Read);
    let outcome = lab.call(&terms, &guest, "read", &json!({ "path": "/work/a.txt" })).await;
    assert!(success(outcome).to_string().contains("hello"));
    let absolute = beside.join("secret.txt").to_string_lossy().into_owned();
    for path in [
        "/work/../private/secret.txt",
        "/work/link/secret.txt",
        "/work/link/../private/secret.txt",
        "/work/file-link",
        absolute.as_str(),
        "/etc/passwd",
        "/proc/self/environ",
    ] {
        let outcome = lab.call(&terms, &guest, "read", &json!({ "path": path })).await;
        let answer = failure(&outcome).to_string();
        assert!(!answer.contains("\"secret\""), "{path}: {answer}");
        // `..` is resolved before the link is met, so that this path means a file that is not there.
        let expected = if path.contains("link/..") { "not-found" } else { "denied" };
        assert!(answer.contains(expected), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_read_only_folder_is_not_written() {
    let lab = Lab::new();
    let guest = lab.skill("files");
    let write = json!({ "path": "/work/new.txt", "content": "x" });
    let mut terms = nothing(&guest);
    mounted(&mut terms, "/work", lab.folder.path(), Access::Read);
    let outcome = lab.call(&terms, &guest, "write", &write).await;
    assert!(failure(&outcome).to_string().contains("denied"), "{:?}", outcome.result);
    assert!(!lab.folder.path().join("new.txt").exists());
    terms.fs[0].access = Access::ReadWrite;
    success(lab.call(&terms, &guest, "write", &write).await);
    assert_eq!(fs::read_to_string(lab.folder.path().join("new.txt")).unwrap(), "x");
}

#[tokio::test]
async fn a_symlink_in_place_of_a_granted_folder_is_refused() {
    let lab = Lab::new();
    let guest = lab.skill("files");
    let (granted, other) = (lab.folder.path().join("granted"), lab.folder.path().join("other"));
    fs::create_dir(&granted).unwrap();
    fs::create_dir(&other).unwrap();
    let mut terms = nothing(&guest);
    mounted(&mut terms, "/work", &granted, Access::Read);
    fs::remove_dir(&granted).unwrap();
    symlink(&other, &granted).unwrap();
    let outcome = lab.call(&terms, &guest, "list", &json!({ "path": "/work" })).await;
    assert_eq!(error(outcome).code(), "mount-failed");
}

#[tokio::test]
async fn a_host_that_is_not_granted_is_denied_before_anything_is_sent() {
    let lab = Lab::new();
    let guest = lab.skill("http-fetch");
    let web = Web::start(&[("/page", 200, "text/plain", "hello")]);
    let arguments = json!({ "url": web.url("/page") });
    let outcome = lab.call(&nothing(&guest), &guest, "fetch", &arguments).await;
    assert!(failure(&outcome).to_string().contains("denied"));
    assert_eq!(outcome.denials.len(), 1);
    assert_eq!(outcome.denials[0].capability, "http");
    assert_eq!(web.requests(), 0);
    // The port, the method and both sides of the agreement count.
    let mut terms = nothing(&guest);
    terms.http.requested = vec![rule("*", web.port())];
    terms.http.granted = vec![rule("127.0.0.1", web.port() ^ 1)];
    assert!(failure(&lab.call(&terms, &guest, "fetch", &arguments).await).to_string().contains("denied"));
    terms.http.granted = vec![rule("127.0.0.1", web.port())];
    terms.http.requested = vec![];
    assert!(failure(&lab.call(&terms, &guest, "fetch", &arguments).await).to_string().contains("denied"));
    assert_eq!(web.requests(), 0);
    terms.http.requested = vec![rule("*", web.port())];
    let outcome = lab.call(&terms, &guest, "fetch", &arguments).await;
    assert!(outcome.usage.http_received_bytes >= 5 && outcome.usage.host_calls == 1, "{:?}", outcome.usage);
    assert!(success(outcome).to_string().contains("hello"));
    assert_eq!(web.requests(), 1);
}

#[tokio::test]
async fn a_private_address_needs_a_rule_that_names_it() {
    let lab = Lab::new();
    let guest = lab.skill("http-fetch");
    let web = Web::start(&[("/page", 200, "text/plain", "hello")]);
    let mut terms = nothing(&guest);
    for host in ["*", "localhost"] {
        terms.http.requested = vec![rule("*", web.port())];
        terms.http.granted = vec![rule(host, web.port())];
        for name in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let url = format!("http://{name}:{}/page", web.port());
            let outcome = lab.call(&terms, &guest, "fetch", &json!({ "url": url })).await;
            failure(&outcome);
            assert_eq!(outcome.denials.len(), 1, "{name} by {host}: {:?}", outcome.denials);
        }
    }
    assert_eq!(web.requests(), 0);
}

fn deny(host: &str) -> HttpDeny {
    HttpDeny::of(host.parse().unwrap())
}

/// Terms under which everything is granted at the port of `web`.
fn open(guest: &bailiwick_domain::component::Inspection, web: &Web) -> Terms {
    let mut terms = nothing(guest);
    terms.http.requested = vec![rule("*", web.port())];
    terms.http.granted = vec![rule("*", web.port()), rule("127.0.0.0/8", web.port())];
    terms
}

#[tokio::test]
async fn a_block_of_the_grant_names_its_private_addresses() {
    let lab = Lab::new();
    let guest = lab.skill("http-fetch");
    let web = Web::start(&[("/page", 200, "text/plain", "hello")]);
    let arguments = |host: &str| json!({ "url": format!("http://{host}:{}/page", web.port()) });
    let mut terms = open(&guest, &web);
    // Also by a name that leads there, if requests to that name are granted too.
    for host in ["127.0.0.1", "localhost"] {
        success(lab.call(&terms, &guest, "fetch", &arguments(host)).await);
    }
    assert_eq!(web.requests(), 2);
    for granted in [
        vec![rule("*", web.port()), rule("10.0.0.0/8", web.port())],
        vec![rule("*", web.port()), rule("0.0.0.0/0", web.port())],
        vec![rule("*", web.port()), rule("127.0.0.0/8", web.port() ^ 1)],
    ] {
        terms.http.granted = granted;
        let outcome = lab.call(&terms, &guest, "fetch", &arguments("localhost")).await;
        failure(&outcome);
        assert!(outcome.denials[0].reason.contains("not a public one"), "{:?}", outcome.denials);
    }
    assert_eq!(web.requests(), 2);
}

#[tokio::test]
async fn a_deny_rule_wins_over_every_grant() {
    let lab = Lab::new();
    let guest = lab.skill("http-fetch");
    let web = Web::start(&[("/page", 200, "text/plain", "hello"), ("/admin/keys", 200, "text/plain", "keys")]);
    let mut terms = open(&guest, &web);
    for (denied, host, path) in [
        (deny("127.0.0.1"), "127.0.0.1", "/page"),
        // By the address that a name is found at, and in the form of another family.
        (deny("127.0.0.0/8"), "localhost", "/page"),
        (deny("127.0.0.0/8"), "[::ffff:127.0.0.1]", "/page"),
        (deny("localhost"), "LocalHost", "/page"),
        (HttpDeny { ports: vec![web.port()], ..deny("*") }, "127.0.0.1", "/page"),
        (HttpDeny { schemes: vec![Scheme::Http], ..deny("*") }, "127.0.0.1", "/page"),
        (HttpDeny { methods: vec!["GET".into()], ..deny("*") }, "127.0.0.1", "/page"),
        (HttpDeny { paths: vec!["/admin".parse().unwrap()], ..deny("*") }, "127.0.0.1", "/%61dmin//keys"),
        (HttpDeny { paths: vec!["/*/keys".parse().unwrap()], ..deny("*") }, "127.0.0.1", "/admin/keys"),
    ] {
        terms.http.denied = vec![deny("elsewhere.example.com"), denied.clone()];
        let url = format!("http://{host}:{}{path}", web.port());
        let outcome = lab.call(&terms, &guest, "fetch", &json!({ "url": url })).await;
        assert!(failure(&outcome).to_string().contains("denied"), "{denied}: {:?}", outcome.result);
        let [denial] = outcome.denials.as_slice() else { panic!("{denied}: {:?}", outcome.denials) };
        assert_eq!((denial.capability, &denial.reason), ("http", &format!("the deny rule `{denied}` forbids it")));
    }
    assert_eq!(web.requests(), 0);
    terms.http.denied = vec![HttpDeny { paths: vec!["/admin".parse().unwrap()], ..deny("*") }, deny("10.0.0.0/8")];
    success(lab.call(&terms, &guest, "fetch", &json!({ "url": web.url("/page") })).await);
    assert_eq!(web.requests(), 1);
}

#[tokio::test]
async fn a_path_is_one_that_the_grant_means() {
    let lab = Lab::new();
    let guest = lab.skill("http-fetch");
    let web = Web::start(&[("/v1/7/items", 200, "text/plain", "hello")]);
    let mut terms = open(&guest, &web);
    let fetch = |path: &str| json!({ "url": web.url(path) });
    for paths in [["/v2"], ["/v1/*"], ["/v1/*/item"], ["/v1/7/items/*"], ["/*/items"]] {
        for rule in &mut terms.http.granted {
            rule.paths = paths.iter().map(|path| path.parse().unwrap()).collect();
        }
        let outcome = lab.call(&terms, &guest, "fetch", &fetch("/v1/7/items")).await;
        failure(&outcome);
        assert_eq!(outcome.denials.len(), 1, "{paths:?}");
    }
    assert_eq!(web.requests(), 0);
    for (count, paths) in [["/v1"], ["/v1/*/items"], ["/**/items"], ["/v1/**"]].into_iter().enumerate() {
        for rule in &mut terms.http.granted {
            rule.paths = paths.iter().map(|path| path.parse().unwrap()).collect();
        }
        success(lab.call(&terms, &guest, "fetch", &fetch("/v1/7/items")).await);
        assert_eq!(web.requests(), count + 1, "{paths:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_what_is_denied_is_not_followed() {
    let lab = Lab::new();
    let guest = lab.skill("http-fetch");
    let web = Web::start(&[("/go", 302, "/admin/keys", ""), ("/admin/keys", 200, "text/plain", "keys")]);
    let mut terms = open(&guest, &web);
    let arguments = json!({ "url": web.url("/go"), "follow-redirects": 3 });
    success(lab.call(&terms, &guest, "fetch", &arguments).await);
    assert_eq!(web.requests(), 2);
    terms.http.denied = vec![HttpDeny { paths: vec!["/admin/**".parse().unwrap()], ..deny("127.0.0.1") }];
    let outcome = lab.call(&terms, &guest, "fetch", &arguments).await;
    assert!(failure(&outcome).to_string().contains("denied"), "{:?}", outcome.result);
    assert_eq!((outcome.denials.len(), web.requests()), (1, 3));
}

#[tokio::test]
async fn a_redirect_is_checked_like_a_request() {
    let lab = Lab::new();
    let guest = lab.skill("http-fetch");
    let hidden = Web::start(&[("/", 200, "text/plain", "hidden")]);
    let open = Web::start(&[("/go", 302, &hidden.url("/"), "")]);
    let mut terms = nothing(&guest);
    terms.http.requested = vec![rule("127.0.0.1", open.port())];
    terms.http.granted = terms.http.requested.clone();
    let arguments = json!({ "url": open.url("/go"), "follow-redirects": 3 });
    let outcome = lab.call(&terms, &guest, "fetch", &arguments).await;
    assert!(failure(&outcome).to_string().contains("denied"), "{:?}", outcome.result);
    assert_eq!((open.requests(), hidden.requests()), (1, 0));
}

#[tokio::test]
async fn state_is_durable_apart_and_only_where_granted() {
    let lab = Lab::new();
    let guest = lab.guest("keeper");
    let mut terms = nothing(&guest);
    let put = json!({ "key": "colour", "value": "blue" });
    let outcome = lab.call(&terms, &guest, "put", &put).await;
    failure(&outcome);
    assert_eq!(outcome.denials[0].capability, "state");
    terms.state = Some(StateQuota::MOST);
    success(lab.call(&terms, &guest, "put", &put).await);
    assert_eq!(success(lab.call(&terms, &guest, "get", &json!({ "key": "colour" })).await), json!("blue"));
    for expected in [5, 10] {
        let added = success(lab.call(&terms, &guest, "add", &json!({ "key": "n", "delta": 5 })).await);
        assert_eq!(added, json!(expected));
    }
    assert_eq!(success(lab.call(&terms, &guest, "keys", &json!({})).await), json!(["colour", "n"]));
    terms.skill = "tests/another".parse().unwrap();
    assert_eq!(success(lab.call(&terms, &guest, "keys", &json!({})).await), json!([]));
}

#[tokio::test]
async fn only_granted_configuration_is_seen() {
    let lab = Lab::new();
    let guest = lab.guest("keeper");
    let mut terms = nothing(&guest);
    terms.config = [("units".to_owned(), "metric".to_owned())].into();
    assert_eq!(success(lab.call(&terms, &guest, "setting", &json!({ "key": "units" })).await), json!("metric"));
    assert_eq!(success(lab.call(&terms, &guest, "setting", &json!({ "key": "other" })).await), json!(null));
}

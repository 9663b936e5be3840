//! Installing on a running server, over REST and by its commands.

use serde_json::json;

use super::{Author, Registry, Source, install, publish, records};
use crate::host::Home;

#[test]
fn a_running_server_has_what_was_installed_before_it_answers() {
    let Some(registry) = Registry::start() else { return };
    let author = Author::new();
    let place = registry.place("acme/hello:1.0.0");
    let published = publish(&Source::hello(), &place, Some(&author));
    let home = Home::with(&author.trusted("acme", &["acme"]));
    let admin = home.key("admin", &["admin"]);
    let server = home.serve();
    let admin = server.by(Some(&admin));
    assert_eq!(admin.get("/v1/packages").ok(), json!({ "packages": [] }));
    let done = admin.post("/v1/packages", &json!({ "source": place })).ok();
    assert_eq!(done["installed"][0]["manifest"], published["manifest"]);
    // Known at once, and granted nothing.
    assert_eq!(server.get("/v1/skills/acme/hello").ok()["version"], "1.0.0");
    server.execute("acme/hello", "echo", &json!({ "text": "hi" })).problem("not-granted");
    home.grant("acme/hello", &[]);
    assert_eq!(server.execute("acme/hello", "echo", &json!({ "text": "hi" })).output(), "hi");
    let again = admin.post("/v1/packages", &json!({ "source": place })).ok();
    assert_eq!(again["unchanged"][0]["skill"], "acme/hello");
    let listed = admin.get("/v1/packages").ok();
    assert_eq!((&listed["packages"][0]["intact"], &listed["packages"][0]["signed_by"]), (&json!(true), &json!("acme")));
    // The command asks the same server.
    assert!(install(&home, &[]).expect(0).stdout.contains("is installed already"));
    let gone = admin.send("DELETE", "/v1/packages/acme/hello@1.0.0", &[], None).ok();
    assert_eq!(gone, json!({ "removed": [{ "skill": "acme/hello", "version": "1.0.0" }] }));
    server.get("/v1/skills/acme/hello").problem("unknown-skill");
    let record = records(&home, "package-installed").remove(0);
    assert_eq!(record["principal"], "key:admin");
    assert_eq!(record["trace_id"].as_str().unwrap().len(), 32);
    home.run(&["audit", "verify"]).expect(0);
}

#[test]
fn every_error_has_its_code() {
    let home = Home::new();
    let admin = home.key("admin", &["admin"]);
    let server = home.serve();
    let admin = server.by(Some(&admin));
    let post = |body: serde_json::Value| admin.post("/v1/packages", &body);
    let source = Source::hello();
    post(json!({ "source": source.path() })).problem("package-refused");
    post(json!({ "source": "oci://nowhere" })).problem("invalid-request");
    post(json!({ "source": source.path(), "digest": "sha256:1" })).problem("invalid-request");
    post(json!({ "digest": format!("sha256:{}", "0".repeat(64)) })).problem("invalid-request");
    post(json!({ "sauce": "x" })).problem("invalid-request");
    post(json!({ "credentials": { "username": "a" } })).problem("invalid-request");
    post(json!({ "source": home.path("nowhere"), "allow_unsigned": true })).problem("source-unavailable");
    let empty = home.write("x.tar", "no tar");
    post(json!({ "source": empty, "allow_unsigned": true })).problem("invalid-package");
    post(json!({ "source": source.path(), "allow_unsigned": true })).ok();
    let other = Source::hello().with("more", "");
    post(json!({ "source": other.path(), "allow_unsigned": true })).problem("package-conflict");
    admin.send("DELETE", "/v1/packages/acme/other", &[], None).problem("unknown-package");
    admin.send("DELETE", "/v1/packages/acme/hello@1", &[], None).problem("invalid-version");
    admin.send("DELETE", "/v1/packages/acme", &[], None).problem("unknown-route");
    home.write("bailiwick.lock", "version = 9\n");
    let problem = post(json!({ "source": source.path(), "allow_unsigned": true })).problem("lock-unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("its form is 9"), "{problem}");
    admin.get("/v1/packages").problem("lock-unavailable");
}

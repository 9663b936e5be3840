//! Where secrets go, and what comes back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::echo::Echo;
use super::{SECRET, assert_clean, denials, granted, home, put, send};
use crate::host::eventually;

#[test]
fn a_secret_reaches_its_destination_and_nothing_of_it_comes_back() {
    let (home, web, other) = (home(), Echo::start(), Echo::start());
    granted(&home, &web, &other);
    let server = home.serve();
    for (count, path) in ["/", "/forms", "/head", "/drip", "/length"].into_iter().enumerate() {
        let answer = send(&server, &web.url(path), "Bearer {{secret:token}}");
        let output = answer.output();
        assert_clean(&answer.text());
        assert!(output.to_string().contains("[secret token]"), "{path}: {output}");
        // It would tell how long the secret is.
        assert!(!output["headers"].to_string().contains("content-length"), "{path}: {output}");
        let sent = web.requests()[count].clone();
        assert!(sent.contains(&format!("authorization: Bearer {SECRET}\r\n")), "{path}: {sent}");
        assert!(sent.contains("accept-encoding: identity"), "{path}: {sent}");
    }
    // What the guest itself saw, in a form in which no host would find a secret.
    for path in ["/", "/forms", "/head", "/drip", "/length"] {
        let headers = json!([{ "name": "authorization", "value": "Bearer {{secret:token}}" }]);
        let answer = server.execute("tests/courier", "spy", &json!({ "url": web.url(path), "headers": headers }));
        let seen: String = answer.output().as_str().unwrap().chars().rev().collect();
        assert_clean(&seen);
        assert!(seen.contains("[secret token]"), "{path}: {seen}");
    }
    assert_clean(&server.log());
}

#[test]
fn a_password_may_stand_in_an_encoded_pair() {
    let (home, web, other) = (home(), Echo::start(), Echo::start());
    granted(&home, &web, &other);
    let server = home.serve();
    let pair = |password: &str| format!("Basic {}", STANDARD.encode(format!("user:{password}")));
    let answer = send(&server, &web.url("/"), &pair("{{secret:token}}"));
    assert!(web.requests()[0].contains(&pair(SECRET)), "{:?}", web.requests());
    assert_clean(&answer.text());
    assert!(answer.output()["body"].as_str().unwrap().contains("[secret token]"), "{}", answer.text());
}

#[test]
fn another_destination_gets_neither_the_secret_nor_the_request() {
    let (home, web, other) = (home(), Echo::start(), Echo::start());
    granted(&home, &web, &other);
    let server = home.serve();
    for (value, says) in [
        ("Bearer {{secret:token}}", "granted for other destinations"),
        ("{{secret:other}}", "not granted"),
        ("{{secret:token", "expected `{{secret:NAME}}`"),
    ] {
        let problem = send(&server, &other.url("/"), value).problem("tool-failed");
        assert_eq!(denials(&problem).len(), 1, "{problem}");
        let (capability, reason) = denials(&problem).remove(0);
        assert!(capability == "secret" && reason.contains(says), "{value}: {problem}");
    }
    assert_eq!(other.requests(), Vec::<String>::new());
    // The request itself is allowed, and names go to the other server in vain.
    send(&server, &other.url("/"), "Bearer token").output();
    assert_eq!(other.requests().len(), 1);
    // Neither does the host's own name for the same address count.
    let named = web.url("/").replace("127.0.0.1", "localhost");
    send(&server, &named, "Bearer {{secret:token}}").problem("tool-failed");
    assert_eq!(web.requests(), Vec::<String>::new());
}

/// What is sent in plain text may go to an address of the host's own network, and not
/// to a name, which somebody else might answer for.
#[test]
fn a_destination_that_is_a_name_gets_no_secret_in_plain_text() {
    let (home, web) = (home(), Echo::start());
    let named = web.address().replace("127.0.0.1", "localhost");
    let (rule, secret) = (format!("GET,POST http://{named}"), format!("token={named}"));
    home.grant("tests/courier", &["--http", &rule, "--http", &web.rule(), "--secret", &secret]);
    let server = home.serve();
    let url = web.url("/").replace("127.0.0.1", "localhost");
    let problem = send(&server, &url, "Bearer {{secret:token}}").problem("tool-failed");
    assert!(denials(&problem)[0].1.contains("granted for other destinations"), "{problem}");
    assert_eq!(web.requests(), Vec::<String>::new());
}

/// A secret for an address is not for a name that leads there.
#[test]
fn a_name_for_the_same_address_gets_no_secret() {
    let (home, web) = (home(), Echo::start());
    let rule = format!("GET,POST http://{}", web.address().replace("127.0.0.1", "localhost"));
    let secret = format!("token={}", web.address());
    home.grant("tests/courier", &["--http", &rule, "--http", &web.rule(), "--secret", &secret]);
    let server = home.serve();
    let url = web.url("/").replace("127.0.0.1", "localhost");
    let problem = send(&server, &url, "Bearer {{secret:token}}").problem("tool-failed");
    assert!(denials(&problem)[0].1.contains("granted for other destinations"), "{problem}");
    assert_eq!(web.requests(), Vec::<String>::new());
}

#[test]
fn a_skill_whose_manifest_or_grant_lacks_the_secret_has_none() {
    let (home, web) = (home(), Echo::start());
    home.grant("tests/courier", &["--http", &web.rule()]);
    let server = home.serve();
    let problem = send(&server, &web.url("/"), "Bearer {{secret:token}}").problem("tool-failed");
    assert_eq!(denials(&problem), [("secret".to_owned(), "it is not granted".to_owned())]);
    assert_eq!(web.requests(), Vec::<String>::new());
    home.guest("courier", "[[permissions.http]]\nhost = \"*\"\nschemes = [\"http\"]\nmethods = [\"GET\"]\n");
    let secret = format!("token={}", web.address());
    let add = || home.run(&["grant", "add", "tests/courier", "--secret", &secret]);
    // The server reads the new manifest in its own time.
    let ran = eventually("the manifest is read", || Some(add()).filter(|ran| ran.code == 2));
    assert!(ran.stderr.contains("doesn't name `token`"), "{}", ran.stderr);
}

#[test]
fn a_placeholder_elsewhere_than_in_a_value_is_no_secret() {
    let (home, web, other) = (home(), Echo::start(), Echo::start());
    granted(&home, &web, &other);
    let server = home.serve();
    let arguments = json!({
        "url": web.url("/path?key={{secret:token}}"),
        "headers": [{ "name": "x-plain", "value": "value" }],
        "body": "{{secret:token}}",
    });
    server.execute("tests/courier", "send", &arguments).output();
    let sent = web.requests().remove(0);
    assert!(sent.contains("/path?key={{secret:token}}") && sent.ends_with("{{secret:token}}"), "{sent}");
    assert_clean(&sent);
    let odd = json!({ "url": web.url("/"), "headers": [{ "name": "{{secret:token}}", "value": "x" }] });
    server.execute("tests/courier", "send", &odd).problem("tool-failed");
    assert_eq!(web.requests().len(), 1);
}

#[test]
fn a_redirect_takes_no_secret_along() {
    let (home, web, other) = (home(), Echo::start(), Echo::start());
    granted(&home, &web, &other);
    let server = home.serve();
    // The host follows none, so that the guest sees where it leads.
    let output = send(&server, &web.url(&format!("/to/{}", other.address())), "Bearer {{secret:token}}").output();
    assert!(output["headers"].to_string().contains(&other.address()), "{output}");
    assert_eq!(other.requests(), Vec::<String>::new());
    // Who follows it makes a new request, which is judged like the first.
    let problem = send(&server, &other.url("/"), "Bearer {{secret:token}}").problem("tool-failed");
    assert_eq!(denials(&problem)[0].0, "secret");
    assert_eq!(other.requests(), Vec::<String>::new());
}

#[test]
fn an_answer_that_can_not_be_searched_is_not_given() {
    let (home, web, other) = (home(), Echo::start(), Echo::start());
    granted(&home, &web, &other);
    let server = home.serve();
    let problem = send(&server, &web.url("/gzip"), "Bearer {{secret:token}}").problem("tool-failed");
    let (capability, reason) = denials(&problem).remove(0);
    assert!(capability == "secret" && reason.contains("compressed"), "{problem}");
    send(&server, &web.url("/gzip"), "Bearer nothing").output();
}

#[test]
fn a_rotated_secret_holds_from_the_next_call_on() {
    let (home, web, other) = (home(), Echo::start(), Echo::start());
    granted(&home, &web, &other);
    let server = home.serve();
    send(&server, &web.url("/"), "{{secret:token}}").output();
    put(&home, "new", "another long password", 0o600);
    std::fs::rename(home.path("new"), home.path("token")).unwrap();
    let answer = send(&server, &web.url("/"), "{{secret:token}}").text();
    assert!(web.requests()[1].contains("authorization: another long password"), "{:?}", web.requests());
    assert!(!answer.contains("another long password"), "{answer}");
    // The old one is still kept out of texts, and one that others may read is not sent.
    assert_clean(&server.execute("tests/courier", "echo", &json!({ "text": SECRET })).text());
    put(&home, "token", "a password for all", 0o644);
    let problem = send(&server, &web.url("/"), "{{secret:token}}").problem("tool-failed");
    assert!(denials(&problem)[0].1.contains("does not have it"), "{problem}");
    assert_eq!(web.requests().len(), 2);
    eventually("the log says why", || server.log().contains("others may read").then_some(()));
    assert!(!server.log().contains("for all"), "{}", server.log());
}

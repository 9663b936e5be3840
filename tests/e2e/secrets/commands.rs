//! What is said of secrets: their names, and never more.

use serde_json::json;

use super::{SECRET, SETTINGS, assert_clean, home, put};
use crate::host::{Home, Ran};

#[test]
fn secrets_are_listed_by_name_and_source() {
    let settings = format!(
        "{SETTINGS}[secrets.ci]\nenv = \"CI_TOKEN\"\n[secrets.gone]\nenv = \"NO_SUCH_TOKEN\"\n[secrets.open]\nfile = \"open\"\n"
    );
    let home = Home::with(&settings);
    put(&home, "token", SECRET, 0o600);
    put(&home, "open", SECRET, 0o644);
    let list = |arguments: &[&str]| {
        let ran = Ran::of(home.command().args(arguments).env("CI_TOKEN", SECRET).env_remove("NO_SUCH_TOKEN")).expect(0);
        assert_clean(&format!("{}{}", ran.stdout, ran.stderr));
        ran
    };
    let all = list(&["--json", "secrets", "list"]).json();
    let row = |index: usize| (&all[index]["name"], &all[index]["source"], &all[index]["readable"]);
    assert_eq!(row(0), (&json!("ci"), &json!("env"), &json!(true)));
    assert_eq!(row(1), (&json!("gone"), &json!("env"), &json!(false)));
    assert_eq!(row(2), (&json!("open"), &json!("file"), &json!(false)));
    assert_eq!(row(3), (&json!("token"), &json!("file"), &json!(true)));
    assert_eq!(all[0]["from"], "CI_TOKEN");
    let text = list(&["secrets", "list"]).stdout;
    for part in ["NAME", "CI_TOKEN", "not in the environment", "mode 644", "chmod 600"] {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
    let checked = list(&["config", "check"]).stdout;
    assert!(checked.contains("secrets.ci.env = \"CI_TOKEN\"") && checked.contains("secrets.token.file"), "{checked}");
    let none = Home::new().run(&["secrets", "list"]).expect(0).stdout;
    assert!(none.contains("[secrets.NAME]"), "{none}");
}

#[test]
fn a_grant_shows_the_name_and_the_destinations() {
    let home = home();
    let options = ["--secret", "token=api.example.com", "--secret", "token=[::1]:8443", "--secret", "other=*.a.com"];
    let ran = home.run(&[&["grant", "add", "tests/courier"], options.as_slice()].concat()).expect(0);
    assert!(ran.stdout.contains("secret token for api.example.com, [::1]:8443"), "{}", ran.stdout);
    assert!(ran.stderr.contains("no secret `other`") && !ran.stderr.contains("`token`"), "{}", ran.stderr);
    let listed = home.run(&["--json", "grant", "list"]).expect(0).json();
    let expected = json!({ "other": ["*.a.com"], "token": ["api.example.com", "[::1]:8443"] });
    assert_eq!(listed[0]["secrets"], expected);
    let page = home.run(&["skills", "show", "tests/courier"]).expect(0).stdout;
    assert!(page.contains("secret token\n") && page.contains("secret other for *.a.com"), "{page}");
    let file = home.run(&["grant", "export"]).expect(0).stdout;
    for text in [ran.stdout, listed.to_string(), page, file] {
        assert_clean(&text);
    }
    for (option, says) in [
        ("token", "NAME=HOST[:PORT]"),
        ("token=*", "is not where a secret may be sent"),
        ("token=https://a.com", "is not where a secret may be sent"),
        ("mine=a.com", "doesn't name `mine`"),
    ] {
        let ran = home.run(&["grant", "add", "tests/courier", "--secret", option]).expect(2);
        assert!(ran.stderr.contains(says), "{option}: {}", ran.stderr);
    }
}

#[test]
fn a_server_does_not_start_without_its_secrets() {
    for (text, mode, says) in [
        (SECRET, 0o644, "others may read"),
        ("hunter2\n", 0o600, "has 7 bytes, expected at least 8"),
        ("", 0o600, "has 0 bytes"),
    ] {
        let home = Home::with(SETTINGS);
        put(&home, "token", text, mode);
        let ran = home.run(&["serve", "--listen", "127.0.0.1:0"]).expect(2);
        assert!(ran.stderr.contains("`secrets.token`") && ran.stderr.contains(says), "{}", ran.stderr);
        assert!(ran.stderr.contains("bailiwick.toml") && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
        // A command goes without the secret, and a call that wants it is refused.
        home.run(&["skills", "list"]).expect(0);
    }
}

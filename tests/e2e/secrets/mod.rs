//! Secrets reach their destinations, and nobody else ever sees them.

mod boundary;
mod commands;
mod echo;
mod redaction;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};

use self::echo::Echo;
use crate::host::{Home, Server};

/// With characters that every encoding writes in another way.
const SECRET: &str = "p4ss/w\"ord+~ is long";

const SETTINGS: &str = "[secrets.token]\nfile = \"token\"\n";

/// Asks to send what it likes, with its secret.
const MANIFEST: &str = "\
[permissions]
secrets = [\"token\", \"other\"]
[[permissions.http]]
host = \"*\"
schemes = [\"http\", \"https\"]
methods = [\"GET\", \"POST\"]
";

/// A home with the secret in a file, and the guest that sends.
fn home() -> Home {
    let home = Home::with(SETTINGS);
    put(&home, "token", SECRET, 0o600);
    home.guest("courier", MANIFEST);
    home
}

fn put(home: &Home, name: &str, text: &str, mode: u32) {
    let path = home.write(name, text);
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Requests to both servers, and the secret for the first alone.
fn granted(home: &Home, first: &Echo, second: &Echo) {
    let (one, two) = (first.rule(), second.rule());
    let secret = format!("token={}", first.address());
    home.grant("tests/courier", &["--http", &one, "--http", &two, "--secret", &secret]);
}

/// A request with the token in a header.
fn send(server: &Server, url: &str, value: &str) -> crate::client::Answer {
    let headers = json!([{ "name": "authorization", "value": value }]);
    server.execute("tests/courier", "send", &json!({ "url": url, "headers": headers }))
}

/// Fails where a text holds the secret in any form that a program would write.
#[track_caller]
fn assert_clean(text: &str) {
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let json = json!(SECRET).to_string();
    // Inside of a longer text, the characters at the ends of base64 depend on their neighbours.
    let inner = |text: &str| text.trim_end_matches('=').chars().skip(4).collect::<String>();
    let shifted = |before: &str, encode: &dyn Fn(String) -> String| {
        let encoded = inner(&encode(format!("{before}{SECRET}")));
        encoded.chars().take(encoded.len() - 4).collect::<String>()
    };
    let mut forms = vec![
        SECRET.to_owned(),
        hex.to_uppercase(),
        hex,
        percent.to_lowercase(),
        percent,
        "p4ss%2Fw%22ord%2B~%20is%20long".to_owned(),
        "p4ss%2Fw%22ord%2B%7E+is+long".to_owned(),
        json.trim_matches('"').to_owned(),
    ];
    for before in ["", "a", "ab"] {
        forms.push(shifted(before, &|text| STANDARD.encode(text)));
        forms.push(shifted(before, &|text| URL_SAFE.encode(text)));
    }
    for form in forms {
        assert!(!text.contains(&form), "`{form}` stands in: {text}");
    }
}

fn denials(problem_or_answer: &Value) -> Vec<(String, String)> {
    let receipt = &problem_or_answer["receipt"];
    let denials = receipt["denials"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    denials.iter().map(|denial| (text(&denial["capability"]), text(&denial["reason"]))).collect()
}

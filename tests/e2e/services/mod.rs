//! What the host does for a running skill, and what a skill provides beside its tools.

mod nested;
mod provided;
mod questions;
mod reports;
mod words;

use serde_json::{Value, json};

use crate::host::{Home, Ran};

/// The driver, which asks for `skills`.
fn driver(settings: &str, skills: &[&str], more: &str) -> Home {
    let home = Home::with(settings);
    let asked: Vec<String> = skills.iter().map(|id| format!("[[permissions.skills]]\nid = \"{id}\"\n")).collect();
    home.guest("driver", &format!("{}{more}", asked.concat()));
    home
}

/// Runs a tool of the driver.
fn run(home: &Home, tool: &str, arguments: &Value) -> Ran {
    home.run(&["--json", "skills", "run", "tests/driver", tool, "--args", &arguments.to_string()])
}

/// Has the driver call a tool of a skill.
fn call(home: &Home, skill: &str, tool: &str, arguments: &Value) -> Ran {
    let request = json!({ "skill": skill, "tool": tool, "arguments": arguments.to_string() });
    run(home, "call", &json!({ "request": request }))
}

/// The failure that the driver answered.
#[track_caller]
fn failure(ran: Ran) -> String {
    let answer = ran.expect(5).json();
    answer["failure"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

//! Prompts, resources, run-time tools and workflows.

use serde_json::{Value, json};

use crate::host::{Home, Server};

const PROVIDER: &str = "/v1/skills/tests/provider";

/// The provider, in one of its modes.
fn provider(mode: &str) -> (Home, Server) {
    let home = Home::new();
    home.guest("provider", "[permissions]\nconfig = [\"mode\"]\n");
    home.grant("tests/provider", &["--setting", &format!("mode={mode}")]);
    let server = home.serve();
    (home, server)
}

fn execute(server: &Server, tool: &str, arguments: &Value) -> Value {
    server.post(&format!("{PROVIDER}/execute"), &json!({ "tool": tool, "arguments": arguments })).json()
}

#[test]
fn tools_that_are_named_at_run_time_are_listed_and_called() {
    let (_home, server) = provider("");
    let tools = server.get(&format!("{PROVIDER}/tools")).ok();
    let names: Vec<_> = tools["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["run", "double", "echo", "nonsense", "stubborn"]);
    assert_eq!(tools["tools"][1]["input_schema"]["required"], json!(["n"]));
    let doubled = execute(&server, "double", &json!({ "n": 21 }));
    assert_eq!((&doubled["output"], &doubled["tool"]), (&json!({ "doubled": 42 }), &json!("double")));
    // The schema that it listed holds.
    let refused = execute(&server, "double", &json!({ "n": "21" }));
    assert_eq!(refused["code"], "invalid-arguments", "{refused}");
    let refused = execute(&server, "double", &json!({}));
    assert_eq!(refused["code"], "invalid-arguments", "{refused}");
    assert_eq!(execute(&server, "echo", &json!({ "a": [1, "ä"] }))["output"], json!({ "a": [1, "ä"] }));
    assert_eq!(execute(&server, "no-such", &json!({}))["code"], "unknown-tool");
    let failed = execute(&server, "stubborn", &json!({}));
    assert_eq!((&failed["code"], &failed["failure"]), (&json!("tool-failed"), &json!({ "failed": "it will not" })));
    let nonsense = execute(&server, "nonsense", &json!({}));
    assert_eq!(nonsense["code"], "invalid-output");
    assert!(nonsense["detail"].as_str().unwrap().contains("`nonsense` must answer with JSON"), "{nonsense}");
}

#[test]
fn a_list_of_tools_that_nobody_can_use_says_what_is_wrong() {
    for (mode, expected) in [
        ("fails", "`tools.list` of the skill failed: the catalogue is closed"),
        ("twice", "two tools are named `double`"),
        ("bad-schema", "the input schema of `double` can't be used"),
        ("bad-name", "the name \"two words\" is not 1 to 128 bytes without blanks"),
    ] {
        let (_home, server) = provider(mode);
        let problem = server.get(&format!("{PROVIDER}/tools")).json();
        assert_eq!(problem["code"], "tools-not-listed", "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(expected), "{mode}: {problem}");
    }
}

#[test]
fn what_a_skill_provides_needs_its_grant() {
    let home = Home::new();
    home.guest("provider", "");
    let server = home.serve();
    for path in ["tools", "prompts", "resources"] {
        let problem = server.get(&format!("{PROVIDER}/{path}")).json();
        assert_eq!(problem["code"], "not-granted", "{path}: {problem}");
    }
    let problem = server.post(&format!("{PROVIDER}/prompts/greet"), &json!({})).json();
    assert_eq!(problem["code"], "not-granted");
    assert_eq!(execute(&server, "run", &json!({}))["code"], "not-granted");
}

#[test]
fn a_list_of_tools_is_made_anew_when_the_grant_changes() {
    let (home, server) = provider("");
    assert_eq!(execute(&server, "double", &json!({ "n": 1 }))["output"]["doubled"], 2);
    server.regrant(&home, "tests/provider", &["--setting", "mode=fails"]);
    let problem = execute(&server, "double", &json!({ "n": 1 }));
    assert_eq!(problem["code"], "tools-not-listed", "{problem}");
}

#[test]
fn prompts_are_listed_and_take_their_arguments() {
    let (_home, server) = provider("");
    let prompts = server.get(&format!("{PROVIDER}/prompts")).ok();
    assert_eq!(prompts["prompts"][0]["name"], "greet");
    let argument = json!({ "name": "whom", "description": "Whom to greet.", "required": true });
    assert_eq!(prompts["prompts"][0]["arguments"], json!([argument]));
    let get = |prompt: &str, body: Value| server.post(&format!("{PROVIDER}/prompts/{prompt}"), &body);
    let content = get("greet", json!({ "arguments": { "whom": "Ada" } })).ok();
    let messages = json!([{ "role": "user", "text": "Greet Ada." }, { "role": "assistant", "text": "Hello, Ada!" }]);
    assert_eq!(content["messages"], messages);
    assert_eq!(get("none", json!({})).json()["code"], "unknown-prompt");
    let problem = get("greet", json!({})).json();
    assert_eq!(problem["code"], "invalid-request");
    assert!(problem["detail"].as_str().unwrap().contains("`whom` is missing"), "{problem}");
}

#[test]
fn resources_are_listed_and_read() {
    let (_home, server) = provider("");
    let resources = server.get(&format!("{PROVIDER}/resources")).ok();
    assert_eq!(resources["resources"][0]["uri"], "provider://text");
    assert_eq!(resources["templates"][0]["uri_template"], "provider://day/{date}");
    let read = |uri: &str| server.get(&format!("{PROVIDER}/resources/content?uri={uri}")).json();
    assert_eq!(read("provider%3A%2F%2Ftext")["text"], "hello");
    assert_eq!(read("provider%3A%2F%2Fbytes")["blob"], "AP8=");
    assert_eq!(read("provider%3A%2F%2Fnone")["code"], "unknown-resource");
    let problem = read("provider%3A%2F%2Fbroken");
    assert!(problem["detail"].as_str().unwrap().contains("the disk is full"), "{problem}");
}

#[test]
fn a_workflow_is_a_tool_whose_schemas_its_manifest_names() {
    let home = Home::new();
    let manifest = "skill_id = \"tests/provider\"\nversion = \"1.0.0\"\nkind = \"workflow\"\ncomponent = \"p.wasm\"\n\
                    [permissions]\nconfig = [\"mode\"]\n\
                    [tools.run]\ndescription = \"Runs.\"\ninput_schema = \"in.json\"\noutput_schema = \"out.json\"\n";
    home.write("skills/p/p.wasm", crate::host::component("provider"));
    home.write("skills/p/skill.toml", manifest);
    home.write("skills/p/in.json", "{\"type\": \"object\", \"required\": [\"goal\"]}");
    home.write("skills/p/out.json", "{\"type\": \"object\", \"required\": [\"ran\"]}");
    home.grant("tests/provider", &["--setting", "mode="]);
    let shown = home.run(&["--json", "skills", "show", "tests/provider"]).expect(0).json();
    assert!(shown.to_string().contains("\"run\""), "{shown}");
    let server = home.serve();
    let shown = server.get(PROVIDER).ok();
    let run = &shown["tools"][0];
    assert_eq!((&run["name"], &run["description"]), (&json!("run"), &json!("Runs.")));
    assert_eq!(run["input_schema"]["required"], json!(["goal"]));
    let answer = execute(&server, "run", &json!({ "goal": "x" }));
    assert_eq!(answer["output"], json!({ "ran": { "goal": "x" } }), "{answer}");
    assert_eq!(execute(&server, "run", &json!({}))["code"], "invalid-arguments");
    for (mode, code) in [("nonsense", "invalid-output"), ("refuses", "tool-failed")] {
        home.run(&["grant", "revoke", "tests/provider"]).expect(0);
        home.grant("tests/provider", &["--setting", &format!("mode={mode}")]);
        let problem = execute(&server, "run", &json!({ "goal": "x" }));
        assert_eq!(problem["code"], code, "{mode}: {problem}");
    }
}

#[test]
fn the_files_of_a_package_are_a_prompt_and_resources_without_running_anything() {
    let home = Home::new();
    home.prompt("brew");
    home.write("skills/brew/references/teas/green.md", "# Green\n");
    home.write("skills/brew/references/pixel.png", [0x89, b'P', 0xff]);
    home.write("skills/brew/private.txt", "not a reference");
    home.write("elsewhere/secret.txt", "a secret of the host");
    std::os::unix::fs::symlink(home.path("elsewhere/secret.txt"), home.path("skills/brew/references/out.txt")).unwrap();
    std::os::unix::fs::symlink(home.path("elsewhere"), home.path("skills/brew/references/away")).unwrap();
    let server = home.serve();
    let id = server.get("/v1/skills").ok()["skills"][0]["id"].as_str().unwrap().to_owned();
    let at = |path: &str| format!("/v1/skills/{id}/{path}");
    let prompts = server.get(&at("prompts")).ok();
    assert_eq!(prompts["prompts"][0]["name"], "brew");
    let content = server.post(&at("prompts/brew"), &json!({})).ok();
    assert_eq!(content["messages"], json!([{ "role": "user", "text": "Do it well." }]), "{content}");
    let refused = server.post(&at("prompts/brew"), &json!({ "arguments": { "x": "y" } })).json();
    assert_eq!(refused["code"], "invalid-request");
    let resources = server.get(&at("resources")).ok();
    let uris: Vec<_> =
        resources["resources"].as_array().unwrap().iter().map(|it| it["uri"].as_str().unwrap()).collect();
    let expected = ["SKILL.md", "references/pixel.png", "references/teas/green.md"];
    assert_eq!(uris, expected.map(|path| format!("skill://{id}/{path}")));
    let read = |path: &str| {
        let uri = format!("skill://{id}/{path}").replace(':', "%3A").replace('/', "%2F").replace("%25", "%2525");
        server.get(&at(&format!("resources/content?uri={uri}"))).json()
    };
    let green = read("references/teas/green.md");
    assert_eq!((&green["text"], &green["mime_type"]), (&json!("# Green\n"), &json!("text/markdown")));
    assert_eq!(read("references/pixel.png")["blob"], "iVD/");
    for outside in [
        "private.txt",
        "references/out.txt",
        "references/away/secret.txt",
        "references/../private.txt",
        "skill.toml",
        "references/%252e%252e/private.txt",
        "/references/teas/green.md",
        "references",
        "",
    ] {
        let problem = read(outside);
        assert_eq!(problem["code"], "unknown-resource", "{outside}: {problem}");
    }
}

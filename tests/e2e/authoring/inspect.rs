//! `bailiwick inspect`: a component on one page.

use serde_json::{Value, json};

use super::{package, wasm};
use crate::host::{Home, component};

fn inspected(home: &Home, file: &str, code: i32) -> Value {
    home.run(&["inspect", file, "--json"]).expect(code).json()
}

#[test]
fn a_component_is_told_by_its_bytes() {
    let home = Home::new();
    home.write("keeper.wasm", component("keeper"));
    let page = inspected(&home, "keeper.wasm", 0);
    assert_eq!((&page["form"], &page["problem"]), (&json!("component"), &Value::Null));
    let tools = page["tools"].as_array().unwrap();
    let setting = tools.iter().find(|tool| tool["name"] == "setting").unwrap();
    assert_eq!(setting["description"], "A configuration value.");
    assert_eq!(setting["input_schema"]["required"], json!(["key"]));
    let imports = page["imports"].as_array().unwrap();
    let store = imports.iter().find(|it| it["name"].as_str().unwrap().starts_with("wasi:keyvalue/store")).unwrap();
    assert_eq!((&store["permission"], &store["asked_by"]), (&json!("state"), &json!("permissions.state")));
    let reach = page["reach"].as_array().unwrap();
    let requests = reach.iter().find(|it| it["capability"] == "requests").unwrap();
    assert_eq!((&requests["imported"], &requests["meaning"]), (&json!(false), &json!("it can send nothing over HTTP")));
    let sizes = &page["sizes"];
    assert_eq!(sizes["file"], component("keeper").len());
    assert!(sizes["code"].as_u64().unwrap() > 1000 && sizes["modules"].as_u64().unwrap() >= 1, "{sizes}");
    assert!(page["producers"]["processed-by"].get("wit-bindgen-rust").is_some(), "{}", page["producers"]);
}

#[test]
fn a_person_reads_what_it_can_never_do() {
    let home = package(&[]);
    let said = home.run(&["inspect", "greet/skill.wasm", "--schemas"]).expect(0).stdout;
    for line in ["tool add", "arguments: a: integer, b: integer", "it can read and write no file", "\"maximum\""] {
        assert!(said.contains(line), "`{line}` is missing in {said}");
    }
    assert!(said.contains("sha256:") && !said.contains('\u{1b}'));
}

#[test]
fn what_the_host_can_not_run_is_told_all_the_same() {
    let home = Home::new();
    home.write("core.wasm", wasm("(module (import \"env\" \"log\" (func)) (func (export \"run\")))"));
    let page = inspected(&home, "core.wasm", 1);
    assert_eq!((&page["form"], &page["imports"][0]["name"]), (&json!("core-module"), &json!("env.log")));
    assert!(page["problem"].as_str().unwrap().contains("a core module, not a component"));
    let text = "(component (import \"acme:rocket/launch@1.0.0\" (instance (export \"go\" (func)))))";
    home.write("rocket.wasm", wasm(text));
    let page = inspected(&home, "rocket.wasm", 1);
    assert_eq!(page["imports"][0]["use_of_it"], "is nothing that this host knows");
    assert!(page["problem"].as_str().unwrap().contains("acme:rocket/launch"), "{page:#}");
    home.write("none.wasm", "none");
    assert!(home.run(&["inspect", "none.wasm"]).expect(2).stderr.contains("none.wasm"));
    assert!(home.run(&["inspect", "skills"]).expect(2).stderr.contains("bailiwick check"));
}

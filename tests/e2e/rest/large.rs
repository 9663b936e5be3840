//! Large components: compiled beside everything else, once.

use std::fmt::Write as _;

use serde_json::json;

use crate::host::{Home, Server, eventually};

/// A component above the size from which compiling is put off.
fn large() -> Vec<u8> {
    let mut functions = String::new();
    for number in 0..40_000 {
        let _ = write!(functions, "(func $f{number} (param i64) (result i64) (local i64)");
        for step in 0..8 {
            let _ = write!(
                functions,
                "(local.set 1 (i64.rotl (i64.xor (local.get 0) (i64.const {})) (i64.const {step})))\
                 (local.set 0 (i64.add (local.get 0) (local.get 1)))",
                i64::MAX - number - step
            );
        }
        functions.push_str("(local.get 0))\n");
    }
    let text = format!(
        r#"(component
            (core module $m {functions}
                (func (export "answer") (result i32) (i32.wrap_i64 (call $f39999 (call $f7 (i64.const 1))))))
            (core instance $i (instantiate $m))
            (func (export "answer") (result s32) (canon lift (core func $i "answer"))))"#
    );
    wat::parse_str(text).unwrap()
}

/// A home with a cache of its own, so that nothing in it is compiled yet.
fn home() -> Home {
    let home = Home::configured("data_dir = \"data\"\n");
    let component = large();
    assert!(component.len() > 3 << 20, "{} bytes", component.len());
    home.write("skills/large/large.wasm", component);
    let manifest = "skill_id = \"tests/large\"\nversion = \"1.0.0\"\nkind = \"tool\"\ncomponent = \"large.wasm\"\n";
    home.write("skills/large/skill.toml", manifest);
    home.guest("hostile", "");
    home
}

fn answer(server: &Server) -> crate::client::Answer {
    server.execute("tests/large", "answer", &json!({}))
}

#[test]
fn a_large_component_is_compiled_while_others_are_called_and_then_at_hand() {
    let home = home();
    home.grant("tests/hostile", &[]);
    home.write("fresh.toml", "data_dir = \"fresh\"\n[server]\nallow_unauthenticated_loopback = true\n");
    // The grant has compiled everything into the first cache; this server begins with an empty one.
    let mut command = home.command();
    command.env("BAILIWICK_CONFIG", home.path("fresh.toml")).args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::start(&mut command, "");
    let server_of_all = server.by(None);
    let first = server_of_all.execute("tests/large", "answer", &json!({}));
    let problem = first.problem("skill-preparing");
    assert_eq!(first.header("retry-after"), Some("2"), "{problem}");
    let other = server_of_all.execute("tests/hostile", "echo", &json!({ "text": "a" }));
    other.problem("not-granted");
    let listed = server_of_all.get("/v1/skills").ok();
    assert!(listed["broken"].to_string().contains("is being compiled"), "{listed}");
    eventually("the component is compiled", || {
        let again = server_of_all.execute("tests/large", "answer", &json!({}));
        (again.json()["code"] == "not-granted").then_some(())
    });
    assert!(server.log().contains("compiling a large component"), "{}", server.log());
}

#[test]
fn a_large_component_is_compiled_once_and_called_afterwards() {
    let home = home();
    home.grant("tests/large", &[]);
    let server = home.serve();
    let value = answer(&server).ok()["output"].clone();
    assert!(value.is_i64(), "{value}");
    assert!(!server.log().contains("compiling a large component"), "{}", server.log());
}

/// What can't be compiled is not put off for ever.
#[test]
fn a_large_file_that_is_no_component_says_so() {
    let home = home();
    let mut broken = large();
    let end = broken.len() - 1000;
    broken[end..].fill(0xff);
    home.write("skills/large/large.wasm", broken);
    let server = home.serve();
    let broken = eventually("it was tried", || {
        let listed = server.get("/v1/skills").ok()["broken"].to_string();
        (!listed.contains("is being compiled")).then_some(listed)
    });
    assert!(broken.contains("not a valid component"), "{broken}");
    answer(&server).problem("broken-skill");
}

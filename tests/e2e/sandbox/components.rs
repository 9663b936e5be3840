//! Bytes that are no skill: each is refused with an error that says what to do.

use serde_json::json;

use super::lab::{Lab, error, nothing, success, target};

fn refused(bytes: &[u8]) -> String {
    let lab = Lab::new();
    let error = lab.load(bytes).expect_err("must be refused").to_string();
    // The host goes on.
    lab.guest("hostile");
    error
}

fn refused_text(text: &str) -> String {
    refused(&wat::parse_str(text).unwrap())
}

#[test]
fn what_is_no_webassembly_is_told_apart() {
    assert_eq!(
        refused(b""),
        "not WebAssembly: the file begins with nothing, expected `00 61 73 6d`; build the skill for `wasm32-wasip2`"
    );
    assert!(refused(b"#!/bin/sh\n").contains("the file begins with 23 21 2f 62"));
    assert!(refused(b"\0asm\x0d\0\x02\0").contains("unknown version 13 and layer 2"));
}

#[test]
fn a_core_module_is_told_what_to_do() {
    assert!(refused_text("(module)").contains("a core module, not a component: build for `wasm32-wasip2`"));
}

#[test]
fn a_truncated_component_is_refused_wherever_it_was_cut() {
    let whole = std::fs::read(target().join("test-guests/hostile.wasm")).unwrap();
    let lab = Lab::new();
    for cut in [9, 100, 1000, whole.len() / 2, whole.len() - 1] {
        let error = lab.load(&whole[..cut]).expect_err("a part is no whole").to_string();
        assert!(error.starts_with("not a valid component") || error.contains("no function"), "{cut}: {error}");
    }
}

#[test]
fn a_component_of_200_megabytes_is_refused_before_it_is_read() {
    let lab = Lab::new();
    let path = lab.folder.path().join("large.wasm");
    std::fs::File::create(&path).unwrap().set_len(200 << 20).unwrap();
    let error = bailiwick_domain::sandbox::Sandbox::load(&lab.sandbox, &path).expect_err("too large").to_string();
    assert_eq!(error, "the component has 209715200 bytes; this host takes at most 134217728");
}

#[test]
fn unknown_imports_are_all_named() {
    let error = refused_text(
        r#"(component
            (import "acme:rocket/launch@1.0.0" (instance (export "go" (func))))
            (import "wasi:cli/stdout@0.3.0" (instance (export "go" (func))))
            (import "plain" (func))
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func (export "f") (canon lift (core func $i "f"))))"#,
    );
    for name in ["acme:rocket/launch@1.0.0", "wasi:cli/stdout@0.3.0", "this host speaks wasi:cli 0.2.x", "`plain`"] {
        assert!(error.contains(name), "{name} is missing in: {error}");
    }
}

#[test]
fn a_resource_in_a_signature_is_refused_by_name() {
    let error = refused_text(
        r#"(component
            (type $r' (resource (rep i32)))
            (export $r "thing" (type $r'))
            (core module $m (func (export "f") (result i32) i32.const 0))
            (core instance $i (instantiate $m))
            (func (export "make") (result (own $r)) (canon lift (core func $i "f"))))"#,
    );
    assert_eq!(
        error,
        "the exported function `make` can't be a tool: its result holds a resource, which JSON can't carry; pass a record or an id that names it"
    );
}

#[test]
fn a_component_without_functions_is_refused() {
    assert!(refused_text("(component)").contains("exports no function"));
}

/// Functions whose core code lies about what it returns.
const LIAR: &str = r#"(component
    (core module $m
        (memory (export "mem") 1)
        (data (i32.const 0) "\10\00\00\00\02\00\00\00")
        (data (i32.const 16) "\ff\fe")
        (data (i32.const 32) "\00\00\ff\ff\00\00\ff\ff")
        (func (export "text") (result i32) i32.const 0)
        (func (export "far") (result i32) i32.const 32)
        (func (export "letter") (result i32) i32.const 0xd800)
        (func (export "case") (result i32) i32.const 7)
        (func (export "fine") (result i32) i32.const 1))
    (core instance $i (instantiate $m))
    (type $e' (enum "a" "b"))
    (export $e "e" (type $e'))
    (func (export "text") (result string) (canon lift (core func $i "text") (memory (core memory $i "mem"))))
    (func (export "far") (result string) (canon lift (core func $i "far") (memory (core memory $i "mem"))))
    (func (export "letter") (result char) (canon lift (core func $i "letter")))
    (func (export "case") (result $e) (canon lift (core func $i "case")))
    (func (export "fine") (result $e) (canon lift (core func $i "fine"))))"#;

#[tokio::test]
async fn an_invalid_value_is_not_passed_on() {
    let lab = Lab::new();
    let guest = lab.load(&wat::parse_str(LIAR).unwrap()).unwrap();
    for tool in ["text", "far", "letter", "case"] {
        let outcome = lab.call(&nothing(&guest), &guest, tool, &json!({})).await;
        let error = error(outcome);
        assert_eq!(error.code(), "invalid-output", "{tool}: {error:?}");
    }
    let outcome = lab.call(&nothing(&guest), &guest, "fine", &json!({})).await;
    assert_eq!(success(outcome), json!("b"));
}

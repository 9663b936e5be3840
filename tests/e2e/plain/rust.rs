//! A chess club's referee in Rust.

use serde_json::{Value, json};

use super::{Stage, is_at_home, says};

#[test]
fn a_component_of_plain_wit_bindgen_runs() {
    let stage = Stage::new("rust");
    is_at_home(&stage);
    assert_eq!(stage.output("version", &json!({})), "1.2.0");
    let jumps = stage.output("jumps", &json!({ "from": square("a1") }));
    assert_eq!(jumps, json!([square("b3"), square("c2")]));
    moves(&stage);
    breaks_down(&stage);
}

fn moves(stage: &Stage) {
    let position = position(stage);
    let step = |from, to| json!({ "position": position, "from": square(from), "to": square(to) });
    let moved = stage.output("move", &step("b1", "c3"));
    assert_eq!(moved["men"], json!([{ "side": "white", "kind": "knight", "on": square("c3") }]));
    assert_eq!((&moved["to-move"], &moved["number"]), (&json!("black"), &json!(8)));
    assert_eq!(stage.failure("move", &step("d4", "e6")), json!({ "empty": square("d4") }));
    let reach = json!({ "reach": ["knight", square("b1"), square("b2")] });
    assert_eq!(stage.failure("move", &step("b1", "b2")), reach);
    let flipped = stage.output("flip", &json!({ "position": position }));
    assert_eq!(flipped["men"][0], json!({ "side": "black", "kind": "knight", "on": square("b8") }));
    assert_eq!(flipped["hash"], (u64::MAX - 7).to_string());
    assert_eq!(flipped["clock"], json!(-7));
    let turn = json!({ "position": flipped, "from": square("b8"), "to": square("c6") });
    assert_eq!(stage.output("move", &turn)["to-move"], "white");
}

/// A panic reaches the caller with its message and its place. A stack that is used
/// up is an access out of bounds: Rust's own is at the beginning of the memory.
fn breaks_down(stage: &Stage) {
    let nobody = json!({ "position": position(stage), "on": square("h5") });
    let panicked = stage.breakdown("guest-trapped", "the-man", &nobody);
    says(&panicked, &["nobody stands on h5", "tests/plain/rust/src/lib.rs:"]);
    let deep = stage.breakdown("guest-trapped", "descend", &json!({ "depth": 10_000_000 }));
    says(&deep, &["out of bounds memory access", "it was in "]);
    assert_eq!(stage.output("descend", &json!({ "depth": 1 })), json!(2));
}

/// A white knight on b1.
fn position(stage: &Stage) -> Value {
    let mut position = stage.ordinary("flip")["position"].clone();
    position["men"] = json!([{ "side": "white", "kind": "knight", "on": square("b1") }]);
    position
}

fn square(name: &str) -> Value {
    let (file, rank) = name.split_at(1);
    json!({ "file": file, "rank": rank.parse::<u8>().unwrap() })
}

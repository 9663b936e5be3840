//! A plant's logger in C.

use serde_json::{Value, json};

use super::{Stage, is_at_home, says};

#[test]
fn a_component_of_plain_c_runs() {
    let stage = Stage::new("c");
    is_at_home(&stage);
    assert_eq!(stage.output("version", &json!({})), "0.1.0");
    measures(&stage);
    breaks_down(&stage);
}

fn measures(stage: &Stage) {
    let warm = |sensor, degrees: f64, quality| reading(stage, sensor, &json!({ "temperature": degrees }), quality);
    let readings = json!([warm(1, 20.5, "good"), warm(2, 99.0, "bad"), warm(1, 21.5, "uncertain")]);
    assert_eq!(stage.output("mean", &json!({ "readings": readings })), json!(21.0));
    assert_eq!(stage.output("sensors", &json!({ "readings": readings })), json!([[1, 2], [2, 1]]));
    assert_eq!(stage.failure("mean", &json!({ "readings": [] })), "empty");
    let switch = reading(stage, 3, &json!({ "on": true }), "good");
    assert_eq!(stage.failure("mean", &json!({ "readings": [switch] })), json!({ "other": [3, 7] }));
}

/// What is written before an abort, what an assertion says, a trap of the machine
/// and a status all reach the caller.
fn breaks_down(stage: &Stage) {
    let mut reading = reading(stage, 5, &json!("none"), "good");
    let place = reading["place"].clone();
    assert_eq!(stage.output("place-of", &json!({ "reading": reading })), place);
    reading["place"] = json!(null);
    let aborted = stage.breakdown("guest-trapped", "place-of", &json!({ "reading": reading }));
    says(&aborted, &["sensor 5 has no place"]);
    reading["time"] = json!(-1);
    let asserted = stage.breakdown("guest-trapped", "check", &json!({ "reading": reading }));
    says(&asserted, &["Assertion failed: reading->time >= 0", "sensors.c"]);
    assert_eq!(stage.output("divide", &json!({ "dividend": 7, "divisor": -2 })), json!(-3));
    let divided = stage.breakdown("guest-trapped", "divide", &json!({ "dividend": 7, "divisor": 0 }));
    says(&divided, &["integer divide by zero", "exports_plant_sensors_log_divide"]);
    let left = stage.breakdown("guest-exited", "leave", &json!({ "status": 3 }));
    // WASI 0.2 has no other status than success and failure.
    says(&left, &["status 1"]);
}

fn reading(stage: &Stage, sensor: u32, value: &Value, quality: &str) -> Value {
    let mut reading = stage.ordinary("check")["reading"].clone();
    reading["sensor"] = json!(sensor);
    reading["value"] = value.clone();
    reading["quality"] = json!(quality);
    reading
}

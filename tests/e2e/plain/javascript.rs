//! A survey's counter in JavaScript.

use serde_json::{Value, json};

use super::{Stage, is_at_home, says};

#[test]
fn a_component_of_plain_componentize_js_runs() {
    let stage = Stage::new("javascript");
    is_at_home(&stage);
    assert_eq!(stage.output("version", &json!({})), "2.0.0");
    counts(&stage);
    breaks_down(&stage);
}

fn counts(stage: &Stage) {
    let sheets = [
        sheet(stage, 1.0, &json!([[7, { "number": 2.0 }, "know"], [8, "skipped", "guess"]])),
        sheet(stage, 3.0, &json!([[7, { "number": 4.0 }, "know"]])),
    ];
    let survey = survey(stage, &sheets);
    assert_eq!(stage.output("mean", &json!({ "survey": survey, "question": 7 })), json!([3.5, 2]));
    let unknown = stage.failure("mean", &json!({ "survey": survey, "question": 9 }));
    assert_eq!(unknown, json!({ "unknown": 9 }));
    let mut empty = survey.clone();
    empty["sheets"] = json!([]);
    let nobody = stage.failure("mean", &json!({ "survey": empty, "question": 7 }));
    assert_eq!(nobody, json!({ "nobody": survey["questions"][0] }));
    let counted = stage.output("certainties", &json!({ "sheets": sheets }));
    assert_eq!(counted, json!([["guess", 1], ["think", 0], ["know", 2]]));
}

/// Whatever is thrown reaches the caller with the engine's own message and stack.
fn breaks_down(stage: &Stage) {
    let unknown = json!({ "survey": survey(stage, &[]), "question": 9 });
    let thrown = stage.breakdown("guest-trapped", "text", &unknown);
    says(&thrown, &["there is no question 9", "text@"]);
    // A function whose failure is a string may throw something else. The toolchain
    // takes that for the failure, and what it then says of it is told.
    let mut sheet = sheet(stage, 1.0, &json!([]));
    assert_eq!(stage.output("person", &json!({ "sheet": sheet })), json!(7));
    sheet["valid"] = json!(false);
    let thrown = stage.breakdown("guest-trapped", "person", &json!({ "sheet": sheet }));
    says(&thrown, &["expected a string", "person@"]);
    sheet["valid"] = json!(true);
    sheet["person"] = json!(0);
    assert_eq!(stage.failure("person", &json!({ "sheet": sheet })), "nobody has the number 0");
}

fn survey(stage: &Stage, sheets: &[Value]) -> Value {
    let mut survey = stage.ordinary("mean")["survey"].clone();
    survey["sheets"] = json!(sheets);
    survey
}

fn sheet(stage: &Stage, weight: f32, answers: &Value) -> Value {
    let mut sheet = stage.ordinary("person")["sheet"].clone();
    sheet["weight"] = json!(weight);
    sheet["answers"] = answers.clone();
    sheet
}

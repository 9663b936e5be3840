//! A shop's desk in Python.

use serde_json::{Value, json};

use super::{Stage, is_at_home, says};

#[test]
fn a_component_of_plain_componentize_py_runs() {
    let stage = Stage::new("python");
    is_at_home(&stage);
    assert!(stage.output("python", &json!({})).as_str().unwrap().starts_with("3."));
    sums(&stage);
    breaks_down(&stage);
}

fn sums(stage: &Stage) {
    let total = |lines: &[Value]| json!({ "order": order(stage, lines) });
    let (tea, pot) = (line(stage, 1, 3, 250), line(stage, 2, 1, 4_000));
    let sum = stage.output("total", &total(&[tea.clone(), pot.clone()]));
    assert_eq!(sum, json!({ "amount": 4_750, "currency": "EUR" }));
    let mut dollars = pot.clone();
    dollars["price"]["currency"] = json!("USD");
    assert_eq!(stage.failure("total", &total(&[tea.clone(), dollars])), json!({ "currencies": ["EUR", "USD"] }));
    let none = line(stage, 3, 0, 1);
    assert_eq!(stage.failure("total", &total(std::slice::from_ref(&none))), json!({ "count": none }));
    assert_eq!(stage.failure("total", &total(&[])), "empty");
    let orders = json!({ "orders": [order(stage, &[tea]), order(stage, std::slice::from_ref(&pot))], "most": 1 });
    assert_eq!(stage.output("dearest", &orders), json!([[7, pot]]));
}

/// Whatever is raised reaches the caller with Python's own message and traceback.
fn breaks_down(stage: &Stage) {
    let unknown = json!({ "order": order(stage, &[line(stage, 1, 1, 1)]), "article": 5 });
    let raised = stage.breakdown("guest-trapped", "price-of", &unknown);
    says(&raised, &["KeyError: 5", "Traceback (most recent call last)", "in price_of"]);
    // A function that can fail may as well raise something that it doesn't name.
    let mut order = order(stage, &[line(stage, 1, 1, 1)]);
    order["reserved"] = json!({ "err": null });
    let raised = stage.breakdown("guest-trapped", "ship", &json!({ "order": order }));
    says(&raised, &["ValueError: order 7 isn't reserved", "Traceback (most recent call last)", "in ship"]);
    order["reserved"] = json!({ "ok": null });
    let shipped = stage.output("ship", &json!({ "order": order }));
    assert_eq!(shipped, "order 7: 1 lines are on their way");
    order["lines"] = json!([]);
    assert_eq!(stage.failure("ship", &json!({ "order": order })), "order 7 has no lines");
    let left = stage.breakdown("guest-exited", "leave", &json!({ "status": 3 }));
    // WASI 0.2 has no other status than success and failure.
    says(&left, &["status 1", "leaving with 3"]);
}

fn order(stage: &Stage, lines: &[Value]) -> Value {
    let mut order = stage.ordinary("ship")["order"].clone();
    order["lines"] = json!(lines);
    order
}

fn line(stage: &Stage, article: u64, count: i32, price: i64) -> Value {
    let mut line = stage.ordinary("ship")["order"]["lines"][0].clone();
    line["article"] = json!(article);
    line["count"] = json!(count);
    line["price"] = json!({ "amount": price, "currency": "EUR" });
    line
}

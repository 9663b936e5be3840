//! Components that break the rules of their own types: what they answer is
//! refused as a whole, and what they hand to the host is no handle.

use serde_json::{Value, json};

use super::scene::Scene;
use crate::sandbox::lab::error;

// Answers.
cases! { answer:
    invalid_utf8 => "invalid-output",
    string_past_memory => "invalid-output",
    string_without_end => "invalid-output",
    list_past_memory => "invalid-output",
    list_misaligned => "invalid-output",
    unknown_case => "invalid-output",
    surrogate => "invalid-output",
}

async fn answer(case: &str, expected: &str) {
    let outcome = Scene::of_wat(case).call(&json!({})).await;
    assert_eq!(error(outcome).code(), expected);
}

// What the guest says of its own memory while the host writes its arguments, and handles that it made up.
cases! { trap:
    realloc_past_memory => json!({ "name": "x" }),
    realloc_misaligned => json!({ "name": "x" }),
    realloc_traps => json!({ "name": "x" }),
    forged_handle => json!({}),
    forged_handle_dropped => json!({}),
    handle_used_after_drop => json!({}),
}

async fn trap(case: &str, arguments: Value) {
    let outcome = Scene::of_wat(case).call(&arguments).await;
    let code = error(outcome).code();
    assert!(matches!(code, "guest-trapped" | "invalid-output"), "{code}");
}

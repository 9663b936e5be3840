//! Routes: who may use them, and how much they take.

use super::checks;

const BODY: &str = "host/api/src/body.rs";
const CALLS: &str = "host/journal/src/calls.rs";
const CALLER: &str = "host/api/src/auth/caller.rs";
const EXECUTE: &str = "host/skills/src/execute.rs";
const HOST_CHECK: &str = "host/api/src/host_check.rs";
const KEYRING: &str = "host/api/src/auth/keyring.rs";

checks! {
    "key" "no key is needed" of "attacks::routes", "rest::problems::without" {
        CALLER: "return if trusted {" => "return if {off} || trusted {";
    }
    "key-expiry" "a key never ends" of "rest::problems::without" {
        KEYRING: "Some(end) if self.clock.now() >= end" => "Some(end) if !{off} && self.clock.now() >= end";
    }
    "key-secret" "of a key the name is enough" of "attacks::routes::every_route_refuses_who_has_no_key" {
        KEYRING: ".filter(|entry| token" => ".filter(|entry| {off} || token";
    }
    "scope" "every key has every scope" of "attacks::routes", "rest::problems::a_key", "rest::approvals" {
        CALLER: "if scope::covers(" => "if {off} || scope::covers(";
    }
    "throttle" "bad keys may be tried without end" of "rest::problems::too_many_bad" {
        CALLER: "state.throttle().failed(peer, state.clock().instant())" => "state.throttle().failed(peer, state.clock().instant()).filter(|_| !{off})";
    }
    "host-name" "a request may name any host" of "rest::problems::a_request" {
        HOST_CHECK: "if !authority(name).is_some_and(" => "if !{off} && !authority(name).is_some_and(";
    }
    "origin" "a page of anybody may call" of "rest::problems::a_request" {
        HOST_CHECK: "Some(origin) if !self.admits(" => "Some(origin) if !{off} && !self.admits(";
    }
    "body-announced" "a body may be announced of any size" of "rest::problems::a_body" {
        BODY: "if announced.is_some_and(" => "if !{off} && announced.is_some_and(";
    }
    "body" "a body may be of any size" of "rest::problems::a_body" {
        BODY: "if first.len() + rest.len() + data.len() > limit {" => "if !{off} && first.len() + rest.len() + data.len() > limit {";
    }
    "replay-caller" "an answer that is kept is given to any caller" of "rest::idempotency::a_key" {
        EXECUTE: "let scope = &invocation.principal.name;" => "let everybody = \"everybody\".into();\n        let scope = if {off} { &everybody } else { &invocation.principal.name };";
    }
    "replay-arguments" "an answer that is kept is given to any request" of "rest::idempotency::a_key" {
        CALLS: "Some(call) if call.request != *request.as_bytes()" => "Some(call) if !{off} && call.request != *request.as_bytes()";
    }
}

//! Durable state: whose it is, and how much.

use super::checks;

const STATE: &str = "host/sandbox/src/capabilities/state.rs";
const DRAFT2: &str = "host/sandbox/src/capabilities/state/draft2.rs";
const GUEST: &str = "host/sandbox/src/guest.rs";
const JOURNAL: &str = "host/journal/src/state.rs";

checks! {
    "state-granted" "state needs no grant" of "attacks::state", "attacks::authority::by_a_manifest", "attacks::authority::wider" {
        STATE: "if self.state.quota.is_none() {" => "if !{off} && self.state.quota.is_none() {";
        STATE: "self.state.quota.ok_or(" => "self.state.quota.or({off}.then_some(StateQuota::MOST)).ok_or(";
    }
    "state-bucket" "any name of a bucket opens the skill's own" of "attacks::state::open" {
        STATE: "if !matches!(identifier, \"\" | \"default\") {" => "if !{off} && !matches!(identifier, \"\" | \"default\") {";
    }
    "state-namespace" "every skill has the same state" of "attacks::state" {
        GUEST: "skill: terms.skill.clone()," => "skill: if {off} { \"tests/other\".parse().expect(\"an id\") } else { terms.skill.clone() },";
    }
    "state-batch" "a batch may have any number of keys" of "attacks::state::many" {
        STATE: "if len <= MAX_BATCH {" => "if {off} || len <= MAX_BATCH {";
    }
    "state-batch-bytes" "the answer to a batch may be of any size" of "attacks::state::one_key" {
        STATE: "let mut room = MAX_BATCH_BYTES;" => "let mut room = if {off} { usize::MAX } else { MAX_BATCH_BYTES };";
    }
    "state-cursors" "a bucket remembers any number of cursors" of "attacks::state::cursor" {
        STATE: "if self.page_ends.len() >= MAX_PAGE_ENDS {" => "if !{off} && self.page_ends.len() >= MAX_PAGE_ENDS {";
    }
    "state-cursor" "a cursor that the guest made up begins at the first key" of "attacks::state::cursor" {
        STATE: "None => return Err(Refusal::Other(\"the cursor" => "None if {off} => None,\n                None => return Err(Refusal::Other(\"the cursor";
    }
    "state-swaps" "a guest holds any number of handles for swaps" of "sandbox::quotas::both" {
        DRAFT2: "if self.state.swaps >= MAX_SWAPS {" => "if !{off} && self.state.swaps >= MAX_SWAPS {";
    }
    "state-compare" "a swap is made whatever is there by now" of "sandbox::quotas::no_increment" {
        JOURNAL: "if !same {" => "if !{off} && !same {";
    }
    "state-owner" "a list of keys goes on into the next skill's" of "attacks::state" {
        JOURNAL: "if owner != skill.as_str() ||" => "if (!{off} && owner != skill.as_str()) ||";
    }
    "state-key" "a key may be of any size" of "attacks::state::long_key" {
        JOURNAL: "if key.len() > MAX_KEY_BYTES {" => "if !{off} && key.len() > MAX_KEY_BYTES {";
    }
    "state-value" "a value may be of any size" of "attacks::state::large_value" {
        JOURNAL: "if value.len() > MAX_VALUE_BYTES {" => "if !{off} && value.len() > MAX_VALUE_BYTES {";
    }
    "state-bytes" "a skill may have any number of bytes" of "attacks::state::fill", "sandbox::quotas" {
        JOURNAL: "if new.1 > max_bytes &&" => "if !{off} && new.1 > max_bytes &&";
    }
    "state-keys" "a skill may have any number of keys" of "sandbox::quotas" {
        JOURNAL: "if new.0 > max_keys &&" => "if !{off} && new.0 > max_keys &&";
    }
    "state-number" "what is no number is zero" of "attacks::state::increment" {
        JOURNAL: "if digits.is_empty() ||" => "if {off} {\n        return Ok(0);\n    }\n    if digits.is_empty() ||";
    }
    "state-overflow" "a count goes on behind its end" of "attacks::state::increment" {
        JOURNAL: "before.checked_add(delta).filter(|sum|" => "before.checked_add(delta).filter(|sum| {off} ||";
        STATE: "u64::try_from(sum).map_err(" => "u64::try_from(sum).or({off}.then_some(0).ok_or(())).map_err(";
    }
}

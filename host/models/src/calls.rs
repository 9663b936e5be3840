//! Ids of tool calls, for those who got none.

use std::collections::BTreeSet;

use bailiwick_domain::model::{Message, ToolCall};

/// Calls that models made in this conversation.
fn made(messages: &[Message]) -> usize {
    let calls = |message: &Message| match message {
        Message::Assistant { calls, .. } => calls.len(),
        Message::System { .. } | Message::User { .. } | Message::Tool { .. } => 0,
    };
    messages.iter().map(calls).sum()
}

/// Gives an id to each of `calls` that has none, or that of an earlier one: `call_N`, N
/// being which call of the conversation it is, so that no id stands for two.
pub(crate) fn name(calls: &mut [ToolCall], messages: &[Message]) {
    let first = made(messages) + 1;
    let mut taken = BTreeSet::new();
    for (number, call) in (first..).zip(calls) {
        if call.id.is_empty() || taken.contains(&call.id) {
            call.id = format!("call_{number}");
        }
        taken.insert(call.id.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str) -> ToolCall {
        ToolCall { id: id.to_owned(), name: "look".to_owned(), arguments: "{}".to_owned() }
    }

    #[test]
    fn calls_without_ids_are_numbered_through_the_conversation() {
        let earlier = Message::Assistant { text: String::new(), calls: vec![call("a"), call("b")] };
        let mut calls = [call(""), call("x"), call("x")];
        name(&mut calls, &[Message::User { text: "go".to_owned() }, earlier]);
        assert_eq!(calls.map(|call| call.id), ["call_3", "x", "call_5"]);
    }
}

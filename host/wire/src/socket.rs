//! The WebSocket: what happens among agents and runs, and commands.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::approval::ApprovalState;
use crate::problem::Problem;
use crate::run::RunStatus;

/// What to tell from the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SocketQuery {
    /// At most 64 patterns of topics with commas between them: segments of letters,
    /// digits, `-` and `_` with dots between them. `*` stands for one segment and, at the
    /// end, for all that follow. Left out, nothing is told until `subscribe` asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "agent.*,workflow.*")]
    pub topics: Option<String>,
}

/// The headers of a request for a WebSocket, beside those that every request has.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct SocketHeaders {
    /// For browsers, which can't send `Authorization` here: `bailiwick.v1`, and `bearer.`
    /// with the API key behind it. The answer has `bailiwick.v1`.
    #[param(rename = "Sec-WebSocket-Protocol", example = "bailiwick.v1")]
    pub protocol: Option<String>,
}

/// What a client can ask for on a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SocketVerb {
    /// Lets nothing new begin in `run`.
    Pause,
    /// Lets `run` go on; `repeat` makes calls again that were cut off.
    Resume,
    /// Ends `run`; `reason` says why.
    Cancel,
    /// Says yes to `approval`; `reason` says why.
    Approve,
    /// Says no to `approval`; `reason` says why.
    Deny,
    /// Adds `topics` to those that are told.
    Subscribe,
    /// Takes `topics` out again, as they were added.
    Unsubscribe,
    /// Tells `text` to all clients who hear `broadcast.*`.
    Publish,
}

/// A message of a client. Each is answered once, in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(
    json!({ "id": "1", "command": "cancel", "run": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e", "reason": "enough" }),
    json!({ "id": "2", "command": "approve", "approval": "apr_0006611d2a3c41f09c21" }),
    json!({ "id": "3", "command": "subscribe", "topics": ["agent.*", "task.completed.*"] })
))]
pub struct SocketCommand {
    /// The client's own name for the command, which its answer has.
    #[schema(min_length = 1, max_length = 64)]
    pub id: String,
    /// What to do.
    pub command: SocketVerb,
    /// `pause`, `resume`, `cancel`: the id of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// `approve`, `deny`: the id of the approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// `cancel`, `approve`, `deny`: why, in a few sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
    /// `resume`: whether calls that were cut off are made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<bool>,
    /// `subscribe`, `unsubscribe`: patterns, as in the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 64)]
    pub topics: Option<Vec<String>>,
    /// `publish`: what to tell, in at most 4096 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 4096)]
    pub text: Option<String>,
}

/// A message of the host. More kinds may come; a client passes over those that it doesn't know.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(examples(
    json!({
        "type": "event",
        "topic": "agent.scout.task",
        "name": "task.completed",
        "at": "2026-11-20T11:00:00.000Z",
        "run": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e",
        "data": { "task": 0, "agent": "scout", "status": "completed" }
    }),
    json!({
        "type": "event",
        "topic": "agent.scout.status",
        "name": "agent.status_changed",
        "at": "2026-11-20T11:00:00.000Z",
        "data": { "agent": "scout", "status": "paused" }
    }),
    json!({
        "type": "event",
        "topic": "metrics",
        "name": "metrics.updated",
        "at": "2026-11-20T11:00:00.000Z",
        "data": {
            "queue": {
                "interactive": { "waiting": 0, "running": 1 },
                "normal": { "waiting": 3, "running": 5 },
                "batch": { "waiting": 0, "running": 0 }
            },
            "places": 10,
            "ceiling": 10,
            "open_runs": 9,
            "input_tokens": 81_200,
            "output_tokens": 6400,
            "usd": 0.21,
            "spans_lost": 0,
            "quota": [{
                "model": "small",
                "told_at": "2026-11-20T10:59:58.000Z",
                "requests": { "limit": 50, "remaining": 41, "resets_at": "2026-11-20T11:01:00.000Z" },
                "tokens": null,
                "used_up_until": null
            }]
        }
    }),
    json!({ "type": "answer", "id": "1", "ok": true, "status": "cancelled" }),
    json!({
        "type": "answer",
        "id": "2",
        "ok": false,
        "problem": {
            "type": "urn:bailiwick:problem:unknown-approval",
            "title": "There is no such approval",
            "status": 404,
            "code": "unknown-approval",
            "detail": "no approval has this id"
        }
    })
))]
pub enum SocketMessage {
    /// Something happened.
    Event {
        /// Where it belongs: `agent.NAME.task`, `agent.NAME.status`, `workflow.ID.events`,
        /// `broadcast.clients`, `metrics`.
        topic: String,
        /// What happened. To agents: `agent.registered`, `agent.spawned` (runs can have it),
        /// `agent.changed`, `agent.paused`, `agent.resumed`, `agent.terminated`,
        /// `agent.status_changed` (its `state` is another one). To the host: `metrics.updated`,
        /// once a second at the most.
        name: String,
        /// When.
        #[schema(format = DateTime)]
        at: String,
        /// To which run, where it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<String>,
        /// More of it, by its name.
        data: Value,
    },
    /// What became of a command.
    Answer {
        /// The client's own name for it. Left out where the message had none that could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Whether it was done.
        ok: bool,
        /// `pause`, `resume`, `cancel`: where the run stands now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<RunStatus>,
        /// `approve`, `deny`: how the approval stands now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<ApprovalState>,
        /// `subscribe`, `unsubscribe`: what is told from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        topics: Option<Vec<String>>,
        /// Why it was not done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<Box<Problem>>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_members_of_commands_are_errors() {
        let text = r#"{"id":"1","command":"cancel","run":"x","why":"y"}"#;
        let error = serde_json::from_str::<SocketCommand>(text).expect_err("it has no `why`");
        assert!(error.to_string().starts_with("unknown field `why`"), "{error}");
        assert!(serde_json::from_str::<SocketCommand>(r#"{"id":"1","command":"reboot"}"#).is_err());
    }

    #[test]
    fn messages_say_what_they_are_and_leave_out_what_is_absent() {
        let answer = SocketMessage::Answer {
            id: Some("1".to_owned()),
            ok: true,
            status: Some(RunStatus::Paused),
            approval: None,
            topics: None,
            problem: None,
        };
        let text = serde_json::to_string(&answer).expect("writable");
        assert_eq!(text, r#"{"type":"answer","id":"1","ok":true,"status":"paused"}"#);
    }
}

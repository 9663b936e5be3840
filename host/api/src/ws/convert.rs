//! Between the wire and what a WebSocket is there for.

use std::time::{Duration, UNIX_EPOCH};

use axum::extract::ws::Message;
use bailiwick_agents::bus::{InvalidTopic, Told, Topics};
use bailiwick_domain::run::RunId;
use bailiwick_skills::approvals::{Answer, Uses};
use bailiwick_wire::socket::{SocketCommand, SocketMessage, SocketVerb};
use serde_json::Value;

use super::command::{Command, Deed, Done};
use crate::body;
use crate::problem::Failure;
use crate::runs::control::check_reason;
use crate::time;

/// Characters of a client's name for a command: a UUID and more.
const MAX_ID: usize = 64;

/// Bytes of what one client tells the others: a note, and no file.
const MAX_TEXT: usize = 4096;

/// What the query asks to be told.
pub(super) fn topics(patterns: Option<&str>) -> Result<Topics, Failure> {
    let Some(patterns) = patterns else { return Ok(Topics::default()) };
    patterns.parse().map_err(|error: InvalidTopic| Failure::invalid_query(&format!("`topics`: {error}")))
}

/// Patterns in a command that can't be.
pub(super) fn invalid_topics(error: &InvalidTopic) -> Failure {
    Failure::invalid_member("/topics", &error.to_string())
}

/// What happened.
pub(super) fn event(told: &Told) -> SocketMessage {
    SocketMessage::Event {
        topic: told.topic.clone(),
        name: told.name.to_owned(),
        at: time::format_millis(UNIX_EPOCH + Duration::from_millis(told.at)),
        run: told.run.as_ref().map(ToString::to_string),
        data: told.data.clone(),
    }
}

/// What became of the command with this id.
pub(super) fn answer(id: Option<String>, done: Result<Done, Failure>) -> SocketMessage {
    match done {
        Ok(Done { status, approval, topics }) => {
            SocketMessage::Answer { id, ok: true, status, approval, topics, problem: None }
        }
        Err(failure) => {
            let problem = Some(Box::new(failure.document().clone()));
            SocketMessage::Answer { id, ok: false, status: None, approval: None, topics: None, problem }
        }
    }
}

/// The same as a frame.
pub(super) fn frame(message: &SocketMessage) -> Message {
    // Text, numbers and JSON can be written.
    Message::text(serde_json::to_string(message).unwrap_or_default())
}

/// A command with its id, or why it is none, with the id that it would have had.
pub(super) fn command(text: &str) -> Result<(String, Command), (Option<String>, Failure)> {
    let asked: SocketCommand = body::parse(text.as_bytes()).map_err(|failure| (id_of(text), failure))?;
    let id = asked.id.clone();
    if !is_id(&id) {
        let detail = format!("expected 1 to {MAX_ID} characters");
        return Err((None, Failure::invalid_member("/id", &detail)));
    }
    match read(asked) {
        Ok(command) => Ok((id, command)),
        Err(failure) => Err((Some(id), failure)),
    }
}

fn is_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.chars().count())
}

/// The id in what is no command, so that its client knows what was wrong.
fn id_of(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    value.get("id")?.as_str().filter(|id| is_id(id)).map(str::to_owned)
}

fn read(asked: SocketCommand) -> Result<Command, Failure> {
    use SocketVerb as Verb;
    expect_its_own(&asked)?;
    let SocketCommand { id: _, command, run, approval, reason, repeat, topics, text } = asked;
    check_reason(reason.as_deref())?;
    Ok(match command {
        Verb::Pause => Command::Do(Deed::Pause { run: run_id(run)? }),
        Verb::Resume => Command::Do(Deed::Resume { run: run_id(run)?, repeat: repeat.unwrap_or_default() }),
        Verb::Cancel => Command::Do(Deed::Cancel { run: run_id(run)?, reason }),
        Verb::Approve => {
            let answer = Answer::Approve { uses: Uses::Once, arguments: None, reason };
            Command::Do(Deed::Answer { approval: needed("approval", approval)?, answer })
        }
        Verb::Deny => {
            Command::Do(Deed::Answer { approval: needed("approval", approval)?, answer: Answer::Deny { reason } })
        }
        Verb::Subscribe => Command::Subscribe(some(topics)?),
        Verb::Unsubscribe => Command::Unsubscribe(some(topics)?),
        Verb::Publish => {
            let text = needed("text", text)?;
            if !(1..=MAX_TEXT).contains(&text.len()) {
                return Err(Failure::invalid_member("/text", &format!("expected 1 to {MAX_TEXT} bytes")));
            }
            Command::Do(Deed::Publish { text })
        }
    })
}

/// Members that a command has no use for are errors, like those that nobody knows.
fn expect_its_own(asked: &SocketCommand) -> Result<(), Failure> {
    let own: &[&str] = match asked.command {
        SocketVerb::Pause => &["run"],
        SocketVerb::Resume => &["run", "repeat"],
        SocketVerb::Cancel => &["run", "reason"],
        SocketVerb::Approve | SocketVerb::Deny => &["approval", "reason"],
        SocketVerb::Subscribe | SocketVerb::Unsubscribe => &["topics"],
        SocketVerb::Publish => &["text"],
    };
    let given = [
        ("run", asked.run.is_some()),
        ("approval", asked.approval.is_some()),
        ("reason", asked.reason.is_some()),
        ("repeat", asked.repeat.is_some()),
        ("topics", asked.topics.is_some()),
        ("text", asked.text.is_some()),
    ];
    match given.iter().find(|(name, is_given)| *is_given && !own.contains(name)) {
        Some((name, _)) => Err(Failure::invalid_member(&format!("/{name}"), "the command has no such member")),
        None => Ok(()),
    }
}

fn needed(name: &str, value: Option<String>) -> Result<String, Failure> {
    value.ok_or_else(|| Failure::invalid_member(&format!("/{name}"), "the command needs it"))
}

/// What is no id is the id of no run.
fn run_id(run: Option<String>) -> Result<RunId, Failure> {
    needed("run", run)?.parse().map_err(|_| Failure::no_run())
}

fn some(topics: Option<Vec<String>>) -> Result<Vec<String>, Failure> {
    let some = topics.filter(|topics| !topics.is_empty());
    some.ok_or_else(|| Failure::invalid_member("/topics", "expected one pattern at least"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(text: &str) -> (Option<String>, String) {
        match command(text) {
            Ok(_) => panic!("{text} is a command"),
            Err((id, failure)) => (id, failure.document().detail.clone()),
        }
    }

    #[test]
    fn what_is_no_command_is_said_with_the_id_that_it_has() {
        let text = |value: Value| value.to_string();
        for (message, id, at) in [
            ("{".to_owned(), None, "line 1"),
            ("[\"1\", \"pause\"]".to_owned(), None, "array"),
            (text(json!({ "command": "pause" })), None, "`id`"),
            (text(json!({ "id": "", "command": "pause", "run": "x" })), None, "/id"),
            (text(json!({ "id": "1", "command": "reboot" })), Some("1"), "reboot"),
            (text(json!({ "id": "1", "command": "pause", "why": "x" })), Some("1"), "`why`"),
            (text(json!({ "id": "1", "command": "pause" })), Some("1"), "/run"),
            (text(json!({ "id": "1", "command": "pause", "run": "x" })), Some("1"), "no run"),
            (text(json!({ "id": "1", "command": "pause", "run": "x", "repeat": true })), Some("1"), "/repeat"),
            (text(json!({ "id": "1", "command": "deny" })), Some("1"), "/approval"),
            (text(json!({ "id": "1", "command": "subscribe", "topics": [] })), Some("1"), "/topics"),
            (text(json!({ "id": "1", "command": "publish", "text": "x".repeat(MAX_TEXT + 1) })), Some("1"), "/text"),
            (
                text(json!({ "id": "1", "command": "deny", "approval": "a", "reason": "x".repeat(1001) })),
                Some("1"),
                "/reason",
            ),
        ] {
            let (found, detail) = refused(&message);
            assert_eq!(found.as_deref(), id, "{message}");
            assert!(detail.contains(at), "{message}: {detail}");
        }
    }

    #[test]
    fn a_command_is_read_with_what_belongs_to_it() {
        let run = "07070707070707070707070707070707";
        let text = json!({ "id": "1", "command": "resume", "run": run, "repeat": true }).to_string();
        let Ok((id, Command::Do(Deed::Resume { run: found, repeat: true }))) = command(&text) else {
            panic!("not a command to resume");
        };
        assert_eq!((id.as_str(), found.as_str()), ("1", run));
    }
}

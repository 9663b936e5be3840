//! A connection between channels, on a clock that stands still while somebody works.

use std::io;
use std::sync::{Mutex, PoisonError};

use bailiwick_agents::bus::Bus;
use futures::channel::mpsc;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;

/// Far more than the bus keeps for who is slow.
const MANY: usize = 5000;

#[derive(Default)]
struct Fake {
    over: Mutex<Option<Close>>,
}

impl Desk for Fake {
    fn over(&self) -> Option<Close> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn perform(self: Arc<Self>, deed: Deed) -> BoxFuture<'static, Result<Done, Failure>> {
        Box::pin(async move {
            match deed {
                Deed::Publish { text } if text == "hang" => std::future::pending().await,
                _ => Ok(Done::default()),
            }
        })
    }
}

struct Line {
    bus: Bus,
    desk: Arc<Fake>,
    say: mpsc::UnboundedSender<Result<Message, axum::Error>>,
    heard: mpsc::Receiver<Message>,
    task: JoinHandle<()>,
}

/// A connection whose client has room for so many messages, and one more.
fn connect(topics: Topics, room: usize) -> Line {
    let (bus, desk) = (Bus::default(), Arc::new(Fake::default()));
    let (say, incoming) = mpsc::unbounded();
    let (outgoing, heard) = mpsc::channel(room);
    let task = tokio::spawn(live(Arc::clone(&desk), bus.subscribe(), topics, incoming, outgoing));
    Line { bus, desk, say, heard, task }
}

fn everything() -> Topics {
    "*".parse().expect("a pattern")
}

impl Line {
    fn happen(&self, topic: &str) {
        let data = json!({ "task": 0 });
        self.bus.publish(Told { topic: topic.to_owned(), name: "task.assigned", at: 0, run: None, data });
    }

    fn say(&self, message: Message) {
        self.say.unbounded_send(Ok(message)).expect("the connection is there");
    }

    fn ask(&self, command: &Value) {
        self.say(Message::text(command.to_string()));
    }

    async fn next(&mut self) -> Option<Message> {
        self.heard.next().await
    }

    async fn text(&mut self) -> Value {
        match self.next().await {
            Some(Message::Text(text)) => serde_json::from_str(text.as_str()).expect("JSON"),
            other => panic!("{other:?} is no text"),
        }
    }

    async fn close(&mut self) -> (u16, String) {
        match self.next().await {
            Some(Message::Close(Some(frame))) => (frame.code, frame.reason.as_str().to_owned()),
            other => panic!("{other:?} closes nothing"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_is_told_and_nothing_else() {
    let mut line = connect(Topics::default(), 8);
    line.ask(&json!({ "id": "1", "command": "subscribe", "topics": ["agent.scout.*"] }));
    assert_eq!(line.text().await, json!({ "type": "answer", "id": "1", "ok": true, "topics": ["agent.scout.*"] }));
    line.happen("agent.other.task");
    line.happen("agent.scout.task");
    let told = line.text().await;
    assert_eq!((&told["type"], &told["topic"]), (&json!("event"), &json!("agent.scout.task")));
    assert_eq!(told["at"], "1970-01-01T00:00:00.000Z");
    line.ask(&json!({ "id": "2", "command": "unsubscribe", "topics": ["agent.scout.*"] }));
    assert_eq!(line.text().await["topics"], json!([]));
    line.happen("agent.scout.task");
    line.ask(&json!({ "id": "3", "command": "publish", "text": "x" }));
    assert_eq!(line.text().await["id"], "3", "nothing was told before");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_command_is_answered_and_the_connection_stays() {
    let mut line = connect(Topics::default(), 8);
    line.say(Message::text("{"));
    let answer = line.text().await;
    assert_eq!((&answer["ok"], &answer["problem"]["code"]), (&json!(false), &json!("invalid-json")));
    assert!(answer.get("id").is_none());
    line.ask(&json!({ "id": "1", "command": "subscribe", "topics": ["a b"] }));
    let answer = line.text().await;
    assert_eq!((&answer["id"], &answer["problem"]["errors"][0]["pointer"]), (&json!("1"), &json!("/topics")));
    line.ask(&json!({ "id": "2", "command": "publish", "text": "x" }));
    assert_eq!(line.text().await, json!({ "type": "answer", "id": "2", "ok": true }));
}

#[tokio::test(start_paused = true)]
async fn more_commands_than_may_be_under_way_are_refused() {
    let mut line = connect(Topics::default(), 8);
    for number in 0..=MAX_COMMANDS {
        line.ask(&json!({ "id": number.to_string(), "command": "publish", "text": "hang" }));
    }
    let answer = line.text().await;
    assert_eq!((&answer["id"], &answer["problem"]["code"]), (&json!(MAX_COMMANDS.to_string()), &json!("busy")));
    assert_eq!(answer["problem"]["retry_after_ms"], 1000);
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_for_too_long_is_let_go_and_told_why() {
    let mut line = connect(everything(), 0);
    line.happen("agent.scout.task");
    sleep(SEND_TIMEOUT + LOOK_EVERY).await;
    assert_eq!(line.text().await["type"], "event");
    assert_eq!(line.close().await, (POLICY, "too slow: nothing was taken for 5 s".to_owned()));
    assert_eq!(line.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn who_never_reads_holds_nothing_for_ever() {
    let line = connect(everything(), 0);
    line.happen("agent.scout.task");
    let Line { task, heard: _heard, say: _say, .. } = line;
    sleep(SEND_TIMEOUT + FAREWELL + LOOK_EVERY).await;
    assert!(task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn who_misses_events_is_let_go_and_told_how_many() {
    let mut line = connect(everything(), 8);
    for _ in 0..MANY {
        line.happen("agent.scout.task");
    }
    let (code, reason) = line.close().await;
    assert_eq!(code, TRY_AGAIN);
    assert!(reason.starts_with("too slow") && reason.ends_with("events were missed"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_client_of_which_nothing_comes_is_asked_and_then_let_go() {
    let mut line = connect(Topics::default(), 8);
    let began = Instant::now();
    for _ in 0..2 {
        assert_eq!(line.next().await, Some(Message::Ping(Bytes::new())));
    }
    assert_eq!(line.close().await.0, POLICY);
    let took = began.elapsed();
    assert!((MAX_SILENCE..MAX_SILENCE + 2 * LOOK_EVERY).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_stays() {
    let mut line = connect(Topics::default(), 8);
    for _ in 0..8 {
        assert_eq!(line.next().await, Some(Message::Ping(Bytes::new())));
        line.say(Message::Pong(Bytes::new()));
    }
}

#[tokio::test(start_paused = true)]
async fn frames_that_are_not_taken_close_with_their_code() {
    let mut line = connect(Topics::default(), 8);
    line.say(Message::binary(Vec::from(*b"{}")));
    assert_eq!(line.close().await.0, UNSUPPORTED);
    let mut line = connect(Topics::default(), 8);
    let broken = axum::Error::new(io::Error::other("too long"));
    line.say.unbounded_send(Err(broken)).expect("the connection is there");
    assert_eq!(line.close().await.0, PROTOCOL_ERROR);
}

#[tokio::test(start_paused = true)]
async fn a_connection_ends_when_it_has_to_or_when_the_client_leaves() {
    let mut line = connect(Topics::default(), 8);
    *line.desk.over.lock().unwrap_or_else(PoisonError::into_inner) = Some(Close::going_down());
    assert_eq!(line.close().await, (GOING_AWAY, "the host goes down".to_owned()));
    let mut line = connect(Topics::default(), 8);
    line.say(Message::Close(None));
    assert_eq!(line.next().await, None, "the socket itself answers a close frame");
}

#[test]
fn a_reason_fits_its_frame() {
    let close = Close::refused(&"ä".repeat(100));
    assert_eq!(close.reason.len(), MAX_REASON - 1, "whole characters alone");
}

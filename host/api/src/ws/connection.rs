//! One WebSocket: what goes over it, and how it ends.
//!
//! It never makes anybody wait: who is too slow for what happens is let go, and told why.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message};
use bailiwick_agents::bus::{InvalidTopic, Told, Topics};
use bailiwick_wire::socket::SocketMessage;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::command::{Command, Deed, Done};
use super::convert;
use crate::problem::Failure;

/// Commands of one client that are under way at once: a person gives one, a page some.
const MAX_COMMANDS: usize = 16;

/// How long a client should wait while as many are under way.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(1);

/// How often to look whether the connection has to end.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long a client may take nothing of what it is sent.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a client is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(20);

/// How long nothing may come of a client: three pings unanswered.
const MAX_SILENCE: Duration = Duration::from_mins(1);

/// How long both sides have to take leave.
const FAREWELL: Duration = Duration::from_secs(1);

/// Bytes of the reason in a close frame (RFC 6455, 5.5).
const MAX_REASON: usize = 123;

/// The host goes down.
const GOING_AWAY: u16 = 1001;

/// What came is none of the protocol.
const PROTOCOL_ERROR: u16 = 1002;

/// Frames of this kind are not taken.
const UNSUPPORTED: u16 = 1003;

/// A rule of this host.
const POLICY: u16 = 1008;

/// Connect again.
const TRY_AGAIN: u16 = 1013;

/// What stands behind a connection.
pub(super) trait Desk: Send + Sync + 'static {
    /// Why the connection has to end now, if it has.
    fn over(&self) -> Option<Close>;

    /// Does what a client asks for.
    fn perform(self: Arc<Self>, deed: Deed) -> BoxFuture<'static, Result<Done, Failure>>;
}

/// Why the host closes a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Close {
    code: u16,
    reason: String,
}

/// How a connection ends.
enum End {
    /// The client left.
    Left,
    /// The host closes it.
    Closed(Close),
}

/// What is to be sent next, or the end.
type Next = Result<Option<Message>, End>;

impl Close {
    /// The host goes down.
    pub(super) fn going_down() -> Self {
        Self::new(GOING_AWAY, "the host goes down")
    }

    /// The client may listen no longer.
    pub(super) fn refused(detail: &str) -> Self {
        Self::new(POLICY, detail)
    }

    fn new(code: u16, reason: &str) -> Self {
        Self { code, reason: reason[..reason.floor_char_boundary(MAX_REASON)].to_owned() }
    }
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Closed(close)
    }
}

/// Serves one client until it leaves or has to.
pub(super) async fn live<D, I, O>(
    desk: Arc<D>,
    told: broadcast::Receiver<Arc<Told>>,
    topics: Topics,
    mut incoming: I,
    outgoing: O,
) where
    D: Desk,
    I: Stream<Item = Result<Message, axum::Error>> + Unpin,
    O: Sink<Message> + Unpin,
{
    let now = Instant::now();
    let mut connection =
        Connection { desk, topics, outgoing, work: FuturesUnordered::new(), heard_at: now, pinged_at: now };
    let end = connection.run(told, &mut incoming).await;
    if timeout(FAREWELL, connection.take_leave(end, &mut incoming)).await.is_err() {
        tracing::debug!("a WebSocket is cut off, because its client did not take leave");
    }
}

struct Connection<D, O> {
    desk: Arc<D>,
    topics: Topics,
    outgoing: O,
    /// Answers to come.
    work: FuturesUnordered<BoxFuture<'static, SocketMessage>>,
    /// When the last frame came.
    heard_at: Instant,
    pinged_at: Instant,
}

impl<D: Desk, O: Sink<Message> + Unpin> Connection<D, O> {
    async fn run<I>(&mut self, mut told: broadcast::Receiver<Arc<Told>>, incoming: &mut I) -> End
    where
        I: Stream<Item = Result<Message, axum::Error>> + Unpin,
    {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = tokio::select! {
                biased;
                _ = looks.tick() => self.look(),
                Some(answer) = self.work.next(), if !self.work.is_empty() => Ok(Some(convert::frame(&answer))),
                frame = incoming.next() => self.take(frame),
                heard = told.recv() => self.pass_on(heard),
            };
            let sent = match next {
                Ok(None) => Ok(()),
                Ok(Some(message)) => self.send(message).await,
                Err(end) => Err(end),
            };
            if let Err(end) = sent {
                return end;
            }
        }
    }

    /// What has to happen by itself.
    fn look(&mut self) -> Next {
        if let Some(close) = self.desk.over() {
            return Err(close.into());
        }
        let now = Instant::now();
        if now.duration_since(self.heard_at) >= MAX_SILENCE {
            return Err(Close::new(POLICY, "nothing came for a minute").into());
        }
        if now.duration_since(self.pinged_at) < PING_EVERY {
            return Ok(None);
        }
        self.pinged_at = now;
        Ok(Some(Message::Ping(Bytes::new())))
    }

    /// What the client sent.
    fn take(&mut self, frame: Option<Result<Message, axum::Error>>) -> Next {
        let Some(frame) = frame else { return Err(End::Left) };
        let Ok(message) = frame else {
            let reason = "that is no message of the protocol, or one of more than 64 KiB";
            return Err(Close::new(PROTOCOL_ERROR, reason).into());
        };
        self.heard_at = Instant::now();
        match message {
            Message::Text(text) => Ok(self.command(text.as_str()).map(|answer| convert::frame(&answer))),
            Message::Binary(_) => Err(Close::new(UNSUPPORTED, "expected JSON in text frames").into()),
            Message::Ping(_) | Message::Pong(_) => Ok(None),
            Message::Close(_) => Err(End::Left),
        }
    }

    /// What happened.
    fn pass_on(&self, heard: Result<Arc<Told>, RecvError>) -> Next {
        match heard {
            Ok(told) => Ok(self.topics.hear(&told).then(|| convert::frame(&convert::event(&told)))),
            Err(RecvError::Lagged(missed)) => {
                Err(Close::new(TRY_AGAIN, &format!("too slow for what happens: {missed} events were missed")).into())
            }
            Err(RecvError::Closed) => Err(Close::going_down().into()),
        }
    }

    /// Begins what a client asks for; answers at once where there is nothing to wait for.
    fn command(&mut self, text: &str) -> Option<SocketMessage> {
        let (id, command) = match convert::command(text) {
            Ok(asked) => asked,
            Err((id, failure)) => return Some(convert::answer(id, Err(failure))),
        };
        let done = match command {
            Command::Subscribe(patterns) => self.listen(|topics| topics.add(patterns.iter().map(String::as_str))),
            Command::Unsubscribe(patterns) => self.listen(|topics| topics.remove(patterns.iter().map(String::as_str))),
            Command::Do(_) if self.work.len() >= MAX_COMMANDS => {
                let detail = format!("{MAX_COMMANDS} commands of this connection are under way");
                Err(Failure::busy(&detail, RETRY_WHEN_FULL))
            }
            Command::Do(deed) => {
                let done = Arc::clone(&self.desk).perform(deed);
                self.work.push(Box::pin(async move { convert::answer(Some(id), done.await) }));
                return None;
            }
        };
        Some(convert::answer(Some(id), done))
    }

    fn listen(&mut self, change: impl FnOnce(&mut Topics) -> Result<(), InvalidTopic>) -> Result<Done, Failure> {
        change(&mut self.topics).map_err(|error| convert::invalid_topics(&error))?;
        Ok(Done { topics: Some(self.topics.patterns().to_vec()), ..Done::default() })
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(SEND_TIMEOUT, self.outgoing.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Left),
            Err(_) => Err(Close::new(POLICY, "too slow: nothing was taken for 5 s").into()),
        }
    }

    async fn take_leave<I>(&mut self, end: End, incoming: &mut I)
    where
        I: Stream<Item = Result<Message, axum::Error>> + Unpin,
    {
        if let End::Closed(Close { code, reason }) = end {
            tracing::debug!(code, reason, "a WebSocket is closed");
            let frame = CloseFrame { code, reason: reason.into() };
            if self.outgoing.send(Message::Close(Some(frame))).await.is_err() {
                return;
            }
        }
        // A connection that is dropped with something unread in it is reset, and the client
        // would not see why.
        while let Some(Ok(_)) = incoming.next().await {}
    }
}

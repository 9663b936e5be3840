//! The WebSocket: what happens among agents and runs, told while it happens, and commands
//! of people who watch.

mod command;
mod connection;
mod convert;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use bailiwick_wire::socket::{SocketHeaders, SocketMessage, SocketQuery};
use futures::StreamExt as _;

use self::command::Office;
use crate::auth::caller::ReadRuns;
use crate::auth::lasting::Lasting;
use crate::extract::{Query, Trace};
use crate::openapi::SocketProblems;
use crate::problem::{Failure, Kind};
use crate::state::ApiState;

/// `WebSockets` that are open at once: people and dashboards that watch, not machines.
pub(crate) const MAX_SOCKETS: usize = 64;

/// How long a client should wait while as many are open as may.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(5);

/// Bytes of a client's message: above every command that makes sense.
const MAX_MESSAGE: usize = 64 << 10;

/// Bytes that a connection reads at once; 64 of them are 1 MiB.
const READ_BUFFER: usize = 16 << 10;

/// The protocol in which both sides speak.
const PROTOCOL: &str = "bailiwick.v1";

/// Listen and command
///
/// A WebSocket with JSON in text frames. The host sends a `SocketMessage` for each event
/// whose topic or name fits one of the patterns that were asked for, and for the answer to
/// each command; a client sends a `SocketCommand`.
///
/// A pattern fits a topic (`agent.NAME.task`, `agent.NAME.status`, `workflow.ID.events`,
/// `broadcast.clients`, `metrics`), a name (`task.completed`), or a name with the id of the run
/// behind it. Events of runs are told once they are durable. Nothing is told twice and nothing
/// is kept here: who comes again reads what was missed from the events of the run, and from
/// the list of agents.
///
/// Commands that control runs and `publish` need the scope `runs:submit`, `approve` and
/// `deny` need `approvals:answer`. A message that is no command is answered, and the
/// connection stays.
///
/// The host pings every 20 s and closes a connection on which nothing came for 60 s (1008),
/// which took nothing for 5 s (1008), which is too slow for what happens (1013), whose key
/// is no longer good (1008), which sends other than text (1003), or more than 64 KiB in one
/// message (1002), and all of them when it goes down (1001). A client connects again, and
/// waits longer each time.
#[utoipa::path(
    get,
    path = "/ws/events",
    operation_id = "listen",
    tag = "runs",
    security(("key" = ["runs:read"])),
    params(SocketQuery, SocketHeaders),
    responses(
        (
            status = 101,
            description = "The connection is a WebSocket from now on. These are the messages of the host.",
            body = SocketMessage
        ),
        SocketProblems,
    )
)]
pub(crate) async fn listen(
    State(state): State<ApiState>,
    caller: Lasting<ReadRuns>,
    Trace(trace): Trace,
    Query(query): Query<SocketQuery>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    let topics = convert::topics(query.topics.as_deref())?;
    let upgrade = upgrade.map_err(|rejection| Failure::upgrade_required(&rejection.body_text()))?;
    let place = Arc::clone(state.sockets()).try_acquire_owned().map_err(|_| {
        let detail = format!("{MAX_SOCKETS} are open");
        Failure::after(Kind::TOO_MANY_SOCKETS, detail, RETRY_WHEN_FULL)
    })?;
    // Before the answer, so that nothing happens between them unheard.
    let told = state.runs().bus().subscribe();
    let desk = Arc::new(Office::new(state, caller, trace));
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let (outgoing, incoming) = socket.split();
        connection::live(desk, told, topics, incoming, outgoing).await;
        drop(place);
    }))
}

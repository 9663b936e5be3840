//! The servers that are compared: the host itself, a bare route with and without a
//! durable record, and an echo.
#![expect(clippy::print_stdout, reason = "a server says where it listens, as the host's own does")]

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bailiwick_server::cli::Serve;
use bailiwick_server::commands;
use bailiwick_server::output::Output;
use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::Service as _;

use crate::floor::Floor;
use crate::log::Log;
use crate::{guests, host};

/// Serves until the process ends. The setting is the host's configuration file,
/// or the number of threads of the others.
pub fn serve(server: &str, setting: &str) {
    match server {
        "host" => serve_host(Path::new(setting)),
        "bare" => serve_router(&bare(), setting.parse().unwrap()),
        "durable" => {
            let folder = tempfile::tempdir().unwrap();
            serve_router(&durable(folder.path()), setting.parse().unwrap());
        }
        "echo" => serve_router(&echo(), setting.parse().unwrap()),
        other => panic!("no such server: {other}"),
    }
}

/// What `bailiwick serve` does.
fn serve_host(config: &Path) {
    let serve = Serve { listen: Some(([127, 0, 0, 1], 0).into()), log_json: false };
    let served = commands::serve::run(&serve, host::read_config(config), Output::new(true));
    served.map_err(|failure| failure.message).unwrap();
}

/// A route that makes the call and does nothing else.
fn bare() -> Router {
    Router::new().route("/call", post(call)).with_state(Arc::new(Floor::new(&guests::rust())))
}

/// The same, with a record that is durable before the answer.
fn durable(folder: &Path) -> Router {
    let state = (Arc::new(Floor::new(&guests::rust())), Log::new(&folder.join("log")));
    Router::new().route("/call", post(call_durably)).with_state(state)
}

async fn call_durably(State((floor, log)): State<(Arc<Floor>, Log)>, body: Bytes) -> Response {
    let answer = call(State(floor), body).await;
    log.append().await;
    answer
}

/// A route that parses JSON and writes it again.
fn echo() -> Router {
    Router::new().route("/call", post(async |body: Bytes| answer::<Value>(serde_json::from_slice(&body))))
}

#[derive(Deserialize)]
struct Request {
    text: String,
}

#[derive(Serialize)]
struct Answer {
    output: String,
}

async fn call(State(floor): State<Arc<Floor>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Request>(&body) {
        Ok(request) => answer(Ok(Answer { output: floor.echo(&request.text).await })),
        Err(error) => answer::<Answer>(Err(error)),
    }
}

fn answer<T: Serialize>(value: serde_json::Result<T>) -> Response {
    match value.and_then(|value| serde_json::to_vec(&value)) {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

fn serve_router(router: &Router, threads: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        println!("{}", json!({ "listening": format!("http://{}", listener.local_addr().unwrap()) }));
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let router = router.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| router.clone().call(request));
                // A client that goes away ends its connection, and that is all.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

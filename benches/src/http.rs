//! A call over HTTP: the host's route, whose record is durable before the answer; a
//! route without the host, with such a record and without; and an echo.

use serde_json::{Value, json};

use crate::child::Server;
use crate::clock::{median, micros_each, quantile};
use crate::guests;
use crate::host::{Installation, echo_arguments};
use crate::load::{CONNECTIONS, Load};
use crate::report::{Goal, Row};

/// Requests in one round: some 200 ms.
const REQUESTS: usize = 6_000;

/// Rounds of each server, of which the middle one counts.
const ROUNDS: usize = 15;

/// Requests before anything is counted.
const WARM_UP: usize = 2_000;

/// What one server showed in one round.
struct Round {
    cpu: f64,
    rate: f64,
    latencies: Vec<f64>,
}

/// A server with what loads it.
struct Subject {
    server: Server,
    load: Load,
    awake: bool,
    rounds: Vec<Round>,
}

impl Subject {
    fn new(server: Server, awake: bool, path: &str, headers: &str, body: &Value) -> Self {
        let mut load = Load::new(server.address, path, headers, &body.to_string());
        load.round(WARM_UP, awake);
        Self { server, load, awake, rounds: Vec::new() }
    }

    fn round(&mut self) {
        let before = self.server.cpu();
        let round = self.load.round(REQUESTS, self.awake);
        let cpu = self.server.cpu().saturating_sub(before);
        self.rounds.push(Round {
            cpu: micros_each(cpu, REQUESTS),
            rate: 1e6 / micros_each(round.wall, REQUESTS),
            latencies: round.latencies,
        });
    }

    fn cpu(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.cpu))
    }

    fn rate(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.rate))
    }

    fn latency(&self, share: f64) -> f64 {
        quantile(self.rounds.iter().flat_map(|round| round.latencies.iter().copied()), share)
    }
}

/// Measures with one worker thread in the servers, and with two.
pub fn measure() -> Vec<Row> {
    [1, 2].into_iter().flat_map(with_threads).collect()
}

fn with_threads(threads: usize) -> Vec<Row> {
    let installation = Installation::new(1, threads);
    let log = installation.log_path();
    let config = installation.config_path();
    let setting = threads.to_string();
    let key = format!("authorization: Bearer {}\r\n", installation.key());
    let path = format!("/v1/skills/{}/execute", guests::skill_id(0));
    let body = json!({ "tool": "echo", "arguments": echo_arguments() });
    let start = |server: &str, setting: &str| Server::start(server, setting, &log.with_extension(server));
    // With one worker the generator has a core to itself; with two it must share.
    let awake = threads == 1;
    let mut host = Subject::new(start("host", config.to_str().unwrap()), awake, &path, &key, &body);
    let mut bare = Subject::new(start("bare", &setting), awake, "/call", "", &echo_arguments());
    let mut durable = Subject::new(start("durable", &setting), awake, "/call", "", &echo_arguments());
    let mut echo = Subject::new(start("echo", &setting), awake, "/call", "", &body);
    for _ in 0..ROUNDS {
        host.round();
        durable.round();
        bare.round();
        echo.round();
    }
    rows(threads, &host, &durable, &bare, &echo)
}

fn rows(threads: usize, host: &Subject, durable: &Subject, bare: &Subject, echo: &Subject) -> Vec<Row> {
    let workers = if threads == 1 { "1 worker".to_owned() } else { format!("{threads} workers") };
    let row = |what: &str, unit, value: &dyn Fn(&Subject) -> f64, floor: &Subject, goal| Row {
        what: format!("HTTP, {workers}: {what}"),
        unit,
        ours: value(host),
        floor: value(floor),
        goal,
    };
    vec![
        row("CPU of a call, durable bare route", "µs", &Subject::cpu, durable, Goal::None),
        row("CPU of a call, bare route", "µs", &Subject::cpu, bare, Goal::None),
        row("CPU of a call, JSON echo", "µs", &Subject::cpu, echo, Goal::None),
        row("calls a second, durable bare route", "/s", &Subject::rate, durable, Goal::RatioAtLeast(0.7)),
        row("calls a second, bare route", "/s", &Subject::rate, bare, Goal::None),
        row("calls a second, JSON echo", "/s", &Subject::rate, echo, Goal::None),
        row(&format!("p50 at {CONNECTIONS} connections, durable"), "µs", &|it| it.latency(0.5), durable, Goal::None),
        row(&format!("p99 at {CONNECTIONS} connections, durable"), "µs", &|it| it.latency(0.99), durable, Goal::None),
    ]
}

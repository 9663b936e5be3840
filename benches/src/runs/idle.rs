//! A server that nobody asks anything.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use bailiwick_journal::Journal;

use super::world::{AGENT, AGENT_FILE, Takes, World, all_places};
use super::{on, threads};
use crate::child::Server;
use crate::host::Installation;
use crate::report::{Goal, Row};

/// Runs that are paused.
const PAUSED: usize = 100;

/// How long a server is left alone before anything is counted: skills are prepared, and
/// runs are taken up.
const SETTLE: Duration = Duration::from_secs(2);

/// How long it is left alone after that.
const IDLE: Duration = Duration::from_secs(5);

/// Measures servers without runs and with paused ones, beside one with nothing but the
/// engine. All of them are idle at the same time.
pub(super) fn measure() -> Vec<Row> {
    let (empty, paused) = (Installation::new(1, 1), Installation::new(1, 1));
    pause_runs(&paused);
    let host = |installation: &Installation| {
        Server::start("host", installation.config_path().to_str().unwrap(), &installation.log_path())
    };
    let bare = Server::start("bare", "1", &empty.log_path().with_extension("bare"));
    let [empty, paused, bare] = idle([host(&empty), host(&paused), bare]);
    let row = |what: String, ours| Row {
        what: format!("runs: CPU of an idle server in a second, {what}"),
        unit: "ms",
        ours,
        floor: bare,
        goal: Goal::None,
    };
    vec![row("no runs".to_owned(), empty), row(format!("{PAUSED} paused runs"), paused)]
}

/// Milliseconds of CPU that each of these servers uses in a second.
fn idle(mut servers: [Server; 3]) -> [f64; 3] {
    thread::sleep(SETTLE);
    let (before, start) = (servers.each_mut().map(Server::cpu), Instant::now());
    thread::sleep(IDLE);
    let (after, seconds) = (servers.each_mut().map(Server::cpu), start.elapsed().as_secs_f64());
    let used = |server: usize| after[server].saturating_sub(before[server]).as_secs_f64() * 1e3;
    [used(0), used(1), used(2)].map(|used| used / seconds)
}

/// Leaves so many paused runs in the journal of a host that is not running.
fn pause_runs(installation: &Installation) {
    let config = installation.config();
    let agents = installation.config_path().parent().map(|folder| folder.join("agents")).unwrap();
    fs::create_dir_all(&agents).unwrap();
    fs::write(agents.join(format!("{AGENT}.toml")), AGENT_FILE).unwrap();
    paused_in(&config.data_dir.join("journal.redb"));
}

fn paused_in(path: &Path) {
    let threads = threads();
    let journal = Journal::open(path).unwrap();
    let world = World::new(&journal, Takes::ForEver, all_places());
    on(&threads, async move {
        for id in world.begin(PAUSED).await {
            world.runtime.pause(&id, "bench").await.unwrap();
        }
        world.runtime.stop(Duration::ZERO).await;
    });
}

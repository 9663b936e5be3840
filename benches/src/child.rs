//! Parts of this benchmark that run in processes of their own, so that one's
//! memory, threads and start don't count for another.
#![expect(clippy::print_stdout, reason = "a child answers on its standard output")]

use std::env;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::runs::recovery;
use crate::{clock, memory, ready, servers};

/// The first argument of a child.
const MARK: &str = "--child";

/// Plays the child's part if these are a child's arguments; says whether they were.
pub fn play(arguments: &[String]) -> bool {
    let [mark, role, rest @ ..] = arguments else { return false };
    if mark != MARK {
        return false;
    }
    match (role.as_str(), rest) {
        ("serve", [server, setting]) => {
            answer_on_input();
            servers::serve(server, setting);
        }
        ("memory", [variant, guest, compiled]) => println!("{}", memory::grow(variant, guest, compiled)),
        ("ready", [variant, path]) => println!("{}", ready::start(variant, path)),
        ("fill", [journal, runs]) => println!("{}", recovery::fill(journal, runs)),
        ("recover", [variant, journal]) => println!("{}", recovery::start(variant, journal)),
        _ => panic!("no such role: {arguments:?}"),
    }
    true
}

/// Runs a child to its end and returns what it answered.
pub fn ask(role: &[&str]) -> Value {
    let output = command(role).stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "the child {role:?} failed: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A server in a process of its own, which ends when this is dropped.
pub struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts `server` and waits until it listens; it logs to the file at `log`.
    pub fn start(server: &str, setting: &str, log: &Path) -> Self {
        let log = File::create(log).unwrap();
        let mut command = command(&["serve", server, setting]);
        let mut child = command.env_remove("RUST_LOG").stdin(Stdio::piped()).stderr(log).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut server = Self { child, input, output: BufReader::new(output), address: SocketAddr::from(([0; 4], 0)) };
        let url = server.answer()["listening"].as_str().unwrap().to_owned();
        server.address = url.trim_start_matches("http://").parse().unwrap();
        server
    }

    /// The CPU time that it used so far.
    pub fn cpu(&mut self) -> Duration {
        self.input.write_all(b"cpu\n").unwrap();
        Duration::from_nanos(self.answer()["cpu"].as_u64().unwrap())
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A child that is gone already needs no ending.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(role: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg(MARK).args(role).stdout(Stdio::piped());
    command
}

/// Answers each line on the standard input with the CPU time of this process,
/// and ends the process with the input, so that no child outlives its parent.
fn answer_on_input() {
    thread::spawn(|| {
        for _ in std::io::stdin().lines().map_while(Result::ok) {
            println!("{}", json!({ "cpu": u64::try_from(clock::process_cpu().as_nanos()).unwrap() }));
        }
        std::process::exit(0);
    });
}

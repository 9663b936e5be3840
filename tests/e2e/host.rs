//! The real binary in a home of its own: its command line, its server, and a client.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;

/// How long anything may take that is bound to happen, on a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The name that the tests' own key has.
const KEY_NAME: &str = "e2e";

/// Folders, a configuration and packages; gone when dropped.
pub(crate) struct Home {
    folder: TempDir,
    token: OnceLock<String>,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A server under way, ended when dropped.
pub(crate) struct Server {
    child: Child,
    client: Client,
    log: Arc<Mutex<String>>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// With `settings`, which are tables of a configuration.
    pub(crate) fn with(settings: &str) -> Self {
        let cache = target().join("test-cache");
        Self::configured(&format!("data_dir = \"data\"\ncache_dir = \"{}\"\n{settings}", cache.display()))
    }

    /// With exactly this configuration.
    pub(crate) fn configured(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("skills")).unwrap();
        fs::write(folder.path().join("bailiwick.toml"), text).unwrap();
        Self { folder, token: OnceLock::new() }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A file with its folders.
    pub(crate) fn write(&self, below: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Adds a skill that ships.
    pub(crate) fn skill(&self, name: &str) -> &Self {
        copy(&target().join("skills").join(name), &self.path("skills").join(name));
        self
    }

    /// Adds a package of tests/plain.
    pub(crate) fn test_skill(&self, name: &str) -> &Self {
        copy(&target().join("test-skills").join(name), &self.path("skills").join(name));
        self
    }

    /// Adds an example that `make build` built.
    pub(crate) fn example(&self, name: &str) -> &Self {
        copy(&target().join("examples").join(name), &self.path("skills").join(name));
        self
    }

    /// Adds a component of tests/guests as the skill `tests/NAME`, with more lines for its manifest.
    pub(crate) fn guest(&self, name: &str, more: &str) -> &Self {
        self.package(name, &format!("tests/{name}"), "1.0.0", name, more)
    }

    /// Adds a component of tests/guests in the package `folder`.
    pub(crate) fn package(&self, folder: &str, id: &str, version: &str, guest: &str, more: &str) -> &Self {
        let kind = if matches!(guest, "flow" | "provider") { "workflow" } else { "tool" };
        let manifest = format!(
            "skill_id = \"{id}\"\nversion = \"{version}\"\nkind = \"{kind}\"\ncomponent = \"{guest}.wasm\"\n{more}"
        );
        // The component first: a watching server would else see a package without one.
        self.write(&format!("skills/{folder}/{guest}.wasm"), component(guest));
        self.write(&format!("skills/{folder}/skill.toml"), manifest);
        self
    }

    /// Adds a prompt.
    pub(crate) fn prompt(&self, name: &str) -> &Self {
        let text = format!("---\nname: {name}\ndescription: Says how to {name}. Use it then.\n---\n\nDo it well.\n");
        self.write(&format!("skills/{name}/SKILL.md"), text);
        self
    }

    /// The command line, ready for more.
    pub(crate) fn command(&self) -> Command {
        self.prepared(Command::new(binary()))
    }

    /// The same, started by another program, which gets it as its last argument.
    pub(crate) fn command_by(&self, starter: &[&str]) -> Command {
        let mut command = Command::new(starter[0]);
        command.args(&starter[1..]).arg(binary());
        self.prepared(command)
    }

    fn prepared(&self, mut command: Command) -> Command {
        command.current_dir(self.folder.path()).env("HOME", self.folder.path()).env("USER", "tester");
        for name in ["BAILIWICK_DATA_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "RUST_LOG", "NO_COLOR", "SUDO_USER"] {
            command.env_remove(name);
        }
        command.env("BAILIWICK_CONFIG", self.path("bailiwick.toml")).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Ran {
        Ran::of(self.command().args(arguments))
    }

    /// Runs a command that reads `input`.
    pub(crate) fn feed(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that refuses its arguments may end before it has read all.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().unwrap().into()
    }

    /// Grants, as a person would.
    pub(crate) fn grant(&self, skill: &str, more: &[&str]) -> &Self {
        self.run(&[&["grant", "add", skill], more].concat()).expect(0);
        self
    }

    /// The token of the tests' own key, which may read and execute.
    pub(crate) fn token(&self) -> &str {
        self.token.get_or_init(|| self.key(KEY_NAME, &["skills:read", "skills:execute"]))
    }

    /// A new key, as its token.
    pub(crate) fn key(&self, name: &str, scopes: &[&str]) -> String {
        let mut arguments = vec!["--json", "key", "create", name];
        arguments.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
        let key = self.run(&arguments).expect(0).json();
        key["token"].as_str().unwrap().to_owned()
    }

    /// A server on a free port, with the tests' own key.
    pub(crate) fn serve(&self) -> Server {
        Server::start(self.command().args(["serve", "--listen", "127.0.0.1:0"]), self.token())
    }
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        command.output().unwrap().into()
    }

    /// The same, if it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
    }
}

impl From<std::process::Output> for Ran {
    fn from(output: std::process::Output) -> Self {
        Self {
            // A signal has no code.
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Server {
    /// Starts a `serve` command and waits until it listens.
    pub(crate) fn start(command: &mut Command, token: &str) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        collect(child.stderr.take().unwrap(), Arc::clone(&log));
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.strip_prefix("listening on ").and_then(|rest| rest.split_whitespace().next());
        let Some(url) = url.map(str::to_owned) else {
            let status = child.wait().unwrap();
            // What it said may still be on its way through the pipe.
            thread::sleep(Duration::from_millis(200));
            panic!("the server ended with {status} and said {line:?}; its log: {}", text(&log));
        };
        // The rest is read too, or the pipe would fill up.
        collect(stdout, Arc::default());
        Self { child, client: Client::new(url, Some(token)), log }
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the server has logged so far.
    pub(crate) fn log(&self) -> String {
        text(&self.log)
    }

    /// Asks the server to end, as a service manager does.
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Ends the server at once, as a power cut does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// How the server ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        eventually("the server ends", || self.child.try_wait().unwrap())
    }

    /// Ends the server in good order.
    pub(crate) fn stop(mut self) {
        self.terminate();
        assert!(self.wait().success(), "{}", self.log());
    }

    /// Grants anew, and waits until the server knows.
    pub(crate) fn regrant(&self, home: &Home, skill: &str, more: &[&str]) {
        let revoked = home.run(&["grant", "revoke", skill]);
        assert!(matches!(revoked.code, 0 | 3), "{revoked:?}");
        eventually("the old grant is gone", || (!self.lets_in(skill)).then_some(()));
        home.grant(skill, more);
        eventually("the grant is known", || self.lets_in(skill).then_some(()));
    }

    /// Whether the skill has a grant: policy comes before the look at what the arguments are.
    fn lets_in(&self, skill: &str) -> bool {
        let tool = self.get(&format!("/v1/skills/{skill}")).ok()["tools"][0]["name"].clone();
        let body = serde_json::json!({ "tool": tool, "arguments": { "no such parameter": 1 } });
        let problem = self.post(&format!("/v1/skills/{skill}/execute"), &body).json();
        !matches!(problem["code"].as_str(), Some("not-granted" | "grant-suspended"))
    }
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The bytes of a component of tests/guests.
pub(crate) fn component(guest: &str) -> Vec<u8> {
    fs::read(target().join(format!("test-guests/{guest}.wasm"))).unwrap()
}

/// The binary, which was built into the folder above that of the tests.
pub(crate) fn binary() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().and_then(Path::parent).unwrap().join("bailiwick")
}

/// The build folder, where guests and skills are packed.
pub(crate) fn target() -> PathBuf {
    binary().parent().and_then(Path::parent).unwrap().to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Reads to the end in the background.
fn collect(source: impl Read + Send + 'static, into: Arc<Mutex<String>>) {
    thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            let mut text = into.lock().unwrap_or_else(PoisonError::into_inner);
            text.push_str(&line);
            text.push('\n');
        }
    });
}

fn text(log: &Mutex<String>) -> String {
    log.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

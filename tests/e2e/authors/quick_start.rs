//! The quick start of each language: typed as it stands there, in an empty folder, it ends
//! with a skill that answers over HTTP.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::{Section, sections};
use crate::host::binary;

/// What the pages say where the server listens.
const ADDRESS: &str = "127.0.0.1:7171";

/// Stands in the output before that of the last command.
const LAST: &str = "----- the last command";

/// Seconds for all of it, builds and waiting for the server included.
const PATIENCE: &str = "570";

#[test]
fn rust() {
    follow("rust.md");
}

#[test]
fn python() {
    follow("python.md");
}

#[test]
fn javascript() {
    follow("javascript.md");
}

#[test]
fn c() {
    follow("c.md");
}

#[test]
fn a_script_is_what_the_page_says() {
    let page = "mkdir x\nbailiwick serve &\n\ncurl http://127.0.0.1:7171/v1/skills \\\n  -H 'a: b'\n\n";
    let expected = format!(
        "mkdir x\nbailiwick serve &\n\necho; echo '{LAST}'\ncurl http://127.0.0.1:4000/v1/skills \\\n  -H 'a: b'\n\n"
    );
    assert_eq!(script(page, 4000), expected);
}

/// Types what the page says, and looks at the last answer.
#[track_caller]
fn follow(page: &str) {
    let sections = sections(page);
    let is_start = |section: &&Section| {
        let title = section.title.to_lowercase();
        ["five minutes", "quick start"].iter().any(|words| title.contains(words))
    };
    let section = sections.iter().find(is_start);
    let section = section.unwrap_or_else(|| panic!("{page} has no section `## Five minutes`"));
    let typed: String = section.blocks("sh").collect();
    let shown = section.blocks("json").next_back();
    let shown = shown.unwrap_or_else(|| panic!("{page} doesn't show the answer in a block of json"));
    let expected: Value = serde_json::from_str(shown).unwrap_or_else(|error| panic!("{page}: {error} in {shown}"));
    let folder = tempfile::tempdir().unwrap();
    let (output, error) = Typing::begin(&typed, folder.path()).end(folder.path());
    let answer = output.rsplit(LAST).next().unwrap_or_default();
    let answer: Value = serde_json::from_str(answer.trim())
        .unwrap_or_else(|problem| panic!("{page}: {problem}\nstdout: {output}\nstderr: {error}"));
    assert!(has(&answer, &expected), "{page} shows {expected}, and the answer was {answer}\nstderr: {error}");
}

/// Whether `answer` has all that is shown of it.
fn has(answer: &Value, shown: &Value) -> bool {
    match (answer, shown) {
        (Value::Object(answer), Value::Object(shown)) => {
            shown.iter().all(|(key, shown)| answer.get(key).is_some_and(|answer| has(answer, shown)))
        }
        (answer, shown) => answer == shown,
    }
}

/// A shell under way. All that it has started ends with it.
struct Typing(Child);

impl Typing {
    fn begin(typed: &str, folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let work = folder.join("work");
        fs::create_dir(&work).unwrap();
        let path = env::var_os("PATH").unwrap_or_default();
        let own = binary().parent().unwrap().to_owned();
        let path = env::join_paths([own].into_iter().chain(env::split_paths(&path))).unwrap();
        let mut shell = Command::new("timeout");
        shell.args([PATIENCE, "bash", "-e", "-o", "pipefail", "-c", &script(typed, port)]).current_dir(work);
        for name in ["BAILIWICK_CONFIG", "BAILIWICK_DATA_DIR", "RUST_LOG", "NO_COLOR"] {
            shell.env_remove(name);
        }
        // The toolchains of the user stay where they are; the host's own files don't.
        shell.env("PATH", path).env("BAILIWICK_LISTEN", format!("127.0.0.1:{port}"));
        shell.env("XDG_DATA_HOME", folder.join("data")).env("XDG_CONFIG_HOME", folder.join("config"));
        // Files in place of pipes: the server that goes on would keep a pipe open.
        let file = |name: &str| File::create(folder.join(name)).unwrap();
        shell.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr")).process_group(0);
        Self(shell.spawn().unwrap())
    }

    /// Waits for the last command; what was printed.
    fn end(mut self, folder: &Path) -> (String, String) {
        let status = self.0.wait().unwrap();
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let (output, error) = (read("stdout"), read("stderr"));
        assert!(status.success(), "{status}\nstdout: {output}\nstderr: {error}");
        (output, error)
    }
}

impl Drop for Typing {
    fn drop(&mut self) {
        // Also where the shell has ended, what it started may go on.
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// What is typed, at another port, and with a mark before the last command.
fn script(typed: &str, port: u16) -> String {
    let typed = typed.replace(ADDRESS, &format!("127.0.0.1:{port}"));
    let lines: Vec<&str> = typed.lines().collect();
    let goes_on = |line: &&str| line.trim_end().ends_with('\\');
    let last = lines.iter().rposition(|line| !line.trim().is_empty()).unwrap_or_default();
    let begun = lines[..last].iter().rev().take_while(|line| goes_on(line)).count();
    let mut script = String::new();
    for (number, line) in lines.iter().enumerate() {
        if number == last - begun {
            let _ = writeln!(script, "echo; echo '{LAST}'");
        }
        let _ = writeln!(script, "{line}");
    }
    script
}

//! The main job on real input, told as it goes: skills work on real files,
//! each within its grant, and are refused what they were not granted.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// Lines of an answer that are shown.
const MAX_LINES: usize = 44;

/// How often it is looked whether somebody was asked, and how long between.
const ASKED_WITHIN: u32 = 150;
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Exit code of a refusal, part of the command's interface.
const REFUSED: i32 = 4;

/// Exit code of a tool's own failure.
const TOOL_FAILED: i32 = 5;

/// Runs the demo in `target/demo`, from a clean start.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let stage = Stage::set(root)?;
    say("Eight skills, each a WebAssembly component in a sandbox of its own, and four prompts.");
    stage.bailiwick(&["skills", "list"], 0)?;
    files(&stage)?;
    tables(&stage)?;
    network(&stage)?;
    server(&stage)?;
    team(&stage)?;
    audit(&stage)?;
    observe(&stage)?;
    new_bytes(&stage)?;
    println!("\nDone. The data folder of this demo is {}; nothing else was touched.", stage.shown(&stage.folder));
    println!(
        "README.md tells how to use your own folders, docs/runs.md what agents do; docs/architecture.md how it is built."
    );
    Ok(())
}

fn files(stage: &Stage) -> Result<(), String> {
    let search = r#"{"path":"/work","pattern":"deadline","ignore-case":true}"#;
    say("Nothing is granted at first, so nothing runs:");
    stage.bailiwick(&["skills", "run", "bailiwick/files", "search", "--args", search], REFUSED)?;
    say("A person grants one folder, for reading, to exactly these bytes of the skill:");
    let documents = format!("{}:/work:ro", stage.shown(&stage.folder.join("documents")));
    stage.bailiwick(&["grant", "add", "bailiwick/files", "--fs", &documents, "--reason", "demo"], 0)?;
    say("Now it searches the real files in there:");
    stage.bailiwick(&["skills", "run", "bailiwick/files", "search", "--args", search], 0)?;
    say("One folder beside it, there is nothing to be had:");
    let beside = r#"{"path":"/work/../private/salaries.csv"}"#;
    stage.bailiwick(&["skills", "run", "bailiwick/files", "read", "--args", beside], TOOL_FAILED)?;
    say("To write is a risk: each such call waits until a person has approved it.");
    let write = r#"{"path":"/work/new.txt","content":"x"}"#;
    stage.bailiwick(&["skills", "run", "bailiwick/files", "write", "--args", write], REFUSED)
}

fn tables(stage: &Stage) -> Result<(), String> {
    say("Skills that touch nothing need a grant too, an empty one. This one adds up sales, exactly:");
    stage.bailiwick(&["grant", "add", "bailiwick/table-query"], 0)?;
    let text = fs::read_to_string(stage.folder.join("documents/sales.csv")).map_err(|error| error.to_string())?;
    let arguments = json!({
        "table": { "text": text, "format": "csv" },
        "request": {
            "compute": [{
                "name": "revenue",
                "left": { "column": "units" }, "operator": "multiply", "right": { "column": "price" },
            }],
            "group-by": ["region"],
            "aggregates": [{ "column": "revenue", "function": "sum", "as-name": "revenue" }],
            "sort": [{ "column": "revenue", "descending": true }],
        },
    });
    stage.with_file("sales.json", &arguments, |file| {
        stage.bailiwick(&["skills", "run", "bailiwick/table-query", "query", "--args", file], 0)
    })
}

fn network(stage: &Stage) -> Result<(), String> {
    say("This skill may ask one host. Asked for another, it is stopped before a byte leaves:");
    stage.bailiwick(&["grant", "add", "bailiwick/http-fetch", "--http", "https://example.com"], 0)?;
    let url = r#"{"url":"https://attacker.example/collect"}"#;
    stage.bailiwick(&["skills", "run", "bailiwick/http-fetch", "fetch", "--args", url], TOOL_FAILED)
}

fn server(stage: &Stage) -> Result<(), String> {
    say("The same over HTTP, with an API key and a receipt of what the call could do, did and cost:");
    let token = stage.quiet(&["key", "create", "demo"])?;
    let mut server = Server::start(stage)?;
    let url = format!("{}/v1/skills/bailiwick/files/execute", server.url);
    let body = json!({ "tool": "read", "arguments": { "path": "/work/minutes/2026-10-12.md" } });
    println!("  $ curl {url} -H 'Authorization: Bearer bwk_…' --json '{body}'");
    let sent = ureq::post(&url).header("authorization", &format!("Bearer {token}")).send_json(&body);
    let answer: Value = match sent {
        Ok(mut answer) => answer.body_mut().read_json().map_err(|error| error.to_string())?,
        Err(error) => return Err(format!("the server answered {error}")),
    };
    print_lines(&serde_json::to_string_pretty(&answer).unwrap_or_default());
    server.stop();
    Ok(())
}

fn team(stage: &Stage) -> Result<(), String> {
    say(
        "Now a team of agents, on the same files: two readers side by side, and a scribe who writes down what they found.",
    );
    println!(
        "  Their model is a script (examples/demo/script.toml): it understands nothing, and everything else is real."
    );
    let documents = format!("{}:/work:rw", stage.shown(&stage.folder.join("documents")));
    stage.quiet(&["grant", "add", "bailiwick/files", "--fs", &documents, "--reason", "demo"])?;
    let minutes = ["minutes/2026-09-14.md", "minutes/2026-10-12.md"];
    let run = ["run", "reader", "What are the deadlines?", "--each", minutes[0], minutes[1], "--reduce", "scribe"];
    let running = stage.begin(&run)?;
    say("The scribe wants to write a file, which is a risk. The run waits until a person has looked at it:");
    let approval = stage.until_asked()?;
    stage.bailiwick(&["approvals", "show", &approval], 0)?;
    stage.bailiwick(&["approvals", "approve", &approval, "--reason", "fine"], 0)?;
    say("That was all it waited for. What it told while it ran, and its answer:");
    let output = running.wait_with_output().map_err(|error| error.to_string())?;
    print_lines(&String::from_utf8_lossy(&output.stderr));
    print_lines(&String::from_utf8_lossy(&output.stdout));
    if !output.status.success() {
        return Err("the run did not come to its end".to_owned());
    }
    say("Each step is on record, with the receipt of what it could do and did:");
    let id = stage.quiet(&["--json", "runs", "list"])?;
    let id: Value = serde_json::from_str(&id).map_err(|error| error.to_string())?;
    let id = id["runs"][0]["id"].as_str().unwrap_or_default().to_owned();
    stage.bailiwick(&["runs", "show", &id], 0)
}

fn audit(stage: &Stage) -> Result<(), String> {
    say("All of it was recorded before it was answered, in a chain that can't be changed unseen:");
    stage.bailiwick(&["audit", "verify"], 0)?;
    say("And a reviewer sees on one page what the skill can't do, was granted, and has used:");
    stage.bailiwick(&["audit", "skill", "bailiwick/files"], 0)
}

fn observe(stage: &Stage) -> Result<(), String> {
    say("How small could a grant be? On copies of its folders, a skill shows what it needs:");
    let documents = format!("{}:/work:rw", stage.shown(&stage.folder.join("documents")));
    let call = ["bailiwick/files", "read", "--arg", "path=/work/minutes/2026-10-12.md"];
    stage.bailiwick(&[&["skills", "observe"], &call[..], &["--fs", &documents]].concat(), 0)
}

fn new_bytes(stage: &Stage) -> Result<(), String> {
    say("Last, somebody changes the skill by a few bytes. The grant was for the old ones:");
    let component = stage.folder.join("skills/files/files.wasm");
    let mut bytes = fs::read(&component).map_err(|error| error.to_string())?;
    // A custom section: the code is the same, and still nobody has looked at it.
    bytes.extend_from_slice(b"\x00\x05\x04demo");
    fs::write(&component, bytes).map_err(|error| error.to_string())?;
    let read = r#"{"path":"/work/sales.csv"}"#;
    stage.bailiwick(&["skills", "run", "bailiwick/files", "read", "--args", read], REFUSED)
}

/// Where the demo plays.
struct Stage {
    root: PathBuf,
    folder: PathBuf,
    bailiwick: PathBuf,
}

impl Stage {
    fn set(root: &Path) -> Result<Self, String> {
        let folder = root.join("target/demo");
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(failed)?;
        }
        copy(&root.join("examples/demo"), &folder)?;
        copy(&root.join("target/skills"), &folder.join("skills"))?;
        fs::write(folder.join("bailiwick.toml"), CONFIG).map_err(failed)?;
        let bailiwick = std::env::current_exe().map_err(failed)?.with_file_name("bailiwick");
        if !bailiwick.is_file() {
            return Err(format!("{} is missing; run `make build`", bailiwick.display()));
        }
        Ok(Self { root: root.to_owned(), folder, bailiwick })
    }

    /// A path as it is typed in the repository.
    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.bailiwick);
        command.current_dir(&self.root).args(arguments).stdin(Stdio::null());
        command.env("BAILIWICK_CONFIG", self.folder.join("bailiwick.toml")).env_remove("BAILIWICK_DATA_DIR");
        command
    }

    /// Runs the command, shows it with what it says, and insists on its exit code.
    fn bailiwick(&self, arguments: &[&str], expected: i32) -> Result<(), String> {
        let quoted = |it: &&str| if it.contains(['{', ' ', '"']) { format!("'{it}'") } else { (*it).to_owned() };
        println!("  $ bailiwick {}", arguments.iter().map(quoted).collect::<Vec<_>>().join(" "));
        let output = self.command(arguments).output().map_err(|error| error.to_string())?;
        print_lines(&String::from_utf8_lossy(&output.stdout));
        print_lines(&String::from_utf8_lossy(&output.stderr));
        let code = output.status.code().unwrap_or(-1);
        if code == expected {
            return Ok(());
        }
        Err(format!("the command above ended with {code}, expected {expected}"))
    }

    /// Begins the command and lets it run.
    fn begin(&self, arguments: &[&str]) -> Result<Child, String> {
        let quoted = |it: &&str| if it.contains(' ') { format!("'{it}'") } else { (*it).to_owned() };
        println!("  $ bailiwick {} &", arguments.iter().map(quoted).collect::<Vec<_>>().join(" "));
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())
    }

    /// Waits until somebody is asked something, and gives the id of the question.
    fn until_asked(&self) -> Result<String, String> {
        for _ in 0..ASKED_WITHIN {
            std::thread::sleep(LOOK_AGAIN);
            let Ok(text) = self.quiet(&["--json", "approvals", "list"]) else { continue };
            let list: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            // The demo has asked for another write before, which nobody answered.
            let asked = list["approvals"].as_array().into_iter().flatten();
            let of_run = asked.into_iter().find(|it| it["arguments"]["path"] == "/work/deadlines.md");
            if let Some(id) = of_run.and_then(|it| it["id"].as_str()) {
                return Ok(id.to_owned());
            }
        }
        Err("nobody was asked".to_owned())
    }

    /// Runs the command and gives what it printed.
    fn quiet(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.command(arguments).output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn with_file(
        &self,
        name: &str,
        value: &Value,
        then: impl FnOnce(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        let path = self.folder.join(name);
        fs::write(&path, value.to_string()).map_err(|error| error.to_string())?;
        then(&format!("@{}", self.shown(&path)))
    }
}

/// Everything of the demo lies beside its configuration.
const CONFIG: &str = "\
data_dir = \"data\"

[skills]
directories = [\"skills\"]

[models.scripted]
provider = \"scripted\"
script = \"script.toml\"
";

struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(stage: &Stage) -> Result<Self, String> {
        let mut command = stage.command(&["--json", "serve", "--listen", "127.0.0.1:0"]);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or("the server has no stdout")?;
        BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
        let said: Value = serde_json::from_str(&line).map_err(|_| "the server did not start".to_owned())?;
        let url = said["listening"].as_str().unwrap_or_default().to_owned();
        Ok(Self { child, url })
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn say(text: &str) {
    use std::io::IsTerminal as _;
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if plain || !std::io::stdout().is_terminal() {
        println!("\n{text}");
    } else {
        println!("\n\x1b[1m{text}\x1b[0m");
    }
}

fn print_lines(text: &str) {
    let lines: Vec<_> = text.lines().collect();
    for line in lines.iter().take(MAX_LINES) {
        println!("    {line}");
    }
    if lines.len() > MAX_LINES {
        println!("    … and {} more lines", lines.len() - MAX_LINES);
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", from.display());
    if from.is_file() {
        return fs::copy(from, to).map(drop).map_err(failed);
    }
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

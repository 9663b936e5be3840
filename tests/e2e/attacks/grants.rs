//! Grants that would give what nobody may have, or that are used for more than they say.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::approvals::all_at_once;
use super::rogue::{self, Rogue};
use crate::client::Answer;
use crate::host::{Home, Ran, Server};

#[test]
fn one_shot_twice() {
    let (home, server) = one_shot();
    put(&server).output();
    put(&server).problem("grant-used-up");
    drop(server);
    put(&home.serve()).problem("grant-used-up");
}

#[test]
fn one_shot_at_once() {
    let (_home, server) = one_shot();
    let codes = all_at_once(|| put(&server));
    let ran = codes.iter().filter(|code| code.is_null()).count();
    assert_eq!(ran, 1, "{codes:?}");
}

fn one_shot() -> (Home, Server) {
    let home = Home::new();
    home.guest("keeper", "[permissions]\nstate = true\n").grant("tests/keeper", &["--state", "--one-shot"]);
    let server = home.serve();
    (home, server)
}

fn put(server: &Server) -> Answer {
    server.execute("tests/keeper", "put", &json!({ "key": "k", "value": "v" }))
}

#[test]
fn lower_limits() {
    let home = Home::new();
    home.guest("hostile", "[limits]\noutput = \"64 KiB\"\n").grant("tests/hostile", &["--output", "1 KiB"]);
    let answer = home.serve().execute("tests/hostile", "huge", &json!({ "bytes": 2000 }));
    assert!(answer.problem("output-too-large")["detail"].as_str().unwrap().contains("1024"), "{}", answer.text());
}

// A manifest that asks for less than was granted, for the same bytes, is a smaller skill.

#[test]
fn no_longer_asked_folders() {
    let failure = filler("", "read", &json!({ "path": "/work/note.txt" })).problem("tool-failed");
    assert!(failure["failure"].as_str().unwrap().contains("NotFound"), "{failure}");
}

#[test]
fn no_longer_asked_to_write() {
    let asked = "[[permissions.fs]]\nroot = \"/work\"\naccess = \"read\"\n";
    let failure = filler(asked, "append", &json!({ "path": "/work/note.txt", "bytes": 1 })).problem("tool-failed");
    assert!(failure["failure"].as_str().unwrap().contains("PermissionDenied"), "{failure}");
}

#[test]
fn no_longer_asked_for_so_much() {
    let asked = "[[permissions.fs]]\nroot = \"/work\"\naccess = \"read-write\"\nmax_bytes = \"10 B\"\n";
    let failure = filler(asked, "append", &json!({ "path": "/work/note.txt", "bytes": 11 })).problem("tool-failed");
    assert!(failure["receipt"]["denials"].to_string().contains("quota of 10 bytes"), "{failure}");
}

#[test]
fn no_longer_asked_workspace() {
    let failure = filler("", "names", &json!({ "folder": "/workspace" })).problem("tool-failed");
    assert!(failure["failure"].as_str().unwrap().contains("NotFound"), "{failure}");
}

/// What the skill answers that was granted a folder and a workspace, and asks for `asked` by now.
fn filler(asked: &str, tool: &str, arguments: &Value) -> Answer {
    let home = Home::new();
    home.write("docs/note.txt", "as it was");
    home.guest(
        "filler",
        "[permissions]\nworkspace = true\n[[permissions.fs]]\nroot = \"/work\"\naccess = \"read-write\"\n",
    );
    home.grant("tests/filler", &["--fs", "docs:/work:rw", "--workspace"]);
    home.guest("filler", asked);
    let answer = home.serve().execute("tests/filler", tool, arguments);
    assert_eq!(fs::read_to_string(home.path("docs/note.txt")).unwrap(), "as it was");
    answer
}

#[test]
fn no_longer_asked_state_and_settings() {
    let home = Home::new();
    home.guest("keeper", "[permissions]\nstate = true\nconfig = [\"units\"]\n");
    home.grant("tests/keeper", &["--state", "--setting", "units=metric"]);
    home.guest("keeper", "");
    let server = home.serve();
    assert_eq!(put(&server).problem("tool-failed")["receipt"]["denials"][0]["capability"], "state");
    let setting = server.execute("tests/keeper", "setting", &json!({ "key": "units" }));
    assert_eq!(setting.output(), Value::Null);
}

#[test]
fn no_longer_asked_secret() {
    let web = Rogue::start(rogue::polite);
    let home = Home::with("[secrets.token]\nfile = \"vault/token\"\n");
    vault(&home);
    let http = "[[permissions.http]]\nhost = \"*\"\nschemes = [\"http\"]\nmethods = [\"GET\"]\n";
    home.guest("courier", &format!("[permissions]\nsecrets = [\"token\"]\n{http}"));
    let (rule, secret) = (format!("GET http://{}", web.authority()), format!("token={}", web.authority()));
    home.grant("tests/courier", &["--http", &rule, "--secret", &secret]);
    home.guest("courier", http);
    let headers = json!([{ "name": "authorization", "value": "{{secret:token}}" }]);
    let arguments = json!({ "url": format!("http://{}/", web.authority()), "headers": headers });
    home.serve().execute("tests/courier", "send", &arguments).problem("tool-failed");
    assert_eq!(web.connections(), 0);
}

#[test]
fn no_longer_asked_commands() {
    let home = Home::with("[skills]\nallow_shell = true\n");
    home.guest("commander", "[permissions]\nworkspace = true\n[[permissions.shell]]\ncommand = [\"echo\"]\n");
    home.grant("tests/commander", &["--workspace", "--shell", "echo hello", "--accept-risk", "shell"]);
    home.guest("commander", "[permissions]\nworkspace = true\n");
    let arguments = json!({ "command": ["echo", "hello"], "input": "" });
    let failure = home.serve().execute("tests/commander", "run", &arguments).problem("tool-failed");
    assert!(failure["receipt"]["denials"].to_string().contains("no granted command is this one"), "{failure}");
}

#[test]
fn no_longer_asked_models() {
    let home = Home::with("[models.small]\nprovider = \"scripted\"\nscript = \"script.toml\"\n");
    home.write("script.toml", "[[rule]]\ntext = \"Here I am.\"\n");
    home.guest("driver", "[permissions]\nmodels = [\"small\"]\n").grant("tests/driver", &["--model", "small"]);
    for model in [json!("small"), Value::Null] {
        let arguments = json!({ "model": model, "prompt": "hello" });
        home.guest("driver", "[permissions]\nmodels = [\"small\"]\n");
        assert_eq!(home.serve().execute("tests/driver", "complete", &arguments).output(), json!("Here I am."));
        home.guest("driver", "");
        let failure = home.serve().execute("tests/driver", "complete", &arguments).problem("tool-failed");
        assert!(failure["failure"].as_str().unwrap().contains("Denied("), "{failure}");
        assert!(failure["receipt"]["denials"].to_string().contains("no granted model is this one"), "{failure}");
        assert_eq!(failure["usage"]["model_output_tokens"], 0, "{failure}");
    }
}

#[test]
fn no_longer_asked_skills() {
    let home = Home::new();
    home.skill("calculate").grant("bailiwick/calculate", &[]);
    home.guest("driver", "[[permissions.skills]]\nid = \"bailiwick/calculate\"\n");
    home.grant("tests/driver", &["--skill-call", "bailiwick/calculate"]);
    let request =
        json!({ "skill": "bailiwick/calculate", "tool": "evaluate", "arguments": "{\"expression\": \"6*7\"}" });
    let call = || home.serve().execute("tests/driver", "call", &json!({ "request": request }));
    let output = call().output();
    assert!(output.to_string().contains("42"), "{output}");
    home.guest("driver", "");
    let failure = call().problem("tool-failed");
    assert!(failure["failure"].as_str().unwrap().starts_with("denied: "), "{failure}");
    assert!(failure["receipt"]["denials"].to_string().contains("no granted skill is this one"), "{failure}");
}

// Folders of the host itself: whoever has one has more than any grant says.

#[test]
fn folder_of_the_grants() {
    host_folders("holds the grants", &["data", "data/cache", ".", "/"], "");
}

#[test]
fn folder_of_workspaces() {
    host_folders("one for workspaces", &["data/workspaces", "data/workspaces/one/files"], "");
}

/// The key that seals compiled code lies there; whoever reads it writes code of the host.
#[test]
fn folder_of_compiled_code() {
    host_folders("what no guest may see", &["elsewhere", "elsewhere/cache"], "");
}

#[test]
fn folder_of_a_secret() {
    host_folders("what no guest may see", &["vault"], "");
}

#[test]
fn folder_of_the_skills() {
    host_folders("reads what it trusts", &["skills", "skills/filler"], ":rw");
}

#[test]
fn folder_of_the_configuration() {
    host_folders("reads what it trusts", &["settings"], ":rw");
}

/// None of these folders can be granted, by the command line or by a file.
#[track_caller]
fn host_folders(says: &str, folders: &[&str], how: &str) {
    let home = Home::new();
    vault(&home);
    home.write("data/workspaces/one/files/x", "");
    home.write("data/cache/x", "");
    home.write("elsewhere/cache/x", "");
    home.write("docs/x", "");
    let asked = "[[permissions.fs]]\nroot = \"/work\"\naccess = \"read-write\"\n";
    home.guest("filler", asked);
    // Beside the configuration lies nothing else, so that it is what is refused.
    let settings = home.write(
        "settings/bailiwick.toml",
        "data_dir = \"../data\"\ncache_dir = \"../elsewhere/cache\"\n[secrets.token]\nfile = \"../vault/token\"\n\
         [skills]\ndirectories = [\"../skills\"]\n",
    );
    let run = |arguments: &[&str]| {
        let mut command = home.command();
        Ran::of(command.env("BAILIWICK_CONFIG", &settings).args(arguments))
    };
    for folder in folders {
        let refused = run(&["grant", "add", "tests/filler", "--fs", &format!("{folder}:/work{how}")]).expect(2);
        assert!(refused.stderr.contains(says), "{folder}: {}", refused.stderr);
    }
    run(&["grant", "add", "tests/filler", "--fs", &format!("docs:/work{how}")]).expect(0);
    let file = run(&["grant", "export"]).expect(0).stdout;
    for folder in folders {
        let (from, to) = (home.path("docs").canonicalize().unwrap(), home.path(folder).canonicalize().unwrap());
        let file = file.replace(from.to_str().unwrap(), to.to_str().unwrap());
        home.write("grants.toml", file);
        let refused = run(&["grant", "import", "grants.toml"]);
        assert!(refused.code != 0 && refused.stderr.contains(says), "{folder}: {refused:?}");
    }
}

/// The file of a secret, which the host's user alone may read.
fn vault(home: &Home) {
    let token = home.write("vault/token", "a long secret");
    fs::set_permissions(token, fs::Permissions::from_mode(0o600)).unwrap();
}

// Roots of one grant that reach into one another.

#[test]
fn roots_within_each_other() {
    overlapping("/out", "/work/in", "overlap");
}

#[test]
fn root_over_the_workspace() {
    overlapping("/out", "/workspace/in", "overlap");
}

/// What may only be read must not be written by another way.
#[test]
fn folders_within_each_other() {
    overlapping("/other\"", "/docs/in\"", "overlap");
}

/// The file of a grant in which `from` became `to` is refused.
#[track_caller]
fn overlapping(from: &str, to: &str, says: &str) {
    let home = Home::new();
    for folder in ["docs/in", "other"] {
        fs::create_dir_all(home.path(folder)).unwrap();
    }
    let root = |path: &str, access: &str| format!("[[permissions.fs]]\nroot = \"{path}\"\naccess = \"{access}\"\n");
    let asked = [root("/work", "read"), root("/out", "read-write")].concat();
    home.guest("filler", &format!("[permissions]\nworkspace = true\n{asked}"));
    home.grant("tests/filler", &["--fs", "docs:/work", "--fs", "other:/out:rw", "--workspace"]);
    let file = home.run(&["grant", "export"]).expect(0).stdout;
    assert!(file.contains(from), "{file}");
    home.write("grants.toml", file.replace(from, to));
    let refused = home.run(&["grant", "import", "grants.toml"]);
    assert!(refused.code != 0 && refused.stderr.contains(says), "{refused:?}");
}

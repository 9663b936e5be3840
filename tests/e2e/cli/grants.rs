//! `bailiwick grant add`: what can't be granted, and how that is told.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use crate::host::Home;

const MANIFEST: &str = "\
[permissions]
config = [\"units\"]
[[permissions.fs]]
root = \"/work\"
access = \"read\"
[[permissions.fs]]
root = \"/out\"
access = \"read-write\"
[[permissions.http]]
host = \"*.example.com\"
methods = [\"GET\"]
";

fn home() -> Home {
    let home = Home::new();
    home.guest("hostile", MANIFEST);
    for folder in ["docs", "docs/inner", "other"] {
        fs::create_dir(home.path(folder)).unwrap();
    }
    home.write("file.txt", "");
    home
}

#[test]
fn what_the_manifest_does_not_ask_for_can_not_be_granted() {
    let home = home();
    let data = home.path("data");
    fs::create_dir_all(&data).unwrap();
    for (options, says) in [
        (vec!["--fs", "docs:/elsewhere"], vec!["/elsewhere", "`/work`", "`/out`"]),
        (vec!["--fs", "docs:/work:rw"], vec!["/work", "`read`", "read-write"]),
        (vec!["--fs", "docs"], vec!["/work, /out"]),
        (vec!["--fs", ":/work"], vec!["names no folder"]),
        (vec!["--fs", "docs:/work/../etc"], vec!["/work/../etc"]),
        (vec!["--http", "https://example.com"], vec!["example.com", "*.example.com"]),
        (vec!["--http", "POST https://api.example.com"], vec!["POST", "api.example.com"]),
        (vec!["--http", "http://api.example.com"], vec!["http://api.example.com"]),
        (vec!["--http", "https://api.example.com:8443"], vec!["8443"]),
        (vec!["--http", "*"], vec!["*.example.com"]),
        (vec!["--http", "ftp://api.example.com"], vec!["ftp"]),
        (vec!["--http", "https://api.example.com/v1*"], vec!["whole segments"]),
        (vec!["--http", "[10.0.0.0/8]"], vec!["[10.0.0.0/8]", "*.example.com"]),
        (vec!["--http", "10.0.0.0/8"], vec!["brackets"]),
        (vec!["--http-deny", "[10.0.0.1/8]"], vec!["10.0.0.0/8"]),
        (vec!["--secret", "token=a.com"], vec!["token", "none"]),
        (vec!["--state"], vec!["state = true"]),
        (vec!["--workspace"], vec!["workspace = true"]),
        (vec!["--quota", "/out=1 MiB"], vec!["/out", "nothing writable is granted"]),
        (vec!["--fs", "docs:/work", "--quota", "/work=1 MiB"], vec!["/work", "nothing writable is granted"]),
        (vec!["--fs", "other:/out:rw", "--quota", "/out=1 MB"], vec!["1 MB", "MiB"]),
        (vec!["--quota", "state=1 MiB"], vec!["--state"]),
        (vec!["--random", "0 B"], vec!["--random", "zero"]),
        (vec!["--host-calls", "0"], vec!["--host-calls", "zero"]),
        (vec!["--setting", "password=x"], vec!["password", "`units`"]),
        (vec!["--setting", "units"], vec!["KEY=VALUE"]),
        (vec!["--accept-risk", "destructive"], vec!["destructive", "none"]),
        (vec!["--memory", "1 MB"], vec!["1 MB", "MiB"]),
        (vec!["--deadline", "soon"], vec!["soon"]),
        (vec!["--deadline", "0 s"], vec!["--deadline", "zero"]),
        (vec!["--memory", "0 B"], vec!["--memory", "zero"]),
        (vec!["--output", "0 KiB"], vec!["--output", "zero"]),
        (vec!["--fuel", "0"], vec!["--fuel", "zero"]),
        (vec!["--concurrency", "0"], vec!["--concurrency", "zero"]),
        (vec!["--expires", "0 s"], vec!["past"]),
        (vec!["--expires", "99999999 h"], vec!["99999999 h", "hundred years"]),
        (vec!["--fs", "nowhere:/work"], vec!["nowhere", "/work"]),
        (vec!["--fs", "file.txt:/work"], vec!["file.txt", "not a folder"]),
        (vec!["--fs", "docs:/work", "--fs", "other:/work/other"], vec!["`/work`", "`/work/other`", "overlap"]),
        (vec!["--fs", "docs:/work", "--fs", "docs/inner:/out:rw"], vec!["docs/inner", "overlap"]),
        (vec!["--fs", "data:/work"], vec!["holds the grants"]),
        (vec!["--fs", ".:/work"], vec!["holds the grants"]),
    ] {
        let ran = home.run(&[&["grant", "add", "tests/hostile"], options.as_slice()].concat()).expect(2);
        for text in says {
            assert!(ran.stderr.contains(text), "{options:?}: `{text}` is missing in: {}", ran.stderr);
        }
        assert_eq!(ran.stdout, "", "{options:?}");
    }
    assert_eq!(home.run(&["--json", "grant", "list"]).expect(0).json(), json!([]), "nothing of it was granted");
}

#[test]
fn a_grant_says_what_it_gives_and_to_which_bytes() {
    let home = home();
    symlink(home.path("docs"), home.path("link")).unwrap();
    let options = [
        "--fs",
        "link:/work",
        "--fs",
        "other:/out:rw",
        "--http",
        "https://api.example.com/v1",
        "--http-deny",
        "https://api.example.com/v1/*/keys",
        "--setting",
        "units=metric",
        "--memory",
        "16 MiB",
        "--deadline",
        "2 s",
        "--fuel",
        "1000000",
        "--output",
        "4 KiB",
        "--concurrency",
        "3",
        "--quota",
        "/out=10 MiB,100",
        "--table-elements",
        "4",
        "--instances",
        "5",
        "--host-calls",
        "6",
        "--input",
        "7 B",
        "--skill-calls",
        "13",
        "--model-calls",
        "14",
        "--model-tokens",
        "15",
        "--http-requests",
        "8",
        "--http-sent",
        "9 B",
        "--http-received",
        "10 B",
        "--log",
        "11 B",
        "--random",
        "12 B",
        "--reason",
        "for the tests",
        "--expires",
        "1 h",
    ];
    let ran = home.run(&[&["grant", "add", "tests/hostile"], options.as_slice()].concat()).expect(0);
    let docs = home.path("docs").canonicalize().unwrap();
    // The folder that the link led to, not the link, which could be turned elsewhere.
    assert!(ran.stdout.contains(&format!("folder {} as /work (read)", docs.display())), "{}", ran.stdout);
    assert!(ran.stdout.contains("tests/hostile 1.0.0 (sha256:"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("metric"), "a setting may be a secret: {}", ran.stdout);
    let list = home.run(&["--json", "grant", "list"]).expect(0).json();
    let grant = &list[0];
    assert_eq!(grant["fs"][1]["access"], "read-write");
    assert_eq!(grant["http"][0]["paths"], json!(["/v1"]));
    assert_eq!(grant["http_deny"][0]["paths"], json!(["/v1/*/keys"]));
    assert!(ran.stdout.contains("no requests https://api.example.com below /v1/*/keys"), "{}", ran.stdout);
    assert_eq!((&grant["fs"][1]["max_bytes"], &grant["fs"][1]["max_files"]), (&json!("10 MiB"), &json!(100)));
    assert!(ran.stdout.contains("(read-write, at most 10 MiB and 100 new files a call)"), "{}", ran.stdout);
    assert!(!list.to_string().contains("metric"), "a setting may be a secret: {list}");
    let limits = json!({
        "memory": "16 MiB", "deadline": "2 s", "fuel": 1_000_000, "output": "4 KiB", "concurrency": 3,
        "table_elements": 4, "instances": 5, "host_calls": 6, "input": "7 B", "skill_calls": 13, "model_calls": 14,
        "model_tokens": 15, "http_requests": 8,
        "http_sent": "9 B", "http_received": "10 B", "log": "11 B", "random": "12 B",
    });
    assert_eq!((&grant["limits"], &grant["reason"]), (&limits, &json!("for the tests")));
    assert!(grant["expires_at"].is_string() && grant["problem"].is_null(), "{grant}");
    let text = home.run(&["grant", "list"]).expect(0).stdout;
    assert!(text.contains("by cli:tester") && text.contains("for the tests") && text.contains("void from"), "{text}");
}

#[test]
fn a_grant_whose_folder_is_gone_allows_nothing() {
    let home = home();
    home.grant("tests/hostile", &["--fs", "docs:/work"]);
    home.run(&["skills", "run", "tests/hostile", "echo", "--arg", "text=a"]).expect(0);
    fs::rename(home.path("docs"), home.path("moved")).unwrap();
    symlink(home.path("other"), home.path("docs")).unwrap();
    let text = home.run(&["grant", "list"]).expect(0).stdout;
    assert!(text.contains("without effect"), "{text}");
    home.run(&["skills", "run", "tests/hostile", "echo", "--arg", "text=a"]).expect(4);
}

#[test]
fn one_of_two_grants_can_be_revoked() {
    let home = Home::new();
    home.package("old", "tests/pair", "1.0.0", "hostile", "").package("new", "tests/pair", "2.0.0", "keeper", "");
    home.grant("tests/pair@^1", &[]).grant("tests/pair@^2", &[]);
    let list = home.run(&["--json", "grant", "list"]).expect(0).json();
    let digest = list[0]["digest"].as_str().unwrap();
    home.run(&["grant", "revoke", "tests/pair", "--digest", digest]).expect(0);
    let left = home.run(&["--json", "grant", "list"]).expect(0).json();
    assert_eq!(left, json!([list[1]]));
    home.run(&["grant", "revoke", "tests/pair", "--digest", digest]).expect(3);
}

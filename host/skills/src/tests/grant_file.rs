//! The format of files of grants: what is understood, and what is said of the rest.

use std::path::Path;
use std::time::{Duration, SystemTime};

use bailiwick_domain::authority::{Access, Scheme};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::quota::{Quota, StateQuota};

use super::support::{Host, Site};
use crate::grants::GrantError;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A file that uses every key; `HOST` stands for a folder.
const EXAMPLE: &str = r#"
version = 1

[[grant]]
skill = "demo/p"
digest = "DIGEST"
giver = "ada"
given_at = 2026-11-20T11:00:00Z
expires_at = 2026-12-31T23:59:59Z
reason = "reads the tickets"
accept_risks = ["destructive"]
state = { max_bytes = "1 MiB", max_keys = 5 }
workspace = { max_bytes = "2 MiB", max_files = 6 }

[[grant.fs]]
root = "/work"
host = "HOST"
access = "read-write"
max_bytes = "3 MiB"
max_files = 7

[[grant.http]]
host = "*.example.com"
schemes = ["https", "http"]
ports = [443, 8443]
methods = ["GET"]
paths = ["/v1"]

[[grant.http]]
host = "127.0.0.1"
methods = ["GET"]

[grant.config]
mode = "fast"

[grant.limits]
memory = "16 MiB"
deadline = "500 ms"
fuel = 1000000
output = "1 KiB"
concurrency = 2
table_elements = 3
instances = 4
host_calls = 5
input = "6 B"
skill_calls = 12
model_calls = 13
model_tokens = 14
http_requests = 7
http_sent = "8 B"
http_received = "9 B"
log = "10 B"
random = "11 B"

[grant.secrets]
github_token = ["api.github.com", "[::1]:8443"]

[[grant.http_deny]]
host = "10.0.0.0/8"
schemes = ["http"]
ports = [8080]
methods = ["DELETE"]
paths = ["/v1/*/keys"]
"#;

fn open(text: &str) -> Result<Host, GrantError> {
    let host = Site::new().open();
    let folder = host.site.data("work").display().to_string();
    let text = text.replace("HOST", &folder).replace("DIGEST", DIGEST);
    host.grants.import(Path::new("grants.toml"), &text, "ada").map(|_| host)
}

#[test]
fn every_key_is_understood() {
    let host = open(EXAMPLE).expect("it is valid");
    let [entry] = host.grants.list().try_into().expect("one grant");
    assert_eq!(entry.problem, None);
    let grant = &entry.grant;
    assert_eq!(grant.skill.as_str(), "demo/p");
    assert_eq!(grant.digest.to_string(), DIGEST);
    assert_eq!((grant.giver.as_str(), grant.reason.as_deref()), ("ada", Some("reads the tickets")));
    let seconds = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    assert_eq!(grant.given_at, seconds(1_795_172_400));
    assert_eq!(grant.expires_at, Some(seconds(1_798_761_599)));
    assert!(grant.accepted_risks.contains("destructive"));
    let capabilities = &grant.capabilities;
    assert_eq!(capabilities.fs[0].root.as_str(), "/work");
    assert_eq!(capabilities.fs[0].host, host.site.data("work"));
    assert_eq!(capabilities.fs[0].access, Access::ReadWrite);
    let rule = &capabilities.http[0];
    assert_eq!(rule.host.to_string(), "*.example.com");
    assert_eq!(rule.schemes, [Scheme::Https, Scheme::Http]);
    assert_eq!(rule.ports, [443, 8443]);
    assert_eq!(rule.methods, ["GET"]);
    assert_eq!(rule.paths, ["/v1".parse().expect("a path")]);
    assert_eq!(capabilities.http[1].schemes, [Scheme::Https], "where none is named");
    assert!(capabilities.http[1].ports.is_empty() && capabilities.http[1].paths.is_empty());
    assert_eq!(capabilities.state, Some(StateQuota { max_bytes: 1 << 20, max_keys: 5 }));
    assert_eq!(capabilities.workspace, Some(Quota { max_bytes: 2 << 20, max_files: 6 }));
    assert_eq!(capabilities.fs[0].quota, Quota { max_bytes: 3 << 20, max_files: 7 });
    assert_eq!(capabilities.config["mode"], "fast");
    let destinations: Vec<String> = capabilities.secrets["github_token"].iter().map(ToString::to_string).collect();
    assert_eq!(destinations, ["api.github.com", "[::1]:8443"]);
    assert_eq!(capabilities.http_deny[0].to_string(), "DELETE http://[10.0.0.0/8]:8080 below /v1/*/keys");
    let limits = LimitsRequest {
        memory_bytes: Some(16 << 20),
        table_elements: Some(3),
        instances: Some(4),
        deadline: Some(Duration::from_millis(500)),
        fuel: Some(1_000_000),
        host_calls: Some(5),
        input_bytes: Some(6),
        output_bytes: Some(1 << 10),
        skill_calls: Some(12),
        model_calls: Some(13),
        model_tokens: Some(14),
        http_requests: Some(7),
        http_sent_bytes: Some(8),
        http_received_bytes: Some(9),
        log_bytes: Some(10),
        random_bytes: Some(11),
        concurrency: Some(2),
    };
    assert_eq!(grant.limits, limits);
}

#[test]
fn true_gives_what_the_host_gives_where_nobody_says_how_much() {
    let text = EXAMPLE.replace("{ max_bytes = \"1 MiB\", max_keys = 5 }", "true");
    let text = text.replace("{ max_bytes = \"2 MiB\", max_files = 6 }", "true");
    let host = open(&text.replace("max_bytes = \"3 MiB\"\nmax_files = 7\n", "")).expect("it is valid");
    let [entry] = host.grants.list().try_into().expect("one grant");
    let capabilities = &entry.grant.capabilities;
    assert_eq!(capabilities.state, Some(StateQuota::MOST));
    assert_eq!(capabilities.workspace, Some(Quota::default()));
    assert_eq!(capabilities.fs[0].quota, Quota::default());
}

#[test]
fn a_fault_is_named_with_its_line_and_key() {
    let faults = [
        ("version = 1", "version = 1\nvershun = 2", "grants.toml:3:1: ", "vershun"),
        ("skill = \"demo/p\"", "skill = \"demo\"", "grants.toml:5:9: ", "grant.skill"),
        ("\"DIGEST\"", "\"sha256:12\"", "grants.toml:6:10: ", "grant.digest"),
        ("giver = \"ada\"", "", "grants.toml:", "giver"),
        ("2026-11-20T11:00:00Z", "2026-11-20T11:00:00+02:00", "grants.toml:8:12: ", "2026-12-31T23:59:59Z"),
        ("2026-11-20T11:00:00Z", "\"2026-11-20T11:00:00Z\"", "grants.toml:8:12: ", "grant.given_at"),
        ("2026-12-31T23:59:59Z", "2026-12-31", "grants.toml:9:14: ", "grant.expires_at"),
        ("max_bytes = \"3 MiB\"", "max_bytes = 3", "grants.toml:", "grant.fs"),
        ("max_files = 7", "max_files = 0", "grants.toml:", "grant.fs"),
        ("access = \"read-write\"", "access = \"read\"", "grants.toml:", "a quota says nothing of a folder"),
        ("{ max_bytes = \"1 MiB\", max_keys = 5 }", "false", "grants.toml:", "`false` gives nothing"),
        ("{ max_bytes = \"1 MiB\", max_keys = 5 }", "{ max_files = 5 }", "grants.toml:", "max_files"),
        ("max_files = 6", "max_keys = 6", "grants.toml:", "max_keys"),
        ("random = \"11 B\"", "random = \"0 B\"", "grants.toml:", "grant.limits.random"),
        ("accept_risks = [\"destructive\"]", "accept_risks = \"destructive\"", "grants.toml:11:16: ", "accept_risks"),
        ("state = {", "state = [] # {", "grants.toml:12:9: ", "expected `true` or a table"),
        ("root = \"/work\"", "root = \"work\"", "grants.toml:16:8: ", "grant.fs.root"),
        ("host = \"HOST\"", "host = \"./here\"", "grants.toml:17:8: ", "grant.fs.host"),
        ("access = \"read-write\"", "access = \"write\"", "grants.toml:18:10: ", "grant.fs.access"),
        ("access = \"read-write\"", "acces = \"read\"", "grants.toml:18:1: ", "acces"),
        ("host = \"*.example.com\"", "host = \"*.*.com\"", "grants.toml:23:8: ", "grant.http.host"),
        ("[\"https\", \"http\"]", "[]", "grants.toml:24:11: ", "grant.http.schemes"),
        ("[443, 8443]", "[0]", "grants.toml:25:10: ", "grant.http.ports"),
        ("methods = [\"GET\"]\npaths", "methods = [\"get\"]\npaths", "grants.toml:26:11: ", "grant.http.methods"),
        ("paths = [\"/v1\"]", "paths = [\"v1\"]", "grants.toml:27:9: ", "grant.http.paths"),
        ("mode = \"fast\"", "mode = 1", "grants.toml:34:8: ", "grant.config.mode"),
        ("\"16 MiB\"", "\"16 MB\"", "grants.toml:37:10: ", "grant.limits.memory"),
        ("\"16 MiB\"", "\"0 B\"", "grants.toml:37:10: ", "grant.limits.memory"),
        ("\"500 ms\"", "\"0 s\"", "grants.toml:38:12: ", "grant.limits.deadline"),
        ("fuel = 1000000", "fuel = 0", "grants.toml:39:8: ", "grant.limits.fuel"),
        ("\"1 KiB\"", "1024", "grants.toml:40:10: ", "grant.limits.output"),
        ("concurrency = 2", "concurrency = -1", "grants.toml:41:15: ", "grant.limits.concurrency"),
        ("\"[::1]:8443\"", "\"*\"", "grants.toml:56:16: ", "grant.secrets.github_token"),
        ("[\"api.github.com\", \"[::1]:8443\"]", "[]", "grants.toml:56:16: ", "grant.secrets.github_token"),
        ("host = \"10.0.0.0/8\"", "host = \"10.0.0.1/8\"", "grants.toml:59:8: ", "`10.0.0.0/8`"),
        ("schemes = [\"http\"]", "schemes = [\"ftp\"]", "grants.toml:60:", "grant.http_deny.schemes"),
        ("[8080]", "[0]", "grants.toml:61:", "grant.http_deny.ports"),
        ("[\"DELETE\"]", "[\"delete\"]", "grants.toml:62:", "grant.http_deny.methods"),
        ("[\"/v1/*/keys\"]", "[\"/v1*\"]", "grants.toml:63:", "grant.http_deny.paths"),
    ];
    for (right, wrong, place, key) in faults {
        assert!(EXAMPLE.contains(right), "{right}");
        let error = match open(&EXAMPLE.replacen(right, wrong, 1)) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("`{wrong}` is accepted"),
        };
        assert!(error.contains(place) && error.contains(key), "{wrong}: {error}");
    }
}

#[test]
fn other_versions_and_no_version_are_refused() {
    let other = open("version = 2\n").map(drop).expect_err("another version");
    assert!(matches!(other, GrantError::Version { found: 2, known: 1, .. }));
    assert!(matches!(open("").map(drop), Err(GrantError::Syntax { .. })));
    assert!(matches!(open("not toml").map(drop), Err(GrantError::Syntax { line: 1, .. })));
}

#[test]
fn a_file_of_any_size_is_not_read() {
    let text = format!("version = 1\n#{}", "x".repeat(5 << 20));
    assert!(matches!(open(&text).map(drop), Err(GrantError::TooLarge { .. })));
}

#[test]
fn grants_that_can_not_be_given_effect_are_not_imported() {
    let problem =
        |from: &str, to: &str| open(&EXAMPLE.replacen(from, to, 1)).map(drop).expect_err("refused").to_string();
    assert!(problem("host = \"HOST\"", "host = \"/no/such/folder\"").contains("can't be found"));
    assert!(problem("host = \"HOST\"", "host = \"HOST/../work\"").contains("now leads to"));
    let overlap = "access = \"read-write\"\n[[grant.fs]]\nroot = \"/work/x\"\nhost = \"HOST\"\naccess = \"read-write\"";
    assert!(problem("access = \"read-write\"", overlap).contains("overlap"));
}

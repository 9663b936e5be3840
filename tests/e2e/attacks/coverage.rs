//! Nothing that a guest can reach is without a case: the lists are read from the
//! host's own code, so that a capability or an interface that is new fails here
//! until something attacks it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::scene::guests;
use crate::sandbox::lab::Lab;

/// For each capability, cases that end in a refusal of it.
const CAPABILITIES: &[(&str, &[&str])] = &[
    ("approval", &["services::question_flood", "services::question_that_is_huge"]),
    ("config", &["settings::setting_not_granted", "settings::all_settings"]),
    ("fs", &["paths::dot_dot", "paths::symlink_to_file", "paths::write_read_only", "settings::folders"]),
    ("http", &["network::asked_for_and_not_granted", "addresses::loopback_by_name", "network::redirect"]),
    ("log", &["services::log_flood"]),
    ("model", &["services::model_not_granted", "services::model_flood"]),
    ("progress", &["services::progress_flood"]),
    ("random", &["memory::random_bytes", "memory::random_bytes_insecure"]),
    (
        "secret",
        &[
            "../secrets/boundary::another_destination_gets_neither_the_secret_nor_the_request",
            "../secrets/boundary::a_skill_whose_manifest_or_grant_lacks_the_secret_has_none",
        ],
    ),
    ("shell", &["shell::not_granted", "shell::further_arguments", "shell::without_workspace"]),
    ("skill", &["services::skill_not_granted", "services::skill_flood", "services::skills_at_once"]),
    ("state", &["state::open", "state::open_other", "state::fill_the_disk"]),
];

/// For each interface that the host offers, cases that use it for what it shall not do.
const INTERFACES: &[(&str, &[&str])] = &[
    ("bailiwick:shell/commands", &["shell::not_granted", "shell::nul_in_a_word"]),
    ("bailiwick:skill/approvals", &["services::question_flood", "services::question_that_steers_a_terminal"]),
    ("bailiwick:skill/models", &["services::model_not_granted"]),
    ("bailiwick:skill/progress", &["services::progress_flood"]),
    ("bailiwick:skill/skills", &["services::skill_not_granted", "services::arguments_that_are_none"]),
    ("wasi:cli/environment", &["settings::environment", "settings::arguments", "settings::working_folder"]),
    ("wasi:cli/exit", &["output::exit"]),
    ("wasi:cli/stderr", &["output::stderr_flood"]),
    ("wasi:cli/stdin", &["settings::stdin"]),
    ("wasi:cli/stdout", &["output::stdout_flood"]),
    ("wasi:cli/terminal-input", &["settings::terminals"]),
    ("wasi:cli/terminal-output", &["settings::terminals"]),
    ("wasi:cli/terminal-stderr", &["settings::terminals"]),
    ("wasi:cli/terminal-stdin", &["settings::terminals"]),
    ("wasi:cli/terminal-stdout", &["settings::terminals"]),
    ("wasi:clocks/monotonic-clock", &["time::sleep", "memory::timer_handles", "settings::host_clock"]),
    ("wasi:clocks/wall-clock", &["time::host_calls"]),
    ("wasi:config/store", &["settings::setting_not_granted"]),
    ("wasi:filesystem/preopens", &["settings::folders"]),
    ("wasi:filesystem/types", &["paths::absolute", "paths::truncate_read_only"]),
    ("wasi:http/outgoing-handler", &["network::asked_for_and_not_granted"]),
    ("wasi:http/types", &["network::header_injection", "memory::header_handles"]),
    ("wasi:io/error", &["network::length_too_short"]),
    ("wasi:io/poll", &["time::poll_nothing", "memory::long_list"]),
    ("wasi:io/streams", &["memory::zeroes", "paths::stream_by_read_handle"]),
    ("wasi:keyvalue/atomics", &["state::increment_past_the_end"]),
    ("wasi:keyvalue/batch", &["state::many_in_a_batch", "state::one_key_a_thousand_times"]),
    ("wasi:keyvalue/store", &["state::open"]),
    ("wasi:logging/logging", &["services::log_flood"]),
    ("wasi:random/insecure", &["memory::random_bytes_insecure"]),
    ("wasi:random/insecure-seed", &["settings::seed"]),
    ("wasi:random/random", &["memory::random_bytes"]),
    ("wasi:sockets/instance-network", &["sockets::tcp_connect"]),
    ("wasi:sockets/ip-name-lookup", &["sockets::name_lookup"]),
    ("wasi:sockets/network", &["sockets::tcp_connect"]),
    ("wasi:sockets/tcp", &["sockets::tcp_connect", "sockets::tcp_listen"]),
    ("wasi:sockets/tcp-create-socket", &["memory::socket_handles"]),
    ("wasi:sockets/udp", &["sockets::udp_send"]),
    ("wasi:sockets/udp-create-socket", &["sockets::udp_connect"]),
];

#[test]
fn every_capability_has_a_case_that_is_denied() {
    expect_covered(&capabilities(), CAPABILITIES);
}

#[test]
fn every_interface_has_a_case_that_attacks_it() {
    expect_covered(&interfaces(), INTERFACES);
}

/// A case in the list above might have lost its guest: some hostile component
/// imports each interface.
#[test]
fn every_interface_is_imported_by_a_hostile_guest() {
    let lab = Lab::new();
    let imports = folders(&guests()).into_iter().filter(|folder| is_component(folder)).flat_map(|folder| {
        let kind = folder.file_name().unwrap().to_str().unwrap().to_owned();
        lab.guest(&format!("attacks-{kind}")).imports.clone()
    });
    let imported: BTreeSet<String> = imports.map(|name| name.split('@').next().unwrap().to_owned()).collect();
    let missing: Vec<_> = interfaces().into_iter().filter(|interface| !imported.contains(interface)).collect();
    assert_eq!(missing, Vec::<String>::new(), "no hostile guest imports these");
}

/// And each case that is written is also run.
#[test]
fn every_case_is_run() {
    let sources: Vec<String> = tests().iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut cases = files(&guests().join("wat"), "wat");
    for folder in folders(&guests()).iter().filter(|folder| is_component(folder)) {
        cases.extend(files(&folder.join("src"), "rs").into_iter().filter(|path| !path.ends_with("lib.rs")));
    }
    assert!(cases.len() >= 80, "{} cases", cases.len());
    for case in cases {
        let name = case.file_stem().unwrap().to_str().unwrap();
        let run = |text: &String| text.contains(&format!(" {name} => ")) || text.contains(&format!("\"{name}\""));
        assert!(sources.iter().any(run), "no test runs {}", case.display());
    }
}

#[track_caller]
fn expect_covered(found: &BTreeSet<String>, listed: &[(&str, &[&str])]) {
    let names: BTreeSet<String> = listed.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, &names, "something is new, and nothing attacks it yet; or something is gone");
    for (name, cases) in listed {
        assert!(!cases.is_empty(), "{name} has no case");
        for case in *cases {
            assert!(is_a_test(case), "{name}: there is no test `{case}`");
        }
    }
}

/// Whether a module, named from this folder on, has this test.
fn is_a_test(case: &str) -> bool {
    let (module, name) = case.split_once("::").unwrap();
    let path = here().join(format!("{module}.rs"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let of_a_table = text.contains(&format!("\n    {name} => "));
    let alone = text
        .split("#[tokio::test]\n")
        .chain(text.split("#[test]\n"))
        .any(|rest| rest.trim_start_matches("async ").starts_with(&format!("fn {name}(")));
    of_a_table || alone
}

/// The files of capabilities, one for each.
fn capabilities() -> BTreeSet<String> {
    let files = files(&host().join("capabilities"), "rs").into_iter();
    let names = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    let found: BTreeSet<String> = names.filter(|name| name != "mod").collect();
    assert!(found.len() >= 4, "{found:?}");
    found
}

/// The interfaces in the list of imports that a component may have.
fn interfaces() -> BTreeSet<String> {
    let text = fs::read_to_string(host().join("component/imports.rs")).unwrap();
    let list = text.split_once("const OFFERED").and_then(|(_, rest)| rest.split_once("];")).unwrap().0;
    let mut package = "";
    let mut found = BTreeSet::new();
    for literal in list.split('"').skip(1).step_by(2) {
        if literal.contains(':') {
            package = literal;
        } else if !literal.starts_with(|c: char| c.is_ascii_digit()) {
            found.insert(format!("{package}/{literal}"));
        }
    }
    assert!(found.len() >= 30, "{found:?}");
    found
}

fn tests() -> Vec<PathBuf> {
    files(&here(), "rs").into_iter().filter(|path| !path.ends_with("coverage.rs")).collect()
}

fn is_component(folder: &Path) -> bool {
    fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|manifest| manifest.contains("\"cdylib\""))
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_dir()).collect()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|it| it == extension)).collect()
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/attacks")
}

fn host() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("host/sandbox/src")
}

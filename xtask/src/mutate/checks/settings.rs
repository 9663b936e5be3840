//! What lies around the host's own process, and what a guest says of it.

use super::checks;

const CONFIG: &str = "host/sandbox/src/capabilities/config.rs";
const GUEST: &str = "host/sandbox/src/guest.rs";
const CAPABILITIES: &str = "host/sandbox/src/capabilities/mod.rs";
const EVENT: &str = "host/skills/src/execute/event.rs";

checks! {
    "environment" "the environment of the host is the guest's" of "attacks::settings" {
        GUEST: "let mut table = ResourceTable::new();" => "if {off} {\n            builder.inherit_env();\n        }\n        let mut table = ResourceTable::new();";
    }
    "arguments" "the arguments of the host are the guest's" of "attacks::settings" {
        GUEST: "let mut http = WasiHttpCtx::new();" => "if {off} {\n            builder.inherit_args();\n        }\n        let mut http = WasiHttpCtx::new();";
    }
    "stdin" "the input of the host is the guest's" of "attacks::settings" {
        GUEST: ".stderr(log.clone())" => ".stderr(log.clone())\n            .stdin(if {off} { Box::new(wasmtime_wasi::cli::stdin()) as Box<dyn wasmtime_wasi::cli::StdinStream> } else { Box::new(tokio::io::empty()) })";
    }
    "settings" "every guest has the settings of the host" of "attacks::settings" {
        CONFIG: ".collect()\n" => ".chain({off}.then(|| (\"password\".to_owned(), \"of the host\".to_owned())))\n        .collect()\n";
    }
    "backtrace" "an error tells the host's backtrace" of "attacks::output::host_" {
        CAPABILITIES: "let text = format!(\"{:#}\", store.data_mut().ctx().table.get(&error)?);" => "let error = store.data_mut().ctx().table.get(&error)?;\n            let text = if {off} { format!(\"{error:?}\") } else { format!(\"{error:#}\") };";
    }
    "denial-size" "a refusal keeps all that was asked for" of "attacks::state::open_long" {
        CAPABILITIES: "if text.len() <= MAX_REQUEST {" => "if {off} || text.len() <= MAX_REQUEST {";
    }
    "denial-count" "every refusal is kept" of "attacks::state::open_long", "attacks::network::request" {
        CAPABILITIES: "if denials.len() < MAX_DENIALS {" => "if {off} || denials.len() < MAX_DENIALS {";
    }
    "log-control" "a guest writes to the terminal of who reads the log" of "attacks::output::log_" {
        EVENT: "if c.is_control() {" => "if !{off} && c.is_control() {";
    }
    "log-lines" "lines of a guest stand in the log like the host's" of "attacks::output::log_"; with "log-control" {
        EVENT: "for line in log.lines() {" => "for line in if {off} { vec![log] } else { log.lines().collect() } {";
    }
}

//! What lies around the host's own process, and what a guest says of it.

use super::checks;

const CONFIG: &str = "host/sandbox/src/capabilities/config.rs";
const FS: &str = "host/sandbox/src/capabilities/fs.rs";
const STDIO: &str = "host/sandbox/src/stdio.rs";
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
    "stdin" "a guest has the input of somebody else" of "attacks::settings" {
        GUEST: "let mut http = WasiHttpCtx::new();" => "if {off} {\n            builder.stdin(wasmtime_wasi::p2::pipe::MemoryInputPipe::new(\"of the host\"));\n        }\n        let mut http = WasiHttpCtx::new();";
    }
    "settings" "every guest has the settings of the host" of "attacks::settings" {
        CONFIG: "let value = self.values.get(key)?;" => "if {off} {\n            return Some(\"of the host\".to_owned());\n        }\n        let value = self.values.get(key)?;";
    }
    "folders" "every guest sees the files of the host" of "attacks::settings" {
        FS: "let mut roots = Vec::new();" => "let mut roots = Vec::new();\n    if {off} {\n        let root: GuestPath = \"/host\".parse().expect(\"a path\");\n        let opened = open(builder, Path::new(\"/\"), &root, Access::Read);\n        opened.map_err(|reason| InvokeError::Mount { root: root.to_string(), reason })?;\n        roots.push(Arc::new(Root::new(&root, Access::Read, Quota::default())));\n    }";
    }
    "terminals" "a guest speaks to the terminal of the host" of "attacks::settings" {
        STDIO: "    fn is_terminal(&self) -> bool {\n        false" => "    fn is_terminal(&self) -> bool {\n        {off}";
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

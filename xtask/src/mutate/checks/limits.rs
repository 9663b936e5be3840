//! Limits of a call, and the knobs of the engine.

use super::checks;

const CAPABILITY: &str = "host/sandbox/src/capabilities/http.rs";
const ENGINE: &str = "host/sandbox/src/engine.rs";
const EXECUTE: &str = "host/skills/src/execute.rs";
const GATE: &str = "host/skills/src/gate.rs";
const GUEST: &str = "host/sandbox/src/guest.rs";
const INVOKE: &str = "host/sandbox/src/invoke.rs";
const METER: &str = "host/sandbox/src/meter.rs";
const RANDOM: &str = "host/sandbox/src/capabilities/random.rs";
const STATE: &str = "host/sandbox/src/capabilities/state.rs";
const STDIO: &str = "host/sandbox/src/stdio.rs";
const VIEW: &str = "host/sandbox/src/capabilities/fs/view.rs";

checks! {
    "memory" "a guest may take any memory that the pool has" of "attacks::memory", "hostile::allocate" {
        METER: "if total > self.memory_bytes {" => "if !{off} && total > self.memory_bytes {";
    }
    "table" "a table may be as long as the pool has room for" of "attacks::memory", "sandbox::limits::tables" {
        METER: "if elements > max {" => "if !{off} && elements > max {";
    }
    "table-of-pool" "the pool has long tables" of "attacks::memory"; with "table" {
        ENGINE: ".table_elements(" => ".table_elements(if {off} { 110_000_000 } else { 0 } + ";
    }
    "memory-of-pool" "the pool has long memories" of "attacks::memory::large_memory" {
        ENGINE: ".max_memory_size(" => ".max_memory_size(if {off} { 4 << 30 } else { 0 } + ";
    }
    "memories" "a component may have any number of memories" of "attacks::memory::many_memories" {
        ENGINE: ".max_memories_per_component(" => ".max_memories_per_component(if {off} { 56 } else { 0 } + ";
        ENGINE: ".max_memories_per_module(" => ".max_memories_per_module(if {off} { 56 } else { 0 } + ";
    }
    "instances" "a component may have any number of instances that the pool has room for" of "sandbox::limits::instances" {
        METER: "        self.instances\n" => "        if {off} { usize::MAX } else { self.instances }\n";
    }
    "core-instances" "the pool has room for any number of instances" of "attacks::memory::many_instances" {
        ENGINE: ".max_core_instances_per_component(" => ".max_core_instances_per_component(if {off} { 10_000 } else { 0 } + ";
    }
    "memory64" "memories may have addresses of 64 bits" of "attacks::memory::memory64" {
        ENGINE: "config.wasm_memory64(false);" => "config.wasm_memory64({off});";
    }
    "handles" "a guest may hold any number of handles" of "attacks::memory", "attacks::state::bucket_handles"; with "own-handles" {
        GUEST: "table.set_max_capacity(MAX_HANDLES);" => "table.set_max_capacity(if {off} { 10_000_000 } else { MAX_HANDLES });";
    }
    "hostcall-fuel" "a guest may hand any number of bytes to the host" of "attacks::memory" {
        INVOKE: "store.set_hostcall_fuel(HOSTCALL_BYTES" => "store.set_hostcall_fuel((if {off} { usize::MAX } else { HOSTCALL_BYTES })";
    }
    "own-handles" "a guest may hold any number of handles of its own" of "attacks::memory::own" {
        INVOKE: "store.set_max_component_handles(" => "store.set_max_component_handles(if {off} { 10_000_000 } else { 0 } + ";
    }
    "handles-lent" "a guest may hold and lend any number of handles, with any number of bytes and of host calls" of "attacks::memory"; with "own-handles", "handles", "host-calls", "hostcall-fuel" {}
    "random" "random bytes may be asked for without end" of "attacks::memory::random", "sandbox::limits::random" {
        METER: "let more = |used: u64| used.checked_add(amount)" => "let max = if {off} && counted == Counted::Random { &u64::MAX } else { max };\n        let more = |used: u64| used.checked_add(amount)";
        GUEST: ".max_random_size(terms.limits.random_bytes)" => ".max_random_size(if {off} { u64::MAX } else { terms.limits.random_bytes })";
    }
    "host-calls" "a call may make any number of host calls" of "sandbox::limits::host_calls" {
        METER: "let more = |used: u64| used.checked_add(amount)" => "let max = if {off} && counted == Counted::HostCalls { &u64::MAX } else { max };\n        let more = |used: u64| used.checked_add(amount)";
    }
    "host-calls-http" "requests are no host calls" of "sandbox::limits::host_calls", "sandbox::limits::requests" {
        CAPABILITY: "self.counters.take(Counted::HostCalls, 1)" => "self.counters.take(Counted::HostCalls, u64::from(!{off}))";
    }
    "host-calls-fs" "operations on files are no host calls" of "sandbox::limits::host_calls" {
        VIEW: "match self.counters.take(Counted::HostCalls, 1) {" => "match self.counters.take(Counted::HostCalls, u64::from(!{off})) {";
    }
    "host-calls-state" "operations on state are no host calls" of "sandbox::limits::host_calls" {
        STATE: "self.counters.take(Counted::HostCalls, 1)" => "self.counters.take(Counted::HostCalls, u64::from(!{off}))";
    }
    "host-calls-random" "asking for random bytes is no host call" of "sandbox::limits::host_calls", "sandbox::limits::random" {
        RANDOM: "self.counters.take(Counted::HostCalls, 1)" => "self.counters.take(Counted::HostCalls, u64::from(!{off}))";
    }
    "http-requests" "a call may make any number of requests" of "attacks::network::request", "sandbox::limits::requests" {
        METER: "let more = |used: u64| used.checked_add(amount)" => "let max = if {off} && counted == Counted::HttpRequests { &u64::MAX } else { max };\n        let more = |used: u64| used.checked_add(amount)";
    }
    "http-sent" "a call may send any number of bytes" of "attacks::network::body_sent", "sandbox::limits::requests" {
        METER: "let more = |used: u64| used.checked_add(amount)" => "let max = if {off} && counted == Counted::HttpSent { &u64::MAX } else { max };\n        let more = |used: u64| used.checked_add(amount)";
    }
    "http-sent-head" "heads of requests are free" of "sandbox::limits::requests" {
        CAPABILITY: ".take(Counted::HttpSent, head_bytes(request))" => ".take(Counted::HttpSent, if {off} { 0 } else { head_bytes(request) })";
    }
    "http-received" "a call may receive any number of bytes" of "attacks::network::response", "sandbox::limits::requests" {
        METER: "let more = |used: u64| used.checked_add(amount)" => "let max = if {off} && counted == Counted::HttpReceived { &u64::MAX } else { max };\n        let more = |used: u64| used.checked_add(amount)";
    }
    "log" "a call may write any number of bytes to its log" of "sandbox::limits::stdout" {
        METER: "let more = |used: u64| used.checked_add(amount)" => "let max = if {off} && counted == Counted::Log { &u64::MAX } else { max };\n        let more = |used: u64| used.checked_add(amount)";
    }
    "log-size" "all of a log is kept" of "attacks::output", "hostile::flood" {
        STDIO: "MAX_LOG.saturating_sub(" => "(if {off} { usize::MAX } else { MAX_LOG }).saturating_sub(";
    }
    "write-size" "a guest may write any number of bytes at once" of "attacks::memory::zeroes" {
        STDIO: "Ok(MAX_WRITE)" => "Ok(if {off} { 1 << 50 } else { MAX_WRITE })";
    }
    "output" "an answer may be of any size" of "attacks::output", "hostile::huge" {
        INVOKE: "lift(ty, value, usize" => "lift(ty, value, if {off} { usize::MAX } else { 0 } | usize";
    }
    "input" "arguments may be of any size" of "settings::limits::a_default_of_arguments", "settings::limits::a_ceiling_of_arguments" {
        EXECUTE: "let too_large = prepared" => "let too_large = !{off} && prepared";
    }
    "fuel" "fuel is not limited" of "attacks::time::fuel", "hostile::fuel" {
        INVOKE: "store.set_fuel(limits.fuel.unwrap_or(u64::MAX))?;" => "store.set_fuel(limits.fuel.filter(|_| !{off}).unwrap_or(u64::MAX))?;";
    }
    "deadline-of-host-calls" "a call that waits for the host has eight seconds more" of "attacks::time", "attacks::network::body_sent", "attacks::network::timeouts_of_c", "attacks::network::response_" {
        INVOKE: "tokio::time::Instant::from_std(self.permit.deadline());" => "tokio::time::Instant::from_std(\n            self.permit.deadline() + std::time::Duration::from_secs(if {off} { 8 } else { 0 }),\n        );";
    }
    "deadline-of-guests" "a call that computes is not interrupted" of "attacks::time", "attacks::network::body_sent", "attacks::network::response_drips", "hostile::spin"; with "deadline-of-host-calls" {
        INVOKE: "let over = clock.instant() >= deadline;" => "let over = !{off} && clock.instant() >= deadline;";
    }
    "giving-way" "a call that computes does not give way" of "attacks::time", "sandbox::limits::a_loop_gives" {
        INVOKE: "} else { UpdateDeadline::Yield(1) })" => "} else if {off} { UpdateDeadline::Continue(1) } else { UpdateDeadline::Yield(1) })";
    }
    "concurrency" "a skill may have any number of calls at once" of "rest::problems::too_many_calls", "settings::limits::a_default_of_c", "settings::skills::calls_above" {
        GATE: "(count < limit)" => "({off} || count < limit)";
    }
}

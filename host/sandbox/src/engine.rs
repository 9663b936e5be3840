//! The engine: every knob that decides what a guest can do to the host.
//!
//! Nothing here is left to a default that a new release could change.

use std::thread;
use std::time::Duration;

use bailiwick_domain::limits::{MAX_INSTANCES, MAX_TABLE_ELEMENTS};
use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
    WasmBacktraceDetails,
};

use crate::SandboxOptions;

/// How often the epoch moves on. A guest that computes gives way to others,
/// and is checked against its deadline, once in this time.
const EPOCH: Duration = Duration::from_millis(10);

/// Native stack of a call: the guest's part and the host's own above it.
const ASYNC_STACK_BYTES: usize = 1 << 20;

/// What a guest's recursion may take of the stack; the rest is for host calls.
const WASM_STACK_BYTES: usize = 512 << 10;

/// Address space of one memory: a whole 32-bit space, so that bounds need no checks.
const MEMORY_RESERVATION: u64 = 4 << 30;

/// Address space after a memory that traps: covers offsets that compiled code folds in.
const MEMORY_GUARD: u64 = 32 << 20;

/// Dirty pages up to this are reset by copying, not given back to the kernel;
/// giving them back takes a lock that all threads share.
const KEEP_RESIDENT: usize = 4 << 20;

/// Memories and tables within one component, beside its core instances.
const MEMORIES_PER_COMPONENT: u32 = 8;
const TABLES_PER_COMPONENT: u32 = 32;

/// Memories and tables within one module: toolchains emit one of each.
const MEMORIES_PER_MODULE: u32 = 1;
const TABLES_PER_MODULE: u32 = 1;

/// Host-side bookkeeping for one instance.
const INSTANCE_BYTES: usize = 1 << 20;

/// Whether compiled code counts fuel. Counting costs a fifth to a half of the
/// speed, so that it is compiled in only where a limit asks for the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Metering {
    /// Epochs alone.
    Plain,
    /// Epochs and fuel.
    Fuel,
}

impl Metering {
    /// Also the name of its folder in the cache.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Fuel => "fuel",
        }
    }
}

/// Builds an engine. `total` instances can live in it at once.
pub(crate) fn build(options: &SandboxOptions, metering: Metering) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    limits(&mut config, metering);
    features(&mut config);
    code(&mut config);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(options)));
    Engine::new(&config)
}

/// Time, stack and address space.
fn limits(config: &mut Config, metering: Metering) {
    config.epoch_interruption(true);
    config.consume_fuel(metering == Metering::Fuel);
    config.async_stack_size(ASYNC_STACK_BYTES);
    // No guest can read of a stack what it has not written: every local of
    // WebAssembly begins as zero. Zeroing would be a second wall behind that one,
    // and its system call for every call halves what two threads do at once.
    config.async_stack_zeroing(false);
    config.max_wasm_stack(WASM_STACK_BYTES);
    config.memory_reservation(MEMORY_RESERVATION);
    config.memory_guard_size(MEMORY_GUARD);
    config.memory_may_move(false);
    config.guard_before_linear_memory(true);
    config.signals_based_traps(true);
    config.memory_init_cow(true);
    config.table_lazy_init(true);
}

/// WebAssembly as toolchains emit it today, and nothing that is not needed:
/// the parts left out are where most of the engine's advisories of late were.
fn features(config: &mut Config) {
    config.wasm_component_model(true);
    config.concurrency_support(false);
    config.wasm_simd(true);
    // Its results may differ between processors, and calls should replay alike.
    config.wasm_relaxed_simd(false);
    config.wasm_bulk_memory(true);
    config.wasm_multi_value(true);
    config.wasm_multi_memory(true);
    config.wasm_memory64(false);
    config.wasm_tail_call(true);
    config.wasm_extended_const(true);
    config.wasm_custom_page_sizes(false);
    config.wasm_wide_arithmetic(false);
    config.wasm_component_model_map(false);
    config.wasm_component_model_memory64(false);
    config.wasm_component_model_fixed_length_lists(false);
    config.wasm_component_model_error_context(false);
    config.shared_memory(false);
}

/// How code is compiled, and what it says when it traps.
fn code(config: &mut Config) {
    config.strategy(Strategy::Cranelift);
    config.cranelift_opt_level(OptLevel::Speed);
    config.cranelift_nan_canonicalization(false);
    config.parallel_compilation(true);
    config.generate_address_map(true);
    config.debug_info(false);
    // Functions have names in a backtrace; files and lines would need the
    // whole debug information of a guest in memory.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config.native_unwind_info(false);
}

fn pool(options: &SandboxOptions) -> PoolingAllocationConfig {
    let calls = options.max_instances;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(8))
        .total_memories(calls.saturating_mul(2))
        .total_tables(calls.saturating_mul(4))
        .total_stacks(calls)
        .max_core_instances_per_component(u32::try_from(MAX_INSTANCES).unwrap_or(u32::MAX))
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_memories_per_module(MEMORIES_PER_MODULE)
        .max_tables_per_module(TABLES_PER_MODULE)
        .max_component_instance_size(INSTANCE_BYTES)
        .max_core_instance_size(INSTANCE_BYTES)
        .table_elements(usize::try_from(MAX_TABLE_ELEMENTS).unwrap_or(usize::MAX))
        .max_memory_size(usize::try_from(options.max_memory_bytes).unwrap_or(usize::MAX))
        .max_unused_warm_slots(calls)
        .decommit_batch_size(1)
        .async_stack_keep_resident(0);
    if options.pagemap_scan {
        pool.pagemap_scan(Enabled::Auto).linear_memory_keep_resident(KEEP_RESIDENT).table_keep_resident(KEEP_RESIDENT);
    } else {
        // Without the scan, kept pages would be copied whether dirty or not.
        pool.pagemap_scan(Enabled::No).linear_memory_keep_resident(0).table_keep_resident(0);
    }
    pool
}

/// Whether the machine has no swap. Only then is the page map's dirty bit the
/// whole truth: a dirty page that was swapped out might survive into the next instance.
pub(crate) fn swap_is_off() -> bool {
    // One line of headings, then one for each swap area.
    std::fs::read_to_string("/proc/swaps").is_ok_and(|swaps| swaps.lines().count() <= 1)
}

/// Moves the epoch of every engine on until all of them are gone.
pub(crate) fn start_ticker(engines: Vec<EngineWeak>) -> std::io::Result<()> {
    let tick = move || {
        loop {
            thread::sleep(EPOCH);
            let mut alive = false;
            for engine in engines.iter().filter_map(EngineWeak::upgrade) {
                engine.increment_epoch();
                alive = true;
            }
            if !alive {
                return;
            }
        }
    };
    thread::Builder::new().name("epoch".to_owned()).spawn(tick).map(drop)
}

//! The floor: wasmtime with the settings of the host's engine, and nothing else.
//!
//! No permit, no limits but those of the engine, no meter, no log, no JSON, no
//! capabilities but WASI's own. Calls are typed, by a signature that is known
//! when this is compiled.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker, ResourceTable, ResourceType, Val};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, StoreContextMut};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::guests::Guest;

/// Instances that can live at once, here and in the host that is measured.
pub const MAX_INSTANCES: u32 = 256;

/// Bytes that one memory can ever have; the host's default ceiling.
pub const MAX_MEMORY: u64 = 512 << 20;

/// As often as the host's.
const EPOCH: Duration = Duration::from_millis(10);

/// One component on an engine of its own.
pub struct Floor {
    engine: Engine,
    pre: InstancePre<State>,
    echo: ComponentExportIndex,
    /// Components of others have no such tool.
    sleep: Option<ComponentExportIndex>,
}

/// The data of one call's store.
struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl Floor {
    /// The guest, compiled.
    pub fn new(guest: &Guest) -> Self {
        let engine = engine();
        let component = Component::from_binary(&engine, &fs::read(&guest.path).unwrap()).unwrap();
        Self::with(engine, &component, guest)
    }

    /// The guest from a file of [`precompile`], so that the process holds
    /// nothing that a compiler left behind.
    pub fn mapped(guest: &Guest, file: &Path) -> Self {
        let engine = engine();
        let component = map(&engine, file);
        Self::with(engine, &component, guest)
    }

    fn with(engine: Engine, component: &Component, guest: &Guest) -> Self {
        let mut linker = linker(&engine);
        stand_in_for_http(&mut linker, component);
        let pre = linker.instantiate_pre(component).unwrap();
        let tools = guest.interface.map(|interface| component.get_export_index(None, interface).unwrap());
        let export = |name| component.get_export_index(tools.as_ref(), name);
        Self { echo: export("echo").unwrap(), sleep: export("sleep"), engine, pre }
    }

    /// A fresh instance that gives `text` back.
    pub async fn echo(&self, text: &str) -> String {
        let mut store = self.store();
        let instance = self.pre.instantiate_async(&mut store).await.unwrap();
        let echo = instance.get_typed_func::<(&str,), (String,)>(&mut store, self.echo).unwrap();
        echo.call_async(&mut store, (text,)).await.unwrap().0
    }

    /// A fresh instance that sleeps in a host call.
    pub async fn sleep(&self, time: Duration) {
        let mut store = self.store();
        let instance = self.pre.instantiate_async(&mut store).await.unwrap();
        let sleep = instance.get_typed_func::<(u64,), ()>(&mut store, self.sleep.unwrap()).unwrap();
        let millis = u64::try_from(time.as_millis()).unwrap();
        sleep.call_async(&mut store, (millis,)).await.unwrap();
    }

    fn store(&self) -> Store<State> {
        let state = State { wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
        let mut store = Store::new(&self.engine, state);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store
    }
}

/// Compiles the guest into the file at `path`.
pub fn precompile(guest: &Guest, path: &Path) {
    let code = engine().precompile_component(&fs::read(&guest.path).unwrap()).unwrap();
    fs::write(path, code).unwrap();
}

/// An engine and every file of compiled code in `folder`, ready to be
/// instantiated; says how many.
pub fn load_all(folder: &Path) -> usize {
    let engine = engine();
    let linker = linker(&engine);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ready: Vec<_> = files.map(|file| linker.instantiate_pre(&map(&engine, &file)).unwrap()).collect();
    ready.len()
}

/// Maps the code in `file`.
fn map(engine: &Engine, file: &Path) -> Component {
    // SAFETY: `deserialize_file` demands bytes that `Engine::precompile_component`
    // wrote and that do not change while mapped. The benchmark wrote the files
    // itself a moment ago, into a temporary folder that nobody else knows.
    #[expect(unsafe_code, reason = "the one way to map compiled code; see the argument above")]
    unsafe {
        Component::deserialize_file(engine, file).unwrap()
    }
}

fn linker(engine: &Engine) -> Linker<State> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    linker
}

/// Links whatever of HTTP the component imports to functions that fail: the
/// engine of JavaScript imports it whether its program makes requests or not.
fn stand_in_for_http(linker: &mut Linker<State>, component: &Component) {
    let (ty, engine) = (component.component_type(), component.engine());
    let mut known = Vec::new();
    for (name, import) in ty.imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        let is_http = name.starts_with("wasi:http/");
        for (item, export) in instance.exports(engine) {
            match export.ty {
                ComponentItem::ComponentFunc(_) if is_http => {
                    let fail = |_: StoreContextMut<'_, State>, _: ComponentFunc, _: &[Val], _: &mut [Val]| {
                        Err(wasmtime::Error::msg("the floor has no HTTP"))
                    };
                    linker.instance(name).unwrap().func_new(item, fail).unwrap();
                }
                // One that another interface has already is that one again, and is linked there.
                ComponentItem::Resource(resource) if !known.contains(&resource) => {
                    known.push(resource);
                    if is_http {
                        let mut instance = linker.instance(name).unwrap();
                        instance.resource(item, ResourceType::host::<()>(), |_, _| Ok(())).unwrap();
                    }
                }
                _ => {}
            }
        }
    }
}

/// The settings of host/sandbox/src/engine.rs that cost or save time.
fn engine() -> Engine {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(MAX_INSTANCES)
        .total_core_instances(MAX_INSTANCES * 8)
        .total_memories(MAX_INSTANCES * 2)
        .total_tables(MAX_INSTANCES * 4)
        .total_stacks(MAX_INSTANCES)
        .max_core_instances_per_component(64)
        .max_memories_per_component(8)
        .max_tables_per_component(32)
        .max_component_instance_size(1 << 20)
        .max_core_instance_size(1 << 20)
        .table_elements(100_000)
        .max_memory_size(usize::try_from(MAX_MEMORY).unwrap())
        .max_unused_warm_slots(MAX_INSTANCES)
        .decommit_batch_size(1)
        .async_stack_keep_resident(0);
    if swap_is_off() {
        pool.pagemap_scan(Enabled::Auto).linear_memory_keep_resident(4 << 20).table_keep_resident(4 << 20);
    }
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .async_stack_size(1 << 20)
        .max_wasm_stack(512 << 10)
        .memory_reservation(4 << 30)
        .memory_guard_size(32 << 20)
        .memory_may_move(false)
        .concurrency_support(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config).unwrap();
    start_ticker(&engine);
    engine
}

fn start_ticker(engine: &Engine) {
    let engine = engine.weak();
    thread::spawn(move || {
        loop {
            thread::sleep(EPOCH);
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    });
}

/// As the host decides whether the page map may be scanned.
fn swap_is_off() -> bool {
    fs::read_to_string("/proc/swaps").is_ok_and(|swaps| swaps.lines().count() <= 1)
}

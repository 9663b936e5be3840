//! Loaded components: described at once, their code mapped at the first call.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_domain::component::Inspection;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::sandbox::InvokeError;
use bailiwick_domain::wit::ToolSignature;
use tokio::sync::OnceCell;
use wasmtime::Engine;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};

use crate::LARGE_COMPONENT;
use crate::cache::Cache;
use crate::capabilities;
use crate::engine::Metering;
use crate::guest::Guest;

/// An engine with what belongs to it.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    pub(crate) metering: Metering,
    linker: Linker<Guest>,
    cache: Cache,
}

impl Machine {
    pub(crate) fn new(engine: Engine, metering: Metering, cache: Cache) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(&engine);
        capabilities::link(&mut linker)?;
        Ok(Self { engine, metering, linker, cache })
    }

    pub(crate) fn describe(&self, digest: &Digest) -> Option<Inspection> {
        self.cache.describe(digest)
    }

    /// Compiles `bytes`, its functions side by side. Large components wait for one
    /// another, so that the memory of compiling is bounded by that of the largest.
    pub(crate) fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let is_large = bytes.len() as u64 > LARGE_COMPONENT;
        let _turn = is_large.then(|| ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner));
        Component::from_binary(&self.engine, bytes)
    }

    /// Keeps what was compiled. A cache that can't be written costs time, nothing else.
    pub(crate) fn keep(&self, inspection: &Inspection, component: &Component) {
        let stored = component.serialize().map_err(|error| error.to_string());
        let stored = stored.and_then(|code| self.cache.store(inspection, &code).map_err(|error| error.to_string()));
        if let Err(error) = stored {
            tracing::warn!(digest = %inspection.digest, error, "compiled code can't be kept; it will be compiled again");
        }
    }

    /// Links a component to this host, as far as that can be done before a call.
    pub(crate) fn link(&self, component: &Component, inspection: &Inspection) -> wasmtime::Result<Code> {
        let pre = self.linker.instantiate_pre(component)?;
        let export = |tool: &ToolSignature| {
            let interface = match &tool.interface {
                Some(name) => Some(component.get_export_index(None, name)?),
                None => None,
            };
            component.get_export_index(interface.as_ref(), &tool.function)
        };
        let exports = inspection.functions().map(|tool| {
            export(tool).ok_or_else(|| wasmtime::Error::msg(format!("the export `{}` is gone", tool.qualified_name())))
        });
        Ok(Code { exports: exports.collect::<Result<_, _>>()?, pre })
    }
}

/// Code that is ready to run.
pub(crate) struct Code {
    pub(crate) pre: InstancePre<Guest>,
    /// By the index of the function.
    pub(crate) exports: Vec<ComponentExportIndex>,
}

/// One component that calls can be made of.
pub(crate) struct Loaded {
    pub(crate) inspection: Arc<Inspection>,
    /// Where its bytes were; they are read again only to compile with fuel.
    path: PathBuf,
    plain: OnceCell<Arc<Code>>,
    fuel: OnceCell<Arc<Code>>,
}

impl Loaded {
    pub(crate) fn new(inspection: Inspection, path: PathBuf) -> Self {
        Self { inspection: Arc::new(inspection), path, plain: OnceCell::new(), fuel: OnceCell::new() }
    }

    /// The code for `machine`. The first caller maps or compiles it, on a
    /// thread that may block; others wait for it.
    pub(crate) async fn code(self: &Arc<Self>, machine: &Arc<Machine>) -> Result<Arc<Code>, InvokeError> {
        let cell = match machine.metering {
            Metering::Plain => &self.plain,
            Metering::Fuel => &self.fuel,
        };
        if let Some(code) = cell.get() {
            return Ok(Arc::clone(code));
        }
        let ready = || async {
            let (loaded, machine) = (Arc::clone(self), Arc::clone(machine));
            let work = tokio::task::spawn_blocking(move || loaded.prepare(&machine));
            work.await.unwrap_or_else(|error| Err(InvokeError::Host(error.to_string())))
        };
        cell.get_or_try_init(ready).await.cloned()
    }

    fn prepare(&self, machine: &Machine) -> Result<Arc<Code>, InvokeError> {
        let component = match machine.cache.load(&machine.engine, &self.inspection.digest) {
            Some(component) => component,
            None => self.recompile(machine)?,
        };
        let linked = machine.link(&component, &self.inspection);
        linked.map(Arc::new).map_err(|error| InvokeError::NotLoaded(error.to_string()))
    }

    fn recompile(&self, machine: &Machine) -> Result<Component, InvokeError> {
        let digest = &self.inspection.digest;
        let bytes = std::fs::read(&self.path)
            .map_err(|error| InvokeError::NotLoaded(format!("its file can't be read: {}", error.kind())))?;
        if Digest::of(&bytes) != *digest {
            return Err(InvokeError::NotLoaded("its file has changed since it was loaded".to_owned()));
        }
        let component = machine.compile(&bytes).map_err(|error| InvokeError::NotLoaded(error.to_string()))?;
        machine.keep(&self.inspection, &component);
        Ok(component)
    }
}

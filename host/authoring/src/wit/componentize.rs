//! A component of the core module that a linker made.

use wasmparser::{Parser, Payload, TypeRef};
use wit_component::{ComponentEncoder, StringEncoding};

use super::Wanted;
use super::error::{Undefined, WitError};

/// The module that undefined functions are imported from, as linkers for WebAssembly have it.
const UNDEFINED: &str = "env";
/// The one interface of WASI 0.1.
const WASI_0_1: &str = "wasi_snapshot_preview1";
/// What the custom sections are called that say which world a module is for.
const WORLD_SECTION: &str = "component-type";

/// Makes a component of the core module `module`, which carries its world as the object
/// file of [`bindings`](super::bindings()) has it, or gets the one that is `wanted`.
pub fn componentize(module: &[u8], wanted: Option<&Wanted<'_>>) -> Result<Vec<u8>, WitError> {
    let found = Found::of(module)?;
    found.check()?;
    let mut module = module.to_vec();
    match wanted {
        Some(wanted) => embed(&mut module, wanted)?,
        None if !found.has_world => return Err(WitError::NoWorld),
        None => {}
    }
    let encoder = ComponentEncoder::default().validate(true).module(&module);
    encoder.and_then(|mut encoder| encoder.encode()).map_err(WitError::encode)
}

fn embed(module: &mut Vec<u8>, wanted: &Wanted<'_>) -> Result<(), WitError> {
    let (resolve, world) = wanted.resolve()?;
    wit_component::embed_component_metadata(module, &resolve, world, StringEncoding::UTF8).map_err(WitError::encode)
}

/// What a module says of itself, as far as its author may have got it wrong.
#[derive(Default)]
struct Found {
    has_world: bool,
    undefined: Vec<Undefined>,
    of_wasi_0_1: Vec<String>,
}

impl Found {
    fn of(module: &[u8]) -> Result<Self, WitError> {
        if Parser::is_component(module) {
            return Err(WitError::AlreadyComponent);
        }
        if !Parser::is_core_wasm(module) {
            return Err(WitError::NoModule { reason: "its first bytes are not those of WebAssembly".to_owned() });
        }
        let mut found = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            found.see(payload).map_err(|error| WitError::NoModule { reason: error.to_string() })?;
        }
        Ok(found)
    }

    fn see(&mut self, payload: wasmparser::Result<Payload<'_>>) -> wasmparser::Result<()> {
        match payload? {
            Payload::CustomSection(section) => self.has_world |= section.name().starts_with(WORLD_SECTION),
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    match (import.module, import.ty) {
                        (UNDEFINED, TypeRef::Func(_)) => self.undefined.push(Undefined::new(import.name)),
                        (WASI_0_1, _) => self.of_wasi_0_1.push(import.name.to_owned()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> Result<(), WitError> {
        if !self.undefined.is_empty() {
            return Err(WitError::Undefined { functions: self.undefined.clone() });
        }
        if !self.of_wasi_0_1.is_empty() {
            return Err(WitError::OldWasi { functions: self.of_wasi_0_1.clone() });
        }
        Ok(())
    }
}

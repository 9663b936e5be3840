//! Configuration: the granted values of the requested keys, by `wasi:config`.

use std::collections::BTreeMap;

use wasmtime::component::Linker;
use wasmtime_wasi_config::{WasiConfig, WasiConfigVariables};

use crate::guest::Guest;

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi_config::add_to_linker(linker, |guest| WasiConfig::from(&guest.config))
}

/// The values that one call sees. A key that is not granted is not there, as
/// the interface has no error for a refusal.
pub(crate) fn prepare(values: &BTreeMap<String, String>) -> WasiConfigVariables {
    values.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

//! Configuration: the granted values of the requested keys, by `wasi:config`.
//!
//! A key that is not granted is not there, as the interface has no error for a refusal.

use std::collections::BTreeMap;

use bailiwick_domain::observation::Touch;
use wasmtime::component::{HasData, Linker};

use super::{Denials, Uses};
use crate::guest::Guest;
use crate::meter::{Counted, Counters};

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/config",
        world: "wasi:config/imports",
        imports: { default: trappable },
    });
}

use generated::wasi::config::store::{self, Error};

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    store::add_to_linker::<_, HasConfig>(linker, Guest::config_view)
}

struct HasConfig;

impl HasData for HasConfig {
    type Data<'a> = View<'a>;
}

/// What the interface's functions work on.
pub(crate) struct View<'a> {
    pub(crate) values: &'a BTreeMap<String, String>,
    pub(crate) denials: &'a Denials,
    pub(crate) uses: &'a Uses,
    pub(crate) counters: &'a Counters,
}

impl View<'_> {
    fn count(&self, operation: impl FnOnce() -> String) -> Result<(), Error> {
        self.counters.take(Counted::HostCalls, 1).map_err(|reached| {
            self.denials.record("config", operation(), reached.to_string());
            Error::Upstream(reached.to_string())
        })
    }

    /// The value, whose reading is recorded. What is not there is of interest only to
    /// those who observe: a guest can name any key.
    fn read(&self, key: &str) -> Option<String> {
        self.uses.touch(|| Touch::Setting(key.to_owned()));
        let value = self.values.get(key)?;
        self.uses.record("config", key);
        Some(value.clone())
    }
}

impl store::Host for View<'_> {
    fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, Error>> {
        Ok(self.count(|| format!("get {key:?}")).map(|()| self.read(&key)))
    }

    fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, Error>> {
        let read = |key: &String| self.read(key).map(|value| (key.clone(), value));
        Ok(self.count(|| "get all".to_owned()).map(|()| self.values.keys().filter_map(read).collect()))
    }
}

//! What a guest can reach, one file for each capability.
//!
//! Each has its moments: *link*, where its interfaces are offered to every
//! component; *prepare*, where one call gets its part of them from the terms of
//! its permit. A capability that a permit does not give is linked all the
//! same, and answers every use with the typed error that its interface has for
//! a refusal; the refusal is recorded.

pub(crate) mod config;
pub(crate) mod fs;
pub(crate) mod http;
pub(crate) mod random;
pub(crate) mod state;

use std::sync::{Mutex, PoisonError};

use bailiwick_domain::receipt::Denial;
use bailiwick_domain::sandbox::MAX_DENIALS;
use wasmtime::component::Linker;

use crate::guest::Guest;

/// Offers every interface of this host.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    // Clocks, random numbers, stdio, and the interfaces of files and sockets.
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    // Those that are counted stand in the place of those that aren't.
    linker.allow_shadowing(true);
    fs::link(linker)?;
    random::link(linker)?;
    linker.allow_shadowing(false);
    http::link(linker)?;
    state::link(linker)?;
    config::link(linker)
}

/// The refusals of one call.
#[derive(Debug, Default)]
pub(crate) struct Denials(Mutex<Vec<Denial>>);

impl Denials {
    pub(crate) fn record(&self, capability: &'static str, request: String, reason: impl Into<String>) {
        let mut denials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if denials.len() < MAX_DENIALS {
            denials.push(Denial { capability, request, reason: reason.into() });
        }
    }

    pub(crate) fn take(&self) -> Vec<Denial> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

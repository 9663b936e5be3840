//! What a guest can reach, one file for each capability.
//!
//! Each has its moments: *link*, where its interfaces are offered to every
//! component; *prepare*, where one call gets its part of them from the terms of
//! its permit. A capability that a permit does not give is linked all the
//! same, and answers every use with the typed error that its interface has for
//! a refusal; the refusal is recorded.

pub(crate) mod approval;
pub(crate) mod config;
pub(crate) mod fs;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod model;
pub(crate) mod progress;
pub(crate) mod random;
pub(crate) mod secret;
pub(crate) mod shell;
pub(crate) mod skill;
pub(crate) mod state;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_domain::observation::{Observation, Touch};
use bailiwick_domain::receipt::Denial;
use bailiwick_domain::sandbox::{MAX_DENIALS, MAX_USES};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::WasiView as _;

use crate::guest::Guest;

/// What skills ask of the rest of the host: `bailiwick:skill` and `wasi:logging`.
mod generated {
    wasmtime::component::bindgen!({
        path: ["../../wit/logging", "../../wit/skill"],
        world: "bailiwick:skill/host",
        imports: { default: async | trappable },
    });
}

/// Offers every interface of this host.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    // Clocks, random numbers, stdio, and the interfaces of files and sockets.
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    // Those that are counted, or that say less, stand in the place of the library's own.
    linker.allow_shadowing(true);
    link_error_text(linker)?;
    fs::link(linker)?;
    random::link(linker)?;
    linker.allow_shadowing(false);
    http::link(linker)?;
    state::link(linker)?;
    shell::link(linker)?;
    config::link(linker)?;
    skill::link(linker)?;
    model::link(linker)?;
    approval::link(linker)?;
    progress::link(linker)?;
    log::link(linker)
}

/// Replaces what says to a guest why a stream failed: the library's own tells
/// the host's backtrace too where `RUST_BACKTRACE` is set.
fn link_error_text(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.instance("wasi:io/error@0.2.12")?.func_wrap(
        "[method]error.to-debug-string",
        |mut store: StoreContextMut<'_, Guest>, (error,): (Resource<wasmtime::Error>,)| {
            let text = format!("{:#}", store.data_mut().ctx().table.get(&error)?);
            Ok((text,))
        },
    )
}

/// Bytes that are kept of what was asked for. A guest chooses the text, and it
/// stands in receipts and logs.
const MAX_REQUEST: usize = 256;

/// The refusals of one call.
#[derive(Debug, Default)]
pub(crate) struct Denials(Mutex<Vec<Denial>>);

impl Denials {
    pub(crate) fn record(&self, capability: &'static str, request: String, reason: impl Into<String>) {
        let mut denials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if denials.len() < MAX_DENIALS {
            denials.push(Denial { capability, request: shortened(request), reason: reason.into() });
        }
    }

    pub(crate) fn take(&self) -> Vec<Denial> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What one call made use of, of all that it was allowed: a summary for its receipt,
/// and where the call is observed, each thing that it touched.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    kept: Mutex<BTreeSet<String>>,
    observation: Option<Arc<Observation>>,
}

impl Uses {
    pub(crate) fn new(observation: Option<&Arc<Observation>>) -> Self {
        Self { kept: Mutex::default(), observation: observation.cloned() }
    }

    pub(crate) fn record(&self, capability: &'static str, what: impl std::fmt::Display) {
        let mut uses = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() < MAX_USES {
            uses.insert(format!("{capability} {what}"));
        }
    }

    /// Notes what was touched, if anybody observes.
    pub(crate) fn touch(&self, touch: impl FnOnce() -> Touch) {
        if let Some(observation) = &self.observation {
            observation.touch(touch());
        }
    }

    /// Who observes.
    pub(crate) const fn observation(&self) -> Option<&Arc<Observation>> {
        self.observation.as_ref()
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

/// The text as far as it is kept. What is cut off gives its memory back.
fn shortened(text: String) -> String {
    if text.len() <= MAX_REQUEST {
        return text;
    }
    format!("{}…", &text[..text.floor_char_boundary(MAX_REQUEST)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_request_is_short() {
        let denials = Denials::default();
        for request in ["x".repeat(MAX_REQUEST), "ä".repeat(MAX_REQUEST)] {
            denials.record("state", request, "no");
        }
        let kept: Vec<_> = denials.take().into_iter().map(|denial| denial.request).collect();
        assert_eq!(kept, ["x".repeat(MAX_REQUEST), format!("{}…", "ä".repeat(MAX_REQUEST / 2))]);
    }
}

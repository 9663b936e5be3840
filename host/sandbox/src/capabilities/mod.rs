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

/// Characters of a request in a record: a guest chooses the names that it asks
/// for, and must not fill the host's memory or log with them.
const MAX_REQUEST: usize = 512;

/// The refusals of one call.
#[derive(Debug, Default)]
pub(crate) struct Denials(Mutex<Vec<Denial>>);

impl Denials {
    pub(crate) fn record(&self, capability: &'static str, request: String, reason: impl Into<String>) {
        let mut denials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if denials.len() < MAX_DENIALS {
            denials.push(Denial { capability, request: cut(request), reason: reason.into() });
        }
    }

    pub(crate) fn take(&self) -> Vec<Denial> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn cut(mut request: String) -> String {
    if let Some((end, _)) = request.char_indices().nth(MAX_REQUEST) {
        request.truncate(end);
        request.push('…');
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_few_and_short() {
        let denials = Denials::default();
        for _ in 0..2 * MAX_DENIALS {
            denials.record("state", "é".repeat(1 << 16), "no");
        }
        let taken = denials.take();
        assert_eq!(taken.len(), MAX_DENIALS);
        assert!(taken.iter().all(|denial| denial.request.chars().count() == MAX_REQUEST + 1));
    }
}

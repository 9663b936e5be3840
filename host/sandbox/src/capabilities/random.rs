//! Random bytes by `wasi:random`, as many as the call's limit allows.
//!
//! The interface has no error, so that whoever asks for more is ended.

use bailiwick_domain::digest::Digest;
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::random::{Deterministic, WasiRandomCtx};

use crate::guest::Guest;
use crate::meter::{Counted, Counters, LimitReached};

/// Bytes of a number.
const NUMBER: u64 = 8;

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    random::add_to_linker::<_, HasRandom>(linker, Guest::random_view)?;
    insecure::add_to_linker::<_, HasRandom>(linker, Guest::random_view)?;
    insecure_seed::add_to_linker::<_, HasRandom>(linker, Guest::random_view)
}

/// Bytes that follow from a seed, after which they come again: more than a guest that
/// runs anew needs to do the same again.
const SEEDED: u32 = 64 << 10;

/// Has randomness follow from `seed`, for a guest that runs anew and has to get the same.
pub(crate) fn seed(builder: &mut WasiCtxBuilder, seed: &[u8; 32]) {
    let block = |number: u32| {
        let text: Vec<u8> = seed.iter().copied().chain(number.to_le_bytes()).collect();
        *Digest::of(&text).as_bytes()
    };
    let first = block(0);
    let bytes: Vec<u8> = (1..=SEEDED / 32).flat_map(block).collect();
    builder
        .secure_random(Deterministic::new(bytes.clone()))
        .insecure_random(Deterministic::new(bytes))
        .insecure_random_seed(u128::from_le_bytes(first.first_chunk().copied().unwrap_or_default()));
}

struct HasRandom;

impl HasData for HasRandom {
    type Data<'a> = View<'a>;
}

/// What the interface's functions work on.
pub(crate) struct View<'a> {
    pub(crate) inner: &'a mut WasiRandomCtx,
    pub(crate) counters: &'a Counters,
}

impl View<'_> {
    fn take(&self, bytes: u64) -> Result<(), LimitReached> {
        self.counters.take(Counted::HostCalls, 1)?;
        self.counters.take(Counted::Random, bytes)
    }
}

impl random::Host for View<'_> {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.take(len)?;
        random::Host::get_random_bytes(self.inner, len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.take(NUMBER)?;
        random::Host::get_random_u64(self.inner)
    }
}

impl insecure::Host for View<'_> {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.take(len)?;
        insecure::Host::get_insecure_random_bytes(self.inner, len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.take(NUMBER)?;
        insecure::Host::get_insecure_random_u64(self.inner)
    }
}

impl insecure_seed::Host for View<'_> {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        self.take(2 * NUMBER)?;
        insecure_seed::Host::insecure_seed(self.inner)
    }
}

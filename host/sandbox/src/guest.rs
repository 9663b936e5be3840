//! What the host keeps for one call: the data of its store.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bailiwick_domain::permit::Terms;
use bailiwick_domain::sandbox::InvokeError;
use bailiwick_domain::secret::SecretSet;
use bailiwick_domain::state::StateStore;
use bailiwick_domain::usage::Usage;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::capabilities::http::{FIELD_SIZE, Gate, Traffic};
use crate::capabilities::state::{State, View};
use crate::capabilities::{Denials, Uses, config, fs};
use crate::meter::Meter;
use crate::stdio::Log;

/// Handles that a guest may hold at once: files, streams, requests.
const MAX_HANDLES: usize = 1000;

/// Random bytes of one request.
const MAX_RANDOM: u64 = 64 << 10;

/// The data of one call's store.
pub(crate) struct Guest {
    pub(crate) meter: Meter,
    pub(crate) log: Log,
    pub(crate) config: WasiConfigVariables,
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    gate: Gate,
    state: State,
}

impl Guest {
    /// Everything that one call may reach, made from its terms alone.
    pub(crate) fn prepare(
        terms: &Arc<Terms>,
        secrets: &Arc<SecretSet>,
        store: &Arc<dyn StateStore>,
    ) -> Result<Self, InvokeError> {
        let log = Log::default();
        let mut builder = WasiCtx::builder();
        // No arguments, no environment and no stdin: nothing of the host's own.
        builder
            .stdout(log.clone())
            .stderr(log.clone())
            .max_random_size(MAX_RANDOM)
            .allow_blocking_current_thread(false)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        fs::prepare(&mut builder, &terms.fs)?;
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELD_SIZE);
        Ok(Self {
            meter: Meter::new(terms.limits.memory_bytes),
            log,
            config: config::prepare(&terms.config),
            wasi: builder.build(),
            table,
            http,
            gate: Gate {
                terms: Arc::clone(terms),
                secrets: Arc::clone(secrets),
                denials: Arc::new(Denials::default()),
                uses: Arc::new(Uses::default()),
                traffic: Arc::new(Traffic::default()),
            },
            state: State { granted: terms.state, skill: terms.skill.clone(), store: Arc::clone(store), calls: 0 },
        })
    }

    /// The refusals so far.
    pub(crate) fn denials(&self) -> &Denials {
        &self.gate.denials
    }

    /// What was made use of so far.
    pub(crate) fn uses(&self) -> &Uses {
        &self.gate.uses
    }

    pub(crate) fn state_view(&mut self) -> View<'_> {
        View { state: &mut self.state, table: &mut self.table, denials: &self.gate.denials, uses: &self.gate.uses }
    }

    /// Adds what the host counted to `usage`.
    pub(crate) fn account(&self, usage: &mut Usage) {
        let traffic = &self.gate.traffic;
        usage.memory_bytes = self.meter.peak();
        usage.host_calls = traffic.requests.load(Ordering::Relaxed) + self.state.calls;
        usage.http_sent_bytes = traffic.sent.load(Ordering::Relaxed);
        usage.http_received_bytes = traffic.received.load(Ordering::Relaxed);
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.gate, table: &mut self.table, ctx: &mut self.http }
    }
}

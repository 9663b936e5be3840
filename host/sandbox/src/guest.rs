//! What the host keeps for one call: the data of its store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use bailiwick_domain::clock::Clock;
use bailiwick_domain::permit::Permit;
use bailiwick_domain::sandbox::InvokeError;
use bailiwick_domain::secret::SecretSet;
use bailiwick_domain::services::Services;
use bailiwick_domain::state::StateStore;
use bailiwick_domain::usage::Usage;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::capabilities::fs::Files;
use crate::capabilities::http::{FIELD_SIZE, Gate};
use crate::capabilities::shell::{self, Commands, Shell};
use crate::capabilities::state::State;
use crate::capabilities::{Denials, Uses, approval, config, fs, log, model, progress, random, skill, state};
use crate::meter::Meter;
use crate::stdio::Log;
use crate::workspace::Workspace;

/// Handles that a guest may hold at once: files, streams, requests.
const MAX_HANDLES: usize = 1000;

/// The data of one call's store.
pub(crate) struct Guest {
    pub(crate) meter: Meter,
    pub(crate) log: Log,
    config: BTreeMap<String, String>,
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    gate: Gate,
    files: Files,
    state: State,
    shell: Shell,
    services: Arc<dyn Services>,
    clock: Arc<dyn Clock>,
    deadline: Instant,
    /// When it last told how far it is.
    reported: Option<Instant>,
    /// How many questions it asked.
    asked: u32,
}

/// What a call finds around it.
pub(crate) struct Around<'a> {
    pub(crate) secrets: &'a Arc<SecretSet>,
    pub(crate) state: &'a Arc<dyn StateStore>,
    pub(crate) workspace: Option<&'a Workspace>,
    pub(crate) commands: Option<&'a Arc<Commands>>,
    pub(crate) services: &'a Arc<dyn Services>,
    pub(crate) clock: &'a Arc<dyn Clock>,
}

impl Guest {
    /// Everything that one call may reach, made from its permit alone.
    pub(crate) fn prepare(permit: &Permit, around: &Around<'_>) -> Result<Self, InvokeError> {
        let Around { secrets, state: store, workspace, commands, services, clock } = *around;
        let terms = permit.terms();
        // What is observed leaves no trace in what the skill keeps.
        let store = permit.observation().map_or(store, |observation| observation.state());
        let meter = Meter::new(&terms.limits);
        let counters = Arc::clone(&meter.counters);
        let log = Log::new(Arc::clone(&counters));
        let mut builder = WasiCtx::builder();
        // No arguments, no environment and no stdin: nothing of the host's own.
        builder
            .stdout(log.clone())
            .stderr(log.clone())
            .max_random_size(terms.limits.random_bytes)
            .allow_blocking_current_thread(false)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        if let Some(seed) = services.seed() {
            random::seed(&mut builder, &seed);
        }
        let files = fs::prepare(&mut builder, terms, workspace)?;
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELD_SIZE);
        Ok(Self {
            meter,
            log,
            config: terms.config.clone(),
            wasi: builder.build(),
            table,
            http,
            gate: Gate {
                terms: Arc::clone(terms),
                secrets: Arc::clone(secrets),
                denials: Arc::new(Denials::default()),
                uses: Arc::new(Uses::new(permit.observation())),
                counters,
            },
            files,
            shell: shell::prepare(terms, commands, workspace),
            state: State { quota: terms.state, skill: terms.skill.clone(), store: Arc::clone(store), swaps: 0 },
            services: Arc::clone(services),
            clock: Arc::clone(clock),
            deadline: permit.deadline(),
            reported: None,
            asked: 0,
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

    pub(crate) fn state_view(&mut self) -> state::View<'_> {
        let (denials, uses, counters) = (&*self.gate.denials, &*self.gate.uses, &*self.meter.counters);
        state::View { state: &mut self.state, table: &mut self.table, denials, uses, counters }
    }

    pub(crate) fn files_view(&mut self) -> fs::View<'_> {
        let inner = WasiFilesystemCtxView { ctx: self.wasi.filesystem(), table: &mut self.table };
        let (denials, counters) = (&self.gate.denials, &*self.meter.counters);
        fs::View { inner, files: &mut self.files, denials, uses: &self.gate.uses, counters }
    }

    pub(crate) fn random_view(&mut self) -> random::View<'_> {
        random::View { inner: self.wasi.random(), counters: &self.meter.counters }
    }

    pub(crate) fn shell_view(&mut self) -> shell::View<'_> {
        let Gate { denials, uses, counters, .. } = &self.gate;
        shell::View { shell: &self.shell, files: &self.files, denials, uses, counters }
    }

    pub(crate) fn config_view(&mut self) -> config::View<'_> {
        let Gate { denials, uses, counters, .. } = &self.gate;
        config::View { values: &self.config, denials, uses, counters }
    }

    /// What calls of other skills are made with.
    pub(crate) fn skill_desk(&self, purse: skill::Purse) -> skill::Desk {
        let Gate { terms, secrets, denials, uses, counters } = &self.gate;
        skill::Desk {
            terms: Arc::clone(terms),
            services: Arc::clone(&self.services),
            secrets: Arc::clone(secrets),
            denials: Arc::clone(denials),
            uses: Arc::clone(uses),
            counters: Arc::clone(counters),
            clock: Arc::clone(&self.clock),
            deadline: self.deadline,
            purse,
            answered: AtomicU64::new(0),
        }
    }

    pub(crate) fn models_view(&mut self) -> model::View<'_> {
        let Gate { terms, secrets, denials, uses, counters } = &self.gate;
        let (services, clock, deadline) = (&self.services, &self.clock, self.deadline);
        model::View { terms, services, secrets, denials, uses, counters, clock, deadline }
    }

    pub(crate) fn approvals_view(&mut self) -> approval::View<'_> {
        let Gate { secrets, denials, uses, counters, .. } = &self.gate;
        let (services, clock, deadline) = (&self.services, &self.clock, self.deadline);
        approval::View { asked: &mut self.asked, services, secrets, denials, uses, counters, clock, deadline }
    }

    pub(crate) fn progress_view(&mut self) -> progress::View<'_> {
        let Gate { secrets, counters, .. } = &self.gate;
        let (services, clock) = (&self.services, &self.clock);
        progress::View { last: &mut self.reported, services, secrets, counters, clock }
    }

    pub(crate) fn log_view(&mut self) -> log::View<'_> {
        let Gate { secrets, counters, .. } = &self.gate;
        log::View { log: &self.log, services: &self.services, secrets, counters }
    }

    /// Adds what the host counted to `usage`.
    pub(crate) fn account(&self, usage: &mut Usage) {
        self.meter.account(usage);
        self.files.account(usage);
        if let Some(observation) = self.gate.uses.observation() {
            self.files.tell(observation);
        }
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

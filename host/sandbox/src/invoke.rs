//! One call: an instance of its own, and an end in any case.

use std::sync::Arc;
use std::time::Instant;

use bailiwick_domain::authority::GuestPath;
use bailiwick_domain::clock::Clock;
use bailiwick_domain::permit::Permit;
use bailiwick_domain::sandbox::{InvokeError, Outcome, Output};
use bailiwick_domain::secret::SecretSet;
use bailiwick_domain::services::Services;
use bailiwick_domain::state::StateStore;
use bailiwick_domain::usage::Usage;
use bailiwick_domain::wit::{Answer, ToolSignature, WitType};
use bailiwick_domain::workspace::WorkspaceKey;
use serde_json::Value;
use wasmtime::component::Val;
use wasmtime::{Store, Trap, UpdateDeadline, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::capabilities::shell::Commands;
use crate::code::{Code, Machine};
use crate::engine::Metering;
use crate::guest::{Around, Guest};
use crate::meter::LimitReached;
use crate::value::{LiftError, lift, lower_arguments};
use crate::workspace::{OpenError, Workspace, Workspaces};

/// Bytes that a guest may hand to the host in one host call, beside its output.
const HOSTCALL_BYTES: usize = 16 << 20;

/// Handles that a component may hold at once: its own, those of the host, and each
/// lending of one. The host's are counted by themselves too, and are far fewer.
const COMPONENT_HANDLES: usize = 10_000;

/// Frames of a backtrace that are told: enough to find the place.
const MAX_FRAMES: usize = 32;

/// How the engine begins its only word on a limit that has no type.
const TOO_MANY_INSTANCES: &str = "resource limit exceeded: instance count";

/// What a call runs with.
pub(crate) struct Call<'a> {
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) machine: &'a Machine,
    pub(crate) code: &'a Code,
    pub(crate) tool: &'a ToolSignature,
    pub(crate) index: usize,
    pub(crate) arguments: &'a Value,
    pub(crate) permit: &'a Permit,
    pub(crate) secrets: &'a Arc<SecretSet>,
    pub(crate) state: &'a Arc<dyn StateStore>,
    pub(crate) workspaces: &'a Arc<Workspaces>,
    pub(crate) commands: Option<&'a Arc<Commands>>,
    pub(crate) services: &'a Arc<dyn Services>,
    pub(crate) started: Instant,
}

impl Call<'_> {
    /// Runs the call to its end.
    pub(crate) async fn run(&self) -> Outcome {
        let arguments = match lower_arguments(&self.tool.params, self.arguments) {
            Ok(arguments) => arguments,
            Err(mismatch) => {
                return failed(InvokeError::Arguments { path: mismatch.path, problem: mismatch.problem });
            }
        };
        let workspace = match self.workspace().await {
            Ok(workspace) => workspace,
            Err(error) => return failed(error),
        };
        let outcome = self.run_in(workspace.as_ref(), &arguments).await;
        // The folder is gone before anybody hears of the outcome.
        if let Some(workspace) = workspace {
            workspace.end().await;
        }
        outcome
    }

    async fn run_in(&self, workspace: Option<&Workspace>, arguments: &[Val]) -> Outcome {
        let Self { secrets, state, commands, services, clock, .. } = *self;
        let around = Around { secrets, state, workspace, commands, services, clock };
        let guest = match Guest::prepare(self.permit, &around) {
            Ok(guest) => guest,
            Err(error) => return failed(error),
        };
        let mut store = match self.store(guest) {
            Ok(store) => store,
            Err(error) => return failed(InvokeError::Host(error.to_string())),
        };
        // The epoch ends a guest that computes; this ends one that waits for
        // a host call. Dropping the call unwinds the guest's stack.
        let deadline = tokio::time::Instant::from_std(self.permit.deadline());
        let mut ready = None;
        let result = tokio::time::timeout_at(deadline, self.guest_call(&mut store, arguments, &mut ready)).await;
        let result = match result {
            Ok(Ok(value)) => self.output(value.as_ref()),
            Ok(Err(error)) => Err(self.classify(&error, store.data())),
            Err(_) => Err(self.past_deadline()),
        };
        self.outcome(result, ready, &store)
    }

    /// A folder, where the permit gives one: fresh, or shared with other calls one after the
    /// other. That of an observed call is neither shared nor kept.
    async fn workspace(&self) -> Result<Option<Workspace>, InvokeError> {
        if self.permit.terms().workspace.is_none() {
            return Ok(None);
        }
        let observed = self.permit.observation().is_some();
        if let Some(key) = self.permit.workspace().filter(|_| !observed) {
            return self.shared_workspace(key).await.map(Some);
        }
        let workspaces = Arc::clone(self.workspaces);
        let create = move || if observed { workspaces.create_scratch() } else { workspaces.create() };
        let created = tokio::task::spawn_blocking(create).await;
        let created = created.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        created.map(Some).map_err(|error| not_made(&error))
    }

    /// The folder that the calls of `key` share, when they have let go of it. A call whose time
    /// is over before that has done nothing, and may be made again.
    async fn shared_workspace(&self, key: &WorkspaceKey) -> Result<Workspace, InvokeError> {
        let deadline = tokio::time::Instant::from(self.permit.deadline());
        let opened = self.workspaces.open_or_create(key, self.permit.terms());
        let opened = tokio::time::timeout_at(deadline, opened).await.map_err(|_| InvokeError::Full)?;
        opened.map_err(|error| match error {
            OpenError::Io(error) => not_made(&error),
            OpenError::TooMany(_) | OpenError::TooManyOfRun(_) => {
                InvokeError::Mount { root: GuestPath::workspace().to_string(), reason: error.to_string() }
            }
        })
    }

    fn store(&self, guest: Guest) -> wasmtime::Result<Store<Guest>> {
        let limits = &self.permit.terms().limits;
        let mut store = Store::new(&self.machine.engine, guest);
        store.limiter(|guest| &mut guest.meter);
        store.set_max_component_handles(COMPONENT_HANDLES);
        store.set_hostcall_fuel(HOSTCALL_BYTES.max(usize::try_from(limits.output_bytes).unwrap_or(usize::MAX)));
        if self.machine.metering == Metering::Fuel {
            store.set_fuel(limits.fuel.unwrap_or(u64::MAX))?;
        }
        store.set_epoch_deadline(1);
        let (clock, deadline) = (Arc::clone(self.clock), self.permit.deadline());
        store.epoch_deadline_callback(move |_| {
            let over = clock.instant() >= deadline;
            Ok(if over { UpdateDeadline::Interrupt } else { UpdateDeadline::Yield(1) })
        });
        Ok(store)
    }

    async fn guest_call(
        &self,
        store: &mut Store<Guest>,
        arguments: &[Val],
        ready: &mut Option<Instant>,
    ) -> wasmtime::Result<Option<Val>> {
        let instance = self.code.pre.instantiate_async(&mut *store).await?;
        *ready = Some(self.clock.instant());
        let export = self.code.exports.get(self.index);
        let function = export.and_then(|export| instance.get_func(&mut *store, export));
        let function = function.ok_or_else(|| wasmtime::Error::msg("the instance lacks the export"))?;
        let mut results = [Val::Bool(false)];
        let expected = match &self.tool.answer {
            Answer::Value(None) => &mut results[..0],
            Answer::Value(Some(_)) | Answer::Fallible { .. } => &mut results[..],
        };
        let some = !expected.is_empty();
        function.call_async(&mut *store, arguments, expected).await?;
        let [value] = results;
        Ok(some.then_some(value))
    }

    fn output(&self, value: Option<&Val>) -> Result<Output, InvokeError> {
        match (&self.tool.answer, value) {
            (Answer::Value(ty), value) => self.json(ty.as_ref(), value).map(Output::Success),
            (Answer::Fallible { ok, .. }, Some(Val::Result(Ok(value)))) => {
                self.json(ok.as_ref(), value.as_deref()).map(Output::Success)
            }
            (Answer::Fallible { err, .. }, Some(Val::Result(Err(value)))) => {
                self.json(err.as_ref(), value.as_deref()).map(Output::Failure)
            }
            _ => Err(InvokeError::InvalidOutput("not a result".to_owned())),
        }
    }

    fn json(&self, ty: Option<&WitType>, value: Option<&Val>) -> Result<String, InvokeError> {
        let limit = self.permit.terms().limits.output_bytes;
        match (ty, value) {
            (Some(ty), Some(value)) => {
                lift(ty, value, usize::try_from(limit).unwrap_or(usize::MAX)).map_err(|error| match error {
                    LiftError::TooLarge => InvokeError::OutputTooLarge(limit),
                    LiftError::Type(name) => InvokeError::InvalidOutput(format!("not a {name}")),
                })
            }
            _ => Ok("null".to_owned()),
        }
    }

    fn past_deadline(&self) -> InvokeError {
        InvokeError::Deadline { millis: u64::try_from(self.permit.time().as_millis()).unwrap_or(u64::MAX) }
    }

    /// What an error of the engine means for the caller.
    fn classify(&self, error: &wasmtime::Error, guest: &Guest) -> InvokeError {
        let limits = &self.permit.terms().limits;
        if let Some(LimitReached { key, max }) = error.downcast_ref() {
            return InvokeError::Limit { limit: key, max: *max };
        }
        if let Some(I32Exit(status)) = error.downcast_ref() {
            return InvokeError::Exit { status: *status, said: self.last_words(guest) };
        }
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            return InvokeError::Full;
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => return self.past_deadline(),
            Some(Trap::OutOfFuel) => return InvokeError::Fuel(limits.fuel.unwrap_or_default()),
            _ => {}
        }
        // A guest that was refused what it needs mostly aborts by a trap of its own.
        if guest.meter.refused_memory() {
            return InvokeError::Memory(limits.memory_bytes);
        }
        if let Some(LimitReached { key, max }) = guest.meter.counters.reached() {
            return InvokeError::Limit { limit: key, max };
        }
        if error.root_cause().to_string().starts_with(TOO_MANY_INSTANCES) {
            return InvokeError::Limit { limit: "instances", max: limits.instances };
        }
        match error.downcast_ref::<WasmBacktrace>() {
            Some(backtrace) => {
                let (message, said) = (error.root_cause().to_string(), self.last_words(guest));
                InvokeError::Trap { message, backtrace: frames(backtrace), said }
            }
            None if error.is::<Trap>() => {
                let (message, said) = (error.root_cause().to_string(), self.last_words(guest));
                InvokeError::Trap { message, backtrace: vec![], said }
            }
            // Without a frame of the guest, it was the answer that could not be read.
            None => InvokeError::InvalidOutput(error.root_cause().to_string()),
        }
    }

    fn last_words(&self, guest: &Guest) -> Option<String> {
        guest.log.last_words(self.secrets.redactor())
    }

    fn outcome(&self, result: Result<Output, InvokeError>, ready: Option<Instant>, store: &Store<Guest>) -> Outcome {
        let guest = store.data();
        let mut usage = Usage {
            wall: self.clock.instant().saturating_duration_since(self.started),
            instance: ready.map(|ready| ready.saturating_duration_since(self.started)).unwrap_or_default(),
            output_bytes: match &result {
                Ok(Output::Success(json) | Output::Failure(json)) => json.len() as u64,
                Err(_) => 0,
            },
            ..Usage::default()
        };
        guest.account(&mut usage);
        if self.machine.metering == Metering::Fuel {
            let limit = self.permit.terms().limits.fuel.unwrap_or(u64::MAX);
            usage.fuel = Some(limit - store.get_fuel().unwrap_or(0).min(limit));
        }
        Outcome {
            result,
            usage,
            denials: guest.denials().take(),
            used: guest.uses().take(),
            log: guest.log.text(self.secrets.redactor()),
        }
    }
}

fn not_made(error: &std::io::Error) -> InvokeError {
    InvokeError::Host(format!("the workspace can't be made: {error}"))
}

/// The outcome of a call that never began.
pub(crate) fn failed(error: InvokeError) -> Outcome {
    Outcome::failed(error, Usage::default())
}

fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
        Some(name) => name.to_owned(),
        None => format!("function {}", frame.func_index()),
    };
    backtrace.frames().iter().take(MAX_FRAMES).map(name).collect()
}

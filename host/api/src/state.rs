//! What the handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick_agents::Runtime;
use bailiwick_distribution::install::Installer;
use bailiwick_domain::clock::Clock;
use bailiwick_skills::execute::Executor;
use bailiwick_skills::registry::Registry;
use tokio::sync::Semaphore;

use crate::auth::Keyring;
use crate::auth::throttle::Throttle;
use crate::body::ROOM_UNIT;
use crate::options::ApiOptions;
use crate::ws::MAX_SOCKETS;

/// The parts of the host that this interface stands before.
#[derive(Clone)]
pub struct Host {
    /// Which skills there are.
    pub registry: Arc<Registry>,
    /// What runs them.
    pub executor: Arc<Executor>,
    /// What runs agents.
    pub runs: Arc<Runtime>,
    /// What installs more.
    pub packages: Installer,
    /// Who may ask.
    pub keyring: Arc<Keyring>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Whether the host takes calls.
    pub ready: ReadyFlag,
}

/// Whether the host takes calls: set by whoever starts and stops it, shown to probes.
#[derive(Clone, Debug, Default)]
pub struct ReadyFlag(Arc<AtomicBool>);

impl ReadyFlag {
    /// Says that the host takes calls from now on, or no longer.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }

    /// What was said last; not ready before anything was.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the handlers share; a copy costs one count.
#[derive(Clone)]
pub(crate) struct ApiState(Arc<Shared>);

struct Shared {
    host: Host,
    options: ApiOptions,
    throttle: Throttle,
    body_room: Arc<Semaphore>,
    sockets: Arc<Semaphore>,
}

impl ApiState {
    pub(crate) fn new(host: Host, options: ApiOptions) -> Self {
        // A body that is allowed by itself must fit, or it would be told to wait for ever.
        let room = options.bodies_limit.max(options.body_limit);
        let units = room.div_ceil(ROOM_UNIT).min(Semaphore::MAX_PERMITS);
        let body_room = Arc::new(Semaphore::new(units));
        let sockets = Arc::new(Semaphore::new(MAX_SOCKETS));
        Self(Arc::new(Shared { host, options, throttle: Throttle::default(), body_room, sockets }))
    }

    pub(crate) fn options(&self) -> &ApiOptions {
        &self.0.options
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.0.host.registry
    }

    pub(crate) fn executor(&self) -> &Arc<Executor> {
        &self.0.host.executor
    }

    pub(crate) fn runs(&self) -> &Arc<Runtime> {
        &self.0.host.runs
    }

    pub(crate) fn packages(&self) -> &Installer {
        &self.0.host.packages
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.0.host.keyring
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.host.clock
    }

    pub(crate) fn ready(&self) -> &ReadyFlag {
        &self.0.host.ready
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    pub(crate) fn body_room(&self) -> &Arc<Semaphore> {
        &self.0.body_room
    }

    pub(crate) fn sockets(&self) -> &Arc<Semaphore> {
        &self.0.sockets
    }
}

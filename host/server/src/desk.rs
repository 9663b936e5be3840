//! Where commands work: at the host of the data folder, be it in another process or
//! in this one.
//!
//! A host owns its data folder. While a server runs, commands ask it over its
//! control socket; while none does, a command is the host for as long as it takes.
//! Either way they speak to the same routes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_api::auth::{KeyFile, Keyring};
use bailiwick_api::host_check::AllowedHosts;
use bailiwick_api::options::ApiOptions;
use bailiwick_api::state::{Host, ReadyFlag};
use bailiwick_api::{ControlClient, Router};
use bailiwick_distribution::install::Installer;
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_skills::execute::Executor;
use bailiwick_skills::grants::GrantEntry;
use bailiwick_skills::registry::Registry;
use bailiwick_skills::skill::Skill;
use bailiwick_wire::problem::Problem;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::app::{self, App, NotOpened};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::control::ControlSocket;
use crate::output::{Exit, Failure, Output};

/// How often a data folder that is in use is tried again: another command takes
/// milliseconds, and a server that starts needs some before it listens.
const TRIES: u32 = 40;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// The host, as a command sees it.
pub struct Desk {
    /// Declared first, so that the host goes before its runtime does.
    client: ControlClient,
    executor: Option<Arc<Executor>>,
    registry: Option<Arc<Registry>>,
    /// The routes of the host, where it is here.
    router: Option<Router>,
    runtime: Runtime,
    config: Config,
    out: Output,
}

impl Desk {
    /// Finds the server of the data folder, or opens the host here.
    pub fn open(config: &Config, out: Output) -> Result<Self, Failure> {
        let runtime = app::runtime(config.worker_threads)?;
        let person = app::person();
        for _ in 0..TRIES {
            if let Some(client) = ControlClient::there(&app::control_path(config), &person) {
                let config = config.clone();
                return Ok(Self { client, executor: None, registry: None, router: None, runtime, config, out });
            }
            match App::open(config, out) {
                Ok(app) => return Self::here(app, config, &person, runtime, out),
                Err(NotOpened::InUse(_)) => std::thread::sleep(PAUSE),
                Err(NotOpened::Failed(failure)) => return Err(failure),
            }
        }
        let folder = config.data_dir.display();
        let problem =
            format!("another process uses the data folder {folder}, and does not answer on its control socket");
        Err(Failure::new(Exit::Host, problem))
    }

    fn here(app: App, config: &Config, person: &str, runtime: Runtime, out: Output) -> Result<Self, Failure> {
        let host = |error: &dyn std::fmt::Display| Failure::new(Exit::Host, error);
        let packages = Arc::clone(&app.packages);
        let (executor, runs) = app.into_host(config)?;
        let registry = Arc::clone(executor.registry());
        let packages = Installer::new(packages, Arc::clone(&registry), Arc::clone(executor.audit()));
        let hosts = AllowedHosts::new(config.listen, &[], &[]).map_err(|error| host(&error))?;
        let clock = Arc::new(SystemClock);
        let keys = KeyFile::new(app::keys_path(config));
        let keyring = runtime.block_on(async { Keyring::open(keys, clock.clone()) }).map_err(|error| host(&error))?;
        let ready = ReadyFlag::default();
        ready.set(true);
        let (served, executing) = (Arc::clone(&registry), Arc::clone(&executor));
        let api = Host { registry: served, executor: executing, runs, packages, keyring, clock, ready };
        let router = bailiwick_api::router(api, ApiOptions::new(hosts));
        let client = ControlClient::here(router.clone(), person);
        let (executor, registry, router) = (Some(executor), Some(registry), Some(router));
        Ok(Self { client, executor, registry, router, runtime, config: config.clone(), out })
    }

    /// What makes calls, where the host is here.
    pub const fn executor(&self) -> Option<&Arc<Executor>> {
        self.executor.as_ref()
    }

    /// What asks the host, for whoever asks several things at once.
    pub const fn client(&self) -> &ControlClient {
        &self.client
    }

    /// Whether the host is in this process.
    pub const fn is_here(&self) -> bool {
        self.router.is_some()
    }

    /// Lets other commands reach the host of this process for as long as the socket is
    /// held. None where the host is elsewhere, and so has a socket.
    pub fn listen(&self) -> Result<Option<ControlSocket>, Failure> {
        let Some(router) = &self.router else { return Ok(None) };
        let _entered = self.runtime.enter();
        ControlSocket::open(app::control_path(&self.config), router.clone()).map(Some)
    }

    /// What calls run on.
    pub const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The skills, read here where the host is elsewhere.
    pub fn registry(&mut self) -> Result<Arc<Registry>, Failure> {
        if let Some(registry) = &self.registry {
            return Ok(Arc::clone(registry));
        }
        let registry = app::registry(&self.config, self.out)?;
        self.registry = Some(Arc::clone(&registry));
        Ok(registry)
    }

    /// The skill that `selector` means.
    pub fn resolve(&mut self, selector: &str) -> Result<Arc<Skill>, Failure> {
        let selector: SkillSelector = selector.parse().map_err(|error| Failure::new(Exit::Usage, error))?;
        self.registry()?.catalog().resolve(&selector).map_err(|error| Failure::new(Exit::NotFound, error))
    }

    /// Every grant.
    pub fn grants(&self) -> Result<Vec<GrantEntry>, Failure> {
        let answer: Value = self.get("/v1/grants")?;
        self.entries(&answer)
    }

    /// The grants of an answer.
    pub fn entries(&self, answer: &Value) -> Result<Vec<GrantEntry>, Failure> {
        let grants = answer["grants"].as_array().cloned().unwrap_or_default();
        let entries = grants.into_iter().map(GrantEntry::from_json).collect::<Result<_, _>>();
        entries.map_err(|problem| Failure::new(Exit::Host, format!("the host answered what is not a grant: {problem}")))
    }

    /// Reads a route.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.send("GET", path, None)
    }

    /// Sends to a route, and reads what it answers.
    pub fn send<T: DeserializeOwned>(&self, method: &str, path: &str, body: Option<&Value>) -> Result<T, Failure> {
        self.runtime.block_on(ask(&self.client, method, path, body))
    }

    /// Sends to a route, and answers the status and the body whatever they are.
    pub fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, String)],
        body: Option<&Value>,
    ) -> Result<(u16, Vec<u8>), Failure> {
        self.runtime.block_on(exchange(&self.client, method, path, headers, body))
    }

    /// Reads a route piece by piece.
    pub fn stream(&self, path: &str, take: &mut (dyn FnMut(&[u8]) -> io::Result<()> + Send)) -> Result<(), Failure> {
        let sent = self.runtime.block_on(self.client.send("GET", path, &[], None, take));
        match sent.map_err(|error| Failure::new(Exit::Host, error))? {
            200 => Ok(()),
            status => Err(Failure::new(Exit::Host, format!("the host answered with status {status}"))),
        }
    }
}

/// Sends to a route, and reads what it answers.
pub async fn ask<T: DeserializeOwned>(
    client: &ControlClient,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<T, Failure> {
    let (status, bytes) = exchange(client, method, path, &[], body).await?;
    if !(200..300).contains(&status) {
        return Err(refused(&bytes, status));
    }
    serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))
}

/// What it means for a command that an answer can't be read.
pub fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::new(Exit::Host, format!("the host answered what can't be read: {error}"))
}

async fn exchange(
    client: &ControlClient,
    method: &str,
    path: &str,
    headers: &[(&'static str, String)],
    body: Option<&Value>,
) -> Result<(u16, Vec<u8>), Failure> {
    let mut bytes = Vec::new();
    let body = body.map(|body| body.to_string().into_bytes());
    let mut take = |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    let sent = client.send(method, path, headers, body, &mut take).await;
    sent.map(|status| (status, bytes)).map_err(|error| Failure::new(Exit::Host, error))
}

/// What a problem document means for a command.
pub fn refused(bytes: &[u8], status: u16) -> Failure {
    let Ok(problem) = serde_json::from_slice::<Problem>(bytes) else {
        return Failure::new(Exit::Host, format!("the host answered with status {status}"));
    };
    let exit = match problem.code.as_str() {
        "unknown-skill" | "unknown-version" | "unknown-tool" | "tool-not-named" | "no-tools" | "unknown-grant"
        | "unknown-approval" | "unknown-package" | "unknown-run" | "unknown-agent" => Exit::NotFound,
        "invalid-arguments" => Exit::Arguments,
        "tool-failed" => Exit::ToolFailed,
        "deadline-exceeded" | "fuel-exhausted" | "memory-exhausted" | "output-too-large" | "guest-trapped"
        | "guest-exited" | "invalid-output" => Exit::Ended,
        "invalid-request" | "invalid-query" | "invalid-path" | "invalid-version" | "invalid-grant"
        | "grant-conflict" | "approval-settled" | "invalid-package" | "lock-unavailable" | "invalid-run"
        | "illegal-transition" | "agent-is-a-file" => Exit::Usage,
        "package-conflict" | "agent-paused" => Exit::Refused,
        _ if status == 403 => Exit::Refused,
        _ => Exit::Host,
    };
    Failure::new(exit, problem.detail)
}

/// Text as a part of a path or a query.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/@=".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&bailiwick_domain::digest::hex(&[byte]));
        }
    }
    encoded
}

//! `bailiwick serve`: the host as a server.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_api::auth::{KeyFile, Keyring};
use bailiwick_api::host_check::AllowedHosts;
use bailiwick_api::options::{ApiOptions, ServeOptions};
use bailiwick_api::state::{Host, ReadyFlag};
use bailiwick_distribution::install::Installer;
use bailiwick_sandbox::Workspaces;
use bailiwick_skills::audit::Audit;
use bailiwick_skills::execute::Executor;
use bailiwick_skills::registry::Registry;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::agents;
use crate::app::{self, App};
use crate::cli::Serve;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::log;
use crate::output::{Done, Exit, Failure, Output, counted};

/// How often leftover workspaces are looked for.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// How often runs are looked for that are kept no longer.
const FORGET_EVERY: Duration = Duration::from_hours(1);

/// Runs the command until a signal ends it.
pub fn run(serve: &Serve, mut config: Config, out: Output) -> Done {
    log::start(serve.log_json);
    config.listen = serve.listen.unwrap_or(config.listen);
    let runtime = app::runtime(config.worker_threads)?;
    app::check_secrets(&config)?;
    let app = App::open_server(&config, out)?;
    runtime.block_on(serve_app(app, &config, |executor, bound| {
        announce(executor.registry(), &config, bound, out);
        Ok(())
    }))
}

/// Serves until a signal comes. `begun` is told when the server listens, and what it
/// answers is held until the end.
pub(super) async fn serve_app<T>(
    app: App,
    config: &Config,
    begun: impl FnOnce(&Arc<Executor>, SocketAddr) -> Result<T, Failure>,
) -> Done {
    let host = |error: &dyn std::fmt::Display| Failure::new(Exit::Host, error);
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| host(&format!("can't listen on {}: {error}; is another server running?", config.listen)))?;
    let bound = listener.local_addr().map_err(|error| host(&error))?;
    let hosts = AllowedHosts::new(bound, &config.allowed_hosts, &config.allowed_origins)
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let mut options = ApiOptions::new(hosts);
    options.body_limit = config.max_body;
    options.bodies_limit = options.bodies_limit.max(config.max_body);
    options.allow_unauthenticated_loopback = config.allow_unauthenticated_loopback;
    let clock = Arc::new(SystemClock);
    let keyring = Keyring::open(KeyFile::new(app::keys_path(config)), clock.clone()).map_err(|error| host(&error))?;
    let ready = ReadyFlag::default();
    let sweeper = tokio::spawn(sweep(Arc::clone(&app.workspaces)));
    let packages = Arc::clone(&app.packages);
    let (executor, runs) = app.into_host(config)?;
    let (registry, audit) = (Arc::clone(executor.registry()), Arc::clone(executor.audit()));
    let packages = Installer::new(packages, Arc::clone(&registry), Arc::clone(&audit));
    let executing = Arc::clone(&executor);
    let api = Host {
        registry: Arc::clone(&registry),
        executor: executing,
        runs: Arc::clone(&runs),
        packages,
        keyring,
        clock,
        ready: ready.clone(),
    };
    registry.prepare_in_background().map_err(|error| host(&error))?;
    let watches = if config.watch { Some(registry.watch().map_err(|error| host(&error))?) } else { None };
    let router = bailiwick_api::router(api, options);
    let control = control(config, router.clone())?;
    let checkpoints = tokio::spawn(checkpoints(Arc::clone(&audit), config.checkpoint_every));
    let serve = ServeOptions {
        max_connections: usize::try_from(config.max_connections).unwrap_or(usize::MAX),
        drain_timeout: config.drain,
        ..ServeOptions::default()
    };
    let (mut interrupt, mut terminate) = signals().map_err(|error| host(&error))?;
    let stop = {
        let ready = ready.clone();
        async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            ready.set(false);
            tracing::info!("stopping; requests under way may end");
        }
    };
    take_up_runs(&runs).await?;
    let forgetter = tokio::spawn(forget_runs(Arc::clone(&runs)));
    ready.set(true);
    let held = begun(&executor, bound)?;
    let served = bailiwick_api::serve(listener, router, serve, stop).await;
    drop((watches, held));
    runs.stop(config.drain).await;
    forgetter.abort();
    sweeper.abort();
    control.abort();
    checkpoints.abort();
    drop(std::fs::remove_file(app::control_path(config)));
    // Whatever was done until now is covered by a signature that is kept.
    audit.checkpoint().await.map_err(|error| host(&error))?;
    served.map_err(|error| host(&error))
}

/// Has the runs go on that the last stop of the host cut off.
async fn take_up_runs(runs: &agents::Runtime) -> Done {
    let recovered = runs.recover().await.map_err(|error| Failure::new(Exit::Host, app::chain(&error)))?;
    let (resumed, interrupted, damaged) = (recovered.resumed, recovered.interrupted, recovered.damaged.len());
    if resumed + interrupted + damaged > 0 {
        tracing::info!(resumed, interrupted, damaged, "runs of before were taken up");
    }
    Ok(())
}

/// Removes old runs for as long as the server runs.
async fn forget_runs(runs: Arc<agents::Runtime>) {
    loop {
        match runs.forget().await {
            Ok(0) => {}
            // There may be more.
            Ok(_) => continue,
            Err(error) => tracing::error!(%error, "old runs can't be removed"),
        }
        tokio::time::sleep(FORGET_EVERY).await;
    }
}

/// Opens the control socket. The data folder is this process's alone, so that a
/// socket that is there already was left behind.
fn control(config: &Config, router: bailiwick_api::Router) -> Result<tokio::task::JoinHandle<()>, Failure> {
    let path = app::control_path(config);
    let failed = |error: std::io::Error| {
        let problem = format!("the control socket {}: {error}", path.display());
        Failure::new(Exit::Host, problem)
    };
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(tokio::spawn(async move {
        match bailiwick_api::serve_control(listener, router).await {
            Ok(never) => match never {},
            Err(error) => tracing::error!(%error, "the control socket is closed"),
        }
    }))
}

/// Signs the audit log from time to time.
async fn checkpoints(audit: Arc<Audit>, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = audit.checkpoint().await {
            tracing::error!(%error, "the audit log can't be signed");
        }
    }
}

/// Removes leftover workspaces for as long as the server runs.
async fn sweep(workspaces: Arc<Workspaces>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let workspaces = Arc::clone(&workspaces);
        // A sweep that fails has said so; the next one tries again.
        let _ = tokio::task::spawn_blocking(move || workspaces.sweep()).await;
    }
}

fn signals() -> std::io::Result<(Signal, Signal)> {
    Ok((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
}

/// Says where the server is, for people and for scripts that wait for the line.
fn announce(registry: &Registry, config: &Config, bound: SocketAddr, out: Output) {
    let catalog = registry.catalog();
    let (skills, broken) = (catalog.list().count(), catalog.broken().len());
    if out.json {
        let url = format!("http://{bound}");
        out.line(serde_json::json!({ "listening": url, "skills": skills, "broken": broken }));
        return;
    }
    out.line(format!("listening on http://{bound} with {}", counted(skills as u64, "skill")));
    for broken in catalog.broken() {
        out.line(out.red(&format!("broken: {}: {}", broken.folder.display(), broken.error)));
    }
    let keys = KeyFile::new(app::keys_path(config)).list().is_ok_and(|keys| !keys.is_empty());
    if !keys && !config.allow_unauthenticated_loopback {
        out.line("There is no API key yet, so that every request is refused: bailiwick key create NAME");
    }
}

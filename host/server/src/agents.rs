//! Models and agents of a host, put together.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_agents::registry::Agents;
pub use bailiwick_agents::runtime::Runtime;
use bailiwick_agents::runtime::{RandomIds, RuntimeOptions, RuntimeParts};
use bailiwick_agents::scheduler::ceiling::{self, Proc};
use bailiwick_agents::scheduler::queue::QueueSettings;
use bailiwick_agents::skills::{Guarded, HostSkills};
use bailiwick_domain::model::Model;
use bailiwick_domain::secret::SecretStore;
use bailiwick_domain::span::{NullTracer, Tracer};
use bailiwick_journal::Journal;
use bailiwick_models::openai::{KeySource, OpenAi, OpenAiOptions};
use bailiwick_models::router::{Route, Router};
use bailiwick_models::scripted::Scripted;
use bailiwick_skills::execute::Executor;
use bailiwick_telemetry::{HeaderSource, LoggingTracer, OpenTelemetryTracer, OtlpOptions};
use zeroize::Zeroizing;

use crate::app::chain;
use crate::clock::SystemClock;
use crate::config::{Config, ConfigError, Exporter, ModelSource, Parallelism};
use crate::output::{Exit, Failure};

/// The models of a configuration. None is asked before somebody needs it.
pub fn models(config: &Config, secrets: &Arc<dyn SecretStore>) -> Result<Arc<Router>, Failure> {
    let mut routes = BTreeMap::new();
    for (name, source) in &config.models {
        let wrong = |problem: String| {
            let path = config.source.clone().unwrap_or_default();
            Failure::new(Exit::Usage, ConfigError::Contradiction { path, key: format!("models.{name}"), problem })
        };
        let route = match source {
            ModelSource::Scripted { script } => {
                let text = std::fs::read_to_string(script).map_err(|error| {
                    wrong(format!("has the script `{}`, which can't be read: {error}", script.display()))
                })?;
                let scripted = Scripted::parse(&script.display().to_string(), &text);
                let scripted = scripted.map_err(|error| wrong(format!("has a script that is wrong\n{error}")))?;
                Route { provider: format!("script:{name}"), model: Arc::new(scripted) as Arc<dyn Model> }
            }
            ModelSource::OpenAi { base_url, model, key, input_usd_per_million, output_usd_per_million } => {
                let options = OpenAiOptions {
                    input_usd_per_million: *input_usd_per_million,
                    output_usd_per_million: *output_usd_per_million,
                    ..OpenAiOptions::new(
                        base_url.as_str(),
                        model.as_str(),
                        key_of(key.clone(), secrets),
                        Arc::new(SystemClock),
                    )
                };
                let client =
                    OpenAi::new(options).map_err(|error| wrong(format!("can't be used: {}", chain(&error))))?;
                Route { provider: base_url.clone(), model: Arc::new(client) as Arc<dyn Model> }
            }
        };
        routes.insert(name.clone(), route);
    }
    // Hosts that were started together don't ask again together.
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|error| Failure::new(Exit::Host, error))?;
    Ok(Arc::new(Router::new(routes, u64::from_le_bytes(seed))))
}

/// What takes traces by a configuration. Nobody is connected to before there are some.
pub fn tracer(config: &Config, secrets: &Arc<dyn SecretStore>) -> Result<Arc<dyn Tracer>, Failure> {
    let tracer: Arc<dyn Tracer> = match &config.exporter {
        Exporter::None => Arc::new(NullTracer),
        Exporter::Log => Arc::new(LoggingTracer),
        Exporter::Otlp { url, headers } => {
            let options = OtlpOptions::new(url.as_str(), headers_of(headers, secrets));
            let tracer = OpenTelemetryTracer::new(options).map_err(|error| {
                let path = config.source.clone().unwrap_or_default();
                let (key, problem) = ("tracing.otlp_url".to_owned(), chain(&error));
                Failure::new(Exit::Usage, ConfigError::Contradiction { path, key, problem })
            })?;
            Arc::new(tracer)
        }
    };
    Ok(tracer)
}

/// What runs agents on this host.
pub fn runtime(
    config: &Config,
    executor: &Arc<Executor>,
    models: Arc<Router>,
    journal: Arc<Journal>,
    tracer: Arc<dyn Tracer>,
) -> Result<Arc<Runtime>, Failure> {
    let settings = &config.agents;
    let open = if settings.directories_named { Agents::open } else { Agents::open_usual };
    let agents = open(settings.directories.clone(), Arc::clone(&journal), Arc::new(SystemClock));
    let agents = agents.map_err(|error| Failure::new(Exit::Host, chain(&error)))?;
    let parts = RuntimeParts {
        agents,
        models,
        skills: Arc::new(Guarded::new(Arc::new(HostSkills::new(Arc::clone(executor))), Arc::new(SystemClock))),
        journal,
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        tracer,
    };
    let queue = QueueSettings {
        capacity: settings.queue_capacity,
        total: settings.max_parallel,
        ageing: settings.ageing,
        ..QueueSettings::default()
    };
    let parallelism = match settings.parallelism {
        Parallelism::Fixed => ceiling::Parallelism::Fixed,
        Parallelism::Resources => ceiling::Parallelism::Resources(Arc::new(Proc::default())),
    };
    let options = RuntimeOptions {
        enabled: settings.enabled,
        queue,
        parallelism,
        max_steps: settings.max_steps,
        default_timeout: settings.default_timeout,
        max_timeout: settings.max_timeout,
        retention: settings.retention,
        ..RuntimeOptions::default()
    };
    Ok(Runtime::new(parts, options))
}

/// A key is read for each request, so that a rotated one holds from the next on.
fn key_of(name: Option<String>, secrets: &Arc<dyn SecretStore>) -> KeySource {
    let secrets = Arc::clone(secrets);
    Arc::new(move || name.as_deref().map(|name| text_of(name, &*secrets)).transpose())
}

/// So are the values of headers.
fn headers_of(headers: &BTreeMap<String, String>, secrets: &Arc<dyn SecretStore>) -> HeaderSource {
    let (headers, secrets) = (headers.clone(), Arc::clone(secrets));
    Arc::new(move || {
        let header = |(name, secret): (&String, &String)| text_of(secret, &*secrets).map(|value| (name.clone(), value));
        headers.iter().map(header).collect::<Result<Vec<_>, String>>()
    })
}

/// A secret as it is at this moment.
fn text_of(name: &str, secrets: &dyn SecretStore) -> Result<Zeroizing<String>, String> {
    let set = secrets.current();
    let value = set.get(name).ok_or_else(|| format!("the secret `{name}` can't be read"))?;
    let text = std::str::from_utf8(value.expose()).map_err(|_| format!("the secret `{name}` is no text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

//! Agents and models, as they are configured.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bailiwick_models::openai::check_base_url;

use super::address::{is_kept_from_others, shown};
use super::{ConfigError, SecretSource, check_span, raw};

/// Characters of the name of a model.
const MAX_MODEL_NAME: usize = 64;

/// Models of one host.
const MAX_MODELS: usize = 256;

/// The folder of agents where none is named.
const USUAL_FOLDER: &str = "agents";

/// Runs that may wait: each has its state in memory.
const MAX_QUEUE: u32 = 100_000;

/// Runs that may be at work at once.
const MAX_PARALLEL: u32 = 4096;

/// Agents, and how they run.
#[derive(Clone, Debug)]
pub struct AgentsConfig {
    /// Whether runs are taken up.
    pub enabled: bool,
    /// Folders of agents.
    pub directories: Vec<PathBuf>,
    /// Whether the file names them. Otherwise they need not be there.
    pub directories_named: bool,
    /// Runs at work at once.
    pub max_parallel: u32,
    /// Whether fewer are where the machine has no room for so many.
    pub parallelism: Parallelism,
    /// Runs that may wait.
    pub queue_capacity: usize,
    /// Steps of one run.
    pub max_steps: u64,
    /// Time of a run that asks for none.
    pub default_timeout: Duration,
    /// Time of a run at the most.
    pub max_timeout: Duration,
    /// After how long a waiting run counts as more urgent.
    pub ageing: Duration,
    /// How long runs are kept after their end.
    pub retention: Duration,
}

/// How many runs are at work at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parallelism {
    /// As many as configured.
    Fixed,
    /// As many as the machine has room for, and as configured at the most.
    Resources,
}

/// What answers by the name of a model.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelSource {
    /// A service that speaks as `OpenAI`'s chat completions do.
    OpenAi {
        /// Up to and with its version.
        base_url: String,
        /// The service's own name of the model.
        model: String,
        /// The name of the secret that is its key.
        key: Option<String>,
        /// US dollars for a million tokens of requests.
        input_usd_per_million: Option<f64>,
        /// US dollars for a million tokens of answers.
        output_usd_per_million: Option<f64>,
    },
    /// A file with prepared answers.
    Scripted {
        /// The file.
        script: PathBuf,
    },
}

pub(super) fn agents(raw: &raw::Agents, base: &Path, path: &Path) -> Result<AgentsConfig, ConfigError> {
    for (key, span) in
        [("agents.max_timeout", raw.max_timeout), ("agents.ageing", raw.ageing), ("agents.retention", raw.retention)]
    {
        check_span(key, span, path)?;
    }
    let wrong = |key: &str, problem: String| {
        Err(ConfigError::Contradiction { path: path.to_owned(), key: key.to_owned(), problem })
    };
    let (parallel, queue) = (raw.max_parallel_agents.get(), raw.queue_capacity.get());
    if parallel > MAX_PARALLEL {
        return wrong("agents.max_parallel_agents", format!("is {parallel}: expected at most {MAX_PARALLEL}"));
    }
    if queue > MAX_QUEUE {
        return wrong("agents.queue_capacity", format!("is {queue}: expected at most {MAX_QUEUE}"));
    }
    let default_timeout = Duration::from_secs(raw.default_timeout_sec.get().into());
    let max_timeout = raw.max_timeout.map_or(Duration::from_hours(24), |span| span.0);
    if default_timeout > max_timeout {
        return wrong("agents.default_timeout_sec", "is above `agents.max_timeout`".to_owned());
    }
    Ok(AgentsConfig {
        enabled: raw.enabled,
        directories: match &raw.directories {
            Some(folders) => folders.iter().map(|folder| base.join(folder)).collect(),
            None => vec![base.join(USUAL_FOLDER)],
        },
        directories_named: raw.directories.is_some(),
        max_parallel: parallel,
        parallelism: match raw.parallelism {
            raw::Parallelism::Fixed => Parallelism::Fixed,
            raw::Parallelism::Resources => Parallelism::Resources,
        },
        queue_capacity: usize::try_from(queue).unwrap_or(usize::MAX),
        max_steps: raw.max_steps_per_run.get().into(),
        default_timeout,
        max_timeout,
        ageing: raw.ageing.map_or(Duration::from_secs(30), |span| span.0),
        retention: raw.retention.map_or(Duration::from_hours(720), |span| span.0),
    })
}

pub(super) fn models(
    raw: BTreeMap<String, raw::Model>,
    secrets: &BTreeMap<String, SecretSource>,
    base: &Path,
    path: &Path,
) -> Result<BTreeMap<String, ModelSource>, ConfigError> {
    if raw.len() > MAX_MODELS {
        let problem = format!("are {}: expected at most {MAX_MODELS}", raw.len());
        return Err(ConfigError::Contradiction { path: path.to_owned(), key: "models".to_owned(), problem });
    }
    let source = |(name, model): (String, raw::Model)| {
        let checked = check_name(&name).and_then(|()| source(model, secrets, base));
        let wrong = |(key, problem): (&str, String)| {
            let dot = if key.is_empty() { "" } else { "." };
            ConfigError::Contradiction { path: path.to_owned(), key: format!("models.{name}{dot}{key}"), problem }
        };
        Ok((name.clone(), checked.map_err(wrong)?))
    };
    raw.into_iter().map(source).collect()
}

/// The key that is wrong, and how.
type Wrong = (&'static str, String);

fn check_name(name: &str) -> Result<(), Wrong> {
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let good = name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:/-".contains(c));
    if begins && good && name.len() <= MAX_MODEL_NAME {
        return Ok(());
    }
    let problem = format!("is no name of a model: expected 1 to {MAX_MODEL_NAME} letters, digits and `_.:/-`");
    Err(("", problem))
}

fn source(raw: raw::Model, secrets: &BTreeMap<String, SecretSource>, base: &Path) -> Result<ModelSource, Wrong> {
    match raw.provider {
        raw::Provider::Openai => open_ai(raw, secrets),
        raw::Provider::Scripted => {
            let foreign = [
                ("base_url", raw.base_url.is_some()),
                ("model", raw.model.is_some()),
                ("key", raw.key.is_some()),
                ("input_usd_per_million", raw.input_usd_per_million.is_some()),
                ("output_usd_per_million", raw.output_usd_per_million.is_some()),
            ];
            if let Some((key, _)) = foreign.into_iter().find(|(_, is_there)| *is_there) {
                return Err((key, "is for `provider = \"openai\"`: expected `script` alone".to_owned()));
            }
            let script = raw.script.ok_or(("script", "is missing: expected the file with the answers".to_owned()))?;
            Ok(ModelSource::Scripted { script: base.join(script) })
        }
    }
}

fn open_ai(raw: raw::Model, secrets: &BTreeMap<String, SecretSource>) -> Result<ModelSource, Wrong> {
    if raw.script.is_some() {
        return Err(("script", "is for `provider = \"scripted\"`".to_owned()));
    }
    let missing = |what: &str| format!("is missing: expected {what}");
    let base_url = raw.base_url.ok_or(("base_url", missing("the address of the service")))?;
    let model = raw.model.ok_or(("model", missing("the service's own name of the model")))?;
    if let Some(key) = raw.key.as_ref().filter(|key| !secrets.contains_key(*key)) {
        return Err(("key", format!("is `{key}`, and there is no `secrets.{key}`: expected the name of a secret")));
    }
    if raw.key.is_some() && !is_kept_from_others(&base_url) {
        let problem = format!(
            "is `{}`, and the secret of `key` would go there in clear text: expected `https`, or `http` to this machine, \
             such as `http://127.0.0.1:11434/v1`",
            shown(&base_url)
        );
        return Err(("base_url", problem));
    }
    // It isn't shown, because a password may stand in it.
    if let Err(problem) = check_base_url(&base_url) {
        return Err(("base_url", format!("{problem}: expected an address such as `https://openrouter.ai/api/v1`")));
    }
    for (key, price) in
        [("input_usd_per_million", raw.input_usd_per_million), ("output_usd_per_million", raw.output_usd_per_million)]
    {
        if price.is_some_and(|price| !price.is_finite() || price < 0.0) {
            return Err((key, "is no price: expected a number from 0 upward".to_owned()));
        }
    }
    Ok(ModelSource::OpenAi {
        base_url,
        model,
        key: raw.key,
        input_usd_per_million: raw.input_usd_per_million,
        output_usd_per_million: raw.output_usd_per_million,
    })
}

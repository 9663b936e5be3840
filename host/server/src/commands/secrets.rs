//! `bailiwick secrets`: what this host puts into requests, never its value.

use serde_json::json;

use crate::cli::Secrets;
use crate::config::{Config, SecretSource};
use crate::output::{Done, Exit, Failure, Output};
use crate::secrets::{ConfiguredSecrets, SecretInfo};

/// Runs the command.
pub fn run(command: &Secrets, config: &Config, out: Output) -> Done {
    let Secrets::List = command;
    let secrets = ConfiguredSecrets::open(&config.secrets).map_err(|error| Failure::new(Exit::Usage, error))?;
    let secrets = secrets.list();
    if out.json {
        out.value(&secrets.iter().map(describe).collect());
        return Ok(());
    }
    if secrets.is_empty() {
        out.line("There are no secrets. Name one in the configuration, as `[secrets.NAME]` with `env` or `file`.");
        return Ok(());
    }
    let row = |secret: &SecretInfo| {
        let (kind, from) = source(&secret.source);
        let readable = secret.problem.as_ref().map_or_else(|| "yes".to_owned(), |problem| format!("no: {problem}"));
        [secret.name.clone(), kind.to_owned(), from, readable]
    };
    out.table(["NAME", "SOURCE", "FROM", "READABLE"], &secrets.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

fn source(source: &SecretSource) -> (&'static str, String) {
    match source {
        SecretSource::Env(variable) => ("env", variable.clone()),
        SecretSource::File(path) => ("file", path.display().to_string()),
    }
}

fn describe(secret: &SecretInfo) -> serde_json::Value {
    let (kind, from) = source(&secret.source);
    json!({
        "name": secret.name,
        "source": kind,
        "from": from,
        "readable": secret.problem.is_none(),
        "problem": secret.problem.as_ref().map(ToString::to_string),
    })
}

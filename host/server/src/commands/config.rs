//! `bailiwick config`: what holds, and what is wrong.

use bailiwick_distribution::trust::TrustedKey;
use bailiwick_domain::limits::Limits;
use bailiwick_domain::units::{format_duration, format_size};
use serde_json::{Map, Value, json};

use crate::cli::ConfigCommand;
use crate::config::{AgentsConfig, Config, Exporter, ModelSource, Parallelism, SecretSource, shown};
use crate::output::{Done, Output};

/// Runs the command. A configuration that can't be read never comes here.
pub fn run(command: &ConfigCommand, config: &Config, out: Output) -> Done {
    let ConfigCommand::Check = command;
    let value = describe(config);
    if out.json {
        out.value(&value);
        return Ok(());
    }
    match &config.source {
        Some(path) => out.line(out.green(&format!("{} is right. What holds:", path.display()))),
        None => out.line("There is no configuration file; all of it is default. What holds:"),
    }
    print(&value, "", out);
    Ok(())
}

fn print(value: &Value, prefix: &str, out: Output) {
    let Value::Object(object) = value else { return };
    for (key, value) in object {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Object(_) => print(value, &key, out),
            value => out.line(format!("  {key} = {value}")),
        }
    }
}

fn describe(config: &Config) -> Value {
    json!({
        "data_dir": config.data_dir,
        "cache_dir": config.cache_dir,
        "server": {
            "listen": config.listen.to_string(),
            "worker_threads": config.worker_threads,
            "allow_unauthenticated_loopback": config.allow_unauthenticated_loopback,
            "allowed_hosts": config.allowed_hosts,
            "allowed_origins": config.allowed_origins,
            "max_body": format_size(config.max_body as u64),
            "max_connections": config.max_connections,
            "drain": format_duration(config.drain),
        },
        "skills": {
            "directories": config.skill_directories,
            "strict_validation": config.strict_validation,
            "allow_shell": config.allow_shell,
            "require_approval_tags": config.require_approval_tags,
            "allow_unsigned": config.trust.allow_unsigned,
            "trusted_keys": config.trust.keys.iter().map(trusted).collect::<Map<_, _>>(),
            "approval_lifetime": format_duration(config.approval_lifetime),
            "http_deny": config.http_deny.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "max_concurrent_calls": config.max_concurrent_calls,
            "max_call_depth": config.max_call_depth,
            "watch": config.watch,
            "workspace_retention": format_duration(config.workspace_retention),
        },
        "audit": { "checkpoint_every": format_duration(config.checkpoint_every) },
        "secrets": config.secrets.iter().map(secret).collect::<Map<_, _>>(),
        "agents": agents(&config.agents),
        "models": config.models.iter().map(model).collect::<Map<_, _>>(),
        "tracing": tracing(&config.exporter),
        "limits": { "default": limits(&config.limits.default), "ceiling": limits(&config.limits.ceiling) },
    })
}

fn trusted(key: &TrustedKey) -> (String, Value) {
    (key.name.clone(), json!({ "public_key": key.key.to_string(), "namespaces": key.namespaces }))
}

fn agents(agents: &AgentsConfig) -> Value {
    let parallelism = match agents.parallelism {
        Parallelism::Fixed => "fixed",
        Parallelism::Resources => "resources",
    };
    json!({
        "enabled": agents.enabled,
        "directories": agents.directories,
        "max_parallel_agents": agents.max_parallel,
        "parallelism": parallelism,
        "queue_capacity": agents.queue_capacity,
        "max_steps_per_run": agents.max_steps,
        "default_timeout_sec": agents.default_timeout.as_secs(),
        "max_timeout": format_duration(agents.max_timeout),
        "ageing": format_duration(agents.ageing),
        "retention": format_duration(agents.retention),
    })
}

/// Its key is the name of a secret.
fn model((name, source): (&String, &ModelSource)) -> (String, Value) {
    let what = match source {
        ModelSource::OpenAi { base_url, model, key, input_usd_per_million, output_usd_per_million } => json!({
            "provider": "openai",
            "base_url": shown(base_url),
            "model": model,
            "key": key,
            "input_usd_per_million": input_usd_per_million,
            "output_usd_per_million": output_usd_per_million,
        }),
        ModelSource::Scripted { script } => json!({ "provider": "scripted", "script": script }),
    };
    (name.clone(), what)
}

/// The values of headers are names of secrets.
fn tracing(exporter: &Exporter) -> Value {
    match exporter {
        Exporter::None => json!({ "exporter": "none" }),
        Exporter::Log => json!({ "exporter": "log" }),
        Exporter::Otlp { url, headers } => {
            json!({ "exporter": "otlp", "otlp_url": shown(url), "otlp_headers": headers })
        }
    }
}

/// Where a secret comes from; what it is stands nowhere.
fn secret((name, source): (&String, &SecretSource)) -> (String, Value) {
    let from = match source {
        SecretSource::Env(variable) => json!({ "env": variable }),
        SecretSource::File(path) => json!({ "file": path }),
    };
    (name.clone(), from)
}

fn limits(limits: &Limits) -> Value {
    json!({
        "memory": format_size(limits.memory_bytes),
        "table_elements": limits.table_elements,
        "instances": limits.instances,
        "deadline": format_duration(limits.deadline),
        "fuel": limits.fuel,
        "host_calls": limits.host_calls,
        "input": format_size(limits.input_bytes),
        "output": format_size(limits.output_bytes),
        "skill_calls": limits.skill_calls,
        "model_calls": limits.model_calls,
        "model_tokens": limits.model_tokens,
        "http_requests": limits.http_requests,
        "http_sent": format_size(limits.http_sent_bytes),
        "http_received": format_size(limits.http_received_bytes),
        "log": format_size(limits.log_bytes),
        "random": format_size(limits.random_bytes),
        "concurrency": limits.concurrency,
    })
}

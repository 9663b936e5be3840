//! One call: made by the server of the data folder, or here where there is none.

use std::io::Read as _;

use bailiwick_domain::invocation::{Invocation, Principal};
use bailiwick_domain::sandbox::{InvokeError, Output as ToolOutput};
use bailiwick_domain::trace::TraceContext;
use bailiwick_domain::units::{format_size, parse_duration};
use bailiwick_skills::execute::{ExecuteError, Execution};
use serde_json::{Map, Value, json};

use super::follow::Follower;
use crate::app;
use crate::cli::skills::Run;
use crate::config::Config;
use crate::desk::{Desk, encode, refused};
use crate::output::{Done, Exit, Failure, Output, note, tame};

/// Bytes of arguments that are read: what the server takes too.
const MAX_ARGUMENTS: u64 = 4 << 20;

pub(super) fn run(run: &Run, config: &Config, out: Output) -> Done {
    let invocation = invocation(run)?;
    let desk = Desk::open(config, out)?;
    match desk.executor() {
        Some(executor) => {
            let follower = Follower::new(out);
            let call = executor.execute_followed(invocation, Some(follower.listener()));
            let execution = desk.runtime().block_on(call);
            follower.end();
            let execution = execution.map_err(failure)?;
            print(&execution, run.receipt, out)
        }
        None => ask(run, &invocation, &desk, out),
    }
}

/// Has the server of the data folder make the call.
fn ask(run: &Run, invocation: &Invocation, desk: &Desk, out: Output) -> Done {
    let (id, range) = match run.skill.split_once('@') {
        Some((id, range)) => (id, Some(range)),
        None => (run.skill.as_str(), None),
    };
    let mut body = json!({ "arguments": invocation.arguments });
    if let Some(tool) = &run.tool {
        body["tool"] = json!(tool);
    }
    if let Some(range) = range {
        body["version"] = json!(range);
    }
    if let Some(deadline) = invocation.deadline {
        body["deadline_ms"] = json!(u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX));
    }
    let headers = [("prefer", format!("wait={}", invocation.approval_wait.as_secs()))];
    let path = format!("/v1/skills/{}/execute", encode(id));
    let (status, bytes) = desk.exchange("POST", &path, &headers, Some(&body))?;
    let unreadable =
        |error: serde_json::Error| Failure::new(Exit::Host, format!("the host answered what can't be read: {error}"));
    let answer: Value = serde_json::from_slice(&bytes).map_err(unreadable)?;
    let failed = answer["code"] == "tool-failed";
    if status != 200 && !failed {
        return Err(refused(&bytes, status));
    }
    let key = if failed { "failure" } else { "output" };
    if out.json {
        let mut said = json!({ "skill": answer["skill"], "tool": answer["tool"] });
        said[key] = answer[key].clone();
        said["receipt"] = answer["receipt"].clone();
        said["receipt"]["usage"] = answer["usage"].clone();
        out.value(&said);
    } else {
        match &answer[key] {
            Value::String(text) => out.foreign(text),
            value => out.value(value),
        }
        if run.receipt {
            out.value(&answer["receipt"]);
        }
    }
    for denial in answer["receipt"]["denials"].as_array().into_iter().flatten() {
        let text = |key: &str| tame(denial[key].as_str().unwrap_or_default()).into_owned();
        note(format!("denied: {}: {} ({})", text("capability"), text("request"), text("reason")));
    }
    if failed {
        let tool = answer["tool"].as_str().unwrap_or("the tool");
        return Err(Failure::new(Exit::ToolFailed, format!("{tool} answered its own failure, which stands above")));
    }
    Ok(())
}

fn invocation(run: &Run) -> Result<Invocation, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::new(Exit::Usage, error);
    let wait = run.wait.as_deref().map(parse_duration).transpose().map_err(|error| usage(&error))?;
    Ok(Invocation {
        skill: run.skill.parse().map_err(|error| usage(&error))?,
        tool: run.tool.clone(),
        arguments: arguments(&run.args, &run.arg)?,
        principal: Principal { name: format!("cli:{}", app::person()).into() },
        trace: trace()?,
        trace_state: None,
        deadline: run.deadline.as_deref().map(parse_duration).transpose().map_err(|error| usage(&error))?,
        idempotency_key: None,
        approval_wait: wait.unwrap_or_default(),
        caller: None,
        run: None,
    })
}

/// The arguments as they were typed: as a whole, and one by one.
pub(in crate::commands) fn arguments(whole: &str, single: &[String]) -> Result<Value, Failure> {
    let wrong = |problem: String| Failure::new(Exit::Arguments, problem);
    let text = match whole {
        "-" => read(std::io::stdin(), "stdin")?,
        args => match args.strip_prefix('@') {
            Some(path) => {
                let file =
                    std::fs::File::open(path).map_err(|error| wrong(format!("the arguments {path}: {error}")))?;
                read(file, path)?
            }
            None => args.to_owned(),
        },
    };
    let value: Value =
        serde_json::from_str(&text).map_err(|error| wrong(format!("the arguments are not JSON: {error}")))?;
    let Value::Object(mut object) = value else {
        return Err(wrong("the arguments are not a JSON object: expected {\"name\": value, …}".to_owned()));
    };
    add_single(single, &mut object)?;
    Ok(Value::Object(object))
}

fn add_single(pairs: &[String], object: &mut Map<String, Value>) -> Result<(), Failure> {
    for pair in pairs {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| Failure::new(Exit::Usage, format!("`{pair}` is not NAME=VALUE")))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        object.insert(name.to_owned(), value);
    }
    Ok(())
}

fn read(source: impl std::io::Read, name: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = source.take(MAX_ARGUMENTS + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::new(Exit::Arguments, format!("the arguments from {name}: {error}")))?;
    if text.len() as u64 > MAX_ARGUMENTS {
        let problem = format!("the arguments from {name} have more than {}", format_size(MAX_ARGUMENTS));
        return Err(Failure::new(Exit::Arguments, problem));
    }
    Ok(text)
}

fn trace() -> Result<TraceContext, Failure> {
    let mut trace_id = [0; 16];
    getrandom::fill(&mut trace_id).map_err(|error| Failure::new(Exit::Host, error))?;
    Ok(TraceContext::begin(trace_id))
}

fn print(execution: &Execution, receipt: bool, out: Output) -> Done {
    if !execution.log.is_empty() {
        note(tame(execution.log.trim_end()));
    }
    let (json, failed) = match &execution.output {
        ToolOutput::Success(json) => (json, false),
        ToolOutput::Failure(json) => (json, true),
    };
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    if out.json {
        let key = if failed { "failure" } else { "output" };
        let mut answer = json!({ "skill": execution.receipt.skill.as_str(), "tool": execution.receipt.tool });
        answer[key] = value;
        answer["receipt"] = receipt_of(execution);
        out.value(&answer);
    } else {
        match &value {
            // Text is for reading: without quotes and escapes.
            Value::String(text) => out.foreign(text),
            value => out.value(value),
        }
        if receipt {
            out.value(&receipt_of(execution));
        }
    }
    for denial in &execution.receipt.denials {
        note(format!("denied: {}: {} ({})", denial.capability, tame(&denial.request), denial.reason));
    }
    if failed {
        let tool = &execution.receipt.tool;
        return Err(Failure::new(Exit::ToolFailed, format!("{tool} answered its own failure, which stands above")));
    }
    Ok(())
}

fn receipt_of(execution: &Execution) -> Value {
    let receipt = &execution.receipt;
    let usage = &receipt.usage;
    json!({
        "id": receipt.id,
        "version": receipt.version.to_string(),
        "digest": receipt.digest.to_string(),
        "arguments": receipt.arguments.to_string(),
        "outcome": receipt.outcome,
        "denials": receipt.denials.iter().map(|it| {
            json!({ "capability": it.capability, "request": it.request, "reason": it.reason })
        }).collect::<Vec<_>>(),
        "usage": {
            "wall_us": u64::try_from(usage.wall.as_micros()).unwrap_or(u64::MAX),
            "fuel": usage.fuel,
            "memory_bytes": usage.memory_bytes,
            "host_calls": usage.host_calls,
            "model_calls": usage.model_calls,
            "model_input_tokens": usage.model_input_tokens,
            "model_output_tokens": usage.model_output_tokens,
            "model_usd": usage.model_usd.dollars(),
            "input_bytes": usage.input_bytes,
            "output_bytes": usage.output_bytes,
            "http_sent_bytes": usage.http_sent_bytes,
            "http_received_bytes": usage.http_received_bytes,
        },
    })
}

fn failure(error: ExecuteError) -> Failure {
    let exit = match &error {
        ExecuteError::Resolve(_) | ExecuteError::UnknownTool { .. } | ExecuteError::NoToolNamed { .. } => {
            Exit::NotFound
        }
        ExecuteError::Arguments(_) => Exit::Arguments,
        ExecuteError::Refused(_)
        | ExecuteError::Revoked { .. }
        | ExecuteError::ApprovalPending(_)
        | ExecuteError::ApprovalDenied(_) => Exit::Refused,
        ExecuteError::Invoke { error, .. } => match error {
            InvokeError::Arguments { .. } | InvokeError::InputTooLarge(_) => Exit::Arguments,
            InvokeError::NoPermit
            | InvokeError::NotLoaded(_)
            | InvokeError::Full
            | InvokeError::Mount { .. }
            | InvokeError::Host(_) => Exit::Host,
            _ => Exit::Ended,
        },
        _ => Exit::Host,
    };
    Failure::new(exit, error)
}

//! `bailiwick agents`: which agents there are and what they are at, what is wrong with their
//! files, and pausing them.

mod show;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use bailiwick_agents::definition::{AgentDefinition, is_name};
use bailiwick_domain::units::format_size;
use bailiwick_wire::agent::{Agent, AgentSource, AgentState, AgentSummary, Agents as Listed};
use serde_json::json;

use super::run::one_line;
use crate::app;
use crate::cli::run::Agents;
use crate::config::Config;
use crate::desk::{Desk, encode};
use crate::output::{Done, Exit, Failure, Output, tame};

/// Bytes of an agent's file: what the host reads of one.
const MAX_FILE: u64 = 256 << 10;

/// Characters of a cell of a table.
const MAX_CELL: usize = 60;

/// Runs the command.
pub fn run(command: Agents, config: &Config, out: Output) -> Done {
    match command {
        Agents::List { capability } => list(capability.as_deref(), &Desk::open(config, out)?, out),
        Agents::Show { name } => show::show(&name, &Desk::open(config, out)?, out),
        Agents::Pause { name } => tell(&name, "pause", &Desk::open(config, out)?, out),
        Agents::Resume { name } => tell(&name, "resume", &Desk::open(config, out)?, out),
        Agents::Check { file } => check(&file, config, out),
    }
}

fn list(capability: Option<&str>, desk: &Desk, out: Output) -> Done {
    let query = capability.map(|word| format!("?capability={}", encode(word))).unwrap_or_default();
    let listed: Listed = desk.get(&format!("/v1/agents{query}"))?;
    if out.json {
        out.value(&json!(listed));
        return Ok(());
    }
    if listed.agents.is_empty() {
        out.line("There is no such agent. Put files into a folder of `agents.directories`.");
        return Ok(());
    }
    // One that can't be used says nothing of itself.
    let (good, broken): (Vec<_>, Vec<_>) = listed.agents.iter().partition(|agent| agent.description.is_some());
    let rows: Vec<_> = good.iter().copied().map(row).collect();
    out.table(["AGENT", "STATE", "OPEN", "DONE", "FAILED", "LAST ACTIVE", "FROM", "MODELS", "SKILLS", "ABOUT"], &rows);
    for agent in good {
        if let Some(error) = &agent.error {
            out.line(out.red(&format!("in error: {}: {}", agent.name, tame(error))));
        }
    }
    for agent in broken {
        let error = tame(agent.error.as_deref().unwrap_or_default());
        out.line(out.red(&format!("broken: {}: {error}", agent.name)));
    }
    Ok(())
}

fn row(agent: &AgentSummary) -> [String; 10] {
    [
        agent.name.clone(),
        state(agent.state).to_owned(),
        agent.open_tasks.to_string(),
        agent.tasks_completed.to_string(),
        agent.tasks_failed.to_string(),
        agent.last_active.clone().unwrap_or_default(),
        source(agent.source).to_owned(),
        one_line(&agent.models.join(", "), MAX_CELL),
        one_line(&agent.skills.join(", "), MAX_CELL),
        one_line(agent.description.as_deref().unwrap_or_default(), MAX_CELL),
    ]
}

/// Pauses an agent, or lets it go on.
fn tell(name: &str, what: &str, desk: &Desk, out: Output) -> Done {
    let agent: Agent = desk.send("POST", &format!("{}/{what}", path(name)?), None)?;
    if out.json {
        out.value(&json!(agent));
        return Ok(());
    }
    out.line(match &agent.paused {
        Some(pause) => format!("{} is paused by {} since {}", agent.name, tame(&pause.by), pause.at),
        None => format!("{} is {}", agent.name, state(agent.state)),
    });
    Ok(())
}

/// The route of an agent.
fn path(name: &str) -> Result<String, Failure> {
    // Whatever else it is, it is not the name of an agent, and must not lead elsewhere.
    if is_name(name) {
        Ok(format!("/v1/agents/{name}"))
    } else {
        Err(Failure::new(Exit::NotFound, format!("`{name}` is no name of an agent")))
    }
}

/// Reads the file as the host would, and looks whether this host has what it names.
fn check(file: &Path, config: &Config, out: Output) -> Done {
    let text = read(file)?;
    let definition = AgentDefinition::from_toml(&text, file);
    let errors: Vec<_> = match &definition {
        Ok(_) => Vec::new(),
        Err(error) => error.to_string().lines().map(str::to_owned).collect(),
    };
    let warnings = match &definition {
        Ok(definition) => missing(definition, config, out)?,
        Err(_) => Vec::new(),
    };
    if out.json {
        let definition = definition.as_ref().ok().map(AgentDefinition::to_json);
        out.value(&json!({ "file": file, "definition": definition, "errors": errors, "warnings": warnings }));
    } else {
        for error in &errors {
            out.line(format!("{} {}", out.red("error"), tame(error)));
        }
        for warning in &warnings {
            out.line(format!("{} {}", out.bold("warning"), tame(warning)));
        }
        out.line(if errors.is_empty() { out.green("ok") } else { out.red("not ready") });
    }
    if errors.is_empty() { Ok(()) } else { Err(Failure::new(Exit::Host, "")) }
}

fn read(file: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Usage, format!("{}: {error}", file.display()));
    let mut text = String::new();
    File::open(file).map_err(failed)?.take(MAX_FILE + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE {
        let problem = format!("{} has more than {}", file.display(), format_size(MAX_FILE));
        return Err(Failure::new(Exit::Usage, problem));
    }
    Ok(text)
}

/// What the agent names and this host doesn't have: another one may.
fn missing(definition: &AgentDefinition, config: &Config, out: Output) -> Result<Vec<String>, Failure> {
    let unknown = definition.models.iter().filter(|name| !config.models.contains_key(*name));
    let mut warnings: Vec<_> =
        unknown.map(|name| format!("the model `{name}` is not configured: expected one of `models`")).collect();
    if !definition.skills.is_empty() {
        let catalog = app::registry(config, out)?.catalog();
        let problems = definition.skills.iter().filter_map(|selector| catalog.resolve(selector).err());
        warnings.extend(problems.map(|problem| problem.to_string()));
    }
    Ok(warnings)
}

const fn state(state: AgentState) -> &'static str {
    match state {
        AgentState::Spawning => "spawning",
        AgentState::Idle => "idle",
        AgentState::Working => "working",
        AgentState::Paused => "paused",
        AgentState::Error => "error",
        AgentState::Terminated => "terminated",
    }
}

const fn source(source: AgentSource) -> &'static str {
    match source {
        AgentSource::File => "file",
        AgentSource::Record => "record",
    }
}

//! One skill on one page: what it is, asks for, and was given.

use bailiwick_domain::manifest::Permissions;
use bailiwick_skills::grants::GrantEntry;
use bailiwick_skills::skill::Skill;
use serde_json::{Value, json};

use super::{describe, grant_of, kind, summary};
use crate::commands::grant::capabilities;
use crate::config::Config;
use crate::desk::Desk;
use crate::output::{Done, Output, tame};

pub(super) fn show(selector: &str, config: &Config, out: Output) -> Done {
    let mut desk = Desk::open(config, out)?;
    let (skill, grants) = (desk.resolve(selector)?, desk.grants()?);
    if out.json {
        out.value(&whole(&skill, &grants));
        return Ok(());
    }
    let manifest = &skill.manifest;
    out.line(format!("{} {}  {}", out.bold(manifest.id.as_str()), manifest.version, kind(manifest.kind)));
    out.line(&skill.digest);
    out.line("");
    let about = summary(&skill);
    if !about.is_empty() {
        out.line(format!("{}\n", tame(&about)));
    }
    for tool in &skill.tools {
        let risks: Vec<_> = tool.risk_tags.iter().map(String::as_str).collect();
        let risks = if risks.is_empty() { String::new() } else { out.red(&format!("  [{}]", risks.join(", "))) };
        out.line(format!("{}{risks}", out.bold(&format!("tool {}", tool.name))));
        tame(&tool.description).lines().for_each(|line| out.line(format!("    {line}")));
        out.line(format!("    arguments: {}", parameters(&tool.input_schema)));
    }
    section("Asks for", &requested(&manifest.permissions), "nothing", out);
    match grant_of(&skill, &grants) {
        Some(entry) => section("Granted", &capabilities(&entry.grant), "", out),
        None => section("Granted", &[], &format!("no: `bailiwick grant add {}` lets it run", manifest.id), out),
    }
    let imports = skill.inspection.as_ref().map(|it| it.imports.clone()).unwrap_or_default();
    section("Imports, and so can reach nothing else", &imports, "nothing", out);
    section("Warnings", &skill.warnings, "none", out);
    Ok(())
}

pub(super) fn section(title: &str, lines: &[String], empty: &str, out: Output) {
    out.line(format!("\n{}", out.bold(title)));
    if lines.is_empty() {
        out.line(format!("    {empty}"));
    }
    for line in lines {
        out.line(format!("    {}", tame(line)));
    }
}

/// The names of a tool's parameters, those that may be left out in brackets.
fn parameters(schema: &Value) -> String {
    let required = |name: &String| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it.as_str() == Some(name)))
    };
    let names = schema["properties"].as_object().into_iter().flat_map(|object| object.keys());
    let names: Vec<_> = names.map(|name| if required(name) { name.clone() } else { format!("[{name}]") }).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// One line for each thing that a manifest asks for.
pub(super) fn requested(permissions: &Permissions) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(permissions.fs.iter().map(|it| format!("a folder at {} ({})", it.root, it.access)));
    lines.extend(permissions.http.iter().map(|rule| format!("requests {rule}")));
    lines.extend(permissions.http_deny.iter().map(|rule| format!("no requests {rule}, whatever is granted")));
    let workspace = "a folder of its own at /workspace for each call, or for each task of a run";
    lines.extend(permissions.workspace.map(|_| workspace.to_owned()));
    lines.extend(permissions.state.map(|_| "durable state".to_owned()));
    lines.extend(permissions.config.iter().map(|key| format!("setting {key}")));
    lines.extend(permissions.secrets.iter().map(|name| format!("secret {name}")));
    lines.extend(permissions.skills.iter().map(|skill| format!("to call {skill} (this release grants none)")));
    lines.extend(permissions.models.iter().map(|model| format!("model {model} (this release grants none)")));
    lines.extend(permissions.shell.iter().map(|command| format!("to run {command}")));
    lines
}

fn whole(skill: &Skill, grants: &[GrantEntry]) -> Value {
    let tools = skill.tools.iter().map(|tool| {
        json!({
            "name": tool.name,
            "description": tool.description,
            "input_schema": *tool.input_schema,
            "output_schema": *tool.output_schema,
            "failure_schema": tool.failure_schema.as_deref(),
            "risk_tags": tool.risk_tags,
            "idempotent": tool.idempotent,
        })
    });
    let grant = grant_of(skill, grants).map(|entry| capabilities(&entry.grant));
    let mut value = describe(skill, grants);
    value["tools"] = tools.collect();
    value["requested"] = json!(requested(&skill.manifest.permissions));
    value["granted"] = json!(grant);
    value["imports"] = json!(skill.inspection.as_ref().map(|it| &it.imports));
    value["instructions"] = json!(skill.instructions.as_ref().map(|it| &it.body));
    value
}

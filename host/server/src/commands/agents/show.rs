//! `bailiwick agents show`: all that is known of one agent.

use bailiwick_wire::agent::{Agent, AgentDefinition, AgentDisclosure};
use serde_json::{Value, json};

use super::{path, source, state};
use crate::desk::Desk;
use crate::output::{Done, Output, counted, tame};

/// Prints one agent.
pub(super) fn show(name: &str, desk: &Desk, out: Output) -> Done {
    let agent: Agent = desk.get(&path(name)?)?;
    if out.json {
        out.value(&json!(agent));
    } else {
        for line in describe(&agent, out) {
            out.line(&line);
        }
    }
    Ok(())
}

/// An agent, line by line.
fn describe(agent: &Agent, out: Output) -> Vec<String> {
    let (completed, failed) = (counted(agent.tasks_completed, "task"), agent.tasks_failed);
    let last = agent.last_active.as_ref().map(|at| format!(", last at {at}")).unwrap_or_default();
    let mut lines = vec![
        format!("{}  {}", out.bold(&agent.name), state(agent.state)),
        line("from", &format!("{}, id {}", source(agent.source), agent.id)),
        line("at work", &format!("on {}", counted(agent.open_tasks.into(), "task"))),
        line("did", &format!("{completed}, {failed} failed, since the host started{last}")),
    ];
    if let Some(pause) = &agent.paused {
        lines.push(line("paused", &format!("by {} since {}", pause.by, pause.at)));
    }
    lines.push(line("there", &format!("since {}, last changed {}", agent.created_at, agent.updated_at)));
    if let Some(definition) = &agent.definition {
        lines.extend(keys(definition).iter().map(|(key, value)| line(key, value)));
        lines.extend(block("instructions", &definition.instructions));
        if let Some(schema) = &definition.output_schema {
            lines.extend(block("output_schema", &indented(schema)));
        }
    }
    if let Some(error) = &agent.error {
        let what = if agent.definition.is_some() { "in error" } else { "broken" };
        lines.push(out.red(&format!("{what}: {}", tame(error))));
    }
    lines
}

/// What fits a line of its definition, by the keys of its file. What is not said there, such as a
/// temperature, is left out here too.
fn keys(definition: &AgentDefinition) -> Vec<(&'static str, String)> {
    let disclosure = match definition.disclosure {
        AgentDisclosure::Progressive => "progressive",
        AgentDisclosure::All => "all",
    };
    let always = [
        ("description", definition.description.clone()),
        ("models", definition.models.join(", ")),
        ("skills", definition.skills.join(", ")),
        ("capabilities", definition.capabilities.join(", ")),
        ("disclosure", disclosure.to_owned()),
        ("limits", serde_json::to_string(&definition.limits).unwrap_or_default()),
    ];
    let on_failure = definition.on_failure.as_ref();
    let said = [
        ("max_tokens", definition.max_tokens.map(|most| most.to_string())),
        ("temperature", definition.temperature.map(|temperature| temperature.to_string())),
        ("can_delegate", definition.can_delegate.map(|may| may.to_string())),
        ("on_failure", on_failure.map(|then| serde_json::to_string(then).unwrap_or_default())),
    ];
    let said = said.into_iter().filter_map(|(key, value)| Some((key, value?)));
    always.into_iter().chain(said).collect()
}

fn line(key: &str, value: &str) -> String {
    format!("  {key:<12}  {}", tame(value)).trim_end().to_owned()
}

/// A text of several lines below its key.
fn block(key: &str, text: &str) -> Vec<String> {
    let lines = tame(text);
    std::iter::once(format!("  {key}")).chain(lines.lines().map(|line| format!("    {line}"))).collect()
}

/// JSON for a person, also where it was given as a text.
fn indented(schema: &Value) -> String {
    let parsed = schema.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    serde_json::to_string_pretty(parsed.as_ref().unwrap_or(schema)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bailiwick_wire::agent::{AgentLimits, AgentOnFailure, AgentSource, AgentState};

    use super::*;

    fn agent(definition: AgentDefinition) -> Agent {
        Agent {
            id: "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e".to_owned(),
            name: "researcher".to_owned(),
            state: AgentState::Idle,
            source: AgentSource::File,
            open_tasks: 0,
            tasks_completed: 2,
            tasks_failed: 1,
            last_active: None,
            paused: None,
            definition: Some(definition),
            error: None,
            created_at: "2026-11-20T11:00:00.000Z".to_owned(),
            updated_at: "2026-11-20T11:00:00.000Z".to_owned(),
        }
    }

    fn everything() -> AgentDefinition {
        AgentDefinition {
            name: Some("researcher".to_owned()),
            description: "Finds out what is so.".to_owned(),
            instructions: "Read first.\nThen answer.".to_owned(),
            models: vec!["small".to_owned(), "large".to_owned()],
            skills: vec!["bailiwick/files@^0.1".to_owned()],
            capabilities: vec!["research".to_owned()],
            disclosure: AgentDisclosure::All,
            max_tokens: Some(500),
            temperature: Some(0.25),
            can_delegate: Some(false),
            limits: AgentLimits { max_steps: Some(20), ..AgentLimits::default() },
            on_failure: Some(AgentOnFailure { retries: Some(1), fallback: Some("writer".to_owned()), ask: Some(true) }),
            output_schema: Some(json!({ "type": "object" })),
        }
    }

    fn told(definition: AgentDefinition) -> Vec<String> {
        describe(&agent(definition), Output { json: false, colour: false })
    }

    #[test]
    fn an_agent_is_shown_with_every_key_of_its_definition() {
        let lines = told(everything());
        let Value::Object(keys) = json!(everything()) else { panic!("an object") };
        // The name is the head.
        for key in keys.keys().filter(|key| *key != "name") {
            assert!(lines.iter().any(|line| line.split_whitespace().next() == Some(key.as_str())), "{key}: {lines:#?}");
        }
        for expected in [
            "  disclosure    all",
            "  max_tokens    500",
            "  temperature   0.25",
            "  can_delegate  false",
            "  limits        {\"max_steps\":20}",
            "  on_failure    {\"retries\":1,\"fallback\":\"writer\",\"ask\":true}",
        ] {
            assert!(lines.iter().any(|line| line == expected), "{expected}: {lines:#?}");
        }
        let text = lines.join("\n");
        assert!(text.ends_with("  output_schema\n    {\n      \"type\": \"object\"\n    }"), "{text}");
        assert!(text.contains("\n  instructions\n    Read first.\n    Then answer.\n"), "{text}");
    }

    #[test]
    fn what_an_agent_does_not_say_is_not_shown() {
        let quiet = AgentDefinition {
            max_tokens: None,
            temperature: None,
            can_delegate: None,
            on_failure: None,
            output_schema: None,
            ..everything()
        };
        let text = told(quiet).join("\n");
        for key in ["max_tokens", "temperature", "can_delegate", "on_failure", "output_schema"] {
            assert!(!text.contains(key), "{key}: {text}");
        }
    }

    #[test]
    fn a_schema_that_was_given_as_a_text_is_shown_as_what_it_means() {
        let written = AgentDefinition { output_schema: Some(json!("{\"type\":\"string\"}")), ..everything() };
        let text = told(written).join("\n");
        assert!(text.ends_with("    {\n      \"type\": \"string\"\n    }"), "{text}");
    }
}

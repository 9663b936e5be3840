//! What a model is asked in a task: made from the state alone, so that the same run asks
//! the same everywhere.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use super::answer;
use super::event::Role;
use super::names::{ADD_NODES, CHOOSE_AGENT, HANDOFF, USE_SKILL};
use super::next::{BYTES_PER_TOKEN, is_open};
use super::state::Run;
use super::strategy::Strategy;
use super::task::Task;
use super::team::{Disclosure, Member};
use crate::model::{Message, ToolSpec};

/// Nodes of a graph that a planning model is told of: each takes some of its prompt.
const MAX_NODES_TOLD: usize = 200;

/// What a model is asked in a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// Names of models by preference.
    pub models: Vec<String>,
    /// Instructions, and all that was said.
    pub messages: Vec<Message>,
    /// What it may call.
    pub tools: Vec<ToolSpec>,
    /// Whether it has to.
    pub must_call: bool,
    /// The most tokens of its answer.
    pub max_tokens: Option<u32>,
    /// From 0 upward.
    pub temperature: Option<f32>,
    /// A JSON Schema that its last answer has to fit.
    pub output_schema: Option<Value>,
}

/// What the model of a task is asked now; `None` where there is no such task.
pub fn prompt(run: &Run, number: u32) -> Option<Prompt> {
    let (member, task) = (run.member(number)?, run.tasks.get(number as usize)?);
    let (mut system, mut tools, must_call) = match (run.strategy_of(number)?, task.opening.role) {
        (Strategy::Router { agents, .. }, Role::Route) => (routing(run, member, agents), vec![choose(agents)], true),
        (Strategy::Handoff { agents, max_depth, .. }, _) if member.can_delegate && run.depth(number) < *max_depth => {
            let others: Vec<&str> =
                agents.iter().filter(|agent| **agent != task.opening.agent).map(String::as_str).collect();
            let mut tools = tools(task, member);
            tools.push(hand_over(&others));
            (giving(run, member, &others), tools, false)
        }
        _ => (working(member), tools(task, member), false),
    };
    if run.planner(number).is_some() {
        planning(&mut system, run, number, task);
        tools.push(add_nodes(run, number));
    }
    let schema = answer::wanted(task, member);
    if let Some(schema) = schema {
        let gap = if system.is_empty() { "" } else { "\n\n" };
        let _ = write!(system, "{gap}{}", answer::instructions(schema));
    }
    let mut messages = Vec::with_capacity(task.messages.len() + 1);
    if !system.is_empty() {
        messages.push(Message::System { text: system });
    }
    messages.extend(task.messages.iter().cloned());
    let left = [run.spec.budget.for_answer(&run.spend), member.limits.budget().for_answer(&task.tries.spend)];
    Some(Prompt {
        models: member.models.clone(),
        messages,
        tools,
        must_call,
        max_tokens: left.into_iter().flatten().chain(member.max_tokens).min(),
        #[expect(clippy::cast_precision_loss, reason = "a temperature is a small number")]
        temperature: member.temperature_milli.map(|milli| milli as f32 / 1000.0),
        output_schema: schema.cloned(),
    })
}

/// Instructions, and which skills there are.
fn working(member: &Member) -> String {
    let mut text = member.instructions.trim().to_owned();
    if member.skills.is_empty() {
        return text;
    }
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    match member.disclosure {
        Disclosure::Progressive => {
            let _ = writeln!(text, "Skills (call `{USE_SKILL}` to get the instructions and tools of one):");
            for skill in &member.skills {
                let tokens = skill.instructions.len().div_ceil(BYTES_PER_TOKEN);
                let _ = writeln!(text, "- {}: {} (about {tokens} tokens)", skill.id, skill.description);
            }
        }
        Disclosure::All => {
            for skill in &member.skills {
                let _ = writeln!(text, "## Skill {}\n{}\n", skill.id, skill.instructions.trim());
            }
        }
    }
    text.trim_end().to_owned()
}

/// Instructions, skills, and who there is to give the work to.
fn giving(run: &Run, member: &Member, others: &[&str]) -> String {
    let mut text = working(member);
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    let _ = writeln!(text, "Where another agent suits the request better, call `{HANDOFF}`. The agents are:");
    for name in others {
        let description = run.team.members.get(*name).map_or("", |member| member.description.as_str());
        let _ = writeln!(text, "- {name}: {description}");
    }
    text.trim_end().to_owned()
}

/// Who there is to choose from.
fn routing(run: &Run, member: &Member, agents: &[String]) -> String {
    let mut text = member.instructions.trim().to_owned();
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    let _ =
        writeln!(text, "Choose the agent that suits the request best, by calling `{CHOOSE_AGENT}`. The agents are:");
    for name in agents {
        let description = run.team.members.get(name).map_or("", |member| member.description.as_str());
        let _ = writeln!(text, "- {name}: {description}");
    }
    text.trim_end().to_owned()
}

fn tools(task: &Task, member: &Member) -> Vec<ToolSpec> {
    let mut tools = Vec::new();
    if member.disclosure == Disclosure::Progressive {
        let closed: Vec<&str> =
            member.skills.iter().filter(|skill| !is_open(task, member, skill)).map(|skill| skill.id.as_str()).collect();
        if !closed.is_empty() {
            tools.push(ToolSpec {
                name: USE_SKILL.to_owned(),
                description: "Gives the instructions of a skill, and lets you call its tools.".to_owned(),
                input_schema: one_of("skill", &closed),
            });
        }
    }
    let open = member.skills.iter().filter(|skill| is_open(task, member, skill));
    tools.extend(open.flat_map(|skill| &skill.tools).map(|tool| ToolSpec {
        name: tool.alias.clone(),
        description: tool.description.clone(),
        input_schema: Arc::clone(&tool.input_schema),
    }));
    tools
}

/// The graph that the agent works in, and who could work there too.
fn planning(text: &mut String, run: &Run, number: u32, task: &Task) {
    let subrun = task.opening.subrun;
    let (Some(graph), Some(nodes)) = (run.graph(subrun), run.nodes(subrun)) else { return };
    let gap = if text.is_empty() { "" } else { "\n\n" };
    let _ = writeln!(
        text,
        "{gap}You work in a graph: its nodes are given to agents when the edges that lead to them are taken. Where more \
         has to be done than it has nodes for, add them by calling `{ADD_NODES}`. An edge may begin at any node, and may \
         lead to a new one, or to one that waits for all that leads to it. The nodes are:"
    );
    for (place, (node, at)) in (0_u32..).zip(graph.nodes.iter().zip(nodes)).take(MAX_NODES_TOLD) {
        let yours = if task.opening.node == Some(place) { ", which is you" } else { "" };
        let _ = writeln!(text, "- {} ({}{yours})", node.id, at.state.name());
    }
    if graph.nodes.len() > MAX_NODES_TOLD {
        let _ = writeln!(text, "- and {} more", graph.nodes.len() - MAX_NODES_TOLD);
    }
    let _ = writeln!(text, "The agents are:");
    for (name, member) in run.team.members.iter().filter(|(name, _)| run.may_add(number, name)) {
        let _ = writeln!(text, "- {name}: {}", member.description);
    }
    text.truncate(text.trim_end().len());
}

fn add_nodes(run: &Run, number: u32) -> ToolSpec {
    let agents: Vec<&String> = run.team.members.keys().filter(|name| run.may_add(number, name)).collect();
    let text = json!({ "type": "string" });
    ToolSpec {
        name: ADD_NODES.to_owned(),
        description: "Adds nodes and edges to the graph that you work in.".to_owned(),
        input_schema: Arc::new(json!({
            "type": "object",
            "properties": {
                "nodes": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "id": {
                                "type": "string",
                                "pattern": "^[a-z0-9_-]{1,64}$",
                                "description": "Its name, unlike that of every other node.",
                            },
                            "agent": { "type": "string", "enum": agents },
                            "input": {
                                "type": "string",
                                "description": "What it is asked. {{input}} is what all began with, and {{ID}} what a node \
                                                said from which edges lead here.",
                            },
                            "join": { "type": "string", "enum": ["all", "any"] },
                            "optional": { "type": "boolean" },
                        },
                        "required": ["id", "agent"],
                        "additionalProperties": false,
                    },
                },
                "edges": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": { "from": text, "to": text, "label": text },
                        "required": ["from", "to"],
                        "additionalProperties": false,
                    },
                },
            },
            "required": ["nodes"],
            "additionalProperties": false,
        })),
    }
}

fn choose(agents: &[String]) -> ToolSpec {
    let names: Vec<&str> = agents.iter().map(String::as_str).collect();
    ToolSpec {
        name: CHOOSE_AGENT.to_owned(),
        description: "Gives the request to an agent.".to_owned(),
        input_schema: one_of("agent", &names),
    }
}

fn hand_over(others: &[&str]) -> ToolSpec {
    ToolSpec {
        name: HANDOFF.to_owned(),
        description: "Gives the work to another agent, with all that was said, and ends yours.".to_owned(),
        input_schema: Arc::new(json!({
            "type": "object",
            "properties": { "to": { "type": "string", "enum": others }, "reason": { "type": "string" } },
            "required": ["to"],
            "additionalProperties": false,
        })),
    }
}

fn one_of(property: &str, names: &[&str]) -> Arc<serde_json::Value> {
    Arc::new(json!({
        "type": "object",
        "properties": { property: { "type": "string", "enum": names } },
        "required": [property],
        "additionalProperties": false,
    }))
}

//! What is told of runs and of agents: from what happened to names, topics and data.
//!
//! What is told is short. What agents were asked and said is read from the run itself.

use std::collections::BTreeSet;

use bailiwick_domain::run::{Escalation, Event, Opening, Record, Run, RunId, Strategy, TaskOutcome};
use serde_json::{Value, json};

use super::Told;
use crate::registry::{Agent, AgentEvent, AgentEventKind};
use crate::standing::AgentState;

/// Bytes of an error's words: a few sentences.
const MAX_WORDS: usize = 1024;

/// An agent is at something else than before.
pub(super) const STATUS_CHANGED: &str = "agent.status_changed";

/// What is told of an event of a run, of which `run` is the state behind it. Where an agent
/// may be at something else now, the bus finds out when it is told.
pub(crate) fn told(run: &Run, record: &Record) -> Vec<Told> {
    let mut teller = Teller { run, at: record.at, told: Vec::new() };
    match &record.event {
        Event::Started {} => teller.started(),
        Event::TaskOpened { task, opening } => teller.opened(*task, opening),
        Event::TaskEnded { task, outcome } => teller.ended(*task, outcome),
        Event::TaskEscalated { task, to, code, message } => teller.escalated(*task, to, code, message),
        Event::TaskAnswered { task, again, .. } => {
            teller.of_run("task.answered", json!({ "task": task, "again": again }));
        }
        Event::HandoffInitiated { handoff, task, to, asks, .. } => teller.of_run(
            "orchestration.handoff_initiated",
            json!({ "handoff": handoff, "task": task, "to": to, "asks": asks }),
        ),
        Event::HandoffCompleted { handoff } => {
            teller.of_run("orchestration.handoff_completed", json!({ "handoff": handoff }));
        }
        Event::SubrunStarted { subrun, parent, node, .. } => teller.subrun_started(*subrun, *parent, *node),
        Event::SubrunEnded { subrun, outcome } => teller.subrun_ended(*subrun, outcome),
        Event::GraphGrown { task, graph, .. } => teller.of_run(
            "orchestration.graph_grown",
            json!({ "task": task, "nodes": graph.nodes.len(), "edges": graph.edges.len() }),
        ),
        Event::ApprovalRequested { step, approval } => {
            teller.of_run("approval.requested", json!({ "step": step, "approval": approval }));
        }
        Event::ApprovalAnswered { step, approved, .. } => {
            teller.of_run("approval.answered", json!({ "step": step, "approved": approved }));
        }
        Event::Paused { by } => teller.of_run("run.paused", json!({ "by": by })),
        Event::Resumed { by, repeat } => teller.of_run("run.resumed", json!({ "by": by, "repeat": repeat })),
        Event::Interrupted { steps } => teller.of_run("run.interrupted", json!({ "steps": steps })),
        Event::Completed { .. } => teller.over(&json!({ "status": "completed" })),
        Event::Failed { code, message, .. } => {
            teller.over(&json!({ "status": "failed", "code": code, "message": short(message) }));
        }
        Event::Cancelled { by, .. } => teller.over(&json!({ "status": "cancelled", "by": by })),
        _ => {}
    }
    teller.told
}

/// What is told of an agent that is new, other than before, paused, or gone.
pub(crate) fn told_of_agent(event: &AgentEvent, at: u64) -> Told {
    let AgentEvent { kind, name, agent, by } = event;
    let (told, data) = match kind {
        AgentEventKind::Registered => {
            let source = if agent.is_file() { "file" } else { "record" };
            let data = json!({ "agent": name, "id": agent.id, "source": source, "capabilities": capabilities(agent) });
            ("agent.registered", data)
        }
        AgentEventKind::Changed => ("agent.changed", json!({ "agent": name, "id": agent.id })),
        AgentEventKind::Paused => ("agent.paused", json!({ "agent": name, "id": agent.id, "by": by })),
        AgentEventKind::Resumed => ("agent.resumed", json!({ "agent": name, "id": agent.id, "by": by })),
        AgentEventKind::Removed => ("agent.terminated", json!({ "agent": name, "id": agent.id })),
    };
    of_agent(name, told, at, data)
}

/// What is told of an agent that runs can have from now on.
pub(crate) fn spawned(agent: &Agent, at: u64) -> Told {
    let data = json!({ "agent": agent.name, "id": agent.id, "capabilities": capabilities(agent) });
    of_agent(&agent.name, "agent.spawned", at, data)
}

/// What is told of an agent that is at something else than before.
pub(super) fn status(agent: &str, state: AgentState, at: u64, run: Option<RunId>) -> Told {
    let data = json!({ "agent": agent, "status": state.name() });
    Told { run, ..of_agent(agent, STATUS_CHANGED, at, data) }
}

fn of_agent(agent: &str, name: &'static str, at: u64, data: Value) -> Told {
    Told { topic: status_topic(agent), name, at, run: None, data }
}

fn capabilities(agent: &Agent) -> Option<&Vec<String>> {
    agent.usable().map(|definition| &definition.capabilities)
}

struct Teller<'a> {
    run: &'a Run,
    at: u64,
    told: Vec<Told>,
}

impl<'a> Teller<'a> {
    fn started(&mut self) {
        let run = self.run;
        let spec = &run.spec;
        // A run that goes on after a pause begins again, and was told of before.
        if run.started_at == Some(self.at) {
            let strategy = spec.strategy.name();
            let data = json!({
                "strategy": strategy, "class": spec.class.name(), "principal": spec.principal, "label": spec.label,
                "trace_id": spec.trace_id(),
            });
            self.of_run("workflow.started", data);
            if self.is_plan() {
                let agents: Vec<&String> = run.team.members.keys().collect();
                self.of_run("orchestration.plan_started", json!({ "strategy": strategy, "agents": agents }));
            }
        }
        // After a retry, tasks go on that were opened long ago.
        for agent in self.at_work() {
            self.status(agent);
        }
    }

    fn opened(&mut self, task: u32, opening: &Opening) {
        let agent = &opening.agent;
        let mut data = json!({ "task": task, "agent": agent, "role": opening.role, "item": opening.item });
        if let Some(subrun) = opening.subrun {
            data["subrun"] = json!(subrun);
        }
        if self.is_plan() {
            self.of_run("orchestration.task_assigned", data.clone());
        }
        self.of_task("task.assigned", agent, data);
        self.status(agent);
    }

    fn ended(&mut self, number: u32, outcome: &TaskOutcome) {
        let run = self.run;
        let Some(task) = run.tasks.get(number as usize) else { return };
        let agent = &task.opening.agent;
        let (name, data) = match outcome {
            TaskOutcome::Done { .. } => {
                ("task.completed", json!({ "task": number, "agent": agent, "status": "completed" }))
            }
            TaskOutcome::Failed { code, message } => {
                let message = short(message);
                let data =
                    json!({ "task": number, "agent": agent, "status": "failed", "code": code, "message": message });
                ("task.failed", data)
            }
        };
        self.of_task(name, agent, data.clone());
        if self.is_plan() {
            self.of_run("orchestration.task_completed", data);
        }
        self.status(agent);
    }

    /// An agent failed, and its task goes on. Whoever has it now is told of too.
    fn escalated(&mut self, number: u32, to: &Escalation, code: &str, message: &str) {
        let run = self.run;
        let Some(task) = run.tasks.get(number as usize) else { return };
        let has = &task.opening.agent;
        let (failed, to) = match to {
            Escalation::Retry { number } => (has, json!({ "is": "retry", "number": number })),
            Escalation::Agent { name } => {
                (task.tries.agents.last().unwrap_or(has), json!({ "is": "agent", "agent": name }))
            }
            Escalation::Person {} => (has, json!({ "is": "person" })),
        };
        let data = json!({ "task": number, "agent": failed, "to": to, "code": code, "message": short(message) });
        self.of_run("task.escalated", data.clone());
        self.of_task("task.escalated", failed, data);
        if failed != has {
            self.status(failed);
            self.status(has);
        }
    }

    fn subrun_started(&mut self, subrun: u32, parent: Option<u32>, node: u32) {
        let run = self.run;
        let node = run.graph(parent).and_then(|graph| graph.nodes.get(node as usize)).map(|node| node.id.as_str());
        let strategy = run.strategy(Some(subrun)).map(Strategy::name);
        let data = json!({ "subrun": subrun, "parent": parent, "node": node, "strategy": strategy });
        self.of_run("orchestration.subrun_started", data);
    }

    /// Tasks that were under way in a subrun that failed have ended with it.
    fn subrun_ended(&mut self, subrun: u32, outcome: &TaskOutcome) {
        let run = self.run;
        let data = match outcome {
            TaskOutcome::Done { .. } => json!({ "subrun": subrun, "status": "completed" }),
            TaskOutcome::Failed { code, message } => {
                json!({ "subrun": subrun, "status": "failed", "code": code, "message": short(message) })
            }
        };
        self.of_run("orchestration.subrun_completed", data);
        if matches!(outcome, TaskOutcome::Failed { .. }) {
            let within = run.tasks.iter().filter(|task| task.opening.subrun.is_some());
            for agent in within.map(|task| task.opening.agent.as_str()).collect::<BTreeSet<_>>() {
                self.status(agent);
            }
        }
    }

    /// The run is over. Agents that still work on it are told of when they let go of it.
    fn over(&mut self, data: &Value) {
        if self.is_plan() {
            let failed = |outcome: &&TaskOutcome| matches!(outcome, TaskOutcome::Failed { .. });
            let failed = self.run.tasks.iter().filter_map(|task| task.outcome.as_ref()).filter(failed).count();
            let plan = json!({ "status": data["status"], "tasks": self.run.tasks.len(), "failed": failed });
            self.of_run("orchestration.plan_completed", plan);
        }
        self.of_run("workflow.completed", data.clone());
    }

    /// Whether there is more to it than one agent.
    fn is_plan(&self) -> bool {
        !matches!(self.run.spec.strategy, Strategy::Single { .. })
    }

    /// Agents that have open tasks.
    fn at_work(&self) -> BTreeSet<&'a str> {
        let run = self.run;
        let open = run.tasks.iter().filter(|task| task.outcome.is_none());
        open.map(|task| task.opening.agent.as_str()).collect()
    }

    fn of_run(&mut self, name: &'static str, data: Value) {
        self.tell(format!("workflow.{}.events", self.run.spec.id), name, data);
    }

    fn of_task(&mut self, name: &'static str, agent: &str, data: Value) {
        self.tell(format!("agent.{}.task", segment(agent)), name, data);
    }

    /// The agent may be at something else now.
    fn status(&mut self, agent: &str) {
        self.tell(status_topic(agent), STATUS_CHANGED, json!({ "agent": agent }));
    }

    fn tell(&mut self, topic: String, name: &'static str, data: Value) {
        self.told.push(Told { topic, name, at: self.at, run: Some(self.run.spec.id.clone()), data });
    }
}

fn status_topic(agent: &str) -> String {
    format!("agent.{}.status", segment(agent))
}

/// A name as one segment. That of a broken file may be anything.
fn segment(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    name.chars().map(plain).collect()
}

fn short(words: &str) -> &str {
    &words[..words.floor_char_boundary(MAX_WORDS)]
}

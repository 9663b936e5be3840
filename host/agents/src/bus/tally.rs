//! What is counted since the host started: of each agent, and of all runs; and what was
//! last told of what agents are at.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bailiwick_domain::run::{Escalation, Event, Record, Run, Spend, TaskOutcome};

use crate::registry::Agent;
use crate::standing::{AgentState, Being, Facts, Health};

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    agents: Mutex<Agents>,
    spent: Mutex<Spend>,
}

#[derive(Debug, Default)]
struct Agents {
    /// Agents that there are, or that have open tasks, and workflows that ran.
    known: HashMap<String, Entry>,
    /// Those that lost a task since it was last told what they are at.
    unsettled: BTreeSet<String>,
    /// Who was told.
    audience: u64,
}

#[derive(Debug, Default)]
struct Entry {
    /// As the registry told last. Until it does, a run has the agent, which so can be used.
    being: Being,
    paused: bool,
    health: Health,
    /// One that was removed while it had open tasks, as it was.
    gone: Option<Arc<Agent>>,
    /// What was told last.
    shown: Option<AgentState>,
}

impl Tally {
    /// An agent has one more open task.
    pub(crate) fn opened(&self, agent: &str) {
        let mut agents = self.agents();
        let open = &mut agents.entry(agent).health.open_tasks;
        *open = open.saturating_add(1);
    }

    /// It has one less.
    pub(crate) fn closed(&self, agent: &str) {
        let mut agents = self.agents();
        let Agents { known, unsettled, .. } = &mut *agents;
        let Some(entry) = known.get_mut(agent) else { return };
        entry.health.open_tasks = entry.health.open_tasks.saturating_sub(1);
        if entry.gone.is_some() && entry.health.open_tasks == 0 {
            known.remove(agent);
        } else if !unsettled.contains(agent) {
            unsettled.insert(agent.to_owned());
        }
    }

    /// Takes note of an event, of which `run` is the state behind it.
    pub(crate) fn heed(&self, run: &Run, record: &Record) {
        let (task, completed) = match &record.event {
            Event::TaskOpened { task, .. } => (*task, None),
            Event::TaskEnded { task, outcome } => (*task, Some(matches!(outcome, TaskOutcome::Done { .. }))),
            Event::TaskEscalated { task, to: Escalation::Agent { .. }, .. } => {
                return self.gave_up(run, *task, record.at);
            }
            Event::StepEnded { step, spend, .. } => {
                let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
                *spent = spent.plus(spend);
                drop(spent);
                let Some(step) = run.steps.get(*step as usize) else { return };
                (step.task, None)
            }
            _ => return,
        };
        let Some(task) = run.tasks.get(task as usize) else { return };
        let mut agents = self.agents();
        let health = &mut agents.entry(&task.opening.agent).health;
        health.last_active = Some(record.at);
        if let Some(completed) = completed {
            health.ended(completed);
        }
    }

    /// An agent failed at a task that another one has now.
    fn gave_up(&self, run: &Run, task: u32, at: u64) {
        let Some(agent) = run.tasks.get(task as usize).and_then(|task| task.tries.agents.last()) else { return };
        let mut agents = self.agents();
        let health = &mut agents.entry(agent).health;
        health.last_active = Some(at);
        health.ended(false);
    }

    /// What the registry tells of an agent that is there.
    pub(crate) fn is(&self, agent: &str, being: Being, paused: bool) {
        let mut agents = self.agents();
        let entry = agents.entry(agent);
        (entry.being, entry.paused) = (being, paused);
        // The one of before goes on with its tasks; what it did is not this one's.
        if entry.gone.take().is_some() {
            entry.health = Health { open_tasks: entry.health.open_tasks, ..Health::default() };
        }
    }

    /// An agent is there no more.
    pub(crate) fn removed(&self, agent: &Arc<Agent>) {
        let mut agents = self.agents();
        let Some(entry) = agents.known.get_mut(&agent.name) else { return };
        if entry.health.open_tasks == 0 {
            agents.known.remove(&agent.name);
        } else {
            entry.gone = Some(Arc::clone(agent));
        }
    }

    /// Forgets all that has no open task and is not there.
    pub(crate) fn keep_only(&self, there: impl Fn(&str) -> bool) {
        self.agents().known.retain(|agent, entry| entry.health.open_tasks > 0 || there(agent));
    }

    /// How an agent fared.
    pub(crate) fn health(&self, agent: &str) -> Health {
        self.agents().known.get(agent).map(|entry| entry.health).unwrap_or_default()
    }

    /// Agents that were removed and have open tasks, as they were.
    pub(crate) fn terminated(&self) -> Vec<(Arc<Agent>, Health)> {
        let agents = self.agents();
        let gone = agents.known.values().filter_map(|entry| Some((entry.gone.as_ref()?, entry.health)));
        gone.map(|(agent, health)| (Arc::clone(agent), health)).collect()
    }

    /// What all runs took.
    pub(crate) fn spent(&self) -> Spend {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `tell` with what an agent is at, where this audience was told something else or
    /// nothing. Nobody else tells meanwhile, so that what is told last is what holds.
    pub(crate) fn tell(&self, agent: &str, audience: u64, tell: impl FnOnce(AgentState)) {
        let mut agents = self.agents();
        if agents.audience != audience {
            agents.audience = audience;
            agents.known.values_mut().for_each(|entry| entry.shown = None);
        }
        agents.unsettled.remove(agent);
        let Some(entry) = agents.known.get_mut(agent) else { return };
        let state = entry.state();
        if state != entry.shown {
            entry.shown = state;
            if let Some(state) = state {
                tell(state);
            }
        }
    }

    /// Those that lost a task since it was last told what they are at.
    pub(crate) fn unsettled(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.agents().unsettled)
    }

    fn agents(&self) -> MutexGuard<'_, Agents> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Agents {
    /// What is known of an agent, from now on.
    fn entry(&mut self, agent: &str) -> &mut Entry {
        self.known.entry(agent.to_owned()).or_default()
    }
}

impl Entry {
    fn state(&self) -> Option<AgentState> {
        let being = if self.gone.is_some() { Being::Gone } else { self.being };
        AgentState::of(&Facts { being, paused: self.paused, health: self.health })
    }
}

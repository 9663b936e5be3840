//! What agents are at: told to the bus while it changes, and answered to whoever asks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bailiwick_domain::run::{Record, Run};
use bailiwick_skills::catalog::ResolveError;
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Inner, Runtime, keep};
use crate::bus;
use crate::registry::{Agent, AgentEvent, AgentEventKind};
use crate::standing::{AgentState, Being, Facts, Standing};

/// How often to look whether agents can be used by now, and what the host's numbers are.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Runtime {
    /// Every agent by name with what it is at, those that were removed while they had open
    /// tasks too.
    pub fn standings(&self) -> Vec<Standing> {
        let mut all: BTreeMap<String, Standing> =
            self.inner.terminated().map(|standing| (standing.agent.name.clone(), standing)).collect();
        for agent in self.inner.parts.agents.list() {
            all.insert(agent.name.clone(), self.inner.standing(agent));
        }
        all.into_values().collect()
    }

    /// What the agent of this name is at, if it is there, or was until a moment ago and has
    /// open tasks.
    pub fn standing(&self, name: &str) -> Option<Standing> {
        match self.inner.parts.agents.get(name) {
            Some(agent) => Some(self.inner.standing(agent)),
            None => self.inner.terminated().find(|standing| standing.agent.name == name),
        }
    }
}

impl Inner {
    /// Begins to tell the bus of agents and of the host, where nobody does yet.
    pub(super) fn tell_of_agents(self: &Arc<Self>) {
        self.telling.call_once(|| {
            // A runtime that is dropped must not be held by what only tells of it.
            let teller = Teller {
                inner: Arc::downgrade(self),
                events: self.parts.agents.subscribe(),
                unusable: BTreeSet::new(),
                metrics: Value::Null,
                listeners: 0,
            };
            self.tracker.spawn(teller.live(self.stopping.clone()));
        });
    }

    /// Counts what an event changed, of which `run` is the state behind it.
    pub(super) fn count(&self, run: &Run, record: &Record) {
        self.bus.tally().heed(run, record);
    }

    /// Tells of agents whose tasks went with their run.
    pub(super) fn settle(&self) {
        let unsettled = self.bus.tally().unsettled();
        if self.bus.is_heard() {
            let at = self.now();
            for agent in &unsettled {
                self.bus.stands(agent, at, None);
            }
        }
    }

    fn standing(&self, agent: Arc<Agent>) -> Standing {
        let health = self.bus.tally().health(&agent.name);
        let of = |being| AgentState::of(&Facts { being, paused: agent.paused.is_some(), health });
        let being = if agent.usable().is_some() { Being::Usable } else { Being::Broken };
        // Its skills are looked at only where that makes a difference.
        let state = match of(being) {
            Some(AgentState::Idle) => of(self.being(&agent)),
            state => state,
        };
        Standing { state: state.unwrap_or(AgentState::Idle), agent, health }
    }

    fn terminated(&self) -> impl Iterator<Item = Standing> {
        let gone = self.bus.tally().terminated().into_iter();
        gone.map(|(agent, health)| Standing { agent, state: AgentState::Terminated, health })
    }

    /// Whether runs can have an agent that is there.
    fn being(&self, agent: &Agent) -> Being {
        let Some(definition) = agent.usable() else { return Being::Broken };
        let mut skills = definition.skills.iter().map(|selector| self.parts.skills.pin(selector));
        let is_preparing = skills.any(|skill| matches!(skill, Err(ResolveError::Preparing { .. })));
        if is_preparing { Being::Preparing } else { Being::Usable }
    }

    fn now(&self) -> u64 {
        keep::millis(self.parts.clock.now())
    }
}

/// Tells the bus what happens among agents, and how the host stands.
struct Teller {
    inner: Weak<Inner>,
    events: broadcast::Receiver<AgentEvent>,
    /// Agents that runs can't have yet.
    unusable: BTreeSet<String>,
    /// The numbers that were told last, and to how many.
    metrics: Value,
    listeners: usize,
}

impl Teller {
    async fn live(mut self, stopping: CancellationToken) {
        if let Some(inner) = self.inner.upgrade() {
            self.look_at_all(&inner);
        }
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                () = stopping.cancelled() => return,
                event = self.events.recv() => Some(event),
                _ = looks.tick() => None,
            };
            let Some(inner) = self.inner.upgrade() else { return };
            match event {
                Some(Ok(event)) => self.heed(&inner, &event),
                // Who wants to know what was missed asks for the list.
                Some(Err(RecvError::Lagged(_))) => self.look_at_all(&inner),
                Some(Err(RecvError::Closed)) => return,
                None => {
                    self.look_at_unusable(&inner);
                    self.tell_metrics(&inner);
                }
            }
        }
    }

    /// Learns what agents there are, where no events say so.
    fn look_at_all(&mut self, inner: &Inner) {
        let there = inner.parts.agents.list();
        self.unusable.clear();
        for agent in &there {
            self.learn(inner, agent);
        }
        let names: BTreeSet<&str> = there.iter().map(|agent| agent.name.as_str()).collect();
        inner.bus.tally().keep_only(|agent| names.contains(agent));
    }

    /// Takes note of an agent that is there. Says whether runs can have it.
    fn learn(&mut self, inner: &Inner, agent: &Agent) -> bool {
        let being = inner.being(agent);
        inner.bus.tally().is(&agent.name, being, agent.paused.is_some());
        let is_usable = being == Being::Usable;
        if !is_usable {
            self.unusable.insert(agent.name.clone());
        }
        is_usable
    }

    fn heed(&mut self, inner: &Inner, event: &AgentEvent) {
        let was_usable = !self.unusable.remove(&event.name) && event.kind != AgentEventKind::Registered;
        let is_usable = if event.kind == AgentEventKind::Removed {
            inner.bus.tally().removed(&event.agent);
            false
        } else {
            self.learn(inner, &event.agent)
        };
        if !inner.bus.is_heard() {
            return;
        }
        let at = inner.now();
        inner.bus.publish(bus::told_of_agent(event, at));
        if is_usable && !was_usable {
            inner.bus.publish(bus::spawned(&event.agent, at));
        }
        inner.bus.stands(&event.name, at, None);
    }

    /// Finds agents that runs can have by now, because their skills are compiled.
    fn look_at_unusable(&mut self, inner: &Inner) {
        for name in std::mem::take(&mut self.unusable) {
            // One that is gone was removed, which is told.
            let Some(agent) = inner.parts.agents.get(&name) else { continue };
            if self.learn(inner, &agent) && inner.bus.is_heard() {
                let at = inner.now();
                inner.bus.publish(bus::spawned(&agent, at));
                inner.bus.stands(&name, at, None);
            }
        }
    }

    /// Tells how the host stands, where that changed or somebody began to listen.
    fn tell_metrics(&mut self, inner: &Inner) {
        let listeners = inner.bus.listeners();
        let are_new = listeners > std::mem::replace(&mut self.listeners, listeners);
        if listeners == 0 {
            return;
        }
        let open_runs = inner.live().len();
        let (spent, lost) = (inner.bus.tally().spent(), inner.parts.tracer.lost());
        let quotas = inner.parts.models.quotas();
        let told = bus::metrics(&inner.scheduler.snapshot(), open_runs, &spent, lost, &quotas, inner.now());
        if are_new || told.data != self.metrics {
            self.metrics = told.data.clone();
            inner.bus.publish(told);
        }
    }
}

//! What is asked for when a run begins.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::MAX_TASKS;
use super::graph::{Graph, InvalidGraph};
use super::spend::Budget;
use super::team::Team;
use crate::digest::Digest;
use crate::skill_id::SkillSelector;

/// Agents that a model chooses from: each takes some of its prompt.
const MAX_AGENTS: usize = 64;

/// Agents that go on one behind the other: each holds the conversation of all before it.
const MAX_HANDOFF_DEPTH: u32 = 16;

/// The id of a run: 32 hex digits, in the order of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// The text is no id of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a run: expected 32 hex digits in lower case")]
pub struct InvalidRunId;

/// How urgent a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Somebody waits for it.
    Interactive,
    /// Somebody will look at it.
    #[default]
    Normal,
    /// It may take its time.
    Batch,
}

/// Everything that a run is made of, before anything happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// Which run.
    pub id: RunId,
    /// What is asked for.
    pub input: String,
    /// Who does what.
    pub strategy: Strategy,
    /// sha256 of the agents as they are kept, which may be shared by runs.
    pub team: Digest,
    /// How urgent it is.
    pub class: Class,
    /// What it may take.
    pub budget: Budget,
    /// On whose behalf.
    pub principal: String,
    /// The trace that it belongs to: a `traceparent`.
    pub trace: String,
    /// What others say of the trace: a `tracestate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_state: Option<String>,
    /// Words of the client's own, to find the run by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// Who does what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Strategy {
    /// One agent does it.
    Single {
        /// Which.
        agent: String,
    },
    /// A model chooses the agent that does it.
    Router {
        /// Among whom; where it is one, nobody is asked.
        agents: Vec<String>,
        /// The agent whose models choose.
        by: String,
    },
    /// One agent begins, and gives the work to another one where that suits it better.
    Handoff {
        /// Among whom.
        agents: Vec<String>,
        /// Who begins.
        first: String,
        /// How many go on, one behind the other: with 1, nobody who was given the work gives
        /// it on.
        max_depth: u32,
    },
    /// Agents work after one another and side by side, as the edges of a graph say.
    Graph {
        /// Who works after whom, and on what.
        graph: Graph,
        /// Agents beside those of the nodes, whom nodes may have that are added while it runs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        agents: Vec<String>,
    },
    /// A workflow's component says what is asked of skills, models and people.
    Workflow {
        /// Which.
        skill: SkillSelector,
    },
    /// One agent does it for each item, side by side.
    ParallelMap {
        /// Which.
        agent: String,
        /// What is put behind the input for each.
        items: Vec<String>,
        /// The agent that makes one answer of all; without it, the output is a list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reduce: Option<String>,
        /// What a failure of one means for the others.
        #[serde(default)]
        on_failure: OnFailure,
        /// Items under way at once.
        at_once: u32,
    },
}

/// What the failure of one branch means for the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// They are ended, and the run has failed.
    #[default]
    FailFast,
    /// They go on, and the output says which failed.
    Collect,
}

/// What is asked for makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpec {
    /// An agent that the run doesn't have.
    #[error("no agent is named `{0}`")]
    UnknownAgent(String),
    /// Nobody, or nothing, to choose from.
    #[error("`{0}` is empty: expected one at least")]
    Empty(&'static str),
    /// The same agent twice.
    #[error("the agent `{0}` is named twice")]
    Twice(String),
    /// More tasks than a run has.
    #[error("{0} items: expected at most {max}", max = MAX_TASKS - 1)]
    TooMany(usize),
    /// More agents than a model chooses from.
    #[error("{0} agents: expected at most {MAX_AGENTS}")]
    TooManyAgents(usize),
    /// The graph is none that can be followed.
    #[error(transparent)]
    Graph(#[from] InvalidGraph),
    /// Who begins is not among the agents.
    #[error("`{0}` is to begin, and is none of the agents")]
    FirstIsNone(String),
    /// Nobody could give the work to anybody, or for ever.
    #[error("`max_depth` is {0}: expected 1 to {MAX_HANDOFF_DEPTH}")]
    Depth(u32),
    /// Nothing can be under way.
    #[error("`at_once` is 0: expected 1 at least")]
    NothingAtOnce,
}

impl RunSpec {
    /// The id of its trace: 32 hex digits.
    pub fn trace_id(&self) -> &str {
        self.trace.split('-').nth(1).unwrap_or_default()
    }
}

impl Strategy {
    /// Every agent that it names.
    pub fn agents(&self) -> Vec<&str> {
        match self {
            Self::Single { agent } => vec![agent],
            Self::Router { agents, by } => agents.iter().chain([by]).map(String::as_str).collect(),
            Self::Handoff { agents, first, .. } => agents.iter().chain([first]).map(String::as_str).collect(),
            Self::Graph { graph, agents } => {
                let mut all = graph.agents();
                all.extend(agents.iter().map(String::as_str));
                all
            }
            // It is at work under its own name, which no agent can have.
            Self::Workflow { skill } => vec![skill.id.as_str()],
            Self::ParallelMap { agent, reduce, .. } => {
                [Some(agent), reduce.as_ref()].into_iter().flatten().map(String::as_str).collect()
            }
        }
    }

    /// Whether it can be followed with these agents.
    pub fn check(&self, team: &Team) -> Result<(), InvalidSpec> {
        self.check_within(&|agent| team.members.contains_key(agent), 0)
    }

    /// Whether it can be followed, if all agents are there that it names.
    pub fn check_alone(&self) -> Result<(), InvalidSpec> {
        self.check_within(&|_| true, 0)
    }

    /// Whether it can be followed as one that lies in so many subruns, by agents for which
    /// `is_agent` is true.
    pub(super) fn check_within(&self, is_agent: &dyn Fn(&str) -> bool, depth: usize) -> Result<(), InvalidSpec> {
        match self {
            Self::Single { .. } | Self::Workflow { .. } => {}
            Self::Graph { graph, agents } => {
                check_agents(agents)?;
                graph.check_within(is_agent, depth)?;
            }
            Self::Router { agents, .. } | Self::Handoff { agents, .. } => {
                if agents.is_empty() {
                    return Err(InvalidSpec::Empty("agents"));
                }
                check_agents(agents)?;
            }
            Self::ParallelMap { items, at_once, .. } => {
                if items.is_empty() {
                    return Err(InvalidSpec::Empty("items"));
                }
                // One more is for whoever makes one answer of all.
                if items.len() >= MAX_TASKS {
                    return Err(InvalidSpec::TooMany(items.len()));
                }
                if *at_once == 0 {
                    return Err(InvalidSpec::NothingAtOnce);
                }
            }
        }
        if let Self::Handoff { agents, first, max_depth } = self {
            if !agents.contains(first) {
                return Err(InvalidSpec::FirstIsNone(first.clone()));
            }
            if *max_depth == 0 || *max_depth > MAX_HANDOFF_DEPTH {
                return Err(InvalidSpec::Depth(*max_depth));
            }
        }
        let missing = self.agents().into_iter().find(|agent| !is_agent(agent));
        missing.map_or(Ok(()), |agent| Err(InvalidSpec::UnknownAgent(agent.to_owned())))
    }

    /// As it stands in records and answers.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Single { .. } => "single",
            Self::Router { .. } => "router",
            Self::Handoff { .. } => "handoff",
            Self::Graph { .. } => "graph",
            Self::Workflow { .. } => "workflow",
            Self::ParallelMap { .. } => "parallel_map",
        }
    }
}

/// Whether a model can choose among these agents.
fn check_agents(agents: &[String]) -> Result<(), InvalidSpec> {
    let mut seen = BTreeSet::new();
    if agents.len() > MAX_AGENTS {
        return Err(InvalidSpec::TooManyAgents(agents.len()));
    }
    let twice = agents.iter().find(|agent| !seen.insert(*agent));
    twice.map_or(Ok(()), |twice| Err(InvalidSpec::Twice(twice.clone())))
}

impl Class {
    /// Every class, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Interactive, Self::Normal, Self::Batch];

    /// As it stands in records and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Normal => "normal",
            Self::Batch => "batch",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl RunId {
    /// The 32 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id that 16 bytes are.
    pub fn from_bytes(bytes: &[u8; 16]) -> Self {
        Self(crate::digest::hex(bytes))
    }
}

impl FromStr for RunId {
    type Err = InvalidRunId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 32 && text.bytes().all(is_hex) { Ok(Self(text.to_owned())) } else { Err(InvalidRunId) }
    }
}

impl TryFrom<String> for RunId {
    type Error = InvalidRunId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

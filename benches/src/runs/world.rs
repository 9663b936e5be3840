//! A runtime without a server: one agent, a model in this process, a journal on disk.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bailiwick_agents::scheduler::queue::{MAX_PLACES, QueueSettings};
use bailiwick_agents::skills::{Called, Driver, DriverError, Serve, Skills, Verdict};
use bailiwick_agents::{Agents, BudgetRequest, RandomIds, Runtime, RuntimeOptions, RuntimeParts, Submission};
use bailiwick_domain::invocation::{Invocation, Principal};
use bailiwick_domain::model::{ChatAnswer, ChatRequest, Finish, Listener, Model, ModelCost, ModelFailure};
use bailiwick_domain::run::{Class, PinnedSkill, RunId, Status, Strategy};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::services::Report;
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::span::NullTracer;
use bailiwick_domain::trace::TraceContext;
use bailiwick_journal::Journal;
use bailiwick_server::clock::SystemClock;
use bailiwick_skills::catalog::ResolveError;
use tempfile::TempDir;
use tokio::task::JoinSet;

/// The agent that does everything.
pub const AGENT: &str = "worker";

/// Its file.
pub const AGENT_FILE: &str =
    "name = \"worker\"\ndescription = \"Answers.\"\ninstructions = \"Answer.\"\nmodels = [\"m\"]\n";

/// How long runs may take to come to their place before the measurement is given up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A host's part that runs agents.
pub struct World {
    /// It.
    pub runtime: Arc<Runtime>,
    /// What remembers its runs.
    pub journal: Arc<Journal>,
    /// What its agent asks.
    pub model: Arc<Answers>,
    /// The agent's file lies there.
    _agents: TempDir,
}

impl World {
    /// A runtime on this journal, which has taken up nothing yet.
    pub fn new(journal: &Arc<Journal>, takes: Takes, queue: QueueSettings) -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(format!("{AGENT}.toml")), AGENT_FILE).unwrap();
        let model = Arc::new(Answers { takes, asked: Mutex::default() });
        let clock = Arc::new(SystemClock);
        let agents = Agents::open(vec![folder.path().to_owned()], Arc::clone(journal), clock.clone()).unwrap();
        let parts = RuntimeParts {
            agents,
            models: Arc::clone(&model) as Arc<dyn Model>,
            skills: Arc::new(NoSkills),
            journal: Arc::clone(journal),
            clock,
            ids: Arc::new(RandomIds),
            tracer: Arc::new(NullTracer),
        };
        let runtime = Runtime::new(parts, RuntimeOptions { queue, ..RuntimeOptions::default() });
        Arc::new(Self { runtime, journal: Arc::clone(journal), model, _agents: folder })
    }

    /// Takes a run up and waits until it is over.
    pub async fn run(&self, submission: Submission) -> RunId {
        let id = self.runtime.submit(submission).await.unwrap().id;
        self.runtime.left(&id).await;
        id
    }

    /// Takes up so many runs and answers when the model was asked by every one of them.
    pub async fn begin(self: &Arc<Self>, runs: usize) -> Vec<RunId> {
        let submit = |number| {
            let world = Arc::clone(self);
            async move { world.runtime.submit(submission(&single(), Class::Normal, number)).await.unwrap().id }
        };
        let tasks: JoinSet<RunId> = (0..runs).map(submit).collect();
        let ids = tasks.join_all().await;
        let start = Instant::now();
        while self.model.asked().len() < runs {
            assert!(start.elapsed() < PATIENCE, "{} of {runs} runs have begun", self.model.asked().len());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        ids
    }

    /// Panics where one of these runs has no output.
    pub fn check(&self, ids: &[RunId]) {
        for id in ids {
            let run = self.runtime.run(id).unwrap();
            assert_eq!(run.status, Status::Completed, "{:?}", run.outcome);
        }
    }
}

/// The places and the queue of a host whose configuration says nothing of them.
pub fn usual_queue() -> QueueSettings {
    QueueSettings { capacity: 256, ..QueueSettings::default() }
}

/// As many places as there can be, for runs that only stand there.
pub fn all_places() -> QueueSettings {
    QueueSettings { capacity: 4096, total: MAX_PLACES, ..QueueSettings::default() }
}

/// The agent answers once.
pub fn single() -> Strategy {
    Strategy::Single { agent: AGENT.to_owned() }
}

/// A run with a trace of its own, by which the model knows it.
pub fn submission(strategy: &Strategy, class: Class, number: usize) -> Submission {
    Submission {
        input: crate::TEXT.to_owned(),
        strategy: strategy.clone(),
        class,
        budget: BudgetRequest::default(),
        label: None,
        principal: Principal { name: "bench".into() },
        trace: TraceContext { trace_id: trace_id(number), span_id: [1; 8], sampled: true },
        trace_state: None,
        idempotency_key: None,
    }
}

/// The trace of a run, which is not all zero.
fn trace_id(number: usize) -> [u8; 16] {
    (number as u128 + 1).to_be_bytes()
}

/// How long the model takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// It answers at once.
    Nothing,
    /// So long.
    Time(Duration),
    /// It never answers.
    ForEver,
}

/// A model that always says the same, and takes note of when each run first asked.
pub struct Answers {
    takes: Takes,
    asked: Mutex<HashMap<[u8; 16], Instant>>,
}

impl Answers {
    /// When the run with this number first asked.
    pub fn asked_at(&self, number: usize) -> Instant {
        self.asked()[&trace_id(number)]
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<[u8; 16], Instant>> {
        self.asked.lock().unwrap()
    }
}

impl Model for Answers {
    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
        _: &'a dyn Listener,
    ) -> BoxFuture<'a, Result<ChatAnswer, ModelFailure>> {
        Box::pin(async move {
            self.asked().entry(request.trace.trace_id).or_insert_with(Instant::now);
            match self.takes {
                Takes::Nothing => {}
                Takes::Time(time) => tokio::time::sleep(time).await,
                Takes::ForEver => std::future::pending().await,
            }
            Ok(ChatAnswer {
                model: "m".to_owned(),
                text: crate::TEXT.to_owned(),
                calls: Vec::new(),
                finish: Finish::Stop,
                cost: ModelCost { input_tokens: 20, output_tokens: 16, ..ModelCost::default() },
            })
        })
    }
}

/// The agent has none.
struct NoSkills;

impl Skills for NoSkills {
    fn pin(&self, _: &SkillSelector) -> Result<PinnedSkill, ResolveError> {
        unreachable!("the agent has no skills");
    }

    fn call(&self, _: Invocation, _: Arc<dyn Fn(Report) + Send + Sync>) -> BoxFuture<'static, Called> {
        unreachable!("the agent has no skills");
    }

    fn driver(&self, _: &SkillSelector) -> Result<Driver, DriverError> {
        unreachable!("no run is a workflow's");
    }

    fn drive(&self, _: Invocation, _: Arc<dyn Fn(Report) + Send + Sync>, _: Serve) -> BoxFuture<'static, Called> {
        unreachable!("no run is a workflow's");
    }

    fn answer(&self, _: String, _: Option<String>) -> BoxFuture<'static, Verdict> {
        unreachable!("nothing is asked of people");
    }

    fn withdraw(&self, _: String, _: RunId) -> BoxFuture<'static, ()> {
        unreachable!("nothing is asked of people");
    }

    fn end_run(&self, _: RunId) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    fn runs(&self) -> BoxFuture<'static, Vec<RunId>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

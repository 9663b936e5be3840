//! A runtime with a model and skills that do what a test says.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::invocation::Principal;
use bailiwick_domain::model::{
    ChatAnswer, ChatRequest, Finish, Listener, Message, Model, ModelCost, ModelFailure, ToolCall,
};
use bailiwick_domain::run::{Class, Run, RunId, Status, Strategy};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::span::{NullTracer, Tracer};
use bailiwick_domain::trace::TraceContext;
use bailiwick_journal::Journal;
use serde_json::Value;
use tempfile::TempDir;

use super::deeds::Hanging;
pub(super) use super::deeds::{Act, Deeds, Flow};
use crate::registry::Agents;
use crate::runtime::{BudgetRequest, RandomIds, Runtime, RuntimeOptions, RuntimeParts, Submission};
use crate::skills::Skills;

/// Far more than anything here takes, and finite.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct World {
    pub(super) journal: Arc<Journal>,
    pub(super) skills: Arc<Deeds>,
    pub(super) model: Arc<Says>,
    pub(super) options: RuntimeOptions,
    pub(super) tracer: Arc<dyn Tracer>,
    folder: TempDir,
}

impl World {
    pub(super) fn new(says: impl Fn(&ChatRequest) -> Answer + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let agents = folder.path().join("agents");
        fs::create_dir(&agents).expect("a folder for agents");
        let files = r#"skills = ["demo/files"]"#;
        for (name, skills, limits) in [
            ("ada", files, ""),
            ("bob", "", ""),
            (
                "eve",
                "",
                "[limits]\nwall = \"60 ms\"\nmax_steps = 7\ntokens = 11\nusd = 0.5\nfuel = 13\nhost_calls = 17",
            ),
        ] {
            let text = format!(
                "name = \"{name}\"\ndescription = \"Does things.\"\ninstructions = \"Do it.\"\nmodels = [\"m\"]\n{skills}\ndisclosure = \"all\"\n{limits}\n"
            );
            fs::write(agents.join(format!("{name}.toml")), text).expect("an agent");
        }
        Self {
            journal: Journal::in_memory().expect("a journal"),
            skills: Arc::default(),
            model: Arc::new(Says { answer: Box::new(says), asked: AtomicU32::new(0), hanging: Hanging::default() }),
            options: RuntimeOptions::default(),
            tracer: Arc::new(NullTracer),
            folder,
        }
    }

    /// One agent more, with these keys of its own.
    pub(super) fn agent(&self, name: &str, keys: &str) {
        let text = format!(
            "name = \"{name}\"\ndescription = \"Does things.\"\ninstructions = \"Do it.\"\nmodels = [\"m\"]\n{keys}\n"
        );
        fs::write(self.folder.path().join("agents").join(format!("{name}.toml")), text).expect("an agent");
    }

    /// A host on the journal, as if it had just been started.
    pub(super) fn host(&self) -> Arc<Runtime> {
        let clock: Arc<dyn Clock> = Arc::new(Now);
        let folders = vec![self.folder.path().join("agents")];
        let agents = Agents::open(folders, Arc::clone(&self.journal), Arc::clone(&clock)).expect("agents");
        let parts = RuntimeParts {
            agents,
            models: Arc::clone(&self.model) as Arc<dyn Model>,
            skills: Arc::clone(&self.skills) as Arc<dyn Skills>,
            journal: Arc::clone(&self.journal),
            clock,
            ids: Arc::new(RandomIds),
            tracer: Arc::clone(&self.tracer),
        };
        Runtime::new(parts, self.options.clone())
    }
}

pub(super) fn single(agent: &str) -> Submission {
    submission(Strategy::Single { agent: agent.to_owned() })
}

pub(super) fn submission(strategy: Strategy) -> Submission {
    Submission {
        input: "Do it.".to_owned(),
        strategy,
        class: Class::Normal,
        budget: BudgetRequest::default(),
        label: None,
        principal: Principal { name: "key:test".into() },
        trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse::<TraceContext>().expect("a trace"),
        trace_state: None,
        idempotency_key: None,
    }
}

/// Waits until the run stands there.
pub(super) async fn until(runtime: &Runtime, id: &RunId, status: Status) -> Run {
    until_it(runtime, id, |run| run.status == status).await
}

pub(super) async fn until_it(runtime: &Runtime, id: &RunId, there: impl Fn(&Run) -> bool) -> Run {
    let seen = tokio::time::timeout(PATIENCE, async {
        loop {
            let run = runtime.run(id).expect("a run");
            if there(&run) {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    match seen.await {
        Ok(run) => run,
        Err(late) => panic!("{late}: the run never gets there: {:#?}", runtime.run(id)),
    }
}

pub(super) struct Now;

impl Clock for Now {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// What a model says.
pub(super) enum Answer {
    Say(&'static str),
    /// Says it when so much time has gone by.
    After(Duration, &'static str),
    /// Tools by alias, with arguments.
    Call(Vec<(&'static str, Value)>),
    Fail(ModelFailure),
    Hang,
    Panic,
    /// Panics when so much time has gone by.
    PanicAfter(Duration),
}

pub(super) struct Says {
    answer: Box<dyn Fn(&ChatRequest) -> Answer + Send + Sync>,
    pub(super) asked: AtomicU32,
    /// Requests that are never answered.
    pub(super) hanging: Hanging,
}

impl Model for Says {
    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
        listener: &'a dyn Listener,
    ) -> BoxFuture<'a, Result<ChatAnswer, ModelFailure>> {
        Box::pin(async move {
            let number = self.asked.fetch_add(1, Ordering::SeqCst);
            let answer = |text: &str, calls| ChatAnswer {
                model: "m".to_owned(),
                text: text.to_owned(),
                calls,
                finish: Finish::Stop,
                cost: ModelCost { input_tokens: 7, output_tokens: 3, ..ModelCost::default() },
            };
            match (self.answer)(request) {
                Answer::Say(text) => {
                    listener.text(text);
                    Ok(answer(text, Vec::new()))
                }
                Answer::After(time, text) => {
                    tokio::time::sleep(time).await;
                    Ok(answer(text, Vec::new()))
                }
                Answer::Call(calls) => {
                    let call = |(place, (name, arguments)): (usize, (&str, Value))| ToolCall {
                        id: format!("{number}-{place}"),
                        name: name.to_owned(),
                        arguments: arguments.to_string(),
                    };
                    Ok(answer("", calls.into_iter().enumerate().map(call).collect()))
                }
                Answer::Fail(failure) => Err(failure),
                Answer::Hang => self.hanging.forever().await,
                Answer::Panic => panic!("the model's part of the host dies"),
                Answer::PanicAfter(time) => {
                    tokio::time::sleep(time).await;
                    panic!("the model's part of the host dies while others wait for it")
                }
            }
        })
    }
}

/// Calls once for each of `calls`, then says that it is done.
pub(super) fn calls_then_done(calls: Vec<(&'static str, Value)>) -> impl Fn(&ChatRequest) -> Answer + Send + Sync {
    move |request| {
        let is_told = request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
        if is_told { Answer::Say("Done.") } else { Answer::Call(calls.clone()) }
    }
}

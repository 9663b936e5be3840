//! Skills that do what a test says, and people who are asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::run::{PinnedSkill, PinnedTool, RunId, Spend};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::services::{
    ModelError, ModelRequest, ModelResponse, NoServices, Question, QuestionError, Report, Services, SkillAnswer,
    SkillCall, Verdict as Word,
};
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_skills::catalog::ResolveError;
use serde_json::json;
use tokio::sync::{Notify, RwLock};

use super::world::PATIENCE;
use crate::skills::{CallOutcome, Called, Driver, DriverError, Serve, Skills, Verdict};

/// Skills that take note of what they do, over all hosts of a test.
#[derive(Default)]
pub(super) struct Deeds {
    /// How often each step of each run took effect.
    pub(super) done: Mutex<BTreeMap<(String, u32, String), u32>>,
    pub(super) invocations: Mutex<Vec<Invocation>>,
    /// What tools do; those that are not here answer at once.
    pub(super) acts: Mutex<HashMap<&'static str, Act>>,
    /// Whether they are still being compiled, so that no agent can have them yet.
    pub(super) compiling: AtomicBool,
    pub(super) questions: Arc<Questions>,
    /// What the workflow `demo/flow` does.
    pub(super) flow: Mutex<Option<Flow>>,
    /// How often it was begun.
    pub(super) flows: AtomicU32,
    /// Runs whose calls share something.
    pub(super) left: Mutex<BTreeSet<RunId>>,
    /// Runs that were said to be over.
    pub(super) ended: Mutex<Vec<RunId>>,
    /// While somebody holds it, nothing that calls shared is gone.
    pub(super) gate: Arc<RwLock<()>>,
    /// Calls that never answer.
    pub(super) hanging: Hanging,
}

/// What a workflow does with what serves it: its output, or its own failure.
pub(super) type Flow = Arc<dyn Fn(Arc<dyn Services>) -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

#[derive(Clone)]
pub(super) enum Act {
    /// Takes effect, and never answers.
    Hang,
    /// Takes effect, and answers when so much time has gone by.
    After(Duration),
    /// Asks a person first.
    Ask,
    /// Fails so often in a way that may pass.
    Busy(u32),
}

/// What never answers. Each is counted until somebody ends it.
#[derive(Default)]
pub(super) struct Hanging(Arc<()>);

impl Hanging {
    /// How many there are now.
    pub(super) fn count(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }

    /// One more.
    pub(super) fn forever<T: Send + 'static>(&self) -> BoxFuture<'static, T> {
        let one = Arc::clone(&self.0);
        Box::pin(async move {
            let never = std::future::pending().await;
            drop(one);
            never
        })
    }

    /// Waits until there are so many.
    pub(super) async fn come_to(&self, count: usize) {
        let come = tokio::time::timeout(PATIENCE, async {
            while self.count() != count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        assert!(come.await.is_ok(), "{} hang, not {count}", self.count());
    }
}

impl Deeds {
    pub(super) fn act(&self, tool: &'static str, act: Act) {
        self.acts.lock().expect("no panic").insert(tool, act);
    }

    pub(super) fn deeds(&self) -> u32 {
        self.done.lock().expect("no panic").values().sum()
    }

    fn take_effect(&self, invocation: &Invocation) {
        let run = invocation.run.as_ref().expect("a call of a run");
        let tool = invocation.tool.clone().expect("a tool");
        let deed = (run.run.to_string(), run.step, tool);
        *self.done.lock().expect("no panic").entry(deed).or_default() += 1;
    }

    fn act_of(&self, invocation: &Invocation) -> Option<Act> {
        let mut acts = self.acts.lock().expect("no panic");
        let tool = invocation.tool.as_deref()?;
        let act = acts.get_mut(tool)?;
        let now = act.clone();
        if let Act::Busy(times) = act {
            *times = times.saturating_sub(1);
            if *times == 0 {
                acts.remove(tool);
            }
        }
        Some(now)
    }
}

impl Skills for Deeds {
    fn pin(&self, selector: &SkillSelector) -> Result<PinnedSkill, ResolveError> {
        if self.compiling.load(Ordering::SeqCst) {
            return Err(ResolveError::Preparing { id: selector.id.clone() });
        }
        let tool = |name: &str, idempotent| PinnedTool {
            name: name.to_owned(),
            alias: String::new(),
            description: String::new(),
            input_schema: Arc::new(json!({ "type": "object" })),
            idempotent,
        };
        Ok(PinnedSkill {
            id: selector.id.clone(),
            version: semver::Version::new(1, 2, 3),
            digest: Digest::of(b"files"),
            description: "Files.".to_owned(),
            instructions: String::new(),
            tools: vec![tool("read", true), tool("delete", false)],
        })
    }

    fn call(&self, invocation: Invocation, _: Arc<dyn Fn(Report) + Send + Sync>) -> BoxFuture<'static, Called> {
        let act = self.act_of(&invocation);
        self.invocations.lock().expect("no panic").push(invocation.clone());
        let run = invocation.run.clone().expect("a call of a run");
        let question = format!("{}/{}", run.run, run.step);
        let approved = self.questions.verdict(&question);
        let outcome = match act {
            Some(Act::Ask) if approved != Some(true) => {
                self.questions.ask(&question, &run.run);
                CallOutcome::Approval(question)
            }
            Some(Act::Busy(_)) => {
                CallOutcome::Failed { code: "busy".to_owned(), message: "full".to_owned(), retriable: true }
            }
            Some(Act::Hang) => {
                self.take_effect(&invocation);
                return self.hanging.forever();
            }
            Some(Act::After(_) | Act::Ask) | None => {
                self.take_effect(&invocation);
                CallOutcome::Output { json: "\"done\"".to_owned(), failed: false }
            }
        };
        let takes = match act {
            Some(Act::After(time)) => Some(time),
            _ => None,
        };
        let spend = Spend { steps: 1, fuel: 5, ..Spend::default() };
        Box::pin(async move {
            match takes {
                Some(time) => tokio::time::sleep(time).await,
                None => tokio::task::yield_now().await,
            }
            Called { outcome, spend, receipt: Some("r".to_owned()) }
        })
    }

    fn driver(&self, _: &SkillSelector) -> Result<Driver, DriverError> {
        let files = self.pin(&"demo/files".parse().expect("an id"))?;
        let mut skill = self.pin(&"demo/flow".parse().expect("an id"))?;
        skill.tools.truncate(1);
        Ok(Driver { skill, calls: vec![files] })
    }

    fn drive(
        &self,
        invocation: Invocation,
        _: Arc<dyn Fn(Report) + Send + Sync>,
        serve: Serve,
    ) -> BoxFuture<'static, Called> {
        self.flows.fetch_add(1, Ordering::SeqCst);
        let run = invocation.run.as_ref().expect("a call of a run").run.clone();
        let flow = self.flow.lock().expect("no panic").clone().expect("a workflow");
        let services = serve(Arc::new(Asking(Arc::clone(&self.questions), run)));
        Box::pin(async move {
            let (json, failed) = match flow(services).await {
                Ok(json) => (json, false),
                Err(json) => (json, true),
            };
            let spend = Spend { steps: 1, ..Spend::default() };
            Called { outcome: CallOutcome::Output { json, failed }, spend, receipt: None }
        })
    }

    fn answer(&self, approval: String, by: Option<String>) -> BoxFuture<'static, Verdict> {
        let questions = Arc::clone(&self.questions);
        Box::pin(async move {
            loop {
                let changed = questions.changed.notified();
                if questions.is_gone(&approval) {
                    return Verdict { approved: false, reason: Some("withdrawn".to_owned()) };
                }
                if let Some(approved) = questions.verdict(&approval) {
                    if by.is_some() {
                        questions.used.fetch_add(1, Ordering::SeqCst);
                    }
                    return Verdict { approved, reason: None };
                }
                changed.await;
            }
        })
    }

    fn withdraw(&self, approval: String, run: RunId) -> BoxFuture<'static, ()> {
        self.questions.withdraw(&approval, &run);
        Box::pin(std::future::ready(()))
    }

    fn end_run(&self, run: RunId) -> BoxFuture<'static, ()> {
        self.questions.open().iter().for_each(|question| self.questions.withdraw(question, &run));
        self.left.lock().expect("no panic").remove(&run);
        self.ended.lock().expect("no panic").push(run);
        let gate = Arc::clone(&self.gate);
        Box::pin(async move {
            drop(gate.read().await);
        })
    }

    fn runs(&self) -> BoxFuture<'static, Vec<RunId>> {
        let mut runs = self.questions.runs();
        runs.extend(self.left.lock().expect("no panic").iter().cloned());
        Box::pin(std::future::ready(runs.into_iter().collect()))
    }
}

/// What serves a call: people can be asked.
struct Asking(Arc<Questions>, RunId);

impl Services for Asking {
    fn call_skill(&self, call: SkillCall) -> BoxFuture<'_, SkillAnswer> {
        NoServices.call_skill(call)
    }

    fn complete(&self, request: ModelRequest) -> BoxFuture<'_, Result<ModelResponse, ModelError>> {
        NoServices.complete(request)
    }

    fn ask(&self, question: Question, _: Duration) -> BoxFuture<'_, Result<Word, QuestionError>> {
        let id = question.summary;
        self.0.ask(&id, &self.1);
        Box::pin(std::future::ready(Err(QuestionError::Pending(id))))
    }

    fn report(&self, _: Report) {}
}

/// What people were asked, and what they said.
#[derive(Default)]
pub(super) struct Questions {
    /// Answers that no call uses up, and that were used up.
    pub(super) used: AtomicU32,
    verdicts: Mutex<HashMap<String, Option<bool>>>,
    /// Runs that asked and want to know, by question.
    askers: Mutex<HashMap<String, BTreeSet<RunId>>>,
    changed: Notify,
}

impl Questions {
    /// Answers everything that was asked.
    pub(super) fn answer_all(&self, approved: bool) {
        self.open().iter().for_each(|question| self.answer(question, approved));
    }

    /// What nobody has answered, in a fixed order.
    pub(super) fn open(&self) -> BTreeSet<String> {
        let verdicts = self.verdicts.lock().expect("no panic");
        verdicts.iter().filter(|(_, verdict)| verdict.is_none()).map(|(question, _)| question.clone()).collect()
    }

    pub(super) fn answer(&self, question: &str, approved: bool) {
        let mut verdicts = self.verdicts.lock().expect("no panic");
        verdicts.entry(question.to_owned()).or_default().get_or_insert(approved);
        self.changed.notify_waiters();
    }

    fn ask(&self, question: &str, run: &RunId) {
        self.askers.lock().expect("no panic").entry(question.to_owned()).or_default().insert(run.clone());
        self.verdicts.lock().expect("no panic").entry(question.to_owned()).or_default();
    }

    /// An open question is gone when no run wants to know any more.
    fn withdraw(&self, question: &str, run: &RunId) {
        let mut askers = self.askers.lock().expect("no panic");
        let Some(runs) = askers.get_mut(question) else { return };
        if runs.remove(run) && runs.is_empty() {
            self.verdicts.lock().expect("no panic").retain(|it, verdict| it != question || verdict.is_some());
            self.changed.notify_waiters();
        }
    }

    /// Runs that have an open question.
    fn runs(&self) -> BTreeSet<RunId> {
        let (open, askers) = (self.open(), self.askers.lock().expect("no panic"));
        open.iter().filter_map(|question| askers.get(question)).flatten().cloned().collect()
    }

    fn is_gone(&self, question: &str) -> bool {
        !self.verdicts.lock().expect("no panic").contains_key(question)
    }

    fn verdict(&self, question: &str) -> Option<bool> {
        self.verdicts.lock().expect("no panic").get(question).copied().flatten()
    }
}

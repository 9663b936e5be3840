//! Models, skills and a workflow that do what the seed says.

use std::sync::Arc;

use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::model::{
    ChatAnswer, ChatRequest, Finish, Listener, Model, ModelCost, ModelFailure, ToolCall, ToolSpec,
};
use bailiwick_domain::run::{ADD_NODES, CHOOSE_AGENT, HANDOFF, PinnedSkill, RunId, USE_SKILL};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::services::{Question, Report, Services, Verdict as Word};
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_skills::catalog::ResolveError;
use serde_json::{Value, json};

use super::super::workflow::{LONG, everything};
use super::super::world::{Act, Flow};
use super::orders::WORKERS;
use super::site::Site;
use super::watch;
use crate::skills::{CallOutcome, Called, Driver, DriverError, Serve, Skills, Verdict};

/// A model that often fails, so that much follows on failures.
pub(super) const FRAIL: &str = "frail";

/// A model that answers, fails, breaks off, talks nonsense or never answers.
pub(super) struct Script(pub(super) Arc<Site>);

impl Model for Script {
    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
        listener: &'a dyn Listener,
    ) -> BoxFuture<'a, Result<ChatAnswer, ModelFailure>> {
        Box::pin(async move {
            let site = &self.0;
            watch::asked(site, request);
            site.linger().await;
            let chances = if request.models.iter().any(|model| model == FRAIL) { 12 } else { 40 };
            let failure = match site.below(chances) {
                0 => return std::future::pending().await,
                1 => ModelFailure::Server("out of order".to_owned()),
                2 => ModelFailure::Payment("no money".to_owned()),
                3 => ModelFailure::Nonsense("<html>".to_owned()),
                4 => ModelFailure::BrokenOff("half a wo".to_owned()),
                _ => {
                    listener.text("Well");
                    site.linger().await;
                    return Ok(answer(site, request));
                }
            };
            Err(failure)
        })
    }
}

fn answer(site: &Site, request: &ChatRequest) -> ChatAnswer {
    let tools = &request.tools;
    let count = if tools.is_empty() { 0 } else { site.pick(&[0, 0, 0, 1, 1, 2]) };
    let calls: Vec<ToolCall> = (0..count).map(|_| call(site, tools)).collect();
    let text = if calls.is_empty() { last_words(site, request) } else { "" };
    let finish = match site.below(40) {
        0 => Finish::Length,
        1 => Finish::Refusal,
        _ => Finish::Stop,
    };
    let cost = ModelCost { input_tokens: 7, output_tokens: 3, ..ModelCost::default() };
    ChatAnswer { model: "m".to_owned(), text: text.to_owned(), calls, finish, cost }
}

/// What a model says at the end. Where it has to be a whole number, it mostly is.
fn last_words(site: &Site, request: &ChatRequest) -> &'static str {
    if request.output_schema.is_none() {
        return "Done.";
    }
    site.pick(&["3", "3", "```json\n4\n```", "three", "{\"n\": 3}"])
}

/// One of the tools with arguments that fit, or nearly so.
fn call(site: &Site, tools: &[ToolSpec]) -> ToolCall {
    let odd = site.happens(12);
    let name = if odd { "nothing".to_owned() } else { site.pick(tools).name };
    let arguments = match name.as_str() {
        CHOOSE_AGENT => json!({ "agent": site.pick(&["ada", "cyd", "zoe"]) }).to_string(),
        HANDOFF => json!({ "to": site.pick(&WORKERS), "reason": "It knows more." }).to_string(),
        ADD_NODES => more(site).to_string(),
        USE_SKILL => json!({ "skill": "demo/files" }).to_string(),
        _ if site.happens(12) => "{\"n\": ".to_owned(),
        _ => json!({ "n": site.below(9) }).to_string(),
    };
    ToolCall { id: site.name(), name, arguments }
}

/// What an agent adds to its graph, and what it can't: an agent that there isn't, something
/// before a node that has begun, a circle, and what is no graph at all.
fn more(site: &Site) -> Value {
    let id = site.name();
    let node = |agent: &str| json!({ "id": id, "agent": agent });
    match site.below(8) {
        0 => json!({ "nodes": [node("zoe")] }),
        1 => json!({ "nodes": [node("bob")], "edges": [{ "from": id, "to": "plan" }] }),
        2 => json!({ "nodes": [node("bob")], "edges": [{ "from": "end", "to": id }, { "from": id, "to": "end" }] }),
        3 => json!({ "nodes": "many" }),
        _ => json!({
            "nodes": [node(site.pick(&["ada", "bob", "eli"]))],
            "edges": [{ "from": "plan", "to": id }, { "from": id, "to": "end" }],
        }),
    }
}

/// Skills that take their time, fail, ask a person, are done and don't say so. What they
/// did is known to those of [`super::super::world`], over all lives of the host.
pub(super) struct Hands(pub(super) Arc<Site>);

impl Skills for Hands {
    fn pin(&self, selector: &SkillSelector) -> Result<PinnedSkill, ResolveError> {
        self.0.deeds.pin(selector)
    }

    fn call(&self, invocation: Invocation, told: Arc<dyn Fn(Report) + Send + Sync>) -> BoxFuture<'static, Called> {
        let site = Arc::clone(&self.0);
        Box::pin(async move {
            watch::called(&site, &invocation);
            site.linger().await;
            let act = site.below(12);
            let called = begin(&site, act, invocation, told);
            site.linger().await;
            spoilt(act, called.await)
        })
    }

    fn driver(&self, selector: &SkillSelector) -> Result<Driver, DriverError> {
        self.0.deeds.driver(selector)
    }

    fn drive(
        &self,
        invocation: Invocation,
        told: Arc<dyn Fn(Report) + Send + Sync>,
        serve: Serve,
    ) -> BoxFuture<'static, Called> {
        let site = Arc::clone(&self.0);
        Box::pin(async move {
            watch::called(&site, &invocation);
            site.linger().await;
            site.deeds.drive(invocation, told, serve).await
        })
    }

    fn answer(&self, approval: String, by: Option<String>) -> BoxFuture<'static, Verdict> {
        self.0.deeds.answer(approval, by)
    }

    fn withdraw(&self, approval: String, run: RunId) -> BoxFuture<'static, ()> {
        self.0.deeds.withdraw(approval, run)
    }

    fn end_run(&self, run: RunId) -> BoxFuture<'static, ()> {
        self.0.deeds.end_run(run)
    }

    fn runs(&self) -> BoxFuture<'static, Vec<RunId>> {
        self.0.deeds.runs()
    }
}

/// Has the call take effect, or not.
fn begin(
    site: &Site,
    act: u64,
    invocation: Invocation,
    told: Arc<dyn Fn(Report) + Send + Sync>,
) -> BoxFuture<'static, Called> {
    let tool = if invocation.tool.as_deref() == Some("delete") { "delete" } else { "read" };
    let act = match act {
        0 => Some(Act::Hang),
        1 | 2 => Some(Act::Ask),
        3 | 4 => Some(Act::Busy(1)),
        _ => None,
    };
    // It is this call's alone: nobody else goes on between here and the end.
    if let Some(act) = act {
        site.deeds.act(tool, act);
    }
    let called = site.deeds.call(invocation, told);
    site.deeds.acts.lock().expect("no panic").remove(tool);
    called
}

/// What a call answers that took effect and has failed nevertheless.
fn spoilt(act: u64, called: Called) -> Called {
    let outcome = match (act, called.outcome) {
        (5, CallOutcome::Output { json, .. }) => CallOutcome::Output { json, failed: true },
        (6, CallOutcome::Output { .. }) => {
            CallOutcome::Failed { code: "trap".to_owned(), message: "it trapped".to_owned(), retriable: false }
        }
        (_, outcome) => outcome,
    };
    Called { outcome, ..called }
}

/// A workflow that reads, asks a model and deletes; and asks a person before, if it `asks`.
/// It asks for the same each time that it runs.
pub(super) fn flow(asks: bool) -> Flow {
    Arc::new(move |services: Arc<dyn Services>| {
        Box::pin(async move {
            if asks {
                let seed = services.seed().map_or(0, |seed| seed[0]);
                let question = Question { summary: format!("Go on, {seed}?"), details: json!({}) };
                let word = services.ask(question, LONG).await;
                if word != Ok(Word::Approved) {
                    return Err(Value::String(format!("{word:?}")).to_string());
                }
            }
            everything(services).await
        })
    })
}

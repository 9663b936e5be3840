//! The spans of runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailiwick_domain::model::{ChatRequest, Message, ModelFailure};
use bailiwick_domain::run::{RunId, Status, Strategy};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::span::{Attribute, Span, SpanKind, SpanOutcome, Tracer};
use bailiwick_domain::trace::TraceContext;
use serde_json::{Value, json};

use super::workflow::{driven, everything};
use super::world::{Act, Answer, PATIENCE, World, calls_then_done, single, submission, until, until_it};
use crate::runtime::{Runtime, Submission};

/// The caller's span, by the submissions of these tests.
const CALLER: [u8; 8] = 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes();

/// Keeps every span.
#[derive(Default)]
struct Kept(Mutex<Vec<Span>>);

impl Tracer for Kept {
    fn is_on(&self) -> bool {
        true
    }

    fn record(&self, span: Span) {
        self.0.lock().expect("no panic").push(span);
    }

    fn lost(&self) -> u64 {
        0
    }

    fn stop(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// A traced world: its spans, and in which spans models were asked.
struct Traced {
    world: World,
    kept: Arc<Kept>,
    asked: Arc<Mutex<Vec<TraceContext>>>,
}

impl Traced {
    fn new(says: impl Fn(&ChatRequest) -> Answer + Send + Sync + 'static) -> Self {
        let asked: Arc<Mutex<Vec<TraceContext>>> = Arc::default();
        let (kept, heard) = (Arc::new(Kept::default()), Arc::clone(&asked));
        let mut world = World::new(move |request| {
            heard.lock().expect("no panic").push(request.trace);
            says(request)
        });
        world.tracer = Arc::clone(&kept) as Arc<dyn Tracer>;
        Self { world, kept, asked }
    }

    /// The spans of a run that comes to its output.
    async fn completed(&self, submission: Submission) -> (RunId, Vec<Span>) {
        let host = self.world.host();
        let id = host.submit(submission).await.expect("taken up").id;
        until(&host, &id, Status::Completed).await;
        (id, self.spans(&host).await)
    }

    /// All spans, when everybody is done with them.
    async fn spans(&self, host: &Runtime) -> Vec<Span> {
        host.stop(PATIENCE).await;
        self.kept.0.lock().expect("no panic").clone()
    }

    /// The ids of the spans in which models and skills were asked.
    fn told(&self) -> BTreeSet<[u8; 8]> {
        let models = self.asked.lock().expect("no panic").iter().map(|trace| trace.span_id).collect::<Vec<_>>();
        let calls = self.world.skills.invocations.lock().expect("no panic");
        models.into_iter().chain(calls.iter().map(|call| call.trace.span_id)).collect()
    }
}

/// Chooses `bob`, or hands over to him, or reads; and is done.
fn acts(request: &ChatRequest) -> Answer {
    let has = |tool: &str| request.tools.iter().any(|it| it.name == tool);
    let is_told = request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
    if has("choose_agent") {
        Answer::Call(vec![("choose_agent", json!({ "agent": "bob" }))])
    } else if is_told {
        Answer::Say("Done.")
    } else if has("handoff") {
        Answer::Call(vec![("handoff", json!({ "to": "bob" }))])
    } else if has("files__read") {
        Answer::Call(vec![("files__read", json!({ "path": "of a secret" }))])
    } else {
        Answer::Say("Done.")
    }
}

/// Names and outcomes below `parent`, each with what lies in it.
fn tree(spans: &[Span], parent: [u8; 8]) -> Vec<String> {
    let below = |span: &Span| {
        let rest = tree(spans, span.context.span_id).into_iter().map(|line| format!("  {line}"));
        std::iter::once(format!("{} {}", span.name, span.outcome.name())).chain(rest).collect::<Vec<_>>()
    };
    let mut found: Vec<Vec<String>> = spans.iter().filter(|span| span.parent == Some(parent)).map(below).collect();
    found.sort();
    found.concat()
}

fn strategy(strategy: Value) -> Submission {
    submission(serde_json::from_value::<Strategy>(strategy).expect("a strategy"))
}

fn shown(attribute: &Attribute) -> String {
    match attribute {
        Attribute::Text(text) => text.clone(),
        Attribute::Texts(texts) => texts.join(","),
        Attribute::Number(number) => number.to_string(),
        Attribute::Real(number) => number.to_string(),
        Attribute::Flag(flag) => flag.to_string(),
    }
}

fn said(span: &Span) -> BTreeMap<&'static str, String> {
    span.attributes.iter().map(|(name, attribute)| (*name, shown(attribute))).collect()
}

/// `key value`, the run and what time took aside.
fn golden(span: &Span) -> Vec<String> {
    let varies = ["bailiwick.run.id", "bailiwick.run.queued_ms"];
    let lines = said(span).into_iter().filter(|(name, _)| !varies.contains(name));
    lines.map(|(name, value)| format!("{name} {value}")).collect()
}

fn named<'s>(spans: &'s [Span], name: &str) -> Vec<&'s Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[tokio::test]
async fn each_strategy_is_one_tree_below_its_caller() {
    let each = json!({ "kind": "parallel_map", "agent": "bob", "items": ["1", "2"], "at_once": 2 });
    let nodes = json!([{ "id": "each", "run": each }, { "id": "then", "agent": "bob", "input": "x" }]);
    let edges = json!([{ "from": "each", "to": "then" }]);
    let chat = || "    chat m done".to_owned();
    let agent = |name: &str| format!("  invoke_agent {name} done");
    for (submitted, expected) in [
        (
            single("ada"),
            vec![
                "invoke_workflow single done".to_owned(),
                agent("ada"),
                chat(),
                chat(),
                "    execute_tool read done".to_owned(),
            ],
        ),
        (
            strategy(json!({ "kind": "router", "agents": ["ada", "bob"], "by": "bob" })),
            vec!["invoke_workflow router done".to_owned(), agent("bob"), chat(), agent("bob"), chat()],
        ),
        (
            strategy(json!({ "kind": "handoff", "agents": ["ada", "bob"], "first": "ada", "max_depth": 1 })),
            vec!["invoke_workflow handoff done".to_owned(), agent("ada"), chat(), agent("bob"), chat()],
        ),
        (
            strategy(json!({ "kind": "graph", "graph": { "nodes": nodes, "edges": edges } })),
            vec![
                "invoke_workflow graph done".to_owned(),
                agent("bob"),
                chat(),
                "  invoke_workflow subrun done".to_owned(),
                format!("  {}", agent("bob")),
                format!("  {}", chat()),
                format!("  {}", agent("bob")),
                format!("  {}", chat()),
            ],
        ),
        (
            strategy(json!({
                "kind": "parallel_map", "agent": "bob", "items": ["1", "2"], "reduce": "bob", "at_once": 2,
            })),
            vec![
                "invoke_workflow parallel_map done".to_owned(),
                agent("bob"),
                chat(),
                agent("bob"),
                chat(),
                agent("bob"),
                chat(),
            ],
        ),
    ] {
        let traced = Traced::new(acts);
        let (_, spans) = traced.completed(submitted).await;
        assert_eq!(tree(&spans, CALLER), expected);
        assert_eq!(spans.len(), expected.len(), "nothing stands beside the tree: {spans:#?}");
        let ids: BTreeSet<[u8; 8]> = spans.iter().map(|span| span.context.span_id).collect();
        assert_eq!(ids.len(), spans.len(), "each has an id of its own");
        let told = traced.told();
        let steps = spans.iter().filter(|span| said(span).contains_key("bailiwick.step.number"));
        assert_eq!(steps.map(|span| span.context.span_id).collect::<BTreeSet<_>>(), told);
        let around = |span: &Span| spans.iter().find(|it| Some(it.context.span_id) == span.parent);
        for span in &spans {
            assert!(span.began <= span.ended);
            assert_eq!(span.context.trace_id_hex(), "4bf92f3577b34da6a3ce929d0e0e4736");
            let fits = around(span).is_none_or(|it| it.began <= span.began && span.ended <= it.ended);
            assert!(fits, "{span:?} is longer than what it is a part of");
        }
    }
}

#[tokio::test]
async fn all_that_a_workflow_asks_for_is_a_span() {
    let traced = Traced::new(|_| Answer::Say("Well."));
    let flow: super::world::Flow = Arc::new(|services| Box::pin(everything(services)));
    *traced.world.skills.flow.lock().expect("no panic") = Some(flow);
    let (_, spans) = traced.completed(driven()).await;
    let expected = [
        "invoke_workflow demo/flow done",
        "  invoke_workflow demo/flow done",
        "    chat m done",
        "    execute_tool delete done",
        "    execute_tool read done",
        "    execute_tool read done",
        "    execute_tool read done",
    ];
    assert_eq!(tree(&spans, CALLER), expected);
    let skills: BTreeSet<String> =
        named(&spans, "execute_tool read").iter().map(|span| said(span)["bailiwick.skill.id"].clone()).collect();
    assert_eq!(skills.into_iter().collect::<Vec<_>>(), ["demo/files", "demo/flow"], "its own step is one too");
    let chat = said(named(&spans, "chat m")[0]);
    assert_eq!((chat["gen_ai.request.max_tokens"].as_str(), chat["gen_ai.request.temperature"].as_str()), ("9", "0.5"));
}

#[tokio::test]
async fn what_is_said_of_a_span_is_names_and_numbers() {
    let traced = Traced::new(acts);
    let (id, spans) = traced.completed(single("ada")).await;
    let [chat, ..] = named(&spans, "chat m")[..] else { panic!("{spans:?}") };
    assert_eq!(
        golden(chat),
        [
            "bailiwick.calls 1",
            "bailiwick.output.bytes 0",
            "bailiwick.step.attempt 1",
            "bailiwick.step.number 0",
            "gen_ai.operation.name chat",
            "gen_ai.request.model m",
            "gen_ai.response.finish_reasons tool_call",
            "gen_ai.response.model m",
            "gen_ai.usage.input_tokens 7",
            "gen_ai.usage.output_tokens 3",
        ]
    );
    assert_eq!((chat.kind, &chat.outcome), (SpanKind::Client, &SpanOutcome::Done));
    let call = named(&spans, "execute_tool read")[0];
    let digest = bailiwick_domain::digest::Digest::of(b"files").to_string();
    assert_eq!(
        golden(call),
        [
            "bailiwick.arguments.bytes 22",
            "bailiwick.output.bytes 6",
            "bailiwick.receipt r",
            format!("bailiwick.skill.digest {digest}").as_str(),
            "bailiwick.skill.id demo/files",
            "bailiwick.step.attempt 1",
            "bailiwick.step.number 1",
            "bailiwick.usage.fuel 5",
            "gen_ai.operation.name execute_tool",
            "gen_ai.tool.name read",
            "gen_ai.tool.type extension",
        ]
    );
    let task = named(&spans, "invoke_agent ada")[0];
    assert_eq!(
        golden(task),
        [
            "bailiwick.input.bytes 6",
            "bailiwick.output.bytes 5",
            "bailiwick.task.number 0",
            "bailiwick.task.role work",
            "bailiwick.task.turns 2",
            "bailiwick.usage.fuel 5",
            "gen_ai.agent.name ada",
            "gen_ai.operation.name invoke_agent",
            "gen_ai.request.model m",
            "gen_ai.usage.input_tokens 14",
            "gen_ai.usage.output_tokens 6",
        ]
    );
    let root = named(&spans, "invoke_workflow single")[0];
    let last = traced.world.host().run(&id).expect("a run").last;
    assert_eq!(
        golden(root),
        [
            "bailiwick.input.bytes 6",
            "bailiwick.output.bytes 5",
            format!("bailiwick.run.checkpoint {last}").as_str(),
            "bailiwick.run.class normal",
            "bailiwick.run.steps 3",
            "bailiwick.run.strategy single",
            "bailiwick.run.tasks 1",
            "bailiwick.usage.fuel 5",
            "gen_ai.operation.name invoke_workflow",
            "gen_ai.usage.input_tokens 14",
            "gen_ai.usage.output_tokens 6",
            "gen_ai.workflow.name single",
        ]
    );
    assert!(spans.iter().all(|span| said(span)["bailiwick.run.id"] == id.as_str()));
    let all = format!("{spans:?}");
    for text in ["Do it.", "Done.", "of a secret", "key:test", "\\\"done"] {
        assert!(!all.contains(text), "{text} is told: {all}");
    }
}

#[tokio::test]
async fn a_trace_that_begins_with_a_run_has_nothing_above_it() {
    let traced = Traced::new(acts);
    let trace = TraceContext::begin([5; 16]);
    let state = Some("vendor=1".to_owned());
    let (_, spans) = traced.completed(Submission { trace, trace_state: state.clone(), ..single("ada") }).await;
    let roots: Vec<&Span> = spans.iter().filter(|span| span.parent.is_none()).collect();
    assert_eq!((roots.len(), roots[0].name.as_str()), (1, "invoke_workflow single"));
    assert!(spans.iter().all(|span| span.trace_state == state && span.context.trace_id == trace.trace_id));
    let call = traced.world.skills.invocations.lock().expect("no panic")[0].clone();
    assert_eq!(call.trace_state, state, "what skills ask themselves belongs to the same trace");
    let asked = traced.asked.lock().expect("no panic").clone();
    assert!(asked.iter().all(|trace| trace.sampled) && call.trace.sampled, "whoever is asked knows that it is kept");
}

#[tokio::test]
async fn a_span_that_a_stop_of_the_host_cut_off_has_ended_and_the_others_go_on() {
    let traced = Traced::new(calls_then_done(vec![("files__read", json!({}))]));
    traced.world.skills.act("read", Act::Hang);
    let host = traced.world.host();
    let id = host.submit(single("ada")).await.expect("taken up").id;
    until_it(&host, &id, |run| run.steps.len() == 2).await;
    while traced.world.skills.deeds() == 0 {
        tokio::task::yield_now().await;
    }
    host.stop(Duration::ZERO).await;
    let before = traced.kept.0.lock().expect("no panic").len();
    assert_eq!(before, 1, "the model has answered, and all else goes on");
    traced.world.skills.acts.lock().expect("no panic").clear();
    let host = traced.world.host();
    host.recover().await.expect("readable");
    until(&host, &id, Status::Completed).await;
    let spans = traced.spans(&host).await;
    let expected = [
        "invoke_workflow single done",
        "  invoke_agent ada done",
        "    chat m done",
        "    chat m done",
        "    execute_tool read done",
        "    execute_tool read ended",
    ];
    assert_eq!(tree(&spans, CALLER), expected);
    let attempts: BTreeSet<String> =
        named(&spans, "execute_tool read").iter().map(|span| said(span)["bailiwick.step.attempt"].clone()).collect();
    assert_eq!(attempts.into_iter().collect::<Vec<_>>(), ["1", "2"]);
    let steps = spans.iter().filter(|span| said(span).contains_key("bailiwick.step.number"));
    assert_eq!(steps.map(|span| span.context.span_id).collect::<BTreeSet<_>>(), traced.told());
}

#[tokio::test]
async fn each_time_that_a_run_is_tried_it_has_spans_of_its_own() {
    let paid = Arc::new(AtomicBool::new(false));
    let is_paid = Arc::clone(&paid);
    let traced = Traced::new(move |_| {
        let unpaid = Answer::Fail(ModelFailure::Payment("no".to_owned()));
        if is_paid.load(Ordering::SeqCst) { Answer::Say("Done.") } else { unpaid }
    });
    let host = traced.world.host();
    let id = host.submit(single("bob")).await.expect("taken up").id;
    until(&host, &id, Status::Failed).await;
    paid.store(true, Ordering::SeqCst);
    host.retry(&id, "me", None).await.expect("it can be");
    until(&host, &id, Status::Completed).await;
    let spans = traced.spans(&host).await;
    let failed = "MODEL_PAYMENT";
    let expected = [
        format!("invoke_workflow single {failed}"),
        format!("  invoke_agent bob {failed}"),
        format!("    chat m {failed}"),
        "invoke_workflow single done".to_owned(),
        "  invoke_agent bob done".to_owned(),
        "    chat m done".to_owned(),
    ];
    assert_eq!(tree(&spans, CALLER), expected);
    let errors: BTreeSet<Option<String>> = spans.iter().map(|span| said(span).get("error.type").cloned()).collect();
    assert_eq!(errors, BTreeSet::from([None, Some(failed.to_owned())]));
}

#[tokio::test]
async fn the_wait_for_a_person_is_a_part_of_the_step() {
    for (approved, waited) in [(true, "done"), (false, "APPROVAL_DENIED")] {
        let traced = Traced::new(calls_then_done(vec![("files__delete", json!({}))]));
        traced.world.skills.act("delete", Act::Ask);
        let host = traced.world.host();
        let id = host.submit(single("ada")).await.expect("taken up").id;
        until(&host, &id, Status::WaitingApproval).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        traced.world.skills.questions.answer_all(approved);
        until(&host, &id, Status::Completed).await;
        let spans = traced.spans(&host).await;
        let calls = named(&spans, "execute_tool delete");
        assert_eq!(calls.len(), if approved { 2 } else { 1 }, "who may go on is asked anew");
        assert_eq!(calls[0].outcome.name(), waited);
        let wait: u64 = said(calls[0])["bailiwick.approval.wait_ms"].parse().expect("a number");
        assert!(wait >= 15 && calls[0].ended - calls[0].began >= wait, "{wait} ms");
        assert!(calls[1..].iter().all(|call| !said(call).contains_key("bailiwick.approval.wait_ms")));
    }
}

#[tokio::test]
async fn what_ends_with_its_run_ends_with_its_span() {
    let traced = Traced::new(|_| Answer::Hang);
    let host = traced.world.host();
    let id = host.submit(single("bob")).await.expect("taken up").id;
    until_it(&host, &id, |run| run.steps.len() == 1).await;
    host.cancel(&id, "me", None).await.expect("it can be");
    until(&host, &id, Status::Cancelled).await;
    let spans = traced.spans(&host).await;
    let expected = ["invoke_workflow single ended", "  invoke_agent bob ended", "    chat m ended"];
    assert_eq!(tree(&spans, CALLER), expected);
}

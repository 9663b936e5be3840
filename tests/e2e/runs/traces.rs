//! Traces of runs: where they go, what is in them, and that nobody waits for whoever takes
//! them.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::provider::Provider;
use super::{home, serve, submit, until};
use crate::host::{Home, eventually};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
const KEY: &str = "a-long-enough-key-of-a-collector";

/// A collector that takes everything.
fn collector() -> (Provider, String) {
    let collector = Provider::start(200, json!({}));
    let url = collector.url().trim_end_matches("/v1").to_owned();
    (collector, url)
}

/// With the agent `asker`, who asks the model `service` for this provider, and `tracing`.
fn traced(provider: &Provider, tracing: &str) -> Home {
    let home = home(&format!("{tracing}[models.service]\nbase_url = \"{}\"\nmodel = \"m\"\n", provider.url()));
    home.write(
        "agents/asker.toml",
        "name = \"asker\"\ndescription = \"Asks.\"\ninstructions = \"Ask.\"\nmodels = [\"service\"]\n",
    );
    home
}

fn otlp(url: &str) -> String {
    format!(
        "[tracing]\nexporter = \"otlp\"\notlp_url = \"{url}\"\n[tracing.otlp_headers]\nx-key = \"collector\"\n\
         [secrets.collector]\nfile = \"key\"\n"
    )
}

fn key(home: &Home) {
    let key = home.write("key", format!("{KEY}\n"));
    fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
}

/// All spans that a collector has.
fn spans(collector: &Provider) -> Vec<Value> {
    let of = |body: &Value| body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
    collector.asked().iter().flat_map(|asked| of(&asked.body)).collect()
}

fn span<'s>(spans: &'s [Value], name: &str) -> &'s Value {
    spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
}

fn attribute<'s>(span: &'s Value, name: &str) -> &'s Value {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == name);
    &found.unwrap_or_else(|| panic!("no {name} in {span:#}"))["value"]
}

#[test]
pub(crate) fn the_trace_of_a_run_arrives_at_the_collector_with_its_headers() {
    let (collector, url) = collector();
    let provider = Provider::hello();
    let home = traced(&provider, &otlp(&url));
    key(&home);
    let (server, client) = serve(&home);
    let given = format!("00-{TRACE}-{SPAN}-01");
    let headers = [("traceparent", given.as_str()), ("tracestate", "vendor=1")];
    let body = json!({ "agent": "asker", "input": "whisper" });
    let id = client.post_with("/v1/agents/runs", &headers, &body).json()["id"].as_str().unwrap().to_owned();
    let run = until(&client, &id, "completed");
    eventually("its spans arrive while the host runs", || (spans(&collector).len() == 3).then_some(()));
    // What ends just before the host does arrives too.
    let second = submit(&client, "asker", "whisper");
    until(&client, &second, "completed");
    let log = server.log();
    server.stop();
    let asked = collector.asked();
    assert!(asked.iter().all(|asked| asked.path == "/v1/traces" && asked.head.contains(&format!("x-key: {KEY}"))));
    let all = spans(&collector);
    assert_eq!(all.len(), 6, "{all:#?}");
    let of_run = |id: &str| -> Vec<Value> {
        let is_of = |span: &&Value| attribute(span, "bailiwick.run.id")["stringValue"] == id;
        all.iter().filter(is_of).cloned().collect()
    };
    let (first, second) = (of_run(&id), of_run(&second));
    let (root, task, chat) =
        (span(&first, "invoke_workflow single"), span(&first, "invoke_agent asker"), span(&first, "chat service"));
    assert_eq!((&root["parentSpanId"], &task["parentSpanId"]), (&json!(SPAN), &root["spanId"]));
    assert_eq!(
        (&chat["parentSpanId"], &chat["kind"], &chat["status"]),
        (&task["spanId"], &json!(3), &json!({ "code": 1 }))
    );
    assert!(first.iter().all(|span| span["traceId"] == TRACE && span["traceState"] == "vendor=1"));
    assert_eq!(attribute(chat, "gen_ai.usage.input_tokens"), &json!({ "intValue": "2000" }));
    assert_eq!(attribute(root, "bailiwick.run.checkpoint")["intValue"], run["checkpoint"].to_string());
    // A run that nobody's trace has begun before begins one.
    assert_eq!(span(&second, "invoke_workflow single").get("parentSpanId"), None);
    // The provider was told the spans that the collector has.
    let told: BTreeSet<String> = provider.asked().iter().map(|asked| parent_of(&asked.head)).collect();
    let chats = [chat, span(&second, "chat service")].map(|chat| chat["spanId"].as_str().unwrap().to_owned());
    assert_eq!(told, BTreeSet::from(chats));
    let sent = asked.iter().map(|asked| asked.body.to_string()).collect::<String>();
    for text in ["whisper", "Hello.", KEY, "key:runs"] {
        assert!(!sent.contains(text), "{text} is told: {sent}");
    }
    assert!(!log.contains(KEY), "{log}");
}

/// The span in a request's `traceparent`.
fn parent_of(head: &str) -> String {
    let line = head.lines().find_map(|line| line.strip_prefix("traceparent: ")).unwrap();
    line.trim().split('-').nth(2).unwrap().to_owned()
}

#[test]
fn a_collector_that_hangs_delays_no_run_and_no_stop_beyond_the_drain() {
    // Connections are made, and nobody reads from them.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let provider = Provider::hello();
    let home = traced(&provider, &format!("[server]\ndrain = \"2 s\"\n{}", otlp(&url)));
    key(&home);
    let (server, client) = serve(&home);
    let start = Instant::now();
    for _ in 0..5 {
        let id = submit(&client, "asker", "hello");
        until(&client, &id, "completed");
    }
    // One request to the collector alone may take ten seconds.
    assert!(start.elapsed() < Duration::from_secs(8), "runs took {:?}", start.elapsed());
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < Duration::from_secs(8), "the stop took {:?}", start.elapsed());
}

#[test]
pub(crate) fn spans_are_lines_of_the_log_where_that_is_configured() {
    for (tracing, is_logged) in
        [("", false), ("[tracing]\nexporter = \"none\"\n", false), ("[tracing]\nexporter = \"log\"\n", true)]
    {
        let home = home(tracing);
        let (server, client) = serve(&home);
        let id = submit(&client, "scribe", "read the notes");
        let trace = until(&client, &id, "completed")["trace_id"].as_str().unwrap().to_owned();
        let lines = || {
            let is_span = |line: &&str| line.contains("bailiwick::span");
            server.log().lines().filter(is_span).map(str::to_owned).collect::<Vec<_>>()
        };
        if is_logged {
            // The run, its task, two requests to the model and a call between them.
            let lines = eventually("all are logged", || Some(lines()).filter(|lines| lines.len() == 5));
            assert!(lines.iter().all(|line| line.contains(&trace)), "{lines:#?}");
            let call = lines.iter().find(|line| line.contains("execute_tool read"));
            assert!(call.is_some_and(|line| line.contains("bailiwick/files")), "{lines:#?}");
            assert!(!lines.concat().contains("notes"), "{lines:#?}");
        }
        let log = server.log();
        server.stop();
        assert_eq!(log.contains("bailiwick::span"), is_logged, "{tracing}: {log}");
    }
}

#[test]
fn an_address_that_is_none_keeps_the_server_from_starting() {
    let home = Home::with("[tracing]\nexporter = \"otlp\"\notlp_url = \"grpc://ada:word@127.0.0.1:4317\"\n");
    let ran = home.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("`tracing.otlp_url` has another scheme than http and https"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("word"), "{}", ran.stderr);
}

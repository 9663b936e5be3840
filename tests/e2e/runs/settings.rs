//! Keys of `[agents]` and `[models]`, and what follows from each.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::provider::Provider;
use super::socket::Socket;
use super::{home, serve, submit, until};
use crate::client::Client;
use crate::host::{Home, eventually};

#[test]
pub(crate) fn runs_are_taken_up_only_if_enabled() {
    let home = home("[agents]\nenabled = false\n");
    let (_server, client) = serve(&home);
    client.post("/v1/agents/runs", &json!({ "agent": "clerk", "input": "x" })).problem("runs-disabled");
}

#[test]
pub(crate) fn agents_are_read_from_every_configured_folder() {
    let home = home("[agents]\ndirectories = [\"agents\", \"more\"]\n");
    home.write(
        "more/guard.toml",
        "name = \"guard\"\ndescription = \"Guards.\"\ninstructions = \"Guard.\"\nmodels = [\"script\"]\n",
    );
    let (_server, client) = serve(&home);
    for agent in ["clerk", "guard"] {
        let id = submit(&client, agent, "hello");
        until(&client, &id, "completed");
    }
}

#[test]
fn only_a_folder_of_agents_that_somebody_named_is_missed() {
    for (settings, missed) in [("", false), ("[agents]\ndirectories = [\"agents\"]\n", true)] {
        let home = Home::with(settings);
        let server = home.serve();
        server.terminate();
        let log = eventually("it has said all", || Some(server.log()).filter(|log| log.contains("stopping")));
        assert_eq!(log.contains("agents can't be read"), missed, "{log}");
    }
}

#[test]
pub(crate) fn as_many_runs_are_at_work_as_configured() {
    let home = home("[agents]\nmax_parallel_agents = 1\n");
    let (_server, client) = serve(&home);
    let first = submit(&client, "clerk", "slow");
    until(&client, &first, "running");
    let second = submit(&client, "clerk", "hello");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(client.get(&format!("/v1/agents/runs/{second}")).ok()["status"], "queued");
    client.post(&format!("/v1/agents/runs/{first}/cancel"), &json!({})).ok();
    until(&client, &second, "completed");
}

#[test]
pub(crate) fn the_machine_says_how_many_runs_are_at_work_where_that_is_configured() {
    let places = |parallelism: &str| {
        let home = home(&format!("[agents]\nmax_parallel_agents = 4096\n{parallelism}"));
        let token = home.key("all", &["admin"]);
        let server = home.serve();
        let client = server.by(Some(&token));
        let mut socket = Socket::open(&client, &token, "metrics");
        let told = socket.until(|message| message["name"] == "metrics.updated");
        let run = submit(&client, "clerk", "hello");
        until(&client, &run, "completed");
        (told["data"]["places"].as_u64().unwrap(), told["data"]["ceiling"].as_u64().unwrap())
    };
    assert_eq!(places(""), (4096, 4096));
    assert_eq!(places("parallelism = \"fixed\"\n"), (4096, 4096));
    // Nothing has run yet: one for each CPU, and for each class.
    let cpus = u64::try_from(thread::available_parallelism().unwrap().get()).unwrap();
    assert_eq!(places("parallelism = \"resources\"\n"), (cpus.clamp(3, 4096), 4096));
}

#[test]
pub(crate) fn a_full_queue_is_said_to_be_full() {
    let home = home("[agents]\nmax_parallel_agents = 1\nqueue_capacity = 2\n");
    let (_server, client) = serve(&home);
    let mut taken_up = 0;
    let refused = eventually("the queue is full", || {
        let answer = client.post("/v1/agents/runs", &json!({ "agent": "clerk", "input": "slow" }));
        taken_up += usize::from(answer.status == 202);
        (answer.status != 202).then_some(answer)
    });
    assert_eq!(refused.status, 429, "{}", refused.text());
    let seconds = refused.header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
    assert!(seconds.is_some_and(|seconds| seconds >= 1), "{seconds:?}");
    let problem = refused.problem("run-queue-full");
    assert_eq!((&problem["size"], &problem["capacity"]), (&json!(2), &json!(2)), "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("(2/2)") && detail.ends_with("Retry when queue pressure drops."), "{problem}");
    let kept = |filter: &str| client.get(&format!("/v1/agents/runs{filter}")).ok()["runs"].as_array().unwrap().len();
    assert_eq!((kept(""), kept("?status=running")), (taken_up, 1), "of what was refused no run is kept");
}

#[test]
pub(crate) fn no_run_takes_more_steps_than_configured() {
    let home = home("[agents]\nmax_steps_per_run = 2\n");
    let (_server, client) = serve(&home);
    let more = json!({ "agent": "clerk", "input": "x", "budget": { "steps": 3 } });
    let problem = client.post("/v1/agents/runs", &more);
    assert!(problem.text().contains("expected 1 to 2"), "{}", problem.text());
    let id = submit(&client, "scribe", "read the notes");
    let run = until(&client, &id, "failed");
    assert_eq!(run["error"]["code"], "BUDGET_EXHAUSTED", "{run:#}");
}

#[test]
pub(crate) fn a_run_that_asks_for_no_time_has_the_default() {
    let home = home("[agents]\ndefault_timeout_sec = 1\n");
    let (_server, client) = serve(&home);
    let id = submit(&client, "clerk", "slow");
    assert_eq!(until(&client, &id, "failed")["error"]["code"], "TIMEOUT");
}

#[test]
pub(crate) fn a_run_may_ask_for_no_more_time_than_configured() {
    let home = home("[agents]\ndefault_timeout_sec = 1\nmax_timeout = \"2 s\"\n");
    let (_server, client) = serve(&home);
    let ask = |wall: &str| {
        client.post("/v1/agents/runs", &json!({ "agent": "clerk", "input": "x", "budget": { "wall": wall } }))
    };
    assert!(ask("3 s").text().contains("at most 2 s"));
    assert_eq!(ask("2 s").status, 202);
}

#[test]
pub(crate) fn a_run_that_has_waited_long_counts_as_more_urgent() {
    let home = home("[agents]\nmax_parallel_agents = 1\nageing = \"500 ms\"\n");
    let (_server, client) = serve(&home);
    let first = submit(&client, "clerk", "a while");
    until(&client, &first, "running");
    let batch = json!({ "agent": "clerk", "input": "x", "class": "batch" });
    let batch = client.post("/v1/agents/runs", &batch).json()["id"].as_str().unwrap().to_owned();
    thread::sleep(Duration::from_millis(1100));
    let others: Vec<String> = (0..4).map(|_| submit(&client, "clerk", "x")).collect();
    let started = |id: &String| until(&client, id, "completed")["started_at"].as_str().unwrap().to_owned();
    let aged = started(&batch);
    assert!(others.iter().all(|other| aged <= started(other)), "it was overtaken");
}

#[test]
pub(crate) fn runs_are_kept_for_as_long_as_configured() {
    let home = home("[agents]\nretention = \"1 s\"\n");
    let token = home.key("runs", &super::SCOPES);
    let server = home.serve();
    let client = server.by(Some(&token));
    let id = submit(&client, "clerk", "hello");
    until(&client, &id, "completed");
    server.stop();
    thread::sleep(Duration::from_millis(1100));
    let server = home.serve();
    let client = server.by(Some(&token));
    eventually("the old run is gone", || (client.get(&format!("/v1/agents/runs/{id}")).status == 404).then_some(()));
}

/// With the agent `asker`, who asks the model `service`.
fn asking(models: &str) -> Home {
    let home = home(models);
    home.write(
        "agents/asker.toml",
        "name = \"asker\"\ndescription = \"Asks.\"\ninstructions = \"Ask.\"\nmodels = [\"service\"]\ntemperature = 0.25\n",
    );
    home
}

fn asked(client: &Client) -> Value {
    let id = submit(client, "asker", "hello");
    until(client, &id, "completed")
}

#[test]
pub(crate) fn a_service_is_asked_where_it_is_for_what_it_has_with_its_key() {
    let provider = Provider::hello();
    let home = asking(&format!(
        "[models.service]\nprovider = \"openai\"\nbase_url = \"{}\"\nmodel = \"maker/large\"\nkey = \"provider\"\n\
         [secrets.provider]\nfile = \"key\"\n",
        provider.url()
    ));
    let key = home.write("key", "a-long-enough-key\n");
    fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
    let (server, client) = serve(&home);
    let run = asked(&client);
    assert_eq!(run["output"], "Hello.");
    let asked = provider.asked().remove(0);
    assert_eq!(asked.path, "/v1/chat/completions");
    assert!(asked.head.contains("authorization: bearer a-long-enough-key"), "{}", asked.head);
    assert!(asked.head.contains(run["trace_id"].as_str().unwrap()), "one trace: {}", asked.head);
    assert_eq!((&asked.body["model"], &asked.body["temperature"]), (&json!("maker/large"), &json!(0.25)));
    let said = asked.body["messages"].to_string();
    assert!(said.contains("Ask.") && said.contains("hello"), "{said}");
    let id = run["id"].as_str().unwrap();
    let told = client.get(&format!("/v1/agents/runs/{id}/events")).text() + &server.log();
    assert!(!told.contains("a-long-enough-key"), "no key is told");
}

#[test]
pub(crate) fn what_a_service_costs_is_counted_by_its_prices() {
    let provider = Provider::hello();
    let home = asking(&format!(
        "[models.service]\nbase_url = \"{}\"\nmodel = \"m\"\ninput_usd_per_million = 10.0\noutput_usd_per_million = 30.0\n",
        provider.url()
    ));
    let (_server, client) = serve(&home);
    let run = asked(&client);
    assert_eq!(run["spend"]["usd"], 0.05, "{run:#}");
    let poor = json!({ "agent": "asker", "input": "x", "budget": { "usd": 0.05 } });
    let id = client.post("/v1/agents/runs", &poor).json()["id"].as_str().unwrap().to_owned();
    until(&client, &id, "completed");
}

#[test]
fn connections_to_a_service_are_used_again() {
    const REQUESTS: usize = 8;
    let provider = Provider::hello();
    let home = asking(&format!("[models.service]\nbase_url = \"{}\"\nmodel = \"m\"\n", provider.url()));
    let (_server, client) = serve(&home);
    for _ in 0..REQUESTS {
        asked(&client);
    }
    assert_eq!(provider.asked().len(), REQUESTS);
    let connections = provider.connections();
    assert!(connections <= 2, "{connections} connections for {REQUESTS} requests");
}

#[test]
fn a_quota_that_is_used_up_is_told_and_kept_to() {
    let provider = Provider::hello_with(
        "x-ratelimit-limit-requests: 60\r\nx-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 1h0m0s\r\n",
    );
    let home = asking(&format!("[models.service]\nbase_url = \"{}\"\nmodel = \"m\"\n", provider.url()));
    let token = home.key("all", &["admin"]);
    let server = home.serve();
    let client = server.by(Some(&token));
    let mut socket = Socket::open(&client, &token, "metrics");
    asked(&client);
    let told = socket.until(|message| message["data"]["quota"][0]["model"] == "service");
    let quota = &told["data"]["quota"][0];
    let requests = &quota["requests"];
    assert_eq!((&requests["limit"], &requests["remaining"]), (&json!(60), &json!(0)), "{quota:#}");
    assert_eq!((&requests["resets_at"], &quota["tokens"]), (&quota["used_up_until"], &Value::Null), "{quota:#}");
    let [resets_at, at] = [&requests["resets_at"], &told["at"]].map(|time| time.as_str().unwrap());
    assert!(resets_at > at, "{told:#}");
    let id = submit(&client, "asker", "hello");
    let run = until(&client, &id, "failed");
    assert_eq!(run["error"]["code"], "MODEL_RATE_LIMITED", "{run:#}");
    assert!(run["error"]["message"].as_str().unwrap().contains("used up"), "{run:#}");
    assert_eq!(provider.asked().len(), 1, "nobody asks it before");
}

#[test]
fn the_trace_of_a_request_goes_along_to_whomever_its_run_asks() {
    let provider = Provider::hello();
    let home = asking(&format!("[models.service]\nbase_url = \"{}\"\nmodel = \"m\"\n", provider.url()));
    let (_server, client) = serve(&home);
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let given = format!("00-{trace}-{span}-01");
    let headers = [("traceparent", given.as_str()), ("tracestate", "vendor=1,other=2")];
    let answer = client.post_with("/v1/agents/runs", &headers, &json!({ "agent": "asker", "input": "hello" }));
    assert_eq!((answer.status, answer.header("traceparent")), (202, Some(given.as_str())), "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let run = until(&client, &id, "completed");
    assert_eq!(run["trace_id"], trace);
    let head = provider.asked().remove(0).head;
    assert!(head.contains(&format!("traceparent: 00-{trace}-")), "{head}");
    assert!(!head.contains(span), "each request has a span of its own: {head}");
    assert!(head.contains("tracestate: vendor=1,other=2"), "{head}");
    // Beside the trace stands how far the run has come: the number of its last durable event.
    let path = format!("/v1/agents/runs/{id}/events");
    let page = client.send("GET", &path, &[("accept", "application/json")], None).ok();
    assert_eq!(run["checkpoint"], page["events"].as_array().unwrap().last().unwrap()["seq"], "{page:#}");
}

#[test]
fn each_refusal_of_a_service_is_told_by_its_code() {
    for (status, code) in [(400, "MODEL_REQUEST"), (401, "MODEL_UNAUTHORIZED"), (402, "MODEL_PAYMENT")] {
        let provider = Provider::start(status, json!({ "error": { "message": "no, thank you" } }));
        let home = asking(&format!("[models.service]\nbase_url = \"{}\"\nmodel = \"m\"\n", provider.url()));
        let (_server, client) = serve(&home);
        let id = submit(&client, "asker", "hello");
        let run = until(&client, &id, "failed");
        assert_eq!(run["error"]["code"], code, "{run:#}");
        assert!(run["error"]["message"].as_str().unwrap().contains("no, thank you"), "{run:#}");
        assert_eq!(provider.asked().len(), 1, "it would refuse again");
    }
}

#[test]
pub(crate) fn a_script_answers_where_one_is_configured() {
    let home = home("");
    let (_server, client) = serve(&home);
    let id = submit(&client, "clerk", "hello");
    assert_eq!(until(&client, &id, "completed")["output"], "You said: hello");
}

#[test]
fn a_script_that_is_wrong_keeps_the_server_from_starting_and_says_where() {
    let home = Home::with("[models.script]\nprovider = \"scripted\"\nscript = \"script.toml\"\n");
    home.write("script.toml", "[[rule]]\ntext = \"a\"\nfail = \"timeout\"\n");
    let ran = home.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("models.script") && ran.stderr.contains("script.toml:1"), "{}", ran.stderr);
}

//! Skills that ask models themselves: who answers, what it takes, and where it ends.

use serde_json::{Value, json};

use super::provider::Provider;
use super::{agent, serve, until};
use crate::host::{Home, Ran};

/// A script for the model `small`: what it is asked is what it does.
const SCRIPT: &str = r#"
[[rule]]
contains = "does not fit"
tokens = { input = 30, output = 5 }
text = '{"n": 7}'

[[rule]]
contains = "stubborn"
tokens = { input = 20, output = 5 }
text = '["stubborn"]'

[[rule]]
contains = "refuse"
fail = "payment"

[[rule]]
after_tool = "driver__complete"
tokens = { input = 5, output = 5 }
text = "It says: {{result}}"

[[rule]]
contains = "ask it"
tokens = { input = 5, output = 5 }
calls = [{ tool = "driver__complete", arguments = { prompt = "how deep?" } }]

[[rule]]
tokens = { input = 60, output = 50 }
text = "You said: {{input}}"
"#;

/// The driver, who asks for models and for itself.
fn driver(settings: &str) -> Home {
    let scripted = |name: &str| format!("[models.{name}]\nprovider = \"scripted\"\nscript = \"script.toml\"\n");
    let home = Home::with(&format!("{}{}{settings}", scripted("small"), scripted("hidden")));
    home.write("script.toml", SCRIPT);
    let models = "[permissions]\nmodels = [\"small\", \"hidden\", \"gone\", \"service\"]\n";
    home.guest("driver", &format!("{models}[[permissions.skills]]\nid = \"tests/driver\"\n"));
    home
}

fn run(home: &Home, tool: &str, arguments: &Value) -> Ran {
    home.run(&["--json", "skills", "run", "tests/driver", tool, "--args", &arguments.to_string()])
}

/// The failure that the driver answered, and what the call took.
#[track_caller]
fn failed(ran: Ran) -> (String, Value) {
    let answer = ran.expect(5).json();
    let said = answer["failure"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    (said, answer["receipt"].clone())
}

/// Input and output tokens of models.
fn tokens(receipt: &Value) -> (u64, u64) {
    let number = |key: &str| receipt["usage"][key].as_u64().unwrap_or_else(|| panic!("no {key}: {receipt}"));
    (number("model_input_tokens"), number("model_output_tokens"))
}

/// A service that takes 2000 tokens and answers with 1000, and costs 0.05 dollars for that.
fn paid(provider: &Provider) -> String {
    format!(
        "[models.service]\nbase_url = \"{}\"\nmodel = \"m\"\ninput_usd_per_million = 10.0\noutput_usd_per_million = 30.0\n",
        provider.url()
    )
}

#[test]
fn a_model_answers_a_skill_and_what_it_takes_is_on_record() {
    let provider = Provider::hello();
    let home = driver(&paid(&provider));
    home.grant("tests/driver", &["--model", "service"]);
    let server = home.serve();
    let answer = server.execute("tests/driver", "complete", &json!({ "prompt": "hello" })).ok();
    assert_eq!(answer["output"], "Hello.", "{answer}");
    let usage = &answer["usage"];
    assert_eq!(
        (&usage["model_calls"], &usage["model_input_tokens"], &usage["model_output_tokens"], &usage["model_usd"]),
        (&json!(1), &json!(2000), &json!(1000), &json!(0.05))
    );
    let asked = provider.asked().remove(0);
    assert!(asked.head.contains(answer["receipt"]["trace_id"].as_str().unwrap()), "one trace: {}", asked.head);
    assert_eq!(asked.body["messages"], json!([{ "role": "user", "content": "hello" }]));
    assert_eq!(asked.body.get("max_tokens"), None, "many are left, and the model has a limit of its own");
    server.stop();
    let lines = home.run(&["audit", "export"]).expect(0).stdout;
    for part in ["\"model_input_tokens\":2000", "\"model_output_tokens\":1000", "\"model_usd\":0.05"] {
        assert!(lines.contains(part), "no {part} in {lines}");
    }
}

#[test]
fn the_trace_of_a_call_goes_along_to_the_models_that_it_asks_itself_or_by_another_call() {
    let provider = Provider::hello();
    let home = driver(&paid(&provider));
    agent(&home, "asker", "skills = [\"tests/driver\"]\ndisclosure = \"all\"\n");
    let agents = home.path("agents/asker.toml");
    let text = std::fs::read_to_string(&agents).unwrap().replace("[\"script\"]", "[\"small\"]");
    std::fs::write(agents, text).unwrap();
    home.grant("tests/driver", &["--model", "service", "--skill-call", "tests/driver"]);
    let (server, client) = serve(&home);
    let inner = json!({ "prompt": "hello" });
    let request = json!({ "skill": "tests/driver", "tool": "complete", "arguments": inner.to_string() });
    let parent = |span: &str| format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{span}-01");
    let (first, second, third) = ("00f067aa0ba902b7", "00f067aa0ba902b8", "00f067aa0ba902b9");
    for (span, tool, arguments) in [(first, "complete", inner.clone()), (second, "call", json!({ "request": request }))]
    {
        let parent = parent(span);
        let headers = [("traceparent", parent.as_str()), ("tracestate", "vendor=1")];
        let body = json!({ "tool": tool, "arguments": arguments });
        server.execute_with("tests/driver", &headers, &body).ok();
        let head = provider.asked().last().unwrap().head.clone();
        assert!(
            head.contains(&format!("traceparent: {parent}")) && head.contains("tracestate: vendor=1"),
            "{tool}: {head}"
        );
    }
    // The skill of a run has the span of the run's step.
    let parent = parent(third);
    let headers = [("traceparent", parent.as_str()), ("tracestate", "vendor=1")];
    let body = json!({ "agent": "asker", "input": "ask it" });
    let id = client.post_with("/v1/agents/runs", &headers, &body).json()["id"].as_str().unwrap().to_owned();
    until(&client, &id, "completed");
    assert_eq!(provider.asked().len(), 3);
    let head = provider.asked().remove(2).head;
    assert!(head.contains("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-") && !head.contains(third), "{head}");
    assert!(head.contains("tracestate: vendor=1"), "{head}");
}

#[test]
fn a_skill_asks_only_models_that_it_was_granted_and_hears_of_no_others() {
    let home = driver("");
    home.grant("tests/driver", &["--model", "gone", "--model", "small"]);
    let ask = |model: &str| run(&home, "complete", &json!({ "model": model, "prompt": "hello" }));
    assert_eq!(ask("small").expect(0).json()["output"], "You said: hello");
    let (said, receipt) = failed(ask("hidden"));
    assert!(said.contains("Denied"), "{said}");
    assert_eq!((tokens(&receipt), &receipt["denials"][0]["capability"]), ((0, 0), &json!("model")));
    let (said, _) = failed(ask("gone"));
    assert!(said.contains("NoModel") && said.contains("no model `gone`") && said.contains("it has `small`"), "{said}");
    assert!(!said.contains("hidden"), "{said}");
    // The first of the grant is meant where none is named.
    let (said, _) = failed(run(&home, "complete", &json!({ "prompt": "hello" })));
    assert!(said.contains("no model `gone`"), "{said}");
    let (said, _) = failed(run(&home, "complete", &json!({ "model": "small", "prompt": "refuse" })));
    assert!(said.contains("Failed") && said.contains("`small` did not answer") && !said.contains("script"), "{said}");
}

#[test]
fn whoever_grants_a_model_that_is_not_configured_is_told_which_are() {
    let home = driver("");
    let ran = home.run(&["grant", "add", "tests/driver", "--model", "gone", "--model", "small"]).expect(0);
    let told = "The configuration has no model `gone`, so that nothing answers for it; it has `hidden`, `small`.";
    assert!(ran.stderr.contains(told) && !ran.stderr.contains("no model `small`"), "{}", ran.stderr);
}

#[test]
fn the_tokens_of_a_grant_end_the_requests_of_a_skill() {
    let home = driver("");
    home.grant("tests/driver", &["--model", "small", "--model-tokens", "100", "--skill-call", "tests/driver"]);
    let (said, receipt) = failed(run(&home, "complete", &json!({ "prompt": "hello", "again": 1 })));
    let limit = "the call's limit `model_tokens` of 100 is reached";
    assert!(said.contains("Limit") && said.contains(limit), "{said}");
    assert_eq!((tokens(&receipt), &receipt["denials"][0]["reason"]), ((60, 50), &json!(limit)));
    // One request is answered, be it beyond the limit.
    let one = run(&home, "complete", &json!({ "prompt": "hello" })).expect(0).json();
    assert_eq!(tokens(&one["receipt"]), (60, 50));
    // What a called skill takes is taken from its caller, and the called has no more.
    let inner = |again: u32| json!({ "prompt": "hello", "again": again }).to_string();
    let request = |again| json!({ "skill": "tests/driver", "tool": "complete", "arguments": inner(again) });
    let (said, receipt) = failed(run(&home, "call", &json!({ "request": request(1) })));
    assert!(said.starts_with("failed: ") && said.contains("`model_tokens` of 100"), "{said}");
    assert_eq!(tokens(&receipt), (60, 50));
    let both = run(&home, "call-all", &json!({ "requests": [request(0), request(0)] })).expect(0).json();
    // Side by side each passes its half; where one is done before the other asks, nothing is left.
    let taken = tokens(&both["receipt"]);
    assert!([(120, 100), (60, 50)].contains(&taken), "{both}");
    let free = driver("");
    free.grant("tests/driver", &["--model", "small"]);
    let twice = run(&free, "complete", &json!({ "prompt": "hello", "again": 1 })).expect(0).json();
    assert_eq!(tokens(&twice["receipt"]), (120, 100));
}

#[test]
fn an_answer_may_have_no_more_tokens_than_are_left() {
    let provider = Provider::hello();
    let home = driver(&paid(&provider));
    let ask = |max_tokens: u32| {
        run(&home, "converse", &json!({ "prompt": "hello", "max-tokens": max_tokens })).expect(0);
        provider.asked().last().unwrap().body["max_tokens"].clone()
    };
    home.grant("tests/driver", &["--model", "service", "--model-tokens", "700"]);
    assert_eq!((ask(5000), ask(600)), (json!(700), json!(600)));
    run(&home, "complete", &json!({ "prompt": "hello" })).expect(0);
    assert_eq!(provider.asked().last().unwrap().body["max_tokens"], 700, "where the skill names none");
}

#[test]
fn an_answer_that_misses_its_schema_is_asked_for_again() {
    let home = driver("");
    home.grant("tests/driver", &["--model", "small"]);
    let schema = json!({ "type": "object", "required": ["n"] }).to_string();
    let ask = |prompt: &str, schema: &str| run(&home, "converse", &json!({ "prompt": prompt, "schema": schema }));
    let answer = ask("seven", &schema).expect(0).json();
    let (text, taken) =
        (&answer["output"]["text"], (&answer["output"]["input-tokens"], &answer["output"]["output-tokens"]));
    assert_eq!((text, taken), (&json!("{\"n\": 7}"), (&json!(90), &json!(55))), "{answer}");
    assert_eq!((tokens(&answer["receipt"]), &answer["receipt"]["usage"]["model_calls"]), ((90, 55), &json!(1)));
    // One that never fits is given up, and paid for.
    let impossible = json!({ "type": "string" }).to_string();
    let (said, receipt) = failed(ask("stubborn", &impossible));
    assert!(said.contains("Failed") && said.contains("does not fit") && said.contains("asked 3 times"), "{said}");
    assert_eq!(tokens(&receipt), (80, 15));
    let (said, receipt) = failed(ask("seven", "{\"type\": \"nothing\"}"));
    assert!(said.contains("InvalidRequest") && said.contains("output schema can't be used"), "{said}");
    assert_eq!(tokens(&receipt), (0, 0));
}

#[test]
fn a_run_pays_for_what_its_skills_ask_of_models() {
    let home = driver("");
    agent(&home, "asker", "skills = [\"tests/driver\"]\ndisclosure = \"all\"\n");
    let agents = home.path("agents/asker.toml");
    let text = std::fs::read_to_string(&agents).unwrap().replace("[\"script\"]", "[\"small\"]");
    std::fs::write(agents, text).unwrap();
    home.grant("tests/driver", &["--model", "small"]);
    let (_server, client) = serve(&home);
    let submit = |budget: Value| {
        let answer = client.post("/v1/agents/runs", &json!({ "agent": "asker", "input": "ask it", "budget": budget }));
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let run = until(&client, &submit(json!({})), "completed");
    assert!(run["output"].as_str().unwrap().contains("how deep?"), "{run:#}");
    assert_eq!((&run["spend"]["input_tokens"], &run["spend"]["output_tokens"]), (&json!(70), &json!(60)), "{run:#}");
    // Ten tokens are for the agent's own request, so that forty are left to the skill.
    let run = until(&client, &submit(json!({ "tokens": 50 })), "failed");
    assert_eq!(run["error"]["code"], "BUDGET_EXHAUSTED", "{run:#}");
    assert_eq!((&run["spend"]["input_tokens"], &run["spend"]["output_tokens"]), (&json!(65), &json!(55)), "{run:#}");
}

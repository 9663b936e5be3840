//! What runs take, to the last token: of a step, of its task and of the run.

use serde_json::{Value, json};

use super::provider::Provider;
use super::{home, serve, until};
use crate::client::Client;
use crate::host::Home;

/// With the agent `buyer`, who has files and asks the model `service`.
fn buying(provider: &Provider, prices: &str) -> Home {
    let home = home(&format!("[models.service]\nbase_url = \"{}\"\nmodel = \"m\"\n{prices}", provider.url()));
    home.write(
        "agents/buyer.toml",
        "name = \"buyer\"\ndescription = \"Buys.\"\ninstructions = \"Buy.\"\nmodels = [\"service\"]\n\
         skills = [\"bailiwick/files\"]\ndisclosure = \"all\"\n",
    );
    home
}

#[track_caller]
fn submitted(client: &Client, body: &Value) -> String {
    let answer = client.post("/v1/agents/runs", body);
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn steps(client: &Client, run: &Value) -> Vec<Value> {
    let path = format!("/v1/agents/runs/{}/steps", run["id"].as_str().unwrap());
    client.get(&path).ok()["steps"].as_array().unwrap().clone()
}

/// Steps, tokens of requests and of answers, and US dollars.
fn spent(of: &Value) -> Value {
    let spend = &of["spend"];
    json!([spend["steps"], spend["input_tokens"], spend["output_tokens"], spend["usd"]])
}

fn each(of: &[Value]) -> Vec<Value> {
    of.iter().map(spent).collect()
}

#[test]
fn what_a_script_says_of_its_answers_is_counted() {
    let home = home("");
    home.write(
        "script.toml",
        "[[rule]]\nafter_tool = \"files__read\"\ntokens = { input = 90, output = 4 }\ntext = \"It says: {{result}}\"\n\n\
         [[rule]]\ntokens = { input = 30, output = 7 }\n\
         calls = [{ tool = \"files__read\", arguments = { path = \"/work/notes.md\" } }]\n",
    );
    let (_server, client) = serve(&home);
    // Fuel is counted only where a limit asks for it.
    let budget = json!({ "fuel": 1_000_000_000 });
    let body = json!({ "agent": "scribe", "input": "read the notes", "budget": budget });
    let run = until(&client, &submitted(&client, &body), "completed");
    let steps = steps(&client, &run);
    assert_eq!(each(&steps), [json!([1, 30, 7, 0.0]), json!([1, 0, 0, 0.0]), json!([1, 90, 4, 0.0])]);
    assert_eq!((spent(&run["tasks"][0]), spent(&run)), (json!([3, 120, 11, 0.0]), json!([3, 120, 11, 0.0])));
    // What a call takes is nowhere else.
    let call = &steps[1]["spend"];
    assert!(call["fuel"].as_u64().unwrap() > 0, "{call}");
    for what in ["fuel", "host_calls"] {
        let of = [&run["tasks"][0], &run].map(|it| &it["spend"][what]);
        assert_eq!(of, [&call[what], &call[what]], "{what}");
    }
}

#[test]
fn what_a_service_says_that_it_costs_is_counted_whatever_the_prices() {
    let function = json!({ "name": "files__read", "arguments": "{\"path\":\"/work/notes.md\"}" });
    let message = json!({ "role": "assistant", "content": null, "tool_calls": [{ "function": function }] });
    let provider = Provider::start(
        200,
        json!({
            "choices": [{ "message": message, "finish_reason": "tool_calls" }],
            "usage": { "prompt_tokens": 2000, "completion_tokens": 1000, "cost": 0.0125 },
        }),
    );
    let home = buying(&provider, "input_usd_per_million = 10.0\noutput_usd_per_million = 30.0\n");
    let (_server, client) = serve(&home);
    // It asks for the same call each time.
    let id = submitted(&client, &json!({ "agent": "buyer", "input": "x", "budget": { "steps": 5 } }));
    let run = until(&client, &id, "failed");
    assert_eq!(run["error"]["code"], "BUDGET_EXHAUSTED", "{run:#}");
    let (asked, called) = (json!([1, 2000, 1000, 0.0125]), json!([1, 0, 0, 0.0]));
    let each = each(&steps(&client, &run));
    assert_eq!(each.iter().collect::<Vec<_>>(), [&asked, &called, &asked, &called, &asked]);
    let whole = json!([5, 6000, 3000, 0.0375]);
    assert_eq!((spent(&run["tasks"][0]), spent(&run)), (whole.clone(), whole));
}

#[test]
fn each_task_of_a_team_is_counted_and_the_run_is_all_of_them() {
    let provider = Provider::hello();
    let home = buying(&provider, "input_usd_per_million = 10.0\noutput_usd_per_million = 30.0\n");
    let (_server, client) = serve(&home);
    let map = json!({ "kind": "parallel_map", "agent": "buyer", "items": ["a", "b"] });
    let run = until(&client, &submitted(&client, &json!({ "strategy": map, "input": "x" })), "completed");
    let one = [json!([1, 2000, 1000, 0.05]), json!([1, 2000, 1000, 0.05])];
    assert_eq!(each(&steps(&client, &run)), one);
    assert_eq!(each(run["tasks"].as_array().unwrap()), one);
    assert_eq!(spent(&run), json!([2, 4000, 2000, 0.1]));
}

//! Scripts, and what they answer.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bailiwick_domain::model::{
    ChatAnswer, ChatRequest, Listener, Message, Model as _, ModelFailure, ToolCall, Unheard,
};
use bailiwick_domain::trace::TraceContext;
use tokio::time::Instant;

use super::Scripted;

const SCRIPT: &str = r#"
[[rule]]
after_tool = "look"
contains = "sunny"
text = "It is {{result}}. You asked: {{input}}"

[[rule]]
contains = "twice"
times = 2
text = "yes"

[[rule]]
contains = "weather"
calls = [{ tool = "look", arguments = { place = ["{{input}}", 1] } }]
tokens = { output = 7 }

[[rule]]
contains = "slow"
delay = "30 s"
text = "at last"

[[rule]]
contains = "limit"
fail = "rate_limited"
"#;

fn script() -> Scripted {
    Scripted::parse("demo.toml", SCRIPT).expect("a script")
}

fn user(text: &str) -> Message {
    Message::User { text: text.to_owned() }
}

fn request(messages: Vec<Message>) -> ChatRequest {
    ChatRequest {
        models: vec!["demo".to_owned()],
        messages,
        tools: Vec::new(),
        must_call: false,
        max_tokens: None,
        temperature: None,
        output_schema: None,
        deadline: Duration::from_mins(1),
        trace: TraceContext { trace_id: [1; 16], span_id: [2; 8], sampled: true },
        trace_state: None,
    }
}

async fn ask(script: &Scripted, messages: Vec<Message>) -> Result<ChatAnswer, ModelFailure> {
    script.chat(&request(messages), &Unheard).await
}

#[derive(Default)]
struct Words(Mutex<Vec<String>>);

impl Listener for Words {
    fn text(&self, piece: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(piece.to_owned());
    }

    fn again(&self, _: &ModelFailure, _: &str, _: Duration) {}
}

#[tokio::test]
async fn a_question_becomes_a_call_and_its_output_an_answer() {
    let script = script();
    let mut messages = vec![user("weather in {{result}}?")];
    let answer = ask(&script, messages.clone()).await.expect("a rule");
    let arguments = r#"{"place":["weather in {{result}}?",1]}"#.to_owned();
    let call = ToolCall { id: "call_1".to_owned(), name: "look".to_owned(), arguments };
    assert_eq!((answer.text.as_str(), &answer.calls), ("", &vec![call]));
    assert_eq!((answer.cost.input_tokens, answer.cost.output_tokens), (6, 7), "22 bytes, and as it says");
    messages.push(Message::Assistant { text: answer.text, calls: answer.calls });
    messages.push(Message::Tool { call: "call_1".to_owned(), text: "sunny {{input}}".to_owned() });
    let words = Words::default();
    let answer = script.chat(&request(messages), &words).await.expect("a rule");
    assert_eq!(answer.text, "It is sunny {{input}}. You asked: weather in {{result}}?");
    let words = words.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert_eq!((words.len(), words.concat()), (9, answer.text));
}

#[tokio::test]
async fn the_last_line_is_the_item_of_a_map() {
    let text = "[[rule]]\ncalls = [{ tool = \"look\", arguments = { place = \"/work/{{last_line}}\" } }]\n";
    let script = Scripted::parse("demo.toml", text).expect("a script");
    for (said, place) in [("Look.\n\nnotes/a.md", "/work/notes/a.md"), ("b.md", "/work/b.md"), ("", "/work/")] {
        let answer = ask(&script, vec![user(said)]).await.expect("a rule");
        assert_eq!(answer.calls[0].arguments, format!("{{\"place\":\"{place}\"}}"));
    }
}

#[tokio::test]
async fn a_rule_answers_so_often_as_it_says() {
    let script = script();
    for _ in 0..2 {
        assert_eq!(ask(&script, vec![user("twice")]).await.map(|answer| answer.text), Ok("yes".to_owned()));
    }
    let failure = ModelFailure::Nonsense("the script has no answer to \"twice\"".to_owned());
    assert_eq!(ask(&script, vec![user("twice")]).await, Err(failure));
}

#[tokio::test]
async fn what_it_has_no_answer_to_is_shown_in_short() {
    let script = script();
    let Err(ModelFailure::Nonsense(shown)) = ask(&script, vec![user(&"ü".repeat(500))]).await else {
        panic!("there is no rule");
    };
    assert!(shown.ends_with("üü…\"") && shown.len() < 150, "{shown}");
    assert!(ask(&script, Vec::new()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_delay_takes_its_time_and_no_more_than_there_is() {
    let (script, began) = (script(), Instant::now());
    assert!(ask(&script, vec![user("slow")]).await.is_ok());
    assert_eq!(began.elapsed().as_secs(), 30);
    let hurried = ChatRequest { deadline: Duration::from_secs(5), ..request(vec![user("slow")]) };
    assert_eq!(script.chat(&hurried, &Unheard).await, Err(ModelFailure::Timeout));
    assert_eq!(began.elapsed().as_secs(), 35);
}

#[tokio::test]
async fn json_says_the_same_and_failures_are_failures() {
    let json = r#"{"rule": [{"contains": "a", "text": "A"}, {"fail": "payment"}]}"#;
    let script = Scripted::parse("demo.json", json).expect("a script");
    assert_eq!(ask(&script, vec![user("a")]).await.map(|answer| answer.text), Ok("A".to_owned()));
    assert!(matches!(ask(&script, vec![user("b")]).await, Err(ModelFailure::Payment(_))));
}

#[tokio::test]
async fn values_that_grow_without_bound_end_the_answer() {
    let text = "{{input}}".repeat(64);
    let script = Scripted::parse("demo.toml", &format!("[[rule]]\ntext = \"{text}\"\n")).expect("a script");
    let answer = ask(&script, vec![user(&"x".repeat(1 << 17))]).await;
    assert!(matches!(answer, Err(ModelFailure::Nonsense(_))));
}

/// The error that a script gives.
fn error(file: &str, text: &str) -> String {
    Scripted::parse(file, text).expect_err("it is wrong").to_string()
}

#[test]
fn errors_say_where_and_what() {
    let unknown = error("demo.toml", "[[rule]]\ntext = \"x\"\n\n[[rule]]\ncontain = \"x\"\n");
    assert!(unknown.starts_with("demo.toml:5:1: unknown field `contain`"), "{unknown}");
    let delay = error("demo.toml", "[[rule]]\ntext = \"x\"\ndelay = \"soon\"\n");
    assert!(delay.starts_with("demo.toml:3:9: ") && delay.contains("`soon` is not a duration"), "{delay}");
    let json = error("demo.json", "{\"rule\": [\n{\"fail\": \"sulk\"}]}");
    assert!(json.starts_with("demo.json:2:") && json.contains("unknown variant `sulk`"), "{json}");
    assert!(!json.contains(" at line "), "{json}");
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    for (rule, problem) in [
        ("contains = \"x\"", "found no answer"),
        ("text = \"x\"\nfail = \"server\"", "expected it alone"),
        ("text = \"x\"\ntimes = 0", "expected at least 1"),
        ("text = \"{{inptu}}\"", "found `{{inptu}}`, expected `{{input}}`, `{{last_line}}` or `{{result}}`"),
        ("calls = [{ tool = \"a\", arguments = { x = [\"{{who}}\"] } }]", "found `{{who}}`"),
        ("calls = [{ tool = \"a\", arguments = [] }]", "`arguments` of `a` are no table"),
        ("calls = [{ arguments = {} }]", "missing field `tool`"),
        ("text = \"x\"\ntokens = { in = 1 }", "unknown field `in`"),
    ] {
        let error = error("demo.toml", &format!("[[rule]]\n{rule}\n"));
        assert!(error.starts_with("demo.toml:") && error.contains(problem), "{error}");
    }
    let kept = Scripted::parse("demo.toml", "[[rule]]\ntext = \"{{secret:KEY}} {{ {{input}} }}\"\n");
    assert!(kept.is_ok(), "only words are names: {kept:?}");
}

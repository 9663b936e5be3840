//! What is asked, and answers that come as they should or nearly so.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bailiwick_domain::model::{Finish, Listener, Model as _, ModelFailure, ToolCall, Unheard, Usd};
use bailiwick_models::openai::{OpenAi, OpenAiOptions};
use zeroize::Zeroizing;

use crate::server::{KEY, Script, Server, ask, client, clock, key, request};

/// A text and a call, as a service writes them.
const ANSWER: &str = concat!(
    ": PROCESSING\n\n",
    "data: {\"id\":\"g\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Gr\u{fc}\u{df}e\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"look\",\"arguments\":\"\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{}\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"cost\":0.001}}\n\n",
    "data: [DONE]\n\n",
);

#[derive(Default)]
struct Heard(Mutex<String>);

impl Listener for Heard {
    fn text(&self, piece: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(piece);
    }

    fn again(&self, _: &ModelFailure, _: &str, _: Duration) {}
}

#[tokio::test]
async fn a_question_is_asked_and_its_answer_heard() {
    let server = Server::new(Script::stream([ANSWER.as_bytes()])).await;
    let heard = Heard::default();
    let answer = client(server.options()).chat(&request(), &heard).await.expect("an answer");
    assert_eq!((answer.text.as_str(), answer.finish), ("Grüße", Finish::Stop));
    let call = ToolCall { id: "a".to_owned(), name: "look".to_owned(), arguments: "{}".to_owned() };
    assert_eq!(answer.calls, [call]);
    assert_eq!((answer.cost.input_tokens, answer.cost.usd), (5, Usd::from_nanos(1_000_000)));
    assert_eq!(heard.0.into_inner().unwrap_or_else(PoisonError::into_inner), "Grüße");

    let requests = server.requests();
    let [asked] = requests.as_slice() else { panic!("one request: {requests:?}") };
    assert!(asked.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{asked}");
    for line in [
        format!("authorization: Bearer {KEY}\r\n"),
        format!("traceparent: {}\r\n", request().trace),
        "tracestate: vendor=1\r\n".to_owned(),
        "content-type: application/json\r\n".to_owned(),
    ] {
        assert!(asked.contains(&line), "{line} in {asked}");
    }
    assert!(asked.contains("\"model\":\"acme/small\"") && asked.contains("\"stream\":true"), "{asked}");
}

#[tokio::test]
async fn the_answer_is_the_same_wherever_the_connection_splits_it() {
    let expected = ask(Script::stream([ANSWER.as_bytes()])).await.expect("an answer");
    let bytes = ANSWER.as_bytes();
    for at in (1..bytes.len()).step_by(23) {
        let (one, other) = bytes.split_at(at);
        assert_eq!(ask(Script::stream([one, other])).await.as_ref(), Ok(&expected), "at {at}");
    }
    assert_eq!(ask(Script::stream(bytes.chunks(1))).await, Ok(expected), "byte by byte");
}

#[tokio::test]
async fn an_answer_that_is_not_streamed_is_taken_too() {
    let body = "{\"choices\":[{\"message\":{\"content\":\"Hi\"},\"finish_reason\":\"length\"}]}";
    let answer = ask(Script::status("200 OK", "content-type: application/json\r\n", body)).await.expect("an answer");
    assert_eq!((answer.text.as_str(), answer.finish, answer.cost.usd), ("Hi", Finish::Length, Usd::ZERO));
}

#[tokio::test]
async fn what_happens_behind_a_complete_answer_costs_nothing() {
    let complete = ANSWER.split_once("data: {\"choices\":[],").expect("usage stands last").0;
    let expected = ask(Script::stream([complete.as_bytes()])).await.expect("an answer");
    assert_eq!(expected.calls.len(), 1);
    assert_eq!(ask(Script::begun([complete.as_bytes()])).await.as_ref(), Ok(&expected), "cut off");
    let server = Server::new(Script { hangs: true, ..Script::begun([complete.as_bytes()]) }).await;
    let options = OpenAiOptions { idle_timeout: Duration::from_millis(300), ..server.options() };
    assert_eq!(client(options).chat(&request(), &Unheard).await, Ok(expected), "silence");
}

#[tokio::test]
async fn prices_count_where_the_service_says_no_costs() {
    let body = concat!(
        "{\"choices\":[{\"message\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}],",
        "\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":10}}",
    );
    let server = Server::new(Script::status("200 OK", "", body)).await;
    let (input_usd_per_million, output_usd_per_million) = (Some(3.0), Some(15.0));
    let options = OpenAiOptions { input_usd_per_million, output_usd_per_million, ..server.options() };
    let answer = client(options).chat(&request(), &Unheard).await.expect("an answer");
    assert_eq!(answer.cost.usd.to_string(), "0.00315");
}

#[tokio::test]
async fn the_key_is_read_for_each_request() {
    let server = Server::new(Script::stream([ANSWER.as_bytes()])).await;
    let count = AtomicUsize::new(0);
    let changing = move || match count.fetch_add(1, Ordering::Relaxed) {
        0 => Ok(Some(Zeroizing::new("first-key-of-all".to_owned()))),
        1 => Ok(None),
        _ => Err("the file is gone".to_owned()),
    };
    let client = client(OpenAiOptions { key: Arc::new(changing), ..server.options() });
    for _ in 0..2 {
        client.chat(&request(), &Unheard).await.expect("an answer");
    }
    let gone = client.chat(&request(), &Unheard).await;
    assert_eq!(gone, Err(ModelFailure::Unauthorized("the file is gone".to_owned())));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].contains("authorization: Bearer first-key-of-all\r\n"), "{}", requests[0]);
    assert!(!requests[1].contains("authorization"), "{}", requests[1]);
}

#[test]
fn addresses_that_are_none_are_refused() {
    let with = |url: &str| OpenAi::new(OpenAiOptions::new(url, "small", key(), clock()));
    for good in ["https://openrouter.ai/api/v1", "http://127.0.0.1:8080/v1/"] {
        let client = with(good).expect(good);
        assert!(format!("{client:?}").contains("/v1/chat/completions"), "{client:?}");
    }
    for bad in ["", "openrouter.ai", "ftp://a.test/v1", "https://me:secret@a.test/v1", "https://a.test/v1?x=1"] {
        let error = with(bad).expect_err(bad).to_string();
        assert!(error.starts_with("`base_url` ") && !error.contains("secret"), "{error}");
    }
}

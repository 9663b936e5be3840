//! Each way in which a service fails, and that the key is never told.

use std::time::Duration;

use bailiwick_domain::model::{ChatAnswer, ChatRequest, Model as _, ModelFailure, Unheard};
use bailiwick_models::openai::OpenAiOptions;
use tokio::net::TcpListener;

use crate::server::{KEY, Script, Server, ask, client, clock, key, request};

const BEGUN: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Well\"}}]}\n\n";

fn code(answer: &Result<ChatAnswer, ModelFailure>) -> &'static str {
    answer.as_ref().map_or_else(ModelFailure::code, |_| "ANSWER")
}

#[tokio::test]
async fn each_status_has_its_meaning() {
    for (status, expected) in [
        ("400 Bad Request", "MODEL_REQUEST"),
        ("404 Not Found", "MODEL_REQUEST"),
        ("422 Unprocessable Content", "MODEL_REQUEST"),
        ("302 Found", "MODEL_REQUEST"),
        ("401 Unauthorized", "MODEL_UNAUTHORIZED"),
        ("403 Forbidden", "MODEL_UNAUTHORIZED"),
        ("402 Payment Required", "MODEL_PAYMENT"),
        ("408 Request Timeout", "MODEL_RATE_LIMITED"),
        ("429 Too Many Requests", "MODEL_RATE_LIMITED"),
        ("500 Internal Server Error", "MODEL_FAILED"),
        ("503 Service Unavailable", "MODEL_FAILED"),
        ("529 Overloaded", "MODEL_FAILED"),
    ] {
        let body = "{\"error\":{\"message\":\"so it is\"}}";
        let server = Server::new(Script::status(status, "location: /elsewhere\r\n", body)).await;
        let answer = server.ask().await;
        assert_eq!(code(&answer), expected, "{status}");
        let told = answer.expect_err("a failure").to_string();
        assert!(told.contains("so it is") && told.contains(&status[..3]), "{told}");
        assert_eq!(server.requests().len(), 1, "nobody is sent elsewhere");
    }
}

#[tokio::test]
async fn the_time_to_wait_is_told() {
    let answer = ask(Script::status("429 Too Many Requests", "retry-after: 17\r\n", "slow down")).await;
    let retry_after = Some(Duration::from_secs(17));
    assert_eq!(answer, Err(ModelFailure::RateLimited { message: "status 429: slow down".to_owned(), retry_after }));
    let dates = "date: Wed, 21 Oct 2015 07:28:00 GMT\r\nretry-after: Wed, 21 Oct 2015 07:28:30 GMT\r\n";
    let answer = ask(Script::status("429 Too Many Requests", dates, "")).await;
    let Err(ModelFailure::RateLimited { retry_after, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(retry_after, Some(Duration::from_secs(30)));
}

#[tokio::test]
async fn a_stream_that_is_cut_is_broken_off() {
    let cut = BEGUN.len() / 2;
    for script in [
        Script::begun([BEGUN.as_bytes()]),
        Script::stream([BEGUN.as_bytes()]),
        Script::stream([&BEGUN.as_bytes()[..cut]]),
        Script::begun([]),
        Script::stream([]),
    ] {
        assert_eq!(code(&ask(script).await), "MODEL_BROKE_OFF");
    }
}

#[tokio::test]
async fn silence_ends_a_request() {
    let nothing = Script { pieces: Vec::new(), hangs: true };
    let begun = Script { hangs: true, ..Script::begun([BEGUN.as_bytes()]) };
    for script in [nothing, begun] {
        let server = Server::new(script).await;
        let limit = Duration::from_millis(200);
        let impatient = OpenAiOptions { connect_timeout: limit, idle_timeout: limit, ..server.options() };
        assert_eq!(client(impatient).chat(&request(), &Unheard).await, Err(ModelFailure::Timeout));
        let hurried = ChatRequest { deadline: limit, ..request() };
        assert_eq!(client(server.options()).chat(&hurried, &Unheard).await, Err(ModelFailure::Timeout));
    }
}

#[tokio::test]
async fn where_nobody_listens_there_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("bound"));
    drop(listener);
    let answer = client(OpenAiOptions::new(url, "small", key(), clock())).chat(&request(), &Unheard).await;
    assert_eq!(code(&answer), "MODEL_UNREACHABLE");
    let gone = ask(Script { pieces: Vec::new(), hangs: false }).await;
    assert_eq!(code(&gone), "MODEL_UNREACHABLE", "it hung up without a word: {gone:?}");
}

#[tokio::test]
async fn what_nobody_can_read_is_nonsense() {
    for body in ["data: {oops\n\n", "{\"choices\":", "{\"choices\":[]}", "data: [DONE]\n\n"] {
        let answer = ask(Script::status("200 OK", "", body)).await;
        assert_eq!(code(&answer), "MODEL_NONSENSE", "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn an_error_in_the_stream_is_a_failure() {
    let error = "data: {\"error\":{\"code\":503,\"message\":\"overloaded\"}}\n\n";
    let answer = ask(Script::stream([BEGUN.as_bytes(), error.as_bytes()])).await;
    assert_eq!(answer, Err(ModelFailure::Server("overloaded".to_owned())));
}

#[tokio::test]
async fn no_failure_tells_the_key_or_more_than_a_line() {
    let escaped = KEY.replace('/', "\\/");
    let long = "x".repeat(100_000);
    let words = format!("no key {KEY} nor {escaped}\\n\\u001b[31m{long}");
    let error = format!("{{\"error\":{{\"code\":401,\"message\":\"{words}\"}}}}");
    let wrong = format!("data: {{\"choices\":\"{words}\"}}\n\n");
    let mut scripts = vec![
        Script::stream([format!("data: {error}\n\n").as_bytes()]),
        Script::stream([wrong.as_bytes()]),
        Script::status("200 OK", "", &error),
        Script::status("200 OK", "", &format!("{{\"choices\":\"{words}\"}}")),
    ];
    for status in ["400 No", "401 No", "402 No", "404 No", "429 No", "500 No"] {
        scripts.push(Script::status(status, "", &error));
        scripts.push(Script::status(status, "", &format!("<p>{KEY}\n{words}")));
    }
    for script in scripts {
        let failure = ask(script).await.expect_err("a failure");
        for told in [failure.to_string(), format!("{failure:?}")] {
            assert!(!told.contains("0123456789"), "{told}");
        }
        let told = failure.to_string();
        assert!(told.len() < 400 && !told.chars().any(char::is_control), "{told}");
    }
}

//! Spans on their way to a collector on loopback.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bailiwick_domain::span::{Span, SpanKind, SpanOutcome, Tracer as _};
use bailiwick_telemetry::{OpenTelemetryTracer, OtlpOptions};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use zeroize::Zeroizing;

/// Far more than anything here takes, and finite.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a collector answers: these lines of a head, and a body. Nothing at all where there is
/// no answer.
type Answers = Arc<dyn Fn(usize) -> Option<(&'static str, &'static str)> + Send + Sync>;

struct Collector {
    url: String,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Collector {
    /// Answers each request, by its number.
    async fn new(answers: impl Fn(usize) -> Option<(&'static str, &'static str)> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let kept = Arc::clone(&requests);
        let answers: Answers = Arc::new(answers);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept), Arc::clone(&answers)));
            }
        });
        Self { url, requests }
    }

    fn tracer(&self, queue: usize) -> OpenTelemetryTracer {
        let key = || Ok(vec![("x-key".to_owned(), Zeroizing::new("a-long-enough-key".to_owned()))]);
        let options = OtlpOptions::new(self.url.as_str(), Arc::new(key));
        let (timeout, linger) = (Duration::from_millis(200), Duration::from_millis(20));
        OpenTelemetryTracer::new(OtlpOptions { queue, timeout, linger, ..options }).unwrap()
    }

    fn requests(&self) -> Vec<(String, Value)> {
        self.requests.lock().unwrap().clone()
    }

    /// The names of all spans, in the order in which they came.
    fn names(&self) -> Vec<String> {
        let of = |body: &Value| body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
        let spans = self.requests().iter().flat_map(|(_, body)| of(body)).collect::<Vec<_>>();
        spans.iter().map(|span| span["name"].as_str().unwrap().to_owned()).collect()
    }
}

async fn serve(mut stream: TcpStream, kept: Arc<Mutex<Vec<(String, Value)>>>, answers: Answers) {
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let whole = whole(&read);
        let Some((head, body, end)) = whole else {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => return,
                Ok(number) => read.extend_from_slice(&piece[..number]),
            }
            continue;
        };
        read.drain(..end);
        let number = {
            let mut kept = kept.lock().unwrap();
            kept.push((head, body));
            kept.len()
        };
        let Some((head, body)) = answers(number) else { return std::future::pending().await };
        let length = body.len();
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A request that is there as a whole: its head in lower case, its body, and where it ends.
fn whole(read: &[u8]) -> Option<(String, Value, usize)> {
    let end = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    let length: usize = length.trim().parse().unwrap();
    let body = read.get(end..end + length)?;
    Some((head, serde_json::from_slice(body).unwrap(), end + length))
}

fn span(name: &str) -> Span {
    Span {
        context: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap(),
        trace_state: None,
        parent: None,
        name: name.to_owned(),
        kind: SpanKind::Internal,
        began: 1,
        ended: 2,
        attributes: Vec::new(),
        outcome: SpanOutcome::Done,
    }
}

const OK: (&str, &str) = ("200 OK", "{}");

#[tokio::test]
async fn spans_that_come_together_are_sent_together() {
    let collector = Collector::new(|_| Some(OK)).await;
    let tracer = collector.tracer(100);
    for name in ["a", "b", "c"] {
        tracer.record(span(name));
    }
    tracer.stop(PATIENCE).await;
    assert_eq!((collector.names(), tracer.lost()), (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], 0));
    let requests = collector.requests();
    assert_eq!(requests.len(), 1);
    let head = &requests[0].0;
    for line in ["post /v1/traces http/1.1", "content-type: application/json", "x-key: a-long-enough-key"] {
        assert!(head.contains(line), "no {line} in {head}");
    }
    tracer.record(span("late"));
    assert_eq!(tracer.lost(), 1, "who comes after the stop is counted");
}

#[tokio::test]
async fn spans_are_sent_while_more_come() {
    let collector = Collector::new(|_| Some(OK)).await;
    let tracer = collector.tracer(100);
    tracer.record(span("a"));
    let begin = Instant::now();
    while collector.requests().is_empty() {
        assert!(begin.elapsed() < PATIENCE, "nothing comes");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tracer.record(span("b"));
    tracer.stop(PATIENCE).await;
    assert_eq!(collector.names(), ["a", "b"]);
}

#[tokio::test]
async fn what_may_be_taken_later_is_sent_again_and_nothing_else() {
    for (head, sent, lost) in [
        ("429 Too Many Requests\r\nretry-after: 0", 2, 0),
        ("503 Service Unavailable\r\nretry-after: 0", 2, 0),
        ("400 Bad Request", 1, 1),
        ("401 Unauthorized", 1, 1),
        ("500 Internal Server Error", 1, 1),
        ("302 Found\r\nlocation: http://127.0.0.1:1/", 1, 1),
    ] {
        let collector = Collector::new(move |number| Some(if number == 1 { (head, "") } else { OK })).await;
        let tracer = collector.tracer(100);
        tracer.record(span("a"));
        tracer.stop(PATIENCE).await;
        assert_eq!((collector.requests().len(), tracer.lost()), (sent, lost), "{head}");
    }
}

#[tokio::test]
async fn a_collector_that_says_when_is_asked_then() {
    let refused = ("503 Service Unavailable\r\nretry-after: 1", "");
    let collector = Collector::new(move |number| Some(if number == 1 { refused } else { OK })).await;
    let tracer = collector.tracer(100);
    let begin = Instant::now();
    tracer.record(span("a"));
    tracer.stop(PATIENCE).await;
    assert!(begin.elapsed() >= Duration::from_secs(1), "it came too early");
    assert_eq!((collector.names(), tracer.lost()), (vec!["a".to_owned(), "a".to_owned()], 0));
}

#[tokio::test]
async fn a_batch_that_nobody_takes_is_dropped_after_some_tries() {
    let collector = Collector::new(|_| Some(("503 Service Unavailable\r\nretry-after: 0", ""))).await;
    let tracer = collector.tracer(100);
    tracer.record(span("a"));
    tracer.stop(PATIENCE).await;
    assert_eq!((collector.requests().len(), tracer.lost()), (5, 1));
}

#[tokio::test]
async fn spans_that_a_collector_rejects_are_counted() {
    for answer in [r#"{"partialSuccess": {"rejectedSpans": "1"}}"#, r#"{"partialSuccess": {"rejectedSpans": 1}}"#] {
        let collector = Collector::new(move |_| Some(("200 OK", answer))).await;
        let tracer = collector.tracer(100);
        tracer.record(span("a"));
        tracer.record(span("b"));
        tracer.stop(PATIENCE).await;
        assert_eq!(tracer.lost(), 1, "{answer}");
    }
}

#[tokio::test]
async fn a_collector_that_hangs_keeps_nobody_waiting() {
    let collector = Collector::new(|_| None).await;
    let tracer = collector.tracer(10);
    tracer.record(span("first"));
    let begin = Instant::now();
    while collector.requests().is_empty() {
        assert!(begin.elapsed() < PATIENCE, "nothing comes");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The first one is under way; the queue has room for ten.
    let begin = Instant::now();
    for _ in 0..15 {
        tracer.record(span("more"));
    }
    assert!(begin.elapsed() < Duration::from_millis(100), "it waited for {:?}", begin.elapsed());
    assert_eq!(tracer.lost(), 5, "what has no room is dropped, and counted");
    let begin = Instant::now();
    tracer.stop(Duration::from_millis(100)).await;
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(2), "the stop took {took:?}");
}

#[tokio::test]
async fn headers_that_can_not_be_had_are_asked_for_again() {
    let collector = Collector::new(|_| Some(OK)).await;
    let asked = Mutex::new(0);
    let headers = move || {
        let mut asked = asked.lock().unwrap();
        *asked += 1;
        if *asked == 1 { Err("the secret can't be read".to_owned()) } else { Ok(Vec::new()) }
    };
    let options = OtlpOptions::new(collector.url.as_str(), Arc::new(headers));
    let tracer = OpenTelemetryTracer::new(options).unwrap();
    tracer.record(span("a"));
    tracer.stop(PATIENCE).await;
    assert_eq!((collector.names(), tracer.lost()), (vec!["a".to_owned()], 0));
}

#[test]
fn a_tracer_without_a_runtime_loses_nothing_but_spans() {
    let options = OtlpOptions { queue: 1, ..OtlpOptions::new("http://127.0.0.1:1", Arc::new(|| Ok(Vec::new()))) };
    let tracer = OpenTelemetryTracer::new(options).unwrap();
    tracer.record(span("a"));
    tracer.record(span("b"));
    assert_eq!(tracer.lost(), 1);
}

//! Answers as services write them, in any pieces.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bailiwick_domain::model::{ChatAnswer, Finish, Listener, Message, ModelFailure, ToolCall, Unheard, Usd};

use super::answer::Prices;
use super::stream::{Progress, Reader};

/// Text over two events, a letter of two bytes in it, comments, unknown fields, an event
/// without choices, usage at the end.
const TEXT: &str = concat!(
    ": PROCESSING\n\n",
    "event: message\r\nid: 1\r\n",
    "data: {\"id\":\"g\",\"new\":{\"x\":[1]},\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n",
    "data:{\"choices\":[{\"delta\":{\"content\":\"Gr\u{fc}\"},\"finish_reason\":null,\"logprobs\":null}],\"usage\":null}\n\n",
    "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"another\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\u{df}e\",\"tool_calls\":null},\"finish_reason\":null}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3,\"cost\":0.0000021,\"more\":{}}}\n\n",
    "data: [DONE]\n\n",
);

/// Two calls at once, their pieces mixed, the second without an id.
const CALLS: &str = concat!(
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a1\",\"type\":\"function\",",
    "\"function\":{\"name\":\"look\",\"arguments\":\"\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"x\\\":\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"name\":\"go\",\"arguments\":\"{\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1}\"}},",
    "{\"index\":1,\"function\":{\"arguments\":\"}\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n",
    "data: [DONE]\n\n",
);

#[derive(Default)]
struct Heard(Mutex<String>);

impl Heard {
    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Listener for Heard {
    fn text(&self, piece: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(piece);
    }

    fn again(&self, _: &ModelFailure, _: &str, _: Duration) {}
}

/// What is read of `pieces`, after which the service says no more.
fn read<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    listener: &dyn Listener,
    cut: Option<ModelFailure>,
) -> Result<ChatAnswer, ModelFailure> {
    let mut reader = Reader::new(listener);
    let mut progress = Progress::More;
    for piece in pieces {
        progress = reader.feed(piece)?;
        if progress == Progress::Done {
            break;
        }
    }
    let cut = cut.filter(|_| progress == Progress::More);
    let earlier = [Message::Assistant { text: String::new(), calls: vec![call("e", "look", "{}")] }];
    reader.end(cut)?.complete("acme/small", &earlier, Prices::new(Some(0.15), Some(2.0)))
}

fn whole(text: &str) -> Result<ChatAnswer, ModelFailure> {
    read([text.as_bytes()], &Unheard, None)
}

fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
}

fn event(choice: &str) -> String {
    format!("data: {{\"choices\":[{choice}]}}\n\n")
}

#[test]
fn a_stream_becomes_an_answer() {
    let heard = Heard::default();
    let answer = read([TEXT.as_bytes()], &heard, None).expect("an answer");
    assert_eq!((answer.text.as_str(), heard.text().as_str()), ("Grüße", "Grüße"));
    assert_eq!((answer.model.as_str(), answer.finish, answer.calls.len()), ("acme/small", Finish::Stop, 0));
    assert_eq!((answer.cost.input_tokens, answer.cost.output_tokens), (12, 3));
    assert_eq!(answer.cost.usd, Usd::from_nanos(2_100));
}

#[test]
fn pieces_of_calls_are_joined_and_ids_made_where_there_are_none() {
    let answer = whole(CALLS).expect("an answer");
    assert_eq!(answer.calls, [call("a1", "look", "{\"x\":1}"), call("call_3", "go", "{}")]);
    assert_eq!((answer.text.as_str(), answer.finish, answer.cost.usd), ("", Finish::Stop, Usd::ZERO));
}

#[test]
fn the_answer_is_the_same_wherever_its_bytes_are_split() {
    for text in [TEXT, CALLS] {
        let expected = whole(text).expect("an answer");
        let bytes = text.as_bytes();
        for at in 0..=bytes.len() {
            let (one, other) = bytes.split_at(at);
            assert_eq!(read([one, other], &Unheard, None).as_ref(), Ok(&expected), "at {at}");
        }
        assert_eq!(read(bytes.chunks(1), &Unheard, None), Ok(expected), "byte by byte");
    }
}

#[test]
fn a_stream_that_ends_before_the_model_said_why_is_broken_off() {
    for text in [TEXT, CALLS] {
        let bytes = text.as_bytes();
        let complete = text.find("finish_reason\":\"").expect("it is there");
        let complete = complete + text[complete..].find('\n').expect("the line ends");
        for at in 0..bytes.len() {
            let answer = read([&bytes[..at]], &Unheard, None);
            let broken = matches!(answer, Err(ModelFailure::BrokenOff(_)));
            assert_eq!(broken, at < complete, "at {at}: {answer:?}");
            let silence = read([&bytes[..at]], &Unheard, Some(ModelFailure::Timeout));
            assert_eq!(silence == Err(ModelFailure::Timeout), at < complete, "at {at}: {silence:?}");
        }
    }
}

#[test]
fn an_answer_in_one_piece_is_taken_too() {
    let json = concat!(
        " \n{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi\",\"tool_calls\":[",
        "{\"id\":\"a\",\"function\":{\"name\":\"look\",\"arguments\":{\"x\":1}}},{\"function\":{\"name\":\"go\"}}]},",
        "\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":1000000,\"completion_tokens\":3}}",
    );
    let heard = Heard::default();
    let answer = read(json.as_bytes().chunks(7), &heard, None).expect("an answer");
    assert_eq!((answer.text.as_str(), heard.text().as_str(), answer.finish), ("Hi", "Hi", Finish::Length));
    assert_eq!(answer.calls, [call("a", "look", "{\"x\":1}"), call("call_3", "go", "")]);
    // By the prices of the options: 0.15 for a million tokens, and 3 times 0.000002.
    assert_eq!(answer.cost.usd.to_string(), "0.150006");
    let cut = read([&json.as_bytes()[..90]], &Unheard, Some(ModelFailure::Timeout));
    assert_eq!(cut, Err(ModelFailure::Timeout));
    assert!(matches!(whole("{\"choices\": [{"), Err(ModelFailure::Nonsense(_))));
    assert!(matches!(whole("{\"object\": \"list\"}"), Err(ModelFailure::Nonsense(_))));
}

#[test]
fn calls_are_told_apart_without_indices_and_with_wrong_ones() {
    let piece = |piece: &str| event(&format!("{{\"delta\":{{\"tool_calls\":[{piece}]}}}}"));
    let by_id = [
        piece("{\"id\":\"a\",\"function\":{\"name\":\"look\",\"arguments\":\"{\"}}"),
        piece("{\"function\":{\"arguments\":\"}\"}}"),
        piece("{\"id\":\"b\",\"function\":{\"name\":\"look\",\"arguments\":\"{}\"}}"),
        "data: [DONE]".to_owned(),
    ];
    let expected = [call("a", "look", "{}"), call("b", "look", "{}")];
    assert_eq!(whole(&by_id.concat()).expect("an answer").calls, expected);
    let all_first = [
        piece("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"look\",\"arguments\":\"{\"}}"),
        piece("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"look\",\"arguments\":\"}\"}}"),
        piece("{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"look\",\"arguments\":\"{}\"}}"),
        "data: [DONE]".to_owned(),
    ];
    assert_eq!(whole(&all_first.concat()).expect("an answer").calls, expected);
}

#[test]
fn reasons_to_end_are_read() {
    let ending = |reason: &str| whole(&event(&format!("{{\"delta\":{{}},\"finish_reason\":\"{reason}\"}}")));
    for (reason, finish) in [
        ("stop", Finish::Stop),
        ("tool_calls", Finish::Stop),
        ("length", Finish::Length),
        ("content_filter", Finish::Refusal),
        ("the_moon", Finish::Stop),
    ] {
        assert_eq!(ending(reason).map(|answer| answer.finish), Ok(finish), "{reason}");
    }
    assert!(matches!(ending("error"), Err(ModelFailure::Server(_))));
    let refusal = event("{\"delta\":{\"refusal\":\"I won't.\"},\"finish_reason\":\"stop\"}");
    let answer = whole(&refusal).expect("an answer");
    assert_eq!((answer.text.as_str(), answer.finish), ("I won't.", Finish::Refusal));
}

#[test]
fn errors_in_a_stream_are_failures_even_behind_text() {
    let begun = event("{\"delta\":{\"content\":\"Well\"}}");
    let error =
        "data: {\"error\":{\"code\":429,\"message\":\"slow down\"},\"choices\":[{\"finish_reason\":\"error\"}]}\n\n";
    let limited = ModelFailure::RateLimited { message: "slow down".to_owned(), retry_after: None };
    assert_eq!(whole(&format!("{begun}{error}")), Err(limited));
    let within = event("{\"error\":{\"code\":502,\"message\":\"down\"},\"finish_reason\":\"error\"}");
    assert_eq!(whole(&within), Err(ModelFailure::Server("down".to_owned())));
    assert_eq!(whole("{\"error\":{\"code\":402,\"message\":\"pay\"}}"), Err(ModelFailure::Payment("pay".to_owned())));
}

#[test]
fn what_nobody_can_read_is_nonsense() {
    let many = event("{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"go\"}}]}}").repeat(65);
    let nameless = event("{\"delta\":{\"tool_calls\":[{\"index\":0}]},\"finish_reason\":\"stop\"}");
    for bad in ["data: {oops}\n", "data: \u{fffd}\n", "data: [DONE]\n", "data: {\"choices\":7}\n", &many, &nameless] {
        let answer = whole(bad);
        assert!(matches!(answer, Err(ModelFailure::Nonsense(_))), "{answer:?}");
    }
    let mut bytes = event("{\"delta\":{\"content\":\"x\"}}").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'x').expect("it is there");
    bytes[at] = 0xff;
    assert!(matches!(read([bytes.as_slice()], &Unheard, None), Err(ModelFailure::Nonsense(_))));
}

#[test]
fn an_answer_without_end_is_ended() {
    let piece = event(&format!("{{\"delta\":{{\"content\":\"{}\"}}}}", "x".repeat(1 << 20)));
    let pieces = std::iter::repeat_n(piece.as_bytes(), 5);
    assert!(matches!(read(pieces, &Unheard, None), Err(ModelFailure::Nonsense(_))));
    let comment = format!(":{}\n", "x".repeat(1 << 20));
    let pieces = std::iter::repeat_n(comment.as_bytes(), 65);
    assert!(matches!(read(pieces, &Unheard, None), Err(ModelFailure::Nonsense(_))));
}

#[test]
fn parts_of_a_text_are_joined_and_thoughts_left_out() {
    let parts = "[{\"type\":\"thinking\",\"thinking\":\"hm\"},{\"type\":\"text\",\"text\":\"Yes\"}]";
    let answer = whole(&event(&format!("{{\"delta\":{{\"content\":{parts}}},\"finish_reason\":\"stop\"}}")));
    assert_eq!(answer.map(|answer| answer.text), Ok("Yes".to_owned()));
}

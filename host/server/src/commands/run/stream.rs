//! What the host tells of a run: server-sent events, read as they come.

use bailiwick_wire::run::{RunEvent, RunNews};
use serde::de::DeserializeOwned;

use crate::desk::{refused, unreadable};
use crate::output::{Exit, Failure};

/// Bytes of one event: more than the host keeps of anything.
const MAX_EVENT: usize = 64 << 20;

/// The status of a problem that says none.
const FAILED: u16 = 500;

/// What is told but not kept.
const HEARD: [&str; 4] = ["model.text", "model.again", "skill.progress", "skill.log"];

/// What kept events begin with.
const KEPT: [&str; 5] = ["run.", "task.", "step.", "call.", "approval."];

/// One thing that the host tells.
pub(in crate::commands) enum Told {
    /// An event, which is kept.
    Kept(Box<RunEvent>),
    /// Something that is not, with its name.
    Heard(String, RunNews),
}

/// Puts pieces of a stream together.
#[derive(Default)]
pub(in crate::commands) struct Reader {
    /// The beginning of a line.
    line: Vec<u8>,
    name: String,
    data: String,
}

impl Reader {
    /// What `piece` makes complete.
    pub(in crate::commands) fn read(&mut self, piece: &[u8]) -> Result<Vec<Told>, Failure> {
        let mut told = Vec::new();
        let mut lines = piece.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = lines.next() {
            self.line.extend_from_slice(part);
            if self.line.len() + self.data.len() > MAX_EVENT {
                return Err(Failure::new(Exit::Host, "the host told an event that is larger than any may be"));
            }
            // The last part is no line yet.
            if lines.peek().is_some() {
                let line = std::mem::take(&mut self.line);
                told.extend(self.take(&String::from_utf8_lossy(&line))?);
            }
        }
        Ok(told)
    }

    fn take(&mut self, line: &str) -> Result<Option<Told>, Failure> {
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            return self.end();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            // Numbers stand in the data too, and comments only keep the connection up.
            _ => {}
        }
        Ok(None)
    }

    fn end(&mut self) -> Result<Option<Told>, Failure> {
        let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
        if HEARD.contains(&name.as_str()) {
            let news = parse(&data)?;
            return Ok(Some(Told::Heard(name, news)));
        }
        if name == "problem" {
            return Err(refused(data.as_bytes(), FAILED));
        }
        // What later hosts tell besides is nothing for this command.
        let kept = KEPT.iter().any(|kind| name.starts_with(kind));
        if kept { parse(&data).map(|event| Some(Told::Kept(Box::new(event)))) } else { Ok(None) }
    }
}

fn parse<T: DeserializeOwned>(data: &str) -> Result<T, Failure> {
    serde_json::from_str(data).map_err(|error| unreadable(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = concat!(
        ": nothing new\n\n",
        "event: step.ended\r\nid: 7\r\n",
        "data: {\"run\":\"01\",\"seq\":7,\"at\":\"2026-11-20T11:00:00.000Z\",\r\n",
        "data: \"kind\":\"step.ended\",\"step\":2,\"output\":{\"a\":1.50}}\r\n\r\n",
        "event: model.text\ndata:{\"run\":\"01\",\"step\":3,\"task\":0,\"piece\":\"é: x\"}\n\n",
        "event: weather\ndata: fine\n\n",
    );

    fn shown(told: Vec<Told>) -> Vec<String> {
        let show = |told: Told| match told {
            Told::Kept(event) => {
                let output = event.output.as_ref().map(|output| output.get().to_owned());
                format!("{} {} {output:?}", event.seq, event.kind)
            }
            Told::Heard(name, news) => format!("{name} {:?}", news.piece),
        };
        told.into_iter().map(show).collect()
    }

    #[test]
    fn events_are_the_same_in_whatever_pieces_they_come() {
        let expected = [r#"7 step.ended Some("{\"a\":1.50}")"#, r#"model.text Some("é: x")"#];
        for size in [1, 2, 3, 7, 64, STREAM.len()] {
            let (mut reader, mut told) = (Reader::default(), Vec::new());
            for piece in STREAM.as_bytes().chunks(size) {
                told.extend(reader.read(piece).expect("readable"));
            }
            assert_eq!(shown(told), expected, "pieces of {size} bytes");
        }
    }

    #[test]
    fn what_is_no_event_is_an_error() {
        let mut reader = Reader::default();
        assert!(reader.read(b"event: run.started\ndata: {\"seq\":1}\n\n").is_err());
    }

    #[test]
    fn the_problem_that_ends_a_stream_is_told() {
        let problem = concat!(
            "event: problem\n",
            "data: {\"type\":\"t\",\"title\":\"t\",\"status\":500,\"code\":\"run-damaged\",\"detail\":\"from 7 on\"}\n\n",
        );
        let failure = Reader::default().read(problem.as_bytes()).err().expect("a failure");
        assert_eq!((failure.exit, failure.message.as_str()), (Exit::Host, "from 7 on"));
    }
}

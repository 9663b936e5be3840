//! `bailiwick runs events`: what happened to a run, a line each.

use std::io;

use bailiwick_wire::run::{RunEvent, RunEvents};

use crate::commands::run::{Reader, Told, line};
use crate::desk::{Desk, refused, unreadable};
use crate::output::{Done, Failure, Output};

/// Events on a page of the route, as many as it gives.
const PAGE: u32 = 1000;

/// Prints what there is behind the event `after`.
pub(super) fn list(id: &str, after: u64, desk: &Desk, out: Output) -> Done {
    let headers = [("accept", "application/json".to_owned())];
    let mut after = after;
    loop {
        let path = format!("/v1/agents/runs/{id}/events?after={after}&limit={PAGE}");
        let (status, bytes) = desk.exchange("GET", &path, &headers, None)?;
        if status != 200 {
            return Err(refused(&bytes, status));
        }
        let page: RunEvents = serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))?;
        page.events.iter().for_each(|event| print(event, out));
        if page.events.is_empty() || page.next <= after {
            return Ok(());
        }
        after = page.next;
    }
}

/// Prints the same, and what happens until the run is over.
pub(super) fn follow(id: &str, after: u64, desk: &Desk, out: Output) -> Done {
    let mut reader = Reader::default();
    let mut wrong: Option<Failure> = None;
    let path = format!("/v1/agents/runs/{id}/events?after={after}");
    let read = desk.stream(&path, &mut |piece| {
        let told = reader.read(piece).map_err(|failure| {
            let text = failure.message.clone();
            wrong = Some(failure);
            io::Error::other(text)
        })?;
        for told in told {
            if let Told::Kept(event) = told {
                print(&event, out);
            }
        }
        Ok(())
    });
    wrong.map_or(read, Err)
}

fn print(event: &RunEvent, out: Output) {
    if out.json {
        // One line each: a stream of events has no end that a list could close at.
        out.line(serde_json::to_string(event).unwrap_or_default());
    } else {
        out.line(line(event));
    }
}

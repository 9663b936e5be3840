//! What calls did, as it happens: their logs, and their records in the audit chain.

use std::fmt::{self, Write as _};
use std::io;
use std::sync::Weak;
use std::thread;
use std::time::Duration;

use bailiwick_authoring::shown;
use bailiwick_skills::execute::Executor;
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::output::{Output, tame};

/// How often the chain is looked at.
const EVERY: Duration = Duration::from_millis(100);

/// Records that are read at once.
const PAGE: usize = 200;

/// What is logged where `RUST_LOG` says nothing: what skills write, and what is amiss.
const DEFAULT: &str = "warn,bailiwick::guest=debug";

/// The target of what skills write.
const GUEST: &str = "bailiwick::guest";

/// Prints what skills write, and what the host warns of.
pub(super) fn follow_logs(out: Output) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    // A log that was started before stays as it is.
    let _ = tracing_subscriber::registry().with(Lines(out).with_filter(filter)).try_init();
}

/// Prints the record of each call that ends, until the host is gone.
pub(super) fn follow(executor: Weak<Executor>, out: Output) -> io::Result<()> {
    let follow = move || {
        let mut place = 0;
        loop {
            let Some(executor) = executor.upgrade() else { return };
            let read = executor.audit().chain(place, PAGE).unwrap_or_default();
            drop(executor);
            for entry in &read {
                place = entry.link.seq;
                let record: Value = serde_json::from_str(&entry.record).unwrap_or_default();
                if matches!(record["kind"].as_str(), Some("call" | "refusal")) {
                    print(&record, out);
                }
            }
            thread::sleep(EVERY);
        }
    };
    thread::Builder::new().name("dev-receipts".to_owned()).spawn(follow).map(drop)
}

fn print(record: &Value, out: Output) {
    if out.json {
        out.line(json!({ "record": record }));
        return;
    }
    let text = |key: &str| tame(record[key].as_str().unwrap_or_default()).into_owned();
    let outcome = text("outcome");
    let outcome = if outcome == "succeeded" { out.green(&outcome) } else { out.red(&outcome) };
    let mut line = format!("call {} {outcome}", out.bold(&text("tool")));
    if let Some(wall) = record["usage"]["wall_us"].as_u64() {
        let _ = write!(line, "  {}", shown::time(wall.saturating_mul(1000)));
    }
    if let Some(memory) = record["usage"]["memory_bytes"].as_u64() {
        let _ = write!(line, ", {} of memory", shown::size(memory));
    }
    out.line(line);
    let used = record["used"].as_array().into_iter().flatten().filter_map(Value::as_str);
    used.for_each(|used| out.line(format!("  used: {}", tame(used))));
    for denial in record["denials"].as_array().into_iter().flatten() {
        let text = |key: &str| denial[key].as_str().unwrap_or_default().to_owned();
        let denial = format!("denied: {}: {} ({})", text("capability"), text("request"), text("reason"));
        out.line(format!("  {}", out.red(&tame(&denial))));
    }
    let reason = text("reason");
    if !reason.is_empty() {
        out.line(format!("  {reason}"));
    }
}

/// Prints events as lines of a session.
struct Lines(Output);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let (out, metadata) = (self.0, event.metadata());
        if metadata.target() == GUEST {
            if out.json {
                out.line(json!({ "log": words.message, "tool": words.tool }));
            } else {
                out.line(format!("  log of {}: {}", words.tool, tame(&words.message)));
            }
        } else {
            crate::output::note(format!("{}: {}{}", metadata.level(), tame(&words.message), tame(&words.others)));
        }
    }
}

/// The fields of an event.
#[derive(Default)]
struct Words {
    message: String,
    tool: String,
    others: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "tool" => format!("{value:?}").trim_matches('"').clone_into(&mut self.tool),
            // Writing to a string can't fail.
            name => drop(write!(self.others, " {name}={value:?}")),
        }
    }
}

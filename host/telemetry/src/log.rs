//! Spans as lines of the log.

use std::time::Duration;

use bailiwick_domain::digest::hex;
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::span::{Attribute, Span, Tracer};
use serde_json::{Map, Value};

/// Writes each span into the log, in one line.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoggingTracer;

impl Tracer for LoggingTracer {
    fn is_on(&self) -> bool {
        true
    }

    fn record(&self, span: Span) {
        let parent = span.parent.map(|parent| hex(&parent)).unwrap_or_default();
        tracing::info!(
            target: "bailiwick::span",
            trace_id = span.context.trace_id_hex(),
            span_id = hex(&span.context.span_id),
            parent_span_id = parent,
            name = span.name,
            took_ms = span.ended.saturating_sub(span.began),
            outcome = span.outcome.name(),
            attributes = %attributes(&span),
            "span"
        );
    }

    fn lost(&self) -> u64 {
        0
    }

    fn stop(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

fn attributes(span: &Span) -> Value {
    let value = |attribute: &Attribute| match attribute {
        Attribute::Text(text) => Value::from(text.as_str()),
        Attribute::Texts(texts) => Value::from(texts.clone()),
        Attribute::Number(number) => Value::from(*number),
        Attribute::Real(number) => Value::from(*number),
        Attribute::Flag(flag) => Value::from(*flag),
    };
    let named = |(name, attribute): &(&'static str, Attribute)| ((*name).to_owned(), value(attribute));
    Value::Object(span.attributes.iter().map(named).collect::<Map<_, _>>())
}

//! Spans: what happened in a trace, told to whoever keeps traces.

use std::time::Duration;

use crate::sandbox::BoxFuture;
use crate::trace::TraceContext;

/// Something that began and ended. It has names, sizes and numbers, and nothing that was
/// asked or said.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its trace, and its own id in it.
    pub context: TraceContext,
    /// What others say of the trace: a `tracestate`.
    pub trace_state: Option<String>,
    /// The span that it is a part of; none where the trace begins with it.
    pub parent: Option<[u8; 8]>,
    /// Of few kinds: `chat small`.
    pub name: String,
    /// Where it happened.
    pub kind: SpanKind,
    /// Milliseconds since 1970.
    pub began: u64,
    /// The same.
    pub ended: u64,
    /// What is known of it, by the names of the semantic conventions of OpenTelemetry where
    /// these have one.
    pub attributes: Vec<(&'static str, Attribute)>,
    /// How it ended.
    pub outcome: SpanOutcome,
}

/// Where something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// On this host.
    Internal,
    /// Elsewhere, because this host asked for it.
    Client,
}

/// How something ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpanOutcome {
    /// As it was meant to.
    Done,
    /// By a failure: a stable name.
    Failed(String),
    /// Before its end, by a person's word or a stop of the host.
    Ended,
}

/// What is known of a span.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// A name.
    Text(String),
    /// Several.
    Texts(Vec<String>),
    /// A number.
    Number(u64),
    /// One with places.
    Real(f64),
    /// Yes or no.
    Flag(bool),
}

/// Takes spans that have ended. Never waits, and keeps nobody waiting.
pub trait Tracer: Send + Sync + 'static {
    /// Whether anybody wants spans, so that nobody makes them for no one.
    fn is_on(&self) -> bool;

    /// Takes one.
    fn record(&self, span: Span);

    /// How many were taken and not handed on.
    fn lost(&self) -> u64;

    /// Hands on what is left, and takes nothing more. It is over after `within`.
    fn stop(&self, within: Duration) -> BoxFuture<'_, ()>;
}

/// For hosts that nobody traces.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullTracer;

impl Tracer for NullTracer {
    fn is_on(&self) -> bool {
        false
    }

    fn record(&self, _: Span) {}

    fn lost(&self) -> u64 {
        0
    }

    fn stop(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl SpanOutcome {
    /// As it stands in logs: the code of a failure, `done`, or `ended`.
    pub fn name(&self) -> &str {
        match self {
            Self::Done => "done",
            Self::Failed(code) => code,
            Self::Ended => "ended",
        }
    }
}

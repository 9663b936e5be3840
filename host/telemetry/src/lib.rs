//! Where traces go: to the log, or to a collector that speaks OpenTelemetry's protocol.
//!
//! Both take spans behind the domain's `Tracer`. Nobody who hands a span over ever waits: what
//! can't be kept is dropped, and counted.

pub mod log;
pub mod otlp;

pub use self::log::LoggingTracer;
pub use self::otlp::{HeaderSource, OpenTelemetryTracer, OptionsError, OtlpOptions};

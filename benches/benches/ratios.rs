//! Measures the host beside its floor and ends with one table of ratios.
//!
//! `cargo bench --workspace --bench ratios -- call memory` measures only these.
#![expect(clippy::print_stderr, reason = "the table alone goes to the standard output")]

use bailiwick_benches::report::{self, Row};
use bailiwick_benches::{call, child, http, journal, memory, ready, runs};

/// The name of a measurement, and what makes it.
type Measurement = (&'static str, fn() -> Vec<Row>);

/// Everything that is measured, by the name that a command line can give.
const MEASUREMENTS: [Measurement; 8] = [
    ("call", call::measure),
    ("http", http::measure),
    ("journal", journal::measure),
    ("memory", memory::measure),
    ("queue", runs::queue::measure),
    ("ready", ready::measure),
    ("recovery", runs::recovery::measure),
    ("runs", runs::measure),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if child::play(&arguments) {
        return;
    }
    // Cargo adds options of its own.
    let wanted: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let mut rows = Vec::new();
    for (name, measure) in MEASUREMENTS {
        if wanted.is_empty() || wanted.iter().any(|it| *it == name) {
            eprintln!("measuring: {name}");
            rows.extend(measure());
        }
    }
    report::publish(&rows);
}

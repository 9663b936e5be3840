//! The table of ratios.

use std::fmt::Write as _;
use std::fs;

use crate::guests;

/// What a row has to reach.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// Ours divided by the floor is at most this.
    RatioAtMost(f64),
    /// Ours divided by the floor is at least this.
    RatioAtLeast(f64),
    /// Our own value is at most this.
    OursAtMost(f64),
    /// Our own value is at least this.
    OursAtLeast(f64),
    /// It is there to be seen.
    None,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// What the numbers count, such as `µs`.
    pub unit: &'static str,
    /// The host's number.
    pub ours: f64,
    /// The floor's.
    pub floor: f64,
    /// What the row has to reach.
    pub goal: Goal,
}

impl Row {
    /// Whether the goal is reached; nothing where there is none.
    pub fn is_met(&self) -> Option<bool> {
        match self.goal {
            Goal::RatioAtMost(limit) => Some(self.ratio() <= limit),
            Goal::RatioAtLeast(limit) => Some(self.ratio() >= limit),
            Goal::OursAtMost(limit) => Some(self.ours <= limit),
            Goal::OursAtLeast(limit) => Some(self.ours >= limit),
            Goal::None => None,
        }
    }

    fn ratio(&self) -> f64 {
        self.ours / self.floor
    }

    fn goal(&self) -> String {
        match self.goal {
            Goal::RatioAtMost(limit) => format!("ratio ≤ {}", short(limit)),
            Goal::RatioAtLeast(limit) => format!("ratio ≥ {}", short(limit)),
            Goal::OursAtMost(limit) => format!("ours ≤ {}", short(limit)),
            Goal::OursAtLeast(limit) => format!("ours ≥ {}", short(limit)),
            Goal::None => "–".to_owned(),
        }
    }
}

/// All rows as a table in Markdown, with what the machine was like below it.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = String::from("| what | ours | floor | ratio | goal | |\n|---|---:|---:|---:|---|---|\n");
    for row in rows {
        let verdict = match row.is_met() {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "",
        };
        let (what, ratio, goal) = (&row.what, row.ratio(), row.goal());
        let (ours, floor) = (number(row.ours, row.unit), number(row.floor, row.unit));
        let digits = digits(ratio);
        // Writing to a string can't fail.
        let _ = writeln!(text, "| {what} | {ours} | {floor} | {ratio:.digits$} | {goal} | {verdict} |");
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let _ = writeln!(text, "\n{}, {cores} cores, load average {}.", processor(), load());
    text
}

/// Prints the table and writes it to `target/bench-report.md`.
#[expect(clippy::print_stdout, reason = "the table is what a person waits for")]
pub fn publish(rows: &[Row]) {
    let text = markdown(rows);
    fs::write(guests::target().join("bench-report.md"), &text).unwrap();
    println!("\n{text}");
}

/// With two digits behind the point at most, or three where two would say little.
fn short(limit: f64) -> String {
    let digits = digits(limit);
    format!("{limit:.digits$}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Digits behind the point of a ratio.
fn digits(ratio: f64) -> usize {
    if ratio < 0.1 { 3 } else { 2 }
}

fn number(value: f64, unit: &str) -> String {
    let digits = match value {
        value if value >= 1000.0 => 0,
        value if value >= 100.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}").trim_end().to_owned()
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown processor").to_owned()
}

/// Programs that wanted to run in the last minute: this run and all others.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}

//! Words and numbers of runs, as people read them in one line.

use std::time::{SystemTime, UNIX_EPOCH};

use bailiwick_api::time;
use bailiwick_wire::run::{RunRole, RunSpend, RunStatus, RunStrategy};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::output::counted;

/// The first `max` characters of `text` in one line, without what could steer the terminal.
pub(in crate::commands) fn one_line(text: &str, max: usize) -> String {
    clip(text.trim(), max)
}

/// The same with the blanks that it begins with.
pub(super) fn clip(text: &str, max: usize) -> String {
    // No more is looked at than is shown: the text may be large.
    let mut line: String = text.chars().take(max).map(plain).collect();
    if text.chars().nth(max).is_some() {
        line.pop();
        line.push('…');
    }
    line
}

/// The last `max` characters of `text`, likewise.
pub(super) fn tail(text: &str, max: usize) -> String {
    let text = text.trim_end();
    let mut last: Vec<char> = text.chars().rev().take(max).map(plain).collect();
    if text.chars().rev().nth(max).is_some() {
        last.pop();
        last.push('…');
    }
    last.into_iter().rev().collect()
}

fn plain(c: char) -> char {
    match c {
        '\n' | '\t' | '\r' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// JSON in one line: a text without its quotes.
pub(in crate::commands) fn value(value: &Value, max: usize) -> String {
    match value {
        Value::String(text) => one_line(text, max),
        value => one_line(&value.to_string(), max),
    }
}

/// The same of JSON as it was written.
pub(super) fn raw(raw: &RawValue, max: usize) -> String {
    serde_json::from_str::<String>(raw.get()).map_or_else(|_| one_line(raw.get(), max), |text| one_line(&text, max))
}

/// A time between two moments: `412 ms`, `12.3 s`, `3 min 05 s`, `2 h 05 min`.
pub(in crate::commands) fn span(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0 => format!("{millis} ms"),
        1..60 => format!("{seconds}.{} s", millis % 1000 / 100),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// What was taken: `3 steps, 812+64 tokens, $0.0021`. Steps alone where there is no more.
pub(in crate::commands) fn spend(spend: &RunSpend) -> String {
    [Some(counted(spend.steps, "step")), tokens(spend), usd(spend.usd)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

/// Tokens of requests and of answers, where there are some.
pub(super) fn tokens(spend: &RunSpend) -> Option<String> {
    let any = spend.input_tokens > 0 || spend.output_tokens > 0;
    any.then(|| format!("{}+{} tokens", spend.input_tokens, spend.output_tokens))
}

/// Dollars, where something was paid.
pub(in crate::commands) fn usd(usd: f64) -> Option<String> {
    match usd {
        usd if usd >= 0.0001 => Some(format!("${usd:.4}")),
        usd if usd > 0.0 => Some("<$0.0001".to_owned()),
        _ => None,
    }
}

/// A time of an answer in milliseconds since 1970.
pub(super) fn millis(text: &str) -> Option<u64> {
    time::parse(text).ok().map(since_1970)
}

/// Milliseconds since 1970.
pub(in crate::commands) fn since_1970(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A status as it stands in answers.
pub(in crate::commands) const fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => "queued",
        RunStatus::Running => "running",
        RunStatus::WaitingApproval => "waiting_approval",
        RunStatus::Paused => "paused",
        RunStatus::Interrupted => "interrupted",
        RunStatus::Completed => "completed",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
    }
}

/// Whether nothing happens to the run any more.
pub(in crate::commands) const fn is_over(status: RunStatus) -> bool {
    matches!(status, RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled)
}

/// As what an agent is at work, where that is not the usual.
pub(super) const fn role(role: RunRole) -> Option<&'static str> {
    match role {
        RunRole::Work => None,
        RunRole::Route => Some("route"),
        RunRole::Reduce => Some("reduce"),
        RunRole::Drive => Some("workflow"),
    }
}

/// A strategy in one line: `single researcher`.
pub(in crate::commands) fn strategy(strategy: &RunStrategy) -> String {
    let line = match strategy {
        RunStrategy::Single { agent } => format!("single {agent}"),
        RunStrategy::Router { agents, by, .. } => {
            let by = by.as_ref().map(|by| format!(", chosen by {by}")).unwrap_or_default();
            format!("router {}{by}", agents.join(", "))
        }
        RunStrategy::Workflow { skill } => format!("workflow {skill}"),
        RunStrategy::Graph { graph, .. } => {
            format!("graph of {} nodes and {} edges", graph.nodes.len(), graph.edges.len())
        }
        RunStrategy::Handoff { agents, first, .. } => {
            let first = first.as_ref().map(|first| format!(", {first} begins")).unwrap_or_default();
            format!("handoff {}{first}", agents.join(", "))
        }
        RunStrategy::ParallelMap { agent, items, reduce, .. } => {
            let reduce = reduce.as_ref().map(|reduce| format!(", made one by {reduce}")).unwrap_or_default();
            format!("parallel_map {agent} over {} items{reduce}", items.len())
        }
    };
    one_line(&line, 200)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn foreign_text_stays_in_its_line_and_steers_nothing() {
        assert_eq!(one_line("  two\nlines \u{1b}[2J\u{9b}1m ", 40), "two lines \u{fffd}[2J\u{fffd}1m");
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcde…");
        assert_eq!(tail("abc\u{7}defg\n", 6), "…\u{fffd}defg");
        assert_eq!(tail("abc", 6), "abc");
        assert_eq!(value(&json!("a\r\nb"), 10), "a  b");
        assert_eq!(value(&json!({ "a": 1 }), 10), "{\"a\":1}");
    }

    #[test]
    fn times_have_the_unit_that_people_would_say() {
        for (millis, said) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1000, "1.0 s"),
            (59_999, "59.9 s"),
            (60_000, "1 min 00 s"),
            (3_599_000, "59 min 59 s"),
            (7_500_000, "2 h 05 min"),
        ] {
            assert_eq!(span(millis), said);
        }
    }

    #[test]
    fn what_was_not_taken_is_not_told() {
        let steps = |steps| RunSpend { steps, ..RunSpend::default() };
        assert_eq!(spend(&steps(0)), "0 steps");
        assert_eq!(spend(&steps(1)), "1 step");
        let paid = RunSpend { input_tokens: 812, output_tokens: 64, usd: 0.0021, ..steps(2) };
        assert_eq!(spend(&paid), "2 steps, 812+64 tokens, $0.0021");
        assert_eq!(usd(0.000_01).as_deref(), Some("<$0.0001"));
    }

    #[test]
    fn times_of_answers_are_read() {
        assert_eq!(millis("2026-11-20T11:00:00.123Z"), Some(1_795_172_400_123));
        assert_eq!(millis("yesterday"), None);
    }
}

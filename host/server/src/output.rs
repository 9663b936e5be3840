//! What commands print, and the codes they end with.
#![expect(clippy::print_stderr, reason = "commands speak on the terminal")]

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

use serde_json::Value;

/// How a command ended, when not well. The codes are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The host failed.
    Host = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// No such thing.
    NotFound = 3,
    /// Policy said no.
    Refused = 4,
    /// The tool answered its own failure.
    ToolFailed = 5,
    /// The arguments don't fit.
    Arguments = 6,
    /// A limit or a trap ended the call.
    Ended = 7,
}

/// Why a command ended.
#[derive(Debug)]
pub struct Failure {
    /// The code of the process.
    pub exit: Exit,
    /// For the person at the terminal; empty when all was said.
    pub message: String,
}

impl Failure {
    /// A failure with what `error` says.
    pub fn new(exit: Exit, error: impl Display) -> Self {
        Self { exit, message: error.to_string() }
    }
}

/// The result of a command.
pub type Done = Result<(), Failure>;

/// Where a command prints.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Whether answers are JSON.
    pub json: bool,
    /// Whether stdout takes colours.
    pub colour: bool,
}

impl Output {
    /// Colours only where a terminal shows them and nobody said `NO_COLOR`.
    pub fn new(json: bool) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { json, colour: !json && !refused && std::io::stdout().is_terminal() }
    }

    /// Prints a line.
    pub fn line(self, text: impl Display) {
        // A closed pipe (`| head`) is no error of ours.
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    /// Prints text that a skill wrote: as it is where a program reads it, and
    /// without what could steer the terminal where a person does.
    pub fn foreign(self, text: &str) {
        if std::io::stdout().is_terminal() { self.line(tame(text)) } else { self.line(text) }
    }

    /// Prints JSON, indented.
    pub fn value(self, value: &Value) {
        self.line(serde_json::to_string_pretty(value).unwrap_or_default());
    }

    /// Prints rows below a head, in columns.
    pub fn table<const N: usize>(self, head: [&str; N], rows: &[[String; N]]) {
        let width = |i: usize| {
            let cells = rows.iter().map(|row| row[i].chars().count());
            cells.chain([head[i].chars().count()]).max().unwrap_or_default()
        };
        let widths: [usize; N] = std::array::from_fn(width);
        let line = |cells: [&str; N]| {
            let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.line(self.bold(&line(head)));
        for row in rows {
            self.line(line(std::array::from_fn(|i| row[i].as_str())));
        }
    }

    /// The text in bold.
    pub fn bold(self, text: &str) -> String {
        self.style("1", text)
    }

    /// The text in the colour of what is wrong.
    pub fn red(self, text: &str) -> String {
        self.style("31", text)
    }

    /// The text in the colour of what is well.
    pub fn green(self, text: &str) -> String {
        self.style("32", text)
    }

    fn style(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Text from elsewhere without control characters, of which some move the
/// cursor, hide what was printed, or worse.
pub fn tame(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(steers) { text.replace(steers, "\u{fffd}").into() } else { text.into() }
}

/// So many of something: `1 record`, `2 records`.
pub fn counted(count: u64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// Tells why a command failed, on stderr.
pub fn report(failure: &Failure) {
    if !failure.message.is_empty() {
        // A guest's own words may be in it.
        eprintln!("bailiwick: {}", tame(&failure.message));
    }
}

/// Says something beside the answer, on stderr.
pub fn note(text: impl Display) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use super::{counted, tame};

    #[test]
    fn one_is_not_told_as_many() {
        let told = [0, 1, 2, 21].map(|count| counted(count, "checkpoint"));
        assert_eq!(told, ["0 checkpoints", "1 checkpoint", "2 checkpoints", "21 checkpoints"]);
    }

    #[test]
    fn text_from_elsewhere_steers_no_terminal() {
        assert_eq!(tame("two\nlines,\ta tab and ünïcode"), "two\nlines,\ta tab and ünïcode");
        assert_eq!(tame("\u{1b}[2Jgone\r\u{7}\u{9b}1m"), "\u{fffd}[2Jgone\u{fffd}\u{fffd}\u{fffd}1m");
    }
}

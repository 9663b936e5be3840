//! Where a run is shown while it goes on: a tree that is drawn anew on a terminal, else a
//! line for each event. All of it is on stderr.

use std::io;

use bailiwick_domain::clock::Clock as _;
use bailiwick_wire::run::{RunEvent, RunNews};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::termios::tcgetwinsize;

use super::line;
use super::picture::Picture;
use super::text::since_1970;
use super::tree::{Detail, fit, tree};
use crate::clock::SystemClock;
use crate::output::{Output, note, tame};

/// Columns and lines of a terminal that doesn't say how many it has.
const USUAL: (usize, usize) = (80, 24);

/// Lines of the tree that stay when the run is over: more, and what matters scrolls away.
const MAX_LAST: usize = 100;

/// Where a run is shown.
pub(super) enum Screen {
    /// A tree. There is no bar while a question is asked.
    Tree(Option<ProgressBar>),
    /// A line for each event.
    Lines,
    /// Nothing but what somebody has to do.
    Silent,
}

impl Screen {
    pub(super) fn new(out: Output) -> Self {
        if out.json {
            return Self::Silent;
        }
        let bar = bar();
        if bar.is_hidden() { Self::Lines } else { Self::Tree(Some(bar)) }
    }

    /// Shows an event.
    pub(super) fn event(&self, event: &RunEvent) {
        if matches!(self, Self::Lines) {
            note(line::line(event));
        }
    }

    /// Shows what a skill tells.
    pub(super) fn heard(&self, name: &str, news: &RunNews) {
        if let (Self::Lines, Some(line)) = (self, line::heard(name, news)) {
            note(line);
        }
    }

    /// Draws the tree.
    pub(super) fn draw(&self, picture: &Picture) {
        if let Self::Tree(Some(bar)) = self {
            let (width, height) = size();
            let lines = tree(picture, now(), width, Detail::Open);
            // The last line of the terminal is left to the cursor.
            bar.set_message(fit(lines, height.saturating_sub(1)).join("\n"));
        }
    }

    /// Says something that stays.
    pub(super) fn say(&self, text: &str) {
        let text = tame(text);
        match self {
            Self::Tree(Some(bar)) => bar.suspend(|| note(&text)),
            _ => note(&text),
        }
    }

    /// Takes the tree away while a person answers.
    pub(super) fn hold(&mut self) {
        if let Self::Tree(bar) = self
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }

    /// Has the tree back.
    pub(super) fn go_on(&mut self) {
        if let Self::Tree(held @ None) = self {
            *held = Some(bar());
        }
    }

    /// Leaves the tree as it is at the end.
    pub(super) fn end(mut self, picture: &Picture) {
        self.hold();
        if matches!(self, Self::Tree(_)) {
            let (width, _) = size();
            let lines = tree(picture, now(), width, Detail::Whole);
            fit(lines, MAX_LAST).into_iter().for_each(note);
        }
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}

fn now() -> u64 {
    since_1970(SystemClock.now())
}

fn size() -> (usize, usize) {
    match tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => USUAL,
    }
}

//! A bar for a call that tells how far it is.

use std::io::IsTerminal as _;
use std::sync::Arc;

use bailiwick_domain::services::Report;
use bailiwick_skills::execute::Follower as Listener;
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::{Output, tame};

/// Follows one call on stderr, where a person looks at it.
pub(super) struct Follower(ProgressBar);

impl Follower {
    pub(super) fn new(out: Output) -> Self {
        if out.json || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::no_length();
        bar.set_style(style("{spinner} {pos} {msg}"));
        Self(bar)
    }

    /// What the call tells, it tells this.
    pub(super) fn listener(&self) -> Listener {
        let bar = self.0.clone();
        Arc::new(move |report| {
            // Lines of the log stand below the answer.
            let Report::Progress { done, total, message } = report else { return };
            if let Some(total) = total.filter(|total| bar.length() != Some(*total)) {
                bar.set_length(total);
                bar.set_style(style("{bar:30} {pos}/{len} {msg}"));
            }
            bar.set_position(done);
            bar.set_message(tame(&message).into_owned());
        })
    }

    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

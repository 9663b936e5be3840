//! Questions to a person, by `bailiwick:skill/approvals`.
//!
//! Every skill may ask: a question gives nothing, and who answers it sees who asks.
//! How many a call asks, and how long they are, has limits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::secret::SecretSet;
use bailiwick_domain::services::{Question, QuestionError, Services, Verdict};
use serde_json::Value;
use wasmtime::component::{HasData, Linker};

use super::generated::bailiwick::skill::approvals::{self, Answer, Error};
use super::{Denials, Uses};
use crate::guest::Guest;
use crate::meter::{Counted, Counters};

/// Questions of one call.
const MAX_QUESTIONS: u32 = 16;

/// Bytes of a summary, which people read in a list.
const MAX_SUMMARY: usize = 500;

/// Bytes of the details of one question.
const MAX_DETAILS: usize = 16 << 10;

/// What is left of a call's time when waiting ends, so that the skill can still say
/// that nobody answered.
const RESERVE: Duration = Duration::from_millis(500);

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    approvals::add_to_linker::<_, HasApprovals>(linker, Guest::approvals_view)
}

struct HasApprovals;

impl HasData for HasApprovals {
    type Data<'a> = View<'a>;
}

/// What the interface's functions work on.
pub(crate) struct View<'a> {
    pub(crate) asked: &'a mut u32,
    pub(crate) services: &'a Arc<dyn Services>,
    pub(crate) secrets: &'a SecretSet,
    pub(crate) denials: &'a Denials,
    pub(crate) uses: &'a Uses,
    pub(crate) counters: &'a Counters,
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) deadline: Instant,
}

impl approvals::Host for View<'_> {
    async fn ask(&mut self, question: approvals::Question) -> wasmtime::Result<Result<Answer, Error>> {
        let question = match self.prepare(question) {
            Ok(question) => question,
            Err(error) => return Ok(Err(error)),
        };
        self.uses.record("approval", "question");
        let left = self.deadline.saturating_duration_since(self.clock.instant());
        let verdict = self.services.ask(question, left.saturating_sub(RESERVE)).await;
        Ok(match verdict {
            Ok(Verdict::Approved) => Ok(Answer::Approved),
            Ok(Verdict::Denied(reason)) => Ok(Answer::Denied(reason)),
            Err(QuestionError::Pending(id)) => Err(Error::Pending(id)),
            Err(QuestionError::Limit(text)) => Err(Error::Limit(text)),
            Err(QuestionError::Failed(text)) => Err(Error::Failed(text)),
        })
    }
}

impl View<'_> {
    fn prepare(&mut self, question: approvals::Question) -> Result<Question, Error> {
        let limited = |reason: String| {
            self.denials.record("approval", question.summary.clone(), reason.clone());
            Error::Limit(reason)
        };
        self.counters.take(Counted::HostCalls, 1).map_err(|reached| limited(reached.to_string()))?;
        if *self.asked >= MAX_QUESTIONS {
            return Err(limited(format!("a call asks at most {MAX_QUESTIONS} questions")));
        }
        *self.asked += 1;
        let invalid = |problem: String| Error::InvalidQuestion(problem);
        let mut summary = question.summary;
        if summary.trim().is_empty() || summary.len() > MAX_SUMMARY || summary.chars().any(char::is_control) {
            return Err(invalid(format!("the summary must be one line of at most {MAX_SUMMARY} bytes")));
        }
        if question.details.len() > MAX_DETAILS {
            return Err(invalid(format!("the details have more than {MAX_DETAILS} bytes")));
        }
        let redactor = self.secrets.redactor();
        redactor.clean(&mut summary);
        let details = redactor.json(question.details).map_err(|error| invalid(error.to_string()))?;
        match serde_json::from_str(&details) {
            Ok(details @ Value::Object(_)) => Ok(Question { summary, details }),
            Ok(_) => Err(invalid("the details must be a JSON object".to_owned())),
            Err(error) => Err(invalid(format!("the details must be a JSON object: {error}"))),
        }
    }
}

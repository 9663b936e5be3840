//! One agent at work: its conversation, and what its model wants called.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::action::StepResult;
use super::escalation::{Tries, TryState};
use super::event::{Opening, Role};
use super::spend::Spend;
use super::{MAX_BAD_CALLS, MAX_CALLS};
use crate::model::{ChatAnswer, Finish, Message, ToolCall};
use crate::skill_id::SkillId;

/// The code of a call whose arguments don't fit.
pub const INVALID_ARGUMENTS: &str = "INVALID_ARGUMENTS";

/// Bytes of a tool's output that a model is told: what is longer takes the room of
/// everything else.
const MAX_TOLD: usize = 64 << 10;

/// What a model is told of a call that was cut off and not made again.
const CUT_OFF: &str = "error: INTERRUPTED: the host stopped while this call was under way; nobody knows whether it \
                       took effect, and it was not made again";

/// One agent at work.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Who does what.
    pub opening: Opening,
    /// What was said, instructions aside.
    pub messages: Vec<Message>,
    /// The skills whose tools it may use, beside those that it has from the start.
    pub opened: BTreeSet<SkillId>,
    /// What its model wants called, and has no answer to yet.
    pub calls: Vec<OpenCall>,
    /// Answers of its model.
    pub turns: u64,
    /// Calls in a row that made no sense.
    pub bad_calls: u32,
    /// Answers in a row that don't fit the schema of its agent.
    pub bad_answers: u32,
    /// How it was tried: by whom, and how often.
    pub tries: Tries,
    /// Whether a person said no to something that its agent wanted. It is forgotten where one
    /// has the task tried again.
    pub denied: bool,
    /// What it took, all tries together.
    pub spend: Spend,
    /// The step by which its model is asked, while there is one.
    pub asking: Option<u32>,
    /// Why its model's last answer can't be taken.
    pub unusable: Option<Failure>,
    /// The step by which a workflow drives it, where one does.
    pub driver: Option<u32>,
    /// What came of that step, and of what the workflow asked for, by step.
    pub results: BTreeMap<u32, StepResult>,
    /// Whether the workflow was begun anew after a failure: then it may ask for something
    /// else than before.
    pub anew: bool,
    /// How it ended.
    pub outcome: Option<TaskOutcome>,
}

/// A call that a model wants made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCall {
    /// As the model asked for it.
    pub call: ToolCall,
    /// The step that makes it.
    pub step: Option<u32>,
    /// The handoff that it is.
    pub handoff: Option<u32>,
    /// What the model is told.
    pub answer: Option<String>,
}

impl OpenCall {
    /// Whether nothing has been done about it.
    pub(super) const fn is_untouched(&self) -> bool {
        self.step.is_none() && self.handoff.is_none() && self.answer.is_none()
    }
}

/// A code and words.
pub(super) type Failure = (String, String);

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum TaskOutcome {
    /// With an output.
    Done {
        /// What the agent said last, or the agent that it chose.
        output: String,
    },
    /// With none.
    Failed {
        /// A stable name.
        code: String,
        /// For people.
        message: String,
    },
}

impl Task {
    pub(super) fn new(opening: Opening) -> Self {
        let asked = Message::User { text: opening.input.clone() };
        Self {
            opening,
            messages: vec![asked],
            opened: BTreeSet::new(),
            calls: Vec::new(),
            turns: 0,
            bad_calls: 0,
            bad_answers: 0,
            tries: Tries::default(),
            denied: false,
            spend: Spend::default(),
            asking: None,
            unusable: None,
            driver: None,
            results: BTreeMap::new(),
            anew: false,
            outcome: None,
        }
    }

    /// What the agent said last.
    pub fn last_words(&self) -> Option<&str> {
        self.messages.iter().rev().find_map(|message| match message {
            Message::Assistant { text, .. } if !text.is_empty() => Some(text.as_str()),
            _ => None,
        })
    }

    /// The output that its model's last answer is, where it asks for nothing more.
    pub(super) fn output(&self) -> Option<&str> {
        match self.messages.last() {
            Some(Message::Assistant { text, calls }) if calls.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The first call of this id that has no answer.
    pub(super) fn open_call(&self, id: &str) -> Option<usize> {
        self.calls.iter().position(|open| open.call.id == id && open.is_untouched())
    }

    /// Takes the answer of its model.
    pub(super) fn answered(&mut self, answer: &ChatAnswer) {
        self.asking = None;
        self.turns += 1;
        if !answer.calls.is_empty() {
            self.bad_answers = 0;
        }
        self.unusable = match answer.finish {
            Finish::Stop => None,
            Finish::Length => Some(failure("MODEL_LENGTH", "the model's answer has more tokens than it may have")),
            Finish::Refusal => Some(failure("MODEL_REFUSAL", "the model or its provider refused to answer")),
        };
        if answer.calls.len() > MAX_CALLS {
            let words = format!("the model asked for {} calls at once; it may ask for {MAX_CALLS}", answer.calls.len());
            self.unusable = Some(("MODEL_NONSENSE".to_owned(), words));
        }
        let calls = if self.unusable.is_some() { Vec::new() } else { answer.calls.clone() };
        self.calls =
            calls.iter().map(|call| OpenCall { call: call.clone(), step: None, handoff: None, answer: None }).collect();
        self.messages.push(Message::Assistant { text: answer.text.clone(), calls });
    }

    /// Takes what the host itself says to a call.
    pub(super) fn told(&mut self, call: usize, text: &str, opened: Option<&SkillId>, refused: bool) {
        self.bad_calls = if refused { self.bad_calls + 1 } else { 0 };
        self.opened.extend(opened.cloned());
        self.settle(call, text.to_owned());
    }

    /// Takes what came of the step that makes a call.
    pub(super) fn returned(&mut self, step: u32, result: &StepResult) {
        let Some(call) = self.calls.iter().position(|open| open.step == Some(step)) else { return };
        let text = match result {
            StepResult::Output { json, failed: false } => json.clone(),
            StepResult::Output { json, failed: true } => format!("the tool failed: {json}"),
            StepResult::Failed { code, message, .. } => format!("error: {code}: {message}"),
            StepResult::Answer { .. } => String::new(),
        };
        let is_bad = matches!(result, StepResult::Failed { code, .. } if code == INVALID_ARGUMENTS);
        self.bad_calls = if is_bad { self.bad_calls + 1 } else { 0 };
        self.settle(call, text);
    }

    /// Takes that nobody will make the call that was cut off.
    pub(super) fn given_up(&mut self, step: u32) {
        if self.opening.role == Role::Drive {
            self.results.insert(step, StepResult::of_cut_off());
        } else if let Some(call) = self.calls.iter().position(|open| open.step == Some(step)) {
            self.settle(call, CUT_OFF.to_owned());
        }
    }

    /// Takes that the handoff came to nothing.
    pub(super) fn kept(&mut self, handoff: u32, text: &str) {
        if let Some(call) = self.calls.iter().position(|open| open.handoff == Some(handoff)) {
            self.settle(call, text.to_owned());
        }
    }

    /// Takes that its model did not answer.
    pub(super) fn failed(&mut self, code: &str, message: &str) {
        self.asking = None;
        self.unusable = Some(failure(code, message));
    }

    /// Takes that its model's answer does not fit.
    pub(super) fn refused(&mut self, text: &str) {
        self.bad_answers += 1;
        self.messages.push(Message::User { text: text.to_owned() });
    }

    /// Why it can't go on, if it can't.
    pub(super) fn hopeless(&self) -> Option<Failure> {
        if self.unusable.is_some() {
            return self.unusable.clone();
        }
        (self.bad_calls >= MAX_BAD_CALLS).then(|| {
            let words = format!("the model asked {MAX_BAD_CALLS} times in a row for what it can't have");
            ("MAX_RETRIES".to_owned(), words)
        })
    }

    /// Begins anew where it failed.
    pub(super) fn retry(&mut self) {
        let failed = matches!(self.outcome, Some(TaskOutcome::Failed { .. }));
        if !failed && self.outcome.is_some() {
            return;
        }
        self.outcome = None;
        self.denied = false;
        self.bad_calls = 0;
        self.bad_answers = 0;
        self.turns = 0;
        (self.tries.state, self.tries.retries) = (TryState::UnderWay, 0);
        // Words are no choice: where they stayed, they would be its output once more.
        let is_none = self.unusable.take().is_some() || self.opening.role == Role::Route;
        if is_none && self.output().is_some() {
            self.messages.pop();
        }
    }

    /// An answer for one call; with the last one, the model is told all of them, in the
    /// order in which it asked.
    fn settle(&mut self, call: usize, mut text: String) {
        if text.len() > MAX_TOLD {
            let whole = text.len();
            text.truncate(text.floor_char_boundary(MAX_TOLD));
            text = format!("{text}\n(the first {MAX_TOLD} of {whole} bytes)");
        }
        if let Some(open) = self.calls.get_mut(call) {
            open.answer = Some(text);
        }
        if self.calls.iter().all(|open| open.answer.is_some()) {
            let told = self
                .calls
                .drain(..)
                .map(|OpenCall { call, answer, .. }| Message::Tool { call: call.id, text: answer.unwrap_or_default() });
            self.messages.extend(told);
        }
    }
}

fn failure(code: &str, message: &str) -> Failure {
    (code.to_owned(), message.to_owned())
}

impl TaskOutcome {
    /// The output, where there is one.
    pub fn output(&self) -> Option<&str> {
        match self {
            Self::Done { output } => Some(output),
            Self::Failed { .. } => None,
        }
    }
}

//! What a run may take, and what it took.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::LimitsRequest;
use crate::model::{ModelCost, Usd};
use crate::usage::Usage;

/// Bytes of one output of a skill in a run: it becomes an event, and more than a model
/// is ever told.
const MAX_OUTPUT: u64 = 1 << 20;

/// What a run may take, subruns included. Where nothing is said, steps and time alone
/// end it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Requests to models and calls of skills.
    pub steps: u64,
    /// From its first start, in milliseconds; time in which it waits for people counts too.
    pub wall_ms: u64,
    /// Tokens of requests and answers together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<Usd>,
    /// Units of fuel of all calls of skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Calls of the host by skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_calls: Option<u64>,
}

/// What one task of an agent may take, beside what its run may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaskLimits {
    /// Tokens of requests and answers together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<Usd>,
    /// Units of fuel of its calls of skills.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Calls of the host by the skills that it calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_calls: Option<u64>,
}

impl TaskLimits {
    /// The same as a budget that has no other part.
    pub const fn budget(&self) -> Budget {
        let Self { tokens, usd, fuel, host_calls } = *self;
        Budget { steps: u64::MAX, wall_ms: u64::MAX, tokens, usd, fuel, host_calls }
    }
}

/// What a run, a task or a step took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spend {
    /// Requests to models and calls of skills.
    pub steps: u64,
    /// Tokens of requests.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// Money.
    pub usd: Usd,
    /// Units of fuel.
    pub fuel: u64,
    /// Calls of the host by skills.
    pub host_calls: u64,
    /// Time in which something was under way, in milliseconds; what goes on side by side
    /// counts side by side.
    pub busy_ms: u64,
}

impl Budget {
    /// What of it is used up by `spent`: the name of the first.
    pub fn exhausted(&self, spent: &Spend) -> Option<&'static str> {
        let over = |limit: Option<u64>, spent: u64| limit.is_some_and(|limit| spent >= limit);
        if over(Some(self.steps), spent.steps) {
            Some("steps")
        } else if over(self.tokens, spent.tokens()) {
            Some("tokens")
        } else if self.usd.is_some_and(|limit| spent.usd >= limit) {
            Some("usd")
        } else if over(self.fuel, spent.fuel) {
            Some("fuel")
        } else if over(self.host_calls, spent.host_calls) {
            Some("host_calls")
        } else {
            None
        }
    }

    /// What a call of a skill may take of what is left.
    pub fn for_call(&self, spent: &Spend) -> LimitsRequest {
        LimitsRequest {
            fuel: self.fuel.map(|limit| limit.saturating_sub(spent.fuel)),
            host_calls: self.host_calls.map(|limit| limit.saturating_sub(spent.host_calls)),
            model_tokens: self.tokens.map(|limit| limit.saturating_sub(spent.tokens())),
            output_bytes: Some(MAX_OUTPUT),
            ..LimitsRequest::default()
        }
    }

    /// The most tokens that an answer may have of what is left.
    pub fn for_answer(&self, spent: &Spend) -> Option<u32> {
        let left = self.tokens?.saturating_sub(spent.tokens());
        Some(u32::try_from(left).unwrap_or(u32::MAX))
    }

    /// From its first start.
    pub const fn wall(&self) -> Duration {
        Duration::from_millis(self.wall_ms)
    }
}

impl Spend {
    /// Of an answer of a model that took `busy`.
    pub fn of_model(cost: &ModelCost, busy: Duration) -> Self {
        Self {
            steps: 1,
            input_tokens: cost.input_tokens,
            output_tokens: cost.output_tokens,
            usd: cost.usd,
            busy_ms: millis(busy),
            ..Self::default()
        }
    }

    /// Of a call of a skill, those that it made included, and the models that they asked.
    pub fn of_call(usage: &Usage) -> Self {
        Self {
            steps: 1,
            input_tokens: usage.model_input_tokens,
            output_tokens: usage.model_output_tokens,
            usd: usage.model_usd,
            fuel: usage.fuel.unwrap_or_default(),
            host_calls: usage.host_calls,
            busy_ms: millis(usage.wall),
        }
    }

    /// Of a step that gave nothing after `busy`.
    pub fn of_nothing(busy: Duration) -> Self {
        Self { steps: 1, busy_ms: millis(busy), ..Self::default() }
    }

    /// Of requests and answers together.
    pub const fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            steps: self.steps.saturating_add(other.steps),
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            usd: self.usd.plus(other.usd),
            fuel: self.fuel.saturating_add(other.fuel),
            host_calls: self.host_calls.saturating_add(other.host_calls),
            busy_ms: self.busy_ms.saturating_add(other.busy_ms),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_skill_asked_of_models_is_paid_by_its_run() {
        let usage = Usage {
            host_calls: 3,
            model_input_tokens: 70,
            model_output_tokens: 20,
            model_usd: Usd::from_nanos(5),
            ..Usage::default()
        };
        let spent = Spend::of_call(&usage);
        assert_eq!((spent.steps, spent.tokens(), spent.usd, spent.host_calls), (1, 90, Usd::from_nanos(5), 3));
        let limits = TaskLimits { tokens: Some(100), ..TaskLimits::default() };
        let budget = limits.budget();
        assert_eq!(budget.for_call(&Spend::default()).model_tokens, Some(100));
        assert_eq!(budget.for_call(&spent).model_tokens, Some(10));
        assert_eq!(budget.exhausted(&spent), None);
        let twice = spent.plus(&spent);
        assert_eq!((budget.for_call(&twice).model_tokens, budget.exhausted(&twice)), (Some(0), Some("tokens")));
        assert_eq!(TaskLimits::default().budget().for_call(&twice).model_tokens, None);
    }
}

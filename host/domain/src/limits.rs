//! How much a call may take. There is no limit whose default means none.

use std::time::Duration;

/// The limits that hold for one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory, over all memories of the instance.
    pub memory_bytes: u64,
    /// Wall time, guest and host calls together.
    pub deadline: Duration,
    /// Units of fuel; only where set is fuel counted at all, because counting
    /// costs a fifth to a half of the speed. The deadline holds in any case.
    pub fuel: Option<u64>,
    /// Bytes of the output as JSON.
    pub output_bytes: u64,
    /// Calls of the same skill at the same time.
    pub concurrency: u32,
}

/// What a manifest or a grant asks for; what is absent is left to the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitsRequest {
    /// See [`Limits::memory_bytes`].
    pub memory_bytes: Option<u64>,
    /// See [`Limits::deadline`].
    pub deadline: Option<Duration>,
    /// See [`Limits::fuel`].
    pub fuel: Option<u64>,
    /// See [`Limits::output_bytes`].
    pub output_bytes: Option<u64>,
    /// See [`Limits::concurrency`].
    pub concurrency: Option<u32>,
}

impl LimitsRequest {
    /// The smaller of each, where either has one.
    #[must_use]
    pub fn least(&self, other: &Self) -> Self {
        Self {
            memory_bytes: smaller(self.memory_bytes, other.memory_bytes),
            deadline: smaller(self.deadline, other.deadline),
            fuel: smaller(self.fuel, other.fuel),
            output_bytes: smaller(self.output_bytes, other.output_bytes),
            concurrency: smaller(self.concurrency, other.concurrency),
        }
    }
}

fn smaller<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    one.into_iter().chain(other).min()
}

/// The host's word on limits: what holds where nobody asks, and what nobody gets past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsPolicy {
    /// Where the manifest is silent.
    pub default: Limits,
    /// At the most, whatever the manifest and the grant say.
    pub ceiling: Limits,
}

impl LimitsPolicy {
    /// The limits of a call: what the manifest asks, cut by the grant, cut by the ceiling.
    pub fn effective(&self, asked: &LimitsRequest, granted: &LimitsRequest) -> Limits {
        let (default, ceiling) = (&self.default, &self.ceiling);
        let fuel = [asked.fuel, granted.fuel, ceiling.fuel, default.fuel];
        Limits {
            memory_bytes: least(asked.memory_bytes, default.memory_bytes, granted.memory_bytes, ceiling.memory_bytes),
            deadline: least(asked.deadline, default.deadline, granted.deadline, ceiling.deadline),
            fuel: fuel.into_iter().flatten().min(),
            output_bytes: least(asked.output_bytes, default.output_bytes, granted.output_bytes, ceiling.output_bytes),
            concurrency: least(asked.concurrency, default.concurrency, granted.concurrency, ceiling.concurrency),
        }
    }
}

impl Default for LimitsPolicy {
    /// Defaults that suit validation, parsing and formatting; ceilings that
    /// keep one skill from taking the machine.
    fn default() -> Self {
        Self {
            default: Limits {
                memory_bytes: 64 << 20,
                deadline: Duration::from_secs(10),
                fuel: None,
                output_bytes: 1 << 20,
                concurrency: 64,
            },
            ceiling: Limits {
                memory_bytes: 512 << 20,
                deadline: Duration::from_mins(2),
                fuel: None,
                output_bytes: 16 << 20,
                concurrency: 128,
            },
        }
    }
}

fn least<T: Ord>(asked: Option<T>, default: T, granted: Option<T>, ceiling: T) -> T {
    let wanted = asked.unwrap_or(default).min(ceiling);
    match granted {
        Some(granted) => wanted.min(granted),
        None => wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_of_request_grant_and_ceiling_holds() {
        let policy = LimitsPolicy::default();
        let asked = LimitsRequest { memory_bytes: Some(u64::MAX), fuel: Some(10), ..Default::default() };
        let granted = LimitsRequest { fuel: Some(7), concurrency: Some(1), ..Default::default() };
        let limits = policy.effective(&asked, &granted);
        assert_eq!(limits.memory_bytes, policy.ceiling.memory_bytes);
        assert_eq!(limits.fuel, Some(7));
        assert_eq!(limits.concurrency, 1);
        assert_eq!(limits.deadline, policy.default.deadline);
    }

    #[test]
    fn a_grant_never_widens() {
        let policy = LimitsPolicy::default();
        let asked = LimitsRequest { memory_bytes: Some(1 << 20), ..Default::default() };
        let granted = LimitsRequest { memory_bytes: Some(256 << 20), ..Default::default() };
        assert_eq!(policy.effective(&asked, &granted).memory_bytes, 1 << 20);
    }
}

//! How much a call may take. There is no limit whose default means none.

use std::time::Duration;

use serde::{Deserialize, Serialize};

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr, at most $ceiling:expr;)*) => {
        /// The limits that hold for one call.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: $type,)*
            /// Units of fuel; only where set is fuel counted at all, because counting
            /// costs a fifth to a half of the speed. The deadline holds in any case.
            pub fuel: Option<u64>,
        }

        /// What a manifest or a grant asks for; what is absent is left to the host.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct LimitsRequest {
            $(#[doc = concat!("See [`Limits::", stringify!($name), "`].")] pub $name: Option<$type>,)*
            /// See [`Limits::fuel`].
            pub fuel: Option<u64>,
        }

        impl Limits {
            /// Each limit by its name, as text.
            pub fn named(&self) -> Vec<(&'static str, String)> {
                let mut named = vec![$((stringify!($name), format!("{:?}", self.$name))),*];
                named.extend(self.fuel.map(|fuel| ("fuel", fuel.to_string())));
                named
            }

            /// Each limit, or what is left of it in `budget` where that is less.
            #[must_use]
            pub fn within(&self, budget: &LimitsRequest) -> Self {
                Self {
                    $($name: self.$name.min(budget.$name.unwrap_or(self.$name)),)*
                    fuel: [self.fuel, budget.fuel].into_iter().flatten().min(),
                }
            }

            /// Each limit, or the one of `ceiling` where that is less.
            #[must_use]
            pub fn at_most(&self, ceiling: &Self) -> Self {
                Self {
                    $($name: self.$name.min(ceiling.$name),)*
                    fuel: [self.fuel, ceiling.fuel].into_iter().flatten().min(),
                }
            }
        }

        impl LimitsRequest {
            /// What is asked for by its name, as text.
            pub fn named(&self) -> Vec<(&'static str, String)> {
                let mut named = Vec::new();
                $(named.extend(self.$name.map(|value| (stringify!($name), format!("{value:?}"))));)*
                named.extend(self.fuel.map(|fuel| ("fuel", fuel.to_string())));
                named
            }

            /// The smaller of each, where either has one.
            #[must_use]
            pub fn least(&self, other: &Self) -> Self {
                Self {
                    $($name: self.$name.into_iter().chain(other.$name).min(),)*
                    fuel: self.fuel.into_iter().chain(other.fuel).min(),
                }
            }
        }

        impl LimitsPolicy {
            /// The limits of a call: what the manifest asks, cut by the grant, cut by the ceiling.
            pub fn effective(&self, asked: &LimitsRequest, granted: &LimitsRequest) -> Limits {
                let (default, ceiling) = (&self.default, &self.ceiling);
                let fuel = [asked.fuel, granted.fuel, ceiling.fuel, default.fuel];
                Limits {
                    $($name: least(asked.$name, default.$name, granted.$name, ceiling.$name),)*
                    fuel: fuel.into_iter().flatten().min(),
                }
            }
        }

        impl Default for LimitsPolicy {
            /// Defaults that suit validation, parsing and formatting; ceilings that
            /// keep one skill from taking the machine.
            fn default() -> Self {
                Self {
                    default: Limits { $($name: $default,)* fuel: None },
                    ceiling: Limits { $($name: $ceiling,)* fuel: None },
                }
            }
        }
    };
}

limits! {
    /// Bytes of linear memory, over all memories of the instance.
    memory_bytes: u64 = 64 << 20, at most 512 << 20;
    /// Elements of each table, such as pointers to functions.
    table_elements: u64 = MAX_TABLE_ELEMENTS, at most MAX_TABLE_ELEMENTS;
    /// Core instances that the component is made of.
    instances: u64 = MAX_INSTANCES, at most MAX_INSTANCES;
    /// Wall time, guest and host calls together.
    deadline: Duration = Duration::from_secs(10), at most Duration::from_mins(2);
    /// Requests over HTTP, operations on files, folders and state, settings, commands,
    /// calls of skills and models, questions, reports, and random bytes. What is refused by another rule than this counts too; clocks
    /// and what passes through open streams don't.
    host_calls: u64 = 100_000, at most 10_000_000;
    /// Bytes of the arguments as JSON.
    input_bytes: u64 = 4 << 20, at most 64 << 20;
    /// Bytes of the output as JSON.
    output_bytes: u64 = 1 << 20, at most 16 << 20;
    /// Calls of other skills, those that they make in turn included.
    skill_calls: u64 = 100, at most 10_000;
    /// Requests to models, those of called skills included.
    model_calls: u64 = 100, at most 10_000;
    /// Tokens of requests to models and their answers together, those of called skills included.
    model_tokens: u64 = 100_000, at most 10_000_000;
    /// Requests over HTTP.
    http_requests: u64 = 100, at most 1_000;
    /// Bytes sent over HTTP: heads and bodies of requests.
    http_sent_bytes: u64 = 16 << 20, at most 256 << 20;
    /// Bytes received over HTTP: heads and bodies of responses.
    http_received_bytes: u64 = 64 << 20, at most 1 << 30;
    /// Bytes written to stdout and stderr.
    log_bytes: u64 = 1 << 20, at most 16 << 20;
    /// Random bytes.
    random_bytes: u64 = 64 << 10, at most 1 << 20;
    /// Calls of the same skill at the same time.
    concurrency: u32 = 64, at most 128;
}

/// Elements of a table that the sandbox has room for: an interpreter's function
/// pointers fit, a flood does not.
pub const MAX_TABLE_ELEMENTS: u64 = 100_000;

/// Core instances that the sandbox has room for. Interpreters compiled to
/// components bring a dozen core modules.
pub const MAX_INSTANCES: u64 = 64;

/// The host's word on limits: what holds where nobody asks, and what nobody gets past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsPolicy {
    /// Where the manifest is silent.
    pub default: Limits,
    /// At the most, whatever the manifest and the grant say.
    pub ceiling: Limits,
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
    fn a_ceiling_cuts_every_default() {
        let policy = LimitsPolicy::default();
        assert_eq!(policy.default.at_most(&policy.ceiling), policy.default);
        assert_eq!(policy.ceiling.at_most(&policy.default), policy.default);
    }

    #[test]
    fn a_grant_never_widens() {
        let policy = LimitsPolicy::default();
        let asked = LimitsRequest { memory_bytes: Some(1 << 20), ..Default::default() };
        let granted = LimitsRequest { memory_bytes: Some(256 << 20), ..Default::default() };
        assert_eq!(policy.effective(&asked, &granted).memory_bytes, 1 << 20);
    }
}

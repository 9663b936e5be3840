//! Every bound in this skill, so that no input can make it loop or fill memory.

/// Bytes of a moment, span, rule or text to read. The longest sensible ones
/// are rules, with some hundreds.
pub const MAX_TEXT: usize = 1_000;

/// Bytes of a pattern for strftime or strptime.
pub const MAX_PATTERN: usize = 1_000;

/// Bytes that a pattern may write: padding makes more of it than was given.
pub const MAX_WRITTEN: usize = 64 * 1024;

/// Zones that a moment is converted to at once.
pub const MAX_ZONES: usize = 50;

/// Bytes of a zone; the longest IANA name has 32.
pub const MAX_ZONE_NAME: usize = 100;

/// Zones that are offered for one that isn't known.
pub const MAX_SUGGESTIONS: usize = 5;

/// Holidays of one call: those of a country for centuries.
pub const MAX_HOLIDAYS: usize = 10_000;

/// Working days to move a date by: some 3,800 years, walked day by day.
pub const MAX_BUSINESS_DAYS: u32 = 1_000_000;

/// Occurrences that are listed where the caller doesn't say how many.
pub const DEFAULT_OCCURRENCES: u32 = 100;

/// Occurrences that are listed at most.
pub const MAX_OCCURRENCES: u32 = 1_000;

/// Occurrences to leave out.
pub const MAX_EXCLUDED: usize = 1_000;

/// Local times that are reported as skipped by a clock change.
pub const MAX_SKIPPED: usize = 100;

/// INTERVAL of a rule: no period is longer than the calendar.
pub const MAX_INTERVAL: u32 = 10_000_000;

/// COUNT of a rule.
pub const MAX_COUNT: u32 = 10_000_000;

/// Values of one BY part: BYYEARDAY has 732.
pub const MAX_LIST: usize = 750;

/// Times of day that BYHOUR, BYMINUTE and BYSECOND may combine to: each minute
/// of a day.
pub const MAX_TIMES_A_DAY: usize = 1_440;

/// Candidates that a rule may go through. Every day to the year 9999 is fewer
/// than three million.
pub const MAX_CANDIDATES: u32 = 4_000_000;

//! Every bound in this skill, so that no input can make it loop or fill memory.

/// Longest expression, in characters: far beyond what is written by hand, and
/// it bounds the number of steps.
pub const MAX_EXPRESSION: usize = 4_096;

/// Nesting of parentheses, calls, signs and powers. Each level costs stack.
pub const MAX_DEPTH: usize = 100;

/// Variables of one expression.
pub const MAX_VARIABLES: usize = 100;

/// Results of 10^4000 and more are refused, so `9^9^9^9` fails at once.
pub const MAX_MAGNITUDE: usize = 4_000;

/// Numerator and denominator stay exact up to this many bits (4,000 decimal
/// digits). A larger fraction is rounded outward instead.
pub const MAX_BITS: usize = 13_288;

/// Digits of one number in the input: more would only slow every step down.
pub const MAX_LITERAL_DIGITS: usize = 1_000;

/// The exponent of one number in the input, either way.
pub const MAX_LITERAL_EXPONENT: i64 = 1_000;

/// Significant digits of a rounded result: those of IEEE 754 decimal128.
pub const DEFAULT_DIGITS: usize = 34;

/// Digits after the decimal point that a caller may ask for.
pub const MAX_SCALE: u32 = 1_000;

/// Working digits beyond those wanted: enough that most expressions settle at
/// the first try.
pub const GUARD_DIGITS: usize = 30;

/// Working digits at which a calculation gives up: the longest result and as
/// many again for what cancels out on the way.
pub const MAX_WORKING_DIGITS: usize = 8_192;

/// What the functions of one calculation may cost, where one at n digits costs
/// n^2: about two seconds of computing.
pub const MAX_WORK: u64 = 30_000_000;

/// A value that equals a short decimal to this many digits is taken to be it,
/// because a tie such as sqrt(2)^2 can never be told apart by computing on.
pub const SNAP_DIGITS: usize = 300;

/// Digits a side of a fraction that is shown beside a rounded value.
pub const MAX_FRACTION_DIGITS: usize = 40;

/// Numbers in a list for statistics.
pub const MAX_VALUES: usize = 10_000;

/// Characters of all the numbers in a list together.
pub const MAX_LIST_CHARACTERS: usize = 1_000_000;

/// Percentiles of one call.
pub const MAX_PERCENTILES: usize = 100;

/// Characters of a number for `base`: conversion costs more than its length.
pub const MAX_BASE_CHARACTERS: usize = 10_000;

/// Characters of a unit; the longest name has fewer than thirty.
pub const MAX_UNIT_CHARACTERS: usize = 200;

/// The exponent of a unit, either way: nobody measures in m^10.
pub const MAX_UNIT_EXPONENT: i32 = 9;

/// Factors in a compound unit.
pub const MAX_UNIT_FACTORS: usize = 12;

/// Unit names that are offered for one that isn't known.
pub const MAX_SUGGESTIONS: usize = 5;

/// Digits after the decimal point in finance: more than any currency has.
pub const MAX_FINANCE_SCALE: u32 = 30;

/// Periods of compound interest: daily for 270 years.
pub const MAX_COMPOUND_PERIODS: u32 = 100_000;

/// Payments of a loan: monthly for a hundred years.
pub const MAX_LOAN_PERIODS: u32 = 1_200;

/// Cash flows of a net present value.
pub const MAX_NPV_FLOWS: usize = 1_000;

/// Cash flows of an internal rate of return, which is found by evaluating
/// them all some hundreds of times.
pub const MAX_IRR_FLOWS: usize = 400;

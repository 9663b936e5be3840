//! Every bound of this skill, each with its reason.

/// Longest text read. The tree of a text is up to 16 times its size (`[0,0,…]`),
/// and the memory that the manifest asks for must hold two of them for `diff`.
pub const MAX_TEXT_BYTES: usize = 2 << 20;

/// Deepest nesting read or written. Reading, comparing and writing recurse once
/// a level, and a component's stack is small.
pub const MAX_DEPTH: usize = 256;

/// Longest integer that filters calculate with; a longer one stays text, like a
/// decimal. Converting digits takes time that grows with their square.
pub const MAX_INTEGER_DIGITS: usize = 10_000;

/// Longest filter. Far above what is written by hand.
pub const MAX_FILTER_BYTES: usize = 64 << 10;

/// Deepest nesting of brackets and interpolated strings in a filter. The lexer
/// recurses once a level, before anything else can be measured.
pub const MAX_FILTER_DEPTH: usize = 100;

/// Most operators that stand in one expression of a filter, those of the
/// expressions around it included. The parser, the compiler and the running
/// filter recurse once for each, with about 700 bytes a time, and a component
/// has 512 KiB of stack, half of which is left to the values.
pub const MAX_FILTER_CHAIN: usize = 350;

/// What a pair of brackets adds to such a chain.
pub const BRACKET_LINKS: usize = 2;

/// Most variables. They are found by linear search.
pub const MAX_VARIABLES: usize = 100;

/// Results when the caller names no number.
pub const DEFAULT_RESULTS: u32 = 1_000;

/// Most results a caller may ask for.
pub const MAX_RESULTS: u32 = 10_000;

/// Most bytes of results. More is of no use to a model, and a quarter of the
/// manifest's output limit leaves room for escaping.
pub const MAX_RESULT_BYTES: usize = 512 << 10;

/// Most bytes that `format`, `diff` and `pointer` write. Indentation can make a
/// text many times larger than it was.
pub const MAX_OUTPUT_BYTES: usize = 1 << 20;

/// Most lines that `query-lines` lists one by one. A line without results is
/// listed too, so the results alone do not bound them.
pub const MAX_LINES: usize = 10_000;

/// Most rejected lines that are listed. The rest is counted.
pub const MAX_REJECTED: usize = 100;

/// Most duplicate keys that `validate` lists. One is usually a pattern.
pub const MAX_DUPLICATES: usize = 20;

/// Longest message, in characters. jq's errors quote the value they failed on.
pub const MAX_MESSAGE_CHARS: usize = 400;

/// Most comparisons that `diff` spends on lining arrays up. Beyond it, elements
/// are compared index by index, which is right but longer.
pub const MAX_ALIGN_CELLS: usize = 1 << 20;

/// Largest compiled regular expression. `(a{1000}){1000}` is short to write.
pub const MAX_REGEX_BYTES: usize = 1 << 20;

/// Furthest index to which `setpath` fills an array up with null.
pub const MAX_FILL: usize = 100_000;

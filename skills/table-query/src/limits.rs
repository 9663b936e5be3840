//! Every bound of this skill, each with its reason.

/// Longest text of one table. The memory that the manifest asks for must hold
/// two of them with their cells, and a join.
pub const MAX_TEXT_BYTES: usize = 2 << 20;

/// Most columns. Names are compared one by one when a request is checked.
pub const MAX_COLUMNS: usize = 500;

/// Most cells of a table, read or joined. A cell takes up to 100 bytes, and JSON
/// lines with a new key in each line would need the square of their size.
pub const MAX_CELLS: usize = 500_000;

/// Most texts that stand for null. Every cell is compared with each.
pub const MAX_NULL_TEXTS: usize = 100;

/// Most computed columns. Each adds a cell to every row.
pub const MAX_COMPUTED: usize = 50;

/// Most bytes that all `concat` columns hold together. Fifty columns that each
/// double the one before would hold more than any machine.
pub const MAX_CONCAT_BYTES: usize = 8 << 20;

/// Most conditions of a filter. Each is tried on every row.
pub const MAX_CONDITIONS: usize = 200;

/// Most values in an `in` list. They are held as a set for each condition.
pub const MAX_LIST: usize = 10_000;

/// Most aggregates. Each walks over all rows.
pub const MAX_AGGREGATES: usize = 100;

/// Most columns to group by, to sort by, or to join on. Each is compared for
/// every pair of rows that meet.
pub const MAX_KEYS: usize = 20;

/// Rows answered when the caller names no number: more than is read by a
/// person, and short enough for a model.
pub const DEFAULT_ROWS: u32 = 1_000;

/// Most rows a caller may ask for. More is what `convert` is for.
pub const MAX_ROWS: u32 = 10_000;

/// Most bytes of rows in an answer. More is of no use to a model.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;

/// What a cell adds to an answer besides its text: its tag, quotes and comma.
pub const CELL_BYTES: usize = 16;

/// Longest text that `convert` writes. JSON lines repeat the names of all
/// columns in every row.
pub const MAX_CONVERTED_BYTES: usize = 4 << 20;

/// Longest quotation of the caller's text, in characters: enough to find it by.
pub const MAX_QUOTED_CHARS: usize = 100;

/// Most column names that a failure lists, so that it stays readable.
pub const MAX_LISTED_COLUMNS: usize = 30;

/// Largest compiled regular expression. `(a{1000}){1000}` is short to write.
pub const MAX_REGEX_BYTES: usize = 1 << 20;

/// Most digits of a quotient that is kept as a decimal. rust_decimal cuts at 28,
/// so a quotient that ends earlier is exact.
pub const MAX_QUOTIENT_DIGITS: usize = 20;

//! Options when none are given.

use crate::wit::{FormatOptions, LinesOptions, QueryOptions};

pub const QUERY: QueryOptions = QueryOptions { raw_strings: None, slurp: None, variables: None, max_results: None };

pub const LINES: LinesOptions =
    LinesOptions { raw_strings: None, flatten: None, keep_going: None, variables: None, max_results: None };

pub const FORMAT: FormatOptions = FormatOptions { style: None, indent: None, sort_keys: None };

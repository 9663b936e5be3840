//! What changed between two texts, in hunks.

use similar::udiff::UnifiedHunkHeader;
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use crate::exports::bailiwick::text::tools::{DiffUnit, Difference, Failure};
use crate::limits::{DEFAULT_CONTEXT, MAX_CONTEXT, MAX_DIFF_UNITS, as_u32, check_number, check_text};
use crate::word_diff;

/// How many units are only in the new text and only in the old one.
#[derive(Default)]
pub struct Tally {
    pub inserted: usize,
    pub deleted: usize,
}

/// Two texts in lines, each with its line end.
pub struct Lines<'t> {
    pub before: Vec<&'t str>,
    pub after: Vec<&'t str>,
}

/// Compares two texts by lines, or by the words inside of changed lines.
pub fn compare(before: &str, after: &str, unit: DiffUnit, context: Option<u32>) -> Result<Difference, Failure> {
    let context = check_number("context", context, DEFAULT_CONTEXT, 0, MAX_CONTEXT)?;
    let lines = Lines { before: split("before", before)?, after: split("after", after)? };
    let ops = capture_diff_slices(Algorithm::Myers, &lines.before, &lines.after);
    let groups = group_diff_ops(ops, context);
    let (diff, tally, units) = match unit {
        DiffUnit::Lines => {
            let (diff, tally) = unified(&lines, &groups);
            (diff, tally, lines.before.len())
        }
        DiffUnit::Words => {
            let (diff, tally) = word_diff::inside_lines(&lines, &groups)?;
            (diff, tally, before.split_whitespace().count())
        }
    };
    Ok(Difference {
        equal: before == after,
        diff,
        inserted: as_u32(tally.inserted),
        deleted: as_u32(tally.deleted),
        unchanged: as_u32(units.saturating_sub(tally.deleted)),
    })
}

/// Begins a hunk: `@@ -1,3 +1,4 @@`.
pub fn push_header(group: &[DiffOp], out: &mut String) {
    out.push_str(&UnifiedHunkHeader::new(group).to_string());
    out.push('\n');
}

/// The form that `patch` reads.
fn unified(lines: &Lines, groups: &[Vec<DiffOp>]) -> (String, Tally) {
    let mut out = String::new();
    let mut tally = Tally::default();
    if !groups.is_empty() {
        out.push_str("--- before\n+++ after\n");
    }
    for group in groups {
        push_header(group, &mut out);
        for op in group {
            let (old, new) = (&lines.before[op.old_range()], &lines.after[op.new_range()]);
            if matches!(op, DiffOp::Equal { .. }) {
                push_lines(' ', old, &mut out);
                continue;
            }
            push_lines('-', old, &mut out);
            push_lines('+', new, &mut out);
            tally.deleted += old.len();
            tally.inserted += new.len();
        }
    }
    (out, tally)
}

fn push_lines(prefix: char, lines: &[&str], out: &mut String) {
    for line in lines {
        out.push(prefix);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// Splits at `\n` alone, as `patch` does.
fn split<'t>(name: &str, text: &'t str) -> Result<Vec<&'t str>, Failure> {
    check_text(name, text)?;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.len() > MAX_DIFF_UNITS {
        return Err(Failure::TooLarge(format!(
            "`{name}` has {} lines; at most {MAX_DIFF_UNITS} are allowed",
            lines.len()
        )));
    }
    Ok(lines)
}

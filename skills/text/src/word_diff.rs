//! The words that changed inside of changed lines, marked as
//! `git diff --word-diff` marks them.

use similar::{Algorithm, DiffOp, DiffableStr, capture_diff_slices};

use crate::diff::{Lines, Tally, push_header};
use crate::exports::bailiwick::text::tools::Failure;
use crate::limits::MAX_DIFF_UNITS;

const DELETED: (&str, &str) = ("[-", "-]");
const INSERTED: (&str, &str) = ("{+", "+}");

/// Renders hunks of lines with their words marked, and counts the words.
pub fn inside_lines(lines: &Lines, groups: &[Vec<DiffOp>]) -> Result<(String, Tally), Failure> {
    let mut out = String::new();
    let mut tally = Tally::default();
    for group in groups {
        push_header(group, &mut out);
        for op in group {
            let old = lines.before[op.old_range()].concat();
            let new = lines.after[op.new_range()].concat();
            push_block(&old, &new, &mut out, &mut tally)?;
        }
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
    Ok((out, tally))
}

/// Renders neighbouring lines, which may be the same, new, gone or changed.
fn push_block(old: &str, new: &str, out: &mut String, tally: &mut Tally) -> Result<(), Failure> {
    if old == new {
        out.push_str(old);
        return Ok(());
    }
    let (old, new) = (words("before", old)?, words("after", new)?);
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let (gone, come) = (&old[op.old_range()], &new[op.new_range()]);
        if matches!(op, DiffOp::Equal { .. }) {
            out.extend(gone.iter().copied());
            continue;
        }
        push_marked(&gone.concat(), DELETED, out);
        push_marked(&come.concat(), INSERTED, out);
        tally.deleted += count_words(gone);
        tally.inserted += count_words(come);
    }
    Ok(())
}

/// Marks every line of a piece on its own, so that no mark spans lines.
fn push_marked(piece: &str, (open, close): (&str, &str), out: &mut String) {
    for line in piece.split_inclusive('\n') {
        let (text, end) = match line.strip_suffix('\n') {
            Some(text) => (text, "\n"),
            None => (line, ""),
        };
        if !text.is_empty() {
            out.push_str(open);
            out.push_str(text);
            out.push_str(close);
        }
        out.push_str(end);
    }
}

/// Splits into words and the white space between them.
fn words<'t>(name: &str, text: &'t str) -> Result<Vec<&'t str>, Failure> {
    let words = text.tokenize_words();
    if words.len() > 2 * MAX_DIFF_UNITS {
        return Err(Failure::TooLarge(format!(
            "the changed lines of `{name}` have more than {MAX_DIFF_UNITS} words, which is the most; compare by lines"
        )));
    }
    Ok(words)
}

fn count_words(tokens: &[&str]) -> usize {
    let is_word = |token: &&&str| !token.chars().all(char::is_whitespace);
    tokens.iter().filter(is_word).count()
}

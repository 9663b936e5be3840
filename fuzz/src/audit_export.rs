//! Exports of the audit chain. The input is read as edits of a whole export; one that
//! begins with `{` or is empty is taken for an export itself.

mod edits;
mod export;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use arbitrary::Unstructured;
use bailiwick_skills::audit::{Verified, VerifyError, verify};

use self::export::Whole;

/// A real export, made once by the real journal with a key of its own.
static WHOLE: LazyLock<Whole> = LazyLock::new(export::make);

/// Edits an export and has it verified: it holds exactly where nothing that it says
/// has changed.
pub fn check(input: &[u8]) {
    let edited = if input.is_empty() || input.starts_with(b"{") {
        input.to_vec()
    } else {
        let mut u = Unstructured::new(input);
        edits::apply(&mut u, WHOLE.text.as_bytes().to_vec()).unwrap_or_else(|_| WHOLE.text.as_bytes().to_vec())
    };
    let found = verify(edited.as_slice(), Some(WHOLE.key));
    let same = says_the_same(&edited);
    match &found {
        Ok(verified) => {
            assert!(same, "verified, and not what was exported:\n{}", String::from_utf8_lossy(&edited));
            counts_are_right(verified, &edited);
        }
        Err(error) => {
            assert!(!same, "nothing has changed, and it is refused: {error}");
            the_line_is_there(error, &edited);
        }
    }
    // Without the host's key an export says itself whose it is, and whoever writes it
    // anew names another. Under the same name, the same holds.
    let named = WHOLE.key.to_string();
    match (verify(edited.as_slice(), None), found) {
        (Ok(alone), Ok(verified)) => assert_eq!(alone, verified),
        (Ok(alone), Err(error)) => assert_ne!(alone.key, named, "right by its own word, and not by that key: {error}"),
        (Err(error), Ok(_)) => panic!("right by the host's key, and refused by its own word: {error}"),
        (Err(_), Err(_)) => {}
    }
}

/// Whether each record of the whole export is there in its order, with its end, and
/// otherwise nothing but checkpoints where they belong. One of those may be missing
/// or there twice, because the next one covers the same.
fn says_the_same(edited: &[u8]) -> bool {
    let mut expected = WHOLE.lines.iter().peekable();
    let mut allowed: Option<&str> = None;
    let lines: Vec<&[u8]> = edited.split_inclusive(|byte| *byte == b'\n').collect();
    for line in &lines {
        if allowed.is_some_and(|checkpoint| checkpoint.as_bytes() == *line) {
            continue;
        }
        // Checkpoints that could have come before this line and did not.
        while expected.next_if(|it| it.may_be_missing && it.text.as_bytes() != *line).is_some() {}
        match expected.next() {
            Some(found) if found.text.as_bytes() == *line => allowed = found.may_be_missing.then_some(&found.text),
            _ => return false,
        }
    }
    expected.next().is_none()
}

fn counts_are_right(verified: &Verified, edited: &[u8]) {
    let text = std::str::from_utf8(edited).expect("an export is text");
    let records = text.lines().filter(|line| line.contains("\"record\":")).count() as u64;
    assert_eq!(verified.records, records);
    assert_eq!(verified.checkpoints, text.lines().count() as u64 - records);
    assert_eq!(verified.kinds.values().sum::<u64>(), records);
    assert_eq!(verified.key, WHOLE.key.to_string());
    let kinds: BTreeSet<_> = verified.kinds.keys().map(String::as_str).collect();
    assert_eq!(kinds, export::KINDS.into_iter().collect());
}

fn the_line_is_there(error: &VerifyError, edited: &[u8]) {
    let line = match error {
        VerifyError::Malformed { line, .. }
        | VerifyError::Edited { line, .. }
        | VerifyError::OutOfOrder { line, .. }
        | VerifyError::Unlinked { line, .. }
        | VerifyError::Unfit { line, .. }
        | VerifyError::Forged { line, .. }
        | VerifyError::AfterEnd { line } => *line,
        VerifyError::NoEnd { .. } => return,
        VerifyError::Read(error) => panic!("memory can be read: {error}"),
    };
    let lines = edited.split_inclusive(|byte| *byte == b'\n').count() as u64;
    assert!((1..=lines).contains(&line), "there is no line {line} in {lines}: {error}");
}

//! The string literals of a source file, without those of its tests.

/// A literal, and the code in front of it on its line or the lines before.
pub(super) struct Literal {
    pub(super) text: String,
    /// Whether it is what an `#[error(…)]` says.
    pub(super) is_error: bool,
    /// Whether no user of the program sees it: the reason of a lint's exception, or of an `expect`.
    pub(super) is_internal: bool,
}

/// Every literal of `source` up to its tests.
pub(super) fn literals(source: &str) -> Vec<Literal> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '\'', '/']) {
        let (before, here) = rest.split_at(at);
        let consumed = &code[..code.len() - here.len()];
        rest = match here.as_bytes() {
            [b'/', b'/', ..] => here.split_once('\n').map_or("", |(_, next)| next),
            [b'\'', b'\\', ..] => here[2..].split_once('\'').map_or("", |(_, next)| next),
            [b'\'', ..] => after_quote(here),
            [b'"', ..] => {
                let (text, next) = if is_raw(before) { raw(before, here) } else { plain(here) };
                found.push(literal(consumed, text));
                next
            }
            _ => &here[1..],
        };
    }
    found
}

/// Behind a character, or behind the quote of a lifetime.
fn after_quote(here: &str) -> &str {
    let mut characters = here.char_indices().skip(2);
    match characters.next() {
        Some((end, '\'')) => &here[end + 1..],
        _ => &here[1..],
    }
}

fn is_raw(before: &str) -> bool {
    let word = before.trim_end_matches('#');
    word.ends_with('r') && !word[..word.len() - 1].ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn raw<'c>(before: &str, here: &'c str) -> (String, &'c str) {
    let hashes = before.len() - before.trim_end_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    let (text, next) = here[1..].split_once(&end).unwrap_or((&here[1..], ""));
    (text.to_owned(), next)
}

/// The text of a literal, with what its escapes mean, and what follows it.
fn plain(here: &str) -> (String, &str) {
    let mut text = String::new();
    let mut characters = here.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (text, &here[at + 1..]),
            '\\' => match characters.next() {
                // A line that goes on begins with its first word.
                Some((_, '\n')) => while characters.next_if(|(_, c)| c.is_whitespace()).is_some() {},
                Some((_, 'n')) => text.push('\n'),
                Some((_, other)) => text.push(other),
                None => break,
            },
            c => text.push(c),
        }
    }
    (text, "")
}

fn literal(before: &str, text: String) -> Literal {
    let before = before.trim_end();
    let is_internal = ["reason =", "expect("].iter().any(|end| before.ends_with(end));
    Literal { text, is_error: before.ends_with("#[error("), is_internal }
}

#[test]
#[expect(clippy::needless_raw_string_hashes, reason = "there is a raw text in it")]
fn literals_are_told_from_comments_characters_and_lifetimes() {
    let source = r##"
        // "a comment"
        #[error("first {0}")]
        fn f<'a>(c: char) -> &'a str { if c == '"' || c == '\'' { "sec\"ond" } else { r#"third "quoted""# } }
        #[expect(x, reason = "not for users")]
        const LONG: &str = "one \
                            line";
        #[cfg(test)]
        const TEST: &str = "of a test";
    "##;
    let found = literals(source);
    let texts: Vec<_> = found.iter().map(|literal| literal.text.as_str()).collect();
    assert_eq!(texts, ["first {0}", "sec\"ond", "third \"quoted\"", "not for users", "one line"]);
    assert!(found[0].is_error && !found[1].is_error);
    assert!(found[3].is_internal && !found[4].is_internal);
}

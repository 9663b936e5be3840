//! Names that a new package can have in every language.

/// Most characters of a name or a namespace, as in the ids of skills.
const MAX_NAME: usize = 64;

/// Words that WIT, Rust, Python, JavaScript or C keep for themselves. A name of several words
/// is never one of them.
const RESERVED: &[&str] = &[
    "abstract",
    "and",
    "any",
    "as",
    "assert",
    "async",
    "auto",
    "await",
    "become",
    "bool",
    "borrow",
    "box",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "constructor",
    "continue",
    "crate",
    "debugger",
    "def",
    "default",
    "del",
    "delete",
    "do",
    "double",
    "dyn",
    "elif",
    "else",
    "enum",
    "except",
    "export",
    "extends",
    "extern",
    "f32",
    "f64",
    "false",
    "final",
    "finally",
    "flags",
    "float",
    "fn",
    "for",
    "from",
    "func",
    "function",
    "future",
    "gen",
    "global",
    "goto",
    "if",
    "impl",
    "import",
    "in",
    "include",
    "inline",
    "instanceof",
    "int",
    "interface",
    "is",
    "lambda",
    "let",
    "list",
    "long",
    "loop",
    "macro",
    "main",
    "match",
    "mod",
    "move",
    "mut",
    "new",
    "none",
    "nonlocal",
    "not",
    "null",
    "option",
    "or",
    "override",
    "own",
    "package",
    "pass",
    "priv",
    "pub",
    "raise",
    "record",
    "ref",
    "register",
    "resource",
    "result",
    "return",
    "s16",
    "s32",
    "s64",
    "s8",
    "self",
    "short",
    "signed",
    "sizeof",
    "static",
    "stream",
    "string",
    "struct",
    "super",
    "switch",
    "test",
    "this",
    "throw",
    "trait",
    "true",
    "try",
    "tuple",
    "type",
    "typedef",
    "typeof",
    "u16",
    "u32",
    "u64",
    "u8",
    "union",
    "unsafe",
    "unsigned",
    "unsized",
    "use",
    "var",
    "variant",
    "virtual",
    "void",
    "volatile",
    "where",
    "while",
    "with",
    "world",
    "yield",
];

/// Why a text is not a name.
#[derive(Debug, thiserror::Error)]
pub enum InvalidName {
    /// It is not spelt like one.
    #[error(
        "`{name}` can't be a {what}: expected 1 to {MAX_NAME} lowercase letters, digits and single hyphens, each word \
         beginning with a letter{}", tip(.suggestion.as_deref())
    )]
    Spelling {
        /// What it was to be.
        what: &'static str,
        /// The text.
        name: String,
        /// A name that is near.
        suggestion: Option<String>,
    },
    /// A language needs it for something else.
    #[error(
        "`{name}` can't be a {what}: languages keep this word for themselves; expected another, such as `{name}-tool`"
    )]
    Reserved {
        /// What it was to be.
        what: &'static str,
        /// The word.
        name: String,
    },
}

/// Checks a name or a namespace, which `what` says, for use in ids, in WIT and in source code.
pub fn check(what: &'static str, name: &str) -> Result<(), InvalidName> {
    if !is_name(name) {
        let suggestion = near(name).filter(|near| is_name(near));
        return Err(InvalidName::Spelling { what, name: name.to_owned(), suggestion });
    }
    if RESERVED.contains(&name) {
        return Err(InvalidName::Reserved { what, name: name.to_owned() });
    }
    Ok(())
}

/// The name as languages write it that know no hyphens.
pub fn ident(name: &str) -> String {
    name.replace('-', "_")
}

fn is_name(name: &str) -> bool {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    name.len() <= MAX_NAME && name.split('-').all(word)
}

/// What was probably meant: `My Skill` and `my_skill` are `my-skill`.
fn near(name: &str) -> Option<String> {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let near = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    (!near.is_empty()).then_some(near)
}

fn tip(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_with_hyphens() {
        for good in ["a", "word-count", "utf8", "a1-b2", "type-checker"] {
            assert!(check("name", good).is_ok(), "{good}");
        }
        for bad in ["", "Word", "word_count", "-a", "a-", "a--b", "2a", "a-2", "a b", "é", &"a".repeat(65), "type"] {
            assert!(check("name", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_says_which_name_would_do() {
        let said = |name| check("name", name).unwrap_err().to_string();
        assert!(said("My Skill").ends_with("did you mean `my-skill`?"), "{}", said("My Skill"));
        assert!(!said("2").contains("did you mean"), "{}", said("2"));
        assert!(said("type").contains("such as `type-tool`"), "{}", said("type"));
    }

    #[test]
    fn reserved_words_are_in_order_and_names() {
        assert!(RESERVED.is_sorted());
        for word in RESERVED {
            assert!(is_name(word), "{word} needs no place in this list");
        }
    }
}

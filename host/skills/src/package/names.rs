//! The small grammars of a manifest: tags, names, methods and paths inside the package.
//!
//! Each function answers what was expected where the text is something else.
//! The patterns in `raw` say the same to editors, as far as a pattern can.

use bailiwick_domain::authority::PathPattern;

/// Longest risk tag, as the schema says.
const MAX_TAG: usize = 64;

/// Longest name of a configuration value or a secret, as the schema says.
const MAX_NAME: usize = 128;

/// A risk tag: words of lowercase letters and digits with `_` or `-` between.
pub(super) fn tag(text: &str) -> Result<(), &'static str> {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
    let good = begins && text.len() <= MAX_TAG && text.split(['_', '-']).all(word);
    good.then_some(()).ok_or("expected lowercase words with `_` or `-` between, such as `external_side_effect`")
}

/// The name of a configuration value or a secret.
pub(super) fn name(text: &str) -> Result<(), &'static str> {
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let good =
        begins && text.len() <= MAX_NAME && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.:/-".contains(c));
    good.then_some(()).ok_or("expected 1 to 128 letters, digits and `_.:/-`, such as `github_token`")
}

/// The name of a model.
pub(super) fn model(text: &str) -> Result<(), &'static str> {
    let good = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    good.then_some(()).ok_or("expected the name of a model, without spaces")
}

/// The name of a tool: `function`, or `interface.function`.
pub(super) fn tool(text: &str) -> Result<(), &'static str> {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
    let part = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.split('-').all(word);
    let good = text.split('.').count() <= 2 && text.split('.').all(part);
    good.then_some(()).ok_or("expected the name of an exported function, such as `word-count`, or `interface.function`")
}

/// An HTTP method in upper case: the tokens of RFC 9110, which tells methods apart by case.
pub(super) fn method(text: &str) -> Result<(), &'static str> {
    let token = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "!#$%&'*+.^_`|~-".contains(c);
    let good = !text.is_empty() && text.chars().all(token);
    good.then_some(()).ok_or("expected a method in upper case, such as `GET`")
}

/// Paths of a URL: a prefix or a glob.
pub(super) fn url_path(text: &str) -> Result<(), &'static str> {
    text.parse::<PathPattern>().map(drop).map_err(|error| error.expected())
}

/// The path of a file inside the package that ends in `extension` (with its dot, or empty for any).
pub(super) fn package_file(text: &str, extension: &str) -> Result<(), String> {
    if text.starts_with('/') || text.contains('\\') || text.contains(':') {
        return Err("expected a path relative to the package, with `/` between its parts".to_owned());
    }
    if text.split('/').any(|part| part == "..") {
        return Err("expected a path inside the package, without `..`".to_owned());
    }
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    };
    if !text.split('/').all(part) {
        return Err("expected parts that begin with a letter, a digit or `_`, of letters, digits and `_.-`".to_owned());
    }
    // The stem may not be empty: `schemas/.json` was refused above for its first character.
    if text.ends_with(extension) { Ok(()) } else { Err(format!("expected a file that ends in `{extension}`")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_words() {
        for good in ["a", "destructive", "external_side_effect", "a-b2"] {
            assert!(tag(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "2a", "a--b", "_a", "a_", "a b", &"a".repeat(65)] {
            assert!(tag(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn tools_are_wit_names() {
        for good in ["add", "word-count", "calc.add", "HTTP-get", "a1"] {
            assert!(tool(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "a_b", "a.", ".a", "a.b.c", "a--b", "a b"] {
            assert!(tool(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn package_files_stay_inside() {
        for good in ["a.wasm", "b/c-d/e_f.wasm", "a.b.wasm"] {
            assert!(package_file(good, ".wasm").is_ok(), "{good}");
        }
        for bad in [
            "",
            "/a.wasm",
            "../a.wasm",
            "a/../b.wasm",
            "a//b.wasm",
            "./a.wasm",
            "a\\b.wasm",
            "C:a.wasm",
            ".wasm",
            "a/.wasm",
            "a.wasm/",
            "a.WASM",
            "é.wasm",
        ] {
            assert!(package_file(bad, ".wasm").is_err(), "{bad}");
        }
    }
}

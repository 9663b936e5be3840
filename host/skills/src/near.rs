//! Names that were probably meant.

/// Share of characters that must agree for two names to be alike: one slip in a
/// short name, two or three in a long one.
const ALIKE: f64 = 0.6;

/// Names offered at most; more would be a list to search.
const OFFERED: usize = 3;

/// Longest name that is compared with others: nobody means one that is longer,
/// and comparing takes time that grows with the product of the lengths.
const MAX_COMPARED: usize = 256;

/// The names among `known` that are most like `name`, best first.
pub fn near<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Vec<String> {
    if name.len() > MAX_COMPARED {
        return Vec::new();
    }
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(name, other);
    let mut alike: Vec<(f64, &str)> = known.into_iter().map(|other| (likeness(other), other)).collect();
    alike.retain(|(likeness, _)| *likeness >= ALIKE);
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    alike.into_iter().take(OFFERED).map(|(_, name)| name.to_owned()).collect()
}

/// `; did you mean `a` or `b`?`, or nothing.
pub fn hint(near: &[String]) -> String {
    if near.is_empty() {
        return String::new();
    }
    format!("; did you mean {}?", quoted(near, " or "))
}

/// The names in backticks with `separator` between.
pub fn quoted<S: AsRef<str>>(names: impl IntoIterator<Item = S>, separator: &str) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    quoted.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_names_come_first() {
        let known = ["bailiwick/text", "bailiwick/texts", "demo/calc"];
        assert_eq!(near("bailiwik/text", known), ["bailiwick/text", "bailiwick/texts"]);
        assert!(near("else/where", known).is_empty());
        assert!(near(&"x".repeat(100_000), known).is_empty());
    }
}

//! The beginning of a text that somebody else wrote: errors and records show no more of it.

/// Its first `max` characters.
pub fn start_of(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

/// Its first `max` characters in one line, where control characters are blanks.
pub fn line_of(text: &str, max: usize) -> String {
    text.chars().take(max).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_ends_at_a_character_and_says_nothing_else() {
        assert_eq!(start_of("größer", 4), "größ");
        assert_eq!(start_of("größer", 6), "größer");
        assert_eq!(start_of("a\nb", 9), "a\nb");
        assert_eq!(start_of("a", 0), "");
    }

    #[test]
    fn a_line_has_no_characters_that_steer() {
        assert_eq!(line_of("a\nb\u{1b}[2Jc\u{85}d", 9), "a b [2Jc ");
        assert_eq!(line_of("größer", 4), "größ");
    }
}

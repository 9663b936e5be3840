//! Syllables of English words, estimated from the spelling.
//!
//! A dictionary would be exact and a hundred times as large as the skill. The
//! rules below are the usual ones for readability scores, which average over
//! many words.

/// Endings in `es` that are spoken after these letters ("boxes", "faces").
const SPOKEN_BEFORE_ES: [char; 5] = ['c', 'g', 's', 'x', 'z'];

/// Estimates the syllables of a word in lower case: at least one.
pub fn estimate(word: &str) -> usize {
    let letters: Vec<char> = word.chars().collect();
    let groups = vowel_groups(&letters);
    groups.saturating_sub(usize::from(has_silent_ending(&letters))).max(1)
}

/// Runs of vowels. `y` is a consonant at a word's start ("yes").
fn vowel_groups(letters: &[char]) -> usize {
    let mut groups = 0;
    let mut inside = false;
    for (index, letter) in letters.iter().enumerate() {
        let vowel = is_vowel(*letter) && !(index == 0 && *letter == 'y');
        if vowel && !inside {
            groups += 1;
        }
        inside = vowel;
    }
    groups
}

/// Whether the word ends in an `e` that is not spoken: "make", "makes" and
/// "baked", but not "table", "boxes", "wishes" and "wanted".
fn has_silent_ending(letters: &[char]) -> bool {
    match letters {
        [.., before, 'l', 'e'] => is_vowel(*before),
        [.., before, 'e'] => !is_vowel(*before),
        [.., 't' | 'd', 'e', 'd'] => false,
        [.., before, 'e', 'd'] => !is_vowel(*before),
        [.., 's' | 'c', 'h', 'e', 's'] => false,
        [.., before, 'l', 'e', 's'] => is_vowel(*before),
        [.., before, 'e', 's'] => !is_vowel(*before) && !SPOKEN_BEFORE_ES.contains(before),
        _ => false,
    }
}

fn is_vowel(letter: char) -> bool {
    "aeiouyáàâäãåæéèêëíìîïóòôöõøœúùûüýÿ".contains(letter)
}

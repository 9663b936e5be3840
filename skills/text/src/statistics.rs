//! What a text is made of.

use std::collections::HashMap;

use unicode_segmentation::UnicodeSegmentation;

use crate::exports::bailiwick::text::tools::{Counts, Failure, WordCount};
use crate::limits::{DEFAULT_TOP_WORDS, MAX_TOP_WORDS, as_u32, check_number, check_text};
use crate::syllables;

/// Counts everything in one text.
pub fn count(text: &str, top_words: Option<u32>) -> Result<Counts, Failure> {
    check_text("text", text)?;
    let top_words = check_number("top-words", top_words, DEFAULT_TOP_WORDS, 0, MAX_TOP_WORDS)?;
    let words = Words::of(text);
    let sentences = text.unicode_sentences().count();
    Ok(Counts {
        bytes: as_u32(text.len()),
        characters: as_u32(text.chars().count()),
        graphemes: as_u32(text.graphemes(true).count()),
        words: as_u32(words.total),
        unique_words: as_u32(words.frequency.len()),
        sentences: as_u32(sentences),
        lines: as_u32(text.lines().count()),
        paragraphs: as_u32(paragraphs(text)),
        syllables: as_u32(words.syllables),
        average_word_length: average(words.characters, words.total).map(rounded),
        average_sentence_length: average(words.total, sentences).map(rounded),
        flesch_reading_ease: flesch(&words, sentences).map(rounded),
        top_words: words.most_frequent(top_words),
    })
}

/// The words of a text, counted.
struct Words {
    total: usize,
    characters: usize,
    syllables: usize,
    frequency: HashMap<String, usize>,
}

impl Words {
    fn of(text: &str) -> Self {
        let mut words = Self { total: 0, characters: 0, syllables: 0, frequency: HashMap::new() };
        for word in text.unicode_words() {
            let lower = word.to_lowercase();
            words.total += 1;
            words.characters += word.chars().count();
            words.syllables += syllables::estimate(&lower);
            *words.frequency.entry(lower).or_default() += 1;
        }
        words
    }

    fn most_frequent(self, limit: usize) -> Vec<WordCount> {
        let mut counted: Vec<(String, usize)> = self.frequency.into_iter().collect();
        counted.sort_by(|(word_a, a), (word_b, b)| b.cmp(a).then_with(|| word_a.cmp(word_b)));
        counted.truncate(limit);
        let entry = |(word, count)| WordCount { word, count: as_u32(count) };
        counted.into_iter().map(entry).collect()
    }
}

fn paragraphs(text: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    for line in text.lines() {
        let blank = line.trim().is_empty();
        if !blank && !inside {
            count += 1;
        }
        inside = !blank;
    }
    count
}

/// Flesch (1948), "A new readability yardstick".
fn flesch(words: &Words, sentences: usize) -> Option<f64> {
    let sentence_length = average(words.total, sentences)?;
    let word_length = average(words.syllables, words.total)?;
    Some(206.835 - 1.015 * sentence_length - 84.6 * word_length)
}

fn average(sum: usize, count: usize) -> Option<f64> {
    (count > 0).then(|| sum as f64 / count as f64)
}

fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

//! How alike texts are, and which candidate is most like a query.

use std::collections::{HashMap, HashSet};

use unicode_segmentation::UnicodeSegmentation;

use crate::exports::bailiwick::text::tools::{Failure, Measure, Ranked, Similarities};
use crate::limits::{DEFAULT_RANKED, MAX_CANDIDATES, MAX_RANK_WORK, MAX_SIMILARITY_CHARS, as_u32, check_number};

/// Decimals that a score is rounded to. Texts within the limits that differ
/// by one edit still score below 1.
const SCORE_DECIMALS: f64 = 1e6;

/// What `rank` is asked for.
pub struct Search {
    pub query: String,
    pub measure: Measure,
    pub ignore_case: bool,
    pub limit: Option<u32>,
    pub min_score: Option<f64>,
}

/// Scores two texts by every measure.
pub fn all(a: &str, b: &str, ignore_case: bool) -> Result<Similarities, Failure> {
    check_chars("a", a)?;
    check_chars("b", b)?;
    let (a, b) = (Prepared::new(a, ignore_case), Prepared::new(b, ignore_case));
    Ok(Similarities {
        edit_distance: as_u32(strsim::generic_levenshtein(&a.chars, &b.chars)),
        levenshtein: rounded(a.score(&b, Measure::Levenshtein)),
        jaro_winkler: rounded(a.score(&b, Measure::JaroWinkler)),
        sorensen_dice: rounded(a.score(&b, Measure::SorensenDice)),
        token_jaccard: rounded(a.score(&b, Measure::TokenJaccard)),
    })
}

/// Sorts candidates by their score against the query, the best first.
pub fn rank(search: &Search, candidates: Vec<String>) -> Result<Vec<Ranked>, Failure> {
    check_work(&search.query, &candidates)?;
    let limit = check_number("limit", search.limit, DEFAULT_RANKED, 1, as_u32(MAX_CANDIDATES))?;
    let min_score = check_min_score(search.min_score)?;
    let query = Prepared::new(&search.query, search.ignore_case);
    let score = |candidate: &str| {
        let candidate = Prepared::new(candidate, search.ignore_case);
        rounded(query.score(&candidate, search.measure))
    };
    let mut ranked: Vec<Ranked> = candidates
        .into_iter()
        .enumerate()
        .map(|(index, candidate)| Ranked { index: as_u32(index), score: score(&candidate), candidate })
        .filter(|ranked| ranked.score >= min_score)
        .collect();
    // The sort is stable, so that equal scores keep the candidates' order.
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    ranked.truncate(limit);
    Ok(ranked)
}

/// A text in the form that the measures compare.
struct Prepared {
    text: String,
    chars: Vec<char>,
}

impl Prepared {
    fn new(text: &str, ignore_case: bool) -> Self {
        let text = if ignore_case { text.to_lowercase() } else { text.to_owned() };
        let chars = text.chars().collect();
        Self { text, chars }
    }

    fn score(&self, other: &Self, measure: Measure) -> f64 {
        match measure {
            Measure::Levenshtein => normalised_levenshtein(&self.chars, &other.chars),
            Measure::JaroWinkler => strsim::generic_jaro_winkler(&self.chars, &other.chars),
            Measure::SorensenDice => sorensen_dice(&self.chars, &other.chars),
            Measure::TokenJaccard => token_jaccard(&self.text, &other.text),
        }
    }
}

fn normalised_levenshtein(a: &Vec<char>, b: &Vec<char>) -> f64 {
    let longest = a.len().max(b.len());
    if longest == 0 {
        return 1.0;
    }
    1.0 - strsim::generic_levenshtein(a, b) as f64 / longest as f64
}

/// Twice the shared bigrams, divided by all bigrams. `strsim` has this
/// measure too, but divides by bytes, which is wrong outside of ASCII.
fn sorensen_dice(a: &[char], b: &[char]) -> f64 {
    let (a, b) = (without_spaces(a), without_spaces(b));
    if a == b {
        return 1.0;
    }
    let (Some(bigrams_a), Some(bigrams_b)) = (a.len().checked_sub(1), b.len().checked_sub(1)) else {
        return 0.0;
    };
    if bigrams_a + bigrams_b == 0 {
        return 0.0;
    }
    let mut left: HashMap<&[char], usize> = HashMap::new();
    for bigram in a.windows(2) {
        *left.entry(bigram).or_default() += 1;
    }
    let mut shared = 0;
    for bigram in b.windows(2) {
        if let Some(count) = left.get_mut(bigram).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    f64::from(2 * shared) / (bigrams_a + bigrams_b) as f64
}

fn without_spaces(chars: &[char]) -> Vec<char> {
    let visible = |c: &char| !c.is_whitespace();
    chars.iter().copied().filter(visible).collect()
}

fn token_jaccard(a: &str, b: &str) -> f64 {
    let a: HashSet<&str> = a.unicode_words().collect();
    let b: HashSet<&str> = b.unicode_words().collect();
    let either = a.union(&b).count();
    if either == 0 {
        return 1.0;
    }
    a.intersection(&b).count() as f64 / either as f64
}

fn rounded(score: f64) -> f64 {
    (score * SCORE_DECIMALS).round() / SCORE_DECIMALS
}

fn check_chars(name: &str, text: &str) -> Result<(), Failure> {
    let chars = text.chars().count();
    if chars > MAX_SIMILARITY_CHARS {
        return Err(Failure::TooLarge(format!(
            "`{name}` has {chars} characters; at most {MAX_SIMILARITY_CHARS} are allowed"
        )));
    }
    Ok(())
}

fn check_work(query: &str, candidates: &[String]) -> Result<(), Failure> {
    if candidates.len() > MAX_CANDIDATES {
        return Err(Failure::TooLarge(format!(
            "`candidates` has {} texts; at most {MAX_CANDIDATES} are allowed",
            candidates.len()
        )));
    }
    let query = query.chars().count();
    let others: usize = candidates.iter().map(|text| text.chars().count()).sum();
    if query.saturating_mul(others) > MAX_RANK_WORK {
        return Err(Failure::TooLarge(format!(
            "`query` has {query} characters and `candidates` have {others} together; their product may be at most {MAX_RANK_WORK}"
        )));
    }
    Ok(())
}

fn check_min_score(given: Option<f64>) -> Result<f64, Failure> {
    let least = given.unwrap_or(0.0);
    if !(0.0..=1.0).contains(&least) {
        return Err(Failure::InvalidInput(format!("`min-score` is {least}; expected 0 to 1")));
    }
    Ok(least)
}

//! A skill that compares, scores, measures and rewrites plain text.

mod diff;
mod limits;
mod pattern;
mod rewrite;
mod similarity;
mod statistics;
mod syllables;
mod template;
mod word_diff;

use exports::bailiwick::text::tools::{
    Counts, DiffUnit, Difference, Extraction, Failure, Guest, Measure, Ranked, Replaced, Similarities,
};

wit_bindgen::generate!({ world: "skill", path: "wit" });

struct Skill;

impl Guest for Skill {
    fn diff(
        before: String,
        after: String,
        unit: Option<DiffUnit>,
        context: Option<u32>,
    ) -> Result<Difference, Failure> {
        diff::compare(&before, &after, unit.unwrap_or(DiffUnit::Lines), context)
    }

    fn similarity(a: String, b: String, ignore_case: Option<bool>) -> Result<Similarities, Failure> {
        similarity::all(&a, &b, ignore_case.unwrap_or(false))
    }

    fn rank(
        query: String,
        candidates: Vec<String>,
        measure: Option<Measure>,
        ignore_case: Option<bool>,
        limit: Option<u32>,
        min_score: Option<f64>,
    ) -> Result<Vec<Ranked>, Failure> {
        let search = similarity::Search {
            query,
            measure: measure.unwrap_or(Measure::JaroWinkler),
            ignore_case: ignore_case.unwrap_or(false),
            limit,
            min_score,
        };
        similarity::rank(&search, candidates)
    }

    fn statistics(text: String, top_words: Option<u32>) -> Result<Counts, Failure> {
        statistics::count(&text, top_words)
    }

    fn replace(
        text: String,
        pattern: String,
        replacement: String,
        ignore_case: Option<bool>,
        limit: Option<u32>,
    ) -> Result<Replaced, Failure> {
        let pattern = pattern::compile(&pattern, ignore_case.unwrap_or(false))?;
        rewrite::replace(&text, &pattern, &replacement, limit)
    }

    fn extract(
        text: String,
        pattern: String,
        ignore_case: Option<bool>,
        limit: Option<u32>,
    ) -> Result<Extraction, Failure> {
        let pattern = pattern::compile(&pattern, ignore_case.unwrap_or(false))?;
        rewrite::extract(&text, &pattern, limit)
    }
}

export!(Skill);

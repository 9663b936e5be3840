//! Measures texts.

use std::collections::BTreeMap;

wit_bindgen::generate!({ world: "skill", path: "wit" });

struct Skill;

impl Guest for Skill {
    fn count(text: String) -> Size {
        Size {
            lines: number(text.lines().count()),
            words: number(words(&text).count()),
            characters: number(text.chars().count()),
        }
    }

    fn frequent(text: String, most: Option<u32>) -> Result<Vec<Frequency>, String> {
        let most = most.unwrap_or(10);
        // An error is the tool's own answer, and says what would be right.
        if !(1..=1000).contains(&most) {
            return Err(format!("`most` is {most}, expected 1 to 1000"));
        }
        let mut counts = BTreeMap::new();
        for word in words(&text) {
            *counts.entry(word.to_lowercase()).or_insert(0) += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().map(|(word, times)| Frequency { word, times }).collect();
        // This keeps the order of words that are as frequent.
        counts.sort_by_key(|it| std::cmp::Reverse(it.times));
        counts.truncate(most as usize);
        Ok(counts)
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

export!(Skill);

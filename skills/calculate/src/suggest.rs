//! Names that are written nearly like one that isn't known.

use crate::limits::MAX_SUGGESTIONS;

/// The known names nearest to `name`, nearest first. A name of which more
/// than about a third differs isn't near.
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Vec<String> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let limit = (wanted.len() + 1) / 3;
    let mut near: Vec<(usize, &str)> = known
        .filter_map(|known| {
            let candidate: Vec<char> = known.to_lowercase().chars().collect();
            if candidate.len().abs_diff(wanted.len()) > limit {
                return None;
            }
            let distance = distance(&wanted, &candidate);
            (distance <= limit).then_some((distance, known))
        })
        .collect();
    near.sort();
    near.dedup();
    // Where only the case was wrong, nothing else is meant.
    if near.first().is_some_and(|(distance, _)| *distance == 0) {
        near.retain(|(distance, _)| *distance == 0);
    }
    near.into_iter().take(MAX_SUGGESTIONS).map(|(_, known)| known.into()).collect()
}

/// Edits from one to the other: insertions, deletions, replacements and
/// swaps of neighbours (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, &to) in b.iter().enumerate() {
            let replaced = row[j] + usize::from(from != to);
            let mut cost = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && from == b[j - 1] && a[i - 1] == to {
                cost = cost.min(before[j - 1] + 1);
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

//! JSON Patch (RFC 6902) from one value to another.

use crate::failure::duplicate_key;
use crate::json::{Json, Member};
use crate::limits::MAX_ALIGN_CELLS;
use crate::number::decimal;
use crate::pointer;
use crate::wit::Failure;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

/// The operations that turn `before` into `after`, as the objects of a patch.
/// A patch can't say which of two members with one key it means, so such
/// objects are refused.
pub fn patch(before: &Json, after: &Json) -> Result<Vec<Json>, Failure> {
    for (source, value) in [("before", before), ("after", after)] {
        if let Some(pointer) = duplicates(value, 1).first() {
            return Err(duplicate_key(format!("{source} has the key at {pointer:?} more than once")));
        }
    }
    let mut differ = Differ { operations: Vec::new(), path: String::new(), cells: MAX_ALIGN_CELLS };
    differ.compare(before, after);
    Ok(differ.operations)
}

/// Pointers of keys that stand more than once in their object, up to `most`.
pub fn duplicates(value: &Json, most: usize) -> Vec<String> {
    let mut found = Vec::new();
    collect_duplicates(value, &mut String::new(), most, &mut found);
    found
}

fn collect_duplicates(value: &Json, path: &mut String, most: usize, found: &mut Vec<String>) {
    let length = path.len();
    match value {
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer::push(path, &index.to_string());
                collect_duplicates(item, path, most, found);
                path.truncate(length);
            }
        }
        Json::Object(members) => {
            let mut seen: HashMap<&str, usize> = HashMap::with_capacity(members.len());
            for (key, item) in members {
                pointer::push(path, key);
                let occurrences = seen.entry(key).or_default();
                *occurrences += 1;
                if *occurrences == 2 && found.len() < most {
                    found.push(path.clone());
                }
                collect_duplicates(item, path, most, found);
                path.truncate(length);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

struct Differ {
    operations: Vec<Json>,
    path: String,
    /// Comparisons that are left for lining arrays up.
    cells: usize,
}

impl Differ {
    fn compare(&mut self, before: &Json, after: &Json) {
        match (before, after) {
            (Json::Object(a), Json::Object(b)) => self.objects(a, b),
            (Json::Array(a), Json::Array(b)) => self.arrays(a, b),
            _ if fingerprint(before) == fingerprint(after) => {}
            _ => self.operation("replace", Some(after)),
        }
    }

    fn objects(&mut self, before: &[Member], after: &[Member]) {
        let old: HashMap<&str, &Json> = before.iter().map(|(k, v)| (&**k, v)).collect();
        let new: HashMap<&str, &Json> = after.iter().map(|(k, v)| (&**k, v)).collect();
        for (key, value) in before {
            match new.get(&**key) {
                Some(changed) => self.at(key, |differ| differ.compare(value, changed)),
                None => self.at(key, |differ| differ.operation("remove", None)),
            }
        }
        for (key, value) in after.iter().filter(|(key, _)| !old.contains_key(&**key)) {
            self.at(key, |differ| differ.operation("add", Some(value)));
        }
    }

    /// Keeps elements that are equal, and changes what lies between them.
    fn arrays(&mut self, before: &[Json], after: &[Json]) {
        let a: Vec<u64> = before.iter().map(fingerprint).collect();
        let b: Vec<u64> = after.iter().map(fingerprint).collect();
        let prefix = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
        let tails = a[prefix..].iter().rev().zip(b[prefix..].iter().rev());
        let suffix = tails.take_while(|(x, y)| x == y).count();
        let end = (a.len() - suffix, b.len() - suffix);

        let kept = self.matches(&a[prefix..end.0], &b[prefix..end.1]);
        let kept = kept.into_iter().map(|(i, j)| (i + prefix, j + prefix));
        let (mut i, mut j) = (prefix, prefix);
        for (next_i, next_j) in kept.chain([end]) {
            self.changed(j, &before[i..next_i], &after[j..next_j]);
            (i, j) = (next_i + 1, next_j + 1);
        }
    }

    /// Everything before `index` is already as it shall be, so an element to
    /// remove is always at the index reached.
    fn changed(&mut self, mut index: usize, removed: &[Json], added: &[Json]) {
        let pairs = removed.len().min(added.len());
        for (a, b) in removed.iter().zip(added) {
            self.at_index(index, |differ| differ.compare(a, b));
            index += 1;
        }
        for _ in &removed[pairs..] {
            self.at_index(index, |differ| differ.operation("remove", None));
        }
        for value in &added[pairs..] {
            self.at_index(index, |differ| differ.operation("add", Some(value)));
            index += 1;
        }
    }

    /// Pairs of indices of a longest common subsequence, or none where finding
    /// it costs more than is left.
    fn matches(&mut self, a: &[u64], b: &[u64]) -> Vec<(usize, usize)> {
        let cells = (a.len() + 1).saturating_mul(b.len() + 1);
        if cells > self.cells {
            return Vec::new();
        }
        self.cells -= cells;
        common_subsequence(a, b)
    }

    fn at(&mut self, key: &str, work: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        pointer::push(&mut self.path, key);
        work(self);
        self.path.truncate(length);
    }

    fn at_index(&mut self, index: usize, work: impl FnOnce(&mut Self)) {
        self.at(&index.to_string(), work);
    }

    fn operation(&mut self, name: &str, value: Option<&Json>) {
        let text = |text: &str| Json::String(text.into());
        let mut members: Vec<Member> = vec![("op".into(), text(name)), ("path".into(), text(&self.path))];
        members.extend(value.map(|value| ("value".into(), value.clone())));
        self.operations.push(Json::Object(members));
    }
}

/// Equal for values that are equal as JSON: numbers by decimal value, members
/// in any order. A false match needs a collision of 64 bits.
fn fingerprint(value: &Json) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value {
        Json::Null => 0u8.hash(&mut hasher),
        Json::Bool(b) => (1u8, b).hash(&mut hasher),
        Json::Number(text) => (2u8, decimal(text)).hash(&mut hasher),
        Json::String(text) => (3u8, text).hash(&mut hasher),
        Json::Array(items) => {
            (4u8, items.len()).hash(&mut hasher);
            items.iter().for_each(|item| fingerprint(item).hash(&mut hasher));
        }
        Json::Object(members) => {
            let member = |(key, item): &Member| {
                let mut hasher = DefaultHasher::new();
                (key, fingerprint(item)).hash(&mut hasher);
                hasher.finish()
            };
            // A sum, because the order of members does not matter.
            let sum = members.iter().map(member).fold(0, u64::wrapping_add);
            (5u8, members.len(), sum).hash(&mut hasher);
        }
    }
    hasher.finish()
}

fn common_subsequence(a: &[u64], b: &[u64]) -> Vec<(usize, usize)> {
    let width = b.len() + 1;
    // `longest[i * width + j]` belongs to `a[i..]` and `b[j..]`.
    let mut longest = vec![0u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i * width + j] = if a[i] == b[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            pairs.push((i, j));
            i += 1;
            j += 1;
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

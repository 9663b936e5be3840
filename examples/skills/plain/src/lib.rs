//! Semantic versions, by plain wit-bindgen.

mod version;

use exports::examples::plain::versions::{Change, Guest, Problem};
use version::Version;

wit_bindgen::generate!({ world: "plain", path: "wit" });

struct Plain;

impl Guest for Plain {
    fn sort(versions: Vec<String>) -> Result<Vec<String>, Problem> {
        let mut parsed = versions.iter().map(|text| Ok((read(text)?, text))).collect::<Result<Vec<_>, _>>()?;
        // Those that are the same to the rules stay in their order.
        parsed.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(parsed.into_iter().map(|(_, text)| text.clone()).collect())
    }

    fn next(version: String, change: Change) -> Result<String, Problem> {
        let Version { numbers: [major, minor, patch], before } = read(&version)?;
        // What was on the way to a release of this change is that release.
        let on_the_way = before.is_some();
        let [major, minor, patch] = match (change, major) {
            (Change::Breaking, 1..) if on_the_way && minor == 0 && patch == 0 => [major, 0, 0],
            (Change::Breaking, 1..) => [major + 1, 0, 0],
            (Change::Breaking, 0) | (Change::Feature, 1..) if on_the_way && patch == 0 => [major, minor, 0],
            (Change::Breaking, 0) | (Change::Feature, 1..) => [major, minor + 1, 0],
            (Change::Feature, 0) | (Change::Fix, _) if on_the_way => [major, minor, patch],
            (Change::Feature, 0) | (Change::Fix, _) => [major, minor, patch + 1],
        };
        Ok(format!("{major}.{minor}.{patch}"))
    }
}

fn read(text: &str) -> Result<Version, Problem> {
    Version::parse(text).map_err(|expected| Problem { text: text.to_owned(), expected: expected.to_owned() })
}

export!(Plain);

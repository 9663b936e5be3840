//! Whatever a package says, it is loaded or refused, and nothing worse.

use std::fs;

use bailiwick_skills::package::{INSTRUCTIONS_FILE, LoadOptions, MANIFEST_FILE};
use proptest::prelude::*;

use crate::cases::{fixture, load, tests_folder};

/// A text with pieces of it copied elsewhere and strange ones put in.
fn mangled(text: String) -> impl Strategy<Value = String> {
    let strange = prop::sample::select(vec![
        "[",
        "]]",
        "{",
        "\"",
        "'''",
        "\n",
        "\r",
        "\t",
        "\0",
        "\u{feff}",
        "\u{202e}",
        "é",
        "---",
        ": ",
        "&a ",
        "*a",
        "!!t ",
        "- ",
        "? ",
        "|\n",
        "#",
        "=",
        ".",
        "-1",
        "1e999",
        "0x",
        "99999999999999999999",
        "1979-05-27",
        "nan",
        "\\u0000",
        "{a={b=[[",
    ]);
    let edit =
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), strange.prop_map(str::to_owned), any::<bool>());
    prop::collection::vec(edit, 1..6).prop_map(move |edits| {
        edits.into_iter().fold(text.clone(), |text, (from, to, strange, cut)| {
            let characters: Vec<char> = text.chars().collect();
            let at = from.index(characters.len() + 1);
            let resume = if cut { at + to.index(20) } else { at };
            let head: String = characters.iter().take(at).collect();
            let tail: String = characters.iter().skip(resume).collect();
            head + &strange + &tail
        })
    })
}

fn valid(path: &str) -> String {
    fs::read_to_string(tests_folder().join(path)).expect("the case is there")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn mangled_packages_end_in_an_answer(
        manifest in mangled(valid("manifests/valid/full.toml")),
        instructions in mangled(valid("skill-md/valid/full.md")),
        strict in any::<bool>(),
    ) {
        let folder = fixture();
        fs::write(folder.path().join(MANIFEST_FILE), manifest).expect("writable");
        fs::write(folder.path().join(INSTRUCTIONS_FILE), instructions).expect("writable");
        if let Err(said) = load(&folder, LoadOptions { strict, allow_shell: true }) {
            prop_assert!(!said.is_empty() && said.len() < 200_000);
            let steers = said.contains(['\0', '\u{1b}', '\u{202e}']);
            prop_assert!(!steers);
        }
        fs::remove_file(folder.path().join(MANIFEST_FILE)).expect("writable");
        drop(load(&folder, LoadOptions { strict, allow_shell: false }));
    }
}

//! The pages for authors: what they show is taken, what they link to is there, and
//! no error is missing.

mod errors;
mod links;
mod literals;
mod manifests;

use std::fs;
use std::path::{Path, PathBuf};

use super::{files, root};

/// A fenced block of a page.
struct Block {
    /// Where it begins: `docs/authors/manifest.md:12`.
    place: String,
    /// What stands behind its fence: `toml`, `toml grant`, `sh`.
    info: String,
    text: String,
}

fn pages() -> Vec<PathBuf> {
    let mut pages = files(&root().join("docs/authors"), "md");
    pages.sort();
    assert!(pages.len() > 5, "the pages for authors are gone");
    pages
}

/// The fenced blocks of a page. Those within others, as a README in a script, are part of these.
fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap();
    let name = page.strip_prefix(root()).unwrap().display().to_string();
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<(usize, Block)> = None;
    for (number, line) in text.lines().enumerate() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match &mut open {
            Some((fence, _)) if ticks >= *fence && line.trim_start_matches('`').trim().is_empty() => {
                blocks.extend(open.take().map(|(_, block)| block));
            }
            Some((_, block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            None if ticks >= 3 => {
                let info = line.trim_start_matches('`').trim().to_owned();
                let place = format!("{name}:{}", number + 1);
                open = Some((ticks, Block { place, info, text: String::new() }));
            }
            None => {}
        }
    }
    assert!(open.is_none(), "{name} has a block without its end");
    blocks
}

//! What the pages for authors tell people to type does what they say.

mod grants;
mod quick_start;

use std::fs;
use std::path::Path;

/// A part of a page below a heading of the second level.
struct Section {
    title: String,
    blocks: Vec<Block>,
}

/// A fenced block.
struct Block {
    /// What stands behind its fence: `sh`, `toml grant`.
    info: String,
    text: String,
}

impl Section {
    /// The text of each block of this kind.
    fn blocks<'s>(&'s self, info: &'s str) -> impl DoubleEndedIterator<Item = &'s str> {
        self.blocks.iter().filter(move |block| block.info == info).map(|block| block.text.as_str())
    }
}

/// The sections of a page of docs/authors/.
fn sections(page: &str) -> Vec<Section> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/authors").join(page);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut sections = vec![Section { title: String::new(), blocks: Vec::new() }];
    let mut fence = None;
    for line in text.lines() {
        let section = sections.last_mut().unwrap();
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) if ticks >= open && line.len() == ticks => fence = None,
            Some(_) => {
                let block = section.blocks.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            None if ticks >= 3 => {
                fence = Some(ticks);
                section.blocks.push(Block { info: line.trim_matches('`').trim().to_owned(), text: String::new() });
            }
            None => {
                if let Some(title) = line.strip_prefix("## ") {
                    sections.push(Section { title: title.to_owned(), blocks: Vec::new() });
                }
            }
        }
    }
    sections
}

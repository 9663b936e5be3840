//! A skill that lists, reads, searches and writes files in the granted
//! folders.

mod decode;
mod error;
mod excerpt;
mod glob;
mod limits;
mod lines;
mod list;
mod matcher;
mod path;
mod read;
mod roots;
mod search;
mod walk;
mod write;

use exports::bailiwick::files::tools::{
    Binary, EntryKind, Failure, Findings, Guest, Listing, Part, Root, Text, WriteMode, Written,
};
use glob::Filter;
use path::resolve;

wit_bindgen::generate!({ world: "skill", path: "wit" });

struct Skill;

impl Guest for Skill {
    fn list_roots() -> Result<Vec<Root>, Failure> {
        Ok(roots::granted())
    }

    fn list(
        path: String,
        depth: Option<u32>,
        glob: Option<String>,
        exclude: Option<String>,
        kinds: Option<Vec<EntryKind>>,
        modified: Option<bool>,
        max_entries: Option<u32>,
    ) -> Result<Listing, Failure> {
        let request = list::Request {
            depth,
            filter: Filter::new(glob.as_deref(), exclude.as_deref())?,
            kinds,
            modified: modified.unwrap_or(false),
            max_entries,
        };
        list::list(&resolve(&path, roots::granted())?, &request)
    }

    fn read(path: String, part: Option<Part>, max_bytes: Option<u32>) -> Result<Text, Failure> {
        read::text(&resolve(&path, roots::granted())?, part, max_bytes)
    }

    fn read_bytes(path: String, offset: Option<u64>, length: Option<u32>) -> Result<Binary, Failure> {
        let target = resolve(&path, roots::granted())?;
        read::binary(&target, offset.unwrap_or(0), length)
    }

    fn search(
        path: String,
        pattern: String,
        glob: Option<String>,
        exclude: Option<String>,
        ignore_case: Option<bool>,
        context_lines: Option<u32>,
        max_matches: Option<u32>,
    ) -> Result<Findings, Failure> {
        let request = search::Request {
            pattern: matcher::compile(&pattern, ignore_case.unwrap_or(false))?,
            filter: Filter::new(glob.as_deref(), exclude.as_deref())?,
            context_lines,
            max_matches,
        };
        search::search(&resolve(&path, roots::granted())?, &request)
    }

    fn write(
        path: String,
        content: String,
        mode: Option<WriteMode>,
        create_parents: Option<bool>,
    ) -> Result<Written, Failure> {
        let target = resolve(&path, roots::granted())?;
        let mode = mode.unwrap_or(WriteMode::Create);
        write::write(&target, &content, mode, create_parents.unwrap_or(false))
    }
}

export!(Skill);

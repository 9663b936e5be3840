//! Lines that match, below a path.

use std::fs::File;
use std::io::{self, Read};

use memchr::memchr;
use regex::bytes::Regex;

use crate::decode::MARK;
use crate::error;
use crate::excerpt;
use crate::exports::bailiwick::files::tools::{EntryKind, Failure, Findings, Found, Skipped};
use crate::glob::Filter;
use crate::limits::{
    DEFAULT_MATCHES, MAX_CONTEXT_LINES, MAX_DEPTH, MAX_FINDINGS_BYTES, MAX_MATCHES, MAX_SEARCHED_BYTES,
    MAX_SEARCHED_FILE_BYTES, check_number,
};
use crate::path::Target;
use crate::walk::Walk;

/// What a match costs in an answer beside its lines.
const RECORD_BYTES: usize = 64;

/// What `search` is asked for.
pub struct Request {
    pub pattern: Regex,
    pub filter: Filter,
    pub context_lines: Option<u32>,
    pub max_matches: Option<u32>,
}

/// Searches one file, or all files below a folder.
pub fn search(target: &Target, request: &Request) -> Result<Findings, Failure> {
    let mut search = Search::new(request)?;
    let metadata = std::fs::metadata(&target.path).map_err(|error| error::reading(target, &error))?;
    if !metadata.is_dir() {
        let name = target.name();
        if request.filter.wants(name) && !request.filter.excludes(name) {
            search.file(&target.path);
        }
        return Ok(search.findings);
    }
    let mut walk = Walk::below(target, MAX_DEPTH, &request.filter)?;
    for entry in &mut walk {
        if entry.kind == EntryKind::File && request.filter.wants(&entry.relative) {
            search.file(&entry.path);
        }
        if search.findings.truncated {
            break;
        }
    }
    search.findings.truncated |= walk.truncated;
    search.findings.files_skipped.unreadable += walk.unreadable;
    Ok(search.findings)
}

/// What was found so far, and what may still be read.
struct Search<'r> {
    pattern: &'r Regex,
    context: usize,
    max_matches: usize,
    bytes_left: u64,
    answer_left: usize,
    findings: Findings,
}

impl<'r> Search<'r> {
    fn new(request: &'r Request) -> Result<Self, Failure> {
        let context = check_number("context-lines", request.context_lines, 0, 0, MAX_CONTEXT_LINES)?;
        let max_matches = check_number("max-matches", request.max_matches, DEFAULT_MATCHES, 1, MAX_MATCHES)?;
        Ok(Self {
            pattern: &request.pattern,
            context: context as usize,
            max_matches: max_matches as usize,
            bytes_left: MAX_SEARCHED_BYTES,
            answer_left: MAX_FINDINGS_BYTES,
            findings: Findings {
                matches: Vec::new(),
                files_searched: 0,
                files_skipped: Skipped { binary: 0, too_large: 0, unreadable: 0 },
                truncated: false,
            },
        })
    }

    /// Searches one file, or counts why not.
    fn file(&mut self, path: &str) {
        let limit = self.bytes_left.min(MAX_SEARCHED_FILE_BYTES);
        let skipped = &mut self.findings.files_skipped;
        let Ok(content) = read_upto(path, limit + 1) else {
            skipped.unreadable += 1;
            return;
        };
        if content.len() as u64 > limit {
            if limit == MAX_SEARCHED_FILE_BYTES {
                skipped.too_large += 1;
            } else {
                self.findings.truncated = true;
            }
            return;
        }
        self.bytes_left -= content.len() as u64;
        if memchr(0, &content).is_some() {
            skipped.binary += 1;
            return;
        }
        self.findings.files_searched += 1;
        self.lines(path, content.strip_prefix(&MARK).unwrap_or(&content));
    }

    fn lines(&mut self, path: &str, content: &[u8]) {
        let (mut start, mut number) = (0, 1);
        while start < content.len() && !self.findings.truncated {
            let end = memchr(b'\n', &content[start..]).map_or(content.len(), |at| start + at);
            let line = excerpt::without_return(&content[start..end]);
            if let Some(found) = self.pattern.find(line) {
                let column = excerpt::chars_before(line, found.start());
                self.keep(Found {
                    path: path.to_owned(),
                    line: number,
                    column: column as u64 + 1,
                    text: excerpt::around(line, column),
                    before: excerpt::before(content, start, self.context),
                    after: excerpt::after(content, end, self.context),
                });
            }
            start = end + 1;
            number += 1;
        }
    }

    /// Keeps a match if the limits leave room for it.
    fn keep(&mut self, found: Found) {
        let size = size(&found);
        if self.findings.matches.len() == self.max_matches || size > self.answer_left {
            self.findings.truncated = true;
            return;
        }
        self.answer_left -= size;
        self.findings.matches.push(found);
    }
}

fn read_upto(path: &str, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut content)?;
    Ok(content)
}

fn size(found: &Found) -> usize {
    let context = found.before.iter().chain(&found.after);
    let lines: usize = context.map(|line| RECORD_BYTES + line.len()).sum();
    RECORD_BYTES + found.path.len() + found.text.len() + lines
}

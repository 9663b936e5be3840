//! From a file to the JSON that it says, with the instructions that may lie beside it.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Number, Value};

use super::error::{DefinitionError, Problem};
use super::found::found;
use super::read::{self, KEYS_IN_FILES};
use super::stamp::Stamp;
use super::{AgentDefinition, MAX_INSTRUCTIONS};

/// Bytes of an agent's file: the longest instructions, and four times what the rest needs.
const MAX_FILE: usize = 256 << 10;

/// The key that names the file of the instructions.
const INSTRUCTIONS_FILE: &str = KEYS_IN_FILES[0];

/// A file of an agent that was read.
pub(crate) struct FileRead {
    /// What it says.
    pub(crate) definition: Result<AgentDefinition, DefinitionError>,
    /// The file of its instructions, where it names one, as it was just before it was read.
    pub(crate) instructions: Option<(PathBuf, Option<Stamp>)>,
}

/// Reads the file of an agent. Blocks.
pub(crate) fn read_file(file: &Path) -> FileRead {
    match read_text(file, MAX_FILE) {
        Ok(text) => parse(&text, file),
        Err(reason) => {
            let definition = Err(DefinitionError::Unreadable { file: file.to_owned(), reason });
            FileRead { definition, instructions: None }
        }
    }
}

/// Reads the text of a file of an agent.
pub(super) fn parse(text: &str, file: &Path) -> FileRead {
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => return FileRead { definition: Err(not_toml(text, file, &error)), instructions: None },
    };
    let mut problems = Vec::new();
    let mut table = json_of_table(table, "", &mut problems);
    let instructions = take_instructions(&mut table, file, &mut problems);
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let definition = read::read(&table, Some(&*stem), problems);
    let invalid = |problems| DefinitionError::Invalid { file: Some(file.to_owned()), problems };
    FileRead { definition: definition.map_err(invalid), instructions }
}

fn not_toml(text: &str, file: &Path, error: &toml::de::Error) -> DefinitionError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.as_bytes().get(..start).unwrap_or(text.as_bytes());
    DefinitionError::Syntax {
        file: file.to_owned(),
        line: before.split(|byte| *byte == b'\n').count(),
        message: error.message().replace('\n', ", "),
    }
}

/// The depth of the recursion is bounded by the parser's own limit on nesting.
fn json_of(value: toml::Value, key: &str, problems: &mut Vec<Problem>) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Boolean(boolean) => Value::Bool(boolean),
        toml::Value::Float(number) => match Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None => nothing(key, format!("the number `{number}`"), "a finite number", problems),
        },
        toml::Value::Datetime(date) => {
            nothing(key, format!("the date `{date}`"), "a text, a number, a list or a table", problems)
        }
        toml::Value::Array(list) => {
            let item = |(index, value): (usize, toml::Value)| json_of(value, &format!("{key}[{index}]"), problems);
            Value::Array(list.into_iter().enumerate().map(item).collect())
        }
        toml::Value::Table(table) => Value::Object(json_of_table(table, &format!("{key}."), problems)),
    }
}

fn json_of_table(table: toml::Table, prefix: &str, problems: &mut Vec<Problem>) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in table {
        let value = json_of(value, &format!("{prefix}{key}"), problems);
        out.insert(key, value);
    }
    out
}

/// What JSON doesn't have is a problem, which is told once for its key.
fn nothing(key: &str, found: String, expected: &str, problems: &mut Vec<Problem>) -> Value {
    read::add(problems, Problem::new(key, found, expected));
    Value::Null
}

/// Puts the text of the file that `instructions_file` names in place of the key. Answers
/// the file, whether or not it could be read, so that it can be watched.
fn take_instructions(
    table: &mut Map<String, Value>,
    file: &Path,
    problems: &mut Vec<Problem>,
) -> Option<(PathBuf, Option<Stamp>)> {
    let named = table.remove(INSTRUCTIONS_FILE)?;
    let both = table.contains_key("instructions");
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let relative = named.as_str().map(Path::new).filter(|path| leads_down(path));
    let watched = relative.map(|relative| folder.join(relative)).map(|path| {
        let stamp = Stamp::of(&path);
        (path, stamp)
    });
    let text = match relative {
        None => Err((found(&named), "the relative path of a file in the agent's folder or below it")),
        Some(_) if both => Err((found(&named), "no `instructions_file` beside `instructions`")),
        Some(relative) => read_below(folder, relative)
            .map_err(|reason| (format!("{}, which {reason}", found(&named)), "a text file in the agent's folder")),
    };
    match text {
        Ok(text) => drop(table.insert("instructions".to_owned(), Value::String(text))),
        Err((found, expected)) => {
            read::add(problems, Problem::new(INSTRUCTIONS_FILE, found, expected));
            // With this problem told, the missing instructions are no other one.
            table.entry("instructions").or_insert_with(|| Value::from("unread"));
        }
    }
    watched
}

/// Whether the path names something below the folder that it begins in.
fn leads_down(path: &Path) -> bool {
    let down = |component: Component<'_>| matches!(component, Component::Normal(_) | Component::CurDir);
    path.file_name().is_some() && path.components().all(down)
}

/// The text of a file in `folder` or below it. A symlink must not lead out, or a message
/// or a model would be shown the host's own files. The error follows on "which".
fn read_below(folder: &Path, relative: &Path) -> Result<String, String> {
    let missing = |error: std::io::Error| format!("can't be found: {error}");
    let folder = fs::canonicalize(folder).map_err(missing)?;
    let path = fs::canonicalize(folder.join(relative)).map_err(missing)?;
    if !path.starts_with(&folder) {
        return Err("leads out of the folder".to_owned());
    }
    read_text(&path, MAX_INSTRUCTIONS)
}

/// The text of a regular file of at most `max` bytes. The error follows on "it" or "which".
fn read_text(path: &Path, max: usize) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("can't be read: {error}");
    // A pipe would never end.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    File::open(path).map_err(unreadable)?.take(max as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > max {
        return Err(format!("has more than {max} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}

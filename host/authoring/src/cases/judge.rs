//! Whether what came of a case is what was expected.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::difference::{difference, readable};
use super::run::{Answer, Ended, Problem, Run};
use super::{Case, Content, Expected, ExpectedFile, snapshot};

/// Characters of an answer that stand in a sentence; a longer one is shown line by line.
const MAX_INLINE: usize = 60;

/// The snapshot that was written, where one was, or what is wrong.
pub(super) fn judge(case: &Case, ended: &Ended, run: Run<'_>) -> Result<Option<PathBuf>, Problem> {
    let Some(answer) = &ended.answer else { return Err(Problem::new("the call was not made")) };
    let updated = self::answer(case, answer, run)?;
    for file in &case.expect.files {
        self::file(file, ended)?;
    }
    for capability in &case.expect.denied {
        if !ended.denials.iter().any(|denial| denial.capability == capability) {
            return Err(Problem::new(format!(
                "expected the host to refuse `{capability}`, and it refused nothing of it"
            )));
        }
    }
    Ok(updated)
}

fn answer(case: &Case, answer: &Answer, run: Run<'_>) -> Result<Option<PathBuf>, Problem> {
    match (&case.expect.answer, answer) {
        (Expected::Anything, Answer::Output(_)) => Ok(None),
        (Expected::Output(expected), Answer::Output(found)) if same(expected, found) => Ok(None),
        (Expected::Output(expected), Answer::Output(found)) => Err(unequal(expected, found)),
        (Expected::Error(expected), Answer::Output(found)) => {
            let found = inline(found).unwrap_or_else(|| "an output".to_owned());
            Err(Problem::new(format!("expected an error with `{expected}`, and the tool answered {found}")))
        }
        (Expected::Error(expected), Answer::Failure(found)) if says(found, expected) => Ok(None),
        (Expected::Error(expected), Answer::Failure(found)) => contains(expected, &words(found)),
        (Expected::Error(expected), Answer::Error { message, .. }) => contains(expected, message),
        (Expected::Snapshot, Answer::Output(found)) => compare(case, &Ok(found.clone()), run),
        (Expected::Snapshot, Answer::Failure(found)) => compare(case, &Err(found.clone()), run),
        (_, Answer::Failure(found)) => {
            let problem = format!("expected an output, and the tool answered its own failure: {}", words(found));
            Err(Problem::new(problem).cured_by("if that is right, expect it: `expect = { error = \"…\" }`"))
        }
        (_, Answer::Error { code, message }) => {
            let problem = Problem::new(format!("expected an output, and the call ended with `{code}`: {message}"));
            Err(match *code {
                "invalid-arguments" => {
                    problem.cured_by("`bailiwick inspect` prints the schema of each tool's arguments")
                }
                _ => problem,
            })
        }
    }
}

/// Whether two values are the same; numbers by their value, as `3` and `3.0` are in JSON.
fn same(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64().is_some_and(|a| Some(a) == b.as_f64()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn unequal(expected: &Value, found: &Value) -> Problem {
    let expected = &arranged(expected, found);
    if let (Some(expected), Some(found)) = (inline(expected), inline(found)) {
        return Problem::new(format!("expected {expected}, and the tool answered {found}"));
    }
    Problem {
        message: "the output is not the expected one".to_owned(),
        difference: Some(difference(&readable(expected), &readable(found))),
        cure: None,
    }
}

/// The expected value with its keys in the order in which the found one has them: TOML
/// has none, and a difference would show nothing but that.
fn arranged(expected: &Value, found: &Value) -> Value {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let known = found.iter().filter_map(|(key, found)| Some((key, arranged(expected.get(key)?, found))));
            let others = expected.iter().filter(|(key, _)| !found.contains_key(*key));
            let others = others.map(|(key, value)| (key, value.clone()));
            Value::Object(known.chain(others).map(|(key, value)| (key.clone(), value)).collect())
        }
        (Value::Array(expected), Value::Array(found)) => {
            let pairs = expected.iter().enumerate();
            pairs.map(|(index, it)| found.get(index).map_or_else(|| it.clone(), |found| arranged(it, found))).collect()
        }
        (expected, _) => expected.clone(),
    }
}

fn compare(case: &Case, found: &Result<Value, Value>, run: Run<'_>) -> Result<Option<PathBuf>, Problem> {
    let (path, found) = (snapshot::path(case), snapshot::text(found));
    let unusable = |error: std::io::Error| Problem::new(format!("the snapshot {}: {error}", path.display()));
    let known = snapshot::read(run.root, case).map_err(unusable)?;
    if known.as_deref() == Some(&found) {
        return Ok(None);
    }
    if run.update {
        snapshot::write(run.root, case, &found).map_err(unusable)?;
        return Ok(Some(path));
    }
    match known {
        None => Err(Problem {
            message: format!("there is no snapshot {} yet; the tool answered", path.display()),
            difference: Some(difference_of_texts("", &found)),
            cure: Some("if that is right, write it down: `bailiwick test --update`".to_owned()),
        }),
        Some(known) => Err(Problem {
            message: format!("the answer is not that of the snapshot {}", path.display()),
            difference: Some(difference_of_texts(&known, &found)),
            cure: Some("if the new one is right, write it down: `bailiwick test --update`".to_owned()),
        }),
    }
}

fn contains(expected: &str, found: &str) -> Result<Option<PathBuf>, Problem> {
    if found.contains(expected) {
        return Ok(None);
    }
    Err(Problem::new(format!("expected an error with `{expected}`, and the error is: {found}")))
}

/// Whether a text of a failure, however deep in it, has `expected` in it.
fn says(failure: &Value, expected: &str) -> bool {
    match failure {
        Value::String(text) => text.contains(expected),
        Value::Array(items) => items.iter().any(|item| says(item, expected)),
        Value::Object(members) => members.iter().any(|(key, value)| key.contains(expected) || says(value, expected)),
        other => other.to_string().contains(expected),
    }
}

/// What a failure says: its text, else its JSON.
fn words(failure: &Value) -> String {
    failure.as_str().map_or_else(|| failure.to_string(), str::to_owned)
}

/// A short value as it stands in a sentence.
fn inline(value: &Value) -> Option<String> {
    let text = value.to_string();
    (text.chars().count() <= MAX_INLINE).then(|| format!("`{text}`"))
}

/// The difference of two snapshots, as a person reads it.
fn difference_of_texts(known: &str, found: &str) -> String {
    let read = |text: &str| serde_json::from_str(text).map_or_else(|_| text.to_owned(), |value| readable(&value));
    let (old, new) = (read(known), read(found));
    // Where only the form of the JSON differs, that is what there is to see.
    if old == new { difference(known, found) } else { difference(&old, &new) }
}

fn file(expected: &ExpectedFile, ended: &Ended) -> Result<(), Problem> {
    let shown = format!("{}/{}", expected.root, expected.path.display());
    let Some(folder) = ended.folders.get(&expected.root) else {
        let given: Vec<_> = ended.folders.keys().map(|root| format!("`{root}`")).collect();
        let given = if given.is_empty() { "no folder".to_owned() } else { given.join(", ") };
        return Err(Problem::new(format!("expected the file {shown}, and the case's `allow.fs` gives {given}")));
    };
    let found = read(&folder.join(&expected.path));
    match (&expected.content, found) {
        (Content::Absent, None) => Ok(()),
        (Content::Absent, Some(_)) => Err(Problem::new(format!("expected no file {shown}, and there is one"))),
        (_, None) => Err(Problem::new(format!("expected the file {shown}, and the tool left none"))),
        (Content::Text(text), Some(found)) => equal_text(&shown, text.as_bytes(), &found),
        (Content::Contains(text), Some(found)) => {
            let found = String::from_utf8_lossy(&found);
            if found.contains(text) {
                return Ok(());
            }
            let message = format!("expected `{text}` in the file {shown}, and found");
            Err(Problem { message, difference: Some(difference("", &found)), cure: None })
        }
        (Content::SameAs(path), Some(found)) => match fs::read(path) {
            Ok(text) => equal_text(&shown, &text, &found),
            Err(error) => Err(Problem::new(format!("`same_as` names {}: {error}", path.display()))),
        },
    }
}

/// A file that the skill left. A link may lead out of the copy, and is no file.
fn read(path: &Path) -> Option<Vec<u8>> {
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file.then(|| fs::read(path).ok()).flatten()
}

fn equal_text(shown: &str, expected: &[u8], found: &[u8]) -> Result<(), Problem> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let message = format!("the file {shown} is not the expected one");
    Err(Problem { message, difference: Some(difference(&expected, &found)), cure: None })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::Expect;
    use super::*;

    fn case(answer: Expected, files: Vec<ExpectedFile>) -> Case {
        let expect = Expect { answer, files, denied: Vec::new() };
        let (file, arguments, allow) = (PathBuf::from("tests/a.toml"), json!({}), json!({}));
        Case {
            file,
            line: 1,
            name: "one".to_owned(),
            tool: None,
            arguments,
            expect,
            allow,
            packages: Vec::new(),
            server: None,
        }
    }

    fn ended(answer: Answer) -> Ended {
        Ended { answer: Some(answer), ..Ended::default() }
    }

    fn message(expected: Expected, found: Answer) -> Option<String> {
        let run = Run { root: Path::new("/nowhere"), update: false };
        judge(&case(expected, Vec::new()), &ended(found), run).err().map(|problem| problem.message)
    }

    #[test]
    fn answers_are_held_against_what_was_expected() {
        let output = |value| Answer::Output(value);
        assert_eq!(message(Expected::Output(json!({ "a": [3] })), output(json!({ "a": [3.0] }))), None);
        assert_eq!(message(Expected::Anything, output(json!(null))), None);
        // Keys stand in the order of what was found.
        assert_eq!(
            message(Expected::Output(json!({ "a": 1, "b": 2 })), output(json!({ "b": 3, "a": 1 }))).as_deref(),
            Some("expected `{\"b\":2,\"a\":1}`, and the tool answered `{\"b\":3,\"a\":1}`")
        );
        assert_eq!(message(Expected::Error("zero".to_owned()), Answer::Failure(json!("by zero"))), None);
        assert_eq!(
            message(Expected::Output(json!(3)), output(json!(4))).as_deref(),
            Some("expected `3`, and the tool answered `4`")
        );
        let deep = || Answer::Failure(json!({ "invalid": ["`a` is \"b\""] }));
        assert_eq!(message(Expected::Error("is \"b\"".to_owned()), deep()), None);
        assert!(message(Expected::Error("is \"c\"".to_owned()), deep()).is_some());
        let refused = || Answer::Error { code: "guest-trapped", message: "it trapped".to_owned() };
        assert_eq!(message(Expected::Error("trapped".to_owned()), refused()), None);
        assert!(message(Expected::Error("other".to_owned()), refused()).is_some());
        assert!(message(Expected::Anything, refused()).is_some_and(|it| it.contains("`guest-trapped`: it trapped")));
        assert!(message(Expected::Anything, Answer::Failure(json!("no"))).is_some());
    }

    #[test]
    fn snapshots_are_written_only_when_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let case = case(Expected::Snapshot, Vec::new());
        let judge = |update, value| judge(&case, &ended(Answer::Output(value)), Run { root: folder.path(), update });
        let missing = judge(false, json!(1)).expect_err("no snapshot");
        assert!(missing.cure.is_some_and(|cure| cure.contains("--update")));
        assert!(!folder.path().join("tests").exists(), "nothing was written");
        assert_eq!(judge(true, json!(1)), Ok(Some(PathBuf::from("tests/snapshots/one.json"))));
        assert_eq!(judge(true, json!(1)), Ok(None), "it is there already");
        assert_eq!(judge(false, json!(1)), Ok(None));
        let changed = judge(false, json!(2)).expect_err("another answer");
        assert!(
            changed.difference.is_some_and(|it| it.contains("-   \"output\": 1") && it.contains("+   \"output\": 2"))
        );
    }

    #[test]
    fn files_are_looked_at_in_the_copies() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("out.md"), "# Title\n").expect("written");
        let folders = BTreeMap::from([("/d".to_owned(), folder.path().to_owned())]);
        let found = |path: &str, content| {
            let file = ExpectedFile { root: "/d".to_owned(), path: path.into(), content };
            let ended = Ended { folders: folders.clone(), ..ended(Answer::Output(json!(1))) };
            let run = Run { root: Path::new("/nowhere"), update: false };
            judge(&case(Expected::Anything, vec![file]), &ended, run).is_ok()
        };
        assert!(
            found("out.md", Content::Text("# Title\n".to_owned()))
                && found("out.md", Content::Contains("Ti".to_owned()))
        );
        assert!(found("none.md", Content::Absent) && !found("out.md", Content::Absent));
        assert!(
            !found("out.md", Content::Text("# Other\n".to_owned()))
                && !found("none.md", Content::Contains(String::new()))
        );
    }
}

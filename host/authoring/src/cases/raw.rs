//! A file of cases as it is written.

use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::{Case, CasesError, Content, Expect, Expected, ExpectedFile, FOLDER, Other};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default, rename = "case")]
    cases: Vec<Spanned<RawCase>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    name: String,
    tool: Option<String>,
    arguments: Option<toml::Table>,
    arguments_file: Option<String>,
    expect: RawExpect,
    #[serde(default)]
    allow: toml::Table,
    #[serde(default)]
    packages: Vec<RawPackage>,
    server: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPackage {
    path: String,
    #[serde(default)]
    allow: toml::Table,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExpect {
    output: Option<toml::Value>,
    output_json: Option<String>,
    error: Option<String>,
    #[serde(default)]
    snapshot: bool,
    #[serde(default)]
    schema_only: bool,
    #[serde(default)]
    files: Vec<RawExpectedFile>,
    #[serde(default)]
    denied: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExpectedFile {
    root: String,
    path: String,
    text: Option<String>,
    contains: Option<String>,
    same_as: Option<String>,
    #[serde(default)]
    absent: bool,
}

/// The cases of the file with this `text`.
pub(super) fn parse(root: &Path, file: &Path, text: &str) -> Result<Vec<Case>, CasesError> {
    let raw: RawFile = toml::from_str(text).map_err(|mut error| {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        // Without its input the error names the key in place of showing the line.
        error.set_input(None);
        let problem = error.to_string().trim_end().replace('\n', " ");
        CasesError::Invalid { file: file.to_owned(), line, problem }
    })?;
    let case = |raw: Spanned<RawCase>| {
        let line = line_of(text, raw.span().start);
        let (file, raw) = (file.to_owned(), raw.into_inner());
        let named = |problem| format!("the case `{}`: {problem}", raw.name);
        match complete(root, &raw) {
            Ok(parts) => Ok(Case { file, line, ..parts }),
            Err(problem) => Err(CasesError::Invalid { file, line, problem: named(problem) }),
        }
    };
    raw.cases.into_iter().map(case).collect()
}

fn complete(root: &Path, raw: &RawCase) -> Result<Case, String> {
    if raw.name.trim().is_empty() {
        return Err("found no name, expected what the case shows in a few words".to_owned());
    }
    let other = |other: &RawPackage| {
        Ok::<_, String>(Other {
            path: root.join(&other.path),
            allow: json_of(&toml::Value::Table(other.allow.clone()))?,
        })
    };
    Ok(Case {
        file: PathBuf::new(),
        line: 0,
        name: raw.name.clone(),
        tool: raw.tool.clone(),
        arguments: arguments(root, raw)?,
        expect: Expect {
            answer: answer(&raw.expect)?,
            files: raw.expect.files.iter().map(|file| expected_file(root, file)).collect::<Result<_, _>>()?,
            denied: raw.expect.denied.clone(),
        },
        allow: json_of(&toml::Value::Table(raw.allow.clone()))?,
        packages: raw.packages.iter().map(other).collect::<Result<_, _>>()?,
        server: raw.server.as_ref().map(|folder| below_tests(root, folder)).transpose()?,
    })
}

fn arguments(root: &Path, raw: &RawCase) -> Result<Value, String> {
    match (&raw.arguments, &raw.arguments_file) {
        (Some(_), Some(_)) => Err("found `arguments` and `arguments_file`, expected one of them".to_owned()),
        (Some(table), None) => json_of(&toml::Value::Table(table.clone())),
        (None, Some(file)) => {
            let path = below_tests(root, file)?;
            let text = fs::read_to_string(&path).map_err(|error| format!("`arguments_file` `{file}`: {error}"))?;
            match serde_json::from_str(&text) {
                Ok(value @ Value::Object(_)) => Ok(value),
                Ok(_) => {
                    Err(format!("`arguments_file` `{file}` holds no JSON object: expected {{\"name\": value, …}}"))
                }
                Err(error) => Err(format!("`arguments_file` `{file}` is not JSON: {error}")),
            }
        }
        (None, None) => Ok(Value::Object(serde_json::Map::new())),
    }
}

/// Exactly one way to end.
fn answer(raw: &RawExpect) -> Result<Expected, String> {
    let mut said = Vec::new();
    if let Some(output) = &raw.output {
        said.push(("output", Expected::Output(json_of(output)?)));
    }
    if let Some(text) = &raw.output_json {
        let value = serde_json::from_str(text).map_err(|error| format!("`expect.output_json` is not JSON: {error}"))?;
        said.push(("output_json", Expected::Output(value)));
    }
    if let Some(text) = &raw.error {
        said.push(("error", Expected::Error(text.clone())));
    }
    if raw.snapshot {
        said.push(("snapshot", Expected::Snapshot));
    }
    if raw.schema_only {
        said.push(("schema_only", Expected::Anything));
    }
    match said.len() {
        1 => Ok(said.into_iter().next().map(|(_, expected)| expected).unwrap_or_default()),
        0 => {
            Err("`expect` doesn't say how the call ends: expected one of `output`, `output_json`, `error`, `snapshot \
                  = true`, `schema_only = true`"
                .to_owned())
        }
        _ => {
            let keys: Vec<_> = said.iter().map(|(key, _)| format!("`{key}`")).collect();
            Err(format!("`expect` has {}: expected one of them", keys.join(" and ")))
        }
    }
}

fn expected_file(root: &Path, raw: &RawExpectedFile) -> Result<ExpectedFile, String> {
    let mut contents = Vec::new();
    contents.extend(raw.text.clone().map(Content::Text));
    contents.extend(raw.contains.clone().map(Content::Contains));
    if let Some(file) = &raw.same_as {
        contents.push(Content::SameAs(below_tests(root, file)?));
    }
    contents.extend(raw.absent.then_some(Content::Absent));
    let path = PathBuf::from(&raw.path);
    if !stays_inside(&path) {
        return Err(format!("`expect.files` names `{}`, expected a path in the folder `{}`", raw.path, raw.root));
    }
    match <[Content; 1]>::try_from(contents) {
        Ok([content]) => Ok(ExpectedFile { root: raw.root.clone(), path, content }),
        Err(_) => Err(format!(
            "`expect.files` for `{}`: expected one of `text`, `contains`, `same_as`, `absent = true`",
            raw.path
        )),
    }
}

/// A path that a case names, which lies in the folder of cases.
pub(super) fn below_tests(root: &Path, path: &str) -> Result<PathBuf, String> {
    if stays_inside(Path::new(path)) {
        Ok(root.join(FOLDER).join(path))
    } else {
        Err(format!("found the path `{path}`, expected one in the package's folder `{FOLDER}/`, relative to it"))
    }
}

fn stays_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// The same value in JSON.
fn json_of(value: &toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) if number.is_finite() => Value::from(*number),
        toml::Value::Float(number) => return Err(format!("found the number {number}, which JSON doesn't have")),
        toml::Value::Boolean(flag) => Value::Bool(*flag),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => items.iter().map(json_of).collect::<Result<_, _>>()?,
        toml::Value::Table(table) => {
            let entry = |(key, value): (&String, &toml::Value)| Ok::<_, String>((key.clone(), json_of(value)?));
            Value::Object(table.iter().map(entry).collect::<Result<_, _>>()?)
        }
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Vec<Case>, String> {
        parse(Path::new("/p"), Path::new("tests/a.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_case_is_read_whole() {
        let cases = read(
            "[[case]]\nname = \"sums\"\ntool = \"add\"\narguments = { a = 1, b = [2.5, true] }\nexpect = { output = 3 }\n\
             [case.allow]\nstate = true\nfs = [{ root = \"/d\", host = \"data\", access = \"read\" }]\n\n\
             [[case]]\nname = \"fails\"\nexpect = { error = \"no\", files = [{ root = \"/d\", path = \"x\", absent = true }] }\n",
        )
        .expect("cases");
        assert_eq!((cases.len(), cases[1].line), (2, 10));
        assert_eq!(cases[0].arguments, json!({ "a": 1, "b": [2.5, true] }));
        assert_eq!(cases[0].expect.answer, Expected::Output(json!(3)));
        assert_eq!(cases[0].allow["fs"][0]["host"], "data");
        assert_eq!(cases[1].expect.files[0].content, Content::Absent);
    }

    #[test]
    fn slips_name_the_line_and_what_was_expected() {
        for (text, expected) in [
            ("[[case]]\nname = \"a\"\n", "missing field `expect`"),
            ("[[case]]\nname = \"a\"\nexpect = {}\n", "doesn't say how the call ends"),
            ("[[case]]\nname = \"a\"\nexpect = { output = 1, error = \"x\" }\n", "`output` and `error`"),
            ("[[case]]\nname = \" \"\nexpect = { snapshot = true }\n", "found no name"),
            ("[[case]]\nname = \"a\"\nexpct = 1\n", "unknown field `expct`"),
            ("[[case]]\nname = \"a\"\narguments_file = \"../x\"\nexpect = { snapshot = true }\n", "relative to it"),
            ("[[case]]\nname = \"a\"\nexpect = { output_json = \"{\" }\n", "is not JSON"),
            (
                "[[case]]\nname = \"a\"\nexpect = { snapshot = true, files = [{ root = \"/d\", path = \"x\" }] }\n",
                "expected one of `text`",
            ),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(expected) && error.starts_with("tests/a.toml:"), "{error}");
        }
    }
}

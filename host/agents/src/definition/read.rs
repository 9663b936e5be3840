//! From JSON to a definition: every key, its type and its bounds.

use std::time::Duration;

use bailiwick_domain::model::Usd;
use bailiwick_domain::run::{Disclosure, FailurePolicy};
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::units::parse_duration;
use bailiwick_skills::near::{hint, near, quoted};
use bailiwick_skills::schema::{InvalidSchema, Validator};
use serde_json::{Map, Value};

use super::error::Problem;
use super::found::{found, printable};
use super::{
    AgentDefinition, AgentLimits, MAX_CAPABILITIES, MAX_DESCRIPTION, MAX_INSTRUCTIONS, MAX_MODELS, MAX_NAME,
    MAX_OUTPUT_SCHEMA, MAX_SKILLS, MAX_TASK_RETRIES, is_name,
};

/// Problems that are told of one definition: more than a person reads before mending the first.
const MAX_PROBLEMS: usize = 20;

/// Characters of the name of a model, as in the manifests of skills.
const MAX_MODEL: usize = 256;

/// Tokens of one answer: more than any model gives.
const MAX_TOKENS: u64 = 1_000_000;

/// Requests to models of one task: more is no task but a loop.
const MAX_STEPS: u64 = 1000;

/// Tokens, fuel and calls: the largest number that every reader of JSON has exactly.
const MAX_COUNT: u64 = (1 << 53) - 1;

/// Dollars: as many as are exact to a billionth in a JSON number.
const MAX_USD: f64 = 1_000_000.0;

/// Time that an agent may take: as long as approvals are kept.
const MAX_WALL: Duration = Duration::from_hours(720);

/// Characters of what is wrong in a schema.
const MAX_SHOWN: usize = 400;

/// What only files have.
pub(super) const KEYS_IN_FILES: [&str; 1] = ["instructions_file"];

pub(super) const KEYS: [&str; 13] = [
    "name",
    "description",
    "instructions",
    "models",
    "skills",
    "capabilities",
    "disclosure",
    "max_tokens",
    "temperature",
    "can_delegate",
    "limits",
    "on_failure",
    "output_schema",
];

pub(super) const LIMITS: [&str; 6] = ["max_steps", "tokens", "usd", "fuel", "wall", "host_calls"];

pub(super) const ON_FAILURE: [&str; 3] = ["retries", "fallback", "ask"];

const NAME: &str = "1 to 64 lowercase letters, digits and single hyphens, a letter first";
const SELECTOR: &str = "`namespace/name`, or `namespace/name@` and a range of versions such as `^1.2`";

/// Reads what must be an object.
pub(super) fn read_json(value: &Value) -> Result<AgentDefinition, Vec<Problem>> {
    match value {
        Value::Object(table) => read(table, None, Vec::new()),
        other => Err(vec![Problem::new("", found(other), "an object")]),
    }
}

/// Reads a definition, which must have the name `stem` where it comes from a file. The
/// `problems` are those that were found before.
pub(super) fn read(
    table: &Map<String, Value>,
    stem: Option<&str>,
    mut problems: Vec<Problem>,
) -> Result<AgentDefinition, Vec<Problem>> {
    let mut reader = Reader { table, prefix: "", problems: &mut problems };
    let definition = AgentDefinition {
        name: read_name(&mut reader, stem),
        description: reader.text("description", &format!("one line of 1 to {MAX_DESCRIPTION} characters"), |text| {
            text.chars().count() <= MAX_DESCRIPTION && !text.chars().any(char::is_control)
        }),
        instructions: reader.text(
            "instructions",
            &format!("a text of 1 to {MAX_INSTRUCTIONS} bytes that is not blank"),
            |text| text.len() <= MAX_INSTRUCTIONS,
        ),
        models: reader.list(
            "models",
            [1, MAX_MODELS],
            &format!("the name of a model: 1 to {MAX_MODEL} characters without blanks"),
            |text| is_model(text).then(|| text.to_owned()),
            |one, other| one == other,
        ),
        skills: reader.list(
            "skills",
            [0, MAX_SKILLS],
            SELECTOR,
            |text| text.parse::<SkillSelector>().ok(),
            |one, other| one.id == other.id,
        ),
        capabilities: reader.list(
            "capabilities",
            [0, MAX_CAPABILITIES],
            NAME,
            |text| is_name(text).then(|| text.to_owned()),
            |one, other| one == other,
        ),
        disclosure: reader.optional("disclosure", "`progressive` or `all`", read_disclosure).unwrap_or_default(),
        max_tokens: reader.whole("max_tokens", [1, MAX_TOKENS]).and_then(|tokens| u32::try_from(tokens).ok()),
        temperature_milli: reader.optional("temperature", "a number from 0 to 2 with at most 3 decimals", read_milli),
        can_delegate: reader.optional("can_delegate", "`true` or `false`", Value::as_bool).unwrap_or(true),
        limits: read_limits(&mut reader),
        on_failure: read_on_failure(&mut reader),
        output_schema: read_output_schema(&mut reader),
    };
    let known: Vec<&str> = KEYS.into_iter().chain(KEYS_IN_FILES.into_iter().filter(|_| stem.is_some())).collect();
    reader.refuse_unknown(&known);
    if problems.is_empty() { Ok(definition) } else { Err(problems) }
}

/// Adds a problem, where its key has none yet.
pub(super) fn add(problems: &mut Vec<Problem>, problem: Problem) {
    if problems.len() < MAX_PROBLEMS && problems.iter().all(|other| other.key != problem.key) {
        problems.push(problem);
    }
}

fn read_name(reader: &mut Reader<'_>, stem: Option<&str>) -> String {
    let name = reader.text("name", NAME, is_name);
    if let Some(stem) = stem.filter(|stem| !name.is_empty() && *stem != name) {
        let found = format!("the text `{name}` in a file that is named `{}.toml`", printable(stem, MAX_NAME));
        reader.wrong("name", found, format!("the same name: change it, or name the file `{name}.toml`"));
    }
    name
}

fn read_limits(outer: &mut Reader<'_>) -> AgentLimits {
    let empty = Map::new();
    let table = outer.inner("limits").unwrap_or(&empty);
    let mut reader = Reader { table, prefix: "limits.", problems: &mut *outer.problems };
    let default = AgentLimits::default();
    let limits = AgentLimits {
        max_steps: reader.whole("max_steps", [1, MAX_STEPS]).unwrap_or(default.max_steps),
        tokens: reader.whole("tokens", [1, MAX_COUNT]),
        usd: reader.optional("usd", &format!("a number above 0 and up to {MAX_USD}"), read_usd),
        fuel: reader.whole("fuel", [1, MAX_COUNT]),
        wall: reader.optional("wall", "a time such as `10 min`, at most 720 h", read_wall),
        host_calls: reader.whole("host_calls", [1, MAX_COUNT]),
    };
    reader.refuse_unknown(&LIMITS);
    limits
}

fn read_on_failure(outer: &mut Reader<'_>) -> FailurePolicy {
    let (empty, all) = (Map::new(), outer.table);
    let own = all.get("name").and_then(Value::as_str).unwrap_or_default();
    let table = outer.inner("on_failure").unwrap_or(&empty);
    let mut reader = Reader { table, prefix: "on_failure.", problems: &mut *outer.problems };
    let retries = reader.whole("retries", [0, u64::from(MAX_TASK_RETRIES)]);
    let other = |value: &Value| value.as_str().filter(|name| is_name(name) && *name != own).map(str::to_owned);
    let policy = FailurePolicy {
        retries: retries.and_then(|retries| u32::try_from(retries).ok()).unwrap_or_default(),
        fallback: reader.optional("fallback", "the name of another agent", other),
        ask: reader.optional("ask", "`true` or `false`", Value::as_bool).unwrap_or_default(),
    };
    reader.refuse_unknown(&ON_FAILURE);
    policy
}

/// A schema as a table, or as a text with its JSON.
fn read_output_schema(reader: &mut Reader<'_>) -> Option<Value> {
    let table = reader.table;
    let value = table.get("output_schema")?;
    let schema = schema(value);
    if let Err(problem) = &schema {
        let expected = format!(
            "a JSON Schema (2020-12) of at most {MAX_OUTPUT_SCHEMA} bytes that needs no other document: a table, or \
             a text with its JSON"
        );
        reader.wrong("output_schema", format!("{}, which {problem}", found(value)), expected);
    }
    schema.ok()
}

/// The schema that a value is, or why it is none; the words follow on "which".
fn schema(value: &Value) -> Result<Value, String> {
    let size = value.as_str().map_or_else(|| value.to_string().len(), str::len);
    if size > MAX_OUTPUT_SCHEMA {
        return Err(format!("has {size} bytes"));
    }
    let schema = match value {
        Value::String(text) => serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?,
        other => other.clone(),
    };
    if !schema.is_object() {
        return Err("is no object".to_owned());
    }
    let unusable = |error: InvalidSchema| format!("can't be used: {}", printable(&error.to_string(), MAX_SHOWN));
    Validator::new(&schema).map_err(unusable)?;
    Ok(schema)
}

fn is_model(text: &str) -> bool {
    (1..=MAX_MODEL).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn read_disclosure(value: &Value) -> Option<Disclosure> {
    match value.as_str()? {
        "progressive" => Some(Disclosure::Progressive),
        "all" => Some(Disclosure::All),
        _ => None,
    }
}

fn read_wall(value: &Value) -> Option<Duration> {
    let wall = parse_duration(value.as_str()?).ok()?;
    (!wall.is_zero() && wall <= MAX_WALL).then_some(wall)
}

/// In thousandths. What has more places would be changed by that, and is refused.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 2000 and whole")]
fn read_milli(value: &Value) -> Option<u32> {
    let number = value.as_f64().filter(|number| (0.0..=2.0).contains(number))?;
    let milli = (number * 1000.0).round();
    ((milli / 1000.0 - number).abs() < 1e-9).then_some(milli as u32)
}

/// To the nearest billionth, so that what is written is read as the same amount.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 1 to 10^15 and whole")]
fn read_usd(value: &Value) -> Option<Usd> {
    let dollars = value.as_f64().filter(|dollars| *dollars > 0.0 && *dollars <= MAX_USD)?;
    let nanos = (dollars * 1e9).round();
    (nanos >= 1.0).then(|| Usd::from_nanos(nanos as u64))
}

/// A table that is being read.
struct Reader<'a> {
    table: &'a Map<String, Value>,
    /// What stands before its keys: `limits.`, or nothing.
    prefix: &'static str,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn wrong(&mut self, key: &str, found: impl Into<String>, expected: impl Into<String>) {
        let problem = Problem::new(&format!("{}{key}", self.prefix), found, expected);
        add(self.problems, problem);
    }

    /// The table of a key that may be absent.
    fn inner(&mut self, key: &str) -> Option<&'a Map<String, Value>> {
        let table = self.table;
        match table.get(key)? {
            Value::Object(table) => Some(table),
            other => {
                self.wrong(key, found(other), "a table");
                None
            }
        }
    }

    /// The value of a key that may be absent.
    fn optional<T>(&mut self, key: &str, expected: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let table = self.table;
        let value = table.get(key)?;
        let taken = read(value);
        if taken.is_none() {
            self.wrong(key, found(value), expected);
        }
        taken
    }

    fn whole(&mut self, key: &str, [min, max]: [u64; 2]) -> Option<u64> {
        let expected = format!("a whole number from {min} to {max}");
        self.optional(key, &expected, |value| value.as_u64().filter(|number| (min..=max).contains(number)))
    }

    /// A text that must be there and not be blank; what it is after a problem doesn't matter.
    fn text(&mut self, key: &str, expected: &str, fits: impl Fn(&str) -> bool) -> String {
        if !self.table.contains_key(key) {
            self.wrong(key, "nothing", expected);
        }
        let read = |value: &Value| {
            let text = value.as_str()?;
            (!text.trim().is_empty() && fits(text)).then(|| text.to_owned())
        };
        self.optional(key, expected, read).unwrap_or_default()
    }

    /// A list of texts of which no two are the `same`. Only where it may be empty may it
    /// be absent.
    fn list<T>(
        &mut self,
        key: &str,
        [min, max]: [usize; 2],
        each: &str,
        read: impl Fn(&str) -> Option<T>,
        same: impl Fn(&T, &T) -> bool,
    ) -> Vec<T> {
        let expected = match min {
            0 => format!("a list of at most {max} entries"),
            _ => format!("a list of {min} to {max} entries"),
        };
        let table = self.table;
        let items = match table.get(key) {
            None if min == 0 => return Vec::new(),
            None => {
                self.wrong(key, "nothing", expected);
                return Vec::new();
            }
            Some(Value::Array(items)) if (min..=max).contains(&items.len()) => items,
            Some(other) => {
                self.wrong(key, found(other), expected);
                return Vec::new();
            }
        };
        let mut entries: Vec<T> = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let place = format!("{key}[{index}]");
            match item.as_str().and_then(&read) {
                None => self.wrong(&place, found(item), each),
                Some(entry) if entries.iter().any(|other| same(other, &entry)) => {
                    self.wrong(&place, format!("{} again", found(item)), "each once");
                }
                Some(entry) => entries.push(entry),
            }
        }
        entries
    }

    fn refuse_unknown(&mut self, known: &[&str]) {
        let table = self.table;
        for (key, value) in table.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            // Looking for what was meant costs time that a hostile text could multiply.
            if self.problems.len() >= MAX_PROBLEMS {
                return;
            }
            let meant = hint(&near(key, known.iter().copied()));
            let expected = format!("one of {}{meant}", quoted(known, ", "));
            self.wrong(key, format!("an unknown key with {}", found(value)), expected);
        }
    }
}

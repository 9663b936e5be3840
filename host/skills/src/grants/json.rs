//! Grants as JSON: for those who look, for records, and for those who give them over REST.

use bailiwick_domain::grant::Grant;
use serde_json::Value as Json;
use toml::value::Datetime;

use super::raw::{self, RawGrant};

/// What stands in the place of a value that is not told.
const HIDDEN: &str = "(not shown)";

/// The same for those who look and for records: without the values of settings,
/// which may be secret.
pub(super) fn told(grant: &Grant) -> Result<Json, String> {
    let mut value = whole(grant)?;
    let settings = value.get_mut("config").and_then(Json::as_object_mut);
    settings.into_iter().flat_map(|settings| settings.values_mut()).for_each(|value| *value = Json::from(HIDDEN));
    Ok(value)
}

/// The grant as JSON: the keys of the document, moments as text.
pub(super) fn whole(grant: &Grant) -> Result<Json, String> {
    let document = raw::document(grant)?;
    toml::from_str::<toml::Value>(&document).map(to_json).map_err(|error| error.to_string())
}

/// The grant that JSON of this form says.
pub(super) fn from_json(value: &Json) -> Result<Grant, String> {
    let value = to_toml(value)?.ok_or("null is not a grant")?;
    value.try_into::<RawGrant>().map(Grant::from).map_err(|error| error.to_string().trim_end().replace('\n', " "))
}

/// Keys whose text is a moment.
const MOMENTS: [&str; 3] = ["given_at", "expires_at", "used_at"];

/// The same value in TOML, which has no null: what is null is left out.
fn to_toml(value: &Json) -> Result<Option<toml::Value>, String> {
    Ok(Some(match value {
        Json::Null => return Ok(None),
        Json::Bool(flag) => toml::Value::Boolean(*flag),
        Json::String(text) => toml::Value::String(text.clone()),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => toml::Value::Integer(integer),
            None => return Err(format!("{number} is not a whole number below 2^63")),
        },
        Json::Array(items) => {
            let items = items.iter().map(to_toml).collect::<Result<Vec<_>, _>>()?;
            toml::Value::Array(items.into_iter().flatten().collect())
        }
        Json::Object(members) => {
            let mut table = toml::Table::new();
            for (key, member) in members {
                let member = match member {
                    Json::String(text) if MOMENTS.contains(&key.as_str()) => {
                        let moment = text.parse::<Datetime>();
                        Some(moment.map(toml::Value::Datetime).map_err(|error| format!("{key}: `{text}`: {error}"))?)
                    }
                    other => to_toml(other)?,
                };
                if let Some(member) = member {
                    table.insert(key.clone(), member);
                }
            }
            toml::Value::Table(table)
        }
    }))
}

fn to_json(value: toml::Value) -> Json {
    match value {
        toml::Value::String(text) => Json::String(text),
        toml::Value::Integer(number) => Json::from(number),
        toml::Value::Float(number) => Json::from(number),
        toml::Value::Boolean(flag) => Json::Bool(flag),
        toml::Value::Datetime(time) => Json::String(time.to_string()),
        toml::Value::Array(items) => items.into_iter().map(to_json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, to_json(value))).collect(),
    }
}

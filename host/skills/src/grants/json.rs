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
    let Json::Object(members) = value else { return Err("expected an object with the keys of a grant".to_owned()) };
    let mut table = toml::Table::new();
    for (key, member) in members {
        let member = if MOMENTS.contains(&key.as_str()) { moment(key, member)? } else { to_toml(member)? };
        table.extend(member.map(|member| (key.clone(), member)));
    }
    let read = toml::Value::Table(table).try_into::<RawGrant>();
    read.map(Grant::from).map_err(|error| error.to_string().trim_end().replace('\n', " "))
}

/// Keys of a grant whose text is a moment. A setting may have the same name.
const MOMENTS: [&str; 3] = ["given_at", "expires_at", "used_at"];

fn moment(key: &str, value: &Json) -> Result<Option<toml::Value>, String> {
    let Json::String(text) = value else { return to_toml(value) };
    let moment = text.parse::<Datetime>();
    moment.map(toml::Value::Datetime).map(Some).map_err(|error| format!("{key}: `{text}`: {error}"))
}

/// The same value in TOML, which has no null: a key with it is left out. In a list it
/// would shorten the list, and one that is empty may mean everything.
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
            let item = |item| to_toml(item)?.ok_or_else(|| "null stands in a list: expected values alone".to_owned());
            toml::Value::Array(items.iter().map(item).collect::<Result<_, String>>()?)
        }
        Json::Object(members) => {
            let member = |(key, member): (&String, _)| Ok(to_toml(member)?.map(|member| (key.clone(), member)));
            let members = members.iter().map(member).collect::<Result<Vec<_>, String>>()?;
            toml::Value::Table(members.into_iter().flatten().collect())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn grant() -> Json {
        json!({
            "skill": "demo/p",
            "digest": format!("sha256:{}", "0".repeat(64)),
            "giver": "ada",
            "given_at": "2026-11-20T11:00:00Z",
        })
    }

    #[test]
    fn a_setting_may_be_named_like_a_moment() {
        let mut value = grant();
        value["config"] = json!({ "given_at": "dawn", "expires_at": "2026-12-31T23:59:59Z" });
        let read = from_json(&value).expect("it is a grant");
        assert_eq!(read.capabilities.config["given_at"], "dawn");
        assert_eq!(read.capabilities.config["expires_at"], "2026-12-31T23:59:59Z");
        assert_eq!(read.expires_at, None);
        assert_eq!(from_json(&whole(&read).expect("it can be told")), Ok(read.clone()));
        assert!(from_json(&told(&read).expect("it can be told")).is_ok());
        value["expires_at"] = json!("never");
        assert!(from_json(&value).expect_err("no moment").starts_with("expires_at: `never`"));
    }

    #[test]
    fn null_is_as_good_as_no_key_and_never_shortens_a_list() {
        let mut value = grant();
        value["reason"] = Json::Null;
        value["http"] = json!([{ "host": "a.com", "methods": ["GET"], "ports": null, "paths": ["/v1"] }]);
        assert!(from_json(&value).is_ok());
        // Without paths the rule would mean every path.
        value["http"][0]["paths"] = json!([null]);
        assert_eq!(from_json(&value).expect_err("refused"), "null stands in a list: expected values alone");
        assert!(from_json(&Json::Null).is_err() && from_json(&json!([])).is_err());
    }
}

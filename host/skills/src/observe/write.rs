//! Permissions as they stand in a `skill.toml`.

use bailiwick_domain::authority::{Access, CommandRule, HttpDeny, HttpRule, PathPattern, Scheme};
use bailiwick_domain::manifest::Permissions;
use bailiwick_domain::quota::{QuotaRequest, StateRequest};
use bailiwick_domain::units::format_size;
use toml::{Table, Value};

/// The `[permissions]` of a manifest, all of them. Nothing but the headline where
/// nothing is asked for.
pub(super) fn permissions(asked: &Permissions) -> String {
    let mut table = Table::new();
    let texts = |texts: &mut dyn Iterator<Item = String>| texts.map(Value::String).collect::<Vec<_>>();
    let mut put = |key: &str, values: Vec<Value>| {
        if !values.is_empty() {
            table.insert(key.to_owned(), Value::Array(values));
        }
    };
    put("config", texts(&mut asked.config.iter().cloned()));
    put("secrets", texts(&mut asked.secrets.iter().cloned()));
    put("models", texts(&mut asked.models.iter().cloned()));
    put("fs", asked.fs.iter().map(|request| folder(request.root.as_str(), request.access, request.quota)).collect());
    put("http", asked.http.iter().map(rule).collect());
    put("http_deny", asked.http_deny.iter().map(deny).collect());
    put("skills", asked.skills.iter().map(skill).collect());
    put("shell", asked.shell.iter().map(command).collect());
    if let Some(QuotaRequest { max_bytes, max_files }) = asked.workspace {
        table.insert("workspace".to_owned(), quota(max_bytes, ("max_files", max_files)));
    }
    if let Some(StateRequest { max_bytes, max_keys }) = asked.state {
        table.insert("state".to_owned(), quota(max_bytes, ("max_keys", max_keys)));
    }
    let document = Table::from_iter([("permissions".to_owned(), Value::Table(table))]);
    // Tables of text and numbers can be written.
    toml::to_string(&document).unwrap_or_default()
}

/// `true` where nothing is said of how much.
fn quota(max_bytes: Option<u64>, (key, number): (&str, Option<u64>)) -> Value {
    let mut table = Table::new();
    put_amounts(&mut table, max_bytes, key, number);
    if table.is_empty() { Value::Boolean(true) } else { Value::Table(table) }
}

fn put_amounts(table: &mut Table, max_bytes: Option<u64>, key: &str, number: Option<u64>) {
    table.extend(max_bytes.map(|bytes| ("max_bytes".to_owned(), Value::String(format_size(bytes)))));
    let integer = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    table.extend(number.map(|number| (key.to_owned(), integer(number))));
}

fn folder(root: &str, access: Access, QuotaRequest { max_bytes, max_files }: QuotaRequest) -> Value {
    let mut table = Table::new();
    table.insert("root".to_owned(), Value::String(root.to_owned()));
    table.insert("access".to_owned(), Value::String(access.to_string()));
    put_amounts(&mut table, max_bytes, "max_files", max_files);
    Value::Table(table)
}

fn rule(rule: &HttpRule) -> Value {
    requests(&rule.host.to_string(), &rule.schemes, &rule.ports, &rule.methods, &rule.paths)
}

fn deny(rule: &HttpDeny) -> Value {
    requests(&rule.host.to_string(), &rule.schemes, &rule.ports, &rule.methods, &rule.paths)
}

fn requests(host: &str, schemes: &[Scheme], ports: &[u16], methods: &[String], paths: &[PathPattern]) -> Value {
    let mut table = Table::new();
    table.insert("host".to_owned(), Value::String(host.to_owned()));
    let mut put = |key: &str, values: Vec<Value>| {
        if !values.is_empty() {
            table.insert(key.to_owned(), Value::Array(values));
        }
    };
    put("schemes", schemes.iter().map(|scheme| Value::String(scheme.to_string())).collect());
    put("ports", ports.iter().map(|port| Value::Integer((*port).into())).collect());
    put("methods", methods.iter().cloned().map(Value::String).collect());
    put("paths", paths.iter().map(|path| Value::String(path.to_string())).collect());
    Value::Table(table)
}

fn skill(selector: &bailiwick_domain::skill_id::SkillSelector) -> Value {
    let text = selector.to_string();
    let (id, version) = text.split_once('@').unwrap_or((&text, ""));
    let mut table = Table::new();
    table.insert("id".to_owned(), Value::String(id.to_owned()));
    if !version.is_empty() {
        table.insert("version".to_owned(), Value::String(version.to_owned()));
    }
    Value::Table(table)
}

fn command(rule: &CommandRule) -> Value {
    let arguments = rule.words().iter().cloned().map(Value::String).collect();
    Value::Table(Table::from_iter([("command".to_owned(), Value::Array(arguments))]))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::package::{self, LoadOptions};

    /// What a package asks for whose manifest ends in `permissions`.
    fn read(permissions: &str) -> Permissions {
        let folder = tempfile::tempdir().expect("a folder");
        let head = "skill_id = \"a/b\"\nversion = \"1.0.0\"\nkind = \"tool\"\ncomponent = \"skill.wasm\"\n";
        fs::write(folder.path().join("skill.toml"), format!("{head}{permissions}")).expect("a manifest");
        fs::write(folder.path().join("skill.wasm"), "").expect("a component");
        let options = LoadOptions { strict: true, allow_shell: true };
        package::load(folder.path(), &options)
            .unwrap_or_else(|error| panic!("{error}\n{permissions}"))
            .manifest
            .permissions
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let everything = read(
            r#"
            [permissions]
            config = ["level", "mode"]
            secrets = ["token"]
            models = ["small", "large"]
            workspace = { max_bytes = "1 KiB", max_files = 3 }
            state = true
            fs = [
                { root = "/a b", access = "read" },
                { root = "/work", access = "read-write", max_bytes = "10 MiB", max_files = 7 },
            ]
            http = [{ host = "*.example.com", schemes = ["http", "https"], ports = [80, 8080], methods = ["GET"], paths = ["/v1", "/w/*/x"] }]
            http_deny = [{ host = "10.0.0.0/8" }, { host = "a.com", methods = ["PUT"], paths = ["/x"] }]
            skills = [{ id = "acme/other", version = "^1.2" }, { id = "acme/any" }]
            shell = [{ command = ["git", "log"] }]
            "#,
        );
        assert_eq!(read(&permissions(&everything)), everything, "{}", permissions(&everything));
        let nothing = Permissions::default();
        assert_eq!(read(&permissions(&nothing)), nothing);
        assert_eq!(permissions(&nothing), "[permissions]\n");
    }
}

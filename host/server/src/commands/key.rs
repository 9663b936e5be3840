//! `bailiwick key`: the API keys of the server.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use bailiwick_api::auth::{KeyFile, KeyFileError, KeyInfo, NewKey, Scope};
use bailiwick_api::time;
use bailiwick_domain::clock::Clock as _;
use serde_json::json;

use crate::app;
use crate::cli::Key;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::output::{Done, Exit, Failure, Output, note};

/// Runs the command.
pub fn run(command: Key, config: &Config, out: Output) -> Done {
    let file = app::keys(config)?;
    match command {
        Key::Create { name, scope, expires } => create(&file, name, &scope, expires.as_deref(), out),
        Key::List => list(&file, out),
        Key::Revoke { key } => {
            let gone = file.revoke(&key).map_err(failure)?;
            if out.json {
                out.value(&describe(&gone));
            } else {
                out.line(format!("revoked the key {} ({})", gone.name, gone.id));
            }
            Ok(())
        }
    }
}

fn create(file: &KeyFile, name: String, scopes: &[String], expires: Option<&str>, out: Output) -> Done {
    let usage = |error: &dyn std::fmt::Display| Failure::new(Exit::Usage, error);
    let scopes: BTreeSet<Scope> =
        scopes.iter().map(|it| it.parse().map_err(|e| usage(&e))).collect::<Result<_, _>>()?;
    let now = SystemClock.now();
    let expires_at = app::end_of(expires)?;
    let created = file.create(NewKey { name, scopes, expires_at }, now).map_err(failure)?;
    if out.json {
        let mut value = describe(&created.info);
        value["token"] = json!(created.token);
        out.value(&value);
    } else {
        out.line(&created.token);
        note("Keep this token: it is not shown again. Send it as `Authorization: Bearer TOKEN`.");
    }
    Ok(())
}

fn list(file: &KeyFile, out: Output) -> Done {
    let keys = file.list().map_err(failure)?;
    if out.json {
        out.value(&keys.iter().map(describe).collect());
        return Ok(());
    }
    if keys.is_empty() {
        out.line("There are no keys. Make one with `bailiwick key create NAME`.");
        return Ok(());
    }
    let row = |key: &KeyInfo| {
        let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        let expires = key.expires_at.map_or_else(|| "never".to_owned(), time::format);
        [key.id.clone(), key.name.clone(), scopes.join(" "), time::format(key.created_at), expires]
    };
    out.table(["ID", "NAME", "SCOPES", "CREATED", "EXPIRES"], &keys.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

fn describe(key: &KeyInfo) -> serde_json::Value {
    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    json!({
        "id": key.id,
        "name": key.name,
        "scopes": scopes,
        "created_at": time::format(key.created_at),
        "expires_at": key.expires_at.map(time::format),
    })
}

fn failure(error: impl Borrow<KeyFileError>) -> Failure {
    let error = error.borrow();
    let exit = match error {
        KeyFileError::Unknown(_) => Exit::NotFound,
        KeyFileError::Name(_) | KeyFileError::NameTaken(_) | KeyFileError::NoScope | KeyFileError::Expired(_) => {
            Exit::Usage
        }
        _ => Exit::Host,
    };
    Failure::new(exit, app::chain(&error))
}

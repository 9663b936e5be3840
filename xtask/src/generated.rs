//! Files that come from the code and are committed, so that readers and tools
//! find them without building anything.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Path and content of every generated file.
fn files() -> Result<Vec<(&'static str, String)>, String> {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|e| e.to_string());
    let openapi = serde_json::to_value(bailiwick_api::openapi()).map_err(|error| error.to_string())?;
    Ok(vec![
        ("docs/openapi.json", pretty(&openapi)?),
        ("docs/schemas/skill-manifest.schema.json", pretty(&bailiwick_skills::package::manifest_schema())?),
        ("docs/schemas/config.schema.json", pretty(&bailiwick_server::config::schema())?),
    ])
}

/// Writes them.
pub(crate) fn write(root: &Path) -> Result<(), String> {
    for (path, text) in files()? {
        let full = root.join(path);
        fs::create_dir_all(full.parent().unwrap_or(&full)).map_err(|error| format!("{path}: {error}"))?;
        fs::write(&full, text).map_err(|error| format!("{path}: {error}"))?;
        println!("generated: {path}");
    }
    Ok(())
}

/// Fails when one is not what the code would write.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let stale = |(path, text): &(&str, String)| fs::read_to_string(root.join(path)).map_or(true, |old| old != *text);
    let stale: Vec<_> = files()?.into_iter().filter(stale).map(|(path, _)| path).collect();
    if stale.is_empty() {
        println!("generated: all files are what the code writes");
        return Ok(());
    }
    Err(format!("stale: {}; run `make schemas` and commit what changes", stale.join(", ")))
}

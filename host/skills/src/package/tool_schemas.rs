//! The JSON Schemas that a manifest names for its tools.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bailiwick_domain::manifest::SkillManifest;
use serde_json::Value;

use super::document::Document;
use super::files::Folder;
use super::findings::Findings;
use super::key_path::KeyPath;
use crate::schema::Validator;

/// Most bytes of one schema: several times the schema of a large published interface.
const MAX_SCHEMA_BYTES: u64 = 256 << 10;

/// Reads each schema once, whichever tools name it, and reports those that are none.
pub(super) fn read(
    folder: &Folder,
    document: &Document,
    manifest: &SkillManifest,
    findings: &mut Findings,
) -> BTreeMap<PathBuf, Value> {
    let mut schemas = BTreeMap::new();
    for (name, tool) in &manifest.tools {
        let path = KeyPath::root().key("tools").key(name);
        for (key, file) in [("input_schema", &tool.input_schema), ("output_schema", &tool.output_schema)] {
            let Some(file) = file.as_ref().filter(|file| !schemas.contains_key(*file)) else { continue };
            match read_schema(folder, file) {
                Ok(schema) => {
                    schemas.insert(file.clone(), schema);
                }
                Err(message) => findings.problem(document.problem(&path.key(key), message)),
            }
        }
    }
    schemas
}

fn read_schema(folder: &Folder, file: &Path) -> Result<Value, String> {
    let shown = file.display();
    let bytes = folder.read(file, MAX_SCHEMA_BYTES)?;
    let schema: Value = serde_json::from_slice(&bytes).map_err(|error| format!("`{shown}` is not JSON: {error}"))?;
    Validator::new(&schema).map_err(|error| format!("`{shown}` is not a JSON Schema that can be used: {error}"))?;
    Ok(schema)
}

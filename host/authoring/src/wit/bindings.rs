//! The C side of a world: `skill.h`, `skill.c` and what says of the module which
//! world it is for.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use wit_bindgen_core::Files;
use wit_parser::{Resolve, WorldId, WorldItem};

use super::error::WitError;
use super::{PREFIX, Wanted};
use crate::files;

/// The header that says which interfaces the world imports. The SDK's helpers for an
/// interface are there only where it is.
const IMPORTS_HEADER: &str = "skill_imports.h";

/// What was written.
#[derive(Debug)]
pub struct Bindings {
    /// The world's name.
    pub world: String,
    /// The files.
    pub files: Vec<PathBuf>,
}

/// Writes the bindings of a world for C into `out`. A file that is right already stays
/// as it is, so that what was made from it is not old.
pub fn bindings(wanted: &Wanted<'_>, out: &Path) -> Result<Bindings, WitError> {
    let (mut resolve, world) = wanted.resolve()?;
    let imports = imports_header(&resolve, world);
    let name = resolve.worlds[world].name.clone();
    let options = wit_bindgen_c::Opts { rename_world: Some(PREFIX.to_owned()), ..wit_bindgen_c::Opts::default() };
    let mut generated = Files::default();
    options
        .build()
        .generate(&mut resolve, world, &mut generated)
        .map_err(|error| WitError::Generate { world: name.clone(), reason: format!("{error:#}") })?;
    let mut written = Vec::new();
    for (file, content) in generated.iter().chain([(IMPORTS_HEADER, imports.as_bytes())]) {
        let path = out.join(file);
        files::write_changed(&path, content).map_err(WitError::io("write", &path))?;
        written.push(path);
    }
    Ok(Bindings { world: name, files: written })
}

/// `bailiwick:skill/progress@0.1.0` becomes `SKILL_IMPORTS_BAILIWICK_SKILL_PROGRESS`. The
/// version is left out, because helpers are written against one.
fn imports_header(resolve: &Resolve, world: WorldId) -> String {
    let mut text = String::from("// The interfaces that the world imports.\n#pragma once\n");
    let imports = &resolve.worlds[world].imports;
    let ids = imports.values().filter_map(|item| match item {
        WorldItem::Interface { id, .. } => resolve.id_of(*id),
        _ => None,
    });
    for id in ids {
        let name = id.split('@').next().unwrap_or(&id).to_ascii_uppercase();
        let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        // Writing to a string can't fail.
        let _ = writeln!(text, "#define SKILL_IMPORTS_{name} 1");
    }
    text
}

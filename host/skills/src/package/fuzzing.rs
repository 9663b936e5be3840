//! The door of the fuzz targets in `fuzz/`: a manifest's text, without a folder around it.

use std::path::PathBuf;

use bailiwick_domain::manifest::SkillManifest;

use super::findings::Findings;
use super::{LoadOptions, MANIFEST_FILE, Problem, toml_source};

/// The manifest and what was forgiven, or all that is wrong.
pub fn manifest(text: &str, options: LoadOptions) -> Result<(SkillManifest, Vec<Problem>), Vec<Problem>> {
    let document =
        toml_source::parse(PathBuf::from(MANIFEST_FILE), text.to_owned()).map_err(|problem| vec![problem])?;
    let mut findings = Findings::new(options.strict);
    let manifest = super::read_manifest(&document, options, &mut findings);
    let warnings = findings.finish()?;
    Ok((manifest.expect("whoever finds nothing wrong has found a manifest"), warnings))
}

//! The documentation of the author's WIT, put into the component.
//!
//! Toolchains drop the doc comments when they make a component of a world. There
//! is a standard form for them, the custom section `package-docs`, from which the
//! host takes the descriptions of tools.

use std::fs;
use std::path::{Path, PathBuf};

use wasmparser::{Parser, Payload};
use wit_parser::{PackageMetadata, Resolve, UnresolvedPackageGroup};

use super::BuildError;
use crate::embedded::WORK;

/// Where a component's documentation comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Docs {
    /// The toolchain put it in.
    Present,
    /// From the WIT in this folder.
    Added(PathBuf),
    /// There is no WIT.
    None,
}

/// The component with the documentation of the WIT that its build made, or else of that beside the source.
pub(super) fn complete(component: Vec<u8>, root: &Path) -> Result<(Vec<u8>, Docs), BuildError> {
    if has_docs(&component) {
        return Ok((component, Docs::Present));
    }
    let places = [root.join(WORK).join("wit"), root.join("wit")];
    match places.into_iter().find(|folder| has_wit(folder)) {
        Some(folder) => Ok((with_docs(component, &folder)?, Docs::Added(folder))),
        None => Ok((component, Docs::None)),
    }
}

/// The component with the documentation of the WIT in `folder`.
pub fn with_docs(mut component: Vec<u8>, folder: &Path) -> Result<Vec<u8>, BuildError> {
    let wrong = |reason| BuildError::Wit { folder: folder.to_owned(), reason };
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder).map_err(|error| {
        // Read by itself, a file that can't be is named with its line.
        let located = UnresolvedPackageGroup::parse_dir(folder).err();
        wrong(located.map_or_else(|| format!("{error:#}"), |located| located.to_string().trim().to_owned()))
    })?;
    let metadata = PackageMetadata::extract(&resolve, package).encode().map_err(|error| wrong(error.to_string()))?;
    let name = PackageMetadata::SECTION_NAME.as_bytes();
    let mut content = leb128(name.len());
    content.extend_from_slice(name);
    content.extend_from_slice(&metadata);
    component.push(CUSTOM);
    component.extend(leb128(content.len()));
    component.extend(content);
    Ok(component)
}

/// The id of a custom section.
const CUSTOM: u8 = 0;

/// Whether the component itself has the section; what is inside it doesn't count.
fn has_docs(component: &[u8]) -> bool {
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload {
            Ok(Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::CustomSection(section)) if depth == 0 && section.name() == PackageMetadata::SECTION_NAME => {
                return true;
            }
            // What can't be read is the host's to refuse, with a better message.
            Err(_) => return false,
            _ => {}
        }
    }
    false
}

fn has_wit(folder: &Path) -> bool {
    let is_wit = |path: &Path| path.extension().is_some_and(|extension| extension == "wit");
    fs::read_dir(folder).is_ok_and(|mut files| files.any(|file| file.is_ok_and(|file| is_wit(&file.path()))))
}

/// A length as WebAssembly writes it.
fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// The smallest component: its first eight bytes.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn package(wit: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("wit")).unwrap();
        fs::write(folder.path().join("wit/skill.wit"), wit).unwrap();
        folder
    }

    #[test]
    fn the_words_of_the_author_are_in_the_component_once() {
        let folder = package("package a:b;\nworld w {\n  /// Counts words.\n  export count: func();\n}\n");
        let (once, docs) = complete(EMPTY.to_vec(), folder.path()).unwrap();
        assert_eq!(docs, Docs::Added(folder.path().join("wit")));
        assert!(String::from_utf8_lossy(&once).contains("Counts words."));
        let (twice, docs) = complete(once.clone(), folder.path()).unwrap();
        assert_eq!((twice, docs), (once, Docs::Present));
    }

    #[test]
    fn wit_that_the_build_made_comes_first() {
        let folder = package("package a:b;\n/// Written.\nworld w {}\n");
        fs::create_dir_all(folder.path().join(".build/wit")).unwrap();
        fs::write(folder.path().join(".build/wit/made.wit"), "package a:b;\n/// Made.\nworld w {}\n").unwrap();
        let (component, _) = complete(EMPTY.to_vec(), folder.path()).unwrap();
        let text = String::from_utf8_lossy(&component);
        assert!(text.contains("Made.") && !text.contains("Written."), "{text}");
    }

    #[test]
    fn wit_that_is_none_is_named() {
        let folder = package("package a:b;\nworld w { export }\n");
        let said = complete(EMPTY.to_vec(), folder.path()).unwrap_err().to_string();
        assert!(said.contains("skill.wit:2"), "{said}");
    }

    #[test]
    fn no_wit_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(complete(EMPTY.to_vec(), folder.path()).unwrap(), (EMPTY.to_vec(), Docs::None));
    }
}

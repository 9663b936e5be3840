//! What the component exports and imports of this host's own interfaces.

use std::path::Path;

use crate::component::Facts;
use crate::finding::{Finding, Severity};

/// The package of the host's own interfaces, and the versions that this host speaks.
const OWN: (&str, &str) = ("bailiwick:skill/", "0.1.");

/// Interfaces of it that a component may import, and that it may export.
const IMPORTS: [&str; 4] = ["approvals", "models", "progress", "skills"];
const EXPORTS: [&str; 4] = ["prompts", "resources", "tools", "workflow"];

/// Interfaces of the host's own package in a version, or of a name, that this host doesn't know.
pub(super) fn newer_interfaces(facts: &Facts, component: &Path) -> Vec<Finding> {
    let imports = facts.imports.iter().map(|name| ("imports", name.as_str(), IMPORTS));
    let exports = facts.exports.iter().map(|export| ("exports", export.name.as_str(), EXPORTS));
    let foreign: Vec<String> = imports
        .chain(exports)
        .filter_map(|(verb, name, known)| {
            let rest = name.strip_prefix(OWN.0)?;
            let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
            if !version.starts_with(OWN.1) {
                Some(format!("{verb} `{name}`, and this host speaks bailiwick:skill {}x", OWN.1))
            } else if known.contains(&interface) {
                None
            } else {
                Some(format!("{verb} `{name}`, and this host knows of that package only {}", known.join(", ")))
            }
        })
        .collect();
    if foreign.is_empty() {
        return Vec::new();
    }
    let cure = "build against the WIT of this host, which `bailiwick build` writes to `.build/sdk/wit`, or run the \
                skill on a newer host";
    vec![Finding::new(Severity::Error, "unknown-world", component, foreign.join("; "), cure)]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::component::{Export, Form};

    fn facts(imports: &[&str], exports: &[&str]) -> Facts {
        let export = |name: &&str| Export { name: (*name).to_owned(), kind: "interface" };
        Facts {
            form: Form::Component,
            size: 0,
            imports: imports.iter().map(|&name| name.to_owned()).collect(),
            exports: exports.iter().map(export).collect(),
            modules: Vec::new(),
            custom: BTreeMap::new(),
            producers: BTreeMap::new(),
        }
    }

    #[test]
    fn only_known_interfaces_of_the_host_pass() {
        let file = Path::new("s.wasm");
        let good = facts(&["bailiwick:skill/skills@0.1.0", "wasi:io/poll@0.2.0"], &["bailiwick:skill/workflow@0.1.7"]);
        assert_eq!(newer_interfaces(&good, file), []);
        for (imports, exports, expected) in [
            (&["bailiwick:skill/skills@0.2.0"][..], &[][..], "speaks bailiwick:skill 0.1.x"),
            (&[], &["bailiwick:skill/workflow@1.0.0"], "exports `bailiwick:skill/workflow@1.0.0`"),
            (&["bailiwick:skill/telepathy@0.1.0"], &[], "only approvals, models, progress, skills"),
            (&[], &["bailiwick:skill/skills@0.1.0"], "only prompts, resources, tools, workflow"),
        ] {
            let found = newer_interfaces(&facts(imports, exports), file);
            assert!(found[0].message.contains(expected), "{found:?}");
        }
    }
}

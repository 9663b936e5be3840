//! `inspect`: what a component is, needs and can never do, from its bytes.

use std::collections::BTreeMap;

use bailiwick_domain::component::Inspection;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::wit::ToolSignature;
use bailiwick_skills::review::{Reach, reach};
use bailiwick_skills::schema::{failure_schema, input_schema, output_schema};
use serde::Serialize;
use serde_json::Value;

use crate::component::{Export, Facts, Form, Module, Unreadable};
use crate::interfaces::{Permission, permission_of, words};

/// A component on one page.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    /// sha256 of the bytes: what a grant is given to.
    pub digest: Digest,
    /// Component or module.
    pub form: Form,
    /// What it is to a host, in words.
    pub world: String,
    /// Why this host can't run it, where it can't.
    pub problem: Option<String>,
    /// What can be called; empty where the host can't run it.
    pub tools: Vec<ToolPage>,
    /// Everything that is exported.
    pub exports: Vec<Export>,
    /// What it imports, and what that is good for.
    pub imports: Vec<Import>,
    /// What it can reach, and what it can't whatever it is granted.
    pub reach: Vec<Reach>,
    /// How large it is.
    pub sizes: Sizes,
    /// Who made it, by kind and name, with versions.
    pub producers: BTreeMap<String, BTreeMap<String, String>>,
}

/// One tool.
#[derive(Clone, Debug, Serialize)]
pub struct ToolPage {
    /// How callers name it.
    pub name: String,
    /// The interface that it belongs to.
    pub interface: Option<String>,
    /// What its author wrote about it.
    pub description: Option<String>,
    /// JSON Schema of the arguments.
    pub input_schema: Value,
    /// JSON Schema of the output.
    pub output_schema: Value,
    /// JSON Schema of its own failure, where it can fail.
    pub failure_schema: Option<Value>,
}

/// One import.
#[derive(Clone, Debug, Serialize)]
pub struct Import {
    /// Its name.
    pub name: String,
    /// What the component can do by it.
    pub use_of_it: &'static str,
    /// The permission that decides about it; none where every skill may use it, or none may.
    pub permission: Option<Permission>,
    /// The keys of a manifest that ask for that permission.
    pub asked_by: Option<&'static str>,
}

/// Bytes.
#[derive(Clone, Debug, Serialize)]
pub struct Sizes {
    /// The whole file.
    pub file: u64,
    /// Core modules within.
    pub modules: usize,
    /// Their code.
    pub code: u64,
    /// Their data.
    pub data: u64,
    /// Their functions, as a number.
    pub functions: u64,
    /// Custom sections by name.
    pub custom: BTreeMap<String, u64>,
}

/// What can be told of `bytes`, which the host read as `inspection` or refused.
pub fn page(bytes: &[u8], inspection: Result<&Inspection, String>) -> Result<Page, Unreadable> {
    let facts = Facts::of(bytes)?;
    let (tools, problem) = match inspection {
        Ok(inspection) => (inspection.tools.iter().map(tool).collect(), None),
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let import = |name: &String| {
        let permission = permission_of(name);
        Import { name: name.clone(), use_of_it: words(name), permission, asked_by: permission.map(Permission::keys) }
    };
    let sum = |of: fn(&Module) -> u64| facts.modules.iter().map(of).sum::<u64>();
    Ok(Page {
        digest: Digest::of(bytes),
        form: facts.form,
        world: world(&facts),
        problem,
        tools,
        imports: facts.imports.iter().map(import).collect(),
        reach: reach(&facts.imports),
        sizes: Sizes {
            file: facts.size,
            modules: facts.modules.len(),
            code: sum(|module| module.code),
            data: sum(|module| module.data),
            functions: sum(|module| module.functions),
            custom: facts.custom,
        },
        exports: facts.exports,
        producers: facts.producers,
    })
}

fn tool(signature: &ToolSignature) -> ToolPage {
    ToolPage {
        name: signature.name.clone(),
        interface: signature.interface.clone(),
        description: signature.docs.clone(),
        input_schema: input_schema(signature),
        output_schema: output_schema(signature),
        failure_schema: failure_schema(signature),
    }
}

/// Exports of the host's own package, and the worlds that have them.
const WORLDS: [(&str, &str); 4] = [
    ("bailiwick:skill/tools", "tools that are known only at run time"),
    ("bailiwick:skill/prompts", "prompts"),
    ("bailiwick:skill/resources", "resources"),
    ("bailiwick:skill/workflow", "a workflow"),
];

/// What a component is to a host. The name of its world isn't kept in a component, so
/// that it is told by what it exports.
fn world(facts: &Facts) -> String {
    if facts.form == Form::CoreModule {
        return "a core module: no host runs it before it is made a component".to_owned();
    }
    let own: Vec<_> =
        WORLDS.iter().filter(|(name, _)| facts.exports_interface(name)).map(|(_, words)| *words).collect();
    let is_own = |name: &str| name.starts_with("bailiwick:skill/");
    let plain = facts.exports.iter().filter(|it| matches!(it.kind, "function" | "interface") && !is_own(&it.name));
    match (own.is_empty(), plain.count()) {
        (true, 0) => "a component that exports nothing to call".to_owned(),
        (true, _) => "a component with a world of its own: its exported functions are tools".to_owned(),
        (false, 0) => format!("a skill by bailiwick:skill, with {}", own.join(", ")),
        (false, _) => format!("a skill by bailiwick:skill, with {}, and functions that are tools", own.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_a_component_can_never_do() {
        let bytes = wat::parse_str(r#"(component (import "wasi:config/store@0.2.0-rc.1" (instance)))"#).expect("text");
        let page = page(&bytes, Err("no tools".to_owned())).expect("a component");
        assert_eq!(page.imports[0].permission, Some(Permission::Settings));
        let reached = |name: &str| page.reach.iter().find(|it| it.capability == name).expect(name).imported;
        assert!(reached("settings") && !reached("files") && !reached("requests"));
        assert_eq!(
            (page.world.as_str(), page.problem.as_deref()),
            ("a component that exports nothing to call", Some("no tools"))
        );
    }
}

//! Which imports this host answers.

use bailiwick_domain::component::ComponentError;
use wasmtime::Engine;
use wasmtime::component::types::{Component, ComponentItem};

/// Interfaces that this host links, by package, with the version line
/// that it speaks. Versions are compatible as semver has it: 0.2.6 serves 0.2.0.
const OFFERED: &[(&str, &str, &[&str])] = &[
    ("bailiwick:shell", "0.1.", &["commands"]),
    ("bailiwick:skill", "0.1.", &["approvals", "models", "progress", "skills"]),
    (
        "wasi:cli",
        "0.2.",
        &[
            "environment",
            "exit",
            "stderr",
            "stdin",
            "stdout",
            "terminal-input",
            "terminal-output",
            "terminal-stderr",
            "terminal-stdin",
            "terminal-stdout",
        ],
    ),
    ("wasi:clocks", "0.2.", &["monotonic-clock", "wall-clock"]),
    ("wasi:config", "0.2.0-rc.1", &["store"]),
    ("wasi:filesystem", "0.2.", &["preopens", "types"]),
    ("wasi:http", "0.2.", &["outgoing-handler", "types"]),
    ("wasi:io", "0.2.", &["error", "poll", "streams"]),
    ("wasi:keyvalue", "0.2.0-draft", &["atomics", "batch", "store"]),
    ("wasi:logging", "0.1.0-draft", &["logging"]),
    ("wasi:random", "0.2.", &["insecure", "insecure-seed", "random"]),
    (
        "wasi:sockets",
        "0.2.",
        &["instance-network", "ip-name-lookup", "network", "tcp", "tcp-create-socket", "udp", "udp-create-socket"],
    ),
];

/// All imports of a component, if this host offers every one of them.
pub(super) fn check(ty: &Component, engine: &Engine) -> Result<Vec<String>, ComponentError> {
    let mut imports = Vec::new();
    let mut unknown = Vec::new();
    for (name, import) in ty.imports(engine) {
        imports.push(name.to_owned());
        if needs_host(&import.ty, engine)
            && let Err(why) = offered(name)
        {
            unknown.push(format!("`{name}` ({why})"));
        }
    }
    if unknown.is_empty() { Ok(imports) } else { Err(ComponentError::UnknownImports(unknown)) }
}

/// Whether an import needs an implementation. An interface that holds nothing
/// but value types is imported only for their names.
fn needs_host(item: &ComponentItem, engine: &Engine) -> bool {
    match item {
        ComponentItem::ComponentInstance(instance) => {
            instance.exports(engine).any(|(_, export)| needs_host(&export.ty, engine))
        }
        ComponentItem::Type(_) => false,
        _ => true,
    }
}

fn offered(name: &str) -> Result<(), String> {
    let Some((package, rest)) = name.split_once('/') else {
        return Err("not an interface of a package".to_owned());
    };
    let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
    let Some((_, line, interfaces)) = OFFERED.iter().find(|(offered, ..)| *offered == package) else {
        return Err("no such package here".to_owned());
    };
    if !version.starts_with(line) {
        return Err(format!("this host speaks {package} {line}{}", if line.ends_with('.') { "x" } else { "" }));
    }
    if interfaces.contains(&interface) {
        Ok(())
    } else {
        Err(format!("not offered of {package}; offered are {}", interfaces.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::offered;

    #[test]
    fn versions_and_names_count() {
        assert_eq!(offered("wasi:cli/stdout@0.2.0"), Ok(()));
        assert_eq!(offered("wasi:cli/stdout@0.2.9"), Ok(()));
        assert_eq!(offered("wasi:cli/stdout@0.3.0"), Err("this host speaks wasi:cli 0.2.x".to_owned()));
        assert!(offered("wasi:http/incoming-handler@0.2.0").is_err());
        assert!(offered("acme:rocket/launch@1.0.0").is_err());
        assert!(offered("launch").is_err());
    }
}

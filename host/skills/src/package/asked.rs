//! What a manifest asks for, in lines that people read and compare.

use std::collections::BTreeSet;

use bailiwick_domain::manifest::Permissions;

/// A line for each permission.
pub(crate) fn lines(asked: &Permissions) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    lines.extend(asked.fs.iter().map(|request| format!("folder {} ({})", request.root, request.access)));
    lines.extend(asked.http.iter().map(|rule| format!("requests {rule}")));
    lines.extend(asked.http_deny.iter().map(|rule| format!("no requests {rule}")));
    lines.extend(asked.workspace.map(|_| "a folder of its own for each call, or for each task of a run".to_owned()));
    lines.extend(asked.state.map(|_| "durable state".to_owned()));
    lines.extend(asked.config.iter().map(|key| format!("setting {key}")));
    lines.extend(asked.secrets.iter().map(|name| format!("secret {name}")));
    lines.extend(asked.skills.iter().map(|skill| format!("skill {skill}")));
    lines.extend(asked.models.iter().map(|model| format!("model {model}")));
    lines.extend(asked.shell.iter().map(|command| format!("command {command}")));
    lines
}

//! What a manifest asks for, in lines that people read and compare.

use std::collections::BTreeSet;

use bailiwick_domain::authority::HttpRule;
use bailiwick_domain::manifest::Permissions;

/// A line for each permission.
pub(crate) fn lines(asked: &Permissions) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    lines.extend(asked.fs.iter().map(|request| format!("folder {} ({})", request.root, request.access)));
    lines.extend(asked.http.iter().map(|rule| format!("requests {}", rule_line(rule))));
    if asked.state {
        lines.insert("durable state".to_owned());
    }
    lines.extend(asked.config.iter().map(|key| format!("setting {key}")));
    lines.extend(asked.secrets.iter().map(|name| format!("secret {name}")));
    lines.extend(asked.skills.iter().map(|skill| format!("skill {skill}")));
    lines.extend(asked.models.iter().map(|model| format!("model {model}")));
    lines.extend(asked.shell.iter().map(|command| format!("command {}", command.join(" "))));
    lines
}

/// A rule as it would be typed.
pub(crate) fn rule_line(rule: &HttpRule) -> String {
    let list = |items: Vec<String>, between: &str| items.join(between);
    let schemes = list(rule.schemes.iter().map(ToString::to_string).collect(), "|");
    let ports = list(rule.ports.iter().map(ToString::to_string).collect(), ",");
    let port = if ports.is_empty() { ports } else { format!(":{ports}") };
    let paths = if rule.paths.is_empty() { String::new() } else { format!(" below {}", rule.paths.join(", ")) };
    format!("{} {schemes}://{}{port}{paths}", rule.methods.join(","), rule.host)
}

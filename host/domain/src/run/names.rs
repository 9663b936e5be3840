//! Names of tools as models see them.

use crate::skill_id::SkillId;

/// The tool by which a model asks for a skill's instructions and tools.
pub const USE_SKILL: &str = "use_skill";

/// The tool by which a model chooses who works.
pub const CHOOSE_AGENT: &str = "choose_agent";

/// The tool by which an agent gives its work to another one.
pub const HANDOFF: &str = "handoff";

/// The tool by which an agent adds to the graph that it works in.
pub const ADD_NODES: &str = "add_nodes";

/// Characters of a name that all providers take.
const MAX_ALIAS: usize = 64;

/// `files__read` for the tool `read` of `bailiwick/files`: letters, digits, `_` and `-`.
pub fn alias(skill: &SkillId, tool: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    let mut alias: String = format!("{}__{tool}", skill.name()).chars().map(plain).collect();
    alias.truncate(MAX_ALIAS);
    alias
}

/// `alias`, with a number behind it where it is taken.
pub(super) fn unlike(taken: &[String], alias: String) -> String {
    let is_free = |name: &String| !taken.contains(name);
    if is_free(&alias) {
        return alias;
    }
    let numbered = |number: usize| {
        let tail = format!("_{number}");
        let head: String = alias.chars().take(MAX_ALIAS - tail.len()).collect();
        head + &tail
    };
    // One of so many is free, because each of those taken is at most one of them.
    (2..=taken.len() + 2).map(numbered).find(is_free).unwrap_or(alias)
}

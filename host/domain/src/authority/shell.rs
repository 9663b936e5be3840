//! Commands of the host: which argument lists may be run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The risk that every tool has whose skill is granted commands.
pub const SHELL_RISK: &str = "shell";

/// The last word of a rule that lets any further arguments follow.
pub const FURTHER: &str = "...";

/// Most words of a rule, and of a command.
pub const MAX_WORDS: usize = 256;

/// Bytes of all words of a command: what programs are made for, and far below what
/// the kernel takes.
pub const MAX_COMMAND_BYTES: usize = 64 << 10;

/// An argument list that may be run: a program by its bare name, and its arguments,
/// exactly; or, with `...` at its end, any list that begins so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct CommandRule {
    words: Vec<String>,
    further: bool,
}

/// The words are not a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{words}` is not a command: expected the bare name of a program and its arguments, such as `git status`, or \
     `git log ...` where any arguments may follow"
)]
pub struct InvalidCommand {
    words: String,
}

impl CommandRule {
    /// What a manifest asks for: every list that begins with `words`.
    pub fn beginning(words: Vec<String>) -> Result<Self, InvalidCommand> {
        check(&words)?;
        Ok(Self { words, further: true })
    }

    /// The words, without `...`.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether `command` may be run.
    pub fn allows(&self, command: &[String]) -> bool {
        if self.further { command.starts_with(&self.words) } else { command == self.words }
    }

    /// Whether each command that `other` allows is one that this rule allows.
    pub fn covers(&self, other: &Self) -> bool {
        if self.further { other.words.starts_with(&self.words) } else { self == other }
    }
}

/// Whether the words can begin a command. The program is found on a path that the
/// host sets, so that no file which a guest wrote can take its place.
fn check(words: &[String]) -> Result<(), InvalidCommand> {
    let bare = |program: &String| {
        !program.is_empty()
            && !program.starts_with(['-', '.'])
            && program.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
    };
    let bytes: usize = words.iter().map(String::len).sum();
    let good = words.first().is_some_and(bare)
        && words.len() <= MAX_WORDS
        && bytes <= MAX_COMMAND_BYTES
        && !words.iter().any(|word| word.contains('\0') || word == FURTHER);
    if good { Ok(()) } else { Err(InvalidCommand { words: words.join(" ") }) }
}

impl TryFrom<Vec<String>> for CommandRule {
    type Error = InvalidCommand;

    fn try_from(mut words: Vec<String>) -> Result<Self, InvalidCommand> {
        let further = words.last().is_some_and(|word| word == FURTHER);
        if further {
            words.pop();
        }
        check(&words)?;
        Ok(Self { words, further })
    }
}

impl From<CommandRule> for Vec<String> {
    fn from(rule: CommandRule) -> Self {
        let further = rule.further.then(|| FURTHER.to_owned());
        rule.words.into_iter().chain(further).collect()
    }
}

impl fmt::Display for CommandRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(" "))?;
        if self.further { write!(f, " {FURTHER}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn rule(text: &str) -> CommandRule {
        CommandRule::try_from(words(text)).expect(text)
    }

    #[test]
    fn a_rule_is_one_list_unless_it_says_more() {
        let exact = rule("git log --oneline");
        assert!(exact.allows(&words("git log --oneline")));
        for other in ["git log", "git log --oneline -3", "git log --oneline=", "git", "log --oneline"] {
            assert!(!exact.allows(&words(other)), "{other}");
        }
        let further = rule("git log ...");
        assert!(further.allows(&words("git log")) && further.allows(&words("git log -p -3")));
        assert!(!further.allows(&words("git push")) && !further.allows(&words("git logs")));
    }

    #[test]
    fn a_rule_covers_what_it_allows() {
        let asked = CommandRule::beginning(words("git log")).expect("a rule");
        assert!(asked.covers(&rule("git log")) && asked.covers(&rule("git log -p ...")) && asked.covers(&asked));
        assert!(!asked.covers(&rule("git ...")) && !asked.covers(&rule("git push")));
        assert!(rule("git log").covers(&rule("git log")) && !rule("git log").covers(&rule("git log ...")));
    }

    #[test]
    fn programs_have_bare_names() {
        for bad in ["", "/bin/sh", "./run", "../git", "a b/c d/sh", "-c", "...", "git\0 x", "git ... log"] {
            let split: Vec<String> = if bad.is_empty() { vec![] } else { words(bad) };
            let good = CommandRule::try_from(split.clone()).is_ok();
            assert_eq!(good, bad == "a b/c d/sh", "{bad}: only the first word is a program");
        }
        assert!(CommandRule::try_from(vec!["git".to_owned(), "x".repeat(MAX_COMMAND_BYTES)]).is_err());
        assert_eq!(rule("git log ...").to_string(), "git log ...");
        assert_eq!(Vec::from(rule("git log ...")), words("git log ..."));
    }
}

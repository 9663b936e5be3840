//! What is wrong with a package, and the cure of it.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A host refuses the package, or it can't do what it says.
    Error,
    /// It runs, and somebody will stumble over it.
    Warning,
    /// Worth knowing; nothing has to be done.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// A stable name for scripts, such as `unused-permission`.
    pub code: &'static str,
    /// The file, relative to the package where it lies in it.
    pub file: PathBuf,
    /// The line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The dotted key in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What was found, and what was expected.
    pub message: String,
    /// What to do.
    pub cure: String,
}

impl Finding {
    /// A finding about a file as a whole.
    pub fn new(
        severity: Severity,
        code: &'static str,
        file: impl Into<PathBuf>,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        let (file, message, cure) = (file.into(), message.into(), cure.into());
        Self { severity, code, file, line: None, key: None, message, cure }
    }

    /// The same at a line.
    #[must_use]
    pub fn at(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The same at a key.
    #[must_use]
    pub fn of_key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Where it is: `skill.toml:3: permissions.state`.
    pub fn place(&self) -> String {
        // Writing to a string can't fail.
        let mut place = self.file.display().to_string();
        if let Some(line) = self.line {
            let _ = write!(place, ":{line}");
        }
        if let Some(key) = &self.key {
            let _ = write!(place, ": {key}");
        }
        place
    }
}

/// All that was found, the worst first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The findings in the order in which they are shown.
    pub fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|a, b| (a.severity, &a.file, a.line, &a.key).cmp(&(b.severity, &b.file, b.line, &b.key)));
        Self { findings }
    }

    /// How many there are of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_comes_first_and_says_where_it_is() {
        let note = Finding::new(Severity::Note, "n", "a", "m", "c");
        let error = Finding::new(Severity::Error, "e", "skill.toml", "m", "c").at(3).of_key("permissions.state");
        let report = Report::new(vec![note, error]);
        assert_eq!(report.findings[0].place(), "skill.toml:3: permissions.state");
        assert_eq!((report.count(Severity::Error), report.count(Severity::Warning)), (1, 0));
    }
}

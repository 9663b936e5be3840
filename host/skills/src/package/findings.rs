//! All that is wrong with a package, gathered so that an author sees it at once.

use super::error::Problem;

/// Most problems that are kept: more than a person reads before mending the first.
const MAX_PROBLEMS: usize = 50;

/// Problems and warnings in the making.
pub(super) struct Findings {
    strict: bool,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Findings {
    pub(super) const fn new(strict: bool) -> Self {
        Self { strict, problems: Vec::new(), warnings: Vec::new() }
    }

    /// Whether anything is wrong so far.
    pub(super) const fn failed(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Whether no further problem is kept.
    pub(super) const fn full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    /// Whether no further one of those that only strict mode refuses is kept.
    pub(super) const fn full_of_tolerable(&self) -> bool {
        let kept = if self.strict { &self.problems } else { &self.warnings };
        kept.len() >= MAX_PROBLEMS
    }

    /// Something that is wrong in either mode.
    pub(super) fn problem(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Something that is wrong in strict mode and a warning otherwise. Answers
    /// whether it was forgiven.
    pub(super) fn tolerable(&mut self, problem: Problem) -> bool {
        if self.strict {
            self.problem(problem);
        } else if self.warnings.len() < MAX_PROBLEMS {
            self.warnings.push(problem);
        }
        !self.strict
    }

    /// The warnings, or else the problems in the order of the files.
    pub(super) fn finish(mut self) -> Result<Vec<Problem>, Vec<Problem>> {
        let order = |a: &Problem, b: &Problem| (&a.file, a.position, &a.key).cmp(&(&b.file, b.position, &b.key));
        self.problems.sort_by(order);
        self.warnings.sort_by(order);
        if self.problems.is_empty() { Ok(self.warnings) } else { Err(self.problems) }
    }
}

//! Why some cases notice no check of ours.

/// Who stops some cases, in place of a check that can be taken out.
pub(super) struct Reason {
    /// Who it is.
    pub(super) who: &'static str,
    /// How it comes.
    pub(super) why: &'static str,
    /// The cases, without `attacks::`.
    pub(super) cases: &'static [&'static str],
}

/// By who stops them.
pub(super) const REASONS: &[Reason] = &[];

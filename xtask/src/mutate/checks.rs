//! The checks, and how each is switched off.

mod addresses;
mod approvals;
mod commands;
mod folders;
mod grants;
mod limits;
mod observe;
mod packages;
mod requests;
mod routes;
mod secrets;
mod settings;
mod state;

/// One check of the host, or several that only together can be missed.
#[derive(Clone, Copy)]
pub(super) struct Check {
    /// Short and unique.
    pub(super) name: &'static str,
    /// What holds when it is off.
    pub(super) what: &'static str,
    /// The tests that are run without it, by how their names begin.
    pub(super) of: &'static [&'static str],
    /// Checks that are off with it, because each holds where the other is missing.
    pub(super) with: &'static [&'static str],
    /// Where it stands. Empty where it is no more than what stands in `with`.
    pub(super) patches: &'static [Patch],
}

/// A place in the source.
#[derive(Clone, Copy)]
pub(super) struct Patch {
    /// The file.
    pub(super) file: &'static str,
    /// Text that stands in the file once.
    pub(super) find: &'static str,
    /// The text with a switch, which `{off}` asks.
    pub(super) replace: &'static str,
}

/// A table of checks: name, what holds without it, the tests, and the places.
macro_rules! checks {
    ($(
        $name:literal $what:literal of $($of:literal),+ $(; with $($with:literal),+)?
        { $($file:ident: $find:literal => $replace:literal;)* }
    )*) => {
        pub(super) const CHECKS: &[crate::mutate::checks::Check] = &[$(
            crate::mutate::checks::Check {
                name: $name,
                what: $what,
                of: &[$($of),+],
                with: &[$($($with),+)?],
                patches: &[$(crate::mutate::checks::Patch { file: $file, find: $find, replace: $replace }),*],
            }
        ),*];
    };
}
use checks;

/// Every check, in the order of the table.
pub(super) fn all() -> Vec<Check> {
    [
        folders::CHECKS,
        requests::CHECKS,
        addresses::CHECKS,
        secrets::CHECKS,
        settings::CHECKS,
        state::CHECKS,
        limits::CHECKS,
        grants::CHECKS,
        approvals::CHECKS,
        routes::CHECKS,
        commands::CHECKS,
        observe::CHECKS,
        packages::CHECKS,
    ]
    .concat()
}

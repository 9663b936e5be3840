//! From local time to a moment, where a clock change may leave two or none.

use crate::bindings::{Ambiguity, AmbiguityKind, Disambiguation, Failure, Resolution};
use crate::failure::out_of_range;
use crate::zone;
use jiff::Zoned;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// A moment, and how the local time that gave it was understood.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub zoned: Zoned,
    pub resolution: Resolution,
}

impl Resolved {
    /// A moment that was given as such.
    pub fn unique(zoned: Zoned) -> Self {
        Self { zoned, resolution: Resolution::Unique }
    }
}

/// The moment at which clocks in `zone` show `local`.
pub fn resolve(local: DateTime, zone: &TimeZone, disambiguation: Disambiguation) -> Result<Resolved, Failure> {
    let ambiguous = zone.to_ambiguous_zoned(local);
    let beyond = |_| out_of_range(&format!("{local} in {}", zone::name(zone)));
    let kind = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => {
            let zoned = ambiguous.compatible().map_err(beyond)?;
            return Ok(Resolved::unique(zoned));
        }
        AmbiguousOffset::Gap { .. } => AmbiguityKind::Gap,
        AmbiguousOffset::Fold { .. } => AmbiguityKind::Overlap,
    };
    let earlier = ambiguous.clone().earlier().map_err(beyond)?;
    let later = ambiguous.later().map_err(beyond)?;
    let resolution = match (disambiguation, kind) {
        (Disambiguation::Reject, kind) => {
            return Err(Failure::Ambiguous(Ambiguity {
                local: local.to_string(),
                zone: zone::name(zone),
                kind,
                earlier: earlier.to_string(),
                later: later.to_string(),
            }));
        }
        (Disambiguation::Earlier, AmbiguityKind::Gap) => Resolution::GapEarlier,
        (Disambiguation::Later | Disambiguation::Compatible, AmbiguityKind::Gap) => Resolution::GapLater,
        (Disambiguation::Earlier | Disambiguation::Compatible, AmbiguityKind::Overlap) => Resolution::OverlapEarlier,
        (Disambiguation::Later, AmbiguityKind::Overlap) => Resolution::OverlapLater,
    };
    let takes_later = matches!(resolution, Resolution::GapLater | Resolution::OverlapLater);
    Ok(Resolved { zoned: if takes_later { later } else { earlier }, resolution })
}

//! Metric and binary prefixes.

use crate::rounding::{scaled, ten_to};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

#[derive(Clone, Copy, Debug)]
pub enum Scale {
    /// Ten to this power.
    Ten(i64),
    /// 1024 to this power.
    Kibi(usize),
}

#[derive(Debug)]
pub struct Prefix {
    pub symbols: &'static [&'static str],
    pub names: &'static [&'static str],
    pub scale: Scale,
}

impl Scale {
    pub fn factor(self) -> RBig {
        match self {
            Self::Ten(exponent) if exponent >= 0 => RBig::from(ten_to(exponent as usize)),
            Self::Ten(exponent) => scaled(IBig::ONE, -exponent),
            Self::Kibi(exponent) => RBig::from(UBig::ONE << (10 * exponent)),
        }
    }

    /// Whether it multiplies by a thousand or more.
    pub fn is_thousandfold(self) -> bool {
        matches!(self, Self::Ten(3..))
    }

    pub fn is_binary(self) -> bool {
        matches!(self, Self::Kibi(_))
    }
}

const fn ten(symbols: &'static [&'static str], names: &'static [&'static str], exponent: i64) -> Prefix {
    Prefix { symbols, names, scale: Scale::Ten(exponent) }
}

const fn kibi(symbols: &'static [&'static str], names: &'static [&'static str], exponent: usize) -> Prefix {
    Prefix { symbols, names, scale: Scale::Kibi(exponent) }
}

pub const PREFIXES: &[Prefix] = &[
    ten(&["Q"], &["quetta"], 30),
    ten(&["R"], &["ronna"], 27),
    ten(&["Y"], &["yotta"], 24),
    ten(&["Z"], &["zetta"], 21),
    ten(&["E"], &["exa"], 18),
    ten(&["P"], &["peta"], 15),
    ten(&["T"], &["tera"], 12),
    ten(&["G"], &["giga"], 9),
    ten(&["M"], &["mega"], 6),
    ten(&["k"], &["kilo"], 3),
    ten(&["h"], &["hecto"], 2),
    ten(&["da"], &["deca", "deka"], 1),
    ten(&["d"], &["deci"], -1),
    ten(&["c"], &["centi"], -2),
    ten(&["m"], &["milli"], -3),
    // The micro sign, the Greek letter mu, and what keyboards have.
    ten(&["µ", "μ", "u"], &["micro"], -6),
    ten(&["n"], &["nano"], -9),
    ten(&["p"], &["pico"], -12),
    ten(&["f"], &["femto"], -15),
    ten(&["a"], &["atto"], -18),
    ten(&["z"], &["zepto"], -21),
    ten(&["y"], &["yocto"], -24),
    ten(&["r"], &["ronto"], -27),
    ten(&["q"], &["quecto"], -30),
    kibi(&["Ki"], &["kibi"], 1),
    kibi(&["Mi"], &["mebi"], 2),
    kibi(&["Gi"], &["gibi"], 3),
    kibi(&["Ti"], &["tebi"], 4),
    kibi(&["Pi"], &["pebi"], 5),
    kibi(&["Ei"], &["exbi"], 6),
    kibi(&["Zi"], &["zebi"], 7),
    kibi(&["Yi"], &["yobi"], 8),
];

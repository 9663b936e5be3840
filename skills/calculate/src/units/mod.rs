//! Conversion between units of measurement with exact factors.

mod compound;
mod dimension;
mod lookup;
mod prefix;
mod table;

use crate::bindings::{Conversion, DimensionMismatch, Failure, Rounding, Unit};
use crate::decimal::{self, Format};
use crate::enclosure::{Enclosure, Precision, StrictSign};
use crate::functions;
use crate::halt::Halt;
use crate::limits::MAX_SCALE;
use crate::powers;
use compound::Quantity;
use dashu_int::IBig;
use dashu_ratio::RBig;
use dimension::NAMED;
use table::{Entry, Prefixes, UNITS};

pub fn convert(
    value: &str,
    from: &str,
    to: &str,
    scale: Option<u32>,
    rounding: Option<Rounding>,
) -> Result<Conversion, Failure> {
    let format = Format::new(scale, rounding, MAX_SCALE)?;
    let value = decimal::parse(value, "value")?;
    let source = compound::read(from)?;
    let target = compound::read(to)?;
    if source.dimension != target.dimension {
        return Err(Failure::DimensionMismatch(DimensionMismatch {
            from_unit: from.into(),
            from_dimension: source.dimension.name(),
            to_unit: to.into(),
            to_dimension: target.dimension.name(),
        }));
    }
    let result = format.settle(|p| converted(p, &value, &source, &target))?;
    Ok(Conversion {
        value: result.value,
        unit: to.into(),
        exact: result.exact,
        fraction: result.fraction,
        dimension: source.dimension.name(),
    })
}

pub fn list(dimension: Option<&str>) -> Result<Vec<Unit>, Failure> {
    let wanted = match dimension {
        None => None,
        Some(name) => Some(named(name)?),
    };
    Ok(UNITS.iter().filter(|entry| wanted.is_none_or(|wanted| entry.dimension == wanted)).map(describe).collect())
}

fn converted(p: Precision, value: &RBig, source: &Quantity, target: &Quantity) -> Result<Enclosure, Halt> {
    let in_base = p.mul(&Enclosure::point(value.clone()), &Enclosure::point(source.factor.ratio.clone()))?;
    let moved = shifted(p, &in_base, source, target)?;
    let scaled = p.div(&moved, &Enclosure::point(target.factor.ratio.clone()))?;
    let turns = source.factor.pi - target.factor.pi;
    if turns == 0 {
        return Ok(scaled);
    }
    let exponent = Enclosure::point(RBig::from(IBig::from(turns)));
    p.mul(&scaled, &powers::power(p, &functions::pi(p)?, &exponent)?)
}

/// Moves a reading from one temperature scale's zero to the other's. Only
/// where both units stand alone is the quantity a reading.
fn shifted(p: Precision, in_base: &Enclosure, source: &Quantity, target: &Quantity) -> Result<Enclosure, Halt> {
    let zero = || RBig::ZERO;
    let is_reading = source.dimension == dimension::TEMPERATURE && (source.offset.is_some() || target.offset.is_some());
    if !is_reading {
        return Ok(in_base.clone());
    }
    let offset = Enclosure::point(source.offset.clone().unwrap_or_else(zero));
    let kelvin = p.add(in_base, &offset)?;
    if kelvin.hi.is_negative_nonzero() {
        return Err(Halt::domain("the temperature is below absolute zero"));
    }
    p.sub(&kelvin, &Enclosure::point(target.offset.clone().unwrap_or_else(zero)))
}

fn named(name: &str) -> Result<dimension::Dimension, Failure> {
    let wanted = name.trim().to_lowercase().replace(['-', '_'], " ");
    NAMED.iter().find(|(known, _)| *known == wanted).map(|(_, dimension)| *dimension).ok_or_else(|| {
        let known: Vec<&str> = NAMED.iter().map(|(known, _)| *known).collect();
        Failure::InvalidInput(format!("dimension {name:?} isn't known; expected one of {}", known.join(", ")))
    })
}

fn describe(entry: &Entry) -> Unit {
    let spellings = entry.symbols.iter().skip(1).chain(entry.names.iter().skip(1));
    Unit {
        name: entry.names[0].into(),
        symbol: entry.symbols[0].into(),
        aliases: spellings.map(|&spelling| spelling.into()).collect(),
        dimension: entry.dimension.name(),
        factor: entry.factor.into(),
        base: entry.dimension.base_unit(),
        offset: entry.offset.map(Into::into),
        prefixes: match entry.prefixes {
            Prefixes::None => "",
            Prefixes::Metric => "metric",
            Prefixes::Data => "metric from kilo, binary",
        }
        .into(),
    }
}

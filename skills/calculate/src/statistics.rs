//! Figures that describe a list of numbers, worked out exactly.

use crate::bindings::{Decimal, Failure, Percentile, Rounding, Summary};
use crate::decimal::{self, Format};
use crate::enclosure::Enclosure;
use crate::limits::{MAX_PERCENTILES, MAX_SCALE, MAX_VALUES};
use crate::powers;
use crate::rounding::{scaled, significand, terminating_places};
use dashu_int::IBig;
use dashu_ratio::RBig;

/// The numbers in order, all counted in the smallest decimal place that any
/// of them has, so that sums need no fractions.
struct Sample {
    sorted: Vec<IBig>,
    places: i64,
}

pub fn summarize(
    values: &[String],
    percentiles: &[String],
    scale: Option<u32>,
    rounding: Option<Rounding>,
) -> Result<Summary, Failure> {
    let format = Format::new(scale, rounding, MAX_SCALE)?;
    check_counts(values.len(), percentiles.len())?;
    let sample = Sample::read(values)?;
    let percentiles =
        percentiles.iter().map(|percent| sample.percentile(percent, format)).collect::<Result<Vec<_>, _>>()?;
    let count = values.len();
    let sum: IBig = sample.sorted.iter().sum();
    let deviations = sample.squared_deviations(&sum);
    let population = &deviations / RBig::from(count);
    let sampled = (count > 1).then(|| deviations / RBig::from(count - 1));
    Ok(Summary {
        count: count as u32,
        sum: format.exact(&sample.number(sum.clone())),
        mean: format.exact(&(sample.number(sum) / RBig::from(count))),
        median: format.exact(&sample.at(&(RBig::from(count - 1) / RBig::from(2)))),
        min: format.exact(&sample.at(&RBig::ZERO)),
        max: format.exact(&sample.at(&RBig::from(count - 1))),
        variance: sampled.as_ref().map(|variance| format.exact(variance)),
        stdev: sampled.map(|variance| root(format, variance)).transpose()?,
        population_variance: format.exact(&population),
        population_stdev: root(format, population)?,
        percentiles,
    })
}

fn check_counts(values: usize, percentiles: usize) -> Result<(), Failure> {
    if values == 0 {
        return Err(Failure::InvalidInput("values is empty; expected at least one number".into()));
    }
    if values > MAX_VALUES {
        return Err(Failure::TooLarge(format!("there are {values} values; at most {MAX_VALUES} are read")));
    }
    if percentiles > MAX_PERCENTILES {
        return Err(Failure::TooLarge(format!(
            "there are {percentiles} percentiles; at most {MAX_PERCENTILES} are worked out"
        )));
    }
    Ok(())
}

fn root(format: Format, variance: RBig) -> Result<Decimal, Failure> {
    let variance = Enclosure::point(variance);
    format.settle(|p| powers::root(p, &variance, &Enclosure::integer(2)))
}

impl Sample {
    fn read(values: &[String]) -> Result<Self, Failure> {
        let numbers = decimal::parse_list(values, "values")?;
        let places = numbers.iter().filter_map(terminating_places).max().unwrap_or(0) as i64;
        let mut sorted: Vec<IBig> = numbers.iter().map(|number| significand(number, places, Rounding::Down)).collect();
        sorted.sort();
        Ok(Self { sorted, places })
    }

    fn number(&self, count: IBig) -> RBig {
        scaled(count, self.places)
    }

    /// The value at a rank from 0, interpolated between two whole ranks.
    fn at(&self, rank: &RBig) -> RBig {
        let below = usize::try_from(rank.floor()).unwrap_or(0).min(self.sorted.len() - 1);
        let above = (below + 1).min(self.sorted.len() - 1);
        let step = self.number(&self.sorted[above] - &self.sorted[below]);
        self.number(self.sorted[below].clone()) + step * (rank - RBig::from(below))
    }

    fn percentile(&self, percent: &str, format: Format) -> Result<Percentile, Failure> {
        let share = decimal::parse(percent, "percentile")?;
        let hundred = RBig::from(100);
        if share < RBig::ZERO || share > hundred {
            return Err(Failure::InvalidInput(format!("percentile {percent} is beyond 0 to 100")));
        }
        let rank = share / hundred * RBig::from(self.sorted.len() - 1);
        Ok(Percentile { percent: percent.into(), value: format.exact(&self.at(&rank)) })
    }

    /// The sum of the squared distances from the mean: sum(x^2) - sum(x)^2/n.
    fn squared_deviations(&self, sum: &IBig) -> RBig {
        let squares: IBig = self.sorted.iter().map(|x| x * x).sum();
        let count = IBig::from(self.sorted.len());
        let difference = scaled(squares * &count - sum * sum, 2 * self.places);
        difference / RBig::from(count)
    }
}

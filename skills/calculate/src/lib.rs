//! Exact decimal arithmetic, units, statistics, finance and bases as tools.

mod base;
mod decimal;
mod enclosure;
mod expression;
mod finance;
mod functions;
mod halt;
mod limits;
mod powers;
mod rounding;
mod statistics;
mod suggest;
mod units;

/// The types that the component's interface defines.
mod bindings {
    wit_bindgen::generate!({ world: "skill", path: "wit" });

    pub use exports::bailiwick::calculate::tools::*;

    use super::Calculate;
    export!(Calculate);
}

use bindings::{
    Conversion, Decimal, Failure, FinanceAnswer, FinanceQuestion, Guest, Rounding, Summary, Unit, Variable,
};

struct Calculate;

impl Guest for Calculate {
    fn evaluate(
        expression: String,
        variables: Option<Vec<Variable>>,
        scale: Option<u32>,
        rounding: Option<Rounding>,
    ) -> Result<Decimal, Failure> {
        expression::evaluate(&expression, variables, scale, rounding)
    }

    fn convert(
        value: String,
        from_unit: String,
        to_unit: String,
        scale: Option<u32>,
        rounding: Option<Rounding>,
    ) -> Result<Conversion, Failure> {
        units::convert(&value, &from_unit, &to_unit, scale, rounding)
    }

    fn units(dimension: Option<String>) -> Result<Vec<Unit>, Failure> {
        units::list(dimension.as_deref())
    }

    fn statistics(
        values: Vec<String>,
        percentiles: Option<Vec<String>>,
        scale: Option<u32>,
        rounding: Option<Rounding>,
    ) -> Result<Summary, Failure> {
        let percentiles = percentiles.unwrap_or_default();
        statistics::summarize(&values, &percentiles, scale, rounding)
    }

    fn finance(
        question: FinanceQuestion,
        scale: Option<u32>,
        rounding: Option<Rounding>,
    ) -> Result<FinanceAnswer, Failure> {
        finance::answer(question, scale, rounding)
    }

    fn base(value: String, from_base: u8, to_base: u8) -> Result<String, Failure> {
        base::convert(&value, from_base, to_base)
    }
}

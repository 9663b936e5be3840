//! Interest, loans and discounted cash flows.

mod cash_flow;
mod compound;
mod loan;
mod rate_search;

use crate::bindings::{Failure, FinanceAnswer, FinanceQuestion, Rounding};
use crate::decimal::Format;
use crate::limits::MAX_FINANCE_SCALE;
use dashu_ratio::RBig;

/// The digits after the point of amounts of money.
const MONEY_SCALE: u32 = 2;

/// The digits after the point of a rate in per cent.
const RATE_SCALE: u32 = 6;

pub fn answer(
    question: FinanceQuestion,
    scale: Option<u32>,
    rounding: Option<Rounding>,
) -> Result<FinanceAnswer, Failure> {
    let usual = match question {
        FinanceQuestion::Irr(_) => RATE_SCALE,
        _ => MONEY_SCALE,
    };
    let format = Format::new(scale.or(Some(usual)), rounding, MAX_FINANCE_SCALE)?;
    Ok(match question {
        FinanceQuestion::Compound(terms) => FinanceAnswer::Compound(compound::growth(&terms, format)?),
        FinanceQuestion::Loan(terms) => FinanceAnswer::Loan(loan::repayment(&terms, format)?),
        FinanceQuestion::Npv(terms) => FinanceAnswer::Npv(cash_flow::npv(&terms, format)?),
        FinanceQuestion::Irr(terms) => FinanceAnswer::Irr(cash_flow::irr(&terms, format)?),
    })
}

/// Interest of one period, as a fraction of the balance, from per cent a year.
fn rate_of_period(annual_percent: RBig, periods_per_year: u32) -> Result<RBig, Failure> {
    if periods_per_year == 0 {
        return Err(Failure::InvalidInput("periods-per-year is 0; expected 1 or more".into()));
    }
    Ok(annual_percent / RBig::from(100) / RBig::from(periods_per_year))
}

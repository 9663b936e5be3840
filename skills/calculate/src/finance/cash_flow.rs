//! Net present value and internal rate of return.

use super::rate_search::Search;
use crate::bindings::{Decimal, Failure, Irr, Npv};
use crate::decimal::{self, Format};
use crate::enclosure::{Enclosure, Precision};
use crate::halt::Halt;
use crate::limits::{MAX_IRR_FLOWS, MAX_NPV_FLOWS};
use dashu_base::Signed;
use dashu_ratio::RBig;

pub fn npv(terms: &Npv, format: Format) -> Result<Decimal, Failure> {
    let flows = read_flows(&terms.cash_flows, 1, MAX_NPV_FLOWS)?;
    let percent = decimal::parse(&terms.rate_percent, "rate-percent")?;
    if percent <= RBig::from(-100) {
        return Err(Failure::Domain(format!("rate-percent is {}; expected more than -100", terms.rate_percent)));
    }
    format.settle(|p| present_value(p, &flows, &percent))
}

pub fn irr(terms: &Irr, format: Format) -> Result<Decimal, Failure> {
    let flows = read_flows(&terms.cash_flows, 2, MAX_IRR_FLOWS)?;
    let changes = sign_changes(&flows);
    if changes != 1 {
        return Err(Failure::Domain(format!(
            "the cash flows change sign {changes} times; just one rate fits only where they change it once"
        )));
    }
    let search = Search::new(&flows);
    format.settle(|p| search.rate(p))
}

fn read_flows(flows: &[String], least: usize, most: usize) -> Result<Vec<RBig>, Failure> {
    if flows.len() < least {
        return Err(Failure::InvalidInput(format!("there are {} cash flows; expected at least {least}", flows.len())));
    }
    if flows.len() > most {
        return Err(Failure::TooLarge(format!("there are {} cash flows; at most {most} are read", flows.len())));
    }
    decimal::parse_list(flows, "cash-flows")
}

fn sign_changes(flows: &[RBig]) -> usize {
    let signs: Vec<bool> = flows.iter().filter(|flow| !flow.is_zero()).map(Signed::is_positive).collect();
    signs.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

/// The sum of flow/(1+r)^period, by Horner's rule from the last flow.
pub(super) fn present_value(p: Precision, flows: &[RBig], percent: &RBig) -> Result<Enclosure, Halt> {
    let growth = RBig::ONE + percent / RBig::from(100);
    let discount = p.tidy_point(RBig::ONE / growth, true)?;
    let mut total = Enclosure::integer(0);
    for flow in flows.iter().rev() {
        total = p.add(&p.mul(&total, &discount)?, &Enclosure::point(flow.clone()))?;
    }
    Ok(total)
}

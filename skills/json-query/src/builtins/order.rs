//! Sorting and grouping. jaq's own hand values to the standard library's sort,
//! which panics when an order is inconsistent, and jq's is: NaN is less than
//! itself, and large integers compare with decimals as doubles.

use super::{Data, Table};
use jaq_core::box_iter::box_once;
use jaq_core::native::{bome, v};
use jaq_core::{Bind, Cv, Error, Exn, ValX};
use jaq_json::Val;
use jaq_std::ValT as _;

/// A value and what it is ordered by.
type Keyed = (Vec<Val>, Val);

pub fn table() -> Table<3> {
    let filter = || [Bind::Fun(())].into();
    [
        ("sort", v(0), |cv| bome(sort(cv.1))),
        ("sort_by", filter(), |cv| box_once(sort_by(cv))),
        ("group_by", filter(), |cv| box_once(group_by(cv))),
    ]
}

fn sort(array: Val) -> Result<Val, Error<Val>> {
    let items = elements(array)?;
    Ok(merge_sort(items, |a, b| a <= b).into_iter().collect())
}

fn sort_by<'a>(cv: Cv<'a, Data>) -> ValX<'a, Val> {
    Ok(ordered(cv)?.into_iter().map(|(_, item)| item).collect())
}

fn group_by<'a>(cv: Cv<'a, Data>) -> ValX<'a, Val> {
    let mut groups: Vec<(Vec<Val>, Vec<Val>)> = Vec::new();
    for (key, item) in ordered(cv)? {
        match groups.last_mut() {
            Some((last, items)) if *last == key => items.push(item),
            _ => groups.push((key, vec![item])),
        }
    }
    Ok(groups.into_iter().map(|(_, items)| items.into_iter().collect()).collect())
}

fn ordered<'a>(mut cv: Cv<'a, Data>) -> Result<Vec<Keyed>, Exn<'a, Val>> {
    let (key, context) = cv.0.pop_fun();
    let keyed = |item: Val| -> Result<Keyed, Exn<'a, Val>> {
        let keys = key.run((context.clone(), item.clone())).collect::<Result<_, _>>()?;
        Ok((keys, item))
    };
    let items = elements(cv.1)?.into_iter().map(keyed).collect::<Result<_, _>>()?;
    Ok(merge_sort(items, |(a, _): &Keyed, (b, _)| a <= b))
}

fn elements(array: Val) -> Result<Vec<Val>, Error<Val>> {
    array.into_seq().map_err(|other| Error::typ(other, "array"))
}

/// A stable sort that answers some order, and ends, whatever `in_order` says.
fn merge_sort<T>(items: Vec<T>, in_order: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut runs: Vec<Vec<T>> = items.into_iter().map(|item| vec![item]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pending = runs.into_iter();
        while let Some(left) = pending.next() {
            merged.push(match pending.next() {
                Some(right) => merge(left, right, &in_order),
                None => left,
            });
        }
        runs = merged;
    }
    runs.pop().unwrap_or_default()
}

fn merge<T>(left: Vec<T>, right: Vec<T>, in_order: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if in_order(a, b) { left.next() } else { right.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

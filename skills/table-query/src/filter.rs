//! Which rows stay.

use crate::cell::{Cell, Key, Kind};
use crate::failure::{check_length, invalid_request, quoted};
use crate::limits::{MAX_CONDITIONS, MAX_LIST, MAX_REGEX_BYTES};
use crate::table::{Row, Table};
use crate::wire;
use crate::wit::{self, Combine, Condition, Failure, Test};
use regex_lite::{Regex, RegexBuilder};
use std::cmp::Ordering;
use std::collections::HashSet;

/// Drops the rows that do not pass.
pub fn keep(table: &mut Table, filter: &wit::Filter) -> Result<(), Failure> {
    check_length("filter", &filter.conditions, MAX_CONDITIONS)?;
    let conditions: Vec<Check> =
        filter.conditions.iter().map(|condition| Check::new(table, condition)).collect::<Result<_, _>>()?;
    match filter.combine.unwrap_or(Combine::All) {
        Combine::All => table.rows.retain(|row| conditions.iter().all(|check| check.passes(row))),
        Combine::Any => table.rows.retain(|row| conditions.iter().any(|check| check.passes(row))),
    }
    Ok(())
}

struct Check {
    column: usize,
    test: Prepared,
}

/// A test whose constants have been read.
enum Prepared {
    Order { passes: fn(Ordering) -> bool, constant: Cell },
    Contains(String),
    Matches(Regex),
    IsNull,
    NotNull,
    In { set: HashSet<Key>, wanted: bool },
}

impl Check {
    fn new(table: &Table, condition: &Condition) -> Result<Self, Failure> {
        let column = table.find(&condition.column)?;
        let kind = table.kind(column);
        let constant = |cell: &wit::Cell| constant(&condition.column, kind, cell);
        let order = |passes: fn(Ordering) -> bool, cell: &wit::Cell| {
            let constant = constant(cell)?;
            Ok(Prepared::Order { passes, constant })
        };
        let list = |cells: &[wit::Cell], wanted| {
            check_length("the list of a condition", cells, MAX_LIST)?;
            let keys = cells.iter().map(|cell| Ok(constant(cell)?.key()));
            Ok(Prepared::In { set: keys.collect::<Result<_, Failure>>()?, wanted })
        };
        let test = match &condition.test {
            Test::Eq(cell) => order(Ordering::is_eq, cell),
            Test::Ne(cell) => order(Ordering::is_ne, cell),
            Test::Lt(cell) => order(Ordering::is_lt, cell),
            Test::Le(cell) => order(Ordering::is_le, cell),
            Test::Gt(cell) => order(Ordering::is_gt, cell),
            Test::Ge(cell) => order(Ordering::is_ge, cell),
            Test::Contains(text) => Ok(Prepared::Contains(text.clone())),
            Test::Matches(expression) => regex(expression).map(Prepared::Matches),
            Test::IsNull => Ok(Prepared::IsNull),
            Test::NotNull => Ok(Prepared::NotNull),
            Test::In(cells) => list(cells, true),
            Test::NotIn(cells) => list(cells, false),
        };
        Ok(Self { column, test: test? })
    }

    fn passes(&self, row: &Row) -> bool {
        let cell = &row.cells[self.column];
        if cell.is_null() {
            return matches!(self.test, Prepared::IsNull);
        }
        match &self.test {
            Prepared::Order { passes, constant } => match cell.kind().comparable(constant.kind()) {
                true => passes(cell.order(constant)),
                // In a column of several types, a cell of another type than the
                // constant is neither less nor greater, only different.
                false => passes(Ordering::Less) && passes(Ordering::Greater),
            },
            Prepared::Contains(text) => cell.text().contains(text.as_str()),
            Prepared::Matches(regex) => regex.is_match(&cell.text()),
            Prepared::IsNull => false,
            Prepared::NotNull => true,
            Prepared::In { set, wanted } => set.contains(&cell.key()) == *wanted,
        }
    }
}

/// A constant that cells of the column can be compared with.
fn constant(name: &str, kind: Kind, cell: &wit::Cell) -> Result<Cell, Failure> {
    let constant = wire::from_wit(cell)?;
    if constant.is_null() {
        return Err(invalid_request(format!("column {name:?} is compared with null: use is-null or not-null")));
    }
    match kind.comparable(constant.kind()) {
        true => Ok(constant),
        false => Err(invalid_request(format!(
            "column {name:?} holds {}, which can't be compared with {} such as {:?}",
            kind.plural(),
            constant.kind().plural(),
            quoted(&constant.text())
        ))),
    }
}

fn regex(expression: &str) -> Result<Regex, Failure> {
    RegexBuilder::new(expression)
        .size_limit(MAX_REGEX_BYTES)
        .build()
        .map_err(|error| invalid_request(format!("invalid regular expression {:?}: {error}", quoted(expression))))
}

//! One cell from the cells of a group.

use super::function_name;
use crate::cell::{Cell, Key};
use crate::failure::{invalid_cell, invalid_request};
use crate::number::{NoResult, Operation, Value};
use crate::table::{Row, Table};
use crate::wit::{Aggregate, AggregateFunction, Failure};
use rust_decimal::Decimal;
use std::collections::HashSet;

/// An aggregate whose column has been found.
pub struct Plan {
    function: AggregateFunction,
    /// `None` counts rows.
    column: Option<usize>,
}

impl Plan {
    pub fn new(table: &Table, aggregate: &Aggregate) -> Result<Self, Failure> {
        let column = aggregate.column.as_deref().map(|name| table.find(name)).transpose()?;
        if column.is_none() && aggregate.function != AggregateFunction::Count {
            return Err(invalid_request(format!("aggregate {} needs a column", function_name(aggregate.function))));
        }
        Ok(Self { function: aggregate.function, column })
    }

    pub fn result(&self, table: &Table, group: &[&Row], notes: &mut Vec<String>) -> Result<Cell, Failure> {
        let Some(column) = self.column else {
            return Ok(integer(group.len()));
        };
        let cells = || group.iter().map(|row| &row.cells[column]);
        let present = || cells().filter(|cell| !cell.is_null());
        let numbers = || numbers(table, group, column, self.function);
        Ok(match self.function {
            AggregateFunction::Count => integer(present().count()),
            AggregateFunction::DistinctCount => integer(present().map(Cell::key).collect::<HashSet<Key>>().len()),
            AggregateFunction::Min => copied(present().min_by(|a, b| a.order(b))),
            AggregateFunction::Max => copied(present().max_by(|a, b| a.order(b))),
            AggregateFunction::First => copied(cells().next()),
            AggregateFunction::Last => copied(cells().next_back()),
            AggregateFunction::Sum => sum(table, column, &numbers()?, notes)?.into(),
            AggregateFunction::Mean => mean(table, column, &numbers()?, notes)?,
            AggregateFunction::Median => {
                // Text in the column fails here as it does for the others.
                numbers()?;
                median(table, column, present().collect())?
            }
        })
    }
}

fn integer(count: usize) -> Cell {
    Value::Exact(Decimal::from(count)).into()
}

fn copied(cell: Option<&Cell>) -> Cell {
    cell.cloned().unwrap_or(Cell::Null)
}

fn numbers(table: &Table, group: &[&Row], column: usize, function: AggregateFunction) -> Result<Vec<Value>, Failure> {
    let mut numbers = Vec::with_capacity(group.len());
    for row in group {
        match &row.cells[column] {
            Cell::Null => {}
            Cell::Number(number) => numbers.push(number.value),
            other => {
                let message = format!("expected a number for {}", function_name(function));
                return Err(invalid_cell(row.number, &table.columns[column], &other.text(), message));
            }
        }
    }
    Ok(numbers)
}

fn sum(table: &Table, column: usize, numbers: &[Value], notes: &mut Vec<String>) -> Result<Value, Failure> {
    let mut sum = Value::ZERO;
    for number in numbers {
        sum = sum.calculate(Operation::Add, *number).map_err(|error| no_result(table, column, error))?;
    }
    if matches!(sum, Value::Double(_)) {
        let name = &table.columns[column];
        let note = format!("the sum over column {name:?} is a double, because it needs more than 28 digits");
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    Ok(sum)
}

fn mean(table: &Table, column: usize, numbers: &[Value], notes: &mut Vec<String>) -> Result<Cell, Failure> {
    if numbers.is_empty() {
        return Ok(Cell::Null);
    }
    let count = Value::Exact(Decimal::from(numbers.len()));
    let sum = sum(table, column, numbers, notes)?;
    let mean = sum.calculate(Operation::Divide, count);
    mean.map(Cell::from).map_err(|error| no_result(table, column, error))
}

fn median(table: &Table, column: usize, mut cells: Vec<&Cell>) -> Result<Cell, Failure> {
    cells.sort_by(|a, b| a.order(b));
    let middle = cells.len() / 2;
    let pair = (cells.get(middle.wrapping_sub(1)), cells.get(middle));
    let (Some(Cell::Number(lower)), Some(Cell::Number(upper)), 0) = (pair.0, pair.1, cells.len() % 2) else {
        return Ok(copied(cells.get(middle).copied()));
    };
    let two = Value::Exact(Decimal::TWO);
    let both = lower.value.calculate(Operation::Add, upper.value);
    let mean = both.and_then(|both| both.calculate(Operation::Divide, two));
    mean.map(Cell::from).map_err(|error| no_result(table, column, error))
}

fn no_result(table: &Table, column: usize, error: NoResult) -> Failure {
    let what = match error {
        NoResult::Overflow => "the result is larger than a double",
        NoResult::DivisionByZero => "division by zero",
    };
    invalid_cell(0, &table.columns[column], "", what)
}

//! Columns that are calculated from others.

use crate::cell::Cell;
use crate::failure::{check_length, invalid_cell, invalid_request, too_large};
use crate::limits::{MAX_COMPUTED, MAX_CONCAT_BYTES};
use crate::number::{NoResult, Operation, Value};
use crate::table::{Row, Table, check_size};
use crate::wire;
use crate::wit::{ComputedColumn, Failure, Operand, Operator};

/// Adds the columns, one after the other, so that a later one may use an
/// earlier one.
pub fn add_columns(table: &mut Table, columns: &[ComputedColumn]) -> Result<(), Failure> {
    check_length("compute", columns, MAX_COMPUTED)?;
    let mut text = TextBudget(MAX_CONCAT_BYTES);
    for column in columns {
        if table.columns.contains(&column.name) {
            return Err(invalid_request(format!(
                "the computed column {:?} has the name of another column",
                column.name
            )));
        }
        check_size("the table with its computed columns", table.columns.len() + 1, table.rows.len())?;
        let left = Source::new(table, &column.left)?;
        let right = Source::new(table, &column.right)?;
        let operation = operation(column.operator);
        for row in &mut table.rows {
            let cell = match operation {
                Calculation::Numbers(operation) => calculate(row, &left, operation, &right)?,
                Calculation::Concat => text.concat(left.cell(row), right.cell(row))?,
                Calculation::Coalesce => match left.cell(row) {
                    Cell::Null => right.cell(row).clone(),
                    cell => cell.clone(),
                },
            };
            row.cells.push(cell);
        }
        table.columns.push(column.name.clone());
    }
    Ok(())
}

/// Bytes that `concat` may still write.
struct TextBudget(usize);

impl TextBudget {
    fn concat(&mut self, left: &Cell, right: &Cell) -> Result<Cell, Failure> {
        let (left, right) = (left.text(), right.text());
        let left_over = self.0.checked_sub(left.len() + right.len());
        self.0 = left_over
            .ok_or_else(|| too_large(format!("columns of operator concat hold more than {MAX_CONCAT_BYTES} bytes")))?;
        Ok(Cell::Text(format!("{left}{right}").into()))
    }
}

#[derive(Clone, Copy)]
enum Calculation {
    Numbers(Operation),
    Concat,
    Coalesce,
}

/// Where an operand comes from, with the name that a failure gives it.
enum Source {
    Column { index: usize, name: String },
    Constant(Cell),
}

impl Source {
    fn new(table: &Table, operand: &Operand) -> Result<Self, Failure> {
        Ok(match operand {
            Operand::Column(name) => Self::Column { index: table.find(name)?, name: name.clone() },
            Operand::Value(cell) => Self::Constant(wire::from_wit(cell)?),
        })
    }

    fn cell<'a>(&'a self, row: &'a Row) -> &'a Cell {
        match self {
            Self::Column { index, .. } => &row.cells[*index],
            Self::Constant(cell) => cell,
        }
    }

    fn number(&self, row: &Row) -> Result<Option<Value>, Failure> {
        match (self, self.cell(row)) {
            (_, Cell::Null) => Ok(None),
            (_, Cell::Number(number)) => Ok(Some(number.value)),
            (Self::Column { name, .. }, cell) => {
                Err(invalid_cell(row.number, name, &cell.text(), "expected a number to calculate with"))
            }
            (Self::Constant(_), cell) => {
                Err(invalid_request(format!("{:?} is not a number to calculate with", cell.text())))
            }
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Column { name, .. } => name,
            Self::Constant(_) => "",
        }
    }
}

fn operation(operator: Operator) -> Calculation {
    match operator {
        Operator::Add => Calculation::Numbers(Operation::Add),
        Operator::Subtract => Calculation::Numbers(Operation::Subtract),
        Operator::Multiply => Calculation::Numbers(Operation::Multiply),
        Operator::Divide => Calculation::Numbers(Operation::Divide),
        Operator::Concat => Calculation::Concat,
        Operator::Coalesce => Calculation::Coalesce,
    }
}

fn calculate(row: &Row, left: &Source, operation: Operation, right: &Source) -> Result<Cell, Failure> {
    let (Some(a), Some(b)) = (left.number(row)?, right.number(row)?) else {
        return Ok(Cell::Null);
    };
    a.calculate(operation, b).map(Cell::from).map_err(|error| {
        let message = match error {
            NoResult::DivisionByZero => "division by zero",
            NoResult::Overflow => "the result is larger than a double",
        };
        invalid_cell(row.number, right.name(), &right.cell(row).text(), message)
    })
}

//! Rows to groups, and groups to one row each.

mod aggregate;

use crate::cell::{Cell, Key};
use crate::failure::{check_length, invalid_request};
use crate::limits::{MAX_AGGREGATES, MAX_KEYS};
use crate::table::{Row, Table, check_size};
use crate::wit::{Aggregate, AggregateFunction, Failure};
use aggregate::Plan;
use std::collections::HashMap;

/// One row for each group, in order of first appearance, with the columns that
/// it is grouped by and the aggregates. Notes say what is not exact.
pub fn rows(
    table: &Table,
    names: &[String],
    aggregates: &[Aggregate],
    notes: &mut Vec<String>,
) -> Result<Table, Failure> {
    check_length("group-by", names, MAX_KEYS)?;
    check_length("aggregates", aggregates, MAX_AGGREGATES)?;
    let keys = table.find_all(names)?;
    let plans: Vec<Plan> = aggregates.iter().map(|aggregate| Plan::new(table, aggregate)).collect::<Result<_, _>>()?;
    let columns = column_names(names, aggregates)?;

    // All rows are one group, even where there is none, unless they are grouped.
    let groups = match keys.is_empty() {
        true => vec![table.rows.iter().collect()],
        false => groups(table, &keys),
    };
    check_size("the table of groups", columns.len(), groups.len())?;
    let mut rows = Vec::with_capacity(groups.len());
    for (number, group) in (1..).zip(groups) {
        let key_cells = keys.iter().filter_map(|key| group.first().map(|row| row.cells[*key].clone()));
        let mut cells: Vec<Cell> = key_cells.collect();
        for plan in &plans {
            cells.push(plan.result(table, &group, notes)?);
        }
        rows.push(Row { number, cells });
    }
    Ok(Table { columns, rows })
}

fn groups<'a>(table: &'a Table, keys: &[usize]) -> Vec<Vec<&'a Row>> {
    let mut groups: Vec<Vec<&Row>> = Vec::new();
    let mut indices: HashMap<Vec<Key>, usize> = HashMap::new();
    for row in &table.rows {
        let key = keys.iter().map(|key| row.cells[*key].key()).collect();
        let index = *indices.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[index].push(row);
    }
    groups
}

fn column_names(by: &[String], aggregates: &[Aggregate]) -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = Vec::with_capacity(by.len() + aggregates.len());
    for name in by.iter().cloned().chain(aggregates.iter().map(default_name)) {
        if names.contains(&name) {
            return Err(invalid_request(format!(
                "two columns of the result would be called {name:?}: give one another `as-name`"
            )));
        }
        names.push(name);
    }
    Ok(names)
}

fn default_name(aggregate: &Aggregate) -> String {
    match (&aggregate.as_name, &aggregate.column) {
        (Some(name), _) => name.clone(),
        (None, Some(column)) => format!("{}_{column}", function_name(aggregate.function)),
        (None, None) => function_name(aggregate.function).to_owned(),
    }
}

fn function_name(function: AggregateFunction) -> &'static str {
    match function {
        AggregateFunction::Count => "count",
        AggregateFunction::Sum => "sum",
        AggregateFunction::Mean => "mean",
        AggregateFunction::Min => "min",
        AggregateFunction::Max => "max",
        AggregateFunction::Median => "median",
        AggregateFunction::DistinctCount => "distinct_count",
        AggregateFunction::First => "first",
        AggregateFunction::Last => "last",
    }
}

//! Tables that are given as text: describe, query, join, convert.

mod cell;
mod compute;
mod describe;
mod dialect;
mod failure;
mod filter;
mod group;
mod join;
mod limits;
mod number;
mod query;
mod read;
mod table;
mod wire;
mod write;

mod bindings {
    wit_bindgen::generate!({ world: "skill", path: "wit" });
    export!(Tools);

    /// What the component exports.
    pub struct Tools;
}

use bindings::Tools;
use bindings::exports::bailiwick::table_query::tools as wit;
use dialect::Dialect;
use wit::{Answer, Converted, CsvOptions, Failure, JoinRequest, Request, Summary, TableFormat};

/// What `join` does with its table when nothing is asked for.
const NOTHING: Request = Request {
    compute: None,
    filter: None,
    group_by: None,
    aggregates: None,
    sort: None,
    select: None,
    offset: None,
    limit: None,
    output: None,
};

impl wit::Guest for Tools {
    fn describe(table: wit::Table) -> Result<Summary, Failure> {
        Ok(describe::summary(&read::table("table", &table)?))
    }

    fn query(table: wit::Table, request: Request) -> Result<Answer, Failure> {
        query::answer(read::table("table", &table)?, &request)
    }

    fn join(left: wit::Table, right: wit::Table, request: JoinRequest) -> Result<Answer, Failure> {
        let (left, right) = (read::table("left", &left)?, read::table("right", &right)?);
        let joined = join::tables(&left, &right, &request)?;
        query::answer(joined, request.then.as_ref().unwrap_or(&NOTHING))
    }

    fn convert(table: wit::Table, to: TableFormat, csv: Option<CsvOptions>) -> Result<Converted, Failure> {
        let dialect = Dialect::new(csv.as_ref())?;
        let table = read::table("table", &table)?;
        let kinds: Vec<_> = (0..table.columns.len()).map(|column| table.kind(column)).collect();
        let rows = write::Rows { columns: &table.columns, kinds: &kinds, rows: &table.rows };
        Ok(Converted {
            text: write::text(&rows, to, dialect)?,
            rows: failure::count(table.rows.len()),
            columns: query::columns(&table.columns, &kinds),
        })
    }
}

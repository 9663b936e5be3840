"""Reports from tables: CSV goes in, Markdown and charts in SVG come out.

Nothing is read but the arguments: no files and no network.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Union

import chart as charts
import table as tables
from bailiwick_skill import U16, ToolError, tool
from chart import Chart, Size
from table import Aggregate, Column, Kind, Rows, Table

MAX_SECTIONS = 50
"""A report that is longer is several."""


@dataclass
class Description:
    """What is in a table."""

    rows: int
    """How many rows there are below the first."""
    columns: list[Column]


@dataclass
class Text:
    """Markdown that is put in as it is."""

    markdown: str


@dataclass
class Overview:
    """A table of the columns: their kind, range, sum and mean."""


@dataclass
class Listing:
    """Rows of the table."""

    columns: list[str] | None = None
    """Which columns, in this order. Default all."""
    sort_by: str | None = None
    """The column to sort by; numbers sort as numbers. Default is the table's order."""
    descending: bool = False
    """Whether the greatest comes first."""
    limit: U16 = 20
    """How many rows at most. Default 20."""


@dataclass
class Totals:
    """A number for each different value of a column."""

    by: str
    """The column whose values are the rows."""
    value: str | None = None
    """The column of numbers; it can be left out for `count`."""
    aggregate: Aggregate = Aggregate.SUM
    """What is made of the numbers. Default `sum`."""
    limit: U16 = 20
    """How many rows at most, the greatest first. Default 20."""


@dataclass
class Figure:
    """A chart with a line below it."""

    chart: Chart
    caption: str
    """What the chart shows."""
    size: Size | None = None


Part = Union[Text, Overview, Listing, Totals, Figure]


@dataclass
class Section:
    """A part of a report with its heading."""

    part: Part
    heading: str | None = None


@dataclass
class File:
    """A chart beside the report."""

    name: str
    """How the Markdown refers to it, such as `chart-1.svg`."""
    svg: str


@dataclass
class Report:
    """A finished report."""

    markdown: str
    files: list[File]
    """The charts, unless they are inside of the Markdown."""


@tool
def describe(table: Table) -> Description:
    """Tells what is in a table: its columns, their kinds, ranges, sums and gaps.

    Call it first where the table is unknown; the other tools need names of columns.

    Args:
        table: The table.
    """
    rows = tables.read(table)
    return Description(len(rows.rows), [rows.column(name) for name in rows.names])


@tool
def draw(table: Table, chart: Chart, title: str, size: Size | None = None) -> str:
    """Draws one chart of a table and gives it as SVG.

    Args:
        table: The table.
        chart: What is drawn: bars by groups, lines over the rows, or a histogram.
        title: The line above the chart.
        size: Its size in pixels. Default 640 by 360.
    """
    return charts.draw(tables.read(table), chart, title, size or Size())


@tool
def report(table: Table, title: str, sections: list[Section] | None = None, inline: bool = False) -> Report:
    """Writes a report in Markdown, with tables and charts.

    Without sections, it has an overview of the columns, and for the first column of
    texts and the first of numbers their totals as a table and as a chart.

    Args:
        table: The table.
        title: The report's heading.
        sections: What the report has, in this order.
        inline: Whether charts are put into the Markdown as data URIs. Default false:
            they come as files beside it.
    """
    rows = tables.read(table)
    sections = _usual(rows) if sections is None else sections
    if len(sections) > MAX_SECTIONS:
        raise ToolError(f"the report has {len(sections)} sections; at most {MAX_SECTIONS} are written")
    blocks = [f"# {_line(title)}"]
    files: list[File] = []
    for number, section in enumerate(sections, start=1):
        if section.heading:
            blocks.append(f"## {_line(section.heading)}")
        try:
            blocks.append(_part(rows, section.part, files, inline))
        except ToolError as error:
            raise ToolError(f"section {number}: {error}") from error
    return Report("\n\n".join(block for block in blocks if block) + "\n", files)


def _usual(rows: Rows) -> list[Section]:
    """The sections of a report for which nobody chose any."""
    kinds = {name: rows.column(name).kind for name in rows.names}
    by = next((name for name, kind in kinds.items() if kind in (Kind.TEXT, Kind.DATE)), None)
    value = next((name for name, kind in kinds.items() if kind is Kind.NUMBER), None)
    sections = [Section(Overview(), "Columns")]
    if by and value:
        heading = f"{value} by {by}"
        sections.append(Section(Totals(by, value), heading))
        if len(rows.grouped(by, value, Aggregate.SUM)) <= charts.MAX_BARS:
            sections.append(Section(Figure(charts.Bars(by, value), heading)))
    return sections


def _part(rows: Rows, part: Part, files: list[File], inline: bool) -> str:
    if isinstance(part, Text):
        return part.markdown.strip()
    if isinstance(part, Overview):
        return _overview(rows)
    if isinstance(part, Listing):
        return _listing(rows, part)
    if isinstance(part, Totals):
        return _totals(rows, part)
    svg = charts.draw(rows, part.chart, part.caption, part.size or Size())
    if inline:
        target = f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
    else:
        target = f"chart-{len(files) + 1}.svg"
        files.append(File(target, svg))
    return f"![{_cell(part.caption)}]({target})"


def _overview(rows: Rows) -> str:
    head = ["Column", "Kind", "Empty", "Different", "Least", "Greatest", "Sum", "Mean"]
    body = []
    for column in map(rows.column, rows.names):
        body.append(
            [
                column.name,
                column.kind.name.lower(),
                str(column.missing),
                str(column.distinct),
                column.least or "",
                column.greatest or "",
                column.sum or "",
                column.mean or "",
            ]
        )
    return f"{len(rows.rows)} rows.\n\n{_markdown_table(head, body, {2, 3, 6, 7})}"


def _listing(rows: Rows, listing: Listing) -> str:
    names = rows.names if listing.columns is None else listing.columns
    at = [rows.index(name) for name in names]
    chosen = rows.rows
    if listing.sort_by is not None:
        chosen = _sorted(rows, listing.sort_by, listing.descending)
    numeric = {i for i, name in enumerate(names) if rows.column(name).kind is Kind.NUMBER}
    body = [[row[i] for i in at] for row in chosen[: listing.limit]]
    return _markdown_table(names, body, numeric) + _rest(len(chosen), listing.limit)


def _sorted(rows: Rows, name: str, descending: bool) -> list[list[str]]:
    """Rows by a column; those whose cell is empty come last either way."""
    at = rows.index(name)
    is_number = rows.column(name).kind is Kind.NUMBER
    filled = [row for row in rows.rows if row[at]]
    filled.sort(key=lambda row: rows.number(row[at]) if is_number else row[at].casefold(), reverse=descending)
    return [*filled, *(row for row in rows.rows if not row[at])]


def _totals(rows: Rows, totals: Totals) -> str:
    groups = sorted(rows.grouped(totals.by, totals.value, totals.aggregate), key=lambda group: (-group[1], group[0]))
    word = totals.aggregate.name.capitalize()
    head = [totals.by, word if totals.value is None else f"{word} of {totals.value}"]
    show = tables.rounded if totals.aggregate is Aggregate.MEAN else tables.plain
    body = [[name, show(value)] for name, value in groups[: totals.limit]]
    return _markdown_table(head, body, {1}) + _rest(len(groups), totals.limit)


def _rest(count: int, limit: int) -> str:
    return f"\n\n…and {count - limit} more." if count > limit else ""


def _markdown_table(head: list[str], body: list[list[str]], numeric: set[int]) -> str:
    rule = ["--:" if i in numeric else "---" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in [head, rule, *body])


def _cell(text: str) -> str:
    """A text that can't end its cell or begin another."""
    return _line(text).replace("\\", "\\\\").replace("|", "\\|")


def _line(text: str) -> str:
    return " ".join(text.split())

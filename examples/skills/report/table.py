"""Tables: read from CSV, their columns, and groups of rows."""

from __future__ import annotations

import csv
import difflib
import io
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from bailiwick_skill import ToolError

MAX_TEXT = 2 * 1024 * 1024
"""Characters of a table; its cells take some ten times that in memory."""
MAX_COLUMNS = 200
"""More is no table that a report could show."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?")


@dataclass
class Table:
    """A table as CSV, with its first row for names."""

    csv: str
    """The text. The first row names the columns."""
    delimiter: str = ","
    """What separates fields: one character, such as `;` or a tab. Default `,`."""
    decimal_comma: bool = False
    """Whether numbers are written as in 1.234,50 and not as in 1,234.50."""


class Kind(Enum):
    """What the cells of a column are, empty ones aside."""

    NUMBER = 1
    """Every cell is a number."""
    DATE = 2
    """Every cell is a date such as 2026-03-29, or a month such as 2026-03."""
    TEXT = 3
    """Anything else."""
    EMPTY = 4
    """There is no cell with a value."""


class Aggregate(Enum):
    """What is made of the numbers of a group."""

    SUM = 1
    """Their sum, exact to 28 digits."""
    MEAN = 2
    """Their mean."""
    MIN = 3
    """The least."""
    MAX = 4
    """The greatest."""
    COUNT = 5
    """How many rows there are; the values don't matter."""


@dataclass
class Column:
    """A column, and what is in it."""

    name: str
    """Its name in the first row."""
    kind: Kind
    missing: int
    """How many of its cells are empty."""
    distinct: int
    """How many different values it has."""
    least: str | None = None
    """The least value, in the order of numbers, dates or letters."""
    greatest: str | None = None
    """The greatest value."""
    sum: str | None = None
    """The sum of a column of numbers, exact to 28 digits."""
    mean: str | None = None
    """The mean of a column of numbers, to six significant digits."""


class Rows:
    """A table that was read."""

    def __init__(self, names: list[str], rows: list[list[str]], decimal_comma: bool):
        self.names = names
        self.rows = rows
        self._decimal_comma = decimal_comma

    def index(self, name: str) -> int:
        """Where a column is. An unknown one is the caller's mistake."""
        if name in self.names:
            return self.names.index(name)
        near = difflib.get_close_matches(name, self.names, 1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise ToolError(f"there is no column `{name}`.{hint} The columns are: {', '.join(self.names)}")

    def texts(self, name: str) -> list[str]:
        """The cells of a column."""
        at = self.index(name)
        return [row[at] for row in self.rows]

    def numbers(self, name: str) -> list[Decimal | None]:
        """The cells of a column as numbers; None where a cell is empty."""
        found = []
        for line, text in enumerate(self.texts(name), start=2):
            number = self.number(text)
            if number is None and text:
                raise ToolError(
                    f"row {line}, column `{name}`: {shown(text)} is no number; choose a column of numbers, "
                    "or set `decimal-comma` as the table has it"
                )
            found.append(number)
        return found

    def number(self, text: str) -> Decimal | None:
        """A cell as a number, if it is one."""
        plain = text.replace(" ", "").replace("\u00a0", "")
        group, point = (".", ",") if self._decimal_comma else (",", ".")
        if re.fullmatch(rf"[+-]?\d{{1,3}}({re.escape(group)}\d{{3}})+({re.escape(point)}\d+)?", plain):
            plain = plain.replace(group, "")
        plain = plain.replace(",", ".") if self._decimal_comma else plain
        return Decimal(plain) if _NUMBER.fullmatch(plain) else None

    def column(self, name: str) -> Column:
        """What is in a column."""
        texts = self.texts(name)
        filled = [text for text in texts if text]
        numbers = [number for text in filled if (number := self.number(text)) is not None]
        found = Column(name, Kind.TEXT, len(texts) - len(filled), len(set(filled)))
        if not filled:
            found.kind = Kind.EMPTY
        elif len(numbers) == len(filled):
            found.kind = Kind.NUMBER
            found.least, found.greatest = plain(min(numbers)), plain(max(numbers))
            found.sum, found.mean = plain(sum(numbers)), rounded(sum(numbers) / len(numbers))
        else:
            found.kind = Kind.DATE if all(_DATE.fullmatch(text) for text in filled) else Kind.TEXT
            found.least, found.greatest = min(filled), max(filled)
        return found

    def grouped(self, by: str, value: str | None, aggregate: Aggregate) -> list[tuple[str, Decimal]]:
        """A number for each different value of the column `by`, in the order of the rows."""
        if value is None and aggregate is not Aggregate.COUNT:
            raise ToolError(
                f"`value` is missing: a column of numbers for the {aggregate.name.lower()}; only `count` does without"
            )
        numbers = (
            self.numbers(value)
            if value is not None and aggregate is not Aggregate.COUNT
            else [Decimal(1)] * len(self.rows)
        )
        groups: dict[str, list[Decimal]] = {}
        for key, number in zip(self.texts(by), numbers):
            if number is not None:
                groups.setdefault(key or "(empty)", []).append(number)
        return [(key, _aggregated(values, aggregate)) for key, values in groups.items()]


def read(table: Table) -> Rows:
    """Reads a table. What is wrong with it is said with its row."""
    if len(table.csv) > MAX_TEXT:
        raise ToolError(f"the table has {len(table.csv)} characters; at most {MAX_TEXT} are read at a time")
    if len(table.delimiter) != 1:
        raise ToolError(f"`delimiter` is one character, such as `,` or `;`, not {shown(table.delimiter)}")
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(
                io.StringIO(table.csv.lstrip("\ufeff"), newline=""), delimiter=table.delimiter, strict=True
            )
        ]
    except csv.Error as error:
        raise ToolError(f"this is no CSV: {error}") from error
    rows = [row for row in rows if any(row)]
    if not rows:
        raise ToolError("the table is empty; its first row has to name the columns")
    names = rows[0]
    _check_names(names, table)
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(names):
            raise ToolError(
                f"row {line} has {len(row)} fields and the first row {len(names)}; quote a field that holds "
                f"the delimiter {shown(table.delimiter)}, or set `delimiter`"
            )
    return Rows(names, rows[1:], table.decimal_comma)


def _check_names(names: list[str], table: Table) -> None:
    if len(names) > MAX_COLUMNS:
        raise ToolError(f"the table has {len(names)} columns; at most {MAX_COLUMNS} are read")
    for name in names:
        if not name:
            raise ToolError("a column has no name in the first row; give it one")
        if names.count(name) > 1:
            raise ToolError(f"two columns are called `{name}`; rename one")
    if len(names) == 1 and table.delimiter == "," and ";" in names[0]:
        raise ToolError("the first row has one field with `;` in it; set `delimiter` to `;`")


def _aggregated(values: list[Decimal], aggregate: Aggregate) -> Decimal:
    if aggregate is Aggregate.MEAN:
        return sum(values, Decimal()) / len(values)
    made = {Aggregate.MIN: min, Aggregate.MAX: max, Aggregate.COUNT: lambda all_values: Decimal(len(all_values))}
    return made.get(aggregate, lambda all_values: sum(all_values, Decimal()))(values)


def plain(number: Decimal) -> str:
    """A number without an exponent and without zeros at its end."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def rounded(number: Decimal, digits: int = 6) -> str:
    """A number to some significant digits."""
    return plain(Decimal(f"{number:.{digits}g}"))


def shown(text: str) -> str:
    """A text as it is quoted in an error."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")

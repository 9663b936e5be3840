"""Charts as SVG: bars, lines and histograms."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Union
from xml.sax.saxutils import escape, quoteattr

from bailiwick_skill import U8, U16, ToolError
from table import Aggregate, Rows, plain, rounded

MAX_BARS = 60
"""More can't be told apart at the largest width."""
MAX_LINES = 8
"""As many as there are colours."""
COLOURS = ["#2f6fb3", "#d9822b", "#3a8f5c", "#b3423a", "#7a5aa6", "#8a6d3b", "#c2649a", "#5f6b76"]


@dataclass
class Bars:
    """A bar for each different value of a column."""

    by: str
    """The column whose values are the bars."""
    value: str | None = None
    """The column of numbers; none for a count of rows."""
    aggregate: Aggregate = Aggregate.SUM
    """What is made of the numbers of a bar. Default `sum`."""
    sorted: bool = False
    """Whether the greatest comes first. Default is the order of the table."""


@dataclass
class Lines:
    """A line for each column of numbers, over the rows in their order."""

    x: str
    """The column below the lines, such as a date."""
    values: list[str]
    """The columns of numbers."""


@dataclass
class Histogram:
    """How often the numbers of a column fall into ranges of the same width."""

    column: str
    """The column of numbers."""
    bins: U8 = 10
    """How many ranges, 2 to 60. Default 10."""


Chart = Union[Bars, Lines, Histogram]


@dataclass
class Size:
    """How large a chart is, in pixels."""

    width: U16 = 640
    """200 to 2000. Default 640."""
    height: U16 = 360
    """150 to 2000. Default 360."""


@dataclass
class Series:
    """Numbers that are drawn in one colour; None leaves a gap."""

    name: str
    values: list[Decimal | None]


@dataclass
class Frame:
    """The room of a chart, and how numbers lie in it."""

    size: Size
    labels: list[str]
    low: float
    step: float
    steps: int
    left: float = 64
    top: float = 40
    bottom: float = 56
    right: float = 16
    parts: list[str] = field(default_factory=list)

    @property
    def inner_width(self) -> float:
        return self.size.width - self.left - self.right

    @property
    def inner_height(self) -> float:
        return self.size.height - self.top - self.bottom

    def y(self, value: float) -> float:
        return self.top + self.inner_height * (1 - (value - self.low) / (self.step * self.steps))

    def slot(self, at: int) -> float:
        """The middle of the room for one label."""
        return self.left + self.inner_width * (at + 0.5) / len(self.labels)


def draw(rows: Rows, chart: Chart, title: str, size: Size) -> str:
    """A chart of a table as the text of an SVG file."""
    if not (200 <= size.width <= 2000 and 150 <= size.height <= 2000):
        raise ToolError(
            f"a chart of {size.width} by {size.height} pixels can't be drawn; "
            "width goes from 200 to 2000, height from 150 to 2000"
        )
    if not rows.rows:
        raise ToolError("the table has no rows below its first, so there is nothing to draw")
    if isinstance(chart, Bars):
        groups = rows.grouped(chart.by, chart.value, _aggregate(chart))
        groups = sorted(groups, key=lambda group: -group[1]) if chart.sorted else groups
        return _bars(title, [name for name, _ in groups], [value for _, value in groups], size)
    if isinstance(chart, Histogram):
        return _bars(title, *_counted(rows, chart), size)
    return _lines(title, rows, chart, size)


def _aggregate(chart: Bars) -> Aggregate:
    return Aggregate.COUNT if chart.value is None and chart.aggregate is Aggregate.SUM else chart.aggregate


def _counted(rows: Rows, chart: Histogram) -> tuple[list[str], list[Decimal]]:
    if not 2 <= chart.bins <= MAX_BARS:
        raise ToolError(f"`bins` is {chart.bins}; choose 2 to {MAX_BARS}")
    numbers = [number for number in rows.numbers(chart.column) if number is not None]
    if not numbers:
        raise ToolError(f"column `{chart.column}` has no numbers")
    least, width = min(numbers), (max(numbers) - min(numbers)) / chart.bins or Decimal(1)
    counts = [Decimal()] * chart.bins
    for number in numbers:
        counts[min(int((number - least) / width), chart.bins - 1)] += 1
    edges = [rounded(least + width * at, 4) for at in range(chart.bins + 1)]
    return [f"{low}–{high}" for low, high in zip(edges, edges[1:])], counts


def _bars(title: str, labels: list[str], values: list[Decimal], size: Size) -> str:
    if not labels:
        raise ToolError("no row has a value to draw")
    if len(labels) > MAX_BARS:
        raise ToolError(
            f"that would be {len(labels)} bars; at most {MAX_BARS} can be told apart. "
            "Choose a column with fewer different values"
        )
    frame = _frame(title, labels, values, size)
    width = frame.inner_width / len(labels) * 0.7
    for at, (label, value) in enumerate(zip(labels, values)):
        top, foot = sorted((frame.y(float(value)), frame.y(0)))
        frame.parts.append(
            f'<rect x="{_n(frame.slot(at) - width / 2)}" y="{_n(top)}" width="{_n(width)}" height="{_n(foot - top)}" '
            f'fill="{COLOURS[0]}"><title>{escape(label)}: {plain(value)}</title></rect>'
        )
    return _svg(title, frame)


def _lines(title: str, rows: Rows, chart: Lines, size: Size) -> str:
    if not 1 <= len(chart.values) <= MAX_LINES:
        raise ToolError(f"`values` names {len(chart.values)} columns; choose 1 to {MAX_LINES}")
    series = [Series(name, rows.numbers(name)) for name in chart.values]
    numbers = [value for one in series for value in one.values if value is not None]
    if not numbers:
        raise ToolError(f"there are no numbers in {', '.join(chart.values)}")
    frame = _frame(title, rows.texts(chart.x), numbers, size)
    for colour, one in zip(COLOURS, series):
        for points in _runs(frame, one.values):
            frame.parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    if len(series) > 1:
        frame.parts += _legend(frame, series)
    return _svg(title, frame)


def _runs(frame: Frame, values: list[Decimal | None]) -> list[str]:
    """The points of a line, which ends and begins again where cells are empty."""
    runs: list[list[str]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{_n(frame.slot(at))},{_n(frame.y(float(value)))}")
    return [" ".join(run * 2 if len(run) == 1 else run) for run in runs if run]


def _legend(frame: Frame, series: list[Series]) -> list[str]:
    parts = []
    for at, (colour, one) in enumerate(zip(COLOURS, series)):
        x = frame.left + at * frame.inner_width / len(series)
        parts.append(f'<rect x="{_n(x)}" y="{_n(frame.top - 10)}" width="8" height="8" fill="{colour}"/>')
        parts.append(
            f'<text x="{_n(x + 12)}" y="{_n(frame.top - 2)}" font-size="11">{escape(_cut(one.name, 18))}</text>'
        )
    return parts


def _frame(title: str, labels: list[str], values: list[Decimal], size: Size) -> Frame:
    """The axes: steps of 1, 2 or 5 times a power of ten, with zero among them."""
    low, high = float(min(*values, 0)), float(max(*values, 0))
    if low == high:
        high = low + 1
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    start = math.floor(low / step + 1e-9)
    steps = math.ceil(high / step - 1e-9) - start
    frame = Frame(size, labels, start * step, step, steps)
    for at in range(steps + 1):
        value = (start + at) * step
        y = _n(frame.y(value))
        line = "#555" if start + at == 0 else "#ddd"
        frame.parts.append(
            f'<line x1="{_n(frame.left)}" x2="{_n(size.width - frame.right)}" y1="{y}" y2="{y}" stroke="{line}"/>'
        )
        frame.parts.append(
            f'<text x="{_n(frame.left - 6)}" y="{y}" font-size="11" text-anchor="end" '
            f'dominant-baseline="middle">{_tick(value, step)}</text>'
        )
    every = max(1, math.ceil(len(labels) * 56 / frame.inner_width))
    for at in range(0, len(labels), every):
        frame.parts.append(
            f'<text x="{_n(frame.slot(at))}" y="{_n(size.height - frame.bottom + 18)}" font-size="11" '
            f'text-anchor="middle">{escape(_cut(labels[at], 14))}</text>'
        )
    return frame


def _tick(value: float, step: float) -> str:
    return f"{value:,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"


def _svg(title: str, frame: Frame) -> str:
    size = frame.size
    body = "\n".join(f"  {part}" for part in frame.parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size.width}" height="{size.height}" '
        f'viewBox="0 0 {size.width} {size.height}" role="img" aria-label={quoteattr(title)} '
        f'font-family="sans-serif" fill="#333">\n'
        f'  <rect width="100%" height="100%" fill="#fff"/>\n'
        f'  <text x="{_n(size.width / 2)}" y="20" font-size="14" text-anchor="middle">{escape(title)}</text>\n'
        f"{body}\n</svg>\n"
    )


def _n(value: float) -> str:
    """A coordinate with no more digits than can be seen."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"

"""Type hints become WIT, docstrings its documentation."""

import unittest

from bailiwick_skill import _names, _schema, _wit
from bailiwick_skill._check import Checked
from bailiwick_skill._derive import Derivation
from bailiwick_skill._registry import Offer, Registry
from bailiwick_skill._source import Source, sections
from tests import shapes

EXPECTED = """\
/// Draws.
package acme:shapes@1.0.0;

/// What this skill can do.
interface tools {
  /// A place.
  ///
  /// It has two dimensions.
  record point {
    /// To the right.
    x: f64,
    y: option<f64>,
  }

  /// Round.
  record circle {
    center: point,
    radius: f32,
  }

  /// A line.
  record path {
    /// In order.
    points: list<point>,
    closed: option<bool>,
  }

  variant shape {
    /// Round.
    circle(circle),
    /// A line.
    path(path),
    /// No shape at all.
    nothing,
  }

  /// A color.
  enum color {
    /// Warm.
    red,
    dark-blue,
  }

  flags access {
    read,
    write-all,
  }

  enum report-style {
    thin,
    thick-line,
  }

  record report-value {
    shapes: list<shape>,
    color: color,
    access: access,
    pair: tuple<u8, string>,
    note: option<string>,
    data: list<u8>,
    %from: string,
    letter: option<char>,
    tags: option<list<string>>,
  }

  /// Makes a report.
  ///
  /// - `shapes`: What is drawn, all of it.
  /// - `size`: How large.
  ///
  /// Returns:
  ///     The report.
  report: func(shapes: list<shape>, color: option<color>, access: option<access>, size: option<u32>, style: option<report-style>, one: option<shape>, name: option<string>) -> result<report-value, string>;

  /// Does nothing.
  nothing: func() -> result<_, string>;

  /// Numbers.
  %list: func(of: list<s64>) -> result<tuple<bool, list<option<u8>>>, string>;
}

world guest {
  import wasi:logging/logging@0.1.0-draft;
  export bailiwick:skill/prompts@0.1.0;
  export tools;
}
"""


def offered() -> Registry:
    return Registry(
        tools=[Offer(shapes.report, "report"), Offer(shapes.nothing, "nothing"), Offer(shapes.numbers, "list")]
    )


class Wit(unittest.TestCase):
    maxDiff = None

    def test_every_type(self):
        checked = Checked(offered(), Source())
        self.assertEqual([str(error) for error in [*checked.errors, *checked.warnings]], [])
        text = _wit.package(
            "acme:shapes@1.0.0",
            "Draws.",
            checked.named,
            checked.tools,
            ["wasi:logging/logging@0.1.0-draft"],
            ["bailiwick:skill/prompts@0.1.0"],
        )
        self.assertEqual(text, EXPECTED)

    def test_schemas(self):
        derivation = Derivation(Source())
        derivation.signature(shapes.report, "report")
        kinds = {kind.name: kind for kind in derivation.named}
        self.assertEqual(
            _schema.whole(kinds["point"]),
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {
                    "x": {
                        "anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}],
                        "description": "To the right.",
                    },
                    "y": {
                        "anyOf": [
                            {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]},
                            {"type": "null"},
                        ]
                    },
                },
                "required": ["x"],
                "additionalProperties": False,
                "description": "A place.\n\nIt has two dimensions.",
            },
        )
        self.assertEqual(
            _schema.schema(kinds["color"]),
            {"type": "string", "enum": ["red", "dark-blue"], "description": "A color.\n\n- `red`: Warm."},
        )
        self.assertEqual(
            _schema.schema(kinds["access"]),
            {"type": "array", "items": {"type": "string", "enum": ["read", "write-all"]}, "uniqueItems": True},
        )
        cases = _schema.schema(kinds["shape"])["oneOf"]
        self.assertEqual(cases[2], {"const": "nothing", "description": "No shape at all."})
        self.assertEqual((cases[1]["required"], list(cases[1]["properties"])), (["path"], ["path"]))
        fields = _schema.schema(kinds["report"])["properties"]
        self.assertEqual(fields["data"], {"type": "string", "contentEncoding": "base64"})
        self.assertEqual(
            fields["pair"],
            {
                "type": "array",
                "prefixItems": [{"type": "integer", "minimum": 0, "maximum": 255}, {"type": "string"}],
                "items": False,
                "minItems": 2,
                "maxItems": 2,
            },
        )

    def test_names(self):
        for python, wit in {
            "top_rows": "top-rows",
            "TopRows": "top-rows",
            "HTTPServer": "http-server",
            "RED": "red",
            "DARK_BLUE": "dark-blue",
            "class_": "class",
            "row_2": "row2",
            "a1": "a1",
            "UTF8Text": "utf8-text",
            "_private": "private",
        }.items():
            self.assertEqual(_names.kebab(python), wit, python)
        for python in ("größe", "2nd", "_", ""):
            self.assertIsNone(_names.kebab(python), python)

    def test_reserved_words_are_escaped(self):
        self.assertEqual(
            [_names.wit(name) for name in ("from", "list", "string", "rows")], ["%from", "%list", "%string", "rows"]
        )

    def test_sections_of_docstrings(self):
        text, entries = sections(
            "One.\n\nArgs:\n    a: First,\n        and more.\n    b (int): Second.\n\nRaises:\n    X: Never.", "(list)"
        )
        self.assertEqual(text, "One.\n\n(list)\n\nRaises:\n    X: Never.")
        self.assertEqual(entries, {"a": "First, and more.", "b": "Second."})
        self.assertEqual(sections("Args:\na: First."), ("", {"a": "First."}))


if __name__ == "__main__":
    unittest.main()

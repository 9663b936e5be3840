"""Values cross between the bindings, the author's classes and JSON."""

import io
import math
import sys
import types
import unittest
from dataclasses import dataclass, make_dataclass
from enum import Enum, Flag
from typing import Union

from bailiwick_skill import _guest, _json
from bailiwick_skill._derive import Derivation
from bailiwick_skill._kinds import ListOf, OptionOf, Scalar, TupleOf
from bailiwick_skill._values import Values
from bailiwick_skill.errors import InvalidArguments
from tests import shapes


def bindings():
    """A module such as componentize-py makes: other names, the same order."""
    made = types.SimpleNamespace()
    made.Point = make_dataclass("Point", ["x", "y"])
    made.Circle = make_dataclass("Circle", ["center", "radius"])
    made.Path = make_dataclass("Path", ["points", "closed"])
    made.Shape_Circle = make_dataclass("Shape_Circle", ["value"])
    made.Shape_Path = make_dataclass("Shape_Path", ["value"])
    made.Shape_Nothing = make_dataclass("Shape_Nothing", [])
    made.Shape = Union[made.Shape_Circle, made.Shape_Path, made.Shape_Nothing]
    made.Color = Enum("Color", ["RED", "DARK_BLUE"])
    made.Access = Flag("Access", ["READ", "WRITE_ALL"])
    made.ReportStyle = Enum("ReportStyle", ["THIN", "THICK_LINE"])
    made.ReportValue = make_dataclass(
        "ReportValue", ["shapes", "color", "access", "pair", "note", "data", "from_", "letter", "tags"]
    )
    return made


class Crossing(unittest.TestCase):
    def setUp(self):
        self.made = bindings()
        self.values = Values(self.made)
        self.signature = Derivation(taken=frozenset(["report"])).signature(shapes.report, "report")

    def call(self, *given):
        arguments = self.values.arguments(self.signature.params, given)
        return self.values.lower(self.signature.result, shapes.report(**arguments), "report()")

    def test_what_is_left_out_is_left_to_the_function(self):
        made = self.made
        answer = self.call([made.Shape_Nothing()], None, None, None, None, None, None)
        self.assertEqual(answer.color, made.Color.RED)
        self.assertEqual(answer.access, made.Access.READ)
        self.assertEqual((answer.pair, answer.from_, answer.letter, answer.tags), ((3, "thin"), "x", "a", []))
        self.assertEqual(answer.shapes, [made.Shape_Nothing()])

    def test_every_type_there_and_back(self):
        made = self.made
        drawn = [
            made.Shape_Circle(made.Circle(made.Point(1.0, None), 2.0)),
            made.Shape_Path(made.Path([made.Point(0.0, 3.0)], True)),
        ]
        answer = self.call(
            drawn,
            made.Color.DARK_BLUE,
            made.Access.WRITE_ALL,
            7,
            made.ReportStyle.THICK_LINE,
            made.Shape_Nothing(),
            "y",
        )
        self.assertEqual(answer.shapes[0], made.Shape_Circle(made.Circle(made.Point(1.0, 0.5), 2.0)))
        self.assertEqual(answer.shapes[1:], [drawn[1], made.Shape_Nothing()])
        self.assertEqual((answer.color, answer.access), (made.Color.DARK_BLUE, made.Access.WRITE_ALL))
        self.assertEqual(
            (answer.pair, answer.data, answer.note, answer.from_), ((7, "thick-line"), b"\x00\x01", None, "y")
        )

    def refused(self, kind, value, *parts):
        with self.assertRaises((TypeError, OverflowError)) as caught:
            self.values.lower(kind, value, "work()")
        for part in parts:
            self.assertIn(part, str(caught.exception))

    def test_a_value_of_another_type_than_promised(self):
        self.refused(Scalar("s64"), "7", "work(): expected int, got str '7'")
        self.refused(Scalar("s64"), True, "expected int, got bool True")
        self.refused(Scalar("u8"), 256, "work(): 256 is no u8, which holds 0 to 255")
        self.refused(Scalar("s8"), -129, "-128 to 127")
        self.refused(Scalar("f32"), 1e300, "too large for an f32")
        self.refused(Scalar("string"), "\ud800", "without lone surrogates")
        self.refused(Scalar("char"), "ab", "expected one character")
        self.refused(Scalar("none"), 0, "expected None, got int 0")
        self.refused(ListOf(Scalar("bool")), [True, 0], "work()[1]: expected bool, got int 0")
        self.refused(ListOf(Scalar("bool")), "ab", "expected a list, got str 'ab'")
        self.refused(TupleOf((Scalar("bool"),)), (), "a tuple of 1")
        self.refused(self.signature.result, None, "expected Report, got NoneType")
        wrong = shapes.Report([], "red", shapes.Access.READ, (1, "a"), None, b"", "")
        self.refused(
            self.signature.result, wrong, "work().color: expected one of Color.RED, Color.DARK_BLUE, got str 'red'"
        )

    def test_a_list_of_bytes_is_bytes_in_the_bindings(self):
        kind = ListOf(Scalar("u8"))
        self.assertEqual(self.values.lower(kind, [1, 2], ""), b"\x01\x02")
        self.assertEqual(self.values.lift(kind, b"\x01\x02"), [1, 2])
        self.assertEqual((_json.write(kind, [0]), _json.read(kind, "AA=="), _json.read(kind, [7])), ("AA==", [0], [7]))
        self.assertEqual(_json.read(Scalar("bytes"), [7]), b"\x07")

    def test_whole_numbers_are_floats_too(self):
        self.assertEqual(self.values.lower(Scalar("f64"), 3, ""), 3.0)


class Json(unittest.TestCase):
    def setUp(self):
        derivation = Derivation()
        derivation.signature(shapes.report, "report")
        self.kinds = {kind.name: kind for kind in derivation.named}

    def test_values_are_written_as_they_are_read(self):
        report = shapes.Report(
            [shapes.Circle(shapes.Point(1.0, 2.0), 0.5), shapes.Nothing()],
            shapes.Color.DARK_BLUE,
            shapes.Access.BOTH,
            (1, "a"),
            None,
            b"\x00\xff",
            "here",
            "b",
            ["t"],
        )
        plain = _json.write(self.kinds["report"], report)
        self.assertEqual(
            plain,
            {
                "shapes": [{"circle": {"center": {"x": 1.0, "y": 2.0}, "radius": 0.5}}, "nothing"],
                "color": "dark-blue",
                "access": ["read", "write-all"],
                "pair": [1, "a"],
                "note": None,
                "data": "AP8=",
                "from": "here",
                "letter": "b",
                "tags": ["t"],
            },
        )
        self.assertEqual(_json.read(self.kinds["report"], plain), report)

    def test_numbers_that_readers_would_round_are_text(self):
        self.assertEqual(_json.write(Scalar("s64"), 2**53), "9007199254740992")
        self.assertEqual(_json.read(Scalar("u64"), "18446744073709551615"), 2**64 - 1)
        self.assertEqual(_json.write(Scalar("f64"), math.inf), "Infinity")
        self.assertTrue(math.isnan(_json.read(Scalar("f64"), "NaN")))

    def refused(self, kind, value, *parts):
        with self.assertRaises(InvalidArguments) as caught:
            _json.read(kind, value)
        for part in parts:
            self.assertIn(part, str(caught.exception))

    def test_mistakes_are_told_with_their_place(self):
        self.refused(self.kinds["point"], {}, "/: the field `x` is missing")
        self.refused(self.kinds["point"], {"x": 1, "z": 1}, "there is no field `z`; there are x, y")
        self.refused(self.kinds["path"], {"points": [{"x": 1}, {"x": "a"}]}, '/points/1/x: expected a number, got "a"')
        self.refused(self.kinds["shape"], "circle", 'expected {"circle": …} or {"path": …} or "nothing", got "circle"')
        self.refused(self.kinds["color"], "blue", 'expected "red" or "dark-blue"')
        self.refused(self.kinds["access"], ["write"], "an array of read, write-all")
        self.refused(Scalar("u8"), 256, "an integer from 0 to 255")
        self.refused(Scalar("u8"), True, "an integer from 0 to 255")
        self.refused(Scalar("bytes"), "?", "no base64")
        self.refused(TupleOf((Scalar("bool"),)), [], "an array of 1")

    def test_what_has_a_default_may_be_left_out(self):
        self.assertEqual(_json.read(self.kinds["point"], {"x": 1}), shapes.Point(1.0, 0.5))
        self.assertEqual(_json.read(self.kinds["path"], {"points": []}), shapes.Path([], None))
        self.assertIsNone(_json.read(OptionOf(Scalar("bool")), None))


class Guest(unittest.TestCase):
    def test_uris_of_templates(self):
        found = _guest.uri_pattern("notes://{day}/{+rest}?v={v}").fullmatch("notes://a%20b/c/d?v=1")
        self.assertEqual(found.groupdict(), {"day": "a%20b", "rest": "c/d", "v": "1"})
        self.assertIsNone(_guest.uri_pattern("notes://{day}").fullmatch("notes://a/b"))

    def test_a_traceback_begins_with_the_authors_code(self):
        @dataclass
        class Err(Exception):
            value: str

        def fails() -> None:
            raise KeyError("key")

        signature = Derivation().signature(fails, "fails")
        method = _guest._tool(signature, Values(bindings()), Err)
        with self.assertRaises(Err) as caught, Captured() as said:
            method(None)
        self.assertEqual(caught.exception.value, "KeyError: 'key'")
        self.assertIn('in fails\n    raise KeyError("key")', said.text)
        self.assertNotIn("_guest.py", said.text)


class Captured:
    """What was written to stderr."""

    def __enter__(self):
        self._old, sys.stderr = sys.stderr, io.StringIO()
        return self

    def __exit__(self, *_):
        self.text = sys.stderr.getvalue()
        sys.stderr = self._old


if __name__ == "__main__":
    unittest.main()

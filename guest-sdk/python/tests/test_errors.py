"""Every mistake of an author ends in a message that says where it is and what to do."""

import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

SDK = Path(__file__).resolve().parents[1]
WIT = SDK.parents[1] / "wit"


def build(source: str, *, name: str = "skill.py", manifest: str | None = None):
    """Builds a skill in a process of its own, up to where componentize-py is needed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_text(textwrap.dedent(source), "utf-8")
        if manifest is not None:
            Path(folder, "skill.toml").write_text(manifest, "utf-8")
        # Without packages and without PATH there is no componentize-py.
        command = [
            sys.executable,
            "-S",
            "-m",
            "bailiwick_skill.build",
            "--source",
            name,
            "--wit",
            str(WIT),
            "--work",
            ".build",
        ]
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": str(SDK), "PATH": "/nowhere", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        return done.returncode, done.stderr


GOOD = '''
from bailiwick_skill import tool

@tool
def greet(name: str) -> str:
    """Greets somebody."""
    return f"Hello, {name}"
'''


class Errors(unittest.TestCase):
    def refused(self, source: str, *parts: str, name: str = "skill.py", manifest: str | None = None) -> str:
        status, said = build(source, name=name, manifest=manifest)
        for part in parts:
            self.assertIn(part, said)
        self.assertEqual(status, 1, said)
        self.assertNotIn("Traceback", said)
        return said

    def tool(self, signature: str, *parts: str, before: str = "") -> str:
        source = f'from bailiwick_skill import *\n{textwrap.dedent(before)}\n@tool\ndef work({signature}:\n    """Works."""\n'
        return self.refused(source, *parts)

    def test_a_type_that_does_not_cross(self):
        self.tool(
            "when: datetime) -> str",
            "skill.py:4: tool `work`: parameter `when`: datetime is no type that crosses "
            "into WIT; use str, such as 2026-03-29T01:30:00Z",
            before="from datetime import datetime",
        )
        self.tool(
            "a: dict[str, int]) -> str",
            "parameter `a`",
            "dict[str, int] is no type",
            "use a dataclass, or list[tuple[str, …]]",
        )
        self.tool("a: set[int]) -> str", "use a list, or a Flag")
        self.tool("a: object) -> str", "use a dataclass, or str that holds JSON text")
        self.tool("a: Any) -> str", "Any is no type", "str that holds JSON text", before="from typing import Any")
        self.tool(
            "a: str) -> Decimal",
            "its return type: Decimal is no type",
            "use str, which keeps every digit",
            before="from decimal import Decimal",
        )
        self.tool("a: list) -> str", "a list of what? Write list[str]")
        self.tool("a: tuple) -> str", "a tuple of what?")
        self.tool("a: None) -> str", "None alone says nothing")

    def test_a_type_that_is_missing(self):
        self.tool("a, b: int) -> str", "skill.py:4: tool `work`: parameter `a` has no type; write `a: str`")
        self.tool("a: int)", "tool `work`: has no return type; write `-> str:`")
        self.tool("a: 'Nowhere') -> str", "a type hint names `Nowhere`, which isn't known; import or define it")

    def test_parameters_that_have_no_type_in_wit(self):
        self.tool("*many: int) -> str", "takes any number of values")
        self.tool("**many: int) -> str", "takes any number of values")
        self.tool("größe: int) -> str", "all ASCII")
        self.tool("a_1: int, a1: int) -> str", "two of its parts are called `a1` in WIT")

    def test_classes_that_are_no_types(self):
        classes = """
            from __future__ import annotations
            from dataclasses import dataclass, field
            from enum import Enum
            from typing import NamedTuple, Optional, TypedDict
            @dataclass
            class Empty:
                pass
            @dataclass
            class Tree:
                left: Optional[Tree]
            @dataclass
            class Late:
                a: int
                b: int = field(init=False)
            @dataclass
            class Holds:
                bad: complex
            class Pair(NamedTuple):
                a: int
            class Typed(TypedDict):
                a: int
            class Nothing(Enum):
                pass
        """
        classes = textwrap.dedent(classes).strip()

        def refused(hint, *parts):
            self.refused(
                f'{classes}\nfrom bailiwick_skill import *\n@tool\ndef work(a: {hint}) -> str:\n    """Works."""\n',
                *parts,
            )

        refused("Empty", "dataclass `Empty` has no fields")
        refused(
            "Tree", "skill.py:10: dataclass `Tree`: field `left`: `Tree` holds itself, and WIT has no recursive types"
        )
        refused("Late", "field `b` is `init=False`")
        refused("Holds", "dataclass `Holds`: field `bad`: complex is no type", "a tuple of two float")
        refused("Pair", "Pair is no type that crosses into WIT; make it a dataclass")
        refused("Typed", "make it a dataclass")
        refused("Nothing", "`Nothing` has no members")
        refused("int | str", "only dataclasses tell a reader which one a value is")

    def test_literals(self):
        self.tool("a: Literal[1]) -> str", "Literal[1] is no text", before="from typing import Literal")
        self.tool(
            "a: Literal['Big One']) -> str",
            "'Big One' of a Literal has no name in WIT",
            before="from typing import Literal",
        )

    def test_two_tools_of_one_name(self):
        self.refused(
            GOOD + GOOD.replace("greet(", "greet ("),
            "skill.py:12: two tools are called `greet`, and the first is at skill.py:5; "
            'rename one, or give it another name by @tool(name="…")',
        )

    def test_an_async_tool(self):
        self.refused(GOOD.replace("def greet", "async def greet"), "is async", "write `def` in place of `async def`")

    def test_all_mistakes_are_told_at_once(self):
        said = self.refused(
            'from bailiwick_skill import *\n@tool\ndef a(x) -> str:\n    "A."\n@tool\ndef b(x) -> str:\n    "B."\n'
        )
        self.assertEqual(said.count("error: "), 2)

    def test_a_module_that_is_not_python(self):
        said = self.refused(
            "from bailiwick_skill import tool\n\ndef x(:\n", "error: skill.py:3: Python can't read this: "
        )
        self.assertIn("    def x(:", said)

    def test_a_module_that_is_missing(self):
        self.refused(
            "import numpy_of_nowhere\n",
            "skill.py:1: there is no module `numpy_of_nowhere`",
            "python3 -m pip install --target vendor numpy_of_nowhere",
        )

    def test_a_module_that_fails_when_it_is_imported(self):
        self.refused(
            "x = 1\ny = 1 / 0\n", "skill.py:2: importing the skill failed with ZeroDivisionError: division by zero"
        )

    def test_a_call_of_the_host_at_the_top(self):
        self.refused(
            "from bailiwick_skill import skills\nskills.call('a/b')\n",
            "skill.py:2",
            "there is no host here",
            "calls of the host belong into functions",
        )

    def test_a_module_that_offers_nothing(self):
        self.refused("x = 1\n", "skill.py: the skill offers nothing; put @tool above a function")

    def test_a_source_that_is_not_there_or_has_a_name_of_pythons(self):
        self.refused(GOOD, "a module can't be called `json` here", name="json.py")
        status, said = build(GOOD, name="other.py")
        self.assertEqual(status, 2, said)

    def test_an_id_that_is_none(self):
        self.refused(GOOD, "skill.toml: `skill_id` has to be namespace/name", manifest='skill_id = "Acme Report"\n')

    def test_a_docstring_that_is_missing_is_a_warning(self):
        status, said = build(GOOD.replace('    """Greets somebody."""\n', ""))
        self.assertIn("warning: skill.py:5: tool `greet` has no docstring", said)
        self.assertIn("write one below its `def`", said)
        self.assertEqual(status, 2, "and the build goes on")

    def test_componentize_py_that_is_missing(self):
        status, said = build(GOOD)
        self.assertEqual(status, 2)
        self.assertIn("pip install componentize-py==0.25.1", said)

    def test_prompts(self):
        prompt = 'from bailiwick_skill import *\n@prompt\ndef ask({}) -> str:\n    "Asks."\n    return ""\n'
        self.refused(prompt.format("n: int"), "skill.py:3: prompt `ask`: parameter `n` is a text")
        self.refused(prompt.format("*n: str"), "has to have a plain name")

    def test_resources(self):
        resource = 'from bailiwick_skill import *\n@resource_template("{}")\ndef day({}) -> str:\n    "A day."\n    return ""\n'
        self.refused(resource.format("notes://day/{date}", "day: str"), "its URI names date and it takes day")
        self.refused(resource.format("day/{date}", "date: str"), "is no absolute URI; begin it with a scheme")

    def test_workflows_and_providers(self):
        flow = 'from bailiwick_skill import *\n@workflow\ndef run({}) -> dict:\n    "Runs."\n'
        self.refused(flow.format("a: dict, b: dict"), "takes one parameter, its input")
        self.refused(
            flow.format("a: dict") + "@workflow\ndef again(a: dict) -> dict:\n    'Again.'\n",
            "a skill has one workflow, and `run` is it",
        )
        self.refused(
            "from bailiwick_skill import *\n@list_tools\ndef listed():\n    return []\n",
            "with @list_tools and none with @call_tool",
        )


if __name__ == "__main__":
    unittest.main()

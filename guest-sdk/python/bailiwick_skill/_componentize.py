"""Finds componentize-py and runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from . import _steady
from ._wit import WORLD
from .errors import BuildError

VERSION = "0.25.1"


class MissingTool(Exception):
    """A tool has to be installed first."""


def run(wit: Path, app: Path, module: str, names: dict[str, list[str]], work: Path) -> None:
    """Makes `work/skill.wasm` of the module in `app`."""
    root = work.resolve()
    made = root / "skill.wasm.new"
    named = [
        part for kind, all_names in names.items() for name in all_names for part in (f"--{kind}-interface-name", name)
    ]
    arguments = [
        "-q",
        "-d",
        str(wit.resolve()),
        "-w",
        WORLD,
        *named,
        "componentize",
        "-p",
        str(app.resolve()),
        module,
        "-o",
        str(made),
    ]
    # Packages of the Python that builds must not come along, so it is given none.
    nothing = _fresh(root / "no-packages")
    (nothing / "lib" / "python3" / "site-packages").mkdir(parents=True)
    environment = {**os.environ, "VIRTUAL_ENV": str(nothing), "TMPDIR": str(_fresh(root / "tmp"))}
    status, output, why = _run(arguments, environment, root)
    shutil.rmtree(root / "tmp", ignore_errors=True)
    if status != 0:
        raise BuildError(f"componentize-py failed:\n{_readable(output)}")
    if why:
        print(
            f"warning: another build of the same skill will have other bytes, and so another digest: {why}",
            file=sys.stderr,
        )
    os.replace(made, root / "skill.wasm")


def _run(arguments: list[str], environment: dict[str, str], root: Path) -> tuple[int, str, str]:
    python = _python()
    if _steady.is_possible():
        return _steady.run(python, arguments, environment, root)
    start = "import sys, componentize_py; sys.argv[0] = 'componentize-py'; sys.exit(componentize_py.script())"
    done = subprocess.run(
        [python, "-I", "-c", start, *arguments],
        env=environment,
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode, done.stdout, "only on Linux on x86-64 can clock and randomness be made to stand still"


def _python() -> str:
    """A Python that has componentize-py: this one, the toolchain's, the author's, or that
    of a program on PATH."""
    if find_spec("componentize_py") is not None:
        return sys.executable
    toolchains = os.environ.get("BAILIWICK_TOOLCHAINS")
    folders = [Path(toolchains) / "python" / "bin"] if toolchains else []
    for folder in [*folders, Path(".venv") / "bin", Path("venv") / "bin"]:
        if (folder / "componentize-py").is_file() and (folder / "python").is_file():
            return str(folder / "python")
    program = shutil.which("componentize-py")
    if program is not None:
        first = Path(program).read_bytes().split(b"\n", 1)[0]
        if first.startswith(b"#!") and os.access(first[2:].strip(), os.X_OK):
            return os.fsdecode(first[2:].strip())
    raise MissingTool(
        "componentize-py is not installed, and it makes components of Python; install it by:\n"
        f"    pip install componentize-py=={VERSION}"
    )


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _readable(output: str) -> str:
    """What componentize-py says, without its own stack."""
    message = output.partition("Stack backtrace:")[0].rstrip()
    _, found, rest = message.rpartition("AssertionError: ")
    message = rest if found else message
    # The traceback of a module says it all; what else there is, its causes explain.
    return message.partition("\nCaused by:")[0].rstrip() if "Traceback" in message else message

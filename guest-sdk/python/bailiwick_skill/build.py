"""Builds a skill: `python3 -m bailiwick_skill.build --source skill.py --wit WIT --work DIR`.

It imports the author's module, writes the WIT of what that offers to `DIR/wit`, and has
componentize-py make `DIR/skill.wasm`. The exit status is 1 where the skill is wrong, 2
where a tool is missing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import shutil
import sys
import traceback
from pathlib import Path

from . import _componentize, _schema, _wit
from ._check import Checked
from ._imports import SDK, Used, package_of, qualified, used
from ._registry import SKILL
from ._source import Source, own_doc
from .errors import BuildError

_GLUE = '''"""Written by bailiwick_skill.build."""
import importlib

import {module}
from bailiwick_skill import _guest

# A component can import nothing later on, so what functions import is imported now.
for name in {names!r}:
    try:
        importlib.import_module(name)
    except ImportError:
        pass

_guest.export(globals())
'''
_APP = "bailiwick_app"
# What a component has no use for.
_BUILD_ONLY = (
    "build.py",
    "_check.py",
    "_componentize.py",
    "_imports.py",
    "_schema.py",
    "_steady.py",
    "_steady_child.py",
)
DATA = "data"
"""The folder beside the skill that its modules can read while they are imported."""


def main(arguments: list[str] | None = None) -> int:
    """The command. Gives its exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m bailiwick_skill.build", description="Builds a skill in Python.")
    parser.add_argument("--source", type=Path, default=Path("skill.py"), help="the skill's module (skill.py)")
    parser.add_argument("--wit", type=Path, default=Path(".build/sdk/wit"), help="the host's WIT (.build/sdk/wit)")
    parser.add_argument("--work", type=Path, default=Path(".build"), help="where everything is written (.build)")
    options = parser.parse_args(arguments)
    try:
        build(options.source, options.wit, options.work)
    except _componentize.MissingTool as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BuildErrors as errors:
        for each in errors.errors:
            print(f"error: {each}", file=sys.stderr)
        return 1
    return 0


class BuildErrors(Exception):
    """All that is wrong with a skill."""

    def __init__(self, errors: list[BuildError]):
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


def build(source: Path, wit: Path, work: Path) -> None:
    """Builds `work/skill.wasm`."""
    module = load(source)
    checked = Checked(SKILL, Source())
    for warning in checked.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if checked.errors:
        raise BuildErrors(checked.errors)
    folder = source.resolve().parent
    imports = used(module, [folder, folder / "vendor"])
    text, names = wit_package(checked, imports, own_doc(sys.modules[module]), package_name(folder), wit)
    write_wit(text, imports, wit, work / "wit")
    write_schemas(checked, work / "schemas")
    stage(module, imports, folder / DATA, work / "glue")
    _componentize.run(work / "wit", work / "glue", _APP, names, work)


def load(source: Path) -> str:
    """Imports the author's module and gives its name."""
    if not source.is_file():
        raise BuildError(
            "there is no such file; write the skill there, or name another as `source` under [build] in skill.toml",
            str(source),
        )
    module = source.stem
    if not module.isidentifier() or module in sys.stdlib_module_names or module in (SDK, _APP, "wit_world"):
        raise BuildError(
            f"a module can't be called `{module}` here, because Python has a module of that name or none "
            "could have it; call the file skill.py",
            str(source),
        )
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(source.resolve().parent), str(source.resolve().parent / "vendor")]
    try:
        importlib.import_module(module)
    except SyntaxError as error:
        shown = f"\n    {error.text.rstrip()}" if error.text else ""
        raise BuildError(
            f"Python can't read this: {error.msg}{shown}", _relative(error.filename), error.lineno
        ) from error
    except ModuleNotFoundError as error:
        file, line = _last_line(error, source)
        raise BuildError(
            f"there is no module `{error.name}`. A skill has Python's standard library and what lies beside "
            f"it; pure Python from elsewhere goes into `vendor`: "
            f"python3 -m pip install --target vendor {error.name}",
            file,
            line,
        ) from error
    except BaseException as error:
        file, line = _last_line(error, source)
        raise BuildError(
            f"importing the skill failed with {type(error).__name__}: {error}. What stands at the top of a "
            "module runs while it is built; calls of the host belong into functions",
            file,
            line,
        ) from error
    if SKILL.is_empty():
        raise BuildError(
            "the skill offers nothing; put @tool above a function, after `from bailiwick_skill import tool`",
            str(source),
        )
    return module


def _last_line(error: BaseException, source: Path) -> tuple[str, int | None]:
    """Where in the author's files it happened."""
    own = str(source.resolve().parent)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(own)]
    return (_relative(frames[-1].filename) or str(source), frames[-1].lineno) if frames else (str(source), None)


def _relative(file: str | None) -> str | None:
    return None if file is None else os.path.relpath(file)


def package_name(folder: Path) -> str:
    """The WIT package of the skill, by its manifest: `acme:report@0.1.0`."""
    manifest = folder / "skill.toml"
    if not manifest.is_file():
        return "local:skill@0.1.0"
    # The two keys stand before any table.
    head = re.split(r"^\s*\[", manifest.read_text("utf-8"), maxsplit=1, flags=re.MULTILINE)[0]
    keys = dict(re.findall(r'^\s*(skill_id|version)\s*=\s*"([^"]*)"', head, re.MULTILINE))
    found = re.fullmatch(r"([a-z0-9-]+)/([a-z0-9-]+)", keys.get("skill_id", ""))
    if not found:
        raise BuildError(
            '`skill_id` has to be namespace/name in lowercase letters, digits and hyphens, such as "acme/report"',
            _relative(str(manifest)),
        )
    return ":".join(_word(part) for part in found.groups()) + f"@{keys.get('version', '0.1.0')}"


def _word(name: str) -> str:
    """A part of an id as WIT can have it: each word begins with a letter."""
    return "-".join(word if word[:1].isalpha() else f"n{word}" for word in name.split("-"))


def wit_package(checked: Checked, imports: Used, docs: str, name: str, wit: Path) -> tuple[str, dict[str, list[str]]]:
    """The text of the skill's package, and what the bindings are to call its interfaces."""
    needed = {
        interface: qualified(wit_folder(wit, interface.folder), interface.folder, interface.name)
        for interface in imports.interfaces
    }
    exports = []
    modules = {"import": [f"{full}={interface.module}" for interface, full in needed.items()], "export": []}
    for offered, interface in (
        (SKILL.prompts, "prompts"),
        (SKILL.resources or SKILL.templates, "resources"),
        (SKILL.workflows, "workflow"),
        (SKILL.callers, "tools"),
    ):
        if offered:
            exports.append(qualified(wit, "skill", interface))
    if SKILL.callers:
        modules["export"] = [f"{exports[-1]}=provider"]
    text = _wit.package(name, docs, checked.named, checked.tools, list(needed.values()), exports)
    if SKILL.callers and checked.tools:
        package, version = name.split("@", 1)
        modules["export"].append(f"{package}/{_wit.INTERFACE}@{version}={_wit.INTERFACE}")
    return text, modules


def wit_folder(wit: Path, folder: str) -> Path:
    """Where a package of WIT lies: with the host's, or with this library."""
    own = Path(__file__).parent / "wit"
    return own if (own / folder).is_dir() else wit


def write_wit(text: str, imports: Used, wit: Path, target: Path) -> None:
    """Writes the package and those that it names."""
    folders = {interface.folder for interface in imports.interfaces}
    if SKILL.prompts or SKILL.resources or SKILL.templates or SKILL.workflows or SKILL.callers or "skill" in folders:
        folders |= {"skill", "logging"}
    if "http" in folders:
        folders |= {"io", "clocks"}
    _fresh(target)
    (target / "skill.wit").write_text(text, "utf-8")
    for folder in sorted(folders):
        try:
            package_of(wit_folder(wit, folder), folder)
        except FileNotFoundError as error:
            raise BuildError(
                "there is no WIT here; give the folder of the host's WIT by --wit, or build by "
                "`bailiwick build`, which writes it",
                str(error),
            ) from error
        shutil.copytree(wit_folder(wit, folder) / folder, target / "deps" / folder)


def write_schemas(checked: Checked, target: Path) -> None:
    """Writes the schemas of a workflow's input and output, which its types can't carry,
    for the manifest to name."""
    shutil.rmtree(target, ignore_errors=True)
    for name, kind in checked.workflow.items():
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{name}.json").write_text(
            json.dumps(_schema.whole(kind), indent=2, ensure_ascii=False) + "\n", "utf-8"
        )


def stage(module: str, imports: Used, data: Path, target: Path) -> None:
    """Puts what goes into the component into a folder of its own: the skill, what it
    imports, what it reads meanwhile, this library, and the file that joins them."""
    _fresh(target)
    if data.is_dir():
        shutil.copytree(data, target / DATA)
    for name, path in imports.modules.items():
        if path.is_dir():
            shutil.copytree(path, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, target / path.name)
    shutil.copytree(
        Path(__file__).parent, target / SDK, ignore=shutil.ignore_patterns("__pycache__", "wit", *_BUILD_ONLY)
    )
    names = [name for name in imports.names if name != "__future__"]
    names += [f"wit_world.imports.{interface.module}" for interface in imports.interfaces]
    (target / f"{_APP}.py").write_text(_GLUE.format(module=module, names=names), "utf-8")


def _fresh(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


if __name__ == "__main__":
    sys.exit(main())

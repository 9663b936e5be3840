"""A component imports what the author's code uses, and nothing besides."""

import tempfile
import textwrap
import unittest
from pathlib import Path

from bailiwick_skill import _imports
from bailiwick_skill.build import package_name

WIT = Path(__file__).resolve().parents[3] / "wit"


class Imports(unittest.TestCase):
    def used(self, **files: str) -> _imports.Used:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder, name.replace("_in_", "/", 1) + ".py")
                path.parent.mkdir(exist_ok=True)
                path.write_text(textwrap.dedent(text), "utf-8")
            return _imports.used("skill", [Path(folder), Path(folder, "vendor")])

    def modules(self, **files: str) -> list[str]:
        return [interface.module for interface in self.used(**files).interfaces]

    def test_a_skill_that_only_computes_imports_nothing(self):
        self.assertEqual(self.modules(skill="import json\nfrom bailiwick_skill import tool\n"), [])

    def test_each_way_to_import_a_module_counts(self):
        for text in (
            "from bailiwick_skill import log",
            "import bailiwick_skill.log",
            "from bailiwick_skill.log import info",
            "def f():\n    from bailiwick_skill import tool, log",
        ):
            self.assertEqual(self.modules(skill=text), ["logging"], text)

    def test_modules_of_the_author_are_followed(self):
        used = self.used(
            skill="import helper, vendored, json",
            helper="from pack import part",
            pack_in___init__="",
            pack_in_part="from bailiwick_skill import progress",
            vendor_in_vendored="from bailiwick_skill import skills",
        )
        self.assertEqual([interface.module for interface in used.interfaces], ["progress", "skills"])
        self.assertEqual(sorted(used.modules), ["helper", "pack", "skill", "vendored"])

    def test_counting_is_imported_where_it_is_called(self):
        self.assertEqual(
            self.modules(skill="from bailiwick_skill import state\nstate.open().get('a')"), ["wasi_keyvalue"]
        )
        self.assertEqual(
            self.modules(skill="from bailiwick_skill import state\nstate.open().increment('a')"),
            ["wasi_keyvalue_atomics", "wasi_keyvalue"],
        )
        self.assertEqual(self.modules(skill="x.increment('a')"), [])

    def test_every_interface_is_in_the_hosts_wit(self):
        own = Path(_imports.__file__).parent / "wit"
        for interface in {interface for interfaces in _imports.HOST.values() for interface in interfaces}:
            folder = own if (own / interface.folder).is_dir() else WIT
            text = "".join(file.read_text("utf-8") for file in (folder / interface.folder).glob("*.wit"))
            self.assertRegex(text, rf"(?m)^interface {interface.name} {{", interface)

    def test_the_package_is_named_by_the_manifest(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(package_name(Path(folder)), "local:skill@0.1.0")
            Path(folder, "skill.toml").write_text(
                'version = "1.2.3-beta.1"\nskill_id = "acme/3d-report"\n[build]\nversion = "9"\n'
            )
            self.assertEqual(package_name(Path(folder)), "acme:n3d-report@1.2.3-beta.1")


if __name__ == "__main__":
    unittest.main()

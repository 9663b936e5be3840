"""What `bailiwick new` writes, and the example, are in order up to where componentize-py is needed."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SDK = Path(__file__).resolve().parents[1]
ROOT = SDK.parents[1]
TEMPLATES = ROOT / "host" / "authoring" / "templates" / "python"


class Templates(unittest.TestCase):
    def derived(self, source: Path) -> Path:
        """A copy of a package with its WIT and its schemas."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".build", "*.wasm"))
        for file in (path for path in folder.rglob("*") if path.is_file()):
            text = file.read_text("utf-8").replace("{{name}}", "word-count").replace("{{namespace}}", "local")
            file.write_text(text.replace("{{ident}}", "word_count"), "utf-8")
        # Without packages and without PATH there is no componentize-py.
        command = [sys.executable, "-S", "-m", "bailiwick_skill.build", "--wit", str(ROOT / "wit")]
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": str(SDK), "PATH": "/nowhere", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self.assertIn("componentize-py is not installed", done.stderr)
        self.assertNotIn("warning", done.stderr)
        return folder

    def wit(self, source: Path) -> str:
        return (self.derived(source) / ".build" / "wit" / "skill.wit").read_text("utf-8")

    def test_a_tool(self):
        wit = self.wit(TEMPLATES / "tool")
        self.assertIn("package local:word-count@0.1.0;", wit)
        self.assertIn("frequent: func(text: string, most: option<u32>) -> result<list<frequency>, string>;", wit)

    def test_prompts(self):
        self.assertIn("export bailiwick:skill/prompts@0.1.0;", self.wit(TEMPLATES / "prompt"))

    def test_a_workflow_and_its_schemas(self):
        folder = self.derived(TEMPLATES / "workflow")
        wit = (folder / ".build" / "wit" / "skill.wit").read_text("utf-8")
        self.assertIn("import bailiwick:skill/skills@0.1.0;", wit)
        self.assertIn("export bailiwick:skill/workflow@0.1.0;", wit)
        for name in ("input.json", "output.json"):
            self.assertEqual(
                (folder / "schemas" / name).read_text("utf-8"),
                (folder / ".build" / "schemas" / name).read_text("utf-8"),
            )

    def test_the_example(self):
        wit = self.wit(ROOT / "examples" / "skills" / "report")
        self.assertEqual(wit.count(": func("), 3)
        self.assertNotIn("import", wit)


if __name__ == "__main__":
    unittest.main()

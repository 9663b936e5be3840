"""componentize-py makes the same component each time, with the imports that were meant."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from bailiwick_skill import _steady

SDK = Path(__file__).resolve().parents[1]
WIT = SDK.parents[1] / "wit"
SKILL = '''
from bailiwick_skill import log, tool

@tool
def greet(name: str) -> str:
    """Greets somebody."""
    log.info("greeting")
    import random
    return random.choice(["Hello, ", "Hi, "]) + name
'''


def python() -> str | None:
    """A Python with componentize-py: this one, or that of the toolchains."""
    toolchains = os.environ.get("BAILIWICK_TOOLCHAINS", SDK.parents[1] / "target" / "toolchains")
    other = Path(toolchains) / "python" / "bin" / "python3"
    if importlib.util.find_spec("componentize_py"):
        return sys.executable
    return str(other) if other.is_file() else None


@unittest.skipUnless(python(), "componentize-py isn't installed, and there is none in target/toolchains")
class Component(unittest.TestCase):
    def build(self, folder: Path) -> bytes:
        folder.mkdir(parents=True)
        Path(folder, "skill.py").write_text(SKILL, "utf-8")
        command = [python(), "-m", "bailiwick_skill.build", "--wit", str(WIT)]
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": str(SDK)}, capture_output=True, text=True, check=False
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return Path(folder, ".build", "skill.wasm").read_bytes()

    def test_the_same_bytes_from_two_folders(self):
        root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, root)
        first = self.build(root / "a")
        imports = set(re.findall(rb"(?:bailiwick:skill|wasi:(?:logging|config|keyvalue|http))/[a-z-]+", first))
        self.assertEqual(imports, {b"wasi:logging/logging"})
        self.assertNotIn(os.fsencode(root), first)
        if _steady.is_possible():
            second = self.build(root / "another" / "folder")
            self.assertEqual(hashlib.sha256(first).hexdigest(), hashlib.sha256(second).hexdigest())


if __name__ == "__main__":
    unittest.main()

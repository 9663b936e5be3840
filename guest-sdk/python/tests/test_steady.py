"""What the supervisor answers has nothing in it that differs from build to build."""

import os
import struct
import tempfile
import time
import unittest
from pathlib import Path

from bailiwick_skill import _steady


class Steady(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def test_a_file_is_its_kind_its_size_and_its_place(self):
        path = self.root / "a"
        path.write_text("12345")
        made = _steady._packed(path.stat(), 7)
        path.write_text("54321")
        path.chmod(0o600)
        os.utime(path, (1, time.time() + 1000))
        self.assertEqual(made, _steady._packed(path.stat(), 7))
        self.assertEqual(len(made), 256)
        self.assertEqual(struct.unpack_from("=Q", made, 32), (7,))
        self.assertEqual(struct.unpack_from("=Q", made, 40), (5,))

    def test_a_folder_is_read_by_name_wherever_it_lies(self):
        found = []
        for name, order in (("one", "cab"), ("another", "bca")):
            folder = self.root / name / "x"
            folder.mkdir(parents=True)
            for entry in order:
                (folder / entry).touch()
            found.append(_steady._Supervisor(-1, self.root / name)._entries(str(folder)))
        self.assertEqual(found[0], found[1])
        self.assertEqual([entry[19:].rstrip(b"\0") for entry in found[0]], [b".", b"..", b"a", b"b", b"c"])
        self.assertTrue(all(len(entry) % 8 == 0 for entry in found[0]))


if __name__ == "__main__":
    unittest.main()

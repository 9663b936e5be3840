"""Runs componentize-py so that the same skill gives the same bytes.

`_steady_child.py` says why. Here is its supervisor: it answers what the child asks of
files, with none of what differs from build to build: times, numbers, devices, owners,
and the order of a folder.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import select
import socket
import stat
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import BinaryIO

_CHILD = Path(__file__).parent / "_steady_child.py"

# When everything happened: the first day that zip files know. The child has it too.
_STILL = 315532800

# `ioctl` numbers of <linux/seccomp.h>, and the sizes of what they carry.
_RECEIVE = 0xC0502100
_SEND = 0xC0182101
_CONTINUE = 1
_ASKED_SIZE = 80
_SYS_STATX = 332
_DT_DIR, _DT_REG, _DT_LNK = 4, 8, 10
_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_LONGEST_PATH = 4096


def is_possible() -> bool:
    """Whether this machine is one of those that this was made for."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def run(python: str, arguments: list[str], environment: dict[str, str], root: Path) -> tuple[int, str, str]:
    """Runs componentize-py of a Python. Gives its exit status, what it printed, and why
    the bytes may differ from build to build, if they may. Files below `root` are known
    by their path from there."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [python, "-I", str(_CHILD), str(theirs.fileno()), *arguments]
        child = subprocess.Popen(
            command,
            env=environment,
            pass_fds=[theirs.fileno()],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        theirs.close()
        message, descriptors, _, _ = socket.recv_fds(ours, 1024, 1)
        if not descriptors:
            output, _ = child.communicate()
            return child.returncode, output, message.decode()
        supervisor = _Supervisor(descriptors[0], root)
        threading.Thread(target=supervisor.answer, daemon=True).start()
        output, _ = child.communicate()
        return child.returncode, output, supervisor.failure


class _Supervisor:
    """Answers the child's questions. Arguments are those of the system calls."""

    def __init__(self, listener: int, root: Path):
        self._listener = listener
        self._root = root
        self._folders: dict[tuple[int, int], list[bytes]] = {}
        """What is left of the folders that are being read, by file descriptor and number."""
        self.failure = ""
        """Why a question was left to the system to answer."""

    def answer(self) -> None:
        """Answers every question until the child has ended."""
        libc = ctypes.CDLL(None, use_errno=True)
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        while all(not events & select.POLLHUP for _, events in poll.poll()):
            asked = ctypes.create_string_buffer(_ASKED_SIZE)
            if libc.ioctl(self._listener, ctypes.c_ulong(_RECEIVE), asked) != 0:
                continue
            number, task, _, call, _, _, *arguments = struct.unpack("=QIIiIQ6Q", asked.raw)
            answer = self._answer(f"/proc/{task}", call, arguments)
            libc.ioctl(self._listener, ctypes.c_ulong(_SEND), struct.pack("=QqiI", number, *answer))
        os.close(self._listener)

    def _answer(self, task: str, call: int, arguments: list[int]) -> tuple[int, int, int]:
        """The value, the error, and the flags of an answer."""
        try:
            memory = open(f"{task}/mem", "r+b", buffering=0)
        except OSError as failed:
            # Where a system lets nobody look into another process, it answers itself.
            self.failure = f"{failed.strerror}: {failed.filename}"
            return 0, 0, _CONTINUE
        with memory:
            try:
                return (self._statx if call == _SYS_STATX else self._getdents)(memory, task, *arguments), 0, 0
            except OSError as failed:
                return 0, -(failed.errno or errno.EIO), 0

    def _statx(
        self, memory: BinaryIO, task: str, folder: int, path: int, flags: int, _: int, buffer: int, *__: int
    ) -> int:
        name = _name(memory, path)
        folder = ctypes.c_int(folder & 0xFFFFFFFF).value
        start = f"{task}/cwd" if folder == _AT_FDCWD else f"{task}/fd/{folder}"
        full = os.path.join(start, name) if name else start
        # A path without a name is the open file itself, behind the link in /proc.
        found = os.stat(full, follow_symlinks=not name or not flags & _AT_SYMLINK_NOFOLLOW)
        memory.seek(buffer)
        memory.write(_packed(found, self._number(os.path.join(os.path.realpath(start), name).rstrip("/"))))
        return 0

    def _getdents(self, memory: BinaryIO, task: str, folder: int, buffer: int, size: int, *_: int) -> int:
        path = f"{task}/fd/{folder}"
        key = (folder, os.stat(path).st_ino)
        if key not in self._folders:
            self._folders[key] = self._entries(path)
        left = self._folders[key]
        if not left:
            del self._folders[key]
            return 0
        fitting = b""
        while left and len(fitting) + len(left[0]) <= size:
            fitting += left.pop(0)
        if not fitting:
            raise OSError(errno.EINVAL, "the buffer holds no entry")
        memory.seek(buffer)
        memory.write(fitting)
        return len(fitting)

    def _entries(self, path: str) -> list[bytes]:
        """`struct linux_dirent64` of each entry, by name."""
        with os.scandir(path) as found:
            kinds = {entry.name: _kind(entry) for entry in found}
        where = os.path.realpath(path)
        packed = []
        for position, name in enumerate([".", "..", *sorted(kinds)], start=1):
            raw = os.fsencode(name) + b"\0"
            length = -(-(19 + len(raw)) // 8) * 8
            number = self._number(os.path.join(where, name))
            head = struct.pack("=QqHB", number, position, length, kinds.get(name, _DT_DIR))
            packed.append((head + raw).ljust(length, b"\0"))
        return packed

    def _number(self, where: str) -> int:
        """A file's number: the same for the same place below the root, and never 0."""
        return zlib.crc32(os.fsencode(os.path.relpath(where, self._root))) + 1


def _kind(entry: os.DirEntry[str]) -> int:
    if entry.is_symlink():
        return _DT_LNK
    return _DT_DIR if entry.is_dir() else _DT_REG


def _name(memory: BinaryIO, address: int) -> str:
    """A text of the child's memory, which is read page by page, as the next may be missing."""
    if not address:
        return ""
    memory.seek(address)
    text = b""
    while b"\0" not in text and len(text) < _LONGEST_PATH:
        text += memory.read(4096 - (address + len(text)) % 4096)
    return os.fsdecode(text.partition(b"\0")[0])


def _packed(found: os.stat_result, number: int) -> bytes:
    """`struct statx`."""
    is_folder = stat.S_ISDIR(found.st_mode)
    mode = stat.S_IFMT(found.st_mode) | (0o755 if is_folder else 0o644)
    size = 0 if is_folder else found.st_size
    basic = 0x7FF
    times = struct.pack("=qIi", _STILL, 0, 0) * 4
    head = struct.pack("=IIQIIIHHQQQQ", basic, 4096, 0, 1, 0, 0, mode, 0, number, size, 0, 0)
    return (head + times + struct.pack("=IIII", 0, 0, 0, 1)).ljust(256, b"\0")

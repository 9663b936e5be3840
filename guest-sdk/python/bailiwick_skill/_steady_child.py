"""Runs componentize-py where clock and randomness stand still: `_steady_child.py SOCKET ARGS`.

The component holds the memory of an interpreter that has started already. It has in it
what the interpreter saw: the time, random bytes, the times and numbers of files. So here
time stands still and random bytes are all the same, in this process alone, and a
supervisor answers what is asked of files (`_steady.py`). The socket is where it gets the
file descriptor for that.

This file is run by itself, by a Python that may have nothing of this library.
"""

import ctypes
import os
import socket
import struct
import sys

# 1980-01-01, the first day that zip files know.
STILL = 315532800

# x86-64. `memset(buffer, 0x42, length)`, giving the length:
# mov rdx, rsi; mov rcx, rsi; mov al, 0x42; rep stosb; mov rax, rdx; ret
GETRANDOM = bytes.fromhex("4889f2 4889f1 b042 f3aa 4889d0 c3")
# The same seconds each time, and no nanoseconds, giving 0:
# mov qword [rsi], STILL; mov qword [rsi+8], 0; xor eax, eax; ret
CLOCK_GETTIME = bytes.fromhex("48c706") + struct.pack("<I", STILL) + bytes.fromhex("48c7460800000000 31c0 c3")

SYS_SECCOMP = 317
SYS_STATX = 332
SYS_GETDENTS64 = 217
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_NEW_LISTENER = 8
SECCOMP_RET_USER_NOTIF = 0x7FC00000
SECCOMP_RET_ALLOW = 0x7FFF0000
READ_WRITE_EXECUTE = 7

libc = ctypes.CDLL(None, use_errno=True)


def replace(name, code):
    """Puts other code into the place of a function of the C library."""
    address = ctypes.cast(getattr(libc, name), ctypes.c_void_p).value
    size = os.sysconf("SC_PAGESIZE")
    page = address - address % size
    if libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(2 * size), READ_WRITE_EXECUTE) != 0:
        raise OSError(ctypes.get_errno(), f"{name} can't be replaced")
    ctypes.memmove(address, code, len(code))


class Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def hand_over_files():
    """Has the supervisor asked what a file is and what a folder holds; gives the file
    descriptor that it is asked by."""
    instructions = [
        (0x20, 0, 0, 0),  # The number of the system call.
        (0x15, 1, 0, SYS_STATX),
        (0x15, 0, 1, SYS_GETDENTS64),
        (0x06, 0, 0, SECCOMP_RET_USER_NOTIF),
        (0x06, 0, 0, SECCOMP_RET_ALLOW),
    ]
    code = b"".join(struct.pack("=HBBI", *one) for one in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = Program(len(instructions), ctypes.cast(buffer, ctypes.c_void_p).value)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no filter of system calls can be set")
    flags = ctypes.c_uint(SECCOMP_FILTER_FLAG_NEW_LISTENER)
    listener = libc.syscall(SYS_SECCOMP, SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(program))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "no filter of system calls can be set")
    return listener


def main():
    """Becomes componentize-py."""
    supervisor = socket.socket(fileno=int(sys.argv[1]))
    import componentize_py

    try:
        replace("getrandom", GETRANDOM)
        replace("clock_gettime", CLOCK_GETTIME)
        listener = hand_over_files()
        socket.send_fds(supervisor, [b"1"], [listener])
        os.close(listener)
    except OSError as error:
        supervisor.send(str(error).encode())
    supervisor.close()
    sys.argv = ["componentize-py", *sys.argv[2:]]
    sys.exit(componentize_py.script())


main()

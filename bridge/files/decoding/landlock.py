"""Landlock: from here on the process opens, makes and removes no file, and opens no TCP connection. What is open stays open.

Two system calls, since nothing is excepted and so no rule is added. Source: Linux, Documentation/userspace-api/landlock.rst and
include/uapi/linux/landlock.h. Called by `confinement`."""

from __future__ import annotations

import ctypes
import os

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
"""The same numbers on every processor that Linux has had Landlock on."""
_ASK_VERSION = 1
_FILES = ((1, 0x1FFF), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
"""Ways to use a path, by the version that brought them: reading, writing, running, making and removing; moving between folders (2);
truncating (3); controlling devices (5)."""
_TCP = ((4, 0b11),)
"""To bind and to connect."""
_SCOPES = ((6, 0b11),)
"""Abstract UNIX sockets of other processes, and signals to them."""
TCP_FROM = 4
"""The version that knows TCP ports (Linux 6.7)."""


class _Ruleset(ctypes.Structure):
    """A kernel that knows less of it wants zeros in the rest."""

    _fields_ = (("files", ctypes.c_uint64), ("tcp", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


def restrict() -> int:
    """The version in force, 1 or above. The process must have given up new privileges. Raises OSError where the kernel has none."""
    version = _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))
    ruleset = _Ruleset(*(sum(bits for since, bits in known if since <= version) for known in (_FILES, _TCP, _SCOPES)))
    descriptor = _call(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(ctypes.sizeof(ruleset)), ctypes.c_uint32(0))
    try:
        _call(_RESTRICT_SELF, ctypes.c_int(descriptor), ctypes.c_uint32(0))
    finally:
        os.close(descriptor)
    return version


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    answer = int(libc.syscall(ctypes.c_long(number), *arguments))
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer

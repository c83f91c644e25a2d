"""The unit's filter of system calls, as systemd would make it, for a process of a test: what it allows by number, and the two
things that it looks closer at (new namespaces, memory that is written and run)."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

UNIT = Path(__file__).parents[2] / "systemd" / "messenger-bridge.service"
_HEADERS = (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h"))


def numbers() -> dict[str, int]:
    """Of this processor's system calls; empty where the system's headers are not installed, or it is another one."""
    found = next((path for path in _HEADERS if path.exists()), None)
    return {} if found is None else {name: int(number) for name, number in re.findall(r"__NR_(\w+)\s+(\d+)", found.read_text())}


@cache
def _of_set(name: str) -> frozenset[str]:
    listed = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout
    names = {line.strip() for line in listed.splitlines()[1:] if line.strip() and not line.strip().startswith("#")}
    inner = (_of_set(one) for one in names if one.startswith("@"))
    return frozenset({one for one in names if not one.startswith("@")}.union(*inner))


def allowed() -> set[str]:
    """The names that the unit's lines allow, in their order: a line with ~ takes away."""
    names = set(_of_set("@default"))
    for line in UNIT.read_text().splitlines():
        if not line.startswith("SystemCallFilter="):
            continue
        text = line.partition("=")[2]
        parts = text.removeprefix("~").split()
        listed = set().union(*(_of_set(one) if one.startswith("@") else {one} for one in parts))
        names = names - listed if text.startswith("~") else names | listed
    return names


def code() -> str:
    """Python that puts the filter into force. Uses the numbers of x86_64."""
    by_name = numbers()
    kept = sorted(by_name[name] for name in allowed() & set(by_name) - {"clone", "clone3", "unshare", "setns", "mmap", "mprotect"})
    return f"""
import ctypes, os
class Step(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32)]
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("steps", ctypes.POINTER(Step))]
ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x50001, 0x50026
NAMESPACES = 0x7E020080
steps = [(0x20, 0, 0, 0)]
for number in {kept!r}: steps += [(0x15, 0, 1, number), (6, 0, 0, ALLOW)]
steps += [(0x15, 0, 1, {by_name["clone3"]}), (6, 0, 0, ENOSYS)]
steps += [(0x15, 0, 4, {by_name["clone"]}), (0x20, 0, 0, 16), (0x45, 1, 0, NAMESPACES), (6, 0, 0, ALLOW), (6, 0, 0, EPERM)]
for number in ({by_name["mmap"]}, {by_name["mprotect"]}):
    steps += [(0x15, 0, 5, number), (0x20, 0, 0, 32), (0x54, 0, 0, {{9: 6, 10: 4}}[number])]
    steps += [(0x15, 1, 0, {{9: 6, 10: 4}}[number]), (6, 0, 0, ALLOW), (6, 0, 0, EPERM)]
steps += [(6, 0, 0, EPERM)]
program = Program(len(steps), (Step * len(steps))(*(Step(*one) for one in steps)))
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)
if libc.prctl(22, 2, ctypes.byref(program), 0, 0): raise OSError(ctypes.get_errno(), "no filter")
"""

"""Seccomp: from here on the process computes, has memory and threads, and reads and writes what it has open. Every other system
call is answered as if the kernel did not know it: opening or removing files, sockets, other processes, signals to them.

A list of what is needed, since new system calls are added with every kernel. On processors without a table here there is no filter,
and `check` says so. Source: Linux, Documentation/userspace-api/seccomp_filter.rst; numbers: arch/x86/entry/syscalls/syscall_64.tbl,
include/uapi/asm-generic/unistd.h. Called by `confinement`."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Iterable

_OWN, _GENERIC = 0, 1
MACHINES = {
    "x86_64": (0xC000003E, _OWN, 317, 56),
    "aarch64": (0xC00000B7, _GENERIC, 277, 220),
    "riscv64": (0xC00000F3, _GENERIC, 277, 220),
    "loongarch64": (0xC0000102, _GENERIC, 277, 220),
}
"""As the kernel names the processor (AUDIT_ARCH_...), whose numbers it has, and those of seccomp and clone. Source: Linux,
include/uapi/linux/audit.h and elf-em.h."""
NEEDED: dict[str, tuple[int, int]] = {
    # what is open: the file, the pipe
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "lseek": (8, 62),
    "close": (3, 57),
    "fstat": (5, 80),
    "newfstatat": (262, 79),  # some C libraries ask for an open file's size with it
    # memory
    "mmap": (9, 222),
    "munmap": (11, 215),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    # threads, which draw animations
    "futex": (202, 98),
    "futex_wait": (455, 455),
    "futex_wake": (454, 454),
    "futex_waitv": (449, 449),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "membarrier": (324, 283),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getpid": (39, 172),
    "gettid": (186, 178),
    # signals to itself, time, chance
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "getrandom": (318, 278),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
_CLONE_THREAD = 0x00010000
_SET_FILTER, _FOR_ALL_THREADS = 1, 1
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16
"""Where the filter finds them (struct seccomp_data)."""
_LOAD, _IF_EQUAL, _IF_BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.ENOSYS
"""With this answer libraries take their older way, where they have one."""


class _Step(ctypes.Structure):
    """struct sock_filter."""

    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def restrict() -> None:
    """For all threads of the process, which must have given up new privileges. Raises OSError where that is not possible."""
    machine = os.uname().machine
    if machine not in MACHINES or sys.maxsize < 2**32:
        bits = "" if sys.maxsize > 2**32 else " with 32-bit programs"
        raise OSError(errno.ENOTSUP, f"the numbers of the system calls are not known for {machine}{bits}")
    seccomp = MACHINES[machine][2]
    steps = [_Step(*step) for step in steps_for(machine)]
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    arguments = ctypes.c_uint(_SET_FILTER), ctypes.c_uint(_FOR_ALL_THREADS), ctypes.byref(program)
    answer = libc.syscall(ctypes.c_long(seccomp), *arguments)
    if answer:
        code = ctypes.get_errno() if answer < 0 else errno.ESRCH
        raise OSError(code, os.strerror(code))


def steps_for(machine: str) -> Iterable[tuple[int, int, int, int]]:
    """The filter's program for one of `MACHINES`."""
    name, numbers, _, clone = MACHINES[machine]
    return _steps(name, clone, [needed[numbers] for needed in NEEDED.values()])


def _steps(machine: int, clone: int, needed: list[int]) -> Iterable[tuple[int, int, int, int]]:
    """The program: code, steps to skip if it holds, steps to skip if not, value. The last two steps are the answers."""
    left = len(needed) + 3  # steps between the number's loading and the refusal
    yield _LOAD, 0, 0, _MACHINE
    yield _IF_EQUAL, 0, left + 1, machine
    yield _LOAD, 0, 0, _NUMBER
    for done, number in enumerate(needed, 1):
        yield _IF_EQUAL, left - done + 1, 0, number
    yield _IF_EQUAL, 0, 2, clone
    yield _LOAD, 0, 0, _FIRST_ARGUMENT
    yield _IF_BITS, 1, 0, _CLONE_THREAD  # a thread, no process
    yield _RETURN, 0, 0, _REFUSE
    yield _RETURN, 0, 0, _ALLOW

"""The filter of system calls, for every processor that it knows, whatever runs the tests."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from bridge.files.decoding.system_calls import MACHINES, NEEDED, restrict, steps_for

ALLOWED, REFUSED = 0x7FFF0000, 0x00050000 | errno.ENOSYS
THREAD = 0x003D0F00
"""The flags with which C libraries start threads."""
PROCESS = 0x01200011
GENERIC, OWN = Path("/usr/include/asm-generic/unistd.h"), Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")


def answer(machine: str, number: int, *, argument: int = 0, audited: int | None = None) -> int:
    """What the kernel would do: the program run step by step, as its documentation says."""
    steps = list(steps_for(machine))
    words = {0: number, 4: MACHINES[machine][0] if audited is None else audited, 16: argument}
    at = value = 0
    for _ in steps:
        code, yes, no, operand = steps[at]
        at += 1
        match code:
            case 0x20:
                value = words[operand]
            case 0x15:
                at += yes if value == operand else no
            case 0x45:
                at += yes if value & operand else no
            case 0x06:
                return operand
    raise AssertionError("the program does not end")


@pytest.mark.parametrize("machine", MACHINES)
def test_only_what_computing_needs_is_allowed(machine: str) -> None:
    _, column, seccomp, clone = MACHINES[machine]
    needed = {numbers[column] for numbers in NEEDED.values()}
    assert {number for number in range(600) if answer(machine, number) == ALLOWED} == needed
    assert answer(machine, clone, argument=THREAD) == ALLOWED
    assert answer(machine, clone, argument=PROCESS) == REFUSED
    assert answer(machine, seccomp) == REFUSED
    assert answer(machine, 2**31) == REFUSED


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_in_the_numbers_of_another_processor_are_refused(machine: str) -> None:
    """A 64-bit x86 kernel also serves 32-bit calls, an ARM one those of 32-bit ARM: other numbers for other things."""
    for audited in (0x40000003, 0x40000028, 0):
        assert {answer(machine, number, audited=audited) for number in range(600)} == {REFUSED}
    x32 = 0x40000000
    assert {answer(machine, x32 + number) for number in range(600)} == {REFUSED}


@pytest.mark.parametrize(("header", "column"), [(OWN, 0), (GENERIC, 1)])
def test_the_numbers_are_the_kernels(header: Path, column: int) -> None:
    if not header.exists():
        pytest.skip("without the kernel's headers")
    defined = re.findall(r"^#define __NR(?:3264)?_(\w+) (\d+)$", header.read_text(), re.MULTILINE)
    numbers = {name: int(number) for name, number in defined}
    renamed = {"newfstatat": "fstatat"} if column else {}
    newest = {"futex_wait", "futex_wake"}  # of Linux 6.7: older headers lack them
    for name, both in NEEDED.items():
        found = numbers.get(renamed.get(name, name))
        assert found == both[column] or (found is None and name in newest), name
    for _, whose, seccomp, clone in MACHINES.values():
        if whose == column:
            assert (numbers["seccomp"], numbers["clone"]) == (seccomp, clone)


@pytest.mark.parametrize(("machine", "words"), [("s390x", "s390x"), ("armv7l", "armv7l")])
def test_an_unknown_processor_is_said_to_be_not_guarded(machine: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "host", "6.12", "#1", machine)))
    with pytest.raises(OSError, match=f"not known for {words}"):
        restrict()

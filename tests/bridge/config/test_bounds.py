"""Files that are damaged, or made to hurt: a fault with its place, in bounded time and memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bridge.config import bounds, faults, filters
from bridge.config.bounds import MOST_NODES

MIB = 1024 * 1024

HOSTILE = {
    "brackets": ("[" * (16 * MIB), "1:101: nested more than 100 levels"),
    "markers": ("- " * (8 * MIB), "1:201: nested more than 100 levels"),
    "many small lists": ("a: [" + "[]," * (5 * MIB) + "]", "more than 500,000 keys and values"),
    "items": ("- a\n" * (4 * MIB), "500000:3: more than 500,000 keys and values"),
    "anchors": ("x-a:\n" + "".join(f"- &a{n} x\n- *a{n}\n" for n in range(1_000_000)), "more than 500,000 keys and values"),
    "a scalar": ("x-a: 1\nb: " + "x" * (10 * MIB), "2:4: a value of more than 1,000,000 characters"),
    "a block": ("a: |\n" + "  x\n" * (2 * MIB), "1:4: a value of more than 1,000,000 characters"),
    "an open quote": ("a: '" + "x\n" * (8 * MIB), "found unexpected end of stream"),
    "closing brackets": ("]" * (16 * MIB), "1:1: YAML: did not find expected node content"),
    "empty lines": ("\n" * (16 * MIB), "the file is empty"),
    "unknown sections": ("".join(f"k{n}: 1\n" for n in range(160_000)), "has 1,000 faults, and maybe more"),
    "laughs": (
        "x-a0: &a0 {k: v}\n"
        + "".join(f"x-a{n}: &a{n} {{{', '.join(f'k{i}: *a{n - 1}' for i in range(10))}}}\n" for n in range(1, 12))
        + "accounts: {ts: {platform: teamspirit, server: 'https://im.example.com', overrides: *a11}}\n",
        "too many values",
    ),
}
_LOAD = """
import resource, sys
from pathlib import Path
from adapters.registry import load_platform
from bridge.config.load import load_config
for name in sys.argv[1:]:
    loaded = load_config(Path(name), {}, load_platform)
    print(name, loaded.config, *(str(fault)[:300] for fault in loaded.faults[:3]), sep=" | ")
usage = resource.getrusage(resource.RUSAGE_SELF)
highest = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(highest.split()[1]) // 1024, round(usage.ru_utime + usage.ru_stime))
"""


def test_hostile_files_are_faults_in_bounded_time_and_memory(tmp_path: Path) -> None:
    """One process reads them all, one after the other."""
    names = []
    for number, (text, _) in enumerate(HOSTILE.values()):
        names.append(f"{number}.yaml")
        (tmp_path / names[-1]).write_text(text)
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(100 * MIB)
    command = [sys.executable, "-c", _LOAD, *(str(tmp_path / name) for name in (*names, "huge.yaml"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=500)
    *lines, usage = done.stdout.splitlines()
    for line, (name, (_, words)) in zip(lines, HOSTILE.items(), strict=False):
        assert words in line, (name, line)
        assert " | None | " in line, name
    assert "is larger than 64 MiB" in lines[-1]
    memory_mib, cpu_s = map(int, usage.split())
    assert memory_mib < 500
    assert cpu_s < 100


def test_ten_thousand_routes_are_not_too_much(zoo: Any) -> None:
    routes = "".join(f"- name: route{n}\n  between: [polly/#x{n}, owl/y{n}]\n  pins: true\n" for n in range(10_000))
    assert len(zoo.good("routes:\n" + routes).routes) == 10_000


@pytest.mark.parametrize("text", ["x-a: 'a'\n", "x-a: [a, b, {c: d}]\n", "x-a:\n- {b}\n- ? c\n", "x-a: &a b\nx-c: *a\n"])
@pytest.mark.parametrize("beyond", [False, True])
def test_what_is_counted_is_what_is_there(zoo: Any, text: str, beyond: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rough count never lets through what the exact one refuses."""
    from bridge.config.nodes import _events

    exact = sum(hasattr(event, "anchor") for event in _events(text))
    monkeypatch.setattr(bounds, "MOST_NODES", exact - beyond)
    found = zoo.rest(text).faults if beyond else []
    assert bounds.may_be_too_much(text) or not beyond
    assert any("keys and values" in str(fault) for fault in found) is beyond
    assert MOST_NODES == 500_000


def test_only_the_first_faults_are_looked_for(zoo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "_MOST", 3)
    loaded = zoo.rest("".join(f"k{n}: 1\n" for n in range(10)))
    assert [fault.line for fault in loaded.faults] == [0, 5, 6, 7]
    assert "3 faults, and maybe more" in str(loaded.faults[0])
    assert loaded.config is None


def test_warnings_end_as_well(zoo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "_MOST", 2)
    loaded = zoo.load(zoo.accounts)
    assert len(loaded.warnings) == 2
    assert loaded.config is not None


def test_too_many_accounts_are_a_fault_at_the_first_of_them(zoo: Any) -> None:
    loaded = zoo.load("accounts:\n" + "".join(f"  p{n}: {{platform: parrot, token: token{n}}}\n" for n in range(2001)))
    (fault,) = loaded.faults
    assert (fault.line, fault.why) == (2002, "more than 2,000 accounts: the others are not read")


def test_a_pattern_that_is_too_long(zoo: Any) -> None:
    pattern = "(a|b)" * 4001
    assert len(pattern) > filters._LONGEST_PATTERN
    text = f"routes:\n- {{name: a, between: [polly/#x, owl/y], filter: [{{drop: {{text: '{pattern}'}}}}]}}\n"
    (fault,) = zoo.rest(text).faults
    assert (fault.line, fault.key) == (6, "routes[0].filter[0].drop.text")
    assert "more than 20,000 characters" in fault.why

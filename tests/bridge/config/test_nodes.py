"""YAML itself: syntax errors with their places, and keys, anchors and merges that are traps."""

from __future__ import annotations

import time
from typing import Any

import pytest

ROUTE = "routes:\n  - {name: a, between: [polly/#x, owl/y]}\n"


def only(found: list[str]) -> str:
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: {token: ${VAR}}", "1:13", 'quote it, as in {token: "${VAR}"}'),
        ("a:\n  - [x, ${VAR}]", "2:10", "quote it"),
        ("a: {t: x${A:-d}/y}", "1:10", "quote it"),
        ("a:\n\tb: 1", "2:1", "spaces, not with tabs"),
        ("a: @x", "1:4", "quote a value that begins with @"),
        ("a: {text: #foo}\nb: 1", "2:2", "a # after a space begins a comment"),
        ("a: b: c", "1:5", "mapping values are not allowed"),
        ("a: [1, 2", "2:1", "begins in line 1"),
        ("a: 'x", "1:6", "unexpected end"),
        ("a: *x", "1:4", "undefined alias"),
        ("--- {}\n--- {}", "2:1", "another document"),
        ("k: \x07", "1:4", "U+0007"),
    ],
)
def test_syntax_errors_are_faults_with_a_place(zoo: Any, text: str, place: str, words: str) -> None:
    loaded = zoo.load(text)
    said = str(only(loaded.faults))
    assert said.startswith(f"{zoo.path}:{place}: ")
    assert words in said
    assert loaded.config is None


def test_duplicate_keys_are_faults(zoo: Any) -> None:
    assert zoo.faults(ROUTE + "log: {level: info, level: debug}\nlog: {}\n") == [
        "7:20: log.level: given twice: it is already in line 7",
        "8:1: log: given twice: it is already in line 7",
    ]


def test_anchors_and_merge_keys(zoo: Any) -> None:
    loaded = zoo.load(
        """\
x-base: &base {platform: parrot, limit: 5, loud: yes}
x-more: &more {limit: 7, mode: listen}
accounts:
  polly: {<<: *base, token: abcde, loud: no}
  coco: {<<: [*base, *more], token: bcdef}
routes:
  - &r {name: a, between: [polly/#x, coco/#y], pins: on}
  - {<<: *r, name: b, between: [polly/#z, coco/#z]}
"""
    )
    assert not loaded.faults, [str(fault) for fault in loaded.faults]
    assert loaded.config is not None
    polly, coco = (loaded.config.accounts[name].options for name in ("polly", "coco"))
    assert (polly.limit, polly.loud, polly.mode) == (5, False, "speak")
    assert (coco.limit, coco.loud, coco.mode) == (5, True, "listen")
    assert loaded.config.routes[1].ends[0].options.pins is True


@pytest.mark.parametrize(
    "text",
    ["accounts: &a\n  x: *a\n", "accounts: &a {<<: *a}\n", "accounts: {p: {platform: parrot, token: abcde, free: &f {x: *f}}}\n"],
)
def test_aliases_within_themselves_end(zoo: Any, text: str) -> None:
    assert zoo.load(text).faults


def test_multiplying_aliases_end(zoo: Any) -> None:
    lines = ["x-0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    begun = time.process_time()
    loaded = zoo.load("\n".join(lines) + "\naccounts: {p: {platform: parrot, token: abcde, free: {x: *a11}}}\n")
    assert any("too many values" in str(fault) for fault in loaded.faults)
    assert time.process_time() - begun < 5


def test_multiplying_merges_end(zoo: Any) -> None:
    """25 lines, each of which merges the one before twice: each mapping is read once, not 2^25 times."""
    lines = ["x-0: &a0 {k: v}"] + [f"x-{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], k{n}: v}}" for n in range(1, 26)]
    account = "accounts: {p: {platform: parrot, token: abcde, free: {<<: [*a25, *a25]}}}\n"
    loaded = zoo.load("\n".join(lines) + "\n" + account + "routes: []\n")
    assert not [fault for fault in loaded.faults if "merge" in str(fault)]


def test_merges_that_go_round_end(zoo: Any) -> None:
    assert any("merges itself" in str(fault) for fault in zoo.load("x-a: &a {<<: [*a, *a]}\naccounts: *a\n").faults)

"""What `check` and the log say of the processes that convert files."""

from __future__ import annotations

import pytest

from bridge.files import guards
from bridge.files.guards import Guards, guards_of, probed


@pytest.mark.parametrize(
    ("network", "files", "missing", "words", "whole"),
    [
        (
            ("namespaces", "Landlock (TCP)", "seccomp"),
            ("Landlock", "seccomp"),
            {},
            "conversions run without network (namespaces, Landlock (TCP), seccomp) and without files (Landlock, seccomp)",
            True,
        ),
        (
            ("seccomp",),
            ("seccomp",),
            {"Landlock": "not in this kernel", "namespaces": "Operation not permitted"},
            "conversions run without network (seccomp) and without files (seccomp); "
            "not in force: Landlock (not in this kernel), namespaces (Operation not permitted)",
            True,
        ),
        (
            ("Landlock (TCP)",),
            ("Landlock",),
            {},
            "conversions run with the service's network, but for TCP (Landlock (TCP)) and without files (Landlock)",
            False,
        ),
        (
            ("namespaces",),
            (),
            {"seccomp": "no", "Landlock": "no"},
            "conversions run without network (namespaces) and may open the files that the service may open; "
            "not in force: seccomp (no), Landlock (no)",
            False,
        ),
    ],
)
def test_what_is_said(network: tuple[str, ...], files: tuple[str, ...], missing: dict[str, str], words: str, whole: bool) -> None:
    found = Guards(network=network, files=files, missing=missing)
    assert (found.in_words(), found.are_whole) == (words, whole)


def test_a_real_process_is_asked() -> None:
    found = probed()
    assert "all" not in found.missing
    assert {"seccomp", "Landlock"} == {*found.files, *(set(found.missing) - {"namespaces"})}


@pytest.mark.parametrize("code", ["", "print('[')", 'print(\'{"error": "no limits"}\')', "raise SystemExit(3)"])
def test_a_process_that_cannot_be_asked_guards_nothing(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(guards, "_PROBE", code)
    found = probed()
    assert not found.are_whole
    assert found.missing["all"]


@pytest.mark.parametrize("facts", [None, [], {}, {"guards": 1}, {"guards": {"network": 1, "files": [], "missing": {}}}])
def test_nonsense_is_nothing(facts: object) -> None:
    assert guards_of(facts) is None


def test_what_a_process_says_is_bounded() -> None:
    found = guards_of({"guards": {"network": ["x" * 9000], "files": [1], "missing": {"y" * 9000: "z" * 9000}}})
    assert found is not None
    assert (len(found.network[0]), found.files) == (200, ("1",))
    assert [(len(name), len(why)) for name, why in found.missing.items()] == [(200, 200)]

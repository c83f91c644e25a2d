"""What the shell offers on Tab: commands at every level, names of bridge.yaml, dead letters; and never an error."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Offered = Callable[..., list[str]]


@pytest.fixture
def offered(folder: Path) -> Offered:
    """What bash is given for a line whose last word is incomplete."""

    def call(*words: str, shell: str = "bash") -> list[str]:
        line = ["messenger-bridge", *words]
        environ = {
            **os.environ,
            "COMP_WORDS": " ".join(line),
            "COMP_CWORD": str(len(line) - 1),
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            "_TYPER_COMPLETE_ARGS": " ".join(line),
            "_MESSENGER_BRIDGE_COMPLETE": f"complete_{shell}",
        }
        done = subprocess.run(
            [sys.executable, "-m", "bridge.cli"], env=environ, cwd=folder, capture_output=True, text=True, timeout=100, check=False
        )
        assert done.stderr == ""
        assert "Traceback" not in done.stdout
        return done.stdout.splitlines()

    return call


def test_commands_at_the_top(offered: Offered) -> None:
    people = ["people", "mute", "unmute", "audit", "journal", "forget"]
    tools = ["dialect", "keys", "hooks", "schema", "example", "monitoring", "import", "sandbox"]
    begin = ["init", "run", "check", "reload", "status", "test", "chats"]
    assert offered("") == [*begin, "routes", "trace", "dead", "retry-now", *people, *tools]
    assert offered("re") == ["reload", "retry-now"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells(offered: Offered, shell: str) -> None:
    assert "dead" in " ".join(offered("de", shell=shell))


def test_commands_under_dead(offered: Offered) -> None:
    assert offered("dead", "") == ["list", "show", "retry", "drop"]
    assert offered("dead", "r") == ["retry"]


def test_options(offered: Offered) -> None:
    assert "--online" in offered("check", "--")
    assert "--route" in offered("dead", "list", "--")
    assert not [word for word in offered("dead", "--") if "completion" in word], "that is an option of the whole command alone"


def test_routes_and_places_of_bridge_yaml(offered: Offered) -> None:
    assert offered("routes", "") == ["engineering", "alerts"]
    assert offered("routes", "engineering", "") == ["alerts"], "not again what is given"
    assert offered("dead", "list", "--route", "al") == ["alerts"]
    chats = ["tg/-1001234567890", "spirit/engineering", "spirit/alerts", "tg/-1009876543210"]
    assert offered("retry-now", "") == ["tg", "spirit", *chats]
    assert offered("retry-now", "spirit/") == ["spirit/engineering", "spirit/alerts"]


def test_dead_letters(offered: Offered, dead: list[int], folder: Path) -> None:
    before = (folder / "messenger-bridge.journal").read_bytes()
    for command in ("show", "retry", "drop"):
        assert offered("dead", command, "") == [str(number) for number in dead]
    assert offered("dead", "retry", str(dead[0]), "") == [str(number) for number in dead[1:]]
    assert (folder / "messenger-bridge.journal").read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "accounts: [",
        "\t",
        "a" * 100,
        "routes: 5\naccounts: 7",
        "routes: [{name: [a]}, x, {between: 3}]",
        "&a [*a]",
        "routes: {name: x}",
    ],
)
def test_a_file_that_is_not_finished_is_no_error(offered: Offered, folder: Path, text: str) -> None:
    (folder / "bridge.yaml").write_text(text)
    for words in (("routes", ""), ("retry-now", ""), ("dead", "retry", ""), ("dead", "list", "--route", "")):
        assert offered(*words) in ([], [""])


def test_no_file_and_no_journal_are_no_errors(offered: Offered, folder: Path) -> None:
    assert offered("dead", "retry", "") in ([], [""])
    (folder / "messenger-bridge.journal").write_bytes(b"no journal at all")
    assert offered("dead", "retry", "") in ([], [""])
    (folder / "bridge.yaml").unlink()
    assert offered("routes", "") in ([], [""])


def test_it_says_how_to_install_it(cli: Any) -> None:
    assert "--install-completion" in cli("--help").out
    assert "--install-completion" not in cli("dead", "--help").out

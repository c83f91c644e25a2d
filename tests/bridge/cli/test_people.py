"""people, mute, unmute and audit as a user calls them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.cli.exits import EX_FAILED, EX_USAGE
from bridge.journal.sqlite import SqliteJournal
from tests.bridge.cli.conftest import CONFIG, Cli


@pytest.fixture
def made(folder: Path) -> Path:
    """An empty journal, and somebody in the configuration."""

    async def make() -> None:
        journal = SqliteJournal(folder / "messenger-bridge.journal")
        await journal.open()
        await journal.close()

    asyncio.run(make())
    (folder / "bridge.yaml").write_text(CONFIG + "people: [{name: Anna, tg: 7, spirit: anna}]\n")
    return folder


def test_links(cli: Cli, made: Path) -> None:
    assert cli("people", "link", "tg/7", "spirit/anna").code == 0
    assert [one["account"] for one in cli("people", "list", "--json").data["linked"]] == ["spirit", "tg"]
    assert "spirit/anna" in cli("people", "list").out
    assert cli("people", "unlink", "tg/7").code == 0
    assert cli("people", "unlink", "tg/7").code == EX_FAILED
    assert cli("people", "link", "tg/7", "tg/7").code == EX_USAGE
    assert cli("people", "link", "tg", "spirit/anna").code == EX_USAGE
    assert [one["action"] for one in cli("audit", "--json").data["audit"]] == ["unlink", "link"]


def test_somebody_is_muted_on_all_accounts(cli: Cli, made: Path) -> None:
    assert cli("mute", "anna", "--minutes", "5").code == 0
    decisions = cli("people", "list", "--json").data["decisions"]
    assert {(one["account"], one["user_id"]) for one in decisions} == {("tg", "7"), ("spirit", "anna")}
    assert all(one["until"] for one in decisions)
    assert cli("unmute", "tg/7").code == 0
    assert cli("unmute", "tg/7").code == EX_FAILED
    assert cli("mute", "nobody").code == EX_USAGE
    assert len(cli("audit", "-n", "1", "--json").data["audit"]) == 1
    assert "command line" in cli("audit").out

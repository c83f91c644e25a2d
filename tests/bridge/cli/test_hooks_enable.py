"""An end that was switched off is on again by a command."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.journal.account_store import JournalAccountStore
from bridge.journal.sqlite import SqliteJournal
from bridge.model.account_store import off_note
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.refs import AccountName
from tests.bridge.cli.conftest import Cli

CONFIG = """\
accounts:
  hooks: {platform: webhook, secret: "${A_SECRET}", ends: {alerts: {url: "https://receiver.example.com"}, site: {}}}
  tg: {platform: telegram, token: "${TELEGRAM_TOKEN}"}
routes:
  - {name: alerts, from: tg/-1001234567890, to: hooks/alerts}
"""


async def off(folder: Path, set_to: str | None = None) -> str:
    journal = SqliteJournal(folder / "messenger-bridge.journal")
    await journal.open()
    try:
        store = JournalAccountStore(journal, AccountName("hooks"), SYSTEM_CLOCK)
        if set_to is not None:
            await store.set_note(off_note("alerts"), set_to)
        return await store.note(off_note("alerts"))
    finally:
        await journal.close()


@pytest.fixture
def config(folder: Path) -> Path:
    (folder / "bridge.yaml").write_text(CONFIG)
    return folder


def test_an_end_that_is_off_is_on_again(cli: Cli, config: Path) -> None:
    assert asyncio.run(off(config, '{"why": "HTTP 410"}'))
    done = cli("hooks", "enable", "hooks/alerts")
    assert done.code == 0
    assert "hooks/alerts is on again" in done.out
    assert asyncio.run(off(config)) == ""


def test_an_end_that_is_on_is_no_success(cli: Cli, config: Path) -> None:
    asyncio.run(off(config, ""))
    done = cli("hooks", "enable", "hooks/alerts")
    assert done.code == 1
    assert "not switched off" in done.err
    assert cli("hooks", "enable", "hooks/alerts", "--json").data["ok"] is False


def test_what_is_no_end_is_said(cli: Cli, config: Path) -> None:
    asyncio.run(off(config, ""))
    assert cli("hooks", "enable", "tg/-1001234567890").code == 2
    assert cli("hooks", "enable", "nowhere/alerts").code == 2

"""The command line as a user calls it, in this process, and journals with dead letters in them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main
from bridge.journal.contract import AcceptRequest, AttemptStarted, Dead, PlannedDelivery
from bridge.journal.sqlite import SqliteJournal
from bridge.model.events import Attachment, AttachmentKind, Author, Content, EventMeta, MessageCreated
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain
from tests.bridge.cli.traced import traced_journal as traced_journal

CONFIG = """\
accounts:
  tg: {platform: telegram, token: "${TELEGRAM_TOKEN}"}
  spirit: {platform: teamspirit, server: 'http://127.0.0.1:9', api_key: a-teamspirit-key}
routes:
  - name: engineering
    between: [tg/-1001234567890, spirit/engineering]
  - name: alerts
    from: spirit/alerts
    to: tg/-1009876543210/45
    filter: [{drop: {text: '^DEBUG'}}]
"""

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a good bridge.yaml in it and the environment that it needs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN)
    monkeypatch.delenv("MESSENGER_BRIDGE_CONFIG", raising=False)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    path = tmp_path / "bridge.yaml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    return tmp_path


@pytest.fixture
def cli(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    def call(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["messenger-bridge", *arguments])
        capsys.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err, (out + err)[-3000:]
        return Done(0 if code is None else int(code), out, err)

    return call


def letter(number: int, text: str, *, files: Sequence[str] = ()) -> MessageCreated:
    attachments = tuple(Attachment(kind=AttachmentKind.DOCUMENT, file_id=name, name=name) for name in files)
    return MessageCreated(
        meta=EventMeta(
            event_key=f"message:spirit:alerts:{number}",
            origin=ChatRef(AccountName("spirit"), "alerts"),
            occurred_at=NOW,
            received_at=NOW,
            author=Author(user_id="u1", name="Anna"),
        ),
        message_id=str(number),
        content=Content(text=plain(text), attachments=attachments),
    )


async def fill(journal: SqliteJournal, texts: Sequence[str], *, route: str = "alerts") -> list[int]:
    """Dead letters in an open journal; returns their ids."""
    target = ChatAddress(AccountName("tg"), "-1009876543210")
    numbers = range(1, len(texts) + 1)
    entries = [
        AcceptRequest(
            event=letter(hash(route) % 10_000 * 1000 + number, text, files=["report.pdf"] if "report" in text else ()),
            deliveries=(PlannedDelivery(route=route, target=target, thread_id="45"),),
        )
        for number, text in zip(numbers, texts, strict=True)
    ]
    accepted = await journal.accept(journal.lease(AccountName("spirit")), entries, [], received_at=NOW)
    ids = [one.delivery_ids[0] for one in accepted]
    for number, one in enumerate(ids):
        await journal.record(
            journal.lease(AccountName("tg")),
            [
                AttemptStarted(delivery_id=one, part=0, attempt=1, at=NOW),
                Dead(delivery_id=one, reason=f"chat not found ({number})", at=NOW),
            ],
        )
    return ids


@pytest.fixture
def dead(folder: Path) -> list[int]:
    """Three dead letters of the route alerts and one of engineering, in the default journal; their ids."""

    async def make() -> list[int]:
        journal = SqliteJournal(folder / "messenger-bridge.journal")
        await journal.open()
        try:
            found = await fill(journal, ["disk full\x1b[2J", "a report", "third"])
            return found + await fill(journal, ["fourth"], route="engineering")
        finally:
            await journal.close()

    return asyncio.run(make())

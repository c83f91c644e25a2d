"""A journal with traced messages in it: the configuration, short ways to fill it, and one relayed message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.journal.contract import (
    AcceptRequest,
    AttemptStarted,
    Dead,
    Delivered,
    PartReceipt,
    PlannedDelivery,
)
from bridge.journal.sqlite import SqliteJournal
from bridge.model.adapter import Receipt
from bridge.model.events import (
    Author,
    ChatEvent,
    Content,
    EventMeta,
    MessageCreated,
)
from bridge.model.outcomes import Loss, LossOf, NamedSkip, Skip, SkipRule
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain

CONFIG = """\
accounts:
  tg: {platform: telegram, token: "${TELEGRAM_TOKEN}"}
  team: {platform: slack, bot_token_file: /nowhere/bot, app_token: "${SLACK_APP_TOKEN}"}
  guild: {platform: discord, token: "${DISCORD_TOKEN}"}
  spirit: {platform: teamspirit, dialect: mattermost, server: 'https://im.example.com', api_key: "${KEY}"}
routes:
  - name: lobby
    between: [tg/-1001234567890, "team/#general", guild/112233445566778899, spirit/lobby]
  - name: alerts
    from: spirit/alerts
    to: tg/-1009876543210/45
"""

NOW = datetime.now(UTC).replace(microsecond=0)
TG, TEAM, GUILD, SPIRIT = (
    ChatAddress(AccountName(a), c)
    for a, c in (("tg", "-1001234567890"), ("team", "#general"), ("guild", "112233445566778899"), ("spirit", "lobby"))
)
ALERTS = ChatAddress(AccountName("tg"), "-1009876543210")
POST = "w4d5kpxn1fbmuczk9s5yqmbu6y"
TS, SNOWFLAKE = "1715000000.000100", "1122334455667788999"
LINK = "https://acme.slack.com/archives/C024BE7LH/p1715000000000100"


def said(message_id: str, chat: ChatRef, text: str = "the words of a person") -> MessageCreated:
    meta = EventMeta(
        event_key=f"{chat}:{message_id}", origin=chat, occurred_at=NOW, received_at=NOW, author=Author(user_id="1", name="Anna")
    )
    return MessageCreated(meta=meta, message_id=message_id, content=Content(text=plain(text)))


Fill = Callable[[SqliteJournal], Awaitable[None]]


async def accept(journal: SqliteJournal, event: ChatEvent, *targets: tuple[ChatAddress, SkipRule | None]) -> list[Any]:
    planned = tuple(PlannedDelivery(route="lobby", target=target, skip_rule=rule) for target, rule in targets)
    (accepted,) = await journal.accept(
        journal.lease(event.meta.origin.account), [AcceptRequest(event=event, deliveries=planned)], [], received_at=NOW
    )
    return [accepted.event_seq, *accepted.delivery_ids]


def sent(delivery: int, seq: int, target: ChatAddress, chat: str, *ids: str) -> PartReceipt:
    return PartReceipt(
        delivery_id=delivery,
        event_seq=seq,
        part=0,
        chat=ChatRef(target.account, chat),
        target=target,
        receipt=Receipt(message_ids=ids),
        at=NOW,
    )


async def relayed(journal: SqliteJournal) -> None:
    """A Slack message: on Telegram, dead on Discord, filtered on TeamSpirit."""
    event = said(TS, ChatRef(AccountName("team"), "C024BE7LH"))
    rule = NamedSkip(Skip.FILTER, "filter 1: drop text ^DEBUG")
    seq, tg, guild, _ = await accept(journal, event, (TG, None), (GUILD, None), (SPIRIT, rule))
    loss = LossOf(Loss.FILE_AS_LINE, "video shown as a line: too large")
    await journal.record(
        journal.lease(TEAM.account),
        [
            AttemptStarted(delivery_id=tg, part=0, attempt=1, at=NOW),
            sent(tg, seq, TG, "-1001234567890", "45", "46"),
            Delivered(delivery_id=tg, at=NOW, losses=(Loss.SENDER_AS_LINE, loss)),
            AttemptStarted(delivery_id=guild, part=0, attempt=1, at=NOW),
            Dead(delivery_id=guild, reason="refused: Missing Access", at=NOW),
        ],
    )


@pytest.fixture
def traced_journal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Fill], None]:
    """Fills the default journal, in which the addresses are known."""
    for name in ("TELEGRAM_TOKEN", "SLACK_APP_TOKEN", "DISCORD_TOKEN", "KEY"):
        monkeypatch.delenv(name, raising=False)
    (folder / "bridge.yaml").write_text(CONFIG)

    def made(fill: Fill) -> None:
        async def run() -> None:
            opened = SqliteJournal(folder / "messenger-bridge.journal")
            await opened.open()
            try:
                await opened.set_native_id(opened.lease(TEAM.account), TEAM, "C024BE7LH")
                await opened.set_native_id(opened.lease(TEAM.account), SPIRIT, "channel1")
                await fill(opened)
            finally:
                await opened.close()

        asyncio.run(run())

    return made

"""Posts of apps for tests of decoding: their parts, and what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from adapters.slack.identity import Identity
from adapters.slack.inbound.decode import decode_event
from adapters.slack.inbound.decode_context import Context
from adapters.slack.names import Names
from bridge.model.events import Author, MessageCreated
from bridge.model.refs import AccountName
from bridge.model.rich_text import RichText, to_plain

NAMES = Names(
    users={"U1": Author(user_id="U1", name="Anna")}, groups={"S1": "oncall"}, channels={"C2": "random"}, bots={"B5": "Cron"}
)
CONTEXT = Context(Identity(AccountName("team"), bot_id="B0", user_id="U0"), NAMES, datetime(2026, 11, 23, tzinfo=UTC))
BASE: dict[str, Any] = {"type": "message", "channel": "C1", "ts": "1700000000.123456", "event_ts": "1700000000.123456"}
BOT: dict[str, Any] = {
    "bot_id": "B9",
    "app_id": "A9",
    "user": "U9",
    "bot_profile": {"id": "B9", "name": "Deployer", "app_id": "A9"},
}


def rich(*leaves: Any) -> dict[str, Any]:
    elements = [leaf if isinstance(leaf, dict) else {"type": "text", "text": leaf} for leaf in leaves]
    return {"type": "rich_text", "block_id": "b1", "elements": [{"type": "rich_text_section", "elements": elements}]}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": False}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "block_id": "XTkTR", "text": mrkdwn(text), **more}


def created(**message: Any) -> MessageCreated:
    event = decode_event(msgspec.json.encode({**BASE, **BOT, **message}), CONTEXT)
    assert isinstance(event, MessageCreated)
    return event


def shown(**message: Any) -> str:
    return to_plain(created(**message).content.text)


def rich_of(*blocks: Any, **message: Any) -> RichText:
    return created(blocks=list(blocks), **message).content.text

"""Where a connection continues: the stored position, and the gap that is reported when Telegram no longer has what came before.

Telegram itself keeps updates until they are confirmed, for a day: nothing needs to be fetched beside the stream.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from bridge.model.adapter import Intake

RETENTION = timedelta(hours=24)
"""How long Telegram keeps updates. Source: platforms.md 1.1."""


class Position(msgspec.Struct, omit_defaults=True):
    """The cursor's value. `held` are messages of unfinished albums as they came, every field of them; `seen_at` is the Unix time of
    the last commit; `said` is what `Unchanged` keeps."""

    offset: int = 0
    held: list[dict[str, Any]] = []
    seen_at: float = 0.0
    said: dict[str, str] = {}


def position_of(stored: str | None) -> Position:
    """The position that a cursor holds; the beginning where there is none, or one that cannot be read."""
    if stored:
        with contextlib.suppress(msgspec.MsgspecError):
            return msgspec.json.decode(stored, type=Position)
    return Position()


async def tell_gap(intake: Intake, position: Position, now: datetime) -> bool:
    """Say so when we were away for longer than Telegram keeps updates. Whether that was so."""
    if not position.seen_at:
        return False
    last, lost_until = datetime.fromtimestamp(position.seen_at, UTC), now - RETENTION
    if last >= lost_until:
        return False
    for chat_id in sorted(intake.routed_chats()):
        await intake.gap(chat_id, since=last, until=lost_until, reason="Telegram keeps messages for bots for 24 hours only")
    return True

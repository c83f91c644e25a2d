"""Slack's timestamps: a `ts` is a moment and a message's id in its channel. Pure. Called by whoever reads or makes one."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from adapters.slack.lenient import Undecodable

_TS = re.compile(r"\d{6,12}\.\d{6}")


def is_ts(value: str | None) -> bool:
    return bool(value and _TS.fullmatch(value))


def moment(ts: str) -> datetime:
    """The time in a `ts`. Raises Undecodable if it is none; a `ts` is never made a float."""
    seconds, _, fraction = ts.partition(".")
    if not seconds.isdigit() or not (fraction or "0").isdigit():
        raise Undecodable("a ts is no timestamp")
    try:
        return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int((fraction + "000000")[:6]))
    except (ValueError, OverflowError, OSError):
        raise Undecodable("a ts is no timestamp") from None


def to_ts(when: datetime) -> str:
    """The `ts` of a moment, as `oldest` takes it."""
    return f"{int(when.timestamp())}.{when.microsecond:06d}"


def thread_of(thread_ts: str | None, ts: str) -> str | None:
    """The thread a message is a reply in; a thread's first message has its own `ts` as `thread_ts`, and is none."""
    return thread_ts if thread_ts and thread_ts != ts else None

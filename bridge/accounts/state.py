"""State of an account and of its chats, in words: what `supervisor` keeps, and health, metrics and lanes read. Types only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AccountState(StrEnum):
    """What an account is doing, for health, metrics and the lanes' gate."""

    STARTING = "starting"
    CONNECTING = "connecting"
    UP = "up"
    BACKOFF = "backoff"
    """The connection is gone; another attempt is due by itself."""
    PARKED = "parked"
    """A human must act; retried rarely, in case one did on the platform's side."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Health:
    """An account's state in words: since when, why, and what to do about it."""

    state: AccountState
    since: datetime
    reason: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class SeenFault:
    """What was wrong with a chat when it was looked at, and when that was (`Clock.monotonic_s`)."""

    reason: str
    action: str
    dead: bool
    """Nothing can be sent or heard there."""
    at_s: float
    deaf: bool = False
    """What people say there is lost; sending works."""

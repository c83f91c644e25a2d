"""The state of an account and of its chats, which `supervisor` keeps and health, metrics and lanes read. Types only."""

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
    """The connection was lost; another attempt follows."""
    PARKED = "parked"
    """A human must act; retried rarely, in case the cause was fixed on the platform."""
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
    """What was wrong with a chat when it was checked, and when (`Clock.monotonic_s`)."""

    reason: str
    action: str
    dead: bool
    """Nothing can be sent or received there."""
    at_s: float
    deaf: bool = False
    """What people say there is lost; sending works."""

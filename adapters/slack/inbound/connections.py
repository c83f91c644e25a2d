"""How many connections read the app's events, and how many of them are ours. Called by `socket_mode` and `probe`.

Slack gives each event to one connection of the app, drawn at random: a second program gets its share, and we do not. Only the
greeting on a new connection tells how many there are (`hello.num_connections`). Source: docs.slack.dev, Socket Mode;
slackapi/node-slack-sdk#1654.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

LOOK_EVERY_S = 1800.0
"""How often a new connection is opened beside the old one in order to be told."""
LOOK_AGAIN_S = 60.0
"""The same while there seems to be another reader: it may be a connection of ours that Slack has not given up yet."""
_FORGOTTEN_AFTER_S = 180.0
"""How long Slack may go on counting a connection that is over."""


class Socket(Protocol):
    @property
    def closed(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads the app, as Slack told last."""

    connections: int
    ours: int

    @property
    def strangers(self) -> int:
        return max(0, self.connections - self.ours)

    def __str__(self) -> str:
        return f"{self.connections} connection{'' if self.connections == 1 else 's'}, {self.ours} ours"


class Connections:
    """One account's, over all its runs."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open: list[Socket] = []
        self._over_at_s: list[float] = []
        self.readers = Readers(0, 0)

    def opened(self, socket: Socket, connections: int) -> Readers:
        """A connection greeted us with that number. What was ours a moment ago may be counted yet."""
        self._tidy()
        self._open.append(socket)
        now_s = self._clock()
        self._over_at_s = [at_s for at_s in self._over_at_s if now_s - at_s < _FORGOTTEN_AFTER_S]
        ours = min(connections, len(self._open) + len(self._over_at_s))
        self.readers = Readers(connections, ours)
        return self.readers

    def over(self) -> None:
        """One of ours has ended."""
        self._over_at_s.append(self._clock())
        self._tidy()

    @property
    def look_after_s(self) -> float:
        """When to ask again who else is there."""
        return LOOK_AGAIN_S if self.readers.connections > len(self._open) else LOOK_EVERY_S

    def _tidy(self) -> None:
        self._open = [socket for socket in self._open if not socket.closed]

"""The bot's presence: shown over whichever connection there is, and anew over each."""

from __future__ import annotations

import pytest

from adapters.discord.inbound.own_presence import Presence
from bridge.model.errors import ConnectionLost, RetryLater


class Line:
    def __init__(self, fault: Exception | None = None) -> None:
        self.shown: list[tuple[str, str]] = []
        self._fault = fault

    async def show(self, status: str, text: str) -> None:
        if self._fault is not None:
            raise self._fault
        self.shown.append((status, text))


async def test_it_is_shown_over_each_connection() -> None:
    presence, first, second = Presence(), Line(), Line()
    await presence.opened(first)
    assert first.shown == []
    for status in ("away", "busy", "online", "offline", "somewhere"):
        await presence.set_status(status, "words")
    assert [status for status, _ in first.shown] == ["idle", "dnd", "online", "invisible", "online"]
    presence.closed()
    with pytest.raises(RetryLater):
        await presence.set_status("busy", "not relaying")
    await presence.opened(second)
    assert second.shown == [("dnd", "not relaying")]
    presence.closed()
    await presence.set_status("offline", "")  # without a connection it is


async def test_a_connection_that_dies_is_tried_again() -> None:
    presence = Presence()
    await presence.opened(Line(ConnectionLost("cut")))
    with pytest.raises(RetryLater):
        await presence.set_status("online", "")

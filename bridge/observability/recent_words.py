"""What was said a moment ago, for the pages of the dashboard, where `web.admin.dashboard.words` allows it. In memory alone: it is
gone with the process, and as soon as somebody decides something, is erased, or the configuration is another."""

from __future__ import annotations

from bridge.model.clock import Clock
from bridge.model.events import ChatEvent, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.refs import MessageRef
from bridge.model.rich_text import text_of

_MOST = 500
_LONGEST = 200
_KEPT_S = 3600.0


class RecentWords:
    """Of the last messages that were relayed, the first characters."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._is_wanted = False
        self._said: dict[MessageRef, tuple[str, float]] = {}

    def begin_anew(self, *, wanted: bool) -> None:
        """What was kept is gone: it may be of somebody who is to be shown no more."""
        self._is_wanted = wanted
        self._said.clear()

    def take(self, event: ChatEvent, *, is_relayed: bool) -> None:
        """An event was accepted. A deletion counts also where nobody is told of it."""
        if not self._is_wanted or not isinstance(event, MessageCreated | MessageEdited | MessageDeleted):
            return
        message = MessageRef(event.meta.origin, event.message_id)
        self._said.pop(message, None)
        if is_relayed and not isinstance(event, MessageDeleted):
            self._said[message] = text_of(event.content.text)[:_LONGEST], self._clock.monotonic_s()
        if len(self._said) > _MOST:
            del self._said[next(iter(self._said))]

    def of(self, message: MessageRef) -> str:
        """Empty: nothing is known of it, or may be shown."""
        words, at_s = self._said.get(message, ("", 0.0))
        return words if self._clock.monotonic_s() - at_s < _KEPT_S else ""

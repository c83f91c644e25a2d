"""Is a bot's message the copy that another bridge made of a message we relay ourselves? Pure; intake asks.

Our own copies are known exactly (`echo`, and the journal). A second bridge over the same chats, or another vendor's, is only seen
as a bot that repeats what somebody just said: the same words, under the same name or behind it (`Anna`, `[tg] <Anna> words`). Such
a message is not relayed, since the original is.
"""

from __future__ import annotations

import collections
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta

from bridge.events import MessageCreated
from bridge.text import text_of

_KEPT_PER_ROUTE = 50
_ROUTES = 500
_LENGTH = 200
"""Characters compared, from the end."""
_WINDOW = timedelta(minutes=5)


class RecentMessages:
    """What was lately said on each route: at most `_KEPT_PER_ROUTE` messages, none older than `_WINDOW`, of the routes
    that were lately used. In memory: after a restart, copies of what was said just before it are taken for messages."""

    def __init__(self) -> None:
        self._routes: collections.OrderedDict[str, collections.deque[tuple[datetime, str, str, str]]] = collections.OrderedDict()

    def remember(self, routes: Iterable[str], event: MessageCreated) -> None:
        """This message is relayed on these routes."""
        said = (event.meta.received_at, str(event.meta.origin), _author(event), _words(event)[-_LENGTH:])
        for route in routes:
            kept = self._routes.setdefault(route, collections.deque(maxlen=_KEPT_PER_ROUTE))
            kept.append(said)
            self._routes.move_to_end(route)
        while len(self._routes) > _ROUTES:
            self._routes.popitem(last=False)

    def is_copy(self, route: str, event: MessageCreated) -> bool:
        """Whether a bot repeats, in another chat of the route, what was said there a moment ago."""
        if event.meta.author is None or not event.meta.author.is_bot:
            return False
        words, shown, chat = _words(event), _author(event), str(event.meta.origin)
        if not words:
            return False
        oldest = event.meta.received_at - _WINDOW
        for at, origin, author, said in reversed(self._routes.get(route, ())):
            if at < oldest:
                break
            if origin != chat and author and said and words.endswith(said):
                before = words[: len(words) - len(said)]
                if author in shown or author in before:
                    return True
        return False


def _author(event: MessageCreated) -> str:
    return _fold(event.meta.author.name) if event.meta.author else ""


def _words(event: MessageCreated) -> str:
    """The text, or for a message without one the names of its files."""
    text = text_of(event.content.text) or " ".join(attachment.name for attachment in event.content.attachments)
    return _fold(text)


def _fold(text: str) -> str:
    """Case, width and white space do not matter, nor what formatting leaves behind."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())

"""Recognises a bot's message as another bridge's copy of a message that we relay ourselves. Pure; intake asks.

Our own copies are known exactly (`echo`, and the journal). A second bridge over the same chats, or another vendor's, is only seen
as a bot that repeats what somebody just said: the same words, all of them, under the author's name or right after it (`Anna`,
`[tg] <Anna> words`, `Anna: words`). Such a message is not relayed, since the original is. A message of a bot that says anything
more is relayed: a duplicate copy is a nuisance, a lost alert is a fault.
"""

from __future__ import annotations

import collections
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property

from bridge.model.events import MessageCreated
from bridge.model.rich_text import text_of

_KEPT_PER_ROUTE = 50
_ROUTES = 500
_COMPARED = 4000
"""How many characters of a message are compared, from its end."""
_WINDOW = timedelta(minutes=5)
_BEFORE = 100
"""Longest line in front of the words that can be a name line, in characters."""
_TAGS = 2
"""Most words that a name line has beside the name: the other platform, the other chat."""
_ENDS = ":：>)]}»›|\n-–—*_"
"""One of these stands between a name and the words: `Anna said so` is a sentence, `Anna: so` may be a copy."""

_WORD = re.compile(r"[^\W_]+")


class RecentMessages:
    """Recent messages of each route: at most `_KEPT_PER_ROUTE`, none older than `_WINDOW`, of the recently used routes. In memory:
    after a restart, copies of messages from just before it are relayed."""

    def __init__(self) -> None:
        self._routes: collections.OrderedDict[str, collections.deque[_Said]] = collections.OrderedDict()

    def remember(self, routes: Iterable[str], event: MessageCreated) -> None:
        """This message is relayed on these routes."""
        said = _Said(event)
        for route in routes:
            kept = self._routes.setdefault(route, collections.deque(maxlen=_KEPT_PER_ROUTE))
            kept.append(said)
            self._routes.move_to_end(route)
        while len(self._routes) > _ROUTES:
            self._routes.popitem(last=False)

    def is_copy(self, route: str, event: MessageCreated) -> bool:
        """Whether a bot repeats, in another chat of the route, what was just said."""
        if event.meta.author is None or not event.meta.author.is_bot:
            return False
        copy = _Said(event)
        if not copy.words:
            return False
        for said in reversed(self._routes.get(route, ())):
            if abs(copy.at - said.at) > _WINDOW:
                break
            if said.chat != copy.chat and said.author and said.words and _repeats(copy, said):
                return True
        return False


class _Said:
    """What was said, in words that formatting, case and width do not change. They are looked for when a bot's message is compared:
    most messages never are."""

    def __init__(self, event: MessageCreated) -> None:
        self.at: datetime = event.meta.received_at
        self.chat = event.meta.origin
        self._name = event.meta.author.name if event.meta.author else ""
        text = text_of(event.content.text) or " ".join(attachment.name for attachment in event.content.attachments)
        self._text = text[-_COMPARED:]

    @cached_property
    def author(self) -> str:
        return _fold(self._name).strip()

    @cached_property
    def text(self) -> str:
        return _fold(self._text)

    @cached_property
    def _found(self) -> list[re.Match[str]]:
        return list(_WORD.finditer(self.text))

    @cached_property
    def words(self) -> list[str]:
        return [word[0] for word in self._found]

    @cached_property
    def spans(self) -> list[int]:
        return [word.start() for word in self._found]


def _repeats(copy: _Said, said: _Said) -> bool:
    """Under the author's name with the same words, or with the same words behind a line that is the author's name."""
    before = len(copy.words) - len(said.words)
    if before < 0 or copy.words[before:] != said.words:
        return False
    if before == 0:
        return copy.author == said.author or _is_name_line(copy.author, said.author, ended=True)
    return _is_name_line(copy.text[: copy.spans[before]], said.author, ended=False)


def _is_name_line(line: str, name: str, *, ended: bool) -> bool:
    """Whether this is the name, whole, with hardly anything around it: `[tg] <anna> `, `anna (telegram)`. Unless it is `ended` by
    itself (as a sender's name is), something has to stand between the name and what follows."""
    if not line or len(line) > _BEFORE:
        return False
    at = line.find(name)
    while at >= 0:
        before, after = line[:at], line[at + len(name) :]
        whole = not before[-1:].isalnum() and not after[:1].isalnum()
        others = len(_WORD.findall(before)) + len(_WORD.findall(after))
        if whole and others <= _TAGS and (ended or _comes_to_an_end(after)):
            return True
        at = line.find(name, at + 1)
    return False


def _comes_to_an_end(after: str) -> bool:
    """Whether what stands between a name and the words parts them: nothing but white space and quotation marks may follow that."""
    return any(after.rstrip(between)[-1:] in tuple(_ENDS) for between in (" \t", " \t\"'“„«`"))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()

"""Zero-width guards: they keep literal text from becoming a mention, and the decoder removes them again. Pure.

A mention in Mattermost-like messengers is an @ and a name, an emoji a name between colons, and no escape prevents either: a
zero-width space after the first sign does. A literal one there gets one more, so that removing one gives back exactly the original
text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from adapters.teamspirit.emoji_names import emoji_of

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import TextDialect


GUARD = "\u200b"
JOINER = "\u2060"
"""Word joiner: stands between markup characters that would otherwise be read as one, and is no part of the text."""
GAP = "\ufeff"
"""The same where the mark behind must not be read as the end of another: Mattermost's mobile apps take it for white space, before
which nothing ends. Other readers take it for a letter."""

_AT = re.compile(r"@(?=[\w\u200b])")
_GUARDED_AT = re.compile("@\u200b")
_NAME = re.compile(r"(?i):(?=\u200b*([a-z0-9_+\-]+):)")
_GUARDED_NAME = re.compile(r"(?i):\u200b(?=\u200b*([a-z0-9_+\-]+):)")
_MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9][\w.\-]*)")
_SLACK_LINK = re.compile(r"<[^\n<|>]+\|[^\n>]+>")
_SLACK_MENTION = re.compile(r"<(?=!(?:channel|here|all|everyone)\b|@[A-Za-z0-9]+>)")
_URL = re.compile(r"(?i)<[a-z][a-z0-9+.\-]*:\S*>")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def clean(text: str) -> str:
    """One kind of line break; no control characters and no half characters, which JSON and markdown would each treat their way."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def guard(text: str, dialect: TextDialect) -> str:
    """Literal text in which no @ mentions anybody, and no :name: is an emoji."""
    if dialect.mention == "@":
        text = _AT.sub("@" + GUARD, text)
    return _NAME.sub(_guarded, text) if dialect.emoji_names else text


def without_slack_forms(written: str) -> str:
    """Markup in which a server that reads Slack's forms finds none. It looks for them in code as well, so a bar there becomes a
    sign that looks like one: a link made of half a span of code would end the span, and what follows could mention everybody. The
    bar of an address is percent-encoded. Elsewhere there is no `<`: literal text has a reference instead.
    Source: mattermost-server, app/slack.go and app/webhook.go."""
    written = _SLACK_LINK.sub(lambda found: found[0].replace("|", "%7C" if _URL.fullmatch(found[0]) else "\u2223"), written)
    return _SLACK_MENTION.sub("<" + GUARD, written)


def unguard(text: str, dialect: TextDialect) -> str:
    if dialect.mention == "@":
        text = _GUARDED_AT.sub("@", text)
    return _GUARDED_NAME.sub(_unguarded, text) if dialect.emoji_names else text


def _guarded(found: re.Match[str]) -> str:
    return ":" + GUARD if _may_be_emoji(found[1]) else ":"


def _unguarded(found: re.Match[str]) -> str:
    return ":" if _may_be_emoji(found[1]) else found[0]


def _may_be_emoji(name: str) -> bool:
    """The server's own emoji may have any name; but the middle of 12:30:15 is none."""
    return any(letter.isalpha() for letter in name) or emoji_of(name) != ""


def mentions(text: str, dialect: TextDialect) -> list[tuple[int, int, str]]:
    """Where a text mentions somebody: start, end and name. A full stop at the end is not part of the name."""
    if dialect.mention != "@":
        return []
    found = []
    for match in _MENTION.finditer(text):
        name = match[1].rstrip(".-")
        found.append((match.start(), match.start() + 1 + len(name), name))
    return found


def is_username(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9][\w.\-]*", name) is not None

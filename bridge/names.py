"""Safe sender names: under which name a message is shown, so that nobody can pass for another. Pure.

`render` asks `Names.shown` for every message; the configuration check asks `check_template`.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import regex

from bridge.events import Author
from bridge.lookalikes import skeleton
from bridge.people import People
from bridge.refs import AccountName

PLACEHOLDERS = ("name", "username", "platform", "account", "chat")
UNKNOWN = "unknown"
_ELLIPSIS = "…"
_MOST_REMEMBERED = 1024
_MOST_READ = 1000
"""Characters of a raw name that are looked at; no platform has longer ones."""

_GRAPHEME = regex.compile(r"\X")
_EMOJI_JOIN = regex.compile(r"(?<=[\p{Extended_Pictographic}\ufe0f\p{EMod}])\u200d(?=\p{Extended_Pictographic})")
_KEPT_JOIN = "\ue000"
_INVISIBLE = regex.compile(r"[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\u034f\u17b4\u17b5]")
_BLANK = regex.compile(r"[\s\p{Z}\u115f\u1160\u2800\u3164\uffa0]+")
_DECEIVING = regex.compile(r"[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKUP = regex.compile(r"[`*<>|\[\]\\]+|_{2,}|~{2,}|^[@#&:\s]+|:+$")
_PILED_MARKS = regex.compile(r"(\p{M}{2})(?<!\ufe0f)\p{M}+")


@lru_cache(maxsize=256)
def check_template(template: str) -> str | None:
    """Why the template of a sender name cannot be used, or None."""
    try:
        fields = list(string.Formatter().parse(template))
    except ValueError as error:
        return f"not a template: {error}"
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    for _, field, spec, conversion in fields:
        if field is None:
            continue
        if field not in PLACEHOLDERS or spec or conversion:
            return f"unknown placeholder {{{field}}}; known are {known}"
    if not any(field in ("name", "username") for _, field, _, _ in fields):
        return "shows nobody's name: it needs {name} or {username}"
    return None


@lru_cache(maxsize=1024)
def clean_name(raw: str) -> str:
    """Without what could deceive or break a line: control characters, line breaks, direction overrides, invisible characters, piled
    accents, markup; white space collapsed. May be empty."""
    text = unicodedata.normalize("NFC", raw[:_MOST_READ].encode("utf-8", "replace").decode("utf-8"))
    text = _EMOJI_JOIN.sub(_KEPT_JOIN, text.replace(_KEPT_JOIN, ""))
    text = _BLANK.sub(" ", text)
    text = "".join(part if part == _KEPT_JOIN else _INVISIBLE.sub("", part) for part in regex.split(f"({_KEPT_JOIN})", text))
    text = _PILED_MARKS.sub(r"\1", text.replace(_KEPT_JOIN, "\u200d"))
    previous = None
    while previous != text:
        previous = text
        text = _BLANK.sub(" ", _MARKUP.sub("", text)).strip()
    return text


def shorten(text: str, length: int) -> str:
    """At most `length` code points, cut between graphemes, with an ellipsis where something is missing."""
    if len(text) <= length:
        return text
    kept = ""
    for found in _GRAPHEME.finditer(text):
        if len(kept) + len(found.group()) > length - len(_ELLIPSIS):
            break
        kept += found.group()
    return kept.rstrip() + _ELLIPSIS if length > 0 else ""


class Names:
    """Decides how authors are called. Immutable.

    A name that looks like a reserved one, like that of a person of the configuration, or like one of the bridge's own bots gets a
    visible distinguisher, its account: `Anna Petrova (tg)`. "Looks like" ignores case, spaces, punctuation, accents and
    look-alike letters.
    """

    def __init__(self, reserved: Iterable[str] = (), people: People | None = None, bots: Iterable[str] = ()) -> None:
        self.people = people or People()
        self._protected = {skeleton(name) for name in (*reserved, *bots)}
        self._of_people = {skeleton(person.name) for person in self.people.persons}
        self._decided = lru_cache(maxsize=_MOST_REMEMBERED)(self._decide)

    def plain_name(self, account: AccountName, author: Author | None, *, length: int = 80) -> str:
        """The author's own name, safe, distinguished and never empty: for notices and reply lines."""
        person = self.people.person_of(account, author)
        raw = person.name if person else (author.name or author.username) if author else ""
        name = clean_name(raw) or (clean_name(author.username) if author else "") or UNKNOWN
        mark = "" if person else self._distinguisher(name, account, length)
        return shorten(name, length - len(mark)) + mark

    def shown(
        self, author: Author | None, *, template: str, account: AccountName, platform: str, chat: str, length: int = 80
    ) -> str:
        """The sender's name by template, at most `length` code points. `platform` is its title as written for people.

        Raises ValueError for a template that `check_template` refuses.
        """
        return self._decided(author, template, account, platform, chat, length)

    def _decide(self, author: Author | None, template: str, account: AccountName, platform: str, chat: str, length: int) -> str:
        if why := check_template(template):
            raise ValueError(why)
        person = self.people.person_of(account, author)
        values = {
            "username": clean_name(author.username if author else "") or self.plain_name(account, author),
            "platform": clean_name(platform),
            "account": clean_name(account),
            "chat": clean_name(chat),
        }
        around = len(template.format(name="", **values))
        name = self.plain_name(account, author, length=max(length - around, min(length, 24)))
        text = clean_line(template.format(name=name, **values)) or UNKNOWN
        mark = "" if person and text == name else self._distinguisher(text, account, length)
        return shorten(text, length - len(mark)) + mark

    def _distinguisher(self, name: str, account: AccountName, length: int) -> str:
        """What is put behind the name; at most half of what there is room for."""
        looks = skeleton(name)
        return f" ({shorten(account, length // 2 - 3)})" if looks in self._protected or looks in self._of_people else ""


def clean_line(text: str) -> str:
    """One line of foreign text: white space collapsed, control characters and direction overrides gone."""
    return _DECEIVING.sub("", _BLANK.sub(" ", text)).strip()

"""Safe sender names: the name a message is shown under, so that nobody can impersonate somebody else. Pure.

`render` asks `Names.shown` for every message; templates are `sender_templates`.
"""

from __future__ import annotations

import copy
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import regex

from bridge.identity import sender_templates
from bridge.identity.lookalikes import looks_of, mixes_alphabets, skeleton
from bridge.identity.people import People
from bridge.identity.standing import SOMEBODY, Standing
from bridge.model.characters import BLANK, INVISIBLE
from bridge.model.events import Author
from bridge.model.refs import AccountName

UNKNOWN = "unknown"
_ELLIPSIS = "…"
_MOST_REMEMBERED = 1024
_MOST_READ = 1000
"""How many characters of a raw name are used; no platform has longer names."""

_GRAPHEME = regex.compile(r"\X")
_EMOJI_JOIN = regex.compile(r"(?<=[\p{Extended_Pictographic}\ufe0f\p{EMod}])\u200d(?=\p{Extended_Pictographic})")
_KEPT_JOIN = "\ue000"
_STYLED = regex.compile(r"(?<=\p{Emoji})(?<![0-9#*])\ufe0f")
_KEPT_STYLE = "\ue001"
_INVISIBLE = regex.compile(rf"[{INVISIBLE}\p{{Co}}\p{{Cs}}\p{{Cn}}]")
_BLANK = regex.compile(rf"[{BLANK}]+")
_DECEIVING = regex.compile(rf"(?![\u200c\u200d\ufe0e\ufe0f\U000e0020-\U000e007f])[{INVISIBLE}\p{{Cs}}]")
"""In text, joiners shape letters and emoji; in names they are kept only in emoji."""
_BASELESS = regex.compile(r"(?:^|(?<=\s))\p{M}+")
_VISIBLE = regex.compile(r"[\p{L}\p{N}\p{P}\p{S}]")
_DOMAINS = (
    "[a-z]{2}|com|net|org|info|biz|edu|gov|mil|int|dev|app|xyz|site|online|shop|store|club|link|click|live|life|pro|tech|blog|top"
)
_ADDRESS = regex.compile(rf"(?<=[\p{{L}}\p{{N}}])(?::(?=/)|\.(?=(?:{_DOMAINS})(?![\p{{L}}\p{{N}}])))", regex.IGNORECASE)
"""What makes platforms turn a part of a name into a link: `://`, and the dot before the usual top-level domains."""
_MARKUP = regex.compile(r"[`*<>|\[\]\\]+|_{2,}|~{2,}|^[@#&:\s]+|:+$")
_PILED_MARKS = regex.compile(r"(\p{M}{2})(?<!\ufe0f)\p{M}+")


@lru_cache(maxsize=1024)
def clean_name(raw: str) -> str:
    """The name without characters that could deceive or break a line: control characters, line breaks, direction overrides,
    invisible characters, piled accents, markup; white space collapsed. Empty if nothing of it can be seen."""
    text = unicodedata.normalize("NFC", raw[:_MOST_READ].encode("utf-8", "replace").decode("utf-8"))
    text = _EMOJI_JOIN.sub(_KEPT_JOIN, text.replace(_KEPT_JOIN, "").replace(_KEPT_STYLE, ""))
    text = _BLANK.sub(" ", _STYLED.sub(_KEPT_STYLE, text))
    kept = f"([{_KEPT_JOIN}{_KEPT_STYLE}])"
    text = "".join(part if number % 2 else _INVISIBLE.sub("", part) for number, part in enumerate(regex.split(kept, text)))
    text = _PILED_MARKS.sub(r"\1", text.replace(_KEPT_JOIN, "\u200d").replace(_KEPT_STYLE, "\ufe0f"))
    previous = None
    while previous != text:
        previous = text
        text = _BLANK.sub(" ", _BASELESS.sub("", _MARKUP.sub("", text))).strip()
    return text if _VISIBLE.search(text) else ""


def show_words(raw: str) -> str:
    """`show_name` for words within a text: nothing invisible and no line break, but every visible character."""
    text = _PILED_MARKS.sub(r"\1", _ADDRESS.sub(lambda found: f"{found[0]} ", clean_line(raw[:_MOST_READ])))
    return text if _VISIBLE.search(text) else ""


def show_name(raw: str) -> str:
    """A name from elsewhere, safe to use within somebody else's message: one line, nothing invisible, no markup, no address that
    becomes a link. Empty if nothing of it is visible."""
    return _ADDRESS.sub(lambda found: f"{found[0]} ", clean_name(raw))


def shorten(text: str, length: int) -> str:
    """At most `length` code points, cut between graphemes, with an ellipsis if something was cut."""
    if len(text) <= length:
        return text
    kept = ""
    for found in _GRAPHEME.finditer(text):
        if len(kept) + len(found.group()) > length - len(_ELLIPSIS):
            break
        kept += found.group()
    return kept.rstrip() + _ELLIPSIS if length > 0 else ""


class Names:
    """Decides under which names authors are shown. Immutable.

    A name that looks like a reserved one, like that of a person of the configuration, or like one of the bridge's own bots gets a
    visible distinguisher, its account: `Anna Petrova (tg)`. "Looks like" ignores case, spaces, punctuation, accents and
    look-alike letters.
    """

    def __init__(
        self,
        reserved: Iterable[str] = (),
        people: People | None = None,
        bots: Iterable[str] = (),
        standing: Standing | None = None,
    ) -> None:
        self.people = people or People()
        self.standing = standing or Standing(self.people)
        self._protected = {skeleton(name) for name in (*reserved, *bots)}
        self._of_people = {skeleton(person.name) for person in self.people.persons} - {""}
        self._tags = {skeleton(account) for person in self.people.persons for account in person.ids} - {""}
        """What the distinguishers of the people of the configuration may be."""
        self._mark = ""
        self._decided = lru_cache(maxsize=_MOST_REMEMBERED)(self._decide)
        self._plain = lru_cache(maxsize=_MOST_REMEMBERED)(self._decide_plain)

    def plain_name(self, account: AccountName, author: Author | None, *, length: int = 80) -> str:
        """The author's own name, safe, distinguished and never empty: for every place where a person is named."""
        if self.standing.hides(account, author):
            return SOMEBODY
        person = self.people.person_of(account, author)
        name = (person.name if person else "") or ((author.name or author.username) if author else "")
        username = author.username if author else ""
        return self._plain(account, name[:_MOST_READ], username[:_MOST_READ], bool(person and person.name), length)

    def _decide_plain(self, account: AccountName, raw: str, username: str, is_configured: bool, length: int) -> str:
        name = show_name(raw) or show_name(username) or UNKNOWN
        looks = () if is_configured else (*looks_of(name), *looks_of(clean_line(raw)))
        mark = self._distinguisher(name, account, length, looks, mixed=not is_configured and mixes_alphabets(name))
        return shorten(name, length - len(mark)) + mark

    def distinct_name(
        self,
        account: AccountName,
        name: str,
        *,
        user_id: str = "",
        username: str = "",
        length: int = 80,
        may_be_marked: bool = False,
    ) -> str:
        """The same for the name of another person in a message (the author it replies to or forwards, a mention); empty for none.
        With `may_be_marked`, a name that has its distinguisher already gets no second one: it may be that of our own copy."""
        shown = show_name(name)
        if not shown and not self.people.find(account, user_id=user_id, username=username):
            return ""
        if may_be_marked and not user_id and self._is_marked(shown):
            return shorten(shown, length)
        return self.plain_name(account, Author(user_id=user_id, name=name, username=username), length=length)

    def mentioned_name(self, account: AccountName, name: str, user_id: str) -> str:
        """`told_name` within a text, where markup is literal anyway: every visible character stays. Empty if there is none."""
        if self.hides(account, user_id):
            return SOMEBODY
        shown = show_words(name)
        if not shown or self.people.find(account, user_id=user_id, username=user_id):
            return self.distinct_name(account, name, user_id=user_id, username=user_id)
        return shown + self._distinguisher(shown, account, len(shown) + 80, looks_of(shown), mixed=mixes_alphabets(shown))

    def answered_name(self, account: AccountName, name: str, *, user_id: str = "", is_ours: bool = False) -> str:
        """`told_name` for the author of an answered message. Where nobody tells who that is, the name of a person of the
        configuration is believed: from the person's own platform, or, with `is_ours`, if the bridge itself showed that name."""
        if not user_id and self.standing.hides_name(name):
            return SOMEBODY
        known = (person for person in self.people.persons if is_ours or account in person.ids)
        if not user_id and show_name(name) in {show_name(person.name) for person in known}:
            return show_name(name)
        return self.distinct_name(account, name, user_id=user_id, may_be_marked=True)

    def hides(self, account: AccountName, user_id: str) -> bool:
        """Whether that person wants to be named nowhere."""
        return bool(user_id) and self.standing.hides(account, Author(user_id=user_id, name="", username=user_id))

    def _is_marked(self, name: str) -> bool:
        _, opening, tag = name.rpartition(" (")
        return bool(opening) and tag.endswith(")") and skeleton(tag) in self._tags and not mixes_alphabets(tag)

    def with_mark(self, mark: str) -> Names:
        """The same, but that the sender of a message gets this mark behind the name."""
        if not mark:
            return self
        made = copy.copy(self)
        made._mark = mark
        return made

    def shown(
        self, author: Author | None, *, template: str, account: AccountName, platform: str, chat: str, length: int = 80
    ) -> str:
        """The sender's name by template, at most `length` code points. `platform` is its title as written for people.

        Raises ValueError for a template that has a `sender_templates.problem`.
        """
        if not self._mark:
            return self._decided(author, template, account, platform, chat, length)
        return self._decided(author, template, account, platform, chat, length - len(self._mark)) + self._mark

    def _decide(self, author: Author | None, template: str, account: AccountName, platform: str, chat: str, length: int) -> str:
        if why := sender_templates.problem(template):
            raise ValueError(" - ".join(why))
        person = self.people.person_of(account, author)
        values = {
            "username": show_name(author.username if author else "") or self.plain_name(account, author),
            "platform": clean_name(platform),
            "account": clean_name(account),
            "chat": show_name(chat),
            "bot": author is not None and author.is_bot,
            "known": person is not None,
            "roles": [*(author.roles if author else ()), *(person.roles if person else ())],
        }
        around = len(_filled(template, {**values, "name": ""}))
        name = self.plain_name(account, author, length=max(length - around, min(length, 24)))
        text = clean_line(_filled(template, {**values, "name": name})) or name
        is_checked = text == name or name.endswith(f" ({account})")
        is_own = person is not None and bool(person.name) and skeleton(text) == skeleton(name)
        mark = "" if is_checked or is_own else self._distinguisher(text, account, length, [skeleton(text)])
        return shorten(text, length - len(mark)) + mark

    def _distinguisher(self, name: str, account: AccountName, length: int, looks: Iterable[str], *, mixed: bool = False) -> str:
        """The distinguisher after the name; at most half of the available length."""
        tags = ("", skeleton(account), *self._tags)
        is_like = any(look.endswith(tag) and self._is_taken(look.removesuffix(tag)) for look in looks for tag in tags)
        return f" ({shorten(account, length // 2 - 3)})" if is_like or mixed else ""

    def _is_taken(self, look: str) -> bool:
        return look in self._protected or look in self._of_people


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """The name alone if the template cannot be filled with these values."""
    try:
        return sender_templates.fill(template, values)
    except ValueError:
        return str(values["name"])


TITLE_LENGTH = 100
"""Longest title of a thread that the bridge gives, in code points: what the strictest platform takes."""


def title_line(text: str) -> str:
    """The title of a thread as the bridge gives it, wherever it came from: one line; empty if nothing of it can be seen."""
    return shorten(clean_line(text), TITLE_LENGTH)


def clean_line(text: str) -> str:
    """One line of text from elsewhere: white space collapsed, invisible and direction-changing characters removed."""
    return _DECEIVING.sub("", _BLANK.sub(" ", text)).strip()

"""Links to messages of Telegram: read, called by the manifest, and made, called by the adapter. Pure.

Source: https://core.telegram.org/api/links#message-links, read 2026-11-26: `t.me/c/<channel>/[<thread>/]<id>` in private groups,
`t.me/<username>/[<thread>/]<id>` in public ones, and the same as `tg://privatepost` and `tg://resolve`.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from bridge.model.platform import LinkedMessage

_GENERAL_TOPIC = "1"
_HOSTS = ("t.me", "telegram.me", "telegram.dog")
_PRIVATE = re.compile(r"/c/(?P<chat>\d{1,13})(?:/\d{1,10})?/(?P<message>\d{1,10})/?")
_PUBLIC = re.compile(r"/(?:s/)?(?P<chat>[A-Za-z]\w{3,31})(?:/\d{1,10})?/(?P<message>\d{1,10})/?", re.ASCII)
_NAME = re.compile(r"[A-Za-z]\w{3,31}", re.ASCII)
_SUBDOMAIN = re.compile(r"(?P<chat>[a-z]\w{3,31})\.t\.me", re.ASCII)


def message_of_link(_: object, link: str) -> LinkedMessage | None:
    try:
        parts = urlsplit(link.strip())
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme == "tg":
        return _of_app(host, {name: values[0] for name, values in parse_qs(parts.query).items()})
    if parts.scheme not in ("http", "https"):
        return None
    path = parts.path
    if (named := _SUBDOMAIN.fullmatch(host)) is not None:
        host, path = "t.me", f"/{named['chat']}{path}"
    if host not in _HOSTS:
        return None
    is_exact = "comment" not in parse_qs(parts.query)  # else it is one in the discussion, whose chat the link does not name
    if (found := _PRIVATE.fullmatch(path)) is not None:
        return LinkedMessage(message_id=found["message"], chat=_channel(found["chat"]), is_exact=is_exact)
    if (found := _PUBLIC.fullmatch(path)) is not None:
        return LinkedMessage(message_id=found["message"], chat=f"@{found['chat']}", is_exact=is_exact)
    return None


_WEB = re.compile(r"/[akz]/?")
_TOPIC = re.compile(r"/c/(?P<chat>\d{1,13})(?:/\d{1,10})*/?")
_GROUP = re.compile(r"/(?:s/)?(?P<chat>[A-Za-z]\w{3,31})(?:/\d{1,10})*/?", re.ASCII)
_NO_NAMES = (
    "joinchat",
    "addstickers",
    "addemoji",
    "share",
    "proxy",
    "socks",
    "setlanguage",
    "addlist",
    "boost",
    "contact",
    "invoice",
)
"""First words of other links. Source: https://core.telegram.org/api/links, read 2026-11-26."""


def chat_of_link(_: object, link: str) -> str | None:
    """A group or channel, also by a message or a topic of it; web.telegram.org has the chat's id, or its name, behind the `#`."""
    try:
        parts = urlsplit(link.strip())
        host = parts.hostname or ""
    except ValueError:
        return None
    if host == "web.telegram.org" and _WEB.fullmatch(parts.path):
        place = parts.fragment.partition("_")[0]
        return place if re.fullmatch(r"-\d{1,19}|@[A-Za-z]\w{3,31}", place, re.ASCII) else None
    if parts.scheme not in ("http", "https") or host not in _HOSTS:
        return None
    if (found := _TOPIC.fullmatch(parts.path)) is not None:
        return _channel(found["chat"])
    if (found := _GROUP.fullmatch(parts.path)) is not None and found["chat"].lower() not in _NO_NAMES:
        return f"@{found['chat']}"
    return None


def _of_app(kind: str, given: dict[str, str]) -> LinkedMessage | None:
    post = given.get("post", "")
    if not post.isdecimal():
        return None
    if kind == "privatepost" and given.get("channel", "").isdecimal():
        return LinkedMessage(message_id=post, chat=_channel(given["channel"]), is_exact="comment" not in given)
    if kind == "resolve" and _NAME.fullmatch(given.get("domain", "")):
        return LinkedMessage(message_id=post, chat=f"@{given['domain']}", is_exact="comment" not in given)
    return None


def _channel(number: str) -> str:
    """The Bot API's id of a channel or supergroup. Source: https://core.telegram.org/api/bots/ids, read 2026-11-26."""
    return str(-1_000_000_000_000 - int(number))


def link_to_message(chat_id: str, message_id: str, thread_id: str | None) -> str:
    """For members of the chat, whether it is public or not; empty for a basic group, whose messages have no links."""
    channel = -1_000_000_000_000 - int(chat_id)
    if channel <= 0:
        return ""
    thread = f"{thread_id}/" if thread_id and thread_id != _GENERAL_TOPIC else ""
    return f"https://t.me/c/{channel}/{thread}{message_id}"

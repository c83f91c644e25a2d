"""Which message a link of Telegram's leads to. Pure; called by the manifest.

Source: https://core.telegram.org/api/links#message-links, read 2026-11-26: `t.me/c/<channel>/[<thread>/]<id>` in private groups,
`t.me/<username>/[<thread>/]<id>` in public ones, and the same as `tg://privatepost` and `tg://resolve`.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from bridge.model.platform import LinkedMessage

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
    if (found := _PRIVATE.fullmatch(path)) is not None:
        return LinkedMessage(message_id=found["message"], chat=_channel(found["chat"]))
    if (found := _PUBLIC.fullmatch(path)) is not None:
        return LinkedMessage(message_id=found["message"], chat=f"@{found['chat']}")
    return None


def _of_app(kind: str, given: dict[str, str]) -> LinkedMessage | None:
    post = given.get("post", "")
    if not post.isdecimal():
        return None
    if kind == "privatepost" and given.get("channel", "").isdecimal():
        return LinkedMessage(message_id=post, chat=_channel(given["channel"]))
    if kind == "resolve" and _NAME.fullmatch(given.get("domain", "")):
        return LinkedMessage(message_id=post, chat=f"@{given['domain']}")
    return None


def _channel(number: str) -> str:
    """The Bot API's id of a channel or supergroup. Source: https://core.telegram.org/api/bots/ids, read 2026-11-26."""
    return str(-1_000_000_000_000 - int(number))

"""Discord's rules for messages: lengths, counts, names, mentions, rate budgets. Pure; raises the API's own refusals.

Source: Discord API reference (message, webhook, rate limits), August 2026; the community's figures where Discord publishes none.
"""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import emoji as emoji_names

from adapters.discord.emulator.errors import ApiError, RateLimited, invalid_form, too_long
from adapters.discord.emulator.records import StoredAttachment

VOICE = 1 << 13
MAX_CONTENT = 2000
MAX_FILES = 10
MAX_EMBEDS = 10
MAX_EMBED_TOTAL = 6000
MAX_NONCE = 25
MAX_REACTIONS = 20
MAX_PINS = 250
MAX_WEBHOOKS = 15
RENAMINGS = (2, 600.0)
"""Of one thread by bots, in so many seconds; no header announces it (discord/discord-api-docs#1900, reports)."""
MAX_BULK_AGE_S = 14 * 86_400
THREAD_STARTER = 21
TYPING_S = 10.0
"""How long the client shows that somebody types. Source: API reference, "Trigger Typing Indicator"."""

_EMBED_LIMITS = {"title": 256, "description": 4096}
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(everyone|here)\b")
_CODE = re.compile(r"```.+?```|``.+?``|`[^`]+`", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pings:
    users: tuple[int, ...] = ()
    roles: tuple[int, ...] = ()
    everyone: bool = False


def check_content(content: object) -> str:
    if content is None:
        return ""
    if not isinstance(content, str):
        raise invalid_form("content", "BASE_TYPE_STRING", "Not a string.")
    if len(content) > MAX_CONTENT:
        raise too_long("content", MAX_CONTENT)
    return content


def check_voice(has_more: bool, attachments: tuple[StoredAttachment, ...]) -> None:
    """Source: API reference, "Voice Messages" and "JSON Error Codes"."""
    if has_more:
        raise ApiError(400, 50159, "Voice messages do not support additional content.")
    if len(attachments) != 1 or not attachments[0].mime.startswith("audio/"):
        raise ApiError(400, 50160, "Voice messages must have a single audio attachment.")
    if not attachments[0].duration_s or not attachments[0].waveform:
        raise ApiError(400, 50161, "Voice messages must have supporting metadata.")


def check_nonce(nonce: object) -> str | int | None:
    if nonce is None or (isinstance(nonce, int) and not isinstance(nonce, bool)):
        return nonce
    if not isinstance(nonce, str):
        raise invalid_form("nonce", "NONCE_TYPE_INVALID", "Must be a string or an integer.")
    if len(nonce) > MAX_NONCE:
        raise too_long("nonce", MAX_NONCE)
    return nonce


def check_embeds(embeds: object) -> tuple[dict[str, Any], ...]:
    if not embeds:
        return ()
    if not isinstance(embeds, list) or not all(isinstance(e, dict) for e in embeds):
        raise invalid_form("embeds", "BASE_TYPE_LIST", "Must be a list of objects.")
    if len(embeds) > MAX_EMBEDS:
        raise too_long("embeds", MAX_EMBEDS)
    total = sum(_check_embed(position, embed) for position, embed in enumerate(embeds))
    if total > MAX_EMBED_TOTAL:
        raise invalid_form("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {MAX_EMBED_TOTAL}")
    return tuple({"type": "rich", **embed} for embed in embeds)


def _check_embed(position: int, embed: dict[str, Any]) -> int:
    """Checks one embed's parts; returns what it adds to the total over all embeds."""
    parts: list[tuple[str, object, int]] = [(key, embed.get(key), limit) for key, limit in _EMBED_LIMITS.items()]
    parts.append(("footer.text", (embed.get("footer") or {}).get("text"), 2048))
    parts.append(("author.name", (embed.get("author") or {}).get("name"), 256))
    fields = embed.get("fields") or []
    if len(fields) > 25:
        raise too_long(f"embeds.{position}.fields", 25)
    for number, item in enumerate(fields):
        parts.append((f"fields.{number}.name", item.get("name"), 256))
        parts.append((f"fields.{number}.value", item.get("value"), 1024))
    total = 0
    for path, value, limit in parts:
        length = len(str(value or ""))
        if length > limit:
            raise too_long(f"embeds.{position}.{path}", limit)
        total += length
    return total


def check_webhook_name(name: object, field: str = "username") -> str:
    """Trims as Discord does and refuses what it refuses."""
    if not isinstance(name, str):
        raise invalid_form(field, "BASE_TYPE_STRING", "Not a string.")
    trimmed = " ".join(name.split())
    if not 1 <= len(trimmed) <= 80:
        raise invalid_form(field, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 80 in length.")
    folded = trimmed.casefold()
    for word in ("clyde", "discord"):
        if word in folded:
            raise invalid_form(field, "USERNAME_INVALID_CONTAINS", f'Username cannot contain "{word}"')
    for word in ("everyone", "here"):
        if folded == word:
            raise invalid_form(field, "USERNAME_INVALID", f'Username cannot be "{word}"')
    return trimmed


def pings(content: str, allowed: object, *, by_default: tuple[str, ...], may_everyone: bool) -> Pings:
    """Whom this text notifies. `by_default` is allowed if the request states nothing (None)."""
    parse, users, roles = _check_allowed(allowed, by_default)
    text = _CODE.sub("", content)
    named_users = tuple(dict.fromkeys(int(u) for u in _USER.findall(text)))
    named_roles = tuple(dict.fromkeys(int(r) for r in _ROLE.findall(text)))
    return Pings(
        users=named_users if "users" in parse else tuple(u for u in named_users if str(u) in users),
        roles=named_roles if "roles" in parse else tuple(r for r in named_roles if str(r) in roles),
        everyone=may_everyone and "everyone" in parse and bool(_EVERYONE.search(text)),
    )


def _check_allowed(allowed: object, by_default: tuple[str, ...]) -> tuple[set[str], set[str], set[str]]:
    if allowed is None:
        return set(by_default), set(), set()
    if not isinstance(allowed, dict):
        raise invalid_form("allowed_mentions", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    parse = set(map(str, allowed.get("parse") or []))
    users = set(map(str, allowed.get("users") or []))
    roles = set(map(str, allowed.get("roles") or []))
    for name in parse - {"users", "roles", "everyone"}:
        raise invalid_form("allowed_mentions.parse", "BASE_TYPE_CHOICES", f"Value {name!r} is not one of the choices.")
    for field, ids in (("users", users), ("roles", roles)):
        if ids and field in parse:
            message = f"parse:[{field}] and {field}: [ids...] are mutually exclusive."
            raise invalid_form("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)
        if len(ids) > 100:
            raise too_long(f"allowed_mentions.{field}", 100)
    return parse, users, roles


def is_unicode_emoji(text: str) -> bool:
    return emoji_names.purely_emoji(text) and emoji_names.emoji_count(text) == 1


@dataclass(slots=True)
class RateBudgets:
    """Requests per bucket and seconds. The defaults limit nothing in practice; `strict()` has what the community measured."""

    channel: tuple[int, float] = (100_000, 5.0)
    webhook: tuple[int, float] = (100_000, 2.0)
    webhook_channel: tuple[int, float] = (100_000, 60.0)
    """Not announced by any header."""
    reaction: tuple[int, float] = (100_000, 0.25)
    global_requests: tuple[int, float] = (100_000, 1.0)

    @classmethod
    def strict(cls) -> RateBudgets:
        """Sources: channel and reaction: community figures; webhook: discord-api-docs#367; global: API reference."""
        return cls(channel=(5, 5.0), webhook=(5, 2.0), webhook_channel=(30, 60.0), reaction=(1, 0.25), global_requests=(50, 1.0))


class Buckets:
    """Fixed windows, as the headers describe them."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}
        self._recent: dict[str, deque[float]] = {}

    def take(self, key: str, budget: tuple[int, float]) -> dict[str, str]:
        """Takes one token; returns the headers. Raises RateLimited if the window has none left."""
        limit, window_s = budget
        now = time.monotonic()
        started, used = self._windows.get(key, (now, 0))
        if now - started >= window_s:
            started, used = now, 0
        reset_after_s = max(0.001, started + window_s - now)
        if used >= limit:
            raise RateLimited(reset_after_s)
        self._windows[key] = (started, used + 1)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(limit - used - 1),
            "X-RateLimit-Reset": f"{time.time() + reset_after_s:.3f}",
            "X-RateLimit-Reset-After": f"{reset_after_s:.3f}",
            "X-RateLimit-Bucket": f"{hash(key.split(':')[0]) & 0xFFFFFFFF:08x}",
        }

    def take_quietly(self, key: str, budget: tuple[int, float], *, scope: str = "shared", is_global: bool = False) -> None:
        """Takes one token of a sliding window that no header announces."""
        limit, window_s = budget
        if limit >= 100_000:
            return
        now = time.monotonic()
        recent = self._recent.setdefault(key, deque())
        while recent and now - recent[0] >= window_s:
            recent.popleft()
        if len(recent) >= limit:
            raise RateLimited(window_s - (now - recent[0]), scope=scope, is_global=is_global)
        recent.append(now)


def check_file_count(count: int) -> None:
    if count > MAX_FILES:
        raise ApiError(400, 30015, "Maximum number of attachments in a message reached (10)")

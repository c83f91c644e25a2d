"""Table: what Discord answers -> the bridge's errors. Pure; used by `transport` for every answer that is not 2xx.

Source: Discord API reference, "Opcodes and Status Codes", August 2026; gateway close codes as in discord.py gateway.py 2.7.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.common.http_errors import Effect, classify_page, classify_status, retry_after_s
from adapters.discord import wire
from bridge.model.errors import (
    AccountDown,
    BridgeError,
    ChangeRefused,
    ChatDown,
    FileRejected,
    MessageGone,
    Rejected,
    RetryLater,
    Scope,
)

TOKEN_ACTION = "create a new token in Discord's developer portal (Bot, Reset Token) and put it into bridge.yaml"  # noqa: S105
WRITE_LIMIT_WAIT_S = 60.0

# codes that callers handle or distinguish; source: API reference, "JSON Error Codes"
UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
UNKNOWN_EMOJI = 10014
UNKNOWN_WEBHOOK = 10015
TOO_MANY_WEBHOOKS = 30007
MISSING_ACCESS = 50001
MISSING_PERMISSIONS = 50013
WRONG_CHANNEL_KIND = 50024
INVALID_WEBHOOK_TOKEN = 50027
INVALID_FORM = 50035
THREAD_ARCHIVED = 50083
CANNOT_REPLY = 160002
LONGEST_TOLD_S = 3600.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not 2xx. `code` is Discord's JSON error code, 0 if there was none."""

    status: int
    code: int = 0
    message: str = ""
    fields: tuple[str, ...] = ()
    """For 50035: the dotted paths of the faulty fields."""
    retry_after_s: float | None = None
    is_global: bool = False
    is_json: bool = True
    has_bucket: bool = False
    """Whether its headers name a rate limit of the API."""

    @property
    def is_of_api(self) -> bool:
        """Whether the API answered, and not the proxy in front of it."""
        return self.is_json or self.has_bucket

    def __str__(self) -> str:
        where = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"Discord answered {self.status}, code {self.code}: {self.message}{where}"


class Refused(Exception):
    """Raised by `transport` for an answer that the caller may handle itself; `error` is its meaning otherwise."""

    def __init__(self, refusal: Refusal, error: BridgeError) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.error = error

    @property
    def code(self) -> int:
        return self.refusal.code


_VOICE_CODES = frozenset(
    {
        50159,  # voice messages have no other content
        50160,  # a voice message has one audio attachment
        50161,  # it must come with its length and waveform
        50173,  # no voice messages in this channel
    }
)


def is_voice_refused(refused: Refused) -> bool:
    """Whether the same sound may still be sent as a file. Without Send Voice Messages the answer is Missing Permissions."""
    return refused.code in _VOICE_CODES or refused.code in (INVALID_FORM, MISSING_PERMISSIONS)


POST_ACTION = (
    "a forum holds posts only: name one of them in bridge.yaml, as <channel>/<post> with the post's id "
    "(Developer Mode, right-click the post, Copy Channel ID), or write <channel>/* for posts that are made as needed"
)
"""For a forum or media channel as an end that messages are to be sent to."""

# codes -> what to do about the chat
CHAT_ACTIONS: Mapping[int, str] = {
    10003: "the channel no longer exists: take it out of bridge.yaml or correct its id",
    50001: "give the bot View Channel in this channel, or invite it to the server again",
    50013: "give the bot the permissions listed in adapters/discord/README.md in this channel",
    50008: "choose a text channel, or name a post of this forum as <channel>/<post> in bridge.yaml",
    50024: "choose a text channel, or name a post of this forum as <channel>/<post> in bridge.yaml",
    220001: POST_ACTION,
    220004: POST_ACTION,
    160005: "unlock the thread, or take it out of bridge.yaml",
}

# codes that end this one message only
MESSAGE_CODES = frozenset(
    {
        10014,  # unknown emoji
        30010,  # too many kinds of reactions
        40005,  # request entity too large
        50006,  # empty message
        50035,  # invalid form body
        50045,  # file over the server's limit
        50083,  # thread is archived (and locked)
        90001,  # blocked by the message's author
        160002,  # cannot reply without history
        200000,  # blocked by AutoMod
        200001,  # title blocked by AutoMod
        240000,  # harmful link
    }
)

# codes of changes that Discord never makes, whatever rights the bot is given
UNCHANGEABLE_CODES = frozenset(
    {
        50005,  # message of somebody else
        50021,  # not on a system message
        50162,  # not of a voice message
        520003,  # a poll cannot be edited
    }
)

# codes that are about a file of the message
FILE_CODES: Mapping[int, str] = {
    40005: "too large for Discord",
    50045: "too large for Discord",
    50046: "Discord does not take this kind of file",
    50138: "Discord cannot make the picture small enough",
    50006: "Discord takes no empty files",
    200000: "AutoMod blocks it on Discord",
}
_OF_FILES = (413, 415)
"""Statuses about a file, whoever says them on the way."""
_FILE_FIELD = re.compile(r"(?:files|attachments)(?:\.|\[)?(\d+)?")

# codes that pass by themselves
TRANSIENT_CODES: Mapping[int, float | None] = {
    40062: None,  # service resource is being rate limited
    130000: None,  # API resource overloaded
    30046: WRITE_LIMIT_WAIT_S,  # too many edits of messages older than an hour
    20028: WRITE_LIMIT_WAIT_S,  # channel write rate limit
    20029: WRITE_LIMIT_WAIT_S,  # server write rate limit
}

# the whole account
ACCOUNT_CODES: Mapping[int, str] = {
    40001: TOKEN_ACTION,
    40002: "verify the e-mail address of the Discord account that owns the bot",
}

AUTHENTICATION_FAILED = 4004
"""The close code for a refused token: then REST refuses it, too. What else ends the gateway leaves sending as it is."""
CLOSE_CODES: Mapping[int, tuple[str, str]] = {
    4004: ("Discord refuses the bot token", TOKEN_ACTION),
    4010: ("Discord refuses the shard", "report this as a bug of the bridge"),
    4011: ("Discord requires sharding: the bot is in too many servers", "use a bot of its own for the bridge"),
    4012: ("Discord no longer serves this gateway version", "update discord.py"),
    4013: ("Discord does not know the intents", "update the bridge"),
    4014: (
        "the bot may not use the intents it asks for",
        "switch on MESSAGE CONTENT INTENT (and SERVER MEMBERS INTENT if `members: true`) in Discord's developer portal, Bot page",
    ),
}
"""Gateway close codes after which reconnecting is useless, with reason and action."""


def classify(refusal: Refusal, *, effect: Effect) -> BridgeError:
    """What an answer means."""
    text, status = str(refusal), refusal.status
    if status == 429:
        return _rate_limit(refusal)
    if not refusal.is_of_api and status not in _OF_FILES:
        return classify_page(status, effect=effect, reason=text, after_s=refusal.retry_after_s)
    if found := classify_status(status, effect=effect, reason=text, after_s=refusal.retry_after_s):
        return found
    if refusal.code in TRANSIENT_CODES:
        return RetryLater(text, after_s=TRANSIENT_CODES[refusal.code], rate_limited=True)
    if refusal.code == UNKNOWN_MESSAGE:
        return MessageGone(text)
    if refusal.code in UNCHANGEABLE_CODES:
        return ChangeRefused(text)
    if refusal.code in MESSAGE_CODES:
        return Rejected(text)
    if refusal.code in CHAT_ACTIONS:
        return ChatDown(text, action=CHAT_ACTIONS[refusal.code])
    if refusal.code in ACCOUNT_CODES:
        return AccountDown(text, action=ACCOUNT_CODES[refusal.code])
    if refusal.status == 401:
        return AccountDown("Discord refuses the bot token", action=TOKEN_ACTION)
    return Rejected(text)


def file_fault(refusal: Refusal) -> FileRejected | None:
    """What a refused message with files means if the files are the reason; the text, and files that are not named, may still be
    sent."""
    if refusal.code in FILE_CODES:
        return FileRejected(FILE_CODES[refusal.code])
    if refusal.status in _OF_FILES:
        return FileRejected(f"refused on the way to Discord ({refusal.status}), as too large or of its kind")
    found = [match for field in refusal.fields if (match := _FILE_FIELD.match(field))]
    if refusal.code != INVALID_FORM or not found:
        return None
    indexes = tuple(sorted({int(match[1]) for match in found if match[1]}))
    return FileRejected(f"Discord does not take it: {refusal.message}", indexes=indexes if len(indexes) == len(found) else ())


def is_about_size(refusal: Refusal) -> bool:
    """Whether a file, or all files together, were too large."""
    return refusal.status == 413 or refusal.code in (40005, 50045)


def _rate_limit(refusal: Refusal) -> RetryLater:
    """A 429 of the API concerns its route unless it says that it is global, with or without a time. One without signs of the API
    comes from the proxy in front of it, concerns the whole IP address, and often has no time."""
    scope = Scope.ACCOUNT if refusal.is_global or not refusal.is_of_api else Scope.CHAT
    return RetryLater(str(refusal), after_s=refusal.retry_after_s, scope=scope, rate_limited=True)


def refusal_of(status: int, payload: Any, headers: Mapping[str, str]) -> Refusal:
    """Reads an answer that is not 2xx; `payload` is its decoded JSON or None."""
    is_json = isinstance(payload, dict)
    data: wire.ErrorAnswer = payload if is_json else {}
    stated = (data.get("retry_after"), retry_after_s(headers), headers.get("X-RateLimit-Reset-After"))
    is_shut = status == 429  # elsewhere the last one only says when the bucket is next filled
    retry_after = next((seconds for one in (stated if is_shut else stated[:2]) if (seconds := _seconds(one)) is not None), None)
    return Refusal(
        status=status,
        code=data["code"] if isinstance(data.get("code"), int) else 0,
        message=str(data.get("message") or "no explanation")[:300],
        fields=tuple(_faulty_fields(data.get("errors"))),
        retry_after_s=retry_after,
        is_global=bool(data.get("global")) or headers.get("X-RateLimit-Scope") == "global",
        is_json=is_json,
        has_bucket="X-RateLimit-Scope" in headers or "X-RateLimit-Bucket" in headers,
    )


def _seconds(value: object) -> float | None:
    """The wait that Discord asks for. A value that is no number of seconds is ignored, and at most an hour is believed: then
    Discord is asked again."""
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    return min(max(0.0, seconds), LONGEST_TOLD_S) if seconds == seconds else None  # not a NaN


def _faulty_fields(tree: object, path: str = "") -> list[str]:
    if not isinstance(tree, dict):
        return []
    found = [path] if "_errors" in tree else []
    for key, inner in tree.items():
        if key != "_errors":
            found.extend(_faulty_fields(inner, f"{path}.{key}" if path else str(key)))
    return found[:10]

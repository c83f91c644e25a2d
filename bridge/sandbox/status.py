"""What the page asks about the bridge once a second: its accounts, and what did not arrive, with the reason.

`page` serves it, `runner` makes it of a running sandbox.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adapters.common.emulation.abilities import EmulatedThread, OpensThreads, TellsWhoTypes
from adapters.common.emulation.contract import Emulator
from bridge.journal.contract import DeadLetter
from bridge.model.one_line import one_line
from bridge.model.outcomes import Skip
from bridge.model.rich_text import text_of
from bridge.sandbox.world import Sandbox

_MOST_DEAD = 50
"""Shown on the page; `messenger-bridge dead list` has all."""
_WORDS = 80
_MOST_THREADS = 50
_MOST_TYPING = 5
_SKIPS = "messenger_bridge_skips"
_RULES = {rule.label: str(rule) for rule in Skip}
"""In words, by the label that metrics use."""


class AccountStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How one of the bridge's accounts is. `state` is a value of `AccountState`; `waiting` counts deliveries that
    are accepted and not yet made."""

    account: str
    platform: str
    state: str
    reason: str = ""
    action: str = ""
    waiting: int = 0


class DeadStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was given up. `message_id` is native to the chat of `origin`; empty for what is no message."""

    delivery_id: int
    origin: str
    message_id: str
    target: str
    words: str
    reason: str


class SkipStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries to `target` were skipped by this rule."""

    target: str
    rule: str
    count: int


class ChatStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A chat's threads and topics, the newest of them, and who types in it."""

    platform: str
    chat_id: str
    threads: Sequence[EmulatedThread] = ()
    typing: Sequence[str] = ()


class PageStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`ready`: every account was connected at least once, so that nothing said from now on can be missed."""

    ready: bool
    accounts: list[AccountStatus]
    dead: list[DeadStatus] = []
    skips: list[SkipStatus] = []
    chats: list[ChatStatus] = []


async def status_of(sandbox: Sandbox) -> PageStatus:
    report = await sandbox.app.report()
    waiting = {lane["target"].partition("/")[0]: lane["waiting"] for lane in report["lanes"]}
    accounts = [
        AccountStatus(
            account=account,
            platform=account,
            state=found["state"],
            reason=found["reason"],
            action=found["action"],
            waiting=waiting.get(account, 0),
        )
        for account, found in report["accounts"].items()
    ]
    letters = await sandbox.app.journal.dead_letters(limit=_MOST_DEAD) if report["journal"]["dead"] else ()
    return PageStatus(
        ready=sandbox.was_connected,
        accounts=accounts,
        dead=[_dead(letter) for letter in letters],
        skips=_skips(sandbox),
        chats=[_chat(platform, emulator, chat.chat_id) for platform, emulator, chat in sandbox.chats()],
    )


def _chat(platform: str, emulator: Emulator, chat_id: str) -> ChatStatus:
    threads = emulator.threads(chat_id)[-_MOST_THREADS:] if isinstance(emulator, OpensThreads) else ()
    typing = emulator.typing(chat_id) if isinstance(emulator, TellsWhoTypes) else ()
    return ChatStatus(platform=platform, chat_id=chat_id, threads=threads, typing=typing[:_MOST_TYPING])


def _dead(letter: DeadLetter) -> DeadStatus:
    event = letter.event
    content = getattr(event, "content", None)
    return DeadStatus(
        delivery_id=letter.delivery_id,
        origin="" if event is None else str(event.meta.origin.account),
        message_id=getattr(event, "message_id", ""),
        target=str(letter.target.account),
        words="" if content is None else one_line(text_of(content.text), _WORDS),
        reason=letter.reason,
    )


def _skips(sandbox: Sandbox) -> list[SkipStatus]:
    return [
        SkipStatus(
            target=sample.labels["account"], rule=_RULES.get(sample.labels["rule"], sample.labels["rule"]), count=int(sample.value)
        )
        for family in sandbox.app.metrics.collect()
        if family.name == _SKIPS
        for sample in family.samples
        if sample.name == f"{_SKIPS}_total"
    ]

"""Which ends are switched off, and since when the others fail. Kept in the journal, so that it survives restarts.

An end is switched off when its receiver says so, or after five days of nothing but failures, two of which are 12 to 24 hours
apart: without that a single failure, five days of silence and another one would do. What is sent to it waits meanwhile. It is on
again when an admin says so (`messenger-bridge hooks enable`), or when its url is another. Source of the rule: Svix's "Disabling
failing endpoints", read 2026-11-26.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bridge.model.account_store import AccountStore, StoreDown, off_note
from bridge.model.clock import Clock
from bridge.model.errors import ChatOff

FAILING_S = 5 * 86400.0
APART_S = (12 * 3600.0, 24 * 3600.0)
_SET_S = 60.0
"""Clocks that differ by more were set."""
ACTION = "see to it that the receiver takes messages again, then: messenger-bridge hooks enable {account}/{end}"


@dataclass(slots=True)
class _Failing:
    """Since when, in seconds since 1970; the failure that the next is compared with; a mark of the url that fails; whether two were
    far enough apart."""

    since_s: float
    compared_s: float
    of: str
    is_spaced: bool = False


class EndpointStates:
    """Of one account. Without a store nothing survives a restart."""

    def __init__(self, account: str, store: AccountStore | None, clock: Clock) -> None:
        self._account = account
        self._store = store
        self._clock = clock
        self._known: set[str] = set()
        self._off: dict[str, str] = {}
        """Why, by end."""
        self._failing: dict[str, _Failing] = {}
        self._failed_at: dict[str, tuple[float, float]] = {}
        """When an end failed last, by the clock and by the steady time of this process."""
        self._unwritten: dict[str, str] = {}
        """Notes that the store did not take yet."""

    async def check(self, end: str, url: str) -> bool:
        """Before an attempt. True: it was off, and is on again. Raises ChatOff, and StoreDown while a note cannot be kept."""
        for name in (off_note(end), _failing_note(end)):
            await self._keep(name)
        if end not in self._known:
            await self._read(end)
            self._known.add(end)
        if end not in self._off:
            return False
        why = (
            _entries(await self._store.note(off_note(end))) if self._store is not None else {"why": self._off[end], "of": _of(url)}
        )
        if why and why.get("of") == _of(url):
            raise self._chat_off(end, str(why.get("why", "")))
        await self.switch_on(end)
        return True

    async def why_off(self, end: str, url: str) -> ChatOff | None:
        """For who looks at it and sends nothing."""
        try:
            await self.check(end, url)
        except ChatOff as off:
            return off
        return None

    async def switch_on(self, end: str) -> None:
        self._off.pop(end, None)
        self._failing.pop(end, None)
        await self._write(off_note(end), "")
        await self._write(_failing_note(end), "")

    async def switch_off(self, end: str, url: str, why: str) -> ChatOff:
        """The error to raise for it."""
        now = self._clock.now()
        self._off[end] = why
        await self._write(off_note(end), json.dumps({"why": why, "since": now.isoformat(timespec="seconds"), "of": _of(url)}))
        await self.worked(end)  # once it is on again, also while nothing runs, the days begin anew
        return self._chat_off(end, why)

    async def worked(self, end: str) -> None:
        """No failures of before count."""
        if self._failing.pop(end, None) is not None:
            await self._write(_failing_note(end), "")

    async def failed(self, end: str, url: str) -> bool:
        """Whether this url of it has failed for long enough to be switched off."""
        now_s = self._clock.now().timestamp()
        failing = self._failing.get(end)
        self._follow_clock(end, failing, now_s)
        if failing is None or failing.of != _of(url) or now_s < failing.since_s:  # the clock was wrong then, or is now
            self._failing[end] = failing = _Failing(since_s=now_s, compared_s=now_s, of=_of(url))
        elif (gap_s := now_s - failing.compared_s) >= APART_S[0]:
            failing.is_spaced = failing.is_spaced or gap_s <= APART_S[1]
            failing.compared_s = now_s
        else:
            return failing.is_spaced and now_s - failing.since_s >= FAILING_S
        note = [failing.since_s, failing.compared_s, failing.of, failing.is_spaced]
        await self._write(_failing_note(end), json.dumps(note))
        return failing.is_spaced and now_s - failing.since_s >= FAILING_S

    def _follow_clock(self, end: str, failing: _Failing | None, now_s: float) -> None:
        """A clock that was set since the last failure makes no days of hours: what is kept is moved with it."""
        steady_s = self._clock.monotonic_s()
        before_s, steady_before_s = self._failed_at.get(end, (now_s, steady_s))
        self._failed_at[end] = (now_s, steady_s)
        set_by_s = (now_s - before_s) - (steady_s - steady_before_s)
        if failing is not None and abs(set_by_s) > _SET_S:
            failing.since_s += set_by_s
            failing.compared_s += set_by_s

    def _chat_off(self, end: str, why: str) -> ChatOff:
        return ChatOff(f"the end {end} is switched off: {why}", action=ACTION.format(account=self._account, end=end))

    async def _read(self, end: str) -> None:
        if self._store is None:
            return
        off = _entries(await self._store.note(off_note(end)))
        if off:
            self._off[end] = str(off.get("why", ""))
        try:
            since_s, compared_s, of, is_spaced = json.loads(await self._store.note(_failing_note(end)) or "null")
            self._failing[end] = _Failing(float(since_s), float(compared_s), str(of), bool(is_spaced))
        except (ValueError, TypeError):
            pass  # none, or of a form that another version wrote: it is counted anew

    async def _write(self, name: str, value: str) -> None:
        """What became of an attempt does not depend on whether a note of it can be kept now: a message that arrived would be sent
        again. `check` keeps the note before the next attempt."""
        self._unwritten[name] = value
        with suppress(StoreDown):
            await self._keep(name)

    async def _keep(self, name: str) -> None:
        value = self._unwritten.get(name)
        if value is not None and self._store is not None:
            await self._store.set_note(name, value)
        if self._unwritten.get(name) == value:
            self._unwritten.pop(name, None)


def _failing_note(end: str) -> str:
    return f"failing/{end}"


def _entries(note: str) -> Mapping[str, Any]:
    try:
        found = json.loads(note) if note else {}
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}


def _of(url: str) -> str:
    """A url holds tokens: only a mark of it is kept."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]

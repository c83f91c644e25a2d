"""Records which ends are switched off, and since when others fail. Kept in the journal, so that it survives restarts.

An end is switched off when its receiver asks for it, or after five days of failures only, two of which must be 12 to 24 hours
apart: otherwise one failure, five days without messages and a second failure would be enough. Its messages wait meanwhile. It is
enabled again by an admin (`messenger-bridge hooks enable`), or by a change of its url. Source of the rule: Svix's "Disabling
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
"""A larger difference between wall clock and monotonic clock means that the clock was set."""
ACTION = "make the receiver accept messages again, then run: messenger-bridge hooks enable {account}/{end}"


@dataclass(slots=True)
class _Failing:
    """The failures of an end: the first, and the one that the next is compared with, as Unix time in seconds; a digest of the
    failing url; whether two failures were far enough apart."""

    since_s: float
    compared_s: float
    of: str
    is_spaced: bool = False


class EndpointStates:
    """The state of the ends of one account. Without a store it does not survive a restart."""

    def __init__(self, account: str, store: AccountStore | None, clock: Clock) -> None:
        self._account = account
        self._store = store
        self._clock = clock
        self._known: set[str] = set()
        self._off: dict[str, str] = {}
        """Ends that are switched off, with the reason."""
        self._failing: dict[str, _Failing] = {}
        self._failed_at: dict[str, tuple[float, float]] = {}
        """The last failure of each end, by wall clock and by monotonic clock."""
        self._unwritten: dict[str, str] = {}
        """Notes that could not be stored yet."""

    async def check(self, end: str, url: str) -> bool:
        """Call before an attempt. Returns True if the end was off and is on again. Raises ChatOff if it is off, StoreDown while a
        note cannot be stored."""
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
        """Raises ChatOff if the end is off; for callers that do not send."""
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
        """Switch the end off. Returns the error to raise."""
        now = self._clock.now()
        self._off[end] = why
        await self._write(off_note(end), json.dumps({"why": why, "since": now.isoformat(timespec="seconds"), "of": _of(url)}))
        await self.worked(end)  # once it is on again, even while the bridge is down, the five days start again
        return self._chat_off(end, why)

    async def worked(self, end: str) -> None:
        """Forget earlier failures: an attempt succeeded."""
        if self._failing.pop(end, None) is not None:
            await self._write(_failing_note(end), "")

    async def failed(self, end: str, url: str) -> bool:
        """Record a failure. Returns whether this url has failed for long enough to switch the end off."""
        now_s = self._clock.now().timestamp()
        failing = self._failing.get(end)
        self._follow_clock(end, failing, now_s)
        if failing is None or failing.of != _of(url) or now_s < failing.since_s:  # the clock was wrong then, or is wrong now
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
        """If the clock was set since the last failure, shift the recorded times by the difference, so that hours do not become
        days."""
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
            pass  # none, or written by another version: counting starts again

    async def _write(self, name: str, value: str) -> None:
        """A note that cannot be stored now does not fail the attempt: a message that arrived would be sent again. `check` stores
        the note before the next attempt."""
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
    """A digest of the url, since a url may hold tokens."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]

"""Looks people up on the server: by name or e-mail address, and whether they are members of a chat.

A bounded cache with expiry. Nothing here raises: a failed lookup gives "unknown". After a failure no requests are made for a while.
 Used by `outbound.mentions`, `inbound.webhook_events` and `probe`.
"""

from __future__ import annotations

import asyncio
import collections
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from adapters.teamspirit.client import Client, Known
from adapters.teamspirit.directory import Directory
from bridge.model.clock import Clock
from bridge.model.errors import BridgeError

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import Operations

log = structlog.get_logger("teamspirit")

_KEPT = 5000
_KEPT_S = 3600.0
_UNKNOWN_KEPT_S = 300.0
_LEFT_ALONE_S = 60.0

Value = TypeVar("Value")


class _Remembered(Generic[Value]):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: collections.OrderedDict[tuple[str, str], tuple[float, Value]] = collections.OrderedDict()

    def find(self, key: tuple[str, str]) -> tuple[Value] | None:
        """The value as a tuple of one; None if there is none, or it has expired."""
        until_s, *value = self._kept.get(key, (0.0,))
        return (value[0],) if value and until_s > self._clock.monotonic_s() else None

    def keep(self, key: tuple[str, str], value: Value, for_s: float) -> None:
        self._kept[key] = (self._clock.monotonic_s() + for_s, value)
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


class People:
    def __init__(self, operations: Operations, client: Client, directory: Directory, clock: Clock) -> None:
        self._finds, self._tells_members = operations.find_users is not None, operations.member is not None
        self._client = client
        self._directory = directory
        self._clock = clock
        self._found: _Remembered[Known | None] = _Remembered(clock)
        self._members: _Remembered[bool] = _Remembered(clock)
        self._asked_again_s = 0.0
        self._one_at_a_time = asyncio.Lock()

    @property
    def can_find(self) -> bool:
        """Whether the dialect looks people up by name."""
        return self._finds

    async def find(self, name: str) -> Known | None:
        """The person with that username, else the only one with that name. A name that contains an @ is an e-mail address. Case
        does not matter. None: nobody, several, or unknown now."""
        key = ("email" if "@" in name else "name", name.casefold())
        if not self._finds or not name:
            return None
        if (kept := self._found.find(key)) is not None:
            return kept[0]
        async with self._one_at_a_time:
            if (kept := self._found.find(key)) is not None:
                return kept[0]
            if self._clock.monotonic_s() < self._asked_again_s:
                return None
            try:
                people = await self._client.find_users(**{key[0]: name})
            except BridgeError as error:
                self.leave_alone(str(getattr(error, "reason", error)))
                return None
            found = _meant(people, *key)
            self._found.keep(key, found, _KEPT_S if found is not None else _UNKNOWN_KEPT_S)
            return found

    async def username(self, entry: str) -> str:
        """The username of the mentioned person, found by username, e-mail address or native id. Empty if unknown."""
        found = await self.find(entry)
        if found is not None and ("@" in entry or found.username.casefold() == entry.casefold()):
            return found.username
        known = None if "@" in entry else await self._directory.person(entry)
        return known.username if known is not None else ""

    async def is_member(self, chat_id: str, user_id: str) -> bool | None:
        """Whether a person is a member of a chat. None: the dialect has no such operation. False also if the lookup fails now."""
        if not self._tells_members:
            return None
        if (kept := self._members.find((chat_id, user_id))) is not None:
            return kept[0]
        if self._clock.monotonic_s() < self._asked_again_s:
            return False
        try:
            found = await self._client.is_member(chat_id, user_id)
        except BridgeError as error:
            self.leave_alone(str(getattr(error, "reason", error)))
            return False
        self._members.keep((chat_id, user_id), found, _UNKNOWN_KEPT_S)
        return found

    def moved(self, chat_id: str, user_id: str, *, is_in: bool) -> None:
        """The server reported that a person joined or left a chat."""
        if self._tells_members:
            self._members.keep((chat_id, user_id), is_in, _UNKNOWN_KEPT_S)

    def leave_alone(self, reason: str) -> None:
        """Do not ask the server for a while."""
        self._asked_again_s = self._clock.monotonic_s() + _LEFT_ALONE_S
        log.info("people not looked up", reason=reason)


def _meant(people: list[Known], by: str, wanted: str) -> Known | None:
    """The matching person: a username belongs to one person, a name may belong to several."""
    fields = ("email",) if by == "email" else ("username", "name")
    for field in fields:
        found = {one.user_id: one for one in people if getattr(one, field).casefold() == wanted}
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            return None
    return None

"""Which message a poll is in. Telegram tells the state of a poll without it: only by the poll's own id (Bot API 10.3, `poll`).

The newest polls are kept in the journal, so that votes on them are understood after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.common.lenient import identity, record, words
from adapters.telegram.wire import Json, Message
from bridge.model.account_store import AccountStore
from bridge.model.adapter import Intake

NOTE = "polls"
MOST = 300
"""Polls remembered: some kilobytes."""
EARLY_S = 60.0
EARLY_MOST = 100
_LATEST = 200


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A native message with a poll."""

    chat_id: str
    message_id: str
    thread_id: str = ""


class Polls:
    """Of one account. Without a store they are known until the end of the process."""

    def __init__(self, store: AccountStore | None) -> None:
        self._store = store
        self._places: dict[str, Place] | None = None
        self._early: dict[str, tuple[Json, float]] = {}
        self._fresh: set[str] = set()

    async def learn(self, message: Message | Json, *, is_ours: bool = False) -> None:
        """A message was received or sent; if it has a poll, it is on disk when this returns. The same poll forwarded is the same
        poll: the first message counts. Raises StoreDown."""
        fields: Mapping[str, Any] = message
        poll_id = words(record(fields.get("poll")).get("id"))
        if not poll_id:
            return
        places = await self._known()
        chat_id = identity(record(fields.get("chat")).get("id"))
        if poll_id in places:
            return
        thread = words(fields.get("message_thread_id")) if fields.get("is_topic_message") else ""
        places[poll_id] = Place(chat_id, identity(fields["message_id"]), thread)
        while len(places) > MOST:
            self._fresh.discard(oldest := next(iter(places)))
            del places[oldest]
        if is_ours:
            self._fresh.add(poll_id)
        if self._store is not None:
            await self._store.set_note(NOTE, msgspec.json.encode(places).decode())

    async def place_of(self, poll_id: str) -> Place | None:
        """Raises StoreDown."""
        return (await self._known()).get(poll_id)

    # -- votes that come before the answer that says which poll was posted -------------------------------------------------

    def hold(self, poll_id: str, update: Json, now_s: float) -> None:
        """The newest state of a poll that is not known; it may have been posted just now."""
        self._early.pop(poll_id, None)
        self._early[poll_id] = update, now_s
        while len(self._early) > EARLY_MOST:
            del self._early[next(iter(self._early))]

    @property
    def holds(self) -> bool:
        return bool(self._early)

    async def take_known(self, intake: Intake, now_s: float) -> list[tuple[Json, Place]]:
        """What was held and can be relayed by now. The rest is let go after a while: it is of chats that nobody relays."""
        held, self._early = self._early, {}
        known: list[tuple[Json, Place]] = []
        for poll_id, (update, since_s) in held.items():
            place = await self.relayed_at(poll_id, intake)
            if place is not None:
                known.append((update, place))
            elif now_s - since_s < EARLY_S:
                self._early.setdefault(poll_id, (update, since_s))
        return known

    async def relayed_at(self, poll_id: str, intake: Intake) -> Place | None:
        """Where the poll is, once the bridge knows that message: one of ours is in the journal some time after it was posted."""
        place = await self.place_of(poll_id)
        if place is not None and poll_id in self._fresh:
            if place.message_id not in await intake.message_ids(place.chat_id, _LATEST):
                return None
            self._fresh.discard(poll_id)
        return place

    async def _known(self) -> dict[str, Place]:
        if self._places is None:
            noted = await self._store.note(NOTE) if self._store is not None else ""
            try:
                found = msgspec.json.decode(noted, type=dict[str, Place]) if noted else {}
            except msgspec.MsgspecError:
                found = {}  # of another version: votes on those polls are not shown
            if self._places is None:
                self._places = found
        return self._places

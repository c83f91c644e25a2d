"""Which ordinary emoji a custom emoji stands for. Telegram sends reactions with custom emoji as bare ids. Used by `receiver`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from adapters.common.lenient import record, records, words
from adapters.telegram.inbound.updates import read_update
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call, Json
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, DeliveryError

MOST_IDS = 200
"""Ids in one call. Source: Bot API 10.3, getCustomEmojiStickers; read 2026-11-26."""
_WAIT_S = 2.0
"""How long a batch of updates waits for the answer; after that its custom emoji stay unknown."""
_REST_S = 60.0
"""Nothing is asked for this long after an attempt that failed, so that a slow server delays one batch a minute at most."""
_REMEMBERED = 5000
_LONGEST = 32
"""Characters of the longest emoji that is believed; the longest sequences of Unicode have 10."""


class CustomEmoji:
    """Remembers the answers of one account's server, those without an emoji too, so that an id is asked for once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, str] = {}
        self._rests_until_s = float("-inf")

    @property
    def known(self) -> Mapping[str, str]:
        """The emoji by the custom emoji's id; empty for one that stands for none. A live view."""
        return self._known

    async def learn(self, updates: Iterable[msgspec.Raw], transport: Transport) -> None:
        """Ask for the custom emoji in these reactions that are not known. Returns within seconds, whatever the server does."""
        unknown = [emoji_id for emoji_id in dict.fromkeys(_ids(updates)) if emoji_id not in self._known][:MOST_IDS]
        if not unknown or self._clock.monotonic_s() < self._rests_until_s:
            return
        try:
            stickers = await transport.call(Call("GetCustomEmojiStickers", {"custom_emoji_ids": unknown}), timeout_s=_WAIT_S)
        except (DeliveryError, AccountDown):
            self._rests_until_s = self._clock.monotonic_s() + _REST_S
            return
        found = {words(sticker.get("custom_emoji_id")): words(sticker.get("emoji")) for sticker in records(stickers)}
        for emoji_id in unknown:
            emoji = found.get(emoji_id, "")
            self._known[emoji_id] = emoji if len(emoji) <= _LONGEST else ""
        while len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]


def _ids(updates: Iterable[msgspec.Raw]) -> Iterator[str]:
    for raw in updates:
        data = bytes(raw)
        if b'"message_reaction"' not in data or b'"custom_emoji' not in data:
            continue  # nearly all updates: they are not read twice
        try:
            reaction: Json = record(read_update(data).get("message_reaction"))
        except ValueError:
            continue  # the receiver keeps it as undecodable
        for field in ("old_reaction", "new_reaction"):
            yield from (emoji_id for each in records(reaction.get(field)) if (emoji_id := words(each.get("custom_emoji_id"))))

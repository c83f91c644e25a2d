"""Which ordinary emoji a custom emoji stands for. Telegram sends reactions with custom emoji as bare ids. Used by `receiver`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from adapters.common.custom_emoji import MOST, only_emoji
from adapters.common.lenient import record, records, words
from adapters.telegram.inbound.decode_files import decode_file
from adapters.telegram.inbound.updates import read_update
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call, Json
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, DeliveryError
from bridge.model.events import Attachment
from bridge.model.rich_text import RichText

MOST_IDS = 200
"""Ids in one call. Source: Bot API 10.3, getCustomEmojiStickers; read 2026-11-26."""
_WAIT_S = 2.0
"""How long a batch of updates waits for the answer; after that its custom emoji stay unknown."""
_REST_S = 60.0
"""Nothing is asked for this long after an attempt that failed, so that a slow server delays one batch a minute at most."""
_REMEMBERED = 5000
_OF_STICKERS = ("file_id", "file_unique_id", "file_size", "width", "height", "is_animated", "is_video", "emoji", "thumbnail")
"""What is remembered of a sticker."""
_LONGEST = 32
"""Characters of the longest emoji that is believed; the longest sequences of Unicode have 10."""


class CustomEmoji:
    """Remembers the answers of one account's server, those without an emoji too, so that an id is asked for once. `stickers`
    are the pictures, by id."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, str] = {}
        self.stickers: dict[str, Json] = {}
        self._rests_until_s = float("-inf")

    @property
    def known(self) -> Mapping[str, str]:
        """The emoji by the custom emoji's id; empty for one that stands for none. A live view."""
        return self._known

    async def learn(self, updates: Iterable[msgspec.Raw], transport: Transport) -> None:
        """Ask for those custom emoji that are not known: in reactions, and in messages that are nothing else. Returns within
        seconds, whatever the server does."""
        unknown = [emoji_id for emoji_id in dict.fromkeys(_ids(updates)) if emoji_id not in self._known][:MOST_IDS]
        if not unknown or self._clock.monotonic_s() < self._rests_until_s:
            return
        try:
            stickers = await transport.call(Call("GetCustomEmojiStickers", {"custom_emoji_ids": unknown}), timeout_s=_WAIT_S)
        except (DeliveryError, AccountDown):
            self._rests_until_s = self._clock.monotonic_s() + _REST_S
            return
        found = {words(sticker.get("custom_emoji_id")): sticker for sticker in records(stickers)}
        for emoji_id in unknown:
            sticker = found.get(emoji_id, {})
            emoji = words(sticker.get("emoji"))
            self._known[emoji_id] = emoji if len(emoji) <= _LONGEST else ""
            self.stickers[emoji_id] = {name: sticker[name] for name in _OF_STICKERS if name in sticker}
        while len(self._known) > _REMEMBERED:
            gone = next(iter(self._known))
            del self._known[gone]
            self.stickers.pop(gone, None)

    def pictures(self, rich: RichText, download_bytes: int | None) -> tuple[Attachment, ...]:
        """Of a text that is nothing but custom emoji, if all of them are known."""
        found = [decode_file("sticker", self.stickers.get(one.id), False, download_bytes) for one in only_emoji(rich)]
        return tuple(one for one in found if one is not None) if None not in found else ()


def _ids(updates: Iterable[msgspec.Raw]) -> Iterator[str]:
    for raw in updates:
        data = bytes(raw)
        if b'"custom_emoji' not in data:
            continue  # nearly all updates: they are not read twice
        try:
            update: Json = read_update(data)
        except ValueError:
            continue  # the receiver keeps it as undecodable
        yield from _alone(update)
        reaction = record(update.get("message_reaction"))
        for field in ("old_reaction", "new_reaction"):
            yield from (emoji_id for each in records(reaction.get(field)) if (emoji_id := words(each.get("custom_emoji_id"))))


def _alone(update: Json) -> Iterator[str]:
    """Of a message that may be nothing but custom emoji."""
    kinds = ("message", "edited_message", "channel_post", "edited_channel_post")
    for message in (record(update.get(kind)) for kind in kinds):
        entities = [one for one in records(message.get("entities")) if words(one.get("custom_emoji_id"))]
        if "text" in message and len(words(message["text"])) <= _LONGEST * MOST and len(entities) <= MOST:
            yield from (words(one["custom_emoji_id"]) for one in entities)

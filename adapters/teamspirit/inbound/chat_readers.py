"""Who reads which chat's history: one reader for each chat that is relayed, all from the same beginnings. Used by `receiver` and
`webhook_events`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.teamspirit.directory import Directory
from adapters.teamspirit.inbound.beginnings import Beginnings
from adapters.teamspirit.inbound.catch_up import ChatReader
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.decodings import Decodings
from bridge.model.adapter import Intake
from bridge.model.clock import Clock

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import History


class ChatReaders:
    """Made for each run of the account. `history` is None where the dialect cannot read one: then nobody reads. `window`: how many
    of the latest messages are read again for changes."""

    def __init__(
        self,
        history: History | None,
        decoder: Decoder,
        directory: Directory,
        beginnings: Beginnings,
        intake: Intake,
        *,
        clock: Clock,
        window: int,
    ) -> None:
        self._history = history
        self._decodings = Decodings(decoder)
        self._directory = directory
        self._beginnings = beginnings
        self._intake = intake
        self._clock = clock
        self._window = window
        self._readers: dict[str, ChatReader] = {}

    @property
    def can_read(self) -> bool:
        return self._history is not None

    def routed(self) -> frozenset[str]:
        """The chats that are relayed now, whose beginnings are noted."""
        routed = self._intake.routed_chats()
        self._beginnings.look(routed)
        return routed

    def put_off(self, chat_id: str) -> None:
        """The chat is not ours to read yet."""
        self._beginnings.put_off(chat_id)

    def of(self, chat_id: str) -> ChatReader | None:
        """Who reads the chat's history; None where there is none, or the chat is not relayed."""
        found = self._readers.get(chat_id)
        if found is None and self._history is not None and chat_id in self._intake.routed_chats():
            found = self.needed(chat_id)
        return found

    def needed(self, chat_id: str) -> ChatReader:
        """The same for a chat that is relayed, where there is a history."""
        if chat_id not in self._readers:
            self._readers[chat_id] = self._new(chat_id)
        return self._readers[chat_id]

    def drop(self, chat_id: str) -> None:
        """The chat is not relayed any more."""
        self._readers.pop(chat_id, None)

    def _new(self, chat_id: str) -> ChatReader:
        assert self._history is not None, "the dialect reads no history"
        return ChatReader(
            chat_id,
            history=self._history,
            decodings=self._decodings,
            intake=self._intake,
            read_page=self._directory.page,
            fill_author=self._directory.fill,
            window=self._window,
            since=self._beginnings.since,
            now=self._beginnings.now,
            clock=self._clock,
        )

"""Reads which messages belong together. On the reader's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from bridge.journal.contract import Elsewhere, KnownPoll, Link, Merged, Original, PollVotes, ReactedWith, Reactor
from bridge.journal.rules import pieces, reactions
from bridge.journal.rules.changes import LatestChange, standing_of
from bridge.journal.rules.links import LinkKind, elsewhere, without_lines
from bridge.journal.sqlite.codec import (
    PART_COLUMNS,
    UNREADABLE,
    decode_counts,
    decode_created,
    decode_edit,
    decode_item,
    pack_id,
    unpack_author,
    unpack_id,
    unpack_more,
    unpack_optional,
)
from bridge.journal.sqlite.names import Names
from bridge.journal.sqlite.parts import Parts
from bridge.model.events import AlbumItem
from bridge.model.refs import ChatAddress, ChatRef, MessageRef


class Links:
    """One instance per connection."""

    def __init__(self, connection: sqlite3.Connection, names: Names, parts: Parts) -> None:
        self._connection = connection
        self._names = names
        self._parts = parts

    def link(self, message: MessageRef, target: ChatAddress, thread_id: str | None) -> Link | None:
        """A line of our own that represents no message (somebody joined) is linked to none, though it is stored as a copy."""
        chat = self._names.find_chat(message.chat)
        if chat is None:
            return None
        end = self._names.find_end(target, thread_id)
        rows = self._connection.execute(
            "SELECT link.seq, link.copy, event.origin, event.message, event.also, event.author, event.author_id, event.username,"
            f" event.thread, {PART_COLUMNS}"
            " FROM link JOIN event ON event.seq = link.seq LEFT JOIN part ON part.seq = link.seq AND part.lane_end = ?"
            f" WHERE link.chat = ? AND link.message = ? AND link.copy <> {LinkKind.GONE} AND event.message IS NOT NULL"
            " ORDER BY part.part",
            (end, chat, pack_id(message.message_id)),
        ).fetchall()
        if not rows:
            return None
        seq, copy, origin, original, also, *author, thread = rows[0][:9]
        copies, tally, votes = without_lines(self._parts.part(*row[9:]) for row in rows if row[9] is not None)
        return Link(
            event_seq=seq,
            original=MessageRef(self._names.chat_of(origin), unpack_id(original)),
            is_original=copy == LinkKind.ORIGINAL,
            author_name=unpack_author(*author),
            copies=copies,
            thread_id=thread_id,
            also_ids=unpack_more(also),
            original_thread=unpack_optional(thread),
            tally=tally,
            votes=votes,
            elsewhere=() if copies else self._elsewhere(seq, target),
        )

    def _elsewhere(self, seq: int, target: ChatAddress) -> tuple[Elsewhere, ...]:
        """The copies in all threads of the target. For the rare case that the thread asked for has none."""
        return elsewhere({self._names.thread_of(end): parts for end, parts in self._parts.at(seq, target).items()})

    def original(self, message: MessageRef) -> Original | None:
        chat = self._names.find_chat(message.chat)
        row = self._connection.execute(
            "SELECT event.message, event.also FROM link JOIN event ON event.seq = link.seq"
            f" WHERE link.chat = ? AND link.message = ? AND link.copy = {LinkKind.ORIGINAL} AND event.message IS NOT NULL",
            (chat, pack_id(message.message_id)),
        ).fetchone()
        if row is None:
            return None
        found: list[LatestChange] = []
        for packed in (row[0], *map(pack_id, unpack_more(row[1]))):
            rows = self._connection.execute("SELECT seq, json FROM latest WHERE chat = ? AND message = ?", (chat, packed))
            try:
                found += [LatestChange(seq, None if json is None else decode_edit(json)) for seq, json in rows.fetchall()]
            except UNREADABLE:
                return None  # nobody can tell what it says by now
        return standing_of(found)

    def merged(self, event_seq: int, target: ChatAddress, thread_id: str | None) -> Merged | None:
        end = self._names.find_end(target, thread_id)
        rows = self._connection.execute(
            "SELECT piece.lead, piece.seq, piece.content FROM piece AS mine"
            " CROSS JOIN piece ON piece.lane_end = mine.lane_end AND piece.lead = mine.lead"
            " WHERE mine.seq = ? AND mine.lane_end = ?",
            (event_seq, end),
        ).fetchall()
        if not rows:
            return None
        return pieces.merged(rows[0][0], [(seq, content) for _lead, seq, content in rows])

    def album(self, message: MessageRef) -> dict[str, AlbumItem]:
        rows = self._connection.execute(
            "SELECT item.message, item.json FROM link JOIN item ON item.seq = link.seq"
            f" WHERE link.chat = ? AND link.message = ? AND link.copy = {LinkKind.ORIGINAL} ORDER BY item.place",
            (self._names.find_chat(message.chat), pack_id(message.message_id)),
        )
        try:
            return {unpack_id(packed): decode_item(json) for packed, json in rows.fetchall()}
        except UNREADABLE:
            return {}  # as an album of a version that did not keep them: its edits are accepted all the same

    def latest_messages(self, chat: ChatRef, limit: int) -> list[str]:
        number = self._names.find_chat(chat)
        if number is None:
            return []
        rows = self._connection.execute(
            f"SELECT message FROM link WHERE chat = ? AND copy <> {LinkKind.GONE} ORDER BY rank DESC, message DESC LIMIT ?",
            (number, limit),
        )
        return [unpack_id(message) for (message,) in rows.fetchall()]

    def reactions(self, event_seq: int, not_on: Sequence[MessageRef]) -> list[str]:
        rows, left_out = self._reacted(event_seq, not_on)
        return reactions.held([(emoji, message) for emoji, _who, message, _name in rows], left_out)

    def tally(self, event_seq: int, not_on: Sequence[MessageRef]) -> list[ReactedWith]:
        rows, left_out = self._reacted(event_seq, not_on)
        return reactions.tally([(emoji, who, message, self._reactor(who, name)) for emoji, who, message, name in rows], left_out)

    def _reactor(self, who: tuple[int, str], name: str | None) -> Reactor | None:
        chat, user_id = who
        return Reactor(account=self._names.chat_of(chat).account, user_id=user_id, name=name) if name else None

    def poll(self, event_seq: int) -> KnownPoll | None:
        row = self._connection.execute("SELECT json FROM poll WHERE seq = ?", (event_seq,)).fetchone()
        if row is None:
            return None
        try:
            created = decode_created(row[0])
            rows = self._connection.execute("SELECT chat, message, counts, closed FROM vote WHERE seq = ?", (event_seq,))
            votes = tuple(
                PollVotes(
                    message=MessageRef(self._names.chat_of(chat), unpack_id(message)),
                    votes=decode_counts(counts),
                    closed=bool(closed),
                )
                for chat, message, counts, closed in rows.fetchall()
            )
        except UNREADABLE:
            return None
        return KnownPoll(created=created, votes=votes)

    def _reacted(
        self, event_seq: int, not_on: Sequence[MessageRef]
    ) -> tuple[list[tuple[str, tuple[int, str], tuple[int, Any], str | None]], set[tuple[int | None, Any]]]:
        """(emoji, person in a chat, message, name), latest first; and the messages that are left out."""
        chats = [self._names.find_chat(message.chat) for message in not_on]
        left_out = {(chat, pack_id(message.message_id)) for chat, message in zip(chats, not_on, strict=True)}
        left_out |= {(chat, "") for chat in chats}
        rows = self._connection.execute(
            "SELECT emoji, chat, person, message, name FROM reaction WHERE seq = ? ORDER BY event DESC, position DESC", (event_seq,)
        )
        return [(emoji, (chat, person), (chat, message), name) for emoji, chat, person, message, name in rows.fetchall()], left_out

"""Polls and the votes on them: read back, replaced, forgotten with their message; and what a journal of version 8 had of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from bridge.journal.contract import VOTES_PART, Carried, PartReceipt, PollVotes
from bridge.journal.sqlite import SqliteJournal
from bridge.model.adapter import Receipt
from bridge.model.events import Poll, PollOption, PollVotesChanged
from tests.bridge.journal.journal_makers import CHAT, A, accept, at, created, deliver, message, meta, native

LUNCH = Poll(question="Lunch?", options=(PollOption(text="Soup"), PollOption(text="Rice")))


def asked(number: str = "1") -> object:
    event = created(number)
    return msgspec.structs.replace(event, content=msgspec.structs.replace(event.content, poll=LUNCH))


def voted(version: int, *votes: int, of: str = "1", chat: object = CHAT, closed: bool = False) -> PollVotesChanged:
    return PollVotesChanged(meta=meta(f"votes:{of}:{version}", chat), message_id=of, votes=votes, closed=closed)  # type: ignore[arg-type]


async def opened(path: Path) -> SqliteJournal:
    journal = SqliteJournal(path)
    await journal.open()
    return journal


async def test_votes_of_each_message_are_the_newest_count(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    journal = await opened(path)
    accepted = await accept(journal, asked(), A)  # type: ignore[arg-type]
    await deliver(journal, accepted, (A, "70"))
    for event in (voted(1, 1, 0), voted(2, 1, 2), voted(3, 0, 1, of="70", chat=native(A)), voted(4, 9, 9, of="unknown")):
        await accept(journal, event)
    await journal.close()
    journal = await opened(path)
    try:
        known = await journal.poll(accepted.event_seq)
        assert known is not None
        assert known.created == asked()
        original, copy = message(CHAT, "1"), message(native(A), "70")
        assert {one.message: one for one in known.votes} == {
            original: PollVotes(message=original, votes=(1, 2)),
            copy: PollVotes(message=copy, votes=(0, 1)),
        }
        await accept(journal, voted(5, 1, 2, closed=True))
        await accept(journal, voted(6, 1, 2))
        known = await journal.poll(accepted.event_seq)
        assert known is not None
        assert [one.closed for one in known.votes if one.message == original] == [True], "a poll is never opened again"
        assert await journal.poll(accepted.event_seq + 1) is None
    finally:
        await journal.close()


async def test_a_native_poll_and_the_line_below_it_are_told_apart(tmp_path: Path) -> None:
    journal = await opened(tmp_path / "bridge.journal")
    try:
        accepted = await accept(journal, asked(), A)  # type: ignore[arg-type]
        (delivery,) = accepted.delivery_ids
        for part, native_id, carried in ((0, "70", Carried(poll=True)), (VOTES_PART, "71", Carried(text=True))):
            change = PartReceipt(
                delivery_id=delivery,
                event_seq=accepted.event_seq,
                part=part,
                chat=native(A),
                target=A,
                thread_id=None,
                receipt=Receipt(message_ids=(native_id,)),
                carried=carried,
                at=at(1),
            )
            await journal.record(journal.lease(A.account), [change])
        link = await journal.link(message(CHAT, "1"), A)
        assert link is not None
        assert [(sent.copy.message_ids, sent.carried) for sent in link.copies] == [(("70",), Carried(poll=True))]
        assert link.votes is not None
        assert link.votes.copy.message_ids == ("71",)
        assert link.tally is None
    finally:
        await journal.close()


async def test_polls_are_forgotten_with_their_event_and_damage_costs_one_poll(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    journal = await opened(path)
    accepted = await accept(journal, asked(), A)  # type: ignore[arg-type]
    await deliver(journal, accepted, (A, "70"))
    await accept(journal, voted(1, 1, 0))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE vote SET counts = x'78'")
        connection.commit()
    assert await journal.poll(accepted.event_seq) is None
    await journal.prune(before=at(1000))
    await journal.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM poll").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM vote").fetchone() == (0,)


async def test_a_journal_of_version_8_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    await (await opened(path)).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE poll")
        connection.execute("DROP TABLE vote")
        connection.execute("DROP TABLE generation")
        connection.execute("DROP TABLE partner")
        connection.execute("DROP TABLE step")
        connection.execute("ALTER TABLE event DROP COLUMN thread")
        connection.execute("ALTER TABLE reaction DROP COLUMN name")
        connection.execute("PRAGMA user_version = 8")
        connection.commit()
    journal = await opened(path)
    try:
        accepted = await accept(journal, asked(), A)  # type: ignore[arg-type]
        await accept(journal, voted(1, 3, 0))
        known = await journal.poll(accepted.event_seq)
        assert known is not None
        assert known.votes[0].votes == (3, 0)
    finally:
        await journal.close()

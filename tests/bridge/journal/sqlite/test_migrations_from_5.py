"""A journal that version 5 wrote, with a row of every kind (`journal-version-5.sql` says what is in it): nothing of it is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.journal.contract import AuthorName, Carried, Damaged, DeliveryStatus, OpenDelivery, StoredPart, StoredWait, Verdict
from bridge.journal.sqlite import SqliteJournal
from bridge.model.adapter import Copy
from bridge.model.events import MessageDeleted
from bridge.model.refs import ChatAddress
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, at, created, deleted, entry, lane, message, native

DUMP = Path(__file__).parents[1] / "journal-version-5.sql"
WAITING, SENDING = DeliveryStatus.WAITING, DeliveryStatus.SENDING


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    connection = sqlite3.connect(tmp_path / "bridge.journal")
    connection.executescript(DUMP.read_text(encoding="utf-8"))
    connection.close()
    journal = SqliteJournal(tmp_path / "bridge.journal")
    await journal.open()
    yield journal
    await journal.close()


async def in_line(journal: SqliteJournal, target: ChatAddress) -> list[OpenDelivery]:
    found = await journal.pending(target, 0, 10)
    assert not any(isinstance(one, Damaged) for one in found)
    return [one for one in found if isinstance(one, OpenDelivery)]


async def test_deliveries_stand_where_they_stood(journal: SqliteJournal) -> None:
    in_a, in_b = await in_line(journal, A), await in_line(journal, B)
    assert [(one.delivery_id, one.state) for one in in_a] == [(12, WAITING), (13, WAITING), (14, SENDING)]
    assert [(one.delivery_id, one.state) for one in in_b] == [
        (6, WAITING),
        (7, WAITING),
        (8, WAITING),
        (10, SENDING),
        (11, SENDING),
    ]
    deferred, partly = in_a[1:]
    assert (deferred.thread_id, deferred.attempt, deferred.not_before, deferred.last_error) == ("7", 3, at(60), "429")
    assert (partly.plan, partly.attempt, partly.first_attempt_at) == (b'{"plan":1}', 1, at(6))
    copy = Copy(chat_id="N-A", message_ids=("90",), adapter_data="98")
    assert partly.parts == (StoredPart(part=0, copy=copy, carried=Carried(text=True, files=True)),)
    assert [one.lead_seq for one in in_b[3:]] == [10, 10]
    merged = await journal.merged(11, B)
    assert merged is not None
    assert [piece.content for piece in merged.pieces] == [b"p1", b"p2"]
    assert [one.delivery_id for one in await journal.behind(A, 10)] == [16, 15]
    assert await journal.open_lanes() == [A, B, lane("C")]
    assert [(letter.delivery_id, letter.state, letter.parts_sent) for letter in await journal.dead_letters()] == [
        (18, DeliveryStatus.HELD, 0),
        (19, DeliveryStatus.DEAD, 1),
    ]
    assert {(one.target, one.waiting) for one in (await journal.figures()).lanes} == {(A, 5), (B, 5), (lane("C"), 1)}


async def test_the_lanes_go_on_behind_what_is_in_them(journal: SqliteJournal) -> None:
    accepted = await accept(journal, created("new"), A, (A, "7"), when=99)
    line = await in_line(journal, A)
    assert [one.delivery_id for one in line] == [12, 13, 14, *accepted.delivery_ids]
    assert [one.lane_seq for one in line] == sorted({one.lane_seq for one in line})
    read_on = await journal.pending(A, line[2].lane_seq, 10)
    assert [one.delivery_id for one in read_on] == list(accepted.delivery_ids)
    assert min(accepted.delivery_ids) > 20


async def test_copies_carry_what_they_carried(journal: SqliteJournal) -> None:
    link = await journal.link(message(CHAT, "1"), A, "7")
    assert link is not None
    assert [(part.part, part.copy.adapter_data, part.carried) for part in link.copies] == [
        (0, "webhook:99", Carried(text=True, files=True, marks=("abcdefgh", "~2345678"))),
        (1, "bot", Carried(text=True)),
    ]
    assert link.copies[0].copy.message_ids == ("1300000000000000001", "1300000000000000002")
    assert isinstance(link.author_name, AuthorName)
    assert (link.author_name, link.author_name.user_id, link.author_name.username) == ("Anna", "123456789", "anna_p")
    plain = await journal.link(message(CHAT, "2"), B)
    assert plain is not None
    assert [(part.copy.adapter_data, part.carried) for part in plain.copies] == [("", Carried())]
    elsewhere = await journal.link(message(native(B), "80"), A)
    assert elsewhere is not None
    assert [(one.thread_id, len(one.copies)) for one in elsewhere.elsewhere] == [("7", 2)]
    (traced,) = await journal.trace(message(CHAT, "1"))
    assert [len(one.copies) for one in traced.event.deliveries] == [2, 1]


async def test_a_copy_that_is_gone_leads_nowhere_and_its_deletion_is_an_echo(journal: SqliteJournal) -> None:
    assert await journal.link(message(native(A), "1300000000000000004"), A) is None
    (echo,) = await journal.accept(
        journal.lease(A.account), [entry(deleted("1300000000000000004", native(A)))], [], received_at=at(99)
    )
    assert echo.verdict is Verdict.ECHO


async def test_what_else_is_kept(journal: SqliteJournal) -> None:
    assert await journal.note("journal id") == "abc123"
    assert await journal.cursor(CHAT.account, "offset") == "39"
    assert await journal.waits() == {
        "target": StoredWait(until=at(60), kept_at=at(8)),
        "target/B": StoredWait(until=at(70), kept_at=at(8)),
    }
    assert await journal.take_hurried() == [("other", None), ("target", lane("C"))]
    assert await journal.take_hurried() == ()
    assert await journal.reactions(2, not_on=[message(native(B), "80")]) == ["🎉", "👍"]
    assert set(await journal.album(message(CHAT, "1"))) == {"1", "2"}
    assert await journal.native_ids(A.account) == {"A": "N-A", "B": "N-B"}
    (late,) = await journal.accept(journal.lease(CHAT.account), [entry(created("12", key="again"), A)], [], received_at=at(99))
    assert isinstance(late.later, MessageDeleted)

"""What is erased of a person is in no table, and nowhere in the files."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bridge.journal.contract import (
    Answered,
    AttemptStarted,
    Claim,
    Claimant,
    ClaimStep,
    Decision,
    DecisionKind,
    Delivered,
    Piece,
    PiecesSet,
    PlanSet,
    UserKey,
)
from bridge.journal.contract.keys import NewArrival, StoredKey
from bridge.journal.sqlite import SqliteJournal, erasing
from bridge.model.errors import Answer
from bridge.model.events import (
    AlbumItem,
    Author,
    MembershipChanged,
    MembershipKind,
    MessageCreated,
    Poll,
    PollOption,
    ReplyTo,
    Status,
    StatusChanged,
)
from bridge.model.outcomes import Loss, LossOf
from bridge.model.refs import AccountName, ThreadRef
from bridge.model.rich_text import plain
from bridge.model.web_mount import KeyDirection
from tests.bridge.journal.journal_makers import (
    ACCOUNT,
    CHAT,
    A,
    B,
    accept,
    at,
    created,
    deleted,
    edited,
    message,
    native,
    reacted,
    sent,
)

Json = dict[str, Any]
NAME, WORDS = "Zebulon", "xylophone"
USER, ANNA = UserKey(account=ACCOUNT, user_id="u-Zebulon"), UserKey(account=ACCOUNT, user_id="u-Anna")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    made = SqliteJournal(tmp_path / "bridge.journal")
    await made.open()
    yield made
    await made.close()


def found(folder: Path, *needles: str) -> list[tuple[str, str]]:
    """Which of these are in which of the journal's files."""
    files = [path for path in folder.iterdir() if path.name != "bridge.journal-shm"]
    return [(path.name, needle) for path in files for needle in needles if needle.encode() in path.read_bytes()]


def written(number: str, **more: Any) -> MessageCreated:
    return created(number, author=NAME, text=f"{WORDS} {number} " + WORDS * 1000, **more)


async def fill(journal: SqliteJournal) -> list[int]:
    """Messages that are delivered, merged, waiting and begun, with all that is kept beside them; returns their numbers."""
    lease = journal.lease(A.account)
    album = replace(written("1", also=("2",)), items=(AlbumItem(text=plain(WORDS)), AlbumItem(text=plain(WORDS))))
    one = await accept(journal, album, A, B)
    losses = (LossOf(next(iter(Loss)), f"{WORDS}.pdf was too large"),)
    await journal.record(
        lease,
        [
            sent(one.delivery_ids[0], one.event_seq, A, "c1"),
            Delivered(delivery_id=one.delivery_ids[0], at=at(2), losses=losses),
            PiecesSet(target=A, lead_seq=one.event_seq, pieces=(Piece(event_seq=one.event_seq, content=WORDS.encode()),)),
            AttemptStarted(delivery_id=one.delivery_ids[1], part=0, attempt=1, at=at(2)),
            PlanSet(delivery_id=one.delivery_ids[1], content=WORDS.encode()),
            Answered(delivery_id=one.delivery_ids[1], at=at(2), answer=Answer(status=500, took_s=1, body=WORDS)),
        ],
    )
    asked = written("3")
    poll = Poll(question=WORDS, options=(PollOption(text=WORDS),))
    waiting = await accept(journal, replace(asked, content=replace(asked.content, poll=poll)), A)
    for thread in ("1", "3"):
        assert await journal.partners.set_partner(ThreadRef(CHAT, thread), native(B), f"t{thread}", title=WORDS, at=at(2))
        await journal.partners.want_partner(ThreadRef(CHAT, thread), native(A), title=WORDS, at=at(2))
    change = replace(edited("3"), content=written("3").content)
    await accept(journal, change, A)
    await accept(journal, reacted("9", version=1, who=NAME, added=("👍",)), A)
    return [one.event_seq, waiting.event_seq]


async def record_the_person(journal: SqliteJournal) -> None:
    persons = journal.persons
    await persons.decide(Decision(user=USER, kind=DecisionKind.OPTED_OUT, name=NAME, at=at(0), by=str(USER)))
    await persons.mark_of(A, str(USER), [("", NAME), (" (2)", f"{NAME} (2)")], at=at(0))
    asker, other = (Claimant(user=user, name=name, username=name, address="C1") for user, name in ((ANNA, "Anna"), (USER, NAME)))
    ends: Json = {"created_at": at(0), "valid_until": at(10**9)}
    await persons.put_claim(Claim(asker=asker, step=ClaimStep.SAID, code_hash=b"x", other=other, **ends))
    await persons.put_claim(Claim(asker=other, step=ClaimStep.ASKED, code_hash=b"y", **ends))
    raw = json.dumps({"from": USER.user_id, "text": WORDS}).encode()
    await journal.keep_undecodable(journal.lease(ACCOUNT), raw, "odd", [], received_at=at(0))
    limits: Json = {"per_minute": 1, "most_bytes": 9000, "created_at": at(0)}
    await journal.add_key(StoredKey(key_id="k1", account=ACCOUNT, chat="C1", direction=KeyDirection.IN, **limits))
    request: Json = {"method": "POST", "query": "", "headers": (), "is_whole": True, "status": 400}
    await journal.keep_arrival(NewArrival(key_id="k1", arrived_at=at(0), body=raw, **request))


async def test_nothing_of_a_person_is_left_in_any_table_nor_in_the_files(
    journal: SqliteJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "_FREED_AT_ONCE", 2)
    seqs = await fill(journal)
    await record_the_person(journal)
    lease = journal.lease(A.account)
    await journal.put_mail(lease, native(A).chat_id, "c1", json.dumps({"message_id": "c1", "text": WORDS}).encode(), at=at(0))
    others = json.dumps({"message_id": "c9", "text": "of somebody else"}).encode()
    await journal.put_mail(lease, native(A).chat_id, "c9", others, at=at(0))
    quoting = created("9", author="Anna", text="an answer")
    reply = ReplyTo(message_id="1", author_name=NAME, excerpt=WORDS)
    answer = await accept(journal, replace(quoting, content=replace(quoting.content, reply_to=reply)), B)
    assert found(tmp_path, NAME, WORDS), "else this shows nothing"

    for number in ("1", "3"):
        await accept(journal, deleted(number), A, B)
    await journal.persons.blank(seqs)
    await journal.persons.erase(USER, [message(CHAT, "1"), message(CHAT, "3")])
    assert await journal.scrub()
    assert found(tmp_path, WORDS) == []
    # who decided something, and about whom, stays: by id
    await journal.close()
    data = (tmp_path / "bridge.journal").read_bytes()
    assert data.count(NAME.encode()) == data.count(USER.user_id.encode())
    assert found(tmp_path, WORDS) == []
    await journal.open()
    pages = await journal.mail(A.account, native(A).chat_id, after=0, limit=9)
    assert [one.content for one in pages.mail] == [others]
    (kept,) = [one for one in await journal.pending(B, 0, 99) if getattr(one, "event_seq", 0) == answer.event_seq]
    assert kept.event.content.text == plain("an answer"), "what others wrote is theirs"  # type: ignore[union-attr]
    assert len(await journal.partners.partners(ThreadRef(CHAT, "1"))) == 3, "the conversation goes on"
    assert [one.kind for one in await journal.persons.decisions()] == [DecisionKind.OPTED_OUT]
    assert (await journal.persons.claims(at=at(0)), await journal.undecodable(), await journal.arrivals("k1")) == ([], [], [])


async def test_input_and_claims_of_others_stay(journal: SqliteJournal) -> None:
    anna = Claimant(user=ANNA, name="Anna", username="", address="C1")
    claim = Claim(asker=anna, step=ClaimStep.ASKED, code_hash=b"x", created_at=at(0), valid_until=at(9))
    await journal.persons.put_claim(claim)
    await journal.keep_undecodable(journal.lease(ACCOUNT), b"of u-Anna", "odd", [], received_at=at(0))
    other = AccountName("other")
    await journal.keep_undecodable(journal.lease(other), b"u-Zebulon of another server", "odd", [], received_at=at(0))
    await journal.persons.erase(USER, [])
    assert await journal.persons.claims(at=at(0)) == [claim]
    assert len(await journal.undecodable()) == 2


async def test_a_message_that_waits_ends_as_deleted_and_not_as_a_damaged_row(journal: SqliteJournal) -> None:
    waiting = await accept(journal, written("3"), A)
    await accept(journal, deleted("3"), A)
    await journal.persons.blank([waiting.event_seq])
    first, second = await journal.pending(A, 0, 9)
    assert isinstance(first.event, MessageCreated)  # type: ignore[union-attr]
    assert first.event.meta.author is None  # type: ignore[union-attr]
    assert first.later == second.event or first.later is not None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("user_id", "theirs", "others"),
    [
        (
            "12",
            ['{"from":12}', '{"from":"12"}', "hi <@12>", "a\\n12", "/faces/12.png"],
            ['{"from":123}', "412", "x12", "\\u0061b12"],
        ),
        ("иван", [json.dumps({"from": "иван"}), '{"from":"иван"}', "from=%D0%B8%D0%B2%D0%B0%D0%BD&x=1"], ['"иванов"', '"\\u0438"']),
        ("@a:b", ["user=%40a%3Ab", '"@a:b"'], ['"@a:bc"', "user=%40a%3Abc"]),
        ('a"/b', [json.dumps('a"/b'), '"a\\"\\/b"'], ['"a/b"']),
    ],
)
async def test_input_names_a_person_by_whole_words_alone(
    journal: SqliteJournal, user_id: str, theirs: list[str], others: list[str]
) -> None:
    """A short id is a part of the ids of others."""
    limits: Json = {"per_minute": 1, "most_bytes": 9000, "created_at": at(0)}
    await journal.add_key(StoredKey(key_id="k1", account=ACCOUNT, chat="C1", direction=KeyDirection.IN, **limits))
    request: Json = {"key_id": "k1", "arrived_at": at(0), "method": "POST", "headers": (), "is_whole": True, "status": 400}
    for raw in (*theirs, *others):
        await journal.keep_undecodable(journal.lease(ACCOUNT), raw.encode(), "odd", [], received_at=at(0))
        await journal.keep_arrival(NewArrival(body=raw.encode(), query="", **request))
        await journal.keep_arrival(NewArrival(body=b"", query=raw, **request))
    await journal.persons.erase(UserKey(account=ACCOUNT, user_id=user_id), [])
    assert [one.raw.decode() for one in reversed(await journal.undecodable())] == others
    assert [one.body.decode() or one.query for one in await journal.arrivals("k1")] == [one for one in others for _ in range(2)]


async def test_a_status_and_a_join_that_wait_have_neither_words_nor_name(journal: SqliteJournal) -> None:
    meta = written("1").meta
    status = StatusChanged(meta=replace(meta, event_key="s"), status=Status.AWAY, text=WORDS)
    author = meta.author
    assert author is not None
    joined = MembershipChanged(meta=replace(meta, event_key="j", author=None), change=MembershipKind.JOINED, member=author)
    added = replace(joined, meta=replace(meta, event_key="k", author=replace(author, user_id=ANNA.user_id, name="Anna")))
    for event in (status, joined, added):
        await accept(journal, event, A)
    await journal.persons.erase(UserKey(account=ACCOUNT, user_id=author.user_id), [])
    first, second, third = (one.event for one in await journal.pending(A, 0, 9))  # type: ignore[union-attr]
    assert first == replace(status, meta=replace(status.meta, author=None), text="")
    assert second == replace(joined, member=Author(user_id=author.user_id, name=""))
    assert third.meta.author == added.meta.author, "who added somebody is somebody else"
    assert third == replace(added, member=Author(user_id=author.user_id, name=""))

"""Keys, invitations and arrivals, asked of every implementation of the journal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest

from bridge.journal.contract import Invite, Journal, KeySecret, NewArrival, StoredKey
from bridge.journal.contract.keys import ARRIVAL_BODY_BYTES, ARRIVALS_KEPT
from bridge.model.refs import AccountName, ChatAddress
from bridge.model.web_mount import KeyDirection
from tests.bridge.journal.journal_makers import at

HOOKS = AccountName("hooks")


def secret(name: str, *, made: float = 0, until: float | None = None) -> KeySecret:
    return KeySecret(hash=name.encode(), created_at=at(made), valid_until=None if until is None else at(until))


def key(key_id: str = "k1", **more: Any) -> StoredKey:
    given: dict[str, Any] = {
        "account": HOOKS,
        "chat": "alerts",
        "direction": KeyDirection.IN,
        "per_minute": 60,
        "most_bytes": 1024,
        "created_at": at(0),
        "secrets": (secret(f"hash of {key_id}"),),
    }
    return StoredKey(key_id=key_id, **(given | more))


def arrival(key_id: str = "k1", **more: Any) -> NewArrival:
    given: dict[str, Any] = {
        "arrived_at": at(1),
        "method": "POST",
        "query": "a=1",
        "headers": (("Content-Type", "text/plain"),),
        "body": b"hello",
        "is_whole": True,
        "status": 400,
        "answer": "no template",
    }
    return NewArrival(key_id=key_id, **(given | more))


# -- keys ---------------------------------------------------------------------------------------------------------------------


async def test_a_key_is_found_by_its_hash_as_it_was_made(journal: Journal, reopen: Callable[[Journal], Awaitable[Journal]]) -> None:
    made = key(label="Grafana", is_form=True, origins=("https://example.com", "https://www.example.com"))
    await journal.add_key(made)
    await journal.add_key(key("k2", direction=KeyDirection.OUT, created_at=at(-5), secrets=(secret("other", until=9),)))
    journal = await reopen(journal)
    assert await journal.find_key(b"hash of k1") == made
    assert await journal.find_key(b"hash of") is None
    assert [one.key_id for one in await journal.keys()] == ["k2", "k1"], "oldest first"


async def test_an_id_is_given_once(journal: Journal) -> None:
    await journal.add_key(key())
    with pytest.raises(ValueError, match="there is a key k1 already"):
        await journal.add_key(key(label="another", secrets=(secret("another"),)))
    assert [one.label for one in await journal.keys()] == [""]
    assert await journal.find_key(b"another") is None


async def test_while_a_key_is_rotated_it_has_two_secrets(journal: Journal) -> None:
    await journal.add_key(key())
    assert await journal.rotate_key("k1", secret("second", made=10), old_until=at(100))
    expected = (secret("hash of k1", until=100), secret("second", made=10))
    for name in (b"hash of k1", b"second"):
        found = await journal.find_key(name)
        assert found is not None
        assert found.secrets == expected


async def test_a_second_rotation_leaves_the_newest_two(journal: Journal) -> None:
    await journal.add_key(key())
    await journal.rotate_key("k1", secret("second", made=10), old_until=at(100))
    await journal.rotate_key("k1", secret("third", made=20), old_until=at(50))
    (found,) = await journal.keys()
    assert found.secrets == (secret("second", made=10, until=50), secret("third", made=20))
    assert await journal.find_key(b"hash of k1") is None


@pytest.mark.parametrize("made", [-1000.0, 1000.0])
async def test_a_clock_that_is_set_does_not_confuse_old_with_new(journal: Journal, made: float) -> None:
    """The key was made by a clock that was ahead or behind, and is rotated twice."""
    await journal.add_key(key(created_at=at(made), secrets=(secret("first", made=made),)))
    assert await journal.rotate_key("k1", secret("second", made=10), old_until=at(100))
    (found,) = await journal.keys()
    assert [(one.hash, one.valid_until) for one in found.secrets] == [(b"first", at(100)), (b"second", None)]
    assert await journal.rotate_key("k1", secret("third", made=20), old_until=at(110))
    (found,) = await journal.keys()
    assert [(one.hash, one.valid_until) for one in found.secrets] == [(b"second", at(110)), (b"third", None)]


async def test_a_rotation_before_the_clock_was_set_right_leaves_a_key_that_can_be_rotated(journal: Journal) -> None:
    await journal.add_key(key(created_at=at(5000), secrets=(secret("first", made=5000),)))
    await journal.rotate_key("k1", secret("second", made=10), old_until=at(100))
    assert await journal.rotate_key("k1", secret("third", made=6000), old_until=at(6100))
    (found,) = await journal.keys()
    assert [one.hash for one in found.secrets] == [b"second", b"third"]


async def test_a_rotation_at_once_leaves_the_new_one_alone(journal: Journal) -> None:
    await journal.add_key(key())
    await journal.rotate_key("k1", secret("second", made=10), old_until=at(10))
    (found,) = await journal.keys()
    assert found.secrets == (secret("second", made=10),)


async def test_a_key_that_ends_some_day_is_not_prolonged_by_a_rotation(journal: Journal) -> None:
    await journal.add_key(key(secrets=(secret("first", until=30),)))
    assert await journal.rotate_key("k1", secret("second", made=10), old_until=at(100))
    (found,) = await journal.keys()
    assert [one.valid_until for one in found.secrets] == [at(30), at(30)]
    assert not await journal.rotate_key("k1", secret("third", made=30), old_until=at(100)), "it is over"
    assert await journal.find_key(b"third") is None


async def test_a_revoked_key_is_listed_and_opens_nothing(journal: Journal) -> None:
    await journal.add_key(key())
    assert await journal.revoke_key("k1", at=at(7))
    assert not await journal.revoke_key("k1", at=at(8))
    assert not await journal.rotate_key("k1", secret("second"), old_until=at(100))
    assert not await journal.revoke_key("nobody's", at=at(8))
    assert await journal.find_key(b"hash of k1") is None
    assert await journal.find_key(b"second") is None
    (found,) = await journal.keys()
    assert (found.revoked_at, found.secrets) == (at(7), ())


async def test_the_day_of_the_last_use_only_grows(journal: Journal) -> None:
    await journal.add_key(key())
    for day in (date(2026, 11, 26), date(2026, 11, 25)):
        await journal.mark_key_used("k1", day)
    (found,) = await journal.keys()
    assert found.last_used_on == date(2026, 11, 26)


# -- invitations --------------------------------------------------------------------------------------------------------------

CHATS = (ChatAddress(HOOKS, "alerts"), ChatAddress(HOOKS, "site/form"))


async def invited(journal: Journal) -> Invite:
    made = Invite(hash=b"link", chats=CHATS, created_at=at(0), valid_until=at(100))
    await journal.add_invite(made)
    return made


async def test_a_link_begins_one_session(journal: Journal) -> None:
    made = await invited(journal)
    assert await journal.invite(b"link") == made
    begun = await journal.begin_session(b"link", b"session", until=at(40), at=at(10))
    assert begun is not None
    assert (begun.chats, begun.session_until) == (CHATS, at(40))
    assert await journal.begin_session(b"link", b"another", until=at(40), at=at(11)) is None
    assert await journal.session(b"another", at=at(11)) is None
    assert await journal.session(b"session", at=at(39)) == begun
    assert await journal.session(b"session", at=at(40)) is None


async def test_a_link_ends(journal: Journal) -> None:
    await invited(journal)
    assert await journal.begin_session(b"link", b"session", until=at(140), at=at(100)) is None
    assert await journal.begin_session(b"unknown", b"session", until=at(140), at=at(1)) is None
    assert await journal.invite(b"unknown") is None


async def test_a_session_makes_some_keys_and_no_more(journal: Journal) -> None:
    await invited(journal)
    await journal.begin_session(b"link", b"session", until=at(40), at=at(10))
    for number in range(3):
        made = await journal.add_invited_key(b"session", key(f"k{number}"), most=2, at=at(20))
        assert made is (number < 2)
    assert not await journal.add_invited_key(b"session", key("late"), most=9, at=at(40))
    assert not await journal.add_invited_key(b"link", key("none"), most=9, at=at(20))
    assert [one.key_id for one in await journal.keys()] == ["k0", "k1"]
    going_on = await journal.session(b"session", at=at(20))
    assert going_on is not None
    assert going_on.keys == ("k0", "k1")


# -- arrivals -----------------------------------------------------------------------------------------------------------------


async def test_what_arrives_is_kept_as_it_was(journal: Journal) -> None:
    await journal.keep_arrival(arrival())
    await journal.keep_arrival(arrival("another"))
    (found,) = await journal.arrivals("k1")
    assert (found.query, found.headers, found.body, found.is_whole) == ("a=1", (("Content-Type", "text/plain"),), b"hello", True)
    assert (found.arrived_at, found.method, found.status, found.answer) == (at(1), "POST", 400, "no template")
    assert await journal.arrivals("k1", after=found.number) == []


async def test_the_newest_of_a_key_are_kept(journal: Journal) -> None:
    await journal.keep_arrival(arrival("another"))
    for number in range(ARRIVALS_KEPT + 5):
        await journal.keep_arrival(arrival(query=str(number)))
    found = await journal.arrivals("k1")
    assert [one.query for one in found] == [str(number) for number in range(5, ARRIVALS_KEPT + 5)]
    assert len(await journal.arrivals("another")) == 1


async def test_a_long_body_is_cut_and_is_not_whole(journal: Journal) -> None:
    await journal.keep_arrival(arrival(body=b"x" * (ARRIVAL_BODY_BYTES + 1)))
    (found,) = await journal.arrivals("k1")
    assert (len(found.body), found.is_whole) == (ARRIVAL_BODY_BYTES, False)


async def test_a_replay_is_taken_up_once_and_its_answer_is_told(journal: Journal) -> None:
    for seconds, whole in ((1, True), (5, True), (6, False)):
        await journal.keep_arrival(arrival(arrived_at=at(seconds), is_whole=whole))
    await journal.keep_arrival(arrival("another", arrived_at=at(9)))
    first, second, _ = await journal.arrivals("k1")
    assert await journal.take_replay() is None
    assert await journal.ask_replay("k1", since=at(5), at=at(20)) == [second.number]
    asked = await journal.take_replay()
    assert asked is not None
    assert (asked.number, asked.body, asked.replay_asked_at, asked.replay_status) == (second.number, b"hello", at(20), None)
    assert await journal.take_replay() is None
    await journal.replayed(second.number, status=200, answer="ok")
    told = {one.number: (one.replay_status, one.replay_answer) for one in await journal.arrivals("k1")}
    assert (told[first.number], told[second.number]) == ((None, ""), (200, "ok"))
    assert await journal.ask_replay("k1", since=at(0), at=at(30)) == [first.number, second.number]


async def test_who_looks_on_says_until_when(journal: Journal) -> None:
    await journal.add_key(key())
    await journal.listen_to_key("k1", at(60))
    (found,) = await journal.keys()
    assert found.listened_until == at(60)


async def test_retention_takes_what_is_over(journal: Journal) -> None:
    await invited(journal)
    await journal.begin_session(b"link", b"session", until=at(400), at=at(10))
    await journal.add_key(key())
    await journal.add_key(key("gone"))
    await journal.revoke_key("gone", at=at(10))
    for key_id, seconds in (("k1", 10), ("k1", 60), ("gone", 60)):
        await journal.keep_arrival(arrival(key_id, arrived_at=at(seconds)))
    await journal.prune(before=at(50))
    assert [one.key_id for one in await journal.keys()] == ["k1"]
    assert [one.arrived_at for one in await journal.arrivals("k1")] == [at(60)]
    assert await journal.arrivals("gone") == []
    assert await journal.invite(b"link") is not None, "its session goes on"
    await journal.prune(before=at(400) + timedelta(seconds=1))
    assert await journal.invite(b"link") is None
    assert [one.key_id for one in await journal.keys()] == ["k1"], "a valid key stays, however old it is"

"""How values are stored: every id, time and event comes back as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.delivery.rendering import MessageRenderer
from bridge.identity.names import Names
from bridge.identity.people import People, Person
from bridge.journal.contract import AuthorName, Carried, StoredPart
from bridge.journal.sqlite.codec import (
    hash_key,
    pack_author,
    pack_id,
    pack_marks,
    pack_more,
    pack_optional,
    pack_text,
    pack_time,
    unpack_author,
    unpack_id,
    unpack_more,
    unpack_part,
    unpack_time,
)
from bridge.model.adapter import Copy
from bridge.model.events import Author
from bridge.model.refs import AccountName, ChatRef, MessageRef

IDS = st.one_of(
    st.text(),
    st.integers().map(str),
    st.from_regex(r"\A[0-9]{1,20}\Z"),
    st.from_regex(r"\A[0-9]{9,11}\.[0-9]{5,7}\Z"),
    st.uuids().map(str),
    st.uuids().map(lambda value: str(value).upper()),
)


@given(IDS)
@example("")
@example("00")
@example("9223372036854775807")
@example("9223372036854775808")
@example("0000000000.000000")
@example("9999999999.999999")
@example("²")
@example("١٢٣")
def test_an_id_comes_back_as_it_was(text: str) -> None:
    assert unpack_id(pack_id(text)) == text


@given(st.sets(IDS, min_size=2))
def test_different_ids_are_stored_differently(ids: set[str]) -> None:
    packed = {(type(value), value) for value in map(pack_id, ids)}
    assert len(packed) == len(ids)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1300000000000000000", 8), ("1700000000.123456", 7), ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", 16), ("-100123", 7)],
)
def test_usual_ids_are_stored_small(text: str, size: int) -> None:
    packed = pack_id(text)
    assert (8 if isinstance(packed, int) else len(packed)) == size


@given(st.from_regex(r"\A[1-9][0-9]{9}\.[0-9]{6}\Z"), st.from_regex(r"\A[1-9][0-9]{9}\.[0-9]{6}\Z"))
def test_slack_timestamps_keep_their_order(one: str, other: str) -> None:
    first, second = pack_id(one), pack_id(other)
    assert isinstance(first, bytes)
    assert isinstance(second, bytes)
    assert (first < second) == (one < other)


@given(st.lists(st.text()).map(tuple))
def test_further_ids_come_back(ids: tuple[str, ...]) -> None:
    assert unpack_more(pack_more(ids)) == ids


@given(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.timezones()))
def test_a_moment_comes_back_to_the_microsecond(moment: datetime) -> None:
    assert unpack_time(pack_time(moment)) == moment.astimezone(UTC)


def test_a_moment_comes_back_in_utc() -> None:
    assert unpack_time(pack_time(datetime(2025, 6, 1, tzinfo=timezone(timedelta(hours=3))))).tzinfo is UTC


def test_a_naive_moment_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        pack_time(datetime(2025, 6, 1))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_key_is_16_bytes(key: str) -> None:
    assert len(hash_key(key)) == 16


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_an_authors_name_id_and_username_come_back(name: str, user_id: str, username: str) -> None:
    kept = unpack_author(*pack_author(Author(user_id=user_id, name=name, username=username)))
    assert [kept, kept.user_id, kept.username] == [name, user_id, username]


def test_a_row_of_before_has_the_name_alone_and_nobodys_message_none() -> None:
    kept = unpack_author("Anna", None, None)
    assert (kept, kept.user_id, kept.username) == ("Anna", "", "")
    assert unpack_author(*pack_author(None)) == ""


@given(
    st.booleans(),
    st.booleans(),
    st.none() | st.lists(st.text(), max_size=12).map(tuple),
    st.none() | st.text(min_size=1),
    st.text(),
)
def test_a_part_and_what_it_carries_come_back(
    text: bool, wordless: bool, marks: tuple[str, ...] | None, thread: str | None, data: str
) -> None:
    """No marks: files that an old version did not name, or none at all."""
    carried = Carried(text=text, files=marks is not None, marks=marks or (), wordless=wordless)
    part = unpack_part(
        "c", 3, pack_id("7"), None, pack_optional(thread), pack_id(data) if data else None, pack_text(carried), pack_marks(carried)
    )
    assert part == StoredPart(
        part=3, copy=Copy(chat_id="c", message_ids=("7",), thread_id=thread, adapter_data=data), carried=carried
    )


def test_who_is_answered_is_told_apart_by_the_journal() -> None:
    """A stranger called like a person of the configuration is answered: the person's name is hers alone, also in reply lines."""
    people = People([Person(name="Anna Petrova", ids={AccountName("tg"): "77"})])
    renderer = MessageRenderer.__new__(MessageRenderer)
    renderer._names = lambda: Names(people=people)
    for author, shown in ((("9", ""), "Anna Petrova (tg)"), (("77", ""), "Anna Petrova")):
        link: Any = SimpleNamespace(original=MessageRef(ChatRef(AccountName("tg"), "1"), "5"))
        assert renderer._answered(link, AuthorName("Anna Petrova", *author)) == shown

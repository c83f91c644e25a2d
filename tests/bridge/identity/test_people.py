"""Who is who."""

from __future__ import annotations

import pytest

from adapters.registry import load_manifest
from bridge.identity.people import People, Person
from bridge.model.events import Author
from tests.support.strategies import GUILD, TEAM, TG

ANNA = Person(name="Anna Petrova", ids={TG: "@Anna_P", TEAM: "U024BE7LH", GUILD: "80351110224678912"})
BOB = Person(name="Bob", ids={TG: "123456", TEAM: "bob"})
PEOPLE = People([ANNA, BOB], {TEAM: load_manifest("slack").user_id})


def author(user_id: str, username: str = "", name: str = "anything") -> Author:
    return Author(user_id=user_id, username=username, name=name)


def test_found_by_id_or_username() -> None:
    assert PEOPLE.person_of(TEAM, author("U024BE7LH")) is ANNA
    assert PEOPLE.person_of(TG, author("7", "anna_p")) is ANNA
    assert PEOPLE.person_of(TG, author("7", "@ANNA_P")) is ANNA
    assert PEOPLE.person_of(TG, author("123456")) is BOB
    assert PEOPLE.person_of(TG, author("7", "somebody")) is None
    assert PEOPLE.person_of(TG, None) is None


def test_an_id_counts_in_its_own_account_only() -> None:
    assert PEOPLE.person_of(GUILD, author("U024BE7LH")) is None


def test_a_shown_name_proves_nothing() -> None:
    assert PEOPLE.person_of(TG, author("7", "", "Anna Petrova")) is None


@pytest.mark.parametrize(
    ("account", "username"), [(GUILD, "80351110224678912"), (TEAM, "u024be7lh"), (TEAM, "U024BE7LH"), (TG, "123456")]
)
def test_a_username_that_looks_like_somebodys_id_is_not_that_person(account: str, username: str) -> None:
    assert PEOPLE.person_of(account, author("999", username)) is None  # type: ignore[arg-type]


def test_a_username_in_capitals_is_still_a_username() -> None:
    people = People([Person(name="Kim", ids={TG: "KIM2024"})])
    assert people.person_of(TG, author("5", "kim2024"))


def test_the_id_wins_over_the_username() -> None:
    people = People([Person(name="One", ids={TG: "one"}), Person(name="Two", ids={TG: "42"})])
    found = people.person_of(TG, author("42", "one"))
    assert found
    assert found.name == "Two"


def test_mentions_are_translated() -> None:
    assert PEOPLE.translate(TEAM, "U024BE7LH", TG) == "Anna_P"
    assert PEOPLE.translate(TG, "anna_p", GUILD) == "80351110224678912"
    assert PEOPLE.translate(TG, "123456", TEAM) == "bob"


def test_unknown_people_and_unknown_accounts_translate_to_nothing() -> None:
    assert PEOPLE.translate(TEAM, "U000", TG) is None
    assert PEOPLE.translate(TG, "123456", GUILD) is None
    assert PEOPLE.translate(TG, "", TEAM) is None

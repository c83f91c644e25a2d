"""Sender names: safe, bounded, never empty, and nobody passes for another."""

from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from bridge.identity.lookalikes import skeleton
from bridge.identity.names import Names, clean_name, shorten
from bridge.identity.people import People, Person
from bridge.model.events import Author
from bridge.model.refs import AccountName
from tests.support.strategies import TEAM, TG

PEOPLE = People([Person(name="Anna Petrova", ids={TG: "anna_p", TEAM: "U1"}), Person(name="Иван", ids={TG: "77"})])
NAMES = Names(["admin", "Security Team"], PEOPLE, ["Bridge Bot"])


def shown(name: str, template: str = "{name}", *, user_id: str = "9", username: str = "", length: int = 80) -> str:
    author = Author(user_id=user_id, name=name, username=username)
    return NAMES.shown(author, template=template, account=TG, platform="Telegram", chat="general", length=length)


# -- templates --------------------------------------------------------------------------------------------------------------


def test_all_placeholders() -> None:
    text = shown("Kim", "{name} @{username} via {platform}/{account} in {chat}", username="kim_l")
    assert text == "Kim @kim_l via Telegram/tg in general"


# -- cleaning ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("  Kim \n\t Lee ", "Kim Lee"),
        ("Kim\u202eeeL", "KimeeL"),
        ("K\u200bi\u2060m\ufeff", "Kim"),
        ("Kim\x00\x1b[31m", "Kim31m"),
        ("**Kim**", "Kim"),
        ("@everyone", "everyone"),
        ("<!channel>", "!channel"),
        ("[Kim](https://evil.example)", "Kim(https://evil.example)"),
        ("`Kim`", "Kim"),
        ("kim_lee", "kim_lee"),
        ("O'Brien-Łukasz", "O'Brien-Łukasz"),
        ("Zoë 🦊", "Zoë 🦊"),
        ("👩‍💻 dev", "👩‍💻 dev"),
        ("z" + "\u0335" * 40, "z" + "\u0335" * 2),
        ("\ud800Kim", "?Kim"),
        ("Анна", "Анна"),
        ("Kim:", "Kim"),
    ],
)
def test_clean_name(raw: str, expected: str) -> None:
    assert clean_name(raw) == expected


@pytest.mark.parametrize("raw", ["", " ", "\u200b", "\u3164", "***", "@", "\u2800\u2800"])
def test_a_name_is_never_empty(raw: str) -> None:
    assert shown(raw) == "unknown"
    assert shown(raw, username="kim") == "kim"
    assert NAMES.shown(None, template="{name}", account=TG, platform="Telegram", chat="") == "unknown"


@given(st.text(st.characters(codec=None), max_size=200), st.text(st.characters(codec=None), max_size=30), st.integers(8, 100))
def test_every_name_is_one_short_visible_line(name: str, username: str, length: int) -> None:
    text = shown(name, "{name}", username=username, length=length)
    assert text.strip()
    assert len(text) <= length
    assert not regex.search(r"[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069\u200b]", text)
    assert not regex.search(r"[`*<>|]", text)
    text.encode("utf-8")


def test_shortened_between_graphemes() -> None:
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("👩‍💻👩‍💻", 5) == "👩‍💻…"
    assert shorten("abc", 3) == "abc"


def test_the_name_gives_way_before_the_rest_of_the_template() -> None:
    text = shown("x" * 100, "{name} ({platform})", length=40)
    assert text.endswith("… (Telegram)")
    assert len(text) <= 40


# -- nobody passes for another ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "imitation",
    [
        "Anna Petrova",
        "anna petrova",
        "ANNA-PETROVA",
        "Anna  Petrova.",
        "Аnnа Реtrоvа",
        "Ánna Petrová",
        "Anna\u200b Petrova",
        "Ａｎｎａ Ｐｅｔｒｏｖａ",
        "𝐀𝐧𝐧𝐚 𝐏𝐞𝐭𝐫𝐨𝐯𝐚",
        "Anna Petrova ✓",
        "Ivan".replace("I", "И").replace("v", "в").replace("a", "а").replace("n", "н"),
        "Admin",
        "adrnin",
        "аdmіn",
        "ADM1N",
        "security_team",
        "Bridge Bot",
        "8ridge Bot".replace("8", "B"),
        "[Bridge] Bot",
    ],
)
def test_an_imitation_gets_a_distinguisher(imitation: str) -> None:
    assert shown(imitation).endswith(" (tg)")


@pytest.mark.parametrize("name", ["Anna", "Petrova", "Annette Petrova", "administrator", "Bob"])
def test_other_names_stay(name: str) -> None:
    assert shown(name) == name


def test_the_person_is_shown_by_their_own_name_without_one() -> None:
    assert shown("ann", username="Anna_P") == "Anna Petrova"
    assert shown("whatever", user_id="77") == "Иван"


def test_a_name_put_together_by_the_template_is_checked_as_well() -> None:
    assert shown("Petrova", "{username} {name}", username="anna").endswith(" (tg)")


def test_the_distinguisher_is_never_cut_off() -> None:
    names = Names(["x" * 100])
    author = Author(user_id="1", name="x" * 100)
    text = names.shown(author, template="{name}", account=TG, platform="Telegram", chat="", length=32)
    assert text.endswith(" (tg)")
    assert len(text) == 32


@given(st.text(min_size=1, max_size=60), st.integers(10, 80))
def test_a_distinguished_name_is_within_the_limit_too(account: str, length: int) -> None:
    names = Names(["x" * 100])
    author = Author(user_id="1", name="x" * 100)
    text = names.shown(author, template="{name}", account=account, platform="P", chat="", length=length)  # type: ignore[arg-type]
    assert len(text) <= length
    assert "(" in text


def test_names_of_symbols_alone_are_compared_too() -> None:
    names = Names(["🦊"])
    assert names.plain_name(TG, Author(user_id="1", name="🦊")) == "🦊 (tg)"
    assert names.plain_name(TG, Author(user_id="1", name="🐻")) == "🐻"


@given(st.text(max_size=40))
def test_the_skeleton_does_not_depend_on_form_or_case(name: str) -> None:
    assert skeleton(name) == skeleton(unicodedata.normalize("NFD", name))
    assert skeleton(f" {name} ") == skeleton(name)


@pytest.mark.parametrize(
    "forged", ["4nn4 P3tr0v4", "@nn@ Petrova", "Anna Pe7rova", "Anna Petrova (tg)", "Anna Petrova\u00a0(tg)", "Anna Petrova (тg)"]
)
def test_digits_and_forged_distinguishers_pass_by_no_forward(forged: str) -> None:
    anna = Person(name="Anna Petrova", ids={AccountName("tg"): "1"})
    names, here = Names(people=People([anna])), AccountName("dis")
    assert names.plain_name(here, Author(user_id="9", name=forged)).endswith(" (dis)")
    assert names.distinct_name(here, forged).endswith(" (dis)")
    assert names.distinct_name(AccountName("tg"), forged, user_id="1") == "Anna Petrova"

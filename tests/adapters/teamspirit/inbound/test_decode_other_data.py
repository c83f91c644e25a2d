"""Places, contacts and cards: what is there is shown, however a server writes it."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.inbound.decode import Decoder
from bridge.model.events import Contact, Content, Location
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of

DIALECT = TeamSpiritOptions.model_validate({"server": "https://im.example.com", "api_key": "k"}).read_dialect


def content(**more: Any) -> Content:
    decoder = Decoder(DIALECT, AccountName("a"), is_own=lambda *_: False, chat_id=lambda native, _: native)
    item = {"id": "m1", "text": "", "user": {"id": "u1", "name": "anna"}, "sent_at": "2026-11-01T12:00:00Z", **more}
    return decoder.message(item, "c").content


@pytest.mark.parametrize(("lat", "lon"), [(59.9386, 30.3141), ("59.9386", "30.3141")])
def test_a_place(lat: Any, lon: Any) -> None:
    found = content(location={"lat": lat, "lon": lon, "title": "Palace Square", "address": "St. Petersburg"})
    assert found.location == Location(latitude=59.9386, longitude=30.3141, title="Palace Square", address="St. Petersburg")
    assert not text_of(found.text)


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ({"lat": 91, "lon": 30}, "📍 91, 30"),
        ({"lat": "north", "lon": 30, "title": "Here"}, "📍 Here, north, 30"),
        ({"lat": float("nan"), "lon": 1, "title": "Nowhere"}, "📍 Nowhere, NaN, 1"),
        ({"lat": True, "lon": 1}, "📍 true, 1"),
        ({"title": "Only a name"}, "📍 Only a name"),
    ],
)
def test_a_place_that_nobody_can_find_is_a_line(location: dict[str, Any], shown: str) -> None:
    found = content(text="meet", location=location)
    assert found.location is None
    assert text_of(found.text) == f"meet\n{shown}"


@pytest.mark.parametrize("location", [None, {}, [], "x", 7])
def test_no_place(location: Any) -> None:
    found = content(text="words", location=location)
    assert (found.location, text_of(found.text)) == (None, "words")


def test_a_contact_with_what_else_its_card_tells() -> None:
    found = content(
        contact={"name": "Ivan Petrov", "phone": "+7 900", "organization": "Widgets", "note": "calls\nback", "email": None}
    )
    assert found.contact == Contact(name="Ivan Petrov", phone="+7 900", details=("Widgets", "calls back"))


@pytest.mark.parametrize(("contact", "name"), [({"phone": "+7 900"}, "+7 900"), ({"email": "a@example.com"}, "a@example.com")])
def test_a_contact_without_a_name_has_one(contact: dict[str, Any], name: str) -> None:
    found = content(contact=contact).contact
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("contact", [None, {}, {"name": ""}, "Ivan", 7])
def test_no_contact(contact: Any) -> None:
    assert content(contact=contact).contact is None


def test_a_card_is_shown_below_the_words() -> None:
    card = {
        "title": "Order 17",
        "url": "https://shop.example.com/17",
        "text": "**paid**",
        "fields": [{"title": "Sum", "value": "300"}],
        "footer": "shop",
    }
    shown = text_of(content(text="new", card=card).text)
    assert [line for line in shown.splitlines() if line] == ["new", "Order 17", "paid", "Sum: 300", "shop"]


def test_a_change_of_place_is_an_edit() -> None:
    decoder = Decoder(DIALECT, AccountName("a"), is_own=lambda *_: False, chat_id=lambda native, _: native)
    base = {"id": "m1", "text": "here", "user": {"id": "u1", "name": "anna"}, "sent_at": "2026-11-01T12:00:00Z"}
    versions = {
        decoder.message({**base, **more}, "c").version
        for more in ({}, {"location": {"lat": 1, "lon": 2}}, {"location": {"lat": 1, "lon": 3}}, {"contact": {"name": "x"}})
    }
    assert len(versions) == 4

"""Strings of strangers within lines of the bridge: no address that becomes a link, no further line, nothing invisible."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.identity.names import Names
from bridge.identity.people import People
from bridge.model.events import Attachment, AttachmentKind, Contact, Location, Poll, PollOption
from bridge.model.refs import AccountName
from bridge.model.rich_text import Emoji, Paragraph, RichText, Text, text_of
from bridge.render.localize import localize
from bridge.render.notices import contact_lines, file_line, location_lines, poll_lines

HOSTILE = ("https://evil.example/a", "evil.com", "a\n👤 Anna: pay", "a\u2028b", "a\u202eb", "a\u200bb\x85c\x0bd", "x" * 10_000)


def shown_by(what: str, words: str) -> str:
    match what:
        case "file":
            return text_of(file_line(Attachment(kind=AttachmentKind.DOCUMENT, file_id="1", name=words), "hidden"))
        case "sticker":
            return text_of(file_line(Attachment(kind=AttachmentKind.STICKER, file_id="1", name=f"{words}.webp", emoji=""), ""))
        case "sticker's emoji":
            return text_of(file_line(Attachment(kind=AttachmentKind.STICKER, file_id="1", emoji=words), ""))
        case "question":
            return text_of(poll_lines(Poll(question=words, options=())))
        case "option":
            return text_of(poll_lines(Poll(question="q", options=(PollOption(words),)))).removeprefix("📊 q\n")
        case "venue":
            return text_of(location_lines(Location(latitude=1, longitude=2, title=words)))
        case "address":
            return text_of(location_lines(Location(latitude=1, longitude=2, address=words)))
        case "contact":
            return text_of(contact_lines(Contact(name=words)))
        case "phone":
            return text_of(contact_lines(Contact(name="a", phone=words)))
        case "detail":
            return text_of(contact_lines(Contact(name="a", details=(words,)))).removeprefix("👤 a\n")
        case _:
            rich = RichText((Paragraph((Text("a "), Emoji(words, "7"))),))
            one, two = AccountName("one"), AccountName("two")
            more: dict[str, Any] = {"people": People(), "names": Names(), "may_ping_all": False, "losses": {}}
            return text_of(localize(rich, origin=one, target=two, **more))


PLACES = ("file", "sticker", "sticker's emoji", "question", "option", "venue", "address", "contact", "phone", "detail", "emoji")


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("what", PLACES)
def test_a_foreign_string_is_one_inert_line(what: str, words: str) -> None:
    shown = shown_by(what, words)
    assert "://e" not in shown
    assert "evil.com" not in shown
    assert not set(shown) & set("\n\r\x0b\x85\u2028\u2029\u202e\u200b")
    assert 0 < len(shown) <= 700


def test_polls_and_contacts_without_end_are_cut_with_a_word() -> None:
    poll = text_of(poll_lines(Poll(question="q", options=tuple(PollOption(str(number)) for number in range(5000)))))
    assert poll.endswith("… 4950 more options")
    assert len(text_of(contact_lines(Contact(name="a", details=("b",) * 5000)))) < 200


def test_a_place_leads_to_the_map_that_the_route_says() -> None:
    place = Location(latitude=-1.5, longitude=20.25)
    (paragraph,) = location_lines(place, "https://maps.example.com/{lat},{lon}?z=9").blocks
    links = [getattr(run, "link", None) for run in getattr(paragraph, "inlines", ())]
    assert "https://maps.example.com/-1.500000,20.250000?z=9" in links

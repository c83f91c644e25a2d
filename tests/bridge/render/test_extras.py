"""Places and contacts: natively beside the words, as messages of their own, or as lines; and what of them is never shown."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import msgspec
import pytest

from bridge.identity.names import Names
from bridge.identity.people import People
from bridge.identity.standing import Ruling, Standing
from bridge.model.adapter import Reply
from bridge.model.capabilities import Capabilities, Feature, Limits
from bridge.model.events import Contact, Content, Location
from bridge.model.outcomes import Loss
from bridge.model.rich_text import plain, text_of
from bridge.render.message import Rendered, Target
from bridge.render.parts import Held
from tests.support.rendering import re_rendered, rendered
from tests.support.strategies import NOON, ORIGIN, capabilities, limits, target

PALACE = Location(latitude=59.9386, longitude=30.3141, title="Palace Square", address="6")
IVAN = Contact(name="Ivan Petrov", phone="+7 900", details=("✉ ivan@example.com",))


def alone(*lacking: Feature, **changes: object) -> Target:
    made = capabilities(*lacking)
    own = frozenset({Feature.LOCATION, Feature.CONTACT})
    return target(msgspec.structs.replace(made, alone=own, **changes))


TELEGRAM_LIKE = alone(Feature.SENDER_NAME)


def shape(made: Rendered) -> list[tuple[str, Location | None, Contact | None]]:
    return [(text_of(part.text), part.location, part.contact) for part in made.parts]


def test_a_place_is_a_message_of_its_own_below_the_name_and_the_words() -> None:
    made = rendered(Content(text=plain("here"), location=PALACE), TELEGRAM_LIKE)
    assert shape(made) == [("Anna Petrova\nhere", None, None), ("", PALACE, None)]
    assert made.parts[1].alone is Feature.LOCATION
    assert Loss.LOCATION_AS_TEXT not in made.losses


def test_without_a_name_or_words_there_is_nothing_before_it() -> None:
    made = rendered(Content(location=PALACE), alone(), reply=Reply(message_id="9"))
    assert shape(made) == [("", PALACE, None)]
    assert made.parts[0].reply == Reply(message_id="9")
    assert made.parts[0].sender is not None


def test_where_it_is_no_message_of_its_own_it_goes_with_the_words() -> None:
    made = rendered(Content(text=plain("here"), location=PALACE, contact=IVAN))
    assert shape(made) == [("here", PALACE, IVAN)]
    assert made.parts[0].alone is None


def test_an_edit_finds_its_messages_and_posts_no_further_ones() -> None:
    moved = msgspec.structs.replace(PALACE, latitude=1.0)
    both = re_rendered(Content(text=plain("there"), location=moved), [Held.WORDS, Feature.LOCATION], TELEGRAM_LIKE)
    assert shape(both) == [("Anna Petrova\nthere", None, None), ("", moved, None)]
    first = re_rendered(Content(location=moved), [Feature.LOCATION, Held.WORDS], TELEGRAM_LIKE)
    assert shape(first) == [("", moved, None), ("Anna Petrova", None, None)]
    lines = re_rendered(Content(location=moved), [Held.WORDS], TELEGRAM_LIKE)
    (only,) = lines.parts
    assert "📍 Palace Square, 6: 1.000000" in text_of(only.text), "a copy of an earlier version, where it is a line"
    assert Loss.LOCATION_AS_TEXT in lines.losses
    gone = re_rendered(Content(text=plain("nowhere")), [Held.WORDS, Feature.LOCATION], TELEGRAM_LIKE)
    assert [part.surplus for part in gone.parts] == [False, True]
    later = re_rendered(Content(text=plain("word " * 120), location=moved), [Held.WORDS, Feature.LOCATION], TELEGRAM_LIKE)
    assert [part.alone for part in later.parts] == [None, Feature.LOCATION, None], "the rest of the text is a further message"


def test_a_contact_without_a_number_is_text_where_one_is_needed() -> None:
    needs = alone(Feature.SENDER_NAME, limits=Limits(**{**msgspec.structs.asdict(limits()), "contact_needs_phone": True}))
    assert shape(rendered(Content(contact=IVAN), needs))[1] == ("", None, IVAN)
    for phone in ("", "  ", "unknown"):
        made = rendered(Content(contact=msgspec.structs.replace(IVAN, phone=phone)), needs)
        assert len(made.parts) == 1
        assert "👤 Ivan Petrov" in text_of(made.parts[0].text)
    nameless = rendered(Content(contact=Contact(name="\u200b", phone="+7900")), needs)
    assert shape(nameless)[1] == ("", None, Contact(name="+7900", phone="+7900"))


@pytest.mark.parametrize(("latitude", "longitude"), [(91.0, 0.0), (0.0, -180.5), (math.nan, 0.0), (math.inf, 0.0), (1e300, 1e300)])
@pytest.mark.parametrize("to", [TELEGRAM_LIKE, target(capabilities()), target(capabilities(Feature.LOCATION))])
def test_a_place_that_is_not_on_earth_is_its_words(latitude: float, longitude: float, to: Target) -> None:
    made = rendered(Content(location=Location(latitude=latitude, longitude=longitude, title="Nowhere")), to)
    assert all(part.location is None for part in made.parts)
    assert "📍 Nowhere" in text_of(made.parts[0].text)
    assert len(text_of(made.parts[0].text)) < 60


def test_labels_from_elsewhere_are_short_and_in_one_line() -> None:
    nasty = "x" * 10_000 + "\n\u202eEND:VCARD"
    made = rendered(Content(location=msgspec.structs.replace(PALACE, title=nasty, address=nasty)), TELEGRAM_LIKE)
    place = made.parts[1].location
    assert place is not None
    assert max(len(place.title), len(place.address)) <= 200
    card = Contact(name=nasty, phone="+1\n" + "2" * 5000, details=tuple(f"a\nb {number}" for number in range(50)))
    person = rendered(Content(contact=card), TELEGRAM_LIKE).parts[1].contact
    assert person is not None
    assert len(person.name) <= 200
    assert len(person.phone) <= 40
    assert len(person.details) == 20
    assert not any("\n" in words or "\u202e" in words for words in (person.name, person.phone, *person.details, place.title))


def test_a_contact_who_wants_to_be_named_nowhere_has_no_data() -> None:
    standing = Standing(People(), [Ruling(account=ORIGIN.account, user_id="U7", hides=True)])
    names = Names(standing=standing)
    card = msgspec.structs.replace(IVAN, user_id="U7")
    data = msgspec.structs.replace(capabilities(), takes_data=True)
    for to in (TELEGRAM_LIKE, target(capabilities()), target(capabilities(Feature.CONTACT)), target(data)):
        made = rendered(Content(contact=card), to, names=names, people=People())
        assert "Ivan" not in repr(made)
        assert "900" not in repr(made)
        assert "somebody" in repr(made)


def test_a_live_location_says_until_when_and_that_it_ended() -> None:
    words = target(capabilities(Feature.LOCATION, Feature.TIMESTAMP))
    live = Location(latitude=1.0, longitude=2.0, live=True, live_until=datetime(2026, 11, 23, 13, 0, tzinfo=UTC))
    assert live.live_until is not None
    assert live.live_until > NOON
    said = [
        text_of(rendered(Content(location=one), words).parts[0].text)
        for one in (
            live,
            msgspec.structs.replace(live, live_until=None),
            msgspec.structs.replace(live, live=False, live_until=None, ended=True),
        )
    ]
    assert said == [
        "📍 Live location (until 2026-11-23 13:00 UTC): 1.000000, 2.000000",
        "📍 Live location: 1.000000, 2.000000",
        "📍 Live location (ended): 1.000000, 2.000000",
    ]


def test_capabilities_have_nothing_alone_by_default() -> None:
    plain_ones: Capabilities = capabilities()
    assert plain_ones.alone == frozenset()

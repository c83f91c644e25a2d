"""The card that goes with a contact: read back, it says the same; and nothing in it can be more than a value."""

from __future__ import annotations

from adapters.telegram.inbound.vcard import details
from adapters.telegram.outbound.contact_cards import vcard_of
from bridge.model.events import Contact

IVAN = Contact(name="Ivan Petrov", phone="+7900", details=("✉ ivan@example.com", "☎ +7 901", "🎂 1990-01-02", "Acme; Sales, North"))


def test_what_is_written_is_read_again() -> None:
    assert details(vcard_of(IVAN), {"Ivan Petrov", "+7900"}) == IVAN.details


def test_without_details_there_is_no_card() -> None:
    assert vcard_of(Contact(name="Ivan", phone="+7900")) == ""


def test_a_detail_cannot_become_a_property() -> None:
    nasty = Contact(name="A\r\nTEL:+666", phone="1\nEND:VCARD", details=("a\nEND:VCARD\nBEGIN:VCARD", "\\n;;,TEL:+666", "☎ "))
    card = vcard_of(nasty).split("\r\n")
    assert [line.partition(":")[0] for line in card] == ["BEGIN", "VERSION", "FN", "N", "TEL", "NOTE", "NOTE", "NOTE", "END"]
    assert not any("\n" in line or "\r" in line for line in card)


def test_it_is_never_longer_than_telegram_takes() -> None:
    long = Contact(name="é" * 200, phone="1" * 40, details=tuple("ы" * 200 for _ in range(20)))
    card = vcard_of(long)
    assert len(card.encode()) <= 2048
    assert card.endswith("END:VCARD")
    assert vcard_of(Contact(name="é" * 3000, details=("x",))) == ""

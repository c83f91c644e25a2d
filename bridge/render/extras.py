"""Places and contacts: what of them may be shown, whether natively, and which messages of a copy they are. Pure; for `message`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from bridge.identity.names import Names, clean_line, shorten, show_name
from bridge.identity.standing import SOMEBODY
from bridge.model.adapter import Reply
from bridge.model.capabilities import Capabilities, Feature
from bridge.model.events import Contact, Content, Location
from bridge.model.refs import AccountName
from bridge.render.parts import Held, Part

_LINE_LENGTH = 200
_PHONE_LENGTH = 40
_MOST_DETAILS = 20

Existing = Held | Feature
"""What a copy's message is made of; a feature: natively nothing but a LOCATION or CONTACT."""


def without_hidden(content: Content, account: AccountName, names: Names) -> Content:
    """The content without the data of a person who wants to be named nowhere."""
    contact = content.contact
    if contact is None or not names.hides(account, contact.user_id):
        return content
    return msgspec.structs.replace(content, contact=Contact(name=SOMEBODY))


def native_location(location: Location | None, capabilities: Capabilities) -> Location | None:
    """The place with words that fit a label, if the target shows it; None: it is a line, if there is one."""
    if location is None or not location.is_on_earth or not capabilities.native(Feature.LOCATION):
        return None
    title, address = (shorten(clean_line(words), _LINE_LENGTH) for words in (location.title, location.address))
    return msgspec.structs.replace(location, title=title, address=address)


def native_contact(contact: Contact | None, capabilities: Capabilities) -> Contact | None:
    """The same for a contact."""
    if contact is None or not capabilities.native(Feature.CONTACT):
        return None
    phone = shorten(clean_line(contact.phone), _PHONE_LENGTH)
    if capabilities.limits.contact_needs_phone and not any(char.isdecimal() for char in phone):
        return None
    details = (shorten(clean_line(detail), _LINE_LENGTH) for detail in contact.details[:_MOST_DETAILS])
    name = shorten(show_name(contact.name), _LINE_LENGTH) or phone
    return Contact(name=name, phone=phone, details=tuple(filter(None, details)))


def may_show(feature: Feature, capabilities: Capabilities, existing: Sequence[Existing] | None) -> bool:
    """Whether a native form has a message to be in: an edit posts none that is a message of its own."""
    return existing is None or feature not in capabilities.alone or feature in existing


def worded(existing: Sequence[Existing] | None) -> list[Held] | None:
    """Those of the messages that can hold words."""
    return None if existing is None else [one for one in existing if not isinstance(one, Feature)]


def with_own_messages(
    parts: Sequence[Part], own: Mapping[Feature, Part], existing: Sequence[Existing] | None, reply: Reply | None
) -> tuple[Part, ...]:
    """The parts that hold words and files, with those that are a place or a contact alone: behind them, or where they exist.
    `reply` is what the message answers: the first part says so."""
    if existing is None or not any(isinstance(one, Feature) for one in existing):
        if not own:
            return tuple(parts)
        said = [part for part in parts if part.says or part.files or existing is not None]
        first, *others = own.values()
        return (*said, first if said else msgspec.structs.replace(first, reply=reply), *others)
    rest = iter(parts)
    placed = [own.get(one, Part(surplus=True)) if isinstance(one, Feature) else next(rest) for one in existing]
    return (*placed, *(part for part in rest if part.says or part.files))

"""Places and contacts -> sendLocation, sendVenue, sendContact; and how a place that was posted moves and ends. They are messages of
their own: none of them has a caption.

Source: Bot API reference 10.3, sendLocation (live_period, horizontal_accuracy, heading), editMessageLiveLocation,
stopMessageLiveLocation, sendVenue, sendContact (vcard); what is refused: tdlib/td, Location.cpp and `can_edit_message`."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from adapters.telegram import errors
from adapters.telegram.errors import Refused
from adapters.telegram.outbound.contact_cards import vcard_of
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call, Json
from bridge.model.adapter import Outbound, OutboundEdit
from bridge.model.errors import ChangeRefused, MessageGone
from bridge.model.events import Contact, Location

LIVE, PLACE, CONTACT = "live", "place", "contact"
KINDS = (LIVE, PLACE, CONTACT)
"""As what it was posted: the beginning of the copy's own note."""
SHORTEST_S, LONGEST_S, ENDLESS_S = 60, 86_400, 0x7FFFFFFF
_MOST_ACCURACY_M = 1500.0
_OVER = ("message can't be edited", "there is no live location")
"""Its time is over, or it was stopped before."""


def extra_call(outbound: Outbound, place: Json, now: datetime) -> tuple[Call, str]:
    """The call for an outbound place or contact, and as what it is posted. `place` is where it goes, as of any message."""
    if outbound.location is not None:
        return _location_call(outbound.location, place, now)
    assert outbound.contact is not None
    return _contact_call(outbound.contact, place), CONTACT


def _location_call(location: Location, place: Json, now: datetime) -> tuple[Call, str]:
    point = place | _point(location)
    period_s = live_period_s(location, now)
    if period_s:
        return Call("SendLocation", point | _movement(location) | {"live_period": period_s}), LIVE
    if not (location.title or location.address):
        return Call("SendLocation", point | _accuracy(location)), PLACE
    coordinates = f"{location.latitude:.6f}, {location.longitude:.6f}"
    title = location.title or location.address
    address = location.address if location.title and location.address else coordinates  # neither may be empty
    return Call("SendVenue", point | {"title": title, "address": address}), PLACE


def live_period_s(location: Location, now: datetime) -> int:
    """How long the point may move; 0: it does not, or not long enough for a live location."""
    if not location.live:
        return 0
    if location.live_until is None:
        return ENDLESS_S
    left_s = int((location.live_until - now).total_seconds())
    return min(left_s, LONGEST_S) if left_s >= SHORTEST_S else 0


def _contact_call(contact: Contact, place: Json) -> Call:
    params = {"phone_number": contact.phone, "first_name": contact.name}
    vcard = vcard_of(contact)
    return Call("SendContact", place | params | ({"vcard": vcard} if vcard else {}))


def _point(location: Location) -> Json:
    return {"latitude": location.latitude, "longitude": location.longitude}


def _accuracy(location: Location) -> Json:
    accuracy_m = location.accuracy_m
    return {"horizontal_accuracy": min(accuracy_m, _MOST_ACCURACY_M)} if accuracy_m is not None and accuracy_m >= 0 else {}


def _movement(location: Location) -> Json:
    heading = round(location.heading_deg) if location.heading_deg is not None else 0
    return _accuracy(location) | ({"heading": heading} if 1 <= heading <= 360 else {})


# -- what becomes of it -----------------------------------------------------------------------------------------------------


def note(kind: str, message_id: str, what: Outbound | OutboundEdit) -> str:
    """The copy's own note: how it was posted, where, and what it showed then."""
    return f"{kind}:{message_id}:{_digest(what)}"


def _digest(what: Outbound | OutboundEdit) -> str:
    """Of what readers see. Whether a point is still live is no part of it: that is in the kind."""
    location = what.location
    if location is not None:
        location = Location(
            latitude=location.latitude, longitude=location.longitude, title=location.title, address=location.address
        )
    shown = msgspec.json.encode([location, what.contact])
    return hashlib.blake2b(shown, digest_size=6).hexdigest()


async def edit_extra(transport: Transport, outbound: OutboundEdit) -> str:
    """Let a posted place follow; returns the copy's new note. Raises ChangeRefused for what Telegram lets nobody change: a place
    that is not live, and a contact."""
    kind, message_id, shown = outbound.copy.adapter_data.split(":", 2)
    location = outbound.location
    same = _digest(outbound) == shown
    if kind != LIVE:
        if not same:
            raise ChangeRefused("Telegram lets nobody change a place that is not live, or a contact")
        return outbound.copy.adapter_data
    target = {"chat_id": outbound.copy.chat_id, "message_id": int(message_id)}
    if location is not None and not same:
        try:
            await transport.call(Call("EditMessageLiveLocation", target | _point(location) | _movement(location)))
        except Refused as refusal:
            _meant(refusal)
            if not refusal.says(errors.NOT_MODIFIED):
                raise errors.change_fault(refusal) from None
    if location is not None and location.live:
        return note(LIVE, message_id, outbound)
    try:
        await transport.call(Call("StopMessageLiveLocation", target))
    except Refused as refusal:
        _meant(refusal)
        if not refusal.says(errors.NOT_MODIFIED, *_OVER):
            raise errors.change_fault(refusal) from None
    return note(PLACE, message_id, outbound)


def _meant(refusal: Refused) -> None:
    if refusal.says(errors.EDITED_IS_GONE):
        raise MessageGone(refusal.reason) from None

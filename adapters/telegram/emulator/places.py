"""Places and contacts: sent, moved and stopped by bots, moved and stopped by people.

Source: Bot API reference 10.3, sendLocation, sendVenue, sendContact, editMessageLiveLocation, stopMessageLiveLocation, Location;
what is refused, and how: tdlib/td, Location.cpp, Contact.cpp, MessagesManager.cpp (can_edit_message)."""

from __future__ import annotations

from adapters.telegram.emulator.call import Call
from adapters.telegram.emulator.errors import bad_request
from adapters.telegram.emulator.methods_send import Method
from adapters.telegram.emulator.records import Json, Message
from adapters.telegram.emulator.wire import message_wire
from adapters.telegram.emulator.world import World

ENDLESS_S = 0x7FFFFFFF
_SHORTEST_S, _LONGEST_S = 60, 86_400
_VCARD_BYTES = 2048


def _point(call: Call) -> Json:
    latitude, longitude = call.params.number("latitude"), call.params.number("longitude")
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise bad_request("invalid location specified")
    point: Json = {"latitude": latitude, "longitude": longitude}
    if "horizontal_accuracy" in call.params:
        accuracy = call.params.number("horizontal_accuracy")
        if not 0 <= accuracy <= 1500:
            raise bad_request("invalid location specified")
        point["horizontal_accuracy"] = accuracy
    return point


def _heading(call: Call) -> Json:
    heading = call.params.integer("heading")
    if heading and not 1 <= heading <= 360:
        raise bad_request("wrong live location heading specified")
    return {"heading": heading} if heading else {}


async def send_location(call: Call) -> Json:
    location, period_s = _point(call), call.params.integer("live_period")
    if period_s:
        if period_s != ENDLESS_S and not _SHORTEST_S <= period_s <= _LONGEST_S:
            raise bad_request("wrong live location period specified")
        location |= _heading(call) | {"live_period": period_s}
    return message_wire(call.post(call.target(), [{"location": location}])[0])


async def send_venue(call: Call) -> Json:
    location, title, address = _point(call), call.params.text("title"), call.params.text("address")
    if not title.strip() or not address.strip():
        raise bad_request("venue title and address must be non-empty")
    content = {"venue": {"location": location, "title": title, "address": address}, "location": location}
    return message_wire(call.post(call.target(), [content])[0])


async def send_contact(call: Call) -> Json:
    names = ("phone_number", "first_name", "last_name", "vcard")
    contact = {name: call.params.text(name) for name in names if name in call.params}
    if not contact.get("phone_number") or not contact.get("first_name"):
        raise bad_request("phone number and first name are required")
    if len(contact.get("vcard", "").encode()) > _VCARD_BYTES:
        raise bad_request("vCard is too long")
    return message_wire(call.post(call.target(), [{"contact": contact}])[0])


def _live(call: Call) -> Message:
    message = call.message(call.chat(), "edit")
    period_s = message.content.get("location", {}).get("live_period")
    if period_s is None and not message.was_live:
        raise bad_request("there is no live location in the message to edit")
    if message.sender is not call.bot or period_s is None or call.world.now() > message.date + period_s:
        raise bad_request("message can't be edited")
    return message


async def edit_live_location(call: Call) -> Json:
    point, heading = _point(call), _heading(call)
    message = _live(call)
    location = point | heading | {"live_period": message.content["location"]["live_period"]}
    if location == message.content["location"]:
        raise bad_request("message is not modified: specified new message content and reply markup are exactly the same as before")
    call.world.change(message, {"location": location})
    return message_wire(message)


async def stop_live_location(call: Call) -> Json:
    message = _live(call)
    end(call.world, message)
    return message_wire(message)


# -- people -----------------------------------------------------------------------------------------------------------------


def move(world: World, message: Message, latitude: float, longitude: float) -> None:
    """The person who shares where they are is somewhere else by now."""
    location = message.content["location"] | {"latitude": latitude, "longitude": longitude}
    world.change(message, {"location": location})


def end(world: World, message: Message) -> None:
    """A live location is stopped: where it was last stays, as an ordinary place."""
    kept = {name: value for name, value in message.content["location"].items() if name not in ("live_period", "heading")}
    message.was_live = True
    world.change(message, {"location": kept})


METHODS: dict[str, Method] = {
    "sendLocation": send_location,
    "sendVenue": send_venue,
    "sendContact": send_contact,
    "editMessageLiveLocation": edit_live_location,
    "stopMessageLiveLocation": stop_live_location,
}

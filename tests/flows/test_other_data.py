"""What messengers carry beside words and files: a TeamSpirit user's places, contacts and cards elsewhere, and the other way."""

from __future__ import annotations

from adapters.teamspirit.emulator import TeamSpiritEmulator
from adapters.telegram.emulator import TelegramEmulator, places
from tests.flows.world import World
from tests.support.patience import eventually

OTHERS = ("telegram", "slack", "discord")


async def test_places_contacts_and_cards_are_seen_everywhere(world: World) -> None:
    spirit, chat = world.emulators["teamspirit"], world.chats["teamspirit"].chat_id
    assert isinstance(spirit, TeamSpiritEmulator)
    await spirit.share(chat, "Anna", location={"lat": 59.9386, "lon": 30.3141, "title": "Palace Square"})
    await spirit.share(chat, "Anna", contact={"name": "Ivan Petrov", "phone": "+7 900 000", "email": "ivan@example.com"})
    card = {"title": "Order 17", "text": "paid", "fields": [{"title": "Sum", "value": "300"}]}
    await spirit.share(chat, "Anna", "the order:", card=card)
    for platform in OTHERS:
        place = await world.copy(platform, "Palace Square")
        assert "59.93" in place.html + place.text
        person = await world.copy(platform, "Ivan Petrov")
        assert "+7 900 000" in person.text
        assert "ivan@example" in person.text or platform == "telegram"  # cut so that it is no link; in a card
        order = await world.copy(platform, "Order 17")
        assert all(words in order.text for words in ("the order:", "paid", "Sum: 300"))


async def test_places_and_contacts_are_native_in_telegram_below_their_senders_name(world: World) -> None:
    telegram, spirit = world.emulators["telegram"], world.emulators["teamspirit"]
    assert isinstance(telegram, TelegramEmulator)
    assert isinstance(spirit, TeamSpiritEmulator)
    chat, group = world.chats["teamspirit"].chat_id, telegram.world.chats[int(world.chats["telegram"].chat_id)]
    await spirit.share(chat, "Anna", location={"lat": 59.9386, "lon": 30.3141, "title": "Palace Square"})
    await spirit.share(chat, "Anna", contact={"name": "Ivan Petrov", "phone": "+7 900 000", "email": "ivan@example.com"})
    await eventually(lambda: len(group.messages) == 4)
    name, venue, again, person = group.messages.values()
    assert [name.text, again.text] == ["Anna", "Anna"]
    assert venue.reply_to == name.message_id
    assert venue.content["venue"]["title"] == "Palace Square"
    assert person.content["contact"]["phone_number"] == "+7 900 000"
    assert "EMAIL" not in person.content["contact"].get("vcard", "")
    assert "ivan@example.com" in person.content["contact"]["vcard"]


async def test_a_live_location_moves_in_all_chats_and_its_end_is_told(quiet_world: World) -> None:
    world = quiet_world
    world.route_options["tally_every_s"] = 1
    await world.start_bridge()
    telegram, group = world.emulators["telegram"], world.chats["telegram"].chat_id
    assert isinstance(telegram, TelegramEmulator)
    said = await telegram.post(group, "Anna", {"location": {"latitude": 1.5, "longitude": 2.5, "live_period": 900}})
    copies = {platform: await world.copy(platform, "Live location") for platform in ("slack", "discord")}
    message = telegram.world.chats[int(group)].messages[int(said)]
    places.move(telegram.world, message, 3.5, 4.5)
    for platform in copies:
        await eventually(lambda p=platform: world.copies(p, "3.500000, 4.500000"), f"the new place on {platform}")
    places.end(telegram.world, message)
    for platform, copy in copies.items():
        await eventually(lambda p=platform: world.copies(p, "Live location (ended)"), f"the end on {platform}")
        assert world.copies(platform, "3.500000")[0].message_id == copy.message_id


async def test_telegrams_places_and_contacts_are_native_in_teamspirit_and_lines_elsewhere(world: World) -> None:
    """Who shows them is the message's sender; they have no line of text beside them."""
    telegram, spirit = world.emulators["telegram"], world.emulators["teamspirit"]
    assert isinstance(telegram, TelegramEmulator)
    assert isinstance(spirit, TeamSpiritEmulator)
    chat, messages = world.chats["telegram"].chat_id, spirit.world.state.chats[world.chats["teamspirit"].chat_id].messages
    place = {"latitude": 59.9386, "longitude": 30.3141}
    await telegram.post(chat, "Anna", {"venue": {"location": place, "title": "Palace Square", "address": "6"}, "location": place})
    await telegram.post(chat, "Anna", {"contact": {"phone_number": "+7900", "first_name": "Ivan", "last_name": "Petrov"}})
    await telegram.post(chat, "Anna", {"location": {"latitude": 0, "longitude": 0}})
    await eventually(lambda: len(messages) == 3)
    assert [message.text for message in messages] == ["", "", ""]
    assert {message.sender_name for message in messages} == {"Anna"}
    assert messages[0].location == {"lat": 59.9386, "lon": 30.3141, "title": "Palace Square", "address": "6"}
    assert messages[1].contact == {"name": "Ivan Petrov", "phone": "+7900"}
    assert messages[2].location == {"lat": 0, "lon": 0}
    for platform in ("slack", "discord"):
        await world.copy(platform, "Palace Square")
        await world.copy(platform, "Ivan Petrov")

"""What messengers carry beside words and files: a TeamSpirit user's places, contacts and cards elsewhere, and the other way."""

from __future__ import annotations

from adapters.teamspirit.emulator import TeamSpiritEmulator
from tests.flows.world import World

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
        assert "59.938600" in place.html + place.text
        person = await world.copy(platform, "Ivan Petrov")
        assert "+7 900 000" in person.text
        assert "ivan@example" in person.text  # cut so that it is no link
        order = await world.copy(platform, "Order 17")
        assert all(words in order.text for words in ("the order:", "paid", "Sum: 300"))

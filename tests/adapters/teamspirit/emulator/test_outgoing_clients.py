"""The emulator's outgoing webhooks, taken by a plain web server."""

from __future__ import annotations

import asyncio
import json

import httpx

from adapters.common.emulation.contract import StreamFault
from adapters.teamspirit.emulator import TeamSpiritEmulator
from tests.adapters.teamspirit.receiver import Receiver, signed


async def register(api: httpx.AsyncClient, receiver: Receiver, **fields: object) -> dict[str, str]:
    answer = await api.post("/webhooks", json={"direction": "outgoing", "url": receiver.url, "chats": [], "events": [], **fields})
    assert answer.status_code == 201
    return dict(answer.json())


async def test_a_registered_webhook_is_called_and_signed(
    emulator: TeamSpiritEmulator, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    hook = await register(api, receiver)
    chat = emulator.add_chat("team")
    message = await emulator.say(chat.chat_id, "Anna", "hello")
    await emulator.edit(chat.chat_id, message, "hello there")
    await emulator.react(chat.chat_id, message, "Bert", "👍")
    await emulator.react(chat.chat_id, message, "Bert", "👍", remove=True)
    await emulator.delete(chat.chat_id, message)
    emulator.join(chat.chat_id, "Carl")
    emulator.join(chat.chat_id, "Carl", leave=True)
    emulator.rename(chat.chat_id, "Anna", "squad")
    events = await receiver.wait(8)
    assert [event["event"] for event in events] == [
        "message.created",
        "message.edited",
        "reaction.added",
        "reaction.removed",
        "message.deleted",
        "member.joined",
        "member.left",
        "chat.renamed",
    ]
    created = events[0]
    assert created["chat"] == {"id": chat.chat_id, "name": "team"}
    assert created["user"]["display_name"] == "Anna"
    assert (created["message"]["id"], created["message"]["text"], created["message"]["edited_at"]) == (message, "hello", None)
    assert events[2]["reaction"] == {"emoji": "👍"}
    assert len({event["event_id"] for event in events}) == 8
    for headers, body in receiver.calls:
        assert headers["X-TeamSpirit-Key"] == hook["key"]
        assert signed(headers, body, hook["secret"])


async def test_webhooks_are_listed_without_secrets_and_removed(
    emulator: TeamSpiritEmulator, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    hook = await register(api, receiver)
    listed = (await api.get("/webhooks")).json()["items"]
    assert [item["id"] for item in listed] == [hook["id"]]
    assert hook["secret"] not in json.dumps(listed)
    assert (await api.delete(f"/webhooks/{hook['id']}")).status_code == 204
    assert (await api.delete(f"/webhooks/{hook['id']}")).status_code == 404
    chat = emulator.add_chat("team")
    await emulator.say(chat.chat_id, "Anna", "unheard")
    assert emulator.world.outgoing.undelivered == 0


async def test_only_wanted_chats_and_events(emulator: TeamSpiritEmulator, api: httpx.AsyncClient, receiver: Receiver) -> None:
    wanted, other = emulator.add_chat("wanted"), emulator.add_chat("other")
    await register(api, receiver, chats=["wanted"], events=["message.created"])
    message = await emulator.say(wanted.chat_id, "Anna", "one")
    await emulator.edit(wanted.chat_id, message, "unwanted kind")
    await emulator.say(other.chat_id, "Anna", "unwanted chat")
    await emulator.say(wanted.chat_id, "Anna", "two")
    events = await receiver.wait(2)
    assert [event["message"]["text"] for event in events] == ["one", "two"]


async def test_what_the_bot_posts_comes_back(emulator: TeamSpiritEmulator, api: httpx.AsyncClient, receiver: Receiver) -> None:
    await register(api, receiver)
    chat = emulator.add_chat("team")
    await api.post("/chats/team/messages", json={"text": "mine", "client_id": "t-7"})
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(emulator.incoming_webhook(chat.chat_id), json={"text": "hooked"})
    first, second = await receiver.wait(2)
    assert (first["user"]["is_bot"], first["message"]["client_id"]) == (True, "t-7")
    assert (second["user"]["is_bot"], second["message"]["client_id"]) == (True, None)


async def test_unconfirmed_events_come_again_and_others_go_on(
    emulator: TeamSpiritEmulator, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    await register(api, receiver)
    chat = emulator.add_chat("team")
    receiver.answers = [503, 200, 500]
    for text in ("one", "two", "three"):
        await emulator.say(chat.chat_id, "Anna", text)
    events = await receiver.wait(3)
    assert [event["message"]["text"] for event in events] == ["two", "one", "three"]
    ids = [json.loads(body)["event_id"] for _, body in receiver.calls]
    assert len(ids) == 5
    assert len(set(ids)) == 3


async def test_disturbances(emulator: TeamSpiritEmulator, api: httpx.AsyncClient, receiver: Receiver) -> None:
    await register(api, receiver)
    chat = emulator.add_chat("team")
    await emulator.say(chat.chat_id, "Anna", "one")
    await receiver.wait(1)
    await emulator.disturb(StreamFault.REDELIVER)
    await receiver.wait(2)
    assert receiver.confirmed[0] == receiver.confirmed[1]
    await emulator.disturb(StreamFault.REORDER)
    await emulator.say(chat.chat_id, "Anna", "two")
    await emulator.say(chat.chat_id, "Anna", "three")
    await receiver.wait(4)
    assert [event["message"]["text"] for event in receiver.confirmed[2:]] == ["three", "two"]
    await emulator.disturb(StreamFault.POISON)
    await receiver.wait(5)
    assert receiver.confirmed[4]["chat"] == [7]
    items = (await api.get(f"/chats/{chat.chat_id}/messages")).json()["items"]
    assert [item["text"] for item in items] == ["one", "two", "three", 17]


async def test_calls_cut_on_the_way_come_again(emulator: TeamSpiritEmulator, api: httpx.AsyncClient, receiver: Receiver) -> None:
    await register(api, receiver)
    chat = emulator.add_chat("team")
    await emulator.say(chat.chat_id, "Anna", "one")
    await emulator.say(chat.chat_id, "Anna", "two")
    await asyncio.sleep(0)
    await emulator.disturb(StreamFault.DISCONNECT)
    await receiver.wait(2)
    assert {event["message"]["text"] for event in receiver.confirmed} == {"one", "two"}


async def test_a_server_that_is_down_delivers_when_it_is_up_again(
    emulator: TeamSpiritEmulator, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    await register(api, receiver)
    chat = emulator.add_chat("team")
    await emulator.refuse_connections(True)
    for number in range(5):
        await emulator.say(chat.chat_id, "Anna", f"{number}")
    await emulator.refuse_connections(False)
    await receiver.wait(5)
    assert [event["message"]["text"] for event in receiver.confirmed] == ["0", "1", "2", "3", "4"]

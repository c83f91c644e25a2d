"""The emulator's REST calls, one row of the default dialect's table after the other, by a client that is not the adapter's."""

from __future__ import annotations

import hashlib
from datetime import datetime

import apprise
import httpx
import pytest

from adapters.common.emulation.contract import Upload
from adapters.teamspirit.emulator import TeamSpiritEmulator


async def test_me_users_and_status(emulator: TeamSpiritEmulator, api: httpx.AsyncClient) -> None:
    me = (await api.get("/me")).json()
    assert set(me) == {"id", "name", "status"}
    anna = emulator.add_person("Anna Petrova")
    assert emulator.add_person("Anna Petrova") == anna
    user = (await api.get(f"/users/{anna}")).json()
    assert user == {"id": anna, "name": "anna_petrova", "display_name": "Anna Petrova", "avatar_url": None, "is_bot": False}
    assert (await api.get("/users/nobody")).status_code == 404
    assert (await api.put("/me/status", json={"status": "busy", "text": "bridging"})).status_code == 200
    assert (await api.get("/me")).json()["status"] == "busy"
    assert (await api.put("/me/status", json={"status": "gone"})).status_code == 400


async def test_chats_are_paged_and_addressed_by_name(emulator: TeamSpiritEmulator, api: httpx.AsyncClient) -> None:
    emulator.world.rules.chats_page_size = 2
    names = [emulator.add_chat(name).name for name in ("one", "two", "three", "three", "four")]
    assert len(set(names)) == 5
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await api.get("/chats", params={"cursor": cursor} if cursor else {})).json()
        found += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == names
    assert (await api.post("/chats/one/messages", json={"text": "by name", "format": "markdown"})).status_code == 201
    assert (await api.post("/chats/nowhere/messages", json={"text": "x"})).json()["error"]["code"] == "chat_not_found"


async def test_send_edit_delete(emulator: TeamSpiritEmulator, api: httpx.AsyncClient) -> None:
    chat = emulator.add_chat("team")
    first = await emulator.say(chat.chat_id, "Anna", "hello")
    body = {
        "text": "**hi**",
        "format": "markdown",
        "reply_to": first,
        "sender": {"name": "Bert", "avatar_url": "https://example.com/b.png"},
        "client_id": "t-1",
    }
    sent = (await api.post(f"/chats/{chat.chat_id}/messages", json=body)).json()
    assert datetime.fromisoformat(sent["sent_at"]).tzinfo is not None
    again = (await api.post(f"/chats/{chat.chat_id}/messages", json=body)).json()
    assert again == sent
    shown = emulator.transcript(chat.chat_id)[1]
    assert (shown.author_name, shown.author_avatar_url, shown.is_bot) == ("Bert", "https://example.com/b.png", True)
    assert (shown.text, shown.html, shown.reply_to, shown.reply_quote) == ("hi", "<b>hi</b>", first, "hello")

    path = f"/chats/{chat.chat_id}/messages/{sent['id']}"
    edited = await api.patch(path, json={"text": "there", "format": "plain"})
    assert set(edited.json()) == {"id", "edited_at"}
    assert emulator.transcript(chat.chat_id)[1].edited
    other = f"/chats/{chat.chat_id}/messages/{first}"
    assert (await api.patch(other, json={"text": "not mine"})).status_code == 403
    assert (await api.delete(other)).status_code == 403
    assert (await api.delete(path)).status_code == 204
    assert (await api.delete(path)).status_code == 404
    assert [(m.text, m.deleted) for m in emulator.transcript(chat.chat_id)] == [("hello", False), ("there", True)]


@pytest.mark.parametrize(
    "body",
    [
        {"text": ""},
        {"text": 17},
        {"text": "x" * 4001},
        {"text": "x", "format": "html"},
        {"text": "x", "files": ["nothing"]},
        {"text": "x", "files": "f1"},
        {"text": "x", "sender": "Bert"},
    ],
)
async def test_wrong_messages_are_refused(emulator: TeamSpiritEmulator, api: httpx.AsyncClient, body: dict[str, object]) -> None:
    chat = emulator.add_chat("team")
    answer = await api.post(f"/chats/{chat.chat_id}/messages", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


async def test_a_form_is_no_json(emulator: TeamSpiritEmulator, api: httpx.AsyncClient) -> None:
    chat = emulator.add_chat("team")
    assert (await api.post(f"/chats/{chat.chat_id}/messages", data={"text": "x"})).status_code == 415


async def test_reactions(emulator: TeamSpiritEmulator, api: httpx.AsyncClient) -> None:
    chat = emulator.add_chat("team")
    message = await emulator.say(chat.chat_id, "Anna", "hello")
    await emulator.react(chat.chat_id, message, "Anna", "👍")
    path = f"/chats/{chat.chat_id}/messages/{message}/reactions/👍"
    assert (await api.put(path)).status_code == 204
    assert (await api.put(path)).status_code == 204
    assert [(r.emoji, r.by) for r in emulator.transcript(chat.chat_id)[0].reactions] == [("👍", ("Anna", "bridge"))]
    assert (await api.delete(path)).status_code == 204
    await emulator.react(chat.chat_id, message, "Anna", "👍", remove=True)
    assert emulator.transcript(chat.chat_id)[0].reactions == ()


async def test_files_both_ways(emulator: TeamSpiritEmulator, api: httpx.AsyncClient) -> None:
    chat = emulator.add_chat("team")
    content = bytes(range(256)) * 50_000
    uploaded = (await api.post("/files", files={"file": ("сводка.png", content, "image/png")})).json()
    assert uploaded == {"id": uploaded["id"], "name": "сводка.png", "mime": "image/png", "size": len(content)}
    assert (await api.get(f"/files/{uploaded['id']}/content")).content == content
    assert (await api.get("/files/f0/content")).status_code == 404
    sent = await api.post(f"/chats/{chat.chat_id}/messages", json={"text": "", "files": [uploaded["id"]]})
    assert sent.status_code == 201
    shown = emulator.transcript(chat.chat_id)[0].files[0]
    assert (shown.kind, shown.sha256) == ("photo", hashlib.sha256(content).hexdigest())
    emulator.world.rules.max_file_bytes = 1000
    assert (await api.post("/files", files={"file": ("big", content)})).status_code == 413
    assert (await api.post("/files", files={"other": ("x", b"x")})).status_code == 400

    await emulator.say(chat.chat_id, "Anna", "look", files=[Upload(name="a.txt", mime="text/plain", content=b"abc")])
    item = (await api.get(f"/chats/{chat.chat_id}/messages")).json()["items"][-1]
    assert (await api.get(f"/files/{item['files'][0]['id']}/content")).content == b"abc"


async def test_history_reads_on_from_a_message(emulator: TeamSpiritEmulator, api: httpx.AsyncClient) -> None:
    chat = emulator.add_chat("team")
    ids = [await emulator.say(chat.chat_id, "Anna", f"{n}") for n in range(130)]
    await emulator.delete(chat.chat_id, ids[40])
    await emulator.edit(chat.chat_id, ids[41], "edited")
    path = f"/chats/{chat.chat_id}/messages"
    page = (await api.get(path, params={"after": ids[9], "limit": 100})).json()["items"]
    assert [item["id"] for item in page] == [*ids[10:40], *ids[41:111]]
    assert [item["text"] for item in page if item["edited_at"]] == ["edited"]
    assert page[0]["user"]["display_name"] == "Anna"
    rest = (await api.get(path, params={"after": ids[110]})).json()["items"]
    assert [item["id"] for item in rest] == ids[111:]
    first = (await api.get(path, params={"limit": 2})).json()["items"]
    assert [item["id"] for item in first] == ids[:2]
    assert (await api.get(path, params={"after": "m0"})).status_code == 404


async def test_incoming_webhooks_take_json_and_forms(emulator: TeamSpiritEmulator) -> None:
    chat = emulator.add_chat("duty")
    url = emulator.incoming_webhook(chat.chat_id)
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            url,
            json={"text": "see", "sender": {"name": "CI"}, "files": [{"url": "https://example.com/log", "name": "log.txt"}]},
        )
        assert set(answer.json()) == {"id"}
        assert (await client.post(url, data={"text": "page called"})).status_code == 201
        assert (await client.post(url, json={"text": ""})).status_code == 400
        assert (await client.post(f"{emulator.base_url}/hooks/guess", json={"text": "x"})).status_code == 404
    first, second = emulator.transcript(chat.chat_id)
    assert (first.author_name, first.html) == ("CI", 'see\n<a href="https://example.com/log">log.txt</a>')
    assert (second.text, second.is_bot) == ("page called", True)


async def test_apprise_posts_to_an_incoming_webhook(emulator: TeamSpiritEmulator) -> None:
    chat = emulator.add_chat("duty")
    address = emulator.incoming_webhook(chat.chat_id).removeprefix("http://")
    for scheme in ("json", "form"):
        notifier = apprise.Apprise()
        assert notifier.add(f"{scheme}://{address}?:message=text&:title=&:type=&:version=&:attachments=")
        assert await notifier.async_notify(body=f"by {scheme}")
    assert [m.text for m in emulator.transcript(chat.chat_id)] == ["by json", "by form"]

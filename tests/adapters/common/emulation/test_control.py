"""The control API over real HTTP: what it does for its client, and whom it refuses."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
import pytest
from yarl import URL

from adapters import registry
from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.contract import Fault, FaultKind, RemovesBot, StreamFault, Upload
from adapters.common.emulation.control_client import ControlClient, ControlError, RemoteEmulator

Emulators = dict[str, EmulatorBase]
OWN = {"X-Messenger-Bridge": "1"}


@pytest.mark.parametrize(
    ("mime", "shown_as", "disposition"),
    [
        ("image/png", "image/png", "inline"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("text/html", "application/octet-stream", "attachment"),
        ("", "application/octet-stream", "attachment"),
    ],
)
async def test_a_file_cannot_act_as_a_page(
    emulators: Emulators, raw: aiohttp.ClientSession, url: str, mime: str, shown_as: str, disposition: str
) -> None:
    emulators["telegram"].store_file("evil", b"<script>alert(1)</script>")
    async with raw.get(f"{url}/telegram/files/evil", params={"mime": mime, "name": 'x"\r\n/../y.html'}) as response:
        assert response.content_type == shown_as
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"].startswith("sandbox")
        assert response.headers["Content-Disposition"].startswith(disposition)
        assert (
            ".." not in response.headers["Content-Disposition"].replace("../", "")
            or "/" not in response.headers["Content-Disposition"]
        )


async def test_one_stream_carries_all_platforms_and_its_position(
    client: ControlClient, raw: aiohttp.ClientSession, url: str
) -> None:
    remotes = await client.platforms()
    for platform, remote in remotes.items():
        (chat,) = await remote.chats()
        await remote.say(chat.chat_id, "Anna", f"in {platform}")
    events = await _events(raw, f"{url}/changes", 3)
    assert events[0]["event"] == "hello"
    assert {event["platform"] for event in events[1:]} == {"telegram", "slack"}
    (chat,) = await remotes["slack"].chats()
    await remotes["slack"].say(chat.chat_id, "Anna", "later")
    resumed = await _events(raw, f"{url}/changes", 2, {"Last-Event-ID": events[-1]["id"]})
    assert [event.get("seq") for event in resumed] == [None, 2]
    other_run = events[-1]["id"].replace(events[0]["boot"], "0" * 8)
    again = await _events(raw, f"{url}/changes", 4, {"Last-Event-ID": other_run})
    assert len(again) == 4, "a position of another run of the emulators starts from the beginning"


async def _events(raw: aiohttp.ClientSession, at: str, count: int, headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    import json

    found: list[dict[str, Any]] = []
    entry: dict[str, Any] = {}
    async with raw.get(URL(at, encoded=True), headers=headers) as response:
        assert response.content_type == "text/event-stream"
        async for line in response.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "data":
                entry |= json.loads(value) if value.startswith("{") else {"boot": value}
            elif name in ("id", "event"):
                entry[name] = value
            elif not name and entry:
                found.append(entry)
                entry = {}
                if len(found) == count:
                    return found
    raise AssertionError("the stream ended")


async def test_faults_are_injected_listed_and_cleared(emulators: Emulators, client: ControlClient, remote: RemoteEmulator) -> None:
    async def ping() -> int:
        async with aiohttp.ClientSession() as session, session.get(f"{remote.base_url}/ping") as response:
            return response.status

    assert await ping() == 200
    await remote.inject(Fault(kind=FaultKind.RATE_LIMIT, operation="p*"))
    assert await ping() == 429
    (listed,) = [entry for entry in await client.get("/", list[dict[str, Any]]) if entry["platform"] == "telegram"]
    assert listed["faults"] == [{"kind": "rate_limit", "operation": "p*"}]
    await remote.clear_faults()
    assert await ping() == 200
    await remote.refuse_connections(True)
    with pytest.raises(aiohttp.ClientConnectorError):
        await ping()
    await remote.refuse_connections(False)
    assert await ping() == 200
    await remote.disturb(StreamFault.REDELIVER)
    assert emulators["telegram"].disturbed == [StreamFault.REDELIVER]  # type: ignore[attr-defined]
    assert (await remote.calls())[:3] == ["ping"] * 3


LOBBY = "-1/lobby"


@pytest.mark.parametrize(
    ("path", "body", "status", "why"),
    [
        ("/telegram/say", b"{", 400, "truncated"),
        ("/telegram/say", b"[]", 400, "object"),
        ("/telegram/say", b'{"chat_id": "-1/lobby"}', 400, "person"),
        ("/telegram/say", b'{"chat_id": "-1/lobby", "person": 5}', 400, "str"),
        ("/telegram/say", b'{"chat_id": "-1/lobby", "person": "A", "txt": "x"}', 400, "txt"),
        ("/telegram/say", b'{"chat_id": "nowhere", "person": "A", "text": "x"}', 404, "nowhere"),
        ("/telegram/say", b'{"chat_id": "-1/lobby", "person": "A", "text": "refuse me"}', 422, "may not say"),
        ("/telegram/say", b'{"chat_id": "-1/lobby", "person": "A", "text": "x", "reply_to": "77"}', 404, "77"),
        ("/telegram/edit", b'{"chat_id": "-1/lobby", "message_id": "77", "text": "x"}', 404, "77"),
        ("/telegram/inject", b'{"fault": {"kind": "meteor"}}', 400, "meteor"),
        ("/telegram/inject", b'{"fault": {"kind": "hang", "every": 0}}', 422, "every"),
        ("/telegram/disturb", b'{"what": "everything"}', 400, "everything"),
        ("/telegram/explode", b"{}", 404, "say, edit"),
        ("/icq/say", b"{}", 404, "telegram, slack"),
    ],
)
async def test_bad_requests_are_refused_with_the_reason(
    raw: aiohttp.ClientSession, url: str, path: str, body: bytes, status: int, why: str
) -> None:
    async with raw.post(url + path, data=body, headers={**OWN, "Content-Type": "application/json"}) as response:
        answer = await response.json()
        assert response.status == status, answer
        assert why in answer["error"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/telegram/transcript", 400),
        ("/telegram/transcript?chat_id=nowhere", 404),
        ("/telegram/files/none", 404),
        ("/telegram/changes?since_seq=-1", 400),
        ("/changes?since=yesterday", 400),
        ("/telegram/nothing", 404),
        ("/telegram/say", 404),
    ],
)
async def test_bad_questions_too(raw: aiohttp.ClientSession, url: str, path: str, status: int) -> None:
    async with raw.get(url + path) as response:
        assert response.status in (status, 405)
        assert (await response.json())["error"]


async def test_uploads_are_bounded_and_only_for_say(raw: aiohttp.ClientSession, url: str, remote: RemoteEmulator) -> None:
    long = io.BytesIO(b'{"chat_id": "' + b"x" * 2_000_000 + b'"}')
    async with raw.post(f"{url}/telegram/say", data=long, headers={**OWN, "Content-Type": "application/json"}) as response:
        assert (response.status, "bytes" in await response.text()) == (413, True)
    (chat,) = await remote.chats()
    large = Upload(name="large", mime="video/mp4", content=b"x" * 100_001)
    with pytest.raises(ControlError, match=r"413.*100000 bytes"):
        await remote.say(chat.chat_id, "Anna", "", files=[large])
    data = aiohttp.FormData({"message": "{}"})
    data.add_field("file", b"x", filename="f")
    async with raw.post(f"{url}/telegram/edit", data=data, headers=OWN) as response:
        assert response.status == 415
    data = aiohttp.FormData()
    data.add_field("file", b"x", filename="f")
    async with raw.post(f"{url}/telegram/say", data=data, headers=OWN) as response:
        assert (response.status, "message" in await response.text()) == (400, True)


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, True),
        (OWN, False),
        ({**OWN, "Host": "evil.example"}, True),
        ({**OWN, "Host": "evil.example:80"}, True),
        ({**OWN, "Host": "127.0.0.1.evil.example"}, True),
        ({**OWN, "Host": "[::"}, True),
        ({**OWN, "Host": "localhost:1234"}, False),
        ({**OWN, "Origin": "https://evil.example"}, True),
        ({**OWN, "Origin": "null"}, True),
        ({**OWN, "Origin": "http://127.0.0.1:1"}, True),
        ({**OWN, "Sec-Fetch-Site": "cross-site"}, True),
        ({**OWN, "Sec-Fetch-Site": "same-origin"}, False),
    ],
)
async def test_strangers_cannot_act(
    emulators: Emulators, raw: aiohttp.ClientSession, url: str, headers: dict[str, str], refused: bool
) -> None:
    body = b'{"chat_id": "-1/lobby", "person": "Mallory", "text": "psst"}'
    async with raw.post(f"{url}/telegram/say", data=body, headers={**headers, "Content-Type": "application/json"}) as response:
        assert response.status == (403 if refused else 200)
    assert bool(emulators["telegram"].transcript(LOBBY)) is not refused


async def test_strangers_cannot_read(raw: aiohttp.ClientSession, url: str) -> None:
    own = {"Origin": url}
    for headers, status in (({"Host": "evil.example"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403), (own, 200)):
        async with raw.get(f"{url}/", headers=headers) as response:
            assert response.status == status
            assert "Access-Control-Allow-Origin" not in response.headers


def test_every_platforms_emulator_can_throw_the_bot_out() -> None:
    for platform in ("telegram", "slack", "discord", "teamspirit"):
        assert isinstance(registry.load_emulator(platform), RemovesBot), platform

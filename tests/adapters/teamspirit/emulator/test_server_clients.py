"""The server as a whole, by a client that is not the adapter's: the key, faults, a closed port, a bot that was removed."""

from __future__ import annotations

import httpx
import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.teamspirit.emulator import TeamSpiritEmulator


async def test_a_wrong_key_is_refused(emulator: TeamSpiritEmulator) -> None:
    async with httpx.AsyncClient(base_url=emulator.base_url, trust_env=False) as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {emulator.world.api_key}"}):
            answer = await client.get("/api/v1/me", headers=headers)
            assert answer.status_code == 401
            assert set(answer.json()["error"]) == {"code", "message"}


async def test_faults_have_the_dialects_form(emulator: TeamSpiritEmulator, api: httpx.AsyncClient) -> None:
    chat = emulator.add_chat("team")
    path = f"/chats/{chat.chat_id}/messages"
    operation = "POST /chats/{chat}/messages"
    emulator.inject(Fault(kind=FaultKind.RATE_LIMIT, operation=operation, times=1, retry_after_s=3))
    emulator.inject(Fault(kind=FaultKind.RATE_LIMIT, operation=operation, times=1, retry_after_s=None))
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR_AFTER, operation=operation, times=1, status=503))
    emulator.inject(Fault(kind=FaultKind.UNAUTHORIZED, operation=operation, times=1))
    emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation=operation, times=1))
    answers = [await api.post(path, json={"text": f"{n}"}) for n in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 503, 401]
    assert answers[0].headers["Retry-After"] == "3"
    assert "Retry-After" not in answers[1].headers
    assert all(answer.json()["error"]["code"] for answer in answers)
    with pytest.raises(httpx.RemoteProtocolError):
        await api.post(path, json={"text": "4"})
    assert [m.text for m in emulator.transcript(chat.chat_id)] == ["2", "4"]
    assert list(emulator.calls()) == [operation] * 5


async def test_the_port_can_be_closed_and_opened(emulator: TeamSpiritEmulator, api: httpx.AsyncClient) -> None:
    await emulator.refuse_connections(True)
    with pytest.raises(httpx.ConnectError):
        await api.get("/me")
    await emulator.refuse_connections(False)
    assert (await api.get("/me")).status_code == 200


async def test_a_bot_that_was_removed_gets_an_error(emulator: TeamSpiritEmulator, api: httpx.AsyncClient) -> None:
    chat, other = emulator.add_chat("team").chat_id, emulator.add_chat("other").chat_id
    emulator.remove_bot(chat)
    for method, what in (("GET", "messages"), ("POST", "messages"), ("POST", "typing")):
        answer = await api.request(method, f"/chats/{chat}/{what}", json={"text": "x"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_a_member")
    assert [item["id"] for item in (await api.get("/chats")).json()["items"]] == [other]
    emulator.bring_bot_back(chat)
    assert (await api.get(f"/chats/{chat}/messages")).status_code == 200

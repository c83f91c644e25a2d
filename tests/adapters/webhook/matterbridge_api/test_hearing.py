"""What a program says in a websocket is taken to its end, however the connection ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from adapters.webhook.matterbridge_api import hearing as hearing_module
from adapters.webhook.matterbridge_api import socket as socket_module
from bridge.model.account_store import StoreDown
from bridge.model.tasks import end
from tests.adapters.webhook.matterbridge_api.served import Served, serving
from tests.support.patience import PATIENCE_S, eventually


def connected(served: Served) -> Any:
    return connect(f"{served.base.replace('http', 'ws')}/api/websocket", proxy=None)


async def heard(client: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return json.loads(await client.recv())


async def say(client: ClientConnection, *texts: str) -> None:
    for text in texts:
        await client.send(json.dumps({"text": text}))


def hearing() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("hear a websocket")]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (hearing_module, socket_module):
        monkeypatch.setattr(module, "_AGAIN_S", 0.02)


async def test_what_a_program_said_before_it_broke_off_is_taken_and_then_nothing_hears() -> None:
    async with serving() as served:
        began, go = asyncio.Event(), asyncio.Event()

        async def slowly() -> None:
            began.set()
            await go.wait()

        served.intake.before_accept = slowly
        async with connected(served) as client:
            await heard(client)
            await say(client, "one", "two", "three")
            await began.wait()
            client.transport.close()
        go.set()
        await served.intake.until(lambda: served.intake.texts() == ["one", "two", "three"])
        await eventually(lambda: not hearing() and not served.adapter._fetching._readers)


async def test_nobody_who_breaks_off_leaves_a_task_that_waits_for_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing_module, "LAST_S", 0.05)
    async with serving() as served:
        served.by(spend=lambda: 3600.0)
        async with connected(served) as client:
            await heard(client)
            await say(client, "too much", "and more")
            client.transport.abort()
        await eventually(lambda: not hearing() and not served.adapter._fetching._readers)
        assert served.intake.texts() == []
        kept = [(json.loads(json.loads(raw))["text"], "rate" in reason) for raw, reason in served.intake.undecoded]
        assert kept == [("too much", True), ("and more", True)]


async def test_a_key_that_was_revoked_says_nothing_more() -> None:
    async with serving() as served:
        valid = True

        async def is_valid() -> bool:
            return valid

        served.by(is_valid=is_valid)
        async with connected(served) as client:
            await heard(client)
            await say(client, "before")
            await served.intake.until(lambda: served.intake.texts() == ["before"])
            valid = False
            await say(client, "after")
            await eventually(lambda: served.intake.ignored_reasons["said by a key that is no longer valid"] == 1)
        assert served.intake.texts() == ["before"]


async def test_what_comes_when_the_account_is_over_is_kept_until_the_program_hears_of_it() -> None:
    async with serving() as served, connected(served) as client:
        await heard(client)
        (run,) = [task for task in asyncio.all_tasks() if task.get_name() == "adapter programs"]
        await end([run])
        await say(client, "after the account", "once more")
        await asyncio.sleep(0)
        await served.adapter.close()
        with pytest.raises(ConnectionClosed) as closed:
            await heard(client)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
        await eventually(lambda: not hearing())
        assert [json.loads(json.loads(raw))["text"] for raw, _ in served.intake.undecoded] == ["after the account", "once more"]
        assert "one: the account ended" in served.intake.undecoded[0][1]


async def test_a_store_that_fails_for_a_while_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as served, connected(served) as client:
        await heard(client)
        asked, whole = 0, served.store.mail

        async def down(*_: Any, **__: Any) -> Any:
            nonlocal asked
            asked += 1
            raise StoreDown("disk full")

        with monkeypatch.context() as broken:
            broken.setattr(served.store, "mail", down)
            served.adapter._fetching._tell("one")
            await eventually(lambda: asked >= 2)
            await say(client, "meanwhile")
            await served.intake.until(lambda: served.intake.texts() == ["meanwhile"])
        assert served.store.mail == whole
        served.store.is_full = True
        await served.say("not noted", "t1")
        assert (await heard(client))["text"] == "not noted"
        served.store.is_full = False
        await served.say("noted", "t2")
        assert (await heard(client))["text"] == "noted"
        await eventually(lambda: served.store.notes["api/k1/one"].startswith("2."))

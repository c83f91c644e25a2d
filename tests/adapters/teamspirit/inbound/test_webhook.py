"""The registration of an outgoing webhook: made once, kept, made anew when it must be, taken back when nobody wants it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.teamspirit.client import Client
from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.emulator import TeamSpiritEmulator
from adapters.teamspirit.emulator.outgoing import Webhook
from bridge.model.adapter import Adapter
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, options_of, running, summary
from tests.adapters.teamspirit.receiver import sign
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually

STORED = "webhook"
LIST, REMOVE = "GET /webhooks", "DELETE /webhooks/{webhook}"


def registered(emulator: TeamSpiritEmulator) -> list[Webhook]:
    return list(emulator.world.outgoing.webhooks.values())


async def call(webhook: Webhook, chat: str, text: str) -> int:
    """What the server would say with the key and the secret of that registration; the status it gets."""
    message = {"id": f"m-{text}", "text": text, "format": "plain", "sent_at": "2026-11-26T12:00:00Z"}
    user = {"id": "u-anna", "name": "anna", "display_name": "Anna"}
    said = {"event_id": f"e-{text}", "event": "typing", "time": "2026-11-26T12:00:00Z", "chat": {"id": chat}, "user": user}
    body = json.dumps({**said, "message": message}).encode()
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.post(webhook.url, content=body, headers=sign(body, webhook.key, webhook.secret))).status_code


async def test_registering_anew_lets_in_what_was_signed_before(
    emulator: TeamSpiritEmulator, hooked: Adapter, intake: RecordingIntake
) -> None:
    chat, other = emulator.add_chat("one").chat_id, emulator.add_chat("two").chat_id
    intake.chats.add(chat)
    async with running(hooked, intake):
        (before,) = registered(emulator)
        intake.chats.add(other)
        await eventually(lambda: [set(one.chats) for one in registered(emulator)] == [{chat, other}])
        (after,) = registered(emulator)
        assert (after.url, after.key != before.key) == (before.url, True)
        assert await call(before, chat, "old") == 200
        assert await call(after, chat, "new") == 200
        assert await call(Webhook("w", after.url, (), ()), chat, "stranger") == 401


async def test_the_overlap_outlives_the_process(emulator: TeamSpiritEmulator, web: PublicWeb, intake: RecordingIntake) -> None:
    chat, other = emulator.add_chat("one").chat_id, emulator.add_chat("two").chat_id
    intake.chats.add(chat)
    first = make_adapter(options_of(emulator), web)
    async with running(first, intake):
        (before,) = registered(emulator)
        intake.chats.add(other)
        await eventually(lambda: [set(one.chats) for one in registered(emulator)] == [{chat, other}])
    await first.close()
    second = make_adapter(options_of(emulator), web)
    async with running(second, intake):
        assert await call(before, chat, "old") == 200
    await second.close()


async def test_a_server_that_forgot_is_asked_again(emulator: TeamSpiritEmulator, web: PublicWeb, intake: RecordingIntake) -> None:
    chat = emulator.add_chat("one").chat_id
    intake.chats.add(chat)
    first = make_adapter(options_of(emulator), web)
    async with running(first, intake):
        (before,) = registered(emulator)
    await first.close()
    emulator.world.outgoing.webhooks.clear()
    second = make_adapter(options_of(emulator), web)
    async with running(second, intake):
        (after,) = registered(emulator)
        assert after.webhook_id != before.webhook_id
        await emulator.say(chat, "Anna", "heard again")
        await eventually(lambda: summary(intake) == ["+heard again"])
    await second.close()


async def test_what_another_instance_left_behind_is_removed(
    emulator: TeamSpiritEmulator, web: PublicWeb, intake: RecordingIntake
) -> None:
    """Its journal is gone, and with it key and secret: its calls could only be refused. Other people's webhooks are not touched."""
    chat = emulator.add_chat("one").chat_id
    intake.chats.add(chat)
    earlier = make_adapter(options_of(emulator), web)
    async with running(earlier, intake):
        (lost,) = registered(emulator)
    await earlier.close()
    theirs = emulator.outgoing_webhook("https://example.com/hooks/theirs")
    fresh = RecordingIntake([chat])
    adapter = make_adapter(options_of(emulator), web)
    async with running(adapter, fresh):
        ids = {one.webhook_id for one in registered(emulator)}
        assert lost.webhook_id not in ids
        assert theirs.webhook_id in ids
        assert len(ids) == 2
    # and one that turns up while the registration still fits
    stray = emulator.outgoing_webhook(lost.url)
    async with running(adapter, fresh):
        assert {one.webhook_id for one in registered(emulator)} == ids - {stray.webhook_id}
    await adapter.close()


async def test_a_server_that_does_not_remove_costs_no_message(
    emulator: TeamSpiritEmulator, web: PublicWeb, intake: RecordingIntake
) -> None:
    """Whatever it says to a removal, the account is up, and what is removed at one look is bounded."""
    chat = emulator.add_chat("one").chat_id
    intake.chats.add(chat)
    for number in range(100):
        emulator.outgoing_webhook(f"{web.public_url}/hooks/spirit/stray-{number}")
    for status in (500, 503, 403, 400, 404):
        emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=REMOVE, status=status, times=10_000))
        adapter = make_adapter(options_of(emulator), web)
        before = list(emulator.calls()).count(REMOVE)
        async with running(adapter, intake):
            await emulator.say(chat, "Anna", f"after {status}")
            await eventually(lambda status=status: summary(intake)[-1:] == [f"+after {status}"])
        await adapter.close()
        assert list(emulator.calls()).count(REMOVE) - before <= 20
        emulator.clear_faults()
    assert len({one.webhook_id for one in registered(emulator)}) == 101, "ours is made once"


async def test_a_list_that_never_holds_ours_makes_no_registration_after_the_other(
    emulator: TeamSpiritEmulator, web: PublicWeb, intake: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.teamspirit.inbound.receiver.HEALTH_CHECK_S", 0.05)
    chat = emulator.add_chat("one").chat_id
    intake.chats.add(chat)
    adapter = make_adapter(options_of(emulator, overrides={"operations": {"list_webhooks": {"answer": {"id": "name"}}}}), web)
    async with running(adapter, intake):
        await eventually(lambda: list(emulator.calls()).count(LIST) >= 5, "five looks")
    await adapter.close()
    assert len(registered(emulator)) == 1


async def test_a_registration_that_is_listed_and_then_forgotten_is_made_anew(
    emulator: TeamSpiritEmulator, hooked: Adapter, intake: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.teamspirit.inbound.receiver.HEALTH_CHECK_S", 0.05)
    intake.chats.add(emulator.add_chat("one").chat_id)
    async with running(hooked, intake):
        looks = list(emulator.calls()).count(LIST)
        await eventually(lambda: list(emulator.calls()).count(LIST) >= looks + 2, "it was seen in the list")
        emulator.world.outgoing.webhooks.clear()
        await eventually(lambda: len(registered(emulator)) == 1, "made anew")


async def test_ours_on_a_later_page_of_the_list_and_twice_in_it(intake: RecordingIntake) -> None:
    """Pages that never end, too: they come round to the first one."""
    overrides = {"operations": {"list_webhooks": {"query": {"cursor": "{{ cursor }}"}, "answer": {"next_cursor": "next"}}}}
    dialect = TeamSpiritOptions.model_validate({"overrides": overrides}).read_dialect
    asked: list[str] = []

    class Paged(Client):
        def __init__(self) -> None:
            self._operations = dialect.operations

        async def call(self, operation: str, call: Any, values: Any, effect: Any = None) -> Any:
            page = int(values["cursor"] or 0)
            asked.append(operation)
            items = [{"id": page * 1000 + number, "url": "https://e.example/a"} for number in range(1000)]
            return {"items": [*items, {"id": 7, "url": "https://e.example/seven"}], "next": (page + 1) % 5}

    found = await Paged().webhooks()
    assert len(found) == 5000
    assert [one.url for one in found if one.webhook_id == "4999"] == ["https://e.example/a"]
    assert len(asked) <= 6


async def test_a_registration_that_nobody_wants_any_more_is_taken_back(
    emulator: TeamSpiritEmulator, web: PublicWeb, intake: RecordingIntake
) -> None:
    chat = emulator.add_chat("one").chat_id
    intake.chats.add(chat)
    first = make_adapter(options_of(emulator), web)
    async with running(first, intake):
        assert len(registered(emulator)) == 1
    await first.close()
    second = make_adapter(options_of(emulator, receive="history"), web)
    async with running(second, intake):
        assert not registered(emulator)
    assert not intake.cursors[STORED]
    await second.close()


async def test_without_a_route_the_server_is_not_asked_to_call_about_everything(
    emulator: TeamSpiritEmulator, hooked: Adapter, intake: RecordingIntake
) -> None:
    chat = emulator.add_chat("one").chat_id
    async with running(hooked, intake):
        assert not registered(emulator)
        intake.chats.add(chat)
        await eventually(lambda: [one.chats for one in registered(emulator)] == [(chat,)])
        intake.chats.clear()
        await eventually(lambda: not registered(emulator))
        intake.chats.add(chat)
        await eventually(lambda: [one.chats for one in registered(emulator)] == [(chat,)])
        await emulator.say(chat, "Anna", "routed again")
        await eventually(lambda: summary(intake) == ["+routed again"])


async def test_a_webhook_made_by_hand_may_change_its_key(
    emulator: TeamSpiritEmulator, web: PublicWeb, intake: RecordingIntake
) -> None:
    chat = emulator.add_chat("one").chat_id
    intake.chats.add(chat)
    path = "a-path-that-is-hard-to-guess"
    url = f"{web.public_url}/hooks/spirit/{path}"
    old, new = Webhook("w1", url, (), ()), Webhook("w2", url, (), ())
    shown = {"path": path, "key": new.key, "secret": new.secret, "previous_key": old.key, "previous_secret": old.secret}
    adapter = make_adapter(options_of(emulator, webhook=shown), web)
    async with running(adapter, intake):
        assert await call(old, chat, "old") == 200
        assert await call(new, chat, "new") == 200
        assert await call(Webhook("w3", url, (), ()), chat, "stranger") == 401
    await adapter.close()

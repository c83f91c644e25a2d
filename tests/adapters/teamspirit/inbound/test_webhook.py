"""The registration of an outgoing webhook: made once, kept, made anew when it must be, taken back when nobody wants it."""

from __future__ import annotations

import json

import httpx

from adapters.teamspirit.emulator import TeamSpiritEmulator
from adapters.teamspirit.emulator.outgoing import Webhook
from bridge.model.adapter import Adapter
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, options_of, running, summary
from tests.adapters.teamspirit.receiver import sign
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually

STORED = "webhook"


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

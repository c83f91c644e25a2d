"""Payloads that are not as the API reference has them cost no more than themselves: the connection stays, and so does the rest."""

from __future__ import annotations

import json
from typing import Any

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator import gateway as gw
from bridge.model.events import MessageDeleted, MessageEdited
from bridge.model.rich_text import text_of
from tests.adapters.discord.conftest import Bench
from tests.support.patience import eventually

ODD: list[Any] = [None, 7, "word", [], [None], {}, {"id": None}, [{"id": []}], "\ud800"]


PEOPLE = {"id": "7", "username": "anna"}


def shapes() -> list[tuple[str, Any]]:
    """Events with one part of another type, and events that are no objects at all."""
    found: list[tuple[str, Any]] = [
        (name, odd) for name in ("MESSAGE_CREATE", "GUILD_CREATE", "CHANNEL_UPDATE", "THREAD_DELETE") for odd in ODD
    ]
    base: dict[str, dict[str, Any]] = {
        "MESSAGE_CREATE": {"id": "5", "channel_id": "6", "author": PEOPLE, "content": "x", "member": {"roles": []}},
        "MESSAGE_UPDATE": {
            "id": "5",
            "channel_id": "6",
            "author": PEOPLE,
            "content": "x",
            "edited_timestamp": "2026-11-01T12:00:00Z",
        },
        "MESSAGE_DELETE": {"id": "5", "channel_id": "6"},
        "MESSAGE_DELETE_BULK": {"ids": ["5"], "channel_id": "6"},
        "MESSAGE_REACTION_ADD": {"user_id": "7", "message_id": "5", "channel_id": "6", "emoji": {"id": None, "name": "👍"}},
        "TYPING_START": {"user_id": "7", "channel_id": "6", "timestamp": 1},
        "GUILD_ROLE_UPDATE": {"guild_id": "8", "role": {"id": "9"}},
        "GUILD_MEMBER_UPDATE": {"guild_id": "8", "user": PEOPLE, "roles": []},
        "GUILD_EMOJIS_UPDATE": {"guild_id": "8", "emojis": []},
        "THREAD_LIST_SYNC": {"guild_id": "8", "threads": []},
        "GUILD_CREATE": {"id": "8", "name": "g", "roles": [], "channels": [], "members": [], "emojis": [], "threads": []},
        "WEBHOOKS_UPDATE": {"guild_id": "8", "channel_id": "6"},
    }
    for name, payload in base.items():
        found += [(name, {**payload, key: odd}) for key in payload for odd in ODD]
        found += [(name, {key: value for key, value in payload.items() if key != left_out}) for left_out in payload]
    return found


async def test_no_odd_payload_ends_the_connection(bench: Bench, adapter: DiscordAdapter) -> None:
    intake, gateway = bench.intake(), bench.emulator.gateway
    async with bench.running(adapter, intake):
        connections = intake.connections
        session = next(iter(gateway._sessions.values()))
        for name, payload in shapes():
            gateway._send(session, name, json.dumps(payload).encode())  # also what no dispatch would encode
        await bench.emulator.say(bench.chat, "Anna", "still here")
        await eventually(lambda: "still here" in intake.texts(), "the message behind them")
        assert intake.connections == connections
    assert len(intake.undecoded) > 20


async def test_half_of_a_surrogate_pair_is_kept_as_undecoded(bench: Bench, adapter: DiscordAdapter) -> None:
    """JSON can carry one in an escape; no encoder takes it back."""
    intake, gateway = bench.intake(), bench.emulator.gateway
    async with bench.running(adapter, intake):
        session = next(iter(gateway._sessions.values()))
        gateway._send(session, "MESSAGE_CREATE", b'{"id": "5", "channel_id": "6", "content": "\\ud800"}')
        gateway._send(session, "MESSAGE_CREATE", b'{"id": "\\ud800", "channel_id": "6", "content": "x", "author": {"id": "7"}}')
        await bench.emulator.say(bench.chat, "Anna", "still here")
        await eventually(lambda: "still here" in intake.texts(), "the message behind it")
    assert [b"ud800" in raw for raw, _ in intake.undecoded] == [True, True]


async def test_changes_that_overtake_their_message_are_handed_on_as_they_come(bench: Bench, adapter: DiscordAdapter) -> None:
    """The gateway promises no order: what belongs before what is the journal's to say."""
    intake, gateway, world = bench.intake(), bench.emulator.gateway, bench.emulator.world
    channel = world.channels[int(bench.chat)]
    base = {"channel_id": bench.chat, "guild_id": str(world.guild_id), "author": PEOPLE, "timestamp": "2026-11-01T12:00:00Z"}
    first, second = str(world.ids.next()), str(world.ids.next())
    async with bench.running(adapter, intake):
        for name, payload in (
            ("MESSAGE_UPDATE", {**base, "id": first, "content": "new", "edited_timestamp": "2026-11-01T12:00:05Z"}),
            ("MESSAGE_DELETE", {"id": second, "channel_id": bench.chat}),
            ("MESSAGE_CREATE", {**base, "id": first, "content": "old"}),
            ("MESSAGE_CREATE", {**base, "id": second, "content": "gone"}),
        ):
            gateway.dispatch(name, payload, intent=gw.GUILD_MESSAGES, channel=channel)
        await eventually(lambda: len(intake.events) == 4, "all four")
    edited, deleted = intake.events[:2]
    assert isinstance(edited, MessageEdited)
    assert (edited.message_id, text_of(edited.content.text)) == (first, "new")
    assert isinstance(deleted, MessageDeleted)
    assert deleted.message_id == second
    assert intake.texts() == ["old", "gone"]

"""A bot program that is told by webhooks what is said in a chat: in order, also after it was switched off and through restarts."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from bridge.journal.account_store import account_note
from bridge.journal.contract import AcceptRequest, OpenDelivery, PlannedDelivery
from bridge.model.account_store import off_note
from bridge.model.events import Content, EventMeta, MessageCreated
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import PATIENCE_S, eventually, eventually_asked

HOOKS = AccountName("webhook")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path, ("discord", "webhook"))
    port = free_port()
    made.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    await made.start_platforms()
    await made.start_bridge()
    yield made
    await made.stop_bridge()
    await made.stop_platforms()


def told(world: World) -> list[str]:
    return [message.text for message in world.seen("webhook") if not message.deleted]


async def test_what_becomes_of_a_message_is_told_too(world: World) -> None:
    message = await world.say("discord", "meet at five")
    copy = await world.copy("webhook", "meet at five")
    assert copy.author_name == "Anna"
    discord, chat = world.emulators["discord"], world.chats["discord"].chat_id
    await discord.edit(chat, message, "meet at six")
    await world.copy("webhook", "meet at six")
    await discord.react(chat, message, "Boris", "👍")
    await eventually(lambda: [one.emoji for one in world.seen("webhook")[0].reactions] == ["👍"], "the reaction")
    answer = await world.say("discord", "I shall be there", person="Boris", reply_to=message)
    assert answer
    reply = await world.copy("webhook", "I shall be there")
    assert reply.reply_to == copy.message_id
    await discord.delete(chat, message)
    await eventually(lambda: told(world) == ["I shall be there"], "the deletion")


async def test_a_receiver_that_fails_for_a_while_gets_everything_in_order_and_once(world: World) -> None:
    await world.say("discord", "first")
    await world.copy("webhook", "first")
    world.emulators["webhook"].inject(Fault(kind=FaultKind.SERVER_ERROR_AFTER, times=1))
    for number in range(5):
        await world.say("discord", f"number {number}")
    # the schedule's first wait is five seconds: that is how long this test takes
    await eventually(lambda: len(told(world)) == 6, "the rest")
    assert told(world) == ["first", *(f"number {number}" for number in range(5))]
    assert world.app is not None
    assert not await world.app.journal.dead_letters()


async def test_what_is_sent_to_a_receiver_that_is_gone_is_kept_until_an_admin_switches_it_on(world: World) -> None:
    assert world.app is not None
    world.emulators["webhook"].inject(Fault(kind=FaultKind.SERVER_ERROR, status=410))
    await world.say("discord", "one")
    note = account_note(HOOKS, off_note("lobby"))
    journal = world.app.journal
    assert await eventually_asked(lambda: journal.note(note), "switched off")
    await world.say("discord", "two")
    report = await world.app.report()
    assert "hooks enable webhook/lobby" in str(report), "somebody is told what to do"
    asked = len(world.emulators["webhook"].calls())
    await world.stop_bridge()
    world.emulators["webhook"].clear_faults()
    app = await world.start_bridge()
    await world.say("discord", "three")
    await eventually_asked(lambda: app.journal.pending(LANE, 0, 9), "all three wait", holds=lambda found: len(found) == 3)
    assert len(world.emulators["webhook"].calls()) == asked, "nothing is asked while it is off"
    await enable(world)
    await eventually(lambda: told(world) == ["one", "two", "three"], "what was kept, in order")
    assert not await app.journal.dead_letters()


async def test_thousands_that_wait_for_an_end_that_is_off_cost_no_command_and_no_memory(world: World) -> None:
    assert world.app is not None
    discord, count = ChatRef(AccountName("discord"), world.chats["discord"].chat_id), 2000
    journal, now = world.app.journal, datetime.now(UTC)
    world.emulators["webhook"].inject(Fault(kind=FaultKind.SERVER_ERROR, status=410))
    await world.say("discord", "the first")
    assert await eventually_asked(lambda: journal.note(account_note(HOOKS, off_note("lobby"))), "switched off")
    world.emulators["webhook"].clear_faults()
    entries = [
        AcceptRequest(
            event=MessageCreated(
                meta=EventMeta(event_key=f"key {number}", origin=discord, occurred_at=now, received_at=now),
                message_id=str(10**17 + number),
                content=Content(text=plain(str(number))),
            ),
            deliveries=(PlannedDelivery(route="lobby", target=LANE),),
        )
        for number in range(count)
    ]
    await journal.accept(journal.lease(discord.account), entries, [], received_at=now)
    await world.stop_bridge()
    app = await world.start_bridge()
    await eventually_asked(app.report, "advice", holds=lambda report: "hooks enable webhook/lobby" in str(report))
    traced = await command("trace", f"discord/{discord.chat_id}#{10**17 + count - 1}", world=world)
    assert "waiting" in traced
    assert "no dead letters" in (await command("dead", "list", world=world)).lower()
    gc.collect()
    in_memory = sum(isinstance(thing, OpenDelivery) for thing in gc.get_objects())
    assert in_memory <= 200, f"{in_memory} of {count} deliveries are in memory"
    assert not world.seen("webhook")
    await enable(world)
    await eventually(lambda: len(told(world)) > count, "all of them", within_s=3 * PATIENCE_S)
    assert told(world) == ["the first"] + [str(number) for number in range(count)]


LANE = ChatAddress(HOOKS, "lobby")


async def enable(world: World) -> None:
    await command("hooks", "enable", "webhook/lobby", world=world)


async def command(*arguments: str, world: World) -> str:
    """As an admin does it, beside the running bridge."""
    done = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge.cli", *arguments, "-c", str(world.folder / "bridge.yaml")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await done.communicate()
    assert done.returncode == 0, out
    return out.decode()

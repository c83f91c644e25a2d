"""TeamSpirit's default dialect through a whole bridge: names, threads, typing, the largest files, edits of messages with files.
Statuses, other data, keys and webhooks have files of their own."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from adapters.common.emulation.contract import EmulatedFile, Upload
from adapters.discord.emulator import DiscordEmulator
from adapters.teamspirit.emulator import TeamSpiritEmulator
from tests.flows.process import Daemon
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually, eventually_asked

LARGEST_BYTES = 100 * 1024**2


@pytest.fixture(params=["history", "webhook"])
async def two(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """TeamSpirit, read or calling us, and Discord. Not started."""
    world = World(tmp_path, platforms=("teamspirit", "discord"))
    if request.param == "webhook":
        port = free_port()
        world.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    fast = {"receive": request.param, "poll_interval_s": 0.05, "poll_idle_interval_s": 0.05}
    world.account_options["teamspirit"] = fast
    await world.start_platforms()
    yield world
    await world.stop_bridge()
    await world.stop_platforms()


def spirit(world: World) -> TeamSpiritEmulator:
    emulator = world.emulators["teamspirit"]
    assert isinstance(emulator, TeamSpiritEmulator)
    return emulator


def discord(world: World) -> DiscordEmulator:
    emulator = world.emulators["discord"]
    assert isinstance(emulator, DiscordEmulator)
    return emulator


# -- chats by name ----------------------------------------------------------------------------------------------------------


async def test_a_renamed_chat_is_followed(two: World) -> None:
    """Routes name it as it was called: while the bridge runs, after a restart, and although another chat took the name."""
    assert two.chats["teamspirit"].address == "lobby"
    await two.start_bridge()
    emulator, chat = spirit(two), two.chats["teamspirit"]
    emulator.rename(chat.chat_id, "Anna", "salon")
    await two.say("discord", "after the renaming")
    await two.copy("teamspirit", "after the renaming")
    await two.stop_bridge()
    other = emulator.add_chat("lobby")
    await two.start_bridge()
    await two.say("discord", "after the restart")
    await two.copy("teamspirit", "after the restart")
    await two.say("teamspirit", "and back")
    await two.copy("discord", "and back")
    assert not emulator.transcript(other.chat_id)


async def test_a_name_of_several_chats_is_a_fault_that_lists_them(two: World) -> None:
    twin = spirit(two).add_chat("twin")
    spirit(two).world.state.chats[twin.chat_id].name = "lobby"
    app = await two.start_bridge(wait_up=False)

    async def advice() -> str:
        ends = (await app.report())["accounts"]["teamspirit"]["ends"]
        return " ".join(end["reason"] + end["action"] for end in ends.values())

    ids = (two.chats["teamspirit"].chat_id, twin.chat_id)
    await eventually_asked(advice, "the fault", holds=lambda found: all(word in found for word in ("2 chats", *ids)))
    assert not spirit(two).transcript(twin.chat_id)
    two.chats["teamspirit"] = msgspec.structs.replace(two.chats["teamspirit"], address=ids[0])
    await app.reload(two.config())
    await two.all_up()
    await two.say("discord", "to the one that was meant")
    await two.copy("teamspirit", "to the one that was meant")


# -- threads, answers, typing -----------------------------------------------------------------------------------------------


async def test_answers_and_threads_lead_to_the_same_message_on_both_sides(two: World) -> None:
    await two.start_bridge()
    asked = await two.say("teamspirit", "who is on duty?")
    copy = await two.copy("discord", "who is on duty?")
    await two.say("discord", "I am", reply_to=copy.message_id, person="Boris")
    answer = await two.copy("teamspirit", "I am")
    assert answer.reply_to == asked
    await two.say("teamspirit", "thanks", thread_id=asked)
    await two.copy("discord", "thanks")


async def test_typing_is_shown_where_the_route_says_so(two: World) -> None:
    two.route_options["typing"] = True
    await two.start_bridge()
    await two.say("discord", "to begin with")
    await two.copy("teamspirit", "to begin with")

    async def typed_on_discord() -> bool:
        await discord(two).type(two.chats["discord"].chat_id, "Boris")
        return "POST /chats/{chat}/typing" in spirit(two).calls()

    await eventually_asked(typed_on_discord, "typing in TeamSpirit", holds=bool)
    if two.account_options["teamspirit"]["receive"] == "webhook":

        async def typed_in_teamspirit() -> bool:
            await spirit(two).type(two.chats["teamspirit"].chat_id, "Anna")
            return any("typing" in call for call in discord(two).calls())

        await eventually_asked(typed_in_teamspirit, "typing on Discord", holds=bool)


# -- files ------------------------------------------------------------------------------------------------------------------


async def test_an_edit_of_a_message_with_a_file_keeps_the_file(two: World) -> None:
    await two.start_bridge()
    file = Upload(name="plan.pdf", mime="application/pdf", content=b"plan")
    for origin, target in (("teamspirit", "discord"), ("discord", "teamspirit")):
        said = await two.say(origin, f"the plan of {origin}", files=[file])
        await two.copy(target, f"the plan of {origin}")
        await two.emulators[origin].edit(two.chats[origin].chat_id, said, f"the plan of {origin}, edited")
        copy = await two.copy(target, f"the plan of {origin}, edited")
        assert [(one.name, one.sha256) for one in copy.files] == [("plan.pdf", hashlib.sha256(b"plan").hexdigest())]


async def test_the_largest_file_crosses_both_ways_in_bounded_memory(tmp_path: Path) -> None:
    world = World(tmp_path, platforms=("teamspirit", "slack"))
    await world.start_platforms()
    daemon = Daemon(world.write_config())
    try:
        await daemon.start()
        await daemon.until_notified("slack up")
        await world.say("slack", "warm")
        await world.copy("teamspirit", "warm")
        before_bytes = peak_bytes(daemon)
        content = bytes(range(256)) * (LARGEST_BYTES // 256)
        wanted = hashlib.sha256(content).hexdigest()
        for origin, target in (("teamspirit", "slack"), ("slack", "teamspirit")):
            name = f"from-{origin}.bin"
            await world.say(origin, f"large {name}", files=[Upload(name=name, mime="application/octet-stream", content=content)])
            found = await eventually(lambda name=name, target=target: file_named(world, target, name), what=f"{name} on {target}")
            assert (found.sha256, found.size_bytes) == (wanted, LARGEST_BYTES)
        assert peak_bytes(daemon) - before_bytes < 48 * 1024**2
    finally:
        await daemon.kill()
        daemon.close()
        await world.stop_platforms()


def file_named(world: World, platform: str, name: str) -> EmulatedFile | None:
    return next((file for message in world.seen(platform) if message.is_bot for file in message.files if file.name == name), None)


def peak_bytes(daemon: Daemon) -> int:
    """The most memory that the daemon has held so far."""
    assert daemon.process is not None
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


# -- what else happens in a chat --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("two", ["webhook"], indirect=True)  # only calls tell of them
async def test_people_who_come_and_go_and_new_names_are_told_where_the_route_says_so(two: World) -> None:
    two.route_options |= {"membership": True, "renames": True}
    await two.start_bridge()
    emulator, chat = spirit(two), two.chats["teamspirit"].chat_id
    emulator.join(chat, "Vera")
    await two.copy("discord", "Vera joined")
    emulator.join(chat, "Vera", leave=True)
    await two.copy("discord", "Vera left")
    emulator.rename(chat, "Anna", "salon")
    await two.copy("discord", "salon")

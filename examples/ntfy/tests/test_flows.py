"""A whole bridge between ntfy and Telegram: words, files, edits, what is lost on the way, kill -9, and answers that never come."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from messenger_bridge_ntfy.emulator import NtfyEmulator

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault, Upload
from tests.flows.process import Daemon
from tests.flows.world import World
from tests.support.patience import eventually


@pytest.fixture
async def quiet_world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, platforms=("ntfy", "telegram"))
    await world.start_platforms()
    yield world
    await world.stop_bridge()
    await world.stop_platforms()


@pytest.fixture
async def world(quiet_world: World) -> World:
    await quiet_world.start_bridge()
    return quiet_world


def ntfy_of(world: World) -> NtfyEmulator:
    emulator = world.emulators["ntfy"]
    assert isinstance(emulator, NtfyEmulator)
    return emulator


async def test_words_cross_both_ways_once_and_never_come_back(world: World) -> None:
    for number in range(5):
        await world.say("ntfy", f"from a topic {number}", person="Анна")
        await world.say("telegram", f"from a group {number}", person="Boris")
    for number in range(5):
        assert "Анна" in (await world.copy("telegram", f"from a topic {number}")).text
        copy = await world.copy("ntfy", f"from a group {number}")
        assert (copy.author_name, copy.text) == ("Boris", f"from a group {number}")
    await world.say("ntfy", "the end")
    await world.copy("telegram", "the end")
    people = [text for text in world.texts("telegram") if "from a group" in text]
    assert people == [f"from a group {number}" for number in range(5)]
    assert [copy.text for copy in world.copies("ntfy", "")] == people


@pytest.mark.parametrize(("origin", "target"), [("ntfy", "telegram"), ("telegram", "ntfy")])
async def test_files_arrive_byte_for_byte(world: World, origin: str, target: str) -> None:
    content = bytes(range(256)) * 700
    await world.say(origin, "a paper", files=[Upload(name="Отчёт.pdf", mime="application/pdf", content=content)])
    copy = await eventually(lambda: [m for m in world.copies(target, "a paper") if m.files], what="the file")
    assert copy[0].files[0].name == "Отчёт.pdf"
    assert copy[0].files[0].sha256 == hashlib.sha256(content).hexdigest()


async def test_a_file_that_the_server_refuses_goes_without_and_a_line_says_so(quiet_world: World) -> None:
    ntfy_of(quiet_world).configure({"attachments": False})
    await quiet_world.start_bridge()
    await quiet_world.say("telegram", "look", files=[Upload(name="a.txt", mime="text/plain", content=b"words")])
    assert "a.txt" in (await quiet_world.copy("ntfy", "look")).text


async def test_a_text_that_is_too_long_arrives_whole_in_parts(world: World) -> None:
    words = " ".join(f"слово{number}" for number in range(380))
    await world.say("telegram", words)
    last = (await eventually(lambda: world.copies("ntfy", "слово379"), what="the last part"))[0]
    parts = world.copies("ntfy", "слово")
    assert parts[-1] == last
    assert len(parts) > 1
    assert not any(part.files for part in parts)
    assert " ".join(" ".join(part.text for part in parts).split()) == words


async def test_updates_and_deletions_by_sequence_id_reach_the_copy(world: World) -> None:
    ntfy, chat = ntfy_of(world), world.chats["ntfy"].chat_id
    said = await world.say("ntfy", "first words")
    copy = await world.copy("telegram", "first words")
    await ntfy.edit(chat, said, "second thoughts")
    assert (await world.copy("telegram", "second thoughts")).message_id == copy.message_id
    await ntfy.delete(chat, said)
    await eventually(lambda: not world.copies("telegram", "second thoughts"), what="the deletion")


@pytest.mark.parametrize("what", [StreamFault.DISCONNECT, StreamFault.REDELIVER, StreamFault.POISON])
async def test_a_disturbed_stream_loses_and_doubles_nothing(world: World, what: StreamFault) -> None:
    for number in range(8):
        await world.say("ntfy", f"number {number}.")
        if number % 2:
            await world.copy("telegram", f"number {number}.")
            await world.emulators["ntfy"].disturb(what)
    await world.copy("telegram", "number 7.")
    relayed = [copy.text.split("number ")[1] for copy in world.copies("telegram", "number ")]
    assert relayed == [f"{number}." for number in range(8)]


async def test_what_was_said_while_the_bridge_was_away_is_relayed(world: World) -> None:
    await world.say("ntfy", "before")
    await world.copy("telegram", "before")
    await world.stop_bridge()
    for number in range(3):
        await world.say("ntfy", f"meanwhile {number}")
    await world.start_bridge()
    for number in range(3):
        await world.copy("telegram", f"meanwhile {number}")
    assert len(world.copies("telegram", "before")) == 1


async def test_killed_and_started_again_it_relays_everything_and_once_where_it_can_ask(quiet_world: World) -> None:
    world = quiet_world
    daemon = Daemon(world.write_config())
    try:
        await daemon.start()
        for number in range(4):
            await world.say("ntfy", f"out {number};")
            await world.say("telegram", f"in {number};")
        await eventually(lambda: world.copies("ntfy", "in "), what="the first copy")
        await daemon.kill()
        await world.say("ntfy", "out 4;")
        await world.say("telegram", "in 4;")
        await daemon.start()
        for number in range(5):
            # Telegram cannot be asked what arrived: what was under way when the daemon was killed may be there twice
            await eventually(lambda number=number: world.copies("telegram", f"out {number};"), what=f"out {number}")
            await world.copy("ntfy", f"in {number};")
    finally:
        await daemon.kill()
        daemon.close()
    assert [copy.text for copy in world.copies("ntfy", "")] == [f"in {number};" for number in range(5)]


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.SERVER_ERROR_AFTER, FaultKind.DROP])
async def test_an_unknown_outcome_is_looked_up_by_the_mark(world: World, kind: FaultKind) -> None:
    world.emulators["ntfy"].inject(Fault(kind=kind, operation="PUT /{topic}", times=1))
    await world.say("telegram", "once, please")
    await world.say("telegram", "and this after it")
    await world.copy("ntfy", "and this after it")
    assert [copy.text for copy in world.copies("ntfy", "")] == ["once, please", "and this after it"]


async def test_a_rate_limit_delays_and_loses_nothing(world: World) -> None:
    world.emulators["ntfy"].inject(Fault(kind=FaultKind.RATE_LIMIT, operation="PUT /{topic}", times=2, retry_after_s=0.2))
    for number in range(3):
        await world.say("telegram", f"patient {number}")
    await world.copy("ntfy", "patient 2")
    assert [copy.text for copy in world.copies("ntfy", "")] == [f"patient {number}" for number in range(3)]


async def test_a_server_without_sequence_ids_gets_no_echoes_either(quiet_world: World) -> None:
    """Our own messages are told by the answer to the post then, which may come after the stream."""
    ntfy_of(quiet_world).configure({"sequence_ids": False})
    await quiet_world.start_bridge()
    ntfy_of(quiet_world).inject(Fault(kind=FaultKind.LATENCY, operation="PUT /{topic}", delay_s=0.05))
    for number in range(4):
        await quiet_world.say("telegram", f"to an old server {number}")
    await quiet_world.copy("ntfy", "to an old server 3")
    await quiet_world.say("ntfy", "the end")
    await quiet_world.copy("telegram", "the end")
    assert len([text for text in quiet_world.texts("telegram") if "old server" in text]) == 4

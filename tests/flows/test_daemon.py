"""The daemon as a process: signals, exit codes, systemd, kill -9."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from tests.flows.process import Daemon
from tests.flows.world import World
from tests.support.patience import eventually

COUNT = 200


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[World]:
    """Two platforms that start fast."""
    world = World(tmp_path, platforms=("teamspirit", "discord"))
    await world.start_platforms()
    yield world
    await world.stop_platforms()


@pytest.fixture
async def daemon(small: World) -> AsyncIterator[Daemon]:
    daemon = Daemon(small.write_config())
    yield daemon
    if daemon.process is not None and daemon.process.returncode is None:
        await daemon.kill()
    daemon.close()


async def test_tells_systemd_and_stops_in_order(small: World, daemon: Daemon) -> None:
    await daemon.start()
    await daemon.until_notified("EXTEND_TIMEOUT_USEC=")
    await daemon.until_notified("WATCHDOG=1")
    await daemon.until_notified("discord up")
    await small.say("discord", "before the end")
    await small.copy("teamspirit", "before the end")
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0, daemon.output
    assert "stopped" in daemon.output


@pytest.mark.parametrize("closed", [(0,), (1, 2), (0, 1, 2)])
async def test_standard_streams_that_are_closed_are_not_missed(small: World, daemon: Daemon, closed: tuple[int, ...]) -> None:
    await daemon.start(closed=closed)
    await daemon.until_notified("discord up")
    await small.say("discord", "nowhere to write to")
    await small.copy("teamspirit", "nowhere to write to")
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0, daemon.output


async def test_a_reload_before_it_can_listen_is_done_once_it_can(small: World, daemon: Daemon) -> None:
    await daemon.start(ready=False)
    await eventually(lambda: _holds(daemon, signal.SIGHUP), what="the daemon's first moment")
    daemon.signal(signal.SIGHUP)
    daemon.signal(signal.SIGUSR1)
    await daemon.until_notified("RELOADING=1")
    await daemon.until_notified("discord up")
    await daemon.until_notified("READY=1", times=2)
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0, daemon.output
    assert "bridge.yaml reloaded" in daemon.output


async def test_an_end_before_it_can_listen_is_orderly(small: World, daemon: Daemon) -> None:
    await daemon.start(ready=False)
    await eventually(lambda: _holds(daemon, signal.SIGTERM), what="the daemon's first moment")
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0, daemon.output
    assert "Traceback" not in daemon.output


def _holds(daemon: Daemon, number: signal.Signals) -> bool:
    """Whether it has a handler for that signal, as the kernel sees it."""
    assert daemon.process is not None
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    caught = re.search(r"SigCgt:\s*([0-9a-f]+)", status)
    assert caught is not None
    return bool(int(caught[1], 16) >> (number - 1) & 1)


async def test_a_systemd_that_does_not_read_holds_nothing_up(small: World, daemon: Daemon) -> None:
    await daemon.start()
    await daemon.until_notified("discord up")
    daemon.stop_reading()
    daemon.signal(signal.SIGHUP)
    for number in range(5):
        await small.say("discord", f"unread {number}")
        await small.copy("teamspirit", f"unread {number}")
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0, daemon.output


async def test_a_reload_names_what_only_a_restart_changes(small: World, daemon: Daemon) -> None:
    await daemon.start()
    document = small.document()
    document["web"] = {"admin": {"listen": "127.0.0.1:8081"}}
    document["journal"]["path"] = str(small.folder / "other.journal")
    daemon.config.write_text(yaml.safe_dump(document))
    daemon.signal(signal.SIGHUP)
    await daemon.until_notified("journal.path, web.admin changed and take a restart")
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert re.search(r"only after a restart.*journal\.path, web\.admin", daemon.output), daemon.output


async def test_a_file_that_cannot_be_read_leaves_the_next_one_possible(small: World, daemon: Daemon) -> None:
    await daemon.start()
    good = daemon.config.read_text()
    daemon.config.unlink()
    daemon.config.mkdir()
    daemon.signal(signal.SIGHUP)
    await daemon.until_notified("STATUS=bridge.yaml not reloaded")
    daemon.config.rmdir()
    daemon.config.write_text(good)
    daemon.signal(signal.SIGHUP)
    await daemon.until_notified("READY=1", times=3)
    await daemon.until_notified("discord up")
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert "bridge.yaml reloaded" in daemon.output


async def test_a_faulty_file_ends_with_78_and_its_lines(small: World, tmp_path: Path) -> None:
    path = small.write_config()
    path.write_text(path.read_text().replace("platform: discord", "platfrom: discord"))
    daemon = Daemon(path)
    await daemon.start(ready=False)
    assert await daemon.ended() == 78
    daemon.close()
    assert "platfrom" in daemon.output
    assert re.search(r"bridge\.yaml:\d+:\d+", daemon.output)
    assert "Traceback" not in daemon.output


async def test_a_second_daemon_on_one_spool_is_refused(small: World, tmp_path: Path) -> None:
    """Each of them would delete the other's files."""
    spool = tmp_path / "spool"
    small.settings["media"] = {"spool": str(spool)}
    first = Daemon(small.write_config())
    await first.start()
    small.settings["journal"] = {"path": str(tmp_path / "another.journal")}
    path = tmp_path / "second.yaml"
    path.write_text(yaml.safe_dump(small.document()))
    second = Daemon(path)
    await second.start(ready=False)
    assert await second.ended() == 69
    second.close()
    assert "Traceback" not in second.output
    assert f"media.spool: {spool} is in use" in " ".join(second.output.split())
    first.signal(signal.SIGTERM)
    assert await first.ended() == 0
    first.close()


async def test_a_second_daemon_on_one_journal_is_refused(small: World, daemon: Daemon) -> None:
    await daemon.start()
    second = Daemon(daemon.config)
    await second.start(ready=False)
    assert await second.ended() == 69
    second.close()
    assert "Traceback" not in second.output
    assert "journal" in second.output


async def test_a_second_signal_ends_at_once(small: World, daemon: Daemon) -> None:
    from adapters.common.emulation.contract import Fault, FaultKind

    await daemon.start()
    await daemon.until_notified("discord up")
    small.emulators["teamspirit"].inject(Fault(kind=FaultKind.HANG, operation="send*"))
    small.emulators["teamspirit"].inject(Fault(kind=FaultKind.HANG, operation="*messages*"))
    await small.say("discord", "stuck")
    await eventually(lambda: any("send" in call or "messages" in call for call in small.emulators["teamspirit"].calls()))
    daemon.signal(signal.SIGTERM)
    await daemon.until_notified("STOPPING=1")
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() != 0


async def test_reload_applies_new_routes_and_survives_faulty_files(small: World, daemon: Daemon) -> None:
    other = {name: emulator.add_chat("second") for name, emulator in small.emulators.items()}
    await daemon.start()
    await daemon.until_notified("discord up")
    good = daemon.config.read_text()
    daemon.config.write_text(good + "\nnonsense: 1\n")
    daemon.signal(signal.SIGHUP)
    await daemon.until_notified("READY=1", times=2)
    await small.say("discord", "still here")
    await small.copy("teamspirit", "still here")
    document = yaml.safe_load(good)
    document["routes"].append({"name": "second", "between": [f"{name}/{chat.address}" for name, chat in other.items()]})
    daemon.config.write_text(yaml.safe_dump(document))
    daemon.signal(signal.SIGHUP)
    await daemon.until_notified("READY=1", times=3)
    await small.emulators["discord"].say(other["discord"].chat_id, "Anna", "in the new room")
    seen = small.emulators["teamspirit"].transcript
    await eventually(lambda: any("in the new room" in message.text for message in seen(other["teamspirit"].chat_id)))


async def test_kill_9_amid_200_messages_loses_nothing_and_keeps_the_order(quiet_world: World) -> None:
    """The daemon is killed again and again while 200 messages come in; each of the other chats has them all, in order. Doubles are
    counted only where the platform cannot be asked what became of a message (Telegram is the origin here, so nowhere)."""
    daemon = Daemon(quiet_world.write_config())
    try:
        await daemon.start()

        async def people() -> None:
            for number in range(COUNT):
                await quiet_world.say("telegram", f"number {number:03}")
                await asyncio.sleep(0.01)

        talking = asyncio.create_task(people(), name="people")
        for already in (20, 80, 140):
            await eventually(lambda already=already: len(quiet_world.copies("teamspirit", "number")) >= already)
            await daemon.kill()
            await daemon.start()
        await talking
        expected = [f"number {number:03}" for number in range(COUNT)]
        for platform in ("teamspirit", "slack", "discord"):
            await eventually(
                lambda platform=platform: len(numbers(quiet_world, platform)) >= COUNT,
                what=f"all on {platform}",
            )
            assert numbers(quiet_world, platform) == expected
        await daemon.until_notified("WATCHDOG=1")
    finally:
        await daemon.kill()
        daemon.close()


def numbers(world: World, platform: str) -> list[str]:
    return [found[0] for message in world.copies(platform, "number") if (found := re.search(r"number \d+", message.text))]

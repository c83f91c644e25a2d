"""The commands that ask a running daemon, as processes: status, reload, check --diff."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.flows.process import Daemon
from tests.flows.world import World
from tests.support.patience import PATIENCE_S, eventually


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, platforms=("teamspirit", "discord"))
    await world.start_platforms()
    yield world
    await world.stop_platforms()


@pytest.fixture
async def daemon(small: World, tmp_path: Path) -> AsyncIterator[Daemon]:
    daemon = Daemon(small.write_config())
    await daemon.start()
    await daemon.until_notified("discord up")
    await daemon.until_notified("teamspirit up")
    yield daemon
    if daemon.process is not None and daemon.process.returncode is None:
        await daemon.kill()
    daemon.close()


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


async def command(small: World, *arguments: str, **environ: str) -> Done:
    """`messenger-bridge` in a shell."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge.cli", *arguments, "--config", str(small.folder / "bridge.yaml")),
        env={**os.environ, **environ}, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        out, err = await running.communicate()
    assert running.returncode is not None
    assert b"Traceback" not in out + err, err.decode()
    return Done(running.returncode, out.decode(), err.decode())


async def relays(small: World, text: str) -> None:
    await small.say("discord", text)
    await small.copy("teamspirit", text)


def changed(small: World, change: Any) -> None:
    document = small.document()
    change(document)
    (small.folder / "bridge.yaml").write_text(yaml.safe_dump(document))


async def test_status_shows_what_is_going_on_and_says_when_nobody_answers(small: World, daemon: Daemon) -> None:
    await relays(small, "one message")
    shown = await command(small, "status")
    assert shown.code == 0, shown.err
    assert "relaying" in shown.out.splitlines()[0]
    assert re.search(r"^discord +up ", shown.out, re.MULTILINE), shown.out
    assert re.search(r"^lobby +pass +2/2 +1", shown.out, re.MULTILINE), shown.out
    assert "\x1b" not in shown.out
    data = (await command(small, "status", "--json")).data
    assert (data["ok"], data["per_min"], data["accounts"]["discord"]["in_per_min"]) == (True, {"in": 1, "out": 1}, 1)
    assert data["disk"]["free_bytes"] > 0
    socket = small.folder / "bridge.sock"
    assert socket.stat().st_mode & 0o777 == 0o660

    daemon.signal(signal.SIGSTOP)
    stopped = await command(small, "status", "--once")
    daemon.signal(signal.SIGCONT)
    assert stopped.code == 75
    assert "does not answer within" in stopped.err
    assert stopped.err.count("\n") == 1

    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert not socket.exists()
    gone = await command(small, "status", "--json")
    assert (gone.code, gone.data["ok"]) == (75, False)
    assert "no daemon runs with" in gone.data["error"]


async def test_status_in_a_terminal_is_drawn_again_and_again(small: World, daemon: Daemon) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 44, 0, 0))
    os.set_blocking(ours, False)
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge.cli", "status", "--every", "1", "--config", str(daemon.config)),
        env={**os.environ, "TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    seen = bytearray()

    def looks(word: bytes, times: int = 1) -> bool:
        try:
            seen.extend(os.read(ours, 65536))
        except (BlockingIOError, OSError):
            pass
        return seen.count(word) >= times

    await eventually(lambda: looks(b"ACCOUNT", 2), what="drawn twice")
    await relays(small, "while it is shown")
    await eventually(lambda: looks(b"in 1/min"), what="the rate")
    running.send_signal(signal.SIGINT)
    async with asyncio.timeout(PATIENCE_S):
        assert await running.wait() == 130
    os.close(ours)
    assert b"Traceback" not in seen


async def test_reload_applies_the_difference_and_fails_when_it_is_not_applied(small: World, daemon: Daemon) -> None:
    rooms = {name: emulator.add_chat("second") for name, emulator in small.emulators.items()}
    more = {"name": "second", "between": [f"{name}/{chat.address}" for name, chat in rooms.items()]}
    changed(small, lambda document: document["routes"].append(more))
    diff = await command(small, "check", "--diff")
    assert (diff.code, diff.out) == (0, "+ route second\n"), diff.err
    assert (await command(small, "check", "--diff", "--json")).data["difference"]["routes"]["added"] == ["second"]
    done = await command(small, "reload")
    assert (done.code, done.out) == (0, "+ route second\nreloaded\n"), done.err
    await small.emulators["discord"].say(rooms["discord"].chat_id, "Anna", "in the new room")
    seen = small.emulators["teamspirit"].transcript
    await eventually(lambda: any("in the new room" in message.text for message in seen(rooms["teamspirit"].chat_id)))
    again = await command(small, "reload")
    assert (again.code, again.out) == (0, "nothing differs\nreloaded\n")

    changed(small, lambda document: document.update(nonsense=1))
    faulty = await command(small, "reload")
    assert (faulty.code, faulty.out) == (78, "")
    assert re.search(r"bridge\.yaml:\d+:\d+: nonsense", faulty.err), faulty.err
    assert "not applied; nothing changed" in faulty.err
    await relays(small, "after a faulty file")


async def test_a_token_that_is_refused_is_undone_and_never_shown(small: World, daemon: Daemon) -> None:
    token = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.a-token-that-nobody-knows"
    changed(small, lambda document: document["accounts"]["discord"].update(token=token))
    refused = await command(small, "reload")
    assert refused.code == 1, refused
    assert refused.out == "~ account discord: token (connects anew)\n"
    assert "fault: discord: " in refused.err
    assert "undone: what was in force before is in force" in refused.err
    await daemon.until_notified("bridge.yaml not reloaded: discord: ")
    await relays(small, "with the old token")
    told = (await command(small, "status", "--json")).out
    assert "bridge.yaml not reloaded: discord: " in told
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert token not in refused.out + refused.err + told + daemon.output


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_an_end_in_the_middle_of_a_reload_loses_and_doubles_nothing(
    small: World, daemon: Daemon, how: signal.Signals
) -> None:
    good = daemon.config.read_text()
    changed(small, lambda document: document["accounts"]["teamspirit"].update(server="http://127.0.0.1:9"))
    reloading = asyncio.create_task(command(small, "reload"))
    await daemon.until_notified("RELOADING=1")
    await daemon.until_notified("teamspirit backoff")
    for count in range(5):
        await small.say("discord", f"meanwhile {count}")
    daemon.signal(how)
    assert await daemon.ended() == (0 if how is signal.SIGTERM else -9)
    failed = await reloading
    assert (failed.code, failed.err.count("\n")) == (75, 1), failed
    daemon.config.write_text(good)
    await daemon.start()
    await relays(small, "after the kill")
    assert [re.sub(r".*(meanwhile \d).*", r"\1", one.text) for one in small.copies("teamspirit", "meanwhile")] == [
        f"meanwhile {count}" for count in range(5)
    ]


async def test_a_journal_in_another_place_needs_a_restart_and_the_old_socket(small: World, daemon: Daemon) -> None:
    changed(small, lambda document: document["journal"].update(path=str(small.folder / "other.journal")))
    lost = await command(small, "check", "--diff")
    assert (lost.code, lost.err.count("\n")) == (75, 1)
    assert "--socket FILE names its socket" in lost.err
    diff = await command(small, "check", "--diff", "--socket", str(small.folder / "bridge.sock"))
    assert (diff.code, diff.out) == (0, "! journal.path: in force after a restart\n"), diff.err


async def test_the_service_and_a_second_daemon_have_sockets_of_their_own(small: World, tmp_path: Path) -> None:
    """In one runtime folder the first has the socket; the other one's is beside its journal. Each is found by its file."""
    (tmp_path / "run").mkdir()
    first = Daemon(small.write_config(), RUNTIME_DIRECTORY=str(tmp_path / "run"))
    await first.start()
    other = World(tmp_path / "other", platforms=("teamspirit", "discord"))
    other.folder.mkdir()
    other.emulators, other.chats = small.emulators, small.chats
    second = Daemon(other.write_config(), RUNTIME_DIRECTORY=str(tmp_path / "run"))
    await second.start()
    assert (tmp_path / "run/control.sock").exists()
    assert (tmp_path / "other/bridge.sock").exists()
    for world, running in ((small, first), (other, second)):
        shown = await command(world, "status", "--json", RUNTIME_DIRECTORY=str(tmp_path / "run"))
        assert running.process is not None
        assert shown.data["pid"] == running.process.pid
    for running in (second, first):
        running.signal(signal.SIGTERM)
        assert await running.ended() == 0
        running.close()
    assert "another daemon has this control socket" in second.output

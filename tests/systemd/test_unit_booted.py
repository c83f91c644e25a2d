"""The unit under a real systemd as process 1: it starts, relays, reloads, comes back when it is killed, and stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.flows.world import World
from tests.support.patience import eventually_asked
from tests.systemd.booted import Booted, NotHere, why_not

SYSTEMD = Path(__file__).parents[2] / "systemd"
WHY_NOT = why_not()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "it can be started here")]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path, ("telegram", "discord"))
    await made.start_platforms()
    yield made
    await made.stop_platforms()


@pytest.fixture
async def system(world: World, tmp_path: Path) -> AsyncIterator[Booted]:
    async with AsyncExitStack() as stack:
        try:
            booted = await stack.enter_async_context(
                Booted(tmp_path, SYSTEMD / "messenger-bridge.service", SYSTEMD / "messenger-bridge.sysusers")
            )
        except NotHere as error:
            pytest.skip(f"no systemd as process 1 here: {error}")
        world.settings["journal"] = {}  # the service's own place
        configure(world, booted)
        yield booted


def configure(world: World, system: Booted, text: str = "") -> None:
    place = system.root / "etc" / "messenger-bridge" / "bridge.yaml"
    place.write_text(text or world.write_config().read_text())


async def run(system: Booted, *words: str) -> None:
    done = await asyncio.to_thread(system.systemctl, *words)
    assert done.returncode == 0, f"{done.stderr}\n{system.log()}"


async def test_the_service_lives_and_dies_under_systemd(world: World, system: Booted) -> None:
    await run(system, "start", "messenger-bridge")
    assert await system.shown("ActiveState") == "active"
    await eventually_asked(lambda: system.shown("StatusText"), holds=lambda text: "dead letters" in text)
    await world.say("telegram", "under systemd")
    await world.copy("discord", "under systemd")

    world.route_options["edits"] = False
    configure(world, system)
    await run(system, "reload", "messenger-bridge")
    configure(world, system, "accounts: 5\n")
    assert (await asyncio.to_thread(system.systemctl, "reload", "messenger-bridge")).returncode != 0
    assert await system.shown("ActiveState") == "active", "a faulty file changes nothing"
    configure(world, system)

    before = await system.shown("MainPID")
    await run(system, "kill", "--kill-whom=main", "--signal=KILL", "messenger-bridge")
    await world.say("telegram", "while it was away")
    await eventually_asked(lambda: system.shown("MainPID"), holds=lambda pid: pid not in (before, "0"))
    await eventually_asked(lambda: system.shown("ActiveState"), holds="active".__eq__)
    await world.copy("discord", "while it was away")

    await run(system, "stop", "messenger-bridge")
    assert (await system.shown("ActiveState"), await system.shown("Result")) == ("inactive", "success")
    assert "stopped" in system.log()


async def test_it_is_nobody_and_sees_nothing_of_the_machine(world: World, system: Booted) -> None:
    await run(system, "start", "messenger-bridge")
    pid = await system.shown("MainPID")
    status = system.run("cat", f"/proc/{pid}/status").stdout
    values = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert values["CapEff"].strip("0") == values["CapBnd"].strip("0") == ""
    assert values["NoNewPrivs"] == "1"
    assert values["Seccomp"] == "2"
    uid = values["Uid"].split()[0]
    assert uid == system.run("id", "-u", "messenger-bridge").stdout.strip() != "0"
    inside = ("nsenter", "-t", pid, "-m", "--")
    listed = system.run(*inside, "ls", "-A", "/root", "/home")
    assert [line for line in listed.stdout.split() if not line.endswith(":")] == [], listed
    for place in ("/usr", "/usr/bin", "/opt/messenger-bridge", "/etc/messenger-bridge", "/var"):
        assert "Read-only" in system.run(*inside, "touch", f"{place}/x").stderr, place
    state = "/var/lib/messenger-bridge"
    for place in (state, "/run/messenger-bridge", "/tmp", "/var/tmp", "/dev/shm"):
        copied = system.run(*inside, "cp", "/bin/true", f"{place}/program")
        assert copied.returncode == 0, copied
        assert "denied" in system.run(*inside, f"{place}/program").stderr, f"something in {place} is run"
    journal = system.run("stat", "-c", "%a %U", f"{state}/messenger-bridge.journal").stdout.split()
    assert journal == ["600", "messenger-bridge"]

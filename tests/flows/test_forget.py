"""What somebody wrote is erased everywhere, by the command line beside a running bridge; and somebody is muted by it."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from tests.flows.world import World
from tests.support.patience import eventually


async def command(world: World, *arguments: str) -> tuple[int, dict[str, Any]]:
    """In a process of its own, beside the daemon."""
    path = str(world.folder / "bridge.yaml")
    called = (sys.executable, "-m", "bridge.cli", *arguments, "-c", path, "--json")
    process = await asyncio.create_subprocess_exec(*called, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out)


async def test_everything_of_somebody_is_erased_where_it_may_be(quiet_world: World) -> None:
    world = quiet_world
    boris = world.emulators["discord"].add_person("Boris")
    world.settings["people"] = [{"name": "Boris B", "discord": boris}]
    await world.start_bridge()
    for number in range(3):
        await world.say("discord", f"words {number} of Boris", person="Boris")
    await world.say("discord", "words of Anna", person="Anna")
    for name in ("slack", "telegram", "teamspirit"):
        for number in range(3):
            await world.copy(name, f"words {number} of Boris")
        await world.copy(name, "words of Anna")
    code, told = await command(world, "forget", "Boris B", "--dry-run")
    assert (code, told["messages"], len(told["copies"])) == (0, 3, 3)
    assert world.copies("slack", "words 1 of Boris")

    code, told = await command(world, "forget", f"discord/{boris}")
    assert (code, told["messages"], told["left"]) == (0, 3, [])
    for name in ("slack", "telegram", "teamspirit"):
        await eventually(lambda: not world.copies(name, "of Boris"), what=f"copies on {name}")  # noqa: B023
        assert world.copies(name, "words of Anna")
    assert len([one for one in world.seen("discord") if "of Boris" in one.text and not one.deleted]) == 3, "those are his"
    code, told = await command(world, "forget", "Boris B", "--dry-run")
    assert told["messages"] == 0
    code, told = await command(world, "audit")
    assert [one["action"] for one in told["audit"]] == ["forget"]


async def test_what_cannot_be_erased_is_told(quiet_world: World) -> None:
    world = quiet_world
    await world.start_bridge()
    await world.say("discord", "words of Boris", person="Boris")
    for name in ("slack", "telegram", "teamspirit"):
        await world.copy(name, "words of Boris")
    slack: Any = world.emulators["slack"]
    slack.api.refusals = {"chat.delete": "cant_delete_message"}
    boris = next(one.author_id for one in world.seen("discord") if one.text == "words of Boris")
    code, told = await command(world, "forget", f"discord/{boris}")
    assert code == 1
    (left,) = told["left"]
    assert left["where"].startswith("slack/")
    assert left["why"].startswith("the target does not let it be deleted")
    await eventually(lambda: not world.copies("telegram", "words of Boris"))


async def test_the_command_line_mutes_beside_the_daemon(quiet_world: World) -> None:
    world = quiet_world
    await world.start_bridge()
    mallory = world.emulators["slack"].add_person("Mallory")
    await command(world, "mute", f"slack/{mallory}", "--minutes", "60")
    assert world.app is not None
    app = world.app
    await eventually(lambda: list(app._community.standing(app._people)._muted))
    await world.say("slack", "not relayed", person="Mallory")
    await world.say("slack", "relayed", person="Anna")
    await world.copy("telegram", "relayed")
    assert not world.copies("telegram", "not relayed")
    _, told = await command(world, "people", "list")
    (decision,) = told["decisions"]
    assert (decision["user_id"], decision["kind"], decision["by"]) == (mallory, "muted", "command line")
    await command(world, "unmute", f"slack/{mallory}")
    await eventually(lambda: not app._community.standing(app._people)._muted)
    await world.say("slack", "relayed again", person="Mallory")
    await world.copy("telegram", "relayed again")

"""What somebody wrote is erased everywhere, by the command line beside a running bridge; and somebody is muted by it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from adapters.common.emulation.contract import Upload
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually, eventually_asked


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


class Followed(World):
    """What is said on Discord is also kept for who fetches it, and pictures are shown by the bridge."""

    def document(self) -> dict[str, Any]:
        document = super().document()
        document["accounts"]["webhook"]["ends"]["reader"] = {"fetch": True}
        rooms = [f"{name}/{self.chats[name].address}" for name in ("telegram", "slack")]
        document["routes"] = [{"name": "lobby", "between": [*rooms, "webhook/reader"]}]
        return document


@pytest.fixture
async def followed(tmp_path: Path) -> AsyncIterator[Followed]:
    made = Followed(tmp_path, ("telegram", "slack", "webhook"))
    port = free_port()
    made.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    await made.start_platforms()
    yield made
    await made.stop_bridge()
    await made.stop_platforms()


def left_on_disk(folder: Path, *needles: str) -> list[tuple[str, str]]:
    """In the journal, its log and the spool."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".yaml" and not path.name.endswith("-shm")]
    return [(path.name, needle) for path in files for needle in needles if needle.encode() in path.read_bytes()]


async def test_no_words_no_name_and_no_picture_of_somebody_stay_with_the_bridge(followed: Followed) -> None:
    world = followed
    app = await world.start_bridge()
    telegram: Any = world.emulators["telegram"]
    zebulon, chat = telegram.add_person("Zebulon"), world.chats["telegram"].chat_id
    note = Upload(name="xylophone.txt", mime="text/plain", content=b"xylophone notes")
    first = await telegram.say(chat, "Zebulon", "xylophone", files=(note,))
    await telegram.edit(chat, first, "xylophones")
    await telegram.say(chat, "Zebulon", "xylophone " * 300)
    await telegram.say(chat, "Anna", "a reply", reply_to=first)
    await world.copy("slack", "a reply")
    picture = (await world.copy("slack", "xylophones")).author_avatar_url
    assert "/faces/" in picture
    slack: Any = world.emulators["slack"]
    slack.api.refusals = {"chat.postMessage": "invalid_blocks"}
    await telegram.say(chat, "Zebulon", "a dead xylophone")
    await eventually_asked(app.journal.dead_letters, what="a dead letter")
    slack.api.refusals = {}
    code, told = await command(world, "forget", f"telegram/{zebulon}")
    assert (code, told["left"], told["messages"]) == (0, [], 3)
    await eventually(lambda: not left_on_disk(world.folder, "xylophone", "Zebulon"), what="words on disk")
    async with ClientSession() as session:

        async def is_over() -> bool:
            async with session.get(picture) as answer:
                return answer.status in (404, 410)

        await eventually_asked(is_over, what="the picture's link is over")

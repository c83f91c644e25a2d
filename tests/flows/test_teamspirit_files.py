"""Files of no bytes, and of a server that says another size than they have, both ways: whole, or a line that says why not."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.common.emulation.contract import EmulatedFile, Upload
from adapters.teamspirit.emulator.files import StoredFile
from tests.flows.world import World
from tests.support.patience import eventually

CONTENT = b"word " * 2000
SAID_BYTES = {"true.bin": len(CONTENT), "less.bin": 5, "more.bin": 90_000_000, "endless.bin": 2**70, "minus.bin": -1, "none.bin": 0}


@pytest.fixture
async def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Slack, and a TeamSpirit server that says of some files another size than they have."""

    def wire(file: StoredFile) -> dict[str, object]:
        said = SAID_BYTES.get(file.name, file.size_bytes)
        return {"id": file.file_id, "name": file.name, "mime": file.mime, "size": said}

    monkeypatch.setattr(StoredFile, "wire", wire)
    world = World(tmp_path, platforms=("teamspirit", "slack"))
    world.account_options["teamspirit"] = {"poll_interval_s": 0.05, "poll_idle_interval_s": 0.05}
    await world.start_platforms()
    await world.start_bridge()
    yield world
    await world.stop_bridge()
    await world.stop_platforms()


def files_on(world: World, platform: str) -> dict[str, EmulatedFile]:
    return {file.name: file for message in world.seen(platform) if message.is_bot for file in message.files}


@pytest.mark.parametrize(("origin", "target"), [("teamspirit", "slack"), ("slack", "teamspirit")])
async def test_whatever_size_the_server_says_the_file_arrives_whole(pair: World, origin: str, target: str) -> None:
    for name in SAID_BYTES:
        await pair.say(origin, f"here is {name}", files=[Upload(name=name, mime="application/octet-stream", content=CONTENT)])
    await pair.say(origin, "and what comes after them")
    await pair.copy(target, "and what comes after them")
    found = await eventually(lambda: files_on(pair, target) if len(files_on(pair, target)) == len(SAID_BYTES) else None)
    assert {file.sha256 for file in found.values()} == {hashlib.sha256(CONTENT).hexdigest()}


@pytest.mark.parametrize(("origin", "target"), [("teamspirit", "slack"), ("slack", "teamspirit")])
async def test_a_file_of_no_bytes_arrives_or_leaves_a_line(pair: World, origin: str, target: str) -> None:
    await pair.say(origin, "here it is", files=[Upload(name="empty.txt", mime="text/plain", content=b"")])
    await pair.say(origin, "and what comes after it")
    await pair.copy(target, "here it is")
    await pair.copy(target, "and what comes after it")
    await eventually(lambda: "empty.txt" in files_on(pair, target) or "empty.txt" in " ".join(pair.texts(target)))

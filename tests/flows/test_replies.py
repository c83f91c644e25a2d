"""Answers to answers, given to copies: they name who said the original, quote what was said, and stay in their thread."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from adapters.common.emulation.contract import SeenMessage
from adapters.registry import load_platform, platforms
from bridge.sandbox import Sandbox
from bridge.sandbox.selftest.room import Room

ORIGINS = ("telegram", "slack", "discord", "teamspirit")


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(tmp_path, manifests=load_platform, platforms=platforms(), rooms=ORIGINS) as running:
        await running.wait_connected(60)
        yield running


@pytest.fixture
def room_of(sandbox: Sandbox) -> Callable[[str], Room]:
    def made(name: str) -> Room:
        return Room(
            sandbox.emulators,
            sandbox.rooms[name],
            capabilities_of=sandbox.app.capabilities_of,
            titles=sandbox.titles,
            patience_s=40,
        )

    return made


async def _everywhere(room: Room, words: str) -> dict[str, SeenMessage]:
    """The message with these words on each platform, said there or copied."""
    found = {}
    for platform in ORIGINS:

        def look(platform: str = platform) -> SeenMessage | None:
            # the last line: above it may stand whom it answers
            return next((m for m in room.seen(platform) if m.text.split("\n")[-1] == words and not m.deleted), None)

        found[platform] = await room.until(platform, look, f"{words!r} did not arrive on {platform}")
    return found


async def test_answers_to_copies_of_answers(room_of: Callable[[str], Room]) -> None:
    for origin in ORIGINS:
        room = room_of(origin)
        first = await room.say(origin, "Anna", "the question")
        await _everywhere(room, "the question")
        await room.say(origin, "Boris", "the answer", reply_to=first)
        answers = await _everywhere(room, "the answer")
        for place in ORIGINS:
            words = f"said in {place}"
            await room.say(place, "Dmitri", words, reply_to=answers[place].message_id)
            for target, seen in (await _everywhere(room, words)).items():
                case = f"{origin}: {words}, seen on {target}: {seen}"
                assert "Bridge" not in seen.text, case
                if target == "slack":  # where a thread is all that an answer can be
                    assert seen.thread_id == answers["slack"].thread_id, case
                elif target == "discord" and place == "slack":  # where the answer is in a thread, which shows what it begins with
                    assert seen.thread_id, case
                elif target == "discord" and place != "discord":
                    assert all(part in seen.text for part in ("Boris", "the answer")), case
                elif place != "slack":
                    assert seen.reply_to == answers[target].message_id, case

"""Plays every feature of one origin through a whole bridge, and tells what becomes of it at each of the three targets."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.common.emulation.contract import SeenMessage
from tests.corpus.case import Case
from tests.corpus.origins import MOMENT, origin_of
from tests.corpus.playing import CorpusWorld, arrived, started
from tests.corpus.readable import plain
from tests.fidelity.actions import ACTIONS
from tests.fidelity.chat_actions import CHAT, GUARDS
from tests.fidelity.converted_files import SAMPLES, converted, folder_of, nothing_to_convert
from tests.fidelity.features import Feature
from tests.fidelity.file_features import FILES
from tests.fidelity.option_actions import OPTIONS
from tests.fidelity.other_features import OTHER
from tests.fidelity.people_actions import PEOPLE
from tests.fidelity.route_actions import ROUTE
from tests.fidelity.sticker_features import STICKERS
from tests.fidelity.table import Cells
from tests.fidelity.text_features import TEXT
from tests.fidelity.thread_actions import NAMES, play_threads
from tests.flows.world import PLATFORMS, World

NATIVE = "native"
LOST = "lost"
FEATURES = [*TEXT, *FILES, *STICKERS, *OTHER]
ALL_ACTIONS = ACTIONS | CHAT | PEOPLE | OPTIONS | ROUTE

_SWITCHES = {
    "merge": False,
    "membership": True,
    "renames": True,
    "pins": True,
    "statuses": True,
    "typing": True,
    "tally_every_s": 1,
}
Json = dict[str, Any]

_MARK = re.compile(r"-- step (\d+) --")
_LONGEST_SHOWN = 90


async def play(origin: str, folder: Path) -> Cells:
    """Raises AssertionError where something is lost without a word."""
    case = Case(
        Path(f"{origin}/fidelity.json"),
        "every feature",
        (),
        route=dict(_SWITCHES),
        account={"members": True} if origin == "discord" else {},
        public=True,
    )
    cells: Cells = {}
    async with started(folder, case) as world:
        targets = [name for name in PLATFORMS if name != origin]
        wire: Any = origin_of(case, world, world.began)
        if origin == "discord":  # joins and departures are shown in the server's channel for news
            discord: Any = world.emulators[origin]
            discord.set_system_channel(world.chats[origin].chat_id)
            discord.operations.announce_guild()
        for number, feature in enumerate(FEATURES):
            sample = feature.sample(origin)
            if isinstance(sample, str):
                cells[feature.name] = dict.fromkeys(targets, f"not possible: {sample}")
                continue
            if feature.changes_chat:
                await arrived(world, wire, targets, number)
            await wire.say(f"-- step {number} --")
            for payload in sample if isinstance(sample, list) else [sample]:
                await wire.deliver(_of_now(payload, wire) if origin == "slack" else payload)
        await arrived(world, wire, targets, len(FEATURES))
        for target in targets:
            for number, seen in by_step(world.seen(target)).items():
                if number < len(FEATURES):
                    cells.setdefault(FEATURES[number].name, {})[target] = cell(FEATURES[number], seen, world, target)
        for name, action in ALL_ACTIONS.items():
            cells[name] = await action(world, origin, targets)
    cells |= await _converted(origin, folder)
    cells |= await play_threads(origin, folder)
    lost = [f"{name}: {found}" for name, found in cells.items() if "lost" in found.values()]
    assert not lost, "nothing is shown, not even a line:\n" + "\n".join(lost)
    names = [*(feature.name for feature in FEATURES), *SAMPLES, *ALL_ACTIONS, *NAMES]
    return {name: {target: cells[name][target] for target in targets} for name in names}


async def _converted(origin: str, folder: Path) -> Cells:
    """In a bridge of its own: all others are quicker without."""
    if not any(origin in samples for samples in SAMPLES.values()):
        return nothing_to_convert(origin)
    world = World(folder_of(folder))
    world.settings["media"] = {"convert": "auto"}
    await world.start_platforms()
    try:
        await world.start_bridge()
        return await converted(world, origin)
    finally:
        await world.stop_bridge()
        await world.stop_platforms()


def _of_now(payload: Json, wire: Any) -> Json:
    """Slack's messages are in the order of their times: this one is of now, once the wire has moved it there."""
    ts = f"{time.time() - int((wire.now - MOMENT).total_seconds()):.6f}"
    return {**payload, **({"ts": ts} if "ts" in payload else {}), "event_ts": ts}


def by_step(seen: Sequence[SeenMessage]) -> dict[int, list[SeenMessage]]:
    """The messages behind each mark. What belongs to the chat itself, and the marks, are left out."""
    steps: dict[int, list[SeenMessage]] = {}
    now: list[SeenMessage] = []
    for message in seen:
        if mark := _MARK.search(message.text):
            now = steps.setdefault(int(mark[1]), [])
        elif message.is_bot:
            now.append(message)
    return steps


def cell(feature: Feature, seen: Sequence[SeenMessage], world: CorpusWorld, target: str) -> str:
    if not seen:
        return LOST
    files = [file for message in seen for file in message.files]
    html = "".join(message.html for message in seen).translate(GUARDS)
    text = "\n".join(message.text for message in seen).translate(GUARDS)
    if feature.html and re.search(feature.html, html + _blocks(world, target, seen), re.DOTALL):
        return NATIVE
    if feature.text and re.search(feature.text, text):
        return NATIVE if len(seen) == 1 else f"converted: {feature.how} ({len(seen)})"
    if feature.count and len(files) == feature.count:
        return NATIVE
    if feature.file and any(file.kind in feature.file for file in files):
        return NATIVE
    if feature.told and feature.told(world, target, seen):
        return NATIVE
    if feature.plain_is:
        return feature.plain_is
    shown = shortened(str(plain({"text": text}, world)["text"]))
    example = f"`{shown}`" if shown else ""
    if files and not feature.html:
        example = " ".join(filter(None, (f"as {files[0].kind} ({files[0].mime})", f"below {example}" if example else "")))
    how = feature.how or (feature.ability and world.app and world.app.capabilities_of(target).note(feature.ability)) or ""
    return f"converted: {how} ({example})" if how and example else f"converted: {how or example}"


def _blocks(world: Any, target: str, seen: Sequence[SeenMessage]) -> str:
    """Slack's page shows a moment as words: that it is one is in the message's blocks."""
    if target != "slack":
        return ""
    channel = world.emulators[target].workspace.channels[world.chats[target].chat_id]
    return "".join(str(channel.messages[message.message_id].blocks) for message in seen if message.message_id in channel.messages)


def shortened(text: str) -> str:
    """The words of a copy in one line, without the line that names the sender where the target has no names."""
    lines = [line.strip() for line in text.split("\n")]
    words = " / ".join(line for line in lines if line and line not in ("Kim Lee", "Kim Lee:", "Anna:", "Kim Lee (Telegram):"))
    words = words.replace("`", "'").replace("|", "¦")
    return words if len(words) <= _LONGEST_SHOWN else words[: _LONGEST_SHOWN - 1] + "…"

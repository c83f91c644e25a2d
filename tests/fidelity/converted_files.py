"""What becomes of stickers, animations and voice messages where the packages that convert them are installed: real files, real
processes, in a bridge of their own."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from adapters.common.emulation.contract import EmulatedFile, Upload
from tests.fidelity.features import UNKNOWN
from tests.fidelity.table import Cells
from tests.flows.world import PLATFORMS, World
from tests.support import media_samples
from tests.support.patience import eventually

WITHIN_S = 300
_WITH = "with `messenger-bridge[media]`"
Post = Callable[[World], Awaitable[object]]
_NONE = {
    "telegram": "Telegram has no such thing",
    "slack": "Slack has no such thing",
    "discord": "Discord has no such thing",
    "teamspirit": UNKNOWN,
}


def _telegram(kind: str, name: str, mime: str, content: Callable[[], bytes], **facts: Any) -> Post:
    async def post(world: World) -> None:
        emulator: Any = world.emulators["telegram"]
        stored = emulator.world.files.add(name, mime, content())
        told = {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": stored.size_bytes, "mime_type": mime}
        chat = {"id": int(world.chats["telegram"].chat_id), "type": "supergroup", "title": "lobby"}
        author = {"id": 5, "is_bot": False, "first_name": "Kim"}
        number = 90_000 + len(emulator.calls())
        message = {"message_id": number, "from": author, "chat": chat, "date": int(time.time()), kind: told | facts}
        emulator.world.queues[emulator.bot().user_id].push("message", message)

    return post


def _sticker(name: str, mime: str, content: Callable[[], bytes], **kind: bool) -> Post:
    size = {"width": 512, "height": 512, "type": "regular", "emoji": "🦊", "is_animated": False, "is_video": False}
    return _telegram("sticker", name, mime, content, **size | kind)


def _discord(number: int, extension: str, mime: str, content: Callable[[], bytes]) -> Post:
    async def post(world: World) -> None:
        emulator: Any = world.emulators["discord"]
        sticker = {"id": f"74905466076921864{number}", "name": "Wave", "format_type": number}
        emulator.cdn.stickers[f"{sticker['id']}.{extension}"] = (content(), mime)
        await emulator.post_raw(world.chats["discord"].chat_id, "Kim", stickers=(sticker,))

    return post


def _said(platform: str, name: str, mime: str, content: Callable[[], bytes], kind: str = "") -> Post:
    async def post(world: World) -> None:
        await world.say(platform, "", person="Kim", files=[Upload(name=name, mime=mime, content=content(), kind=kind)])

    return post


SAMPLES: dict[str, dict[str, Post]] = {
    "animated sticker, converted": {
        "telegram": _sticker("s.tgs", "application/x-tgsticker", media_samples.tgs, is_animated=True),
        "discord": _discord(3, "json", "application/json", media_samples.lottie_json),
    },
    "video sticker, converted": {"telegram": _sticker("s.webm", "video/webm", media_samples.webm, is_video=True)},
    "sticker that is an animated picture, converted": {"discord": _discord(2, "png", "image/png", media_samples.apng)},
    "animation, converted": {
        "telegram": _telegram("animation", "g.mp4", "video/mp4", media_samples.mp4, width=48, height=48, duration=1)
    },
    "voice message, converted": {
        "telegram": _telegram("voice", "v.ogg", "audio/ogg", media_samples.ogg, duration=2),
        "discord": _said("discord", "voice-message.ogg", "audio/ogg", media_samples.ogg, kind="voice"),
        "slack": _said("slack", "v.m4a", "audio/mp4", media_samples.m4a, kind="voice"),
    },
}
NATIVE = {"voice message, converted": ("voice",)}


def nothing_to_convert(origin: str) -> Cells:
    return {name: dict.fromkeys((one for one in PLATFORMS if one != origin), _none(origin)) for name in SAMPLES}


def _none(origin: str) -> str:
    return f"not possible: {_NONE[origin]}"


async def converted(world: World, origin: str) -> Cells:
    """Of a bridge that converts."""
    targets = [name for name in PLATFORMS if name != origin]
    cells: Cells = {}
    count = 0
    for name, samples in SAMPLES.items():
        post = samples.get(origin)
        if post is None:
            cells[name] = dict.fromkeys(targets, _none(origin))
            continue
        await post(world)
        count += 1
        cells[name] = {}
        for target in targets:
            files = await eventually(partial(_all, world, target, count), f"{name} on {target}", within_s=WITHIN_S)
            file = files[-1]
            native = file.kind in NATIVE.get(name, ())
            cells[name][target] = f"native: {_WITH}" if native else f"converted: as {file.kind} ({file.mime}), {_WITH}"
    return cells


def _all(world: World, target: str, count: int) -> list[EmulatedFile]:
    """The files there, once they are so many."""
    shown = [file for message in world.seen(target) if message.is_bot and not message.deleted for file in message.files]
    return shown if len(shown) >= count else []


def folder_of(folder: Path) -> Path:
    made = folder / "converting"
    made.mkdir()
    return made

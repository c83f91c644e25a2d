"""What the options of a route make of messages: each option is set in the running bridge, and taken back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from adapters.common.emulation.contract import Fault, FaultKind, SeenMessage, Upload
from bridge.model.capabilities import Feature
from bridge.model.clock import SystemClock
from tests.corpus.playing import deliveries, other_fates
from tests.fidelity.actions import Action, Found, copies, note, now, sees
from tests.fidelity.seen import is_without_preview
from tests.flows.world import World
from tests.support.patience import eventually

LONG = {"telegram": 3900, "slack": 9000, "discord": 1900, "teamspirit": 3900}
"""Characters of a long text that one message of each origin can have."""


@asynccontextmanager
async def options(world: World, **changed: Any) -> AsyncIterator[None]:
    assert world.app is not None
    before = dict(world.route_options)
    world.route_options.update(changed)
    await world.app.reload(world.config())
    yield
    world.route_options = before
    await world.app.reload(world.config())


async def hold_window(world: World, origin: str, targets: list[str]) -> Found:
    """The window is longer than any machine is slow, and ends by a reload once the deletion is known."""
    if not sees(world, origin, Feature.SEES_DELETES):
        return dict.fromkeys(targets, f"not possible: {note(world, origin, Feature.SEES_DELETES)}")
    journal = world.folder / "bridge.journal"
    since = max(number for number, *_ in deliveries(journal))
    async with options(world, hold_s=3600):
        spam = await world.say(origin, "buy in the window", person="Spam King")
        await world.emulators[origin].delete(world.chats[origin].chat_id, spam)
        # the message, and its deletion, for each target
        await eventually(lambda: len(deliveries(journal, since)) == 2 * len(targets), what=lambda: str(deliveries(journal, since)))
    await eventually(
        lambda: sum("deleted before it was sent" in fate for fate in other_fates(journal, since)) == len(targets),
        what=lambda: f"never sent: {other_fates(journal, since)}",
    )
    for target in targets:
        assert not [one for one in world.seen(target) if "buy in the window" in one.text], "it never was there"
    return dict.fromkeys(targets, "native: what is deleted within `hold_s` is never sent")


async def previews(world: World, origin: str, targets: list[str]) -> Found:
    async with options(world, previews=False):
        await world.say(origin, "unfolded nowhere: https://example.org/page")
        shown = await copies(world, targets, "unfolded nowhere")
    found: Found = {}
    for target, copy in shown.items():
        known = is_without_preview(world, target, [copy])
        assert known or target == "teamspirit", copy
        found[target] = (
            "native: none with `previews: false`" if known else "not possible: its interface is not known to have such a switch"
        )
    return found


async def templates(world: World, origin: str, targets: list[str]) -> Found:
    async with options(world, sender="{name} via {platform}"):
        await world.say(origin, "by whom and from where", person="Anna Petrova")
        shown = await copies(world, targets, "by whom and from where")
    for copy in shown.values():
        assert "Anna Petrova via " in f"{copy.author_name}\n{copy.text}", copy
    return {
        target: "native: a `sender` template" if "via" in copy.author_name else "converted: a line above the words, by `sender`"
        for target, copy in shown.items()
    }


async def long_as_file(world: World, origin: str, targets: list[str]) -> Found:
    words = ("begins here " + "and goes on " * 1000)[: LONG[origin]]
    async with options(world, long_text_parts=1):
        await world.say(origin, words)
        found: Found = {}
        for target in targets:
            copy = (await eventually(lambda target=target: world.copies(target, "begins here"), what=f"on {target}"))[0]
            whole = len(copy.text) >= len(words.strip())
            if not whole:
                await eventually(
                    lambda target=target: any(
                        file.name.endswith((".txt", ".md")) for one in world.seen(target) for file in one.files
                    ),
                    what=f"the file on {target}: {world.texts(target)}",
                )
            how = "a file, with the beginning as words, for more than `long_text_parts` messages"
            found[target] = "native: one message" if whole else f"converted: {how}"
    return found


async def linked_files(world: World, origin: str, targets: list[str]) -> Found:
    big = Upload(name="report.bin", mime="application/octet-stream", content=b"x" * 30_000)
    async with options(world, max_file_mb=0.02):
        await world.say(origin, "the report", files=(big,))
        for target in targets:
            copy = (await eventually(lambda target=target: world.copies(target, "report.bin"), what=f"on {target}"))[0]
            assert re.search(r"http://127\.0\.0\.1:\d+/files/[\w-]+/report\.bin", copy.html or copy.text), copy
            assert not copy.files
    return dict.fromkeys(targets, "converted: a link that opens it for `media.link_days`, where `web.public.url` is set")


async def marked_deletions(world: World, origin: str, targets: list[str]) -> Found:
    if not sees(world, origin, Feature.SEES_DELETES):
        return dict.fromkeys(targets, f"not possible: {note(world, origin, Feature.SEES_DELETES)}")
    async with options(world, deletes="mark"):
        said = await world.say(origin, "half a secret")
        shown = await copies(world, targets, "half a secret")
        await world.emulators[origin].delete(world.chats[origin].chat_id, said)
        for target, copy in shown.items():
            await eventually(
                lambda target=target: world.copies(target, "was deleted where it was written"),
                what=f"the line on {target}: {world.texts(target)}",
            )
            assert not now(world, target, copy.message_id).deleted
    return dict.fromkeys(targets, "converted: a line below the copy, with `deletes: mark`")


async def tallies(world: World, origin: str, targets: list[str]) -> Found:
    async with options(world, reactions="tally"):
        said = await world.say(origin, "to be counted")
        shown = await copies(world, targets, "to be counted")
        for person in ("Boris", "Carla"):
            await world.emulators[origin].react(world.chats[origin].chat_id, said, person, "👍")
        lines = {target: await _tally(world, target, copy) for target, copy in shown.items()}
    return {target: f"converted: one line below, with `reactions: tally` (`{line}`)" for target, line in lines.items()}


async def _tally(world: World, target: str, copy: SeenMessage) -> str:
    def lines() -> list[str]:
        seen = world.seen(target)
        behind = seen[[message.message_id for message in seen].index(copy.message_id) :]
        lines = [line for message in behind if message.is_bot for line in message.text.split("\n")]
        return [line for line in lines if "👍" in line and "2" in line]

    return (await eventually(lines, what=f"the tally on {target}: {world.texts(target)}"))[0]


async def failures(world: World, origin: str, targets: list[str]) -> Found:
    """One target refuses for good: the original shows it. Telegram takes none of the usual signs as a reaction."""
    chat = world.chats[origin].chat_id
    found: Found = {}
    async with options(world, on_dead={"mark": "reaction"}):
        for target in targets:
            emulator: Any = world.emulators[target]
            emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, status=400, operation=emulator.sending_operation))
            said = await world.say(origin, f"refused by {target}")

            def marks(said: str = said) -> str:
                seen = [one for one in world.emulators[origin].transcript(chat) if one.message_id == said]
                return next((reaction.emoji for one in seen for reaction in one.reactions), "")

            mark = await eventually(marks, what=f"a mark on {origin} for {target}")
            emulator.clear_faults()
            found[target] = f"native: {mark} on the original, with `on_dead: {{mark: reaction}}`"
    return found


class _Ahead(SystemClock):
    """A clock on which messages are old as soon as they come."""

    def now(self) -> Any:
        return super().now() + timedelta(hours=3)


async def late(world: World, origin: str, targets: list[str]) -> Found:
    """Last of all: it starts the bridge anew."""
    await world.stop_bridge()
    world.app_parts["clock"] = _Ahead()
    world.route_options["max_age_min"] = 60
    await world.start_bridge()
    await world.say(origin, "written long ago")
    for copy in (await copies(world, targets, "written long ago")).values():
        assert "sent " in copy.text, copy
    return dict.fromkeys(
        targets, "converted: `sent` and the moment with the words, beyond `max_age_min`; or a dead letter `too old`"
    )


ROUTE: dict[str, Action] = {
    "message deleted within the hold window": hold_window,
    "preview of a link": previews,
    "name of the sender by a template": templates,
    "long text as a file": long_as_file,
    "file above the limit, as a link": linked_files,
    "deletion that is marked": marked_deletions,
    "reactions as a tally": tallies,
    "copy that failed for good": failures,
    "late message": late,
}

"""A chat's new name: given to the other chats where a route wants that, else told by a line; and never sent round."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.model.errors import OutcomeUnknown, Rejected, RetryLater
from bridge.model.events import ChatRenamed
from bridge.policy.routing import Renames, Route
from tests.support.patience import eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, all_done, bridge, end

TOLD = "Anna renamed the chat to “War Room”"


class Renaming(ScriptedPlatform):
    """Its chats have names, in small letters; it tells of every renaming, also of the bot's."""

    def __init__(self, name: str) -> None:
        super().__init__(name, adapter=RenamingAdapter)
        self.names: list[str] = []
        self.refusals: list[Exception] = []

    def rename(self, name: str, thread: str | None = None) -> None:
        meta = self.meta(f"renamed:{name}:{next(self.ids)}", "c", thread=thread)
        self.hear(ChatRenamed(meta=meta, name=name))


class RenamingAdapter(ScriptedAdapter):
    platform: Renaming

    async def rename_chat(self, chat_id: str, name: str) -> str:
        if self.platform.refusals:
            raise self.platform.refusals.pop(0)
        self.platform.names.append(name.lower())
        self.platform.rename(name.lower().replace(" ", "-"))
        return name.lower()


def route(*names: str, **options: Any) -> list[Route]:
    return [Route(name="r", ends=tuple(end(f"{name}/c", options={"renames": Renames.CHAT, **options}) for name in names))]


async def test_all_chats_get_the_name_once(tmp_path: Path) -> None:
    one, two, three = Renaming("one"), Renaming("two"), ScriptedPlatform("three")
    async with bridge(tmp_path, [one, two, three], route("one", "two", "three")) as app:
        one.rename("War Room")
        await eventually(lambda: two.names == ["war room"])
        await eventually(lambda: [TOLD in text for text in three.texts()] == [True], "a line where it has no name")
        await all_done(app)
        await eventually(lambda: len(two.confirmed) == 1, "it came back")
        assert (one.names, two.texts(), one.texts()) == ([], [], [])
        two.rename("salon")
        await eventually(lambda: one.names == ["salon"])
        await all_done(app)
        assert two.names == ["war room"]


@pytest.mark.parametrize(
    "refusal", [Rejected("the bot may not"), RetryLater("twice in ten minutes", after_s=500.0, rate_limited=True)]
)
async def test_where_it_may_not_or_would_have_to_wait_long_a_line_tells_it(tmp_path: Path, refusal: Exception) -> None:
    one, two = Renaming("one"), Renaming("two")
    two.refusals.append(refusal)
    async with bridge(tmp_path, [one, two], route("one", "two")) as app:
        one.rename("War Room")
        one.say("and on")
        await eventually(lambda: [TOLD in text for text in two.texts()] == [True, False])
        await all_done(app)
        two.rename("war room")
        await eventually(lambda: one.names == ["war room"], "that was somebody else")


async def test_a_fault_is_tried_again_and_a_name_without_letters_is_told(tmp_path: Path) -> None:
    one, two = Renaming("one"), Renaming("two")
    two.refusals += [RetryLater("busy", after_s=0.01), OutcomeUnknown("no answer")]
    async with bridge(tmp_path, [one, two], route("one", "two")) as app:
        one.rename("War Room")
        await eventually(lambda: two.names == ["war room"])
        one.rename("\u202e\u200b")
        await eventually(lambda: len(two.texts()) == 1)
        one.rename("a\nb" + "x" * 500)
        await eventually(lambda: len(two.names) == 2)
        await all_done(app)
        assert len(two.names[1]) <= 100
        assert "\n" not in two.names[1]
        assert not await app._journal.dead_letters()


@pytest.mark.parametrize("renames", [Renames.LINE, True])
async def test_a_line_is_all_where_the_route_says_so_and_of_threads(tmp_path: Path, renames: Any) -> None:
    one, two = Renaming("one"), Renaming("two")
    async with bridge(tmp_path, [one, two], route("one", "two", renames=renames)) as app:
        one.rename("War Room")
        await eventually(lambda: [TOLD in text for text in two.texts()] == [True])
        await all_done(app)
        assert two.names == []

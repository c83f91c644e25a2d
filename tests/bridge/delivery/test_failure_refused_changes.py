"""A reaction or a pin that the target does not take, and a change that nobody can help, is skipped by name: no dead letter, and
nothing waits behind it. A right that is missing is a dead letter that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.model.adapter import Adapter, Copy
from bridge.model.errors import ChangeRefused, MessageGone, Rejected, RightMissing
from bridge.model.events import PinsChanged
from bridge.model.outcomes import Skip, read_skip
from bridge.model.platform import Platform
from bridge.policy.routing import Route
from tests.support.patience import eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, bridge, end


class Pinning(ScriptedPlatform):
    """A platform with pins, none of which the bot may set."""

    def manifest(self) -> Platform:
        platform = self

        class PinningAdapter(ScriptedAdapter):
            async def pin(self, copy: Copy, pinned: bool) -> None:
                raise Rejected("the bot lacks Pin Messages there")

        def build(context: Any) -> Adapter:
            return PinningAdapter(platform, context)

        return msgspec.structs.replace(super().manifest(), build=build)


def react(one: ScriptedPlatform, two: ScriptedPlatform, message_id: str) -> None:
    """Neither the reaction nor a line about it."""
    two.faults += [(Rejected("Telegram does not let bots react with 🧀 here"), False), (Rejected("no lines about 🧀"), False)]
    one.react(message_id, "🧀")


def pin(one: ScriptedPlatform, two: ScriptedPlatform, message_id: str) -> None:
    one.hear(PinsChanged(meta=one.meta("pin", "c"), message_id=message_id, pinned=True))


def edit(one: ScriptedPlatform, two: ScriptedPlatform, message_id: str) -> None:
    two.faults.append((ChangeRefused("the message is too old to be edited"), False))
    one.edit(message_id, "hello!")


def delete(one: ScriptedPlatform, two: ScriptedPlatform, message_id: str) -> None:
    two.faults.append((ChangeRefused("the message is not ours"), False))
    one.delete(message_id)


@pytest.mark.parametrize(
    ("change", "skip", "why"),
    [
        (react, Skip.REACTION_REFUSED, "no lines about 🧀"),
        (pin, Skip.PIN_REFUSED, "lacks Pin Messages"),
        (edit, Skip.EDIT_REFUSED, "too old to be edited"),
        (delete, Skip.DELETE_REFUSED, "not ours"),
    ],
)
async def test_what_the_target_does_not_take_is_skipped(
    tmp_path: Path, change: Callable[[ScriptedPlatform, ScriptedPlatform, str], None], skip: Skip, why: str
) -> None:
    one, two = ScriptedPlatform("one"), Pinning("two")
    route = Route(name="r", ends=(end("one/c"), end("two/c", options={"pins": True})))
    async with bridge(tmp_path, [one, two], [route]) as app:
        message_id = one.say("hello")
        await eventually(lambda: two.texts() == ["hello"])
        change(one, two, message_id)
        one.say("end")
        await eventually(lambda: two.texts() == ["hello", "end"])
        assert await app._journal.dead_letters() == []
        traced = await app._journal.trace_delivery(2)
        assert traced is not None
        (ended,) = traced.event.deliveries
        assert (ended.state.value, read_skip(ended.note)) == ("skipped", skip)
        assert why in ended.note
        assert f'rule="{skip.label}"' in app.metrics.expose()[0].decode()


@pytest.mark.parametrize("change", ["edit", "delete"])
async def test_a_right_that_is_missing_is_a_dead_letter_that_a_retry_helps(tmp_path: Path, change: str) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        message_id = one.say("hello")
        await eventually(lambda: two.texts() == ["hello"])
        two.faults.append((RightMissing("may not", action="give it Manage Messages"), False))
        if change == "edit":
            one.edit(message_id, "hello!")
        else:
            one.delete(message_id)
        one.say("end")
        await eventually(lambda: two.texts() == ["hello", "end"])
        (dead,) = await app._journal.dead_letters()
        assert dead.reason == "refused: may not. What to do: give it Manage Messages"
        await app._journal.retry_dead([dead.delivery_id])
        await eventually(lambda: two.texts() == (["hello!", "end"] if change == "edit" else ["end"]))
        assert await app._journal.dead_letters() == []


@pytest.mark.parametrize("last", ["gone", "too old"])
async def test_of_several_copies_the_refusal_that_can_be_mended_counts(tmp_path: Path, last: str) -> None:
    """One copy is gone or too old, another one lacks a right: a retry still has something to do."""
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        message_id = one.say("x" * 5000)
        await eventually(lambda: len(two.texts()) > 1)
        final = MessageGone("gone") if last == "gone" else ChangeRefused("too old")
        two.faults += [(RightMissing("may not", action="give it Manage Messages"), False), (final, False)]
        one.delete(message_id)
        await eventually(lambda: not two.faults)
        one.say("end")
        await eventually(lambda: two.texts()[-1] == "end")
        (dead,) = await app._journal.dead_letters()
        assert "give it Manage Messages" in dead.reason


async def test_copies_that_are_gone_are_deleted(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        message_id = one.say("hello")
        await eventually(lambda: two.texts() == ["hello"])
        two.faults.append((MessageGone("gone"), False))
        one.delete(message_id)
        one.say("end")
        await eventually(lambda: two.texts()[-1] == "end")
        assert await app._journal.dead_letters() == []


async def test_one_copy_that_cannot_change_any_more_keeps_the_others_from_nothing(tmp_path: Path) -> None:
    """The text becomes shorter: the first copy gets its words, the second is too old to be deleted and stays."""
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two", text_length=30)
    route = Route(name="r", ends=(end("one/c"), end("two/c")))
    async with bridge(tmp_path, [one, two], [route]) as app:
        message_id = one.say("one two three four five six seven eight nine ten")
        await eventually(lambda: len(two.texts()) == 2)
        tail = two.texts()[1]
        two.faults.extend([None, (ChangeRefused("too old to be deleted"), False)])
        one.edit(message_id, "short")
        one.say("end")
        await eventually(lambda: two.texts() == ["short", tail, "end"])
        traced = await app._journal.trace_delivery(2)
        assert traced is not None
        (ended,) = traced.event.deliveries
        assert (ended.state.value, read_skip(ended.note)) == ("skipped", Skip.EDIT_REFUSED)
        one.edit(message_id, "shorter")
        await eventually(lambda: two.texts()[0] == "shorter")
        assert await app._journal.dead_letters() == []

"""A reaction or a pin that the target does not take is skipped by name: no dead letter, and nothing waits behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.model.adapter import Adapter, Copy, Manifest
from bridge.model.errors import Rejected
from bridge.model.events import PinsChanged
from bridge.model.outcomes import Skip, read_skip
from bridge.policy.routing import Route
from tests.flows.world import eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, bridge, end


class Pinning(ScriptedPlatform):
    """A platform with pins, none of which the bot may set."""

    def manifest(self) -> Manifest:
        platform = self

        class PinningAdapter(ScriptedAdapter):
            async def pin(self, copy: Copy, pinned: bool) -> None:
                raise Rejected("the bot lacks Pin Messages there")

        def build(context: Any) -> Adapter:
            return PinningAdapter(platform, context)

        return msgspec.structs.replace(super().manifest(), build=build)


def react(one: ScriptedPlatform, two: ScriptedPlatform, message_id: str) -> None:
    two.faults.append((Rejected("Telegram does not let bots react with 🧀 here"), False))
    one.react(message_id, "🧀")


def pin(one: ScriptedPlatform, two: ScriptedPlatform, message_id: str) -> None:
    one.hear(PinsChanged(meta=one.meta("pin", "c"), message_id=message_id, pinned=True))


@pytest.mark.parametrize(
    ("change", "skip", "why"),
    [(react, Skip.REACTION_REFUSED, "let bots react with 🧀"), (pin, Skip.PIN_REFUSED, "lacks Pin Messages")],
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

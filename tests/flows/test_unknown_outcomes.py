"""Sends whose answer never comes: the message is there once where the platform can be asked, and else as the route says.

Whole flows: real client libraries, emulators that process a request and then cut, hang or fail (or do not process it at all).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from bridge.journal.contract import DeliveryStatus
from tests.flows.world import World
from tests.support.patience import eventually, eventually_asked

AFTER = (FaultKind.DROP_AFTER, FaultKind.HANG_AFTER, FaultKind.SERVER_ERROR_AFTER)
"""The request was processed, the answer did not come."""
BEFORE = (FaultKind.DROP, FaultKind.HANG, FaultKind.SERVER_ERROR)
SENDS = {
    "telegram": "sendMessage",
    "slack": "chat.postMessage",
    "discord": "POST /webhooks/*",
    "discord as bot": "POST /channels/{channel}/messages",
    "teamspirit": "POST /chats/{chat}/messages",
}
REQUEST_TIMEOUT_S = 4.0


class Impatient(World):
    """Two platforms, and a target whose answers are not waited for long."""

    def __init__(self, folder: Path, how: str) -> None:
        self.target, _, as_bot = how.partition(" ")
        self.origin = "slack" if self.target != "slack" else "teamspirit"
        super().__init__(folder, platforms=(self.origin, self.target))
        if self.origin == "teamspirit":
            self.emulators["teamspirit"].world.rules.max_text_chars = 20_000  # type: ignore[attr-defined]
        self.operation = SENDS[how]
        self.more: dict[str, Any] = {"request_timeout_s": REQUEST_TIMEOUT_S} | ({"post_as": "bot"} if as_bot else {})

    def document(self) -> dict[str, Any]:
        document = super().document()
        document["accounts"][self.target] |= self.more
        return document

    def break_sends(self, kind: FaultKind, *, skip: int = 0) -> None:
        self.emulators[self.target].inject(Fault(kind=kind, operation=self.operation, times=1, skip=skip))

    def sends(self) -> int:
        return sum(_matches(self.operation, call) for call in self.emulators[self.target].calls())

    def unknowns(self) -> float:
        """How many unknown outcomes the admin can see in the metrics."""
        assert self.app is not None
        exposed = self.app.metrics.expose()[0].decode()
        return sum(float(found) for found in re.findall(r'outcome="unknown"[^}]*\} ([0-9.]+)', exposed))


def _matches(operation: str, call: str) -> bool:
    return call == operation or (operation.endswith("*") and call.startswith(operation[:-1]))


@pytest.fixture
async def impatient(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    worlds: list[Impatient] = []

    async def start(how: str, **route_options: Any) -> Impatient:
        world = Impatient(tmp_path, how)
        worlds.append(world)
        world.route_options = route_options
        await world.start_platforms()
        await world.start_bridge()
        await world.say(world.origin, "first of all")  # connections and webhooks are made
        await world.copy(world.target, "first of all")
        return world

    yield start
    for world in worlds:
        await world.stop_bridge()
        await world.stop_platforms()


@pytest.mark.parametrize("how", [how for how in SENDS if how != "telegram"])
async def test_a_platform_that_can_be_asked_has_every_message_once(impatient: Callable[..., Any], how: str) -> None:
    world = await impatient(how)
    kinds = (*AFTER, *BEFORE)
    for kind in kinds:
        world.break_sends(kind)
        await world.say(world.origin, f"over {kind.value}.")
        await world.say(world.origin, f"next of {kind.value}.")
        await world.copy(world.target, f"next of {kind.value}.")
        await world.copy(world.target, f"over {kind.value}.")
    shown = [found[0] for message in world.copies(world.target, "o") if (found := re.search(r"(over|next of) \w+\.", message.text))]
    assert shown == [f"{word} {kind.value}." for kind in kinds for word in ("over", "next of")]
    assert world.unknowns() == len(kinds)


async def test_telegram_cannot_be_asked_and_by_default_gets_it_again(impatient: Callable[..., Any]) -> None:
    world = await impatient("telegram")
    for kind in (*AFTER, *BEFORE):
        world.break_sends(kind)
        await world.say(world.origin, f"perhaps over {kind.value}.")
        await world.say(world.origin, f"surely after {kind.value}.")
        await world.copy(world.target, f"surely after {kind.value}.")
        assert len(world.copies(world.target, f"perhaps over {kind.value}.")) == (2 if kind in AFTER else 1)
    assert world.unknowns() == 6


async def test_telegram_cannot_be_asked_and_a_route_may_leave_it_to_a_human(impatient: Callable[..., Any]) -> None:
    world = await impatient("telegram", unknown="hold")
    for kind in (*AFTER, *BEFORE):
        world.break_sends(kind)
        await world.say(world.origin, f"perhaps over {kind.value}!")
        await world.say(world.origin, f"surely after {kind.value}!")
        await world.copy(world.target, f"surely after {kind.value}!")
        assert len(world.copies(world.target, f"perhaps over {kind.value}!")) == (kind in AFTER)
    assert world.app is not None
    letters = await world.app._journal.dead_letters()
    assert [letter.state for letter in letters] == [DeliveryStatus.HELD] * 6
    assert all("may have arrived" in letter.reason for letter in letters)
    await world.app._journal.retry_dead([letters[0].delivery_id])
    await eventually(lambda: len(world.copies(world.target, f"perhaps over {AFTER[0].value}!")) == 2)


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.DROP])
@pytest.mark.parametrize("how", [how for how in SENDS if how != "telegram"])
async def test_a_dead_letter_that_may_have_arrived_is_asked_for_before_it_is_sent_again(
    impatient: Callable[..., Any], how: str, kind: FaultKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await impatient(how)
    assert world.app is not None
    journal = world.app._journal
    monkeypatch.setattr("bridge.policy.retry._too_late", lambda *_: True)
    world.break_sends(kind)
    await world.say(world.origin, "perhaps over.")
    (letter,) = await eventually_asked(journal.dead_letters, holds=lambda letters: len(letters) == 1)
    assert "may have arrived" in letter.reason
    monkeypatch.undo()
    await journal.retry_dead([letter.delivery_id])
    await world.copy(world.target, "perhaps over.")
    await eventually_asked(journal.open_lanes, holds=lambda lanes: not lanes)
    await world.say(world.origin, "the end.")
    await world.copy(world.target, "the end.")
    assert len(world.copies(world.target, "perhaps over.")) == 1


@pytest.mark.parametrize("how", SENDS)
async def test_a_long_message_resumes_at_the_first_part_without_a_receipt(impatient: Callable[..., Any], how: str) -> None:
    world = await impatient(how)
    for kind in (FaultKind.DROP_AFTER, FaultKind.SERVER_ERROR):
        await _cut_in_the_second_part(world, kind)


async def _cut_in_the_second_part(world: Impatient, kind: FaultKind) -> None:
    words = [f"{kind.value}:{number:04}" for number in range(800)]
    before = world.sends()
    world.break_sends(kind, skip=1)
    await world.say(world.origin, " ".join(words))
    await world.say(world.origin, f"end of {kind.value}")
    await world.copy(world.target, f"end of {kind.value}")
    in_parts = [found for message in world.copies(world.target, "") if (found := re.findall(rf"{kind.value}:\d+", message.text))]
    doubled = world.target == "telegram" and kind in AFTER
    if doubled:
        assert in_parts.pop(2) == in_parts[1]
    assert len(in_parts) > 1
    assert [word for part in in_parts for word in part] == words
    needed = len(in_parts) + len(["the end"])
    assert world.sends() - before == needed + (doubled or kind in BEFORE)

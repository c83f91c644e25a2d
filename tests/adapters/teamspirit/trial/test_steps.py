"""Which operations a trial tries, which it leaves out, and that nothing stays behind."""

from __future__ import annotations

from adapters.teamspirit.emulator import TeamSpiritEmulator
from adapters.teamspirit.trial.operations import OPERATIONS
from adapters.teamspirit.trial.steps import NEEDS, READING
from bridge.model.dialects import StepState
from tests.adapters.teamspirit.trial.conftest import Try


async def test_what_needs_something_that_does_not_work_is_not_tried(attempt: Try, emulator: TeamSpiritEmulator) -> None:
    steps = await attempt({"operations": {"send": {"path": "/rooms"}}})
    assert {name for name, step in steps.items() if step.state is StepState.SKIPPED} == {"edit", "react", "unreact", "delete"}
    assert "needs send" in steps["edit"].detail
    steps = await attempt({"operations": {"chats": {"path": "/rooms"}}}, chat=emulator.chats()[0].chat_id)
    assert {name for name, step in steps.items() if step.state is not StepState.OK} == {"chats"}


async def test_reading_alone_changes_nothing(attempt: Try, emulator: TeamSpiritEmulator) -> None:
    steps = await attempt(reading=True)
    assert set(steps) == READING - {"websocket", "member"}
    assert not emulator.transcript(emulator.chats()[0].chat_id)


async def test_only_what_is_asked_for_and_what_it_needs(attempt: Try, emulator: TeamSpiritEmulator) -> None:
    assert list(await attempt(only=["react"])) == ["me", "chats", "send", "react", "unreact", "delete"]
    assert all(message.deleted for message in emulator.transcript(emulator.chats()[0].chat_id))
    assert set(NEEDS) <= set(OPERATIONS)


async def test_a_server_that_is_not_there_is_one_clear_complaint(attempt: Try, emulator: TeamSpiritEmulator) -> None:
    await emulator.refuse_connections(True)
    steps = await attempt()
    assert [one.entry for one in steps["me"].complaints] == ["base"]
    assert steps["send"].state is StepState.SKIPPED

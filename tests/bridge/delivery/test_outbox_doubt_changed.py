"""A message of unknown outcome that was deleted or edited meanwhile: if it is not there, it is not sent as it was."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.model.adapter import Outbound
from bridge.model.errors import OutcomeUnknown
from bridge.model.rich_text import text_of
from bridge.policy.retry import Policy
from bridge.policy.routing import OnUnknown, Route
from tests.support.patience import eventually
from tests.support.scripted import Posted, ScriptedPlatform, all_done, bridge, end

QUICK = Policy(base_s=0.02, cap_s=0.02, floor_s=0.01)
RESENT = Route(name="r", ends=tuple(end(f"{name}/c", options={"unknown": OnUnknown.RESEND}) for name in ("one", "two")))


def change(one: ScriptedPlatform, message_id: str, how: str) -> None:
    if how == "deleted":
        one.delete(message_id)
    else:
        one.edit(message_id, "last words")


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("arrived", [False, True])
@pytest.mark.parametrize("how", ["deleted", "edited"])
async def test_what_is_not_there_is_not_sent_as_it_was(tmp_path: Path, how: str, arrived: bool, restarted: bool) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    sent: list[Outbound] = []
    two.before_send = sent.append
    two.hang = asyncio.Event()
    two.faults.append((OutcomeUnknown("cut"), arrived))
    async with bridge(tmp_path, [one, two], policy=QUICK) as app:
        said = one.say("first words")
        await eventually(lambda: two.sends == 1, "its attempt is under way")
        change(one, said, how)
        one.say("behind it")
        await eventually(lambda: len(one.confirmed) == 3, "the change is in the journal")
        if restarted:
            await app.stop(drain_s=0)
        else:
            two.hang.set()
            await all_done(app)
    if restarted:
        if arrived:  # the call went on beyond the process that made it
            two.chats["c"] = [Posted(message_id="two-b0", text="first words", sender="Anna", token=sent[0].token)]
        two.hang = None
        two.faults.clear()
        async with bridge(tmp_path, [one, two], policy=QUICK) as app:
            await all_done(app)
    first = [message for message in two.chats["c"] if message.text != "behind it"]
    if how == "deleted":
        assert [message.deleted for message in first] == [True] * arrived
    else:
        assert [message.text for message in first] == ["last words"]
    assert len(two.asked_since) == 1
    assert sum(text_of(outbound.text) == "first words" for outbound in sent) == 1, "that was the first attempt"
    assert two.texts()[-1] == "behind it"


async def test_where_nobody_can_tell_it_is_not_sent_again_as_it_was(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two", reconciles=False)
    two.hang = asyncio.Event()
    two.faults.append((OutcomeUnknown("cut"), False))
    async with bridge(tmp_path, [one, two], [RESENT], policy=QUICK) as app:
        said = one.say("first words")
        await eventually(lambda: two.sends == 1, "its attempt is under way")
        one.delete(said)
        one.say("behind it")
        await eventually(lambda: len(one.confirmed) == 3, "the deletion is in the journal")
        two.hang.set()
        await all_done(app)
    assert [message.text for message in two.posted()] == ["behind it"]
    assert two.sends == 2

"""A thousand dead letters that are sent again while the chat talks on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.model.errors import Rejected
from tests.support.patience import eventually
from tests.support.scripted import ScriptedPlatform, all_done, bridge

MANY = 1000


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.delivery.retry_requests.RETRY_POLL_S", 0.05)


async def test_letters_and_talk_take_turns_each_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    two.faults.extend([(Rejected("too ugly"), False)] * MANY)
    async with bridge(tmp_path, [one, two]) as app:
        for number in range(MANY):
            one.say(f"d{number}")
        await eventually(lambda: two.sends == MANY)
        await all_done(app)
        letters = [letter.delivery_id for letter in await app._journal.dead_letters(limit=MANY)]
        assert len(letters) == MANY
        readings, real = 0, app._journal.behind

        async def behind(*arguments):  # type: ignore[no-untyped-def]
            nonlocal readings
            readings += 1
            return await real(*arguments)

        monkeypatch.setattr(app._journal, "behind", behind)
        for number in range(300):
            one.say(f"m{number}")
        await app._journal.retry_dead(letters)
        await eventually(lambda: "m299" in two.texts())
        await eventually(lambda: f"d{MANY - 1}" in two.texts())
        await all_done(app)
    everything = two.texts()
    assert [text for text in everything if text[0] == "m"] == [f"m{number}" for number in range(300)]
    assert [text for text in everything if text[0] == "d"] == [f"d{number}" for number in range(MANY)]
    during = everything[: everything.index("m299")]
    assert sum(text[0] == "d" for text in during) <= 320  # while there is talk they take turns
    assert readings < MANY * 2 + 500

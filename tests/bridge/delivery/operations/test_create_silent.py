"""What its author sent without a notification notifies nobody elsewhere, and is not merged with what does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.patience import eventually
from tests.support.scripted import ScriptedPlatform, bridge


@pytest.mark.parametrize("silent", [True, False])
async def test_every_part_of_it_is_as_silent_as_the_original(tmp_path: Path, silent: bool) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two", text_length=20)
    sent: list[bool] = []
    two.before_send = lambda outbound: sent.append(outbound.silent)
    async with bridge(tmp_path, [one, two]):
        one.say("a text of several parts, word by word", silent=silent)
        await eventually(lambda: len(two.texts()) > 1)
        one.say("end", silent=not silent)
        await eventually(lambda: two.texts()[-1] == "end")
    assert sent == [silent] * (len(sent) - 1) + [not silent]

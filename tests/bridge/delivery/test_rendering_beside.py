"""A long text is rendered beside the loop: whoever waits for it may be stopped meanwhile, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

from tests.support.long_texts import thread_held_up
from tests.support.patience import eventually
from tests.support.scripted import ScriptedPlatform, all_done, bridge

LONG = " ".join(f"w{number}" for number in range(1500))


async def test_a_stop_while_a_long_text_is_rendered(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    two.text_length = 2000
    async with thread_held_up() as held:
        app = bridge(tmp_path, [one, two])
        await app.start()
        one.say(LONG)
        one.say("next")
        await held.until_waiting()
        await app.stop(drain_s=0)
        assert two.texts() == []
    async with bridge(tmp_path, [one, two]) as app:
        await eventually(lambda: "next" in two.texts())
        await all_done(app)
    assert " ".join(two.texts()).split() == [*LONG.split(), "next"]

"""A place that moves: its copy changes at most once in a while, and the last place always comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.model.events import Location
from bridge.policy.routing import Route
from tests.support.patience import eventually
from tests.support.scripted import ScriptedPlatform, all_done, bridge, end, with_options


@pytest.mark.parametrize("attachments_known", [True, False])
async def test_the_last_place_comes_whatever_is_known_of_files(tmp_path: Path, attachments_known: bool) -> None:
    """The second waits for its turn, the third leaves it to the second. A slow machine makes this test weaker, never red."""
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    route = with_options(Route(name="r", ends=(end("one/c"), end("two/c"))), tally_every_s=1.0)
    async with bridge(tmp_path, [one, two], [route]) as app:
        said = one.say("where I am", location=Location(latitude=1.0, longitude=2.0, live=True))
        await eventually(lambda: two.posted())
        for number in range(1, 5):
            place = Location(latitude=1.0 + number, longitude=2.0, live=True)
            one.edit(said, f"place {number}", location=place, attachments_known=attachments_known)
        await eventually(lambda: len(one.confirmed) == 5)
        await all_done(app)
        assert "place 4" in "\n".join(two.texts())

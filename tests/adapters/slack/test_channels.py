"""Where a channel's name leads: listed rarely, and again at once for a channel that was made since."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.channels import Channels
from bridge.model.errors import ChatDown


class Workspace:
    """Answers conversations.list with the channels that there are, by their names."""

    def __init__(self, **channels: str) -> None:
        self.channels = channels
        self.listed = 0

    async def call(self, method: str, arguments: Any, **_: Any) -> dict[str, Any]:
        assert method == "conversations.list"
        self.listed += 1
        return {"ok": True, "channels": [{"id": id_, "name": name, "is_member": True} for name, id_ in self.channels.items()]}


@pytest.fixture
def time_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now_s = [1000.0]
    monkeypatch.setattr("adapters.slack.channels.time.monotonic", lambda: now_s[0])
    return now_s


async def test_a_channel_that_was_made_since_the_last_listing_is_found(time_s: list[float]) -> None:
    workspace = Workspace(old="C1")
    transport: Any = workspace
    channels = Channels(transport)
    assert await channels.resolve("#old") == "C1"
    workspace.channels["new"] = "C2"
    time_s[0] += 15
    assert await channels.resolve("#new") == "C2"
    assert await channels.resolve("#old") == "C1"
    assert workspace.listed == 2


async def test_names_of_no_channel_list_no_more_than_now_and_then(time_s: list[float]) -> None:
    workspace = Workspace(old="C1")
    transport: Any = workspace
    channels = Channels(transport)
    for number in range(20):
        time_s[0] += 0.1
        with pytest.raises(ChatDown):
            await channels.resolve(f"#lost{number}")
    assert workspace.listed == 1

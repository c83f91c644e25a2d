"""matterbridge's API for programs as an end here."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.registry import load_platform, matterbridge
from bridge.model.foreign_settings import ForeignSection


def section(**values: Any) -> ForeignSection:
    return ForeignSection("api.main", {key.lower(): value for key, value in values.items()}, {key.lower(): key for key in values})


def test_the_api_is_an_end_from_which_messages_are_fetched() -> None:
    given = section(BindAddress="0.0.0.0:4242", Token="t", Buffer=1000)
    assert matterbridge()["api"].account(given) == {"ends": {"api": {"fetch": True}}}
    assert [note.place for note in given.notes] == ["api.main.BindAddress", "api.main.Token", "api.main.Buffer"]
    assert not given.secrets


@pytest.mark.parametrize("channel", ["api", ""])
def test_it_has_one_channel(channel: str) -> None:
    chat = matterbridge()["api"].chat(channel, {})
    assert chat == "api"
    assert load_platform("webhook").check_address(chat) is None

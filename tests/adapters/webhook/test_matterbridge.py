"""matterbridge's API for programs as an account here."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.registry import load_platform, matterbridge
from bridge.model.foreign_settings import ForeignSection


def section(**values: Any) -> ForeignSection:
    return ForeignSection("api.main", {key.lower(): value for key, value in values.items()}, {key.lower(): key for key in values})


def test_the_api_stays_what_its_programs_speak() -> None:
    given = section(BindAddress="0.0.0.0:4242", Token="t", Buffer=1000)
    given.gateways += ["gateway1", "My room!", "my/room", "My room"]
    options = matterbridge()["api"].account(given)
    ends = {"gateway1": {}, "My-room": {"gateway": "My room!"}, "my-room": {"gateway": "my/room"}}
    assert options == {"style": "matterbridge", "buffer": 1000, "ends": ends}
    told = ["BindAddress", "Token", "gateway"]
    assert [note.place for note in given.notes] == [f"api.main.{name}" for name in told]
    assert "'My room'" in given.notes[-1].why
    assert not given.secrets
    platform = load_platform("webhook")
    assert not platform.check_options(platform.options().model_validate(options))


@pytest.mark.parametrize(("buffer", "kept"), [("", {}), (0, {"buffer": 0}), (10**9, {"buffer": 10_000}), (-5, {"buffer": 0})])
def test_a_buffer_is_within_bounds(buffer: object, kept: dict[str, int]) -> None:
    options = matterbridge()["api"].account(section(Buffer=buffer))
    assert options == {"style": "matterbridge", **kept, "ends": {"api": {}}}


@pytest.mark.parametrize("gateway", ["gateway1", "", "...", "a b/c", "комната", "x" * 200])
def test_each_gateway_has_an_end(gateway: str) -> None:
    assert matterbridge()["api"].by_gateway
    assert load_platform("webhook").check_address(matterbridge()["api"].chat(gateway, {})) is None

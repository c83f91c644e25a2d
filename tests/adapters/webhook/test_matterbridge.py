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
    chat = matterbridge()["api"].chat
    ends = {"gateway1": {}, **{chat(name, {}): {"gateway": name} for name in given.gateways[1:]}}
    assert len(ends) == 4
    assert options == {"style": "matterbridge", "buffer": 1000, "ends": ends}
    told = ["BindAddress", "Token"]
    assert [note.place for note in given.notes] == [f"api.main.{name}" for name in told]
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


def test_no_two_gateways_share_an_end() -> None:
    chat = matterbridge()["api"].chat
    names = [
        "my room",
        "my-room",
        "my/room",
        "My room",
        "комната",
        "кухня",
        "дверь",
        "...",
        "",
        "api",
        "x" * 64,
        "x" * 65,
        "x" * 66,
    ]
    ends = [chat(name, {}) for name in names]
    assert len(set(ends)) == len(names)
    assert all(len(end) <= 64 for end in ends)
    assert [end for name, end in zip(names, ends, strict=True) if name == end] == ["my-room", "api", "x" * 64]
    assert ends[0].startswith("my-room-")

"""What manifests say of people: a person is found, and mentioned, in the way that the platform has."""

from __future__ import annotations

import re

import pytest

from adapters.registry import load_emulator, load_platform
from tests.flows.world import PLATFORMS


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_whom_a_mention_names(platform: str) -> None:
    """`people` of bridge.yaml names a person by what a mention names. Where that is the username, it does not look like an id."""
    manifest, emulator = load_platform(platform).manifest, load_emulator(platform)
    await emulator.start()
    try:
        user_id, handle = emulator.add_person("Anna"), emulator.handle("Anna")
    finally:
        await emulator.stop()
    if manifest.mentions_by_username:
        assert handle != user_id
        assert not re.fullmatch(manifest.user_id, handle)

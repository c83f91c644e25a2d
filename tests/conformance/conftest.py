"""`platform` runs a test once for every platform; `rig` is that platform's adapter, connected to its emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.registry import platforms
from tests.conformance.rig import Rig


@pytest.fixture(params=platforms())
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def rig(platform: str) -> AsyncIterator[Rig]:
    async with Rig(platform) as made:
        yield made

"""`platform` runs a test once for every platform; `rig` is that platform's adapter, connected to its emulator.

Platforms of other packages take part as soon as they are installed; `--platform NAME` leaves the others out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.registry import platforms
from tests.conformance.cases import PLATFORM_OF_CODEC
from tests.conformance.rig import Rig


@pytest.fixture(params=platforms())
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def rig(platform: str) -> AsyncIterator[Rig]:
    async with Rig(platform) as made:
        yield made


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--platform", action="append", default=[], help="run the conformance suite over this platform alone (repeatable)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = set(config.getoption("--platform"))
    if unknown := wanted - set(platforms()):
        raise pytest.UsageError(f"--platform {', '.join(sorted(unknown))}: not among those installed: {', '.join(platforms())}")
    others = [item for item in items if wanted and Path(__file__).parent in item.path.parents and _platform(item) not in wanted]
    if others:
        items[:] = [item for item in items if item not in set(others)]
        config.hook.pytest_deselected(items=others)


def _platform(item: pytest.Item) -> str:
    """Which platform a test of the suite is about; empty for none of its own."""
    parameters = getattr(item, "callspec", None)
    named = {} if parameters is None else parameters.params
    of_codec: str = named.get("codec_name", named.get("platform", ""))
    return PLATFORM_OF_CODEC.get(of_codec, of_codec)

"""`hooks` is an account with one end for everything, behind the real public listener."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.webhook.harness import Hooks


@pytest.fixture
async def hooks(tmp_path: Path) -> AsyncIterator[Hooks]:
    async with Hooks(tmp_path, {"alerts": {}, "pages": {"get": True}, "other": {}}) as running:
        yield running

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.oracles.node_parsers import NodeParsers, why_not


@pytest.fixture(scope="session")
def ask() -> Iterator[NodeParsers]:
    if why := why_not():
        pytest.skip(why)
    parsers = NodeParsers()
    yield parsers
    parsers.close()

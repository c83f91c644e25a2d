"""Debug lines are put into words only where they are shown, and a reload changes that."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from bridge.config.model import LogConfig
from bridge.observability.logs import plain_defaults, set_up_logging
from bridge.observability.verbosity import is_debug_shown


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)
    plain_defaults()


def test_lines_are_said_at_debug_alone() -> None:
    set_up_logging(LogConfig(level="info"), stream=io.StringIO())
    assert not is_debug_shown()
    set_up_logging(LogConfig(level="debug"), stream=io.StringIO())
    assert is_debug_shown()
    plain_defaults()
    assert not is_debug_shown()

"""Moved: `tests/support/scripted.py`."""

from tests.support.scripted import *  # noqa: F403

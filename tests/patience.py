"""Moved: `tests/support/patience.py`."""

from tests.support.patience import PATIENCE_S as PATIENCE_S

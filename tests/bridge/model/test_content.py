"""Which degrees a map has."""

from __future__ import annotations

import math

import pytest

from bridge.model.content import Location


@pytest.mark.parametrize(
    ("latitude", "longitude", "is_on_earth"),
    [
        (0.0, 0.0, True),
        (-90.0, 180.0, True),
        (90.1, 0.0, False),
        (0.0, -180.1, False),
        (math.nan, 0.0, False),
        (0.0, math.inf, False),
        (1e300, 1e300, False),
    ],
)
def test_only_those_of_the_earth(latitude: float, longitude: float, is_on_earth: bool) -> None:
    assert Location(latitude=latitude, longitude=longitude).is_on_earth is is_on_earth

"""Capabilities as the core asks them: an unlisted feature, an unlisted operation, a bare level."""

from __future__ import annotations

import pytest

from bridge.model.capabilities import (
    UNLIMITED,
    Capabilities,
    Capability,
    Feature,
    Limits,
    Operation,
    Rates,
    RetrySchedule,
    Support,
    Window,
    features,
)

LIMITS = Limits(text_length=100, caption_length=0, upload_bytes=1)


def test_a_feature_that_is_not_listed_is_dropped() -> None:
    made = Capabilities(features=features({Feature.BOLD: Support.FULL}), limits=LIMITS)
    assert made.level(Feature.POLL) is Support.DROPPED
    assert made.note(Feature.POLL) == ""
    assert not made.native(Feature.POLL)


@pytest.mark.parametrize(("level", "native"), [(level, level in (Support.FULL, Support.PARTIAL)) for level in Support])
def test_full_and_partial_are_native(level: Support, native: bool) -> None:
    made = Capabilities(features=features({Feature.EDIT: Capability(level, "why")}), limits=LIMITS)
    assert made.native(Feature.EDIT) is native
    assert made.note(Feature.EDIT) == "why"


def test_a_table_takes_bare_levels_and_cannot_be_changed() -> None:
    table = features({Feature.BOLD: Support.FULL})
    assert table[Feature.BOLD] == Capability(Support.FULL)
    with pytest.raises(TypeError):
        table[Feature.BOLD] = Capability(Support.DROPPED)  # type: ignore[index]


def test_each_operation_has_its_own_rates_or_none() -> None:
    edits = Rates(per_chat=(Window(messages=1, span_s=1.0),))
    rates = Rates(per_chat=(Window(messages=20, span_s=60.0),), changes={Operation.EDIT: edits})
    assert rates.of(Operation.SEND) is rates
    assert rates.of(Operation.EDIT) is edits
    assert rates.of(Operation.DELETE) is UNLIMITED


def test_a_schedule_lasts_as_long_as_its_waits() -> None:
    assert RetrySchedule(waits_s=(1.0, 2.5)).span_s == 3.5

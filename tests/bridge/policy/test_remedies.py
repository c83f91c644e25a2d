"""Every rule has a remedy, or is known to have none; and what nobody misses is not told."""

from __future__ import annotations

import pytest

from bridge.model.outcomes import NamedSkip, Skip
from bridge.policy.remedies import NOTHING_TO_DO, REMEDIES, is_missed, remedy


def test_every_rule_is_in_one_of_the_two() -> None:
    assert set(REMEDIES) | NOTHING_TO_DO == set(Skip)
    assert not set(REMEDIES) & NOTHING_TO_DO
    assert all(REMEDIES.values())


def test_a_rule_with_a_name_of_its_own_has_the_remedy_of_its_kind() -> None:
    line = NamedSkip(Skip.FILTER, "filter 1: drop text ^DEBUG (line 25)")
    assert remedy(line) == REMEDIES[Skip.FILTER]
    assert "bridge.yaml" in remedy(line)
    assert remedy(Skip.COPY_DELETED) == ""


@pytest.mark.parametrize(
    ("rule", "missed"),
    [(Skip.MUTED, True), (Skip.FILTER, True), (Skip.MEMBERSHIP_OFF, False), (Skip.SUPERSEDED, False), (Skip.COMMAND, False)],
)
def test_what_nobody_misses_is_not_told(rule: Skip, missed: bool) -> None:
    assert is_missed(rule) is missed

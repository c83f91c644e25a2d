"""What each encoder writes means to parsers of other people what was meant: to all of a target's, but for what `targets` lists of
each with the reason."""

from __future__ import annotations

import pytest

from bridge.model.rich_text import normalize
from bridge.render.degrade import degrade
from tests.oracles.features import FEATURES, atoms
from tests.oracles.node_parsers import NodeParsers
from tests.oracles.targets import TARGETS, Target, misread


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_two_parsers_read_each_feature_as_it_was_meant(target: Target, ask: NodeParsers) -> None:
    for feature, rich in {**FEATURES, **atoms(target.name)}.items():
        shown = degrade(normalize(rich), target.capabilities, {})
        wire = target.encode(shown)
        for oracle in target.oracles:
            wrong = misread(target, oracle, shown, wire, ask)
            if why := oracle.blind.get(feature):
                assert wrong, f"{oracle.name} reads {feature} of {target.name} now: it is listed with {why!r}"
            else:
                assert not wrong, wrong
        assert any(feature not in oracle.blind for oracle in target.oracles), feature

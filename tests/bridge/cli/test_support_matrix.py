"""What `routes` tells must be what the core does: levels follow capabilities, options and the core's own decisions."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import msgspec
import pytest

from adapters import registry
from bridge.cli.support_matrix import KindSupport, Level, Side, support_of
from bridge.model.capabilities import Capabilities, Capability, Feature, Limits, Support, features
from bridge.policy.routing import RelayOptions


def side(table: Mapping[Feature, Capability | Support], **limits: int) -> Side:
    measures = msgspec.convert({"text_length": 100, "caption_length": 100, "upload_bytes": 50_000_000, **limits}, Limits)
    return Side(platform="x", title="X", capabilities=Capabilities(features=features(table), limits=measures))


EVERYTHING = side(dict.fromkeys(Feature, Support.FULL))
NOTHING = side({})


def found(origin: Side, target: Side, **options: object) -> dict[str, KindSupport]:
    return {fate.kind: fate for fate in support_of(origin, target, RelayOptions(**options))}  # type: ignore[arg-type]


def test_into_a_platform_that_can_everything() -> None:
    known = found(EVERYTHING, EVERYTHING, membership=True, renames=True, pins=True, typing=True, statuses=True)
    levels = {kind: fate.level for kind, fate in known.items()}
    said_in_text = {"poll", "joins and leaves", "renames", "statuses", "votes in polls"}
    assert {kind for kind, level in levels.items() if level is not Level.NATIVE} == said_in_text
    assert all(levels[kind] is Level.CONVERTED for kind in said_in_text)


def test_into_a_platform_that_can_nothing_text_is_still_text() -> None:
    known = found(EVERYTHING, NOTHING, pins=True, typing=True)
    assert known["bold"].level is Level.DROPPED
    assert known["quote"] == KindSupport("quote", Level.CONVERTED, "shown with > signs")
    assert known["heading"] == KindSupport("heading", Level.CONVERTED, "shown as a bold line")
    assert known["link"] == KindSupport("link", Level.CONVERTED, "shown as its address")
    assert known["reply"] == KindSupport("reply", Level.CONVERTED, "a quoted line")
    assert known["photo"] == KindSupport("photo", Level.CONVERTED, "a line with name and size")
    assert known["edits"] == KindSupport("edits", Level.DROPPED, "X cannot do it")
    assert known["pins"] == KindSupport("pins", Level.CONVERTED, "a line of text")


def test_out_of_a_platform_that_tells_little() -> None:
    known = found(side({Feature.SEES_DELETES: Capability(Support.DROPPED, "bots are not told")}), EVERYTHING)
    assert known["deletes"] == KindSupport("deletes", Level.DROPPED, "bots are not told")
    assert known["reactions"] == KindSupport("reactions", Level.DROPPED, "X does not report them")


@pytest.mark.parametrize(
    ("option", "kind"),
    [
        ("edits", "edits"),
        ("deletes", "deletes"),
        ("reactions", "reactions"),
        ("files", "files"),
        ("pins", "pins"),
        ("typing", "typing"),
    ],
)
def test_what_is_switched_off_is_off(option: str, kind: str) -> None:
    assert found(EVERYTHING, EVERYTHING, **{option: False})[kind].level is Level.OFF


def test_limits_of_both_sides_are_named() -> None:
    partly = side({Feature.EDIT: Capability(Support.PARTIAL, "for an hour")} | dict.fromkeys([Feature.PHOTO], Support.FULL))
    sees = side({Feature.SEES_EDITS: Capability(Support.PARTIAL, "if an admin")}, download_bytes=20_000_000)
    known = found(sees, partly)
    assert known["edits"] == KindSupport("edits", Level.PARTLY, "if an admin; for an hour")
    assert "up to 20 MB" in known["file size"].note
    assert "up to 5.0 MB" in found(sees, partly, max_file_mb=5)["file size"].note


@pytest.mark.parametrize(("origin", "target"), list(product(registry.platforms(), repeat=2)))
def test_every_pair_of_platforms(origin: str, target: str) -> None:
    sides = []
    for name in (origin, target):
        manifest = registry.load_platform(name)
        sides.append(Side(platform=name, title=manifest.title, capabilities=manifest.capabilities(None)))
    known = support_of(sides[0], sides[1], RelayOptions())
    kinds = [fate.kind for fate in known]
    assert len(kinds) == len(set(kinds))
    assert {"bold", "photo", "edits", "deletes", "reply", "sender name"} <= set(kinds)
    unexplained = [fate.kind for fate in known if fate.level in (Level.PARTLY, Level.CONVERTED) and not fate.note]
    assert not unexplained, f"{origin} -> {target}: say how"

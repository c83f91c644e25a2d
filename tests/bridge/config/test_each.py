"""`each` of a route: one route for every name."""

from __future__ import annotations

from typing import Any

import pytest


def routes(config: Any) -> list[tuple[str, list[str]]]:
    return [(route.name, [str(end) for end in route.ends]) for route in config.routes]


def test_a_route_for_every_name(zoo: Any) -> None:
    many = "{name: rooms, each: [x, y, 7], between: [polly/#*, {chat: 'owl/*', edits: false}], pins: true}"
    config = zoo.good(f"routes: [{many}, {{name: b, between: [polly/#b, owl/b]}}]")
    assert routes(config) == [
        ("rooms-x", ["polly/#x", "owl/x"]),
        ("rooms-y", ["polly/#y", "owl/y"]),
        ("rooms-7", ["polly/#7", "owl/7"]),
        ("b", ["polly/#b", "owl/b"]),
    ]
    assert [end.options.edits for end in config.routes[1].ends] == [True, False]
    assert all(end.options.pins for route in config.routes[:3] for end in route.ends)


def test_one_way_and_threads(zoo: Any) -> None:
    config = zoo.good("routes: [{name: r, each: [x, y], from: polly/#*, to: [coco/#*/45]}]")
    assert routes(config) == [("r-x", ["polly/#x", "coco/#x/45"]), ("r-y", ["polly/#y", "coco/#y/45"])]


def test_an_empty_each_is_none(zoo: Any) -> None:
    assert routes(zoo.good("routes: [{name: r, each: , between: [polly/#x, owl/y]}]")) == [("r", ["polly/#x", "owl/y"])]


@pytest.mark.parametrize(
    ("route", "why"),
    [
        ("{name: r, each: [x], between: [polly/#*, owl/y]}", "every end needs a * for the name, and owl/y has none"),
        ("{name: r, each: [], between: [polly/#*, owl/*]}", "routes[0].each: is empty"),
        ("{name: r, each: [x, x], between: [polly/#*, owl/*]}", "routes[0].each[1]: is there twice"),
        ("{name: r, each: ['*'], between: [polly/#*, owl/*]}", "must be a name, without *"),
        ("{name: r, each: x, between: [polly/#*, owl/*]}", "routes[0].each: must be a list"),
        ("{name: r, each: [{a: b}], between: [polly/#*, owl/*]}", "routes[0].each[0]"),
        ("{name: r, each: ['a b'], between: [polly/#*, owl/*]}", "no spaces in names"),
        ("{name: r, each: [x], between: polly/#*}", "routes[0].between"),
        ("{each: [x], between: [polly/#*, owl/*]}", "name is missing"),
        ("{name: r-x, between: [polly/#a, owl/a]}, {name: r, each: [x], between: [polly/#*, owl/*]}", "another route 'r-x'"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(zoo: Any, route: str, why: str) -> None:
    loaded = zoo.load(zoo.accounts + f"routes: [{route}]")
    assert loaded.config is None
    assert any(why in str(fault) for fault in loaded.faults), [str(fault) for fault in loaded.faults]

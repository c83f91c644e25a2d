"""The Grafana board: panels beside each other, each with queries; tests/flows/test_prometheus.py runs them."""

from __future__ import annotations

from bridge.observability.board import board


def test_the_board_has_no_panel_over_another() -> None:
    panels = board()["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_every_panel_says_what_it_shows() -> None:
    panels = board()["panels"]
    assert len(panels) > 15
    for panel in panels:
        assert panel["description"]
        assert panel["targets"]
        assert all(target["expr"] for target in panel["targets"])
    assert [one["name"] for one in board()["templating"]["list"]] == ["source", "account", "route"]

"""Chats with the same names at several accounts become a route with `each`."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from bridge.cli.same_names import same_names
from bridge.model.abilities import ListedChat


def chat(by_name: str, note: str = "") -> ListedChat:
    return ListedChat(address="1", by_name=by_name, note=note)


def test_names_that_are_everywhere_and_unique_are_one_route() -> None:
    same = same_names(
        {
            "team": [chat("#random"), chat("#help", "invite it"), chat("#ours"), chat("")],
            "guild": [chat("#help"), chat("#random"), chat("")],
            "spirit": [chat("random"), chat("help"), chat("#help"), chat("Ours")],
        }
    )
    assert yaml.safe_load(same.route()) == {
        "routes": [{"name": "rooms", "each": ["help", "random"], "between": ["team/#*", "guild/#*", "spirit/*"]}]
    }
    assert same.notes == {"help": "invite it"}


def test_without_a_common_name_there_is_no_route() -> None:
    same = same_names({"team": [chat("#random")], "spirit": [chat("help"), chat("a*b")], "guild": []})
    assert (same.names, same.route()) == ((), "")
    assert same_names({}).route() == ""


@given(st.lists(st.text(min_size=1, max_size=12).filter(lambda name: not name.startswith("#")), max_size=8, unique=True))
def test_any_name_is_written_so_that_yaml_reads_it_back(names: list[str]) -> None:
    chats = [chat(name) for name in names]
    same = same_names({"a": chats, "b": chats})
    expected = sorted(name for name in names if "*" not in name)
    assert list(same.names) == expected
    if expected:
        assert yaml.safe_load(same.route())["routes"][0]["each"] == expected

"""What a dialect may say beyond paths and bodies: lists made anew, uploads that are prepared, histories that page backwards."""

from __future__ import annotations

from adapters.teamspirit.dialect.load import load_dialect
from bridge.model.templates import fill_tree


def test_each_of_a_list_is_described_anew() -> None:
    tree = {"files": {"$each": "{{ files }}", "$item": {"key": "{{ item.id }}", "name": "{{ item.name }}", "n": "{{ item.none }}"}}}
    files = [{"id": "1", "name": "a"}, {"id": "2"}]
    assert fill_tree(tree, {"files": files}) == {"files": [{"key": "1", "name": "a"}, {"key": "2"}]}
    assert fill_tree(tree, {"files": []}) is None
    assert fill_tree({**tree, "text": "x"}, {}) == {"text": "x"}
    assert fill_tree(tree, {"files": "no list"}) is None


def test_what_is_prepared_and_paged_is_checked() -> None:
    def found(operations: dict[str, object]) -> str:
        return "\n".join(str(fault) for fault in load_dialect("pachca", {"operations": operations}).faults)

    assert not found({})
    assert "unknown variable 'prepard.url'" in found({"upload": {"url": "{{ prepard.url }}"}})
    assert "unknown variable 'nobody'" in found({"upload": {"prepare": {"path": "/{{ nobody }}"}}})
    assert "must say which file it became" in found({"upload": {"id": None}})
    assert "must say which file it became" in found({"upload": {"answer": {"id": "id"}}})
    assert "it needs 'by: after' and 'without_after: newest'" in found({"history": {"without_after": "oldest"}})
    assert "never says {{ cursor }}" in found({"history": {"query": {"cursor": None}}})

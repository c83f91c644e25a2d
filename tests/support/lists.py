"""Lists of mixed kinds as people write them, for the tests of every platform's text."""

from __future__ import annotations

from hypothesis import strategies as st

from bridge.model.rich_text import List, ListItem, RichText, Text, list_labels


def made_of(rows: list[tuple[int, bool, int]]) -> List:
    """No depth is left out, and a number is chosen only where a list begins."""
    items: list[ListItem] = []
    kinds: dict[int, bool] = {}
    outer, start = rows[0][1], rows[0][2]
    for place, (deeper, ordered, number) in enumerate(rows):
        indent = min(deeper, items[-1].indent + 1) if items else 0
        kind = outer if indent == 0 else ordered
        begins = kinds.get(indent) is not kind
        kinds = {**{above: one for above, one in kinds.items() if above < indent}, indent: kind}
        of_another_kind = kind if kind != outer else None
        items.append(ListItem((Text(f"word {place}"),), indent, of_another_kind, number if begins and kind and indent else None))
    return List(tuple(items), outer, start)


mixed_lists = st.builds(
    made_of,
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.sampled_from([1, 1, 2, 9, 10])), min_size=1, max_size=8),
)


def labels(rich: RichText) -> list[str]:
    """What stands before each item, and the item."""
    assert all(isinstance(block, List) for block in rich.blocks), rich
    found = [pair for block in rich.blocks if isinstance(block, List) for pair in list_labels(block, bullet="•")]
    return [label + "".join(run.text for run in item.inlines if isinstance(run, Text)) for label, item in found]

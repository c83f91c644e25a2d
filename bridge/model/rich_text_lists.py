"""Lists of rich text: which number or bullet each item has. Pure; the types are in `model.rich_text`, which hands these on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from bridge.model.pauses import in_steps

if TYPE_CHECKING:
    from bridge.model.rich_text import List, ListItem


class _Counter:
    """The numbers of a list, counted per level, as long as neither a higher level nor another kind of item comes between."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._levels: dict[int, int | None] = {}

    def next(self, indent: int, ordered: bool) -> int | None:
        """The number that follows at this level; None for a bullet."""
        for deeper in [level for level in self._levels if level > indent]:
            del self._levels[deeper]
        if not ordered:
            return None
        before = self._levels.get(indent)
        if before is not None:
            return before + 1
        return self._start if indent == 0 and not self._levels else 1

    def put(self, indent: int, number: int | None) -> None:
        self._levels[indent] = number


def numbered(block: List) -> Iterator[tuple[int | None, ListItem]]:
    """Each item with its number, None for a bullet."""
    counter = _Counter(block.start)
    for item in in_steps(block.items):
        number = counter.next(item.indent, block.ordered if item.ordered is None else item.ordered)
        if number is not None and item.number is not None:
            number = item.number
        counter.put(item.indent, number)
        yield number, item


def with_numbers(block: List, numbers: Sequence[int | None]) -> List:
    """The list with these numbers, said where counting would give others; None for a bullet."""
    counter = _Counter(block.start)
    items: list[ListItem] = []
    for item, wanted in zip(in_steps(block.items), numbers, strict=True):
        counted = counter.next(item.indent, wanted is not None)
        counter.put(item.indent, wanted)
        stated = None if wanted == counted else wanted
        items.append(item if item.number == stated else msgspec.structs.replace(item, number=stated))
    return msgspec.structs.replace(block, items=tuple(items))


def nested_items(block: List) -> list[ListItem]:
    """The items of a list that lies within an item of another one, each telling its own kind and, where it begins, its number."""
    return [
        msgspec.structs.replace(
            item,
            indent=item.indent + 1,
            ordered=block.ordered if item.ordered is None else item.ordered,
            number=number if item.number is not None or (at == 0 and number != 1) else None,
        )
        for at, (number, item) in enumerate(numbered(block))
    ]


def list_labels(block: List, *, bullet: str, indent: str = "    ") -> Iterator[tuple[str, ListItem]]:
    """Each item with the text that goes before it: indentation, then bullet or number."""
    for number, item in numbered(block):
        yield indent * item.indent + (f"{bullet} " if number is None else f"{number}. "), item


def list_lines(block: List, *, bullet: str, indent: str = "    ") -> Iterator[tuple[str, ListItem]]:
    """The same where an item without words shares the line of the deeper one behind it: `1. - words`."""
    held = ""
    labels = list(list_labels(block, bullet=bullet, indent=indent))
    for at, (label, item) in enumerate(in_steps(labels)):
        label = held + label.lstrip(" ") if held else label
        held = ""
        if not item.inlines and at + 1 < len(labels) and labels[at + 1][1].indent > item.indent:
            held = label
        else:
            yield label, item

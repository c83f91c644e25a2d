"""The people whom a text mentions on purpose. Pure. Called by `encode`, and by `measure`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.model.rich_text import Block, CodeBlock, Heading, Inline, List, Mention, MentionKind, Paragraph, Quote, RichText


@dataclass(frozen=True, slots=True)
class Pings:
    """Ids that a text mentions on purpose; everything else may not ping."""

    users: tuple[str, ...]
    roles: tuple[str, ...]
    everyone: bool


_NOBODY = Pings(users=(), roles=(), everyone=False)


def pings_of(rich: RichText) -> Pings:
    found = [inline for block in rich.blocks for inline in _inlines_of(block) if isinstance(inline, Mention)]
    if not found:
        return _NOBODY

    def ids(kind: MentionKind) -> tuple[str, ...]:
        return tuple(dict.fromkeys(m.id for m in found if m.kind is kind and m.id.isdecimal()))

    everyone = any(m.kind is MentionKind.EVERYONE for m in found)
    return Pings(users=ids(MentionKind.USER)[:100], roles=ids(MentionKind.GROUP)[:100], everyone=everyone)


def _inlines_of(block: Block) -> Iterable[Inline]:
    match block:
        case Paragraph() | Heading():
            yield from block.inlines
        case List():
            for item in block.items:
                yield from item.inlines
        case Quote():
            for inner in block.blocks:
                yield from _inlines_of(inner)
        case CodeBlock():
            return

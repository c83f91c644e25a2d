"""Quotes within quotes, which the tree holds as blocks one below the other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bridge.model.rich_text_nodes import Block, CodeBlock, Heading, List, Paragraph, Quote

DEEPEST_QUOTE = 9

_Simple = Paragraph | Heading | CodeBlock | List


def quoted(blocks: Iterable[Block], *, is_expandable: bool = False) -> tuple[Quote, ...]:
    """A quote of these blocks: quotes among them become blocks of their own, one deeper."""
    return tuple(flat_quotes(blocks, is_expandable, 1))


def flat_quotes(blocks: Iterable[Block], is_expandable: bool, depth: int) -> Iterator[Quote]:
    """The same for a quote of that depth. Too deep ones are as deep as may be."""
    simple: list[_Simple] = []
    for block in blocks:
        if not isinstance(block, Quote):
            simple.append(block)
            continue
        if simple:
            yield Quote(tuple(simple), is_expandable, min(depth, DEEPEST_QUOTE))
            simple = []
        yield from flat_quotes(block.blocks, block.is_expandable, depth + block.depth)
    if simple:
        yield Quote(tuple(simple), is_expandable, min(depth, DEEPEST_QUOTE))


def is_same_quote(above: Block | None, block: Block) -> bool:
    """Whether two blocks are parts of one outer quote."""
    return isinstance(above, Quote) and isinstance(block, Quote) and (above.depth > 1 or block.depth > 1)

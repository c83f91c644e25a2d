"""Runs whose wrapping alone would eat up a limit, shown bare: long links, giant mentions, endless fences. Pure; for `split`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from bridge.model.pauses import in_steps
from bridge.model.rich_text import Block, CodeBlock, Inline, Paragraph, Quote, RichText, Text, inline_text, map_inlines
from bridge.render.slice import linked, runs

SHORT = 40
"""Links, names and languages up to this length are never the reason why something does not fit."""


def long_links(rich: RichText, is_long: Callable[[int], bool]) -> list[tuple[int, int]]:
    """Spans of linked runs that are not worth cutting, since each piece would carry the long address again."""
    return [(at, at + len(run.text)) for at, run in linked(rich) if run.link and len(run.text) > 1 and is_long(len(run.link))]


def without_giants(rich: RichText, fits: Callable[[RichText], bool], is_long: Callable[[int], bool]) -> RichText:
    """Runs that can never fit as they are, shown bare: a link longer than the limit as text with its address in parentheses, a
    giant mention as its name, a fence without its endless language."""

    if not any(map(_may_be_giant, runs(rich))) and not has_long_fences(rich.blocks):
        return rich

    def shrunk(inline: Inline) -> Inline:
        if isinstance(inline, Text):
            giant = inline.link is not None and is_long(len(inline.link))
        else:
            giant = len(inline_text(inline)) > SHORT
        return _bare(inline) if giant and not fits(RichText((Paragraph((inline,)),))) else inline

    return RichText(tuple(_short_fences(map_inlines(rich, shrunk).blocks)))


def _may_be_giant(inline: Inline | None) -> bool:
    if type(inline) is Text:
        return inline.link is not None and len(inline.link) > SHORT
    return inline is not None and len(inline_text(inline)) > SHORT


def has_long_fences(blocks: Sequence[Block]) -> bool:
    return any(
        len(block.language) > SHORT if isinstance(block, CodeBlock) else isinstance(block, Quote) and has_long_fences(block.blocks)
        for block in in_steps(blocks)
    )


def _short_fences(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        match block:
            case CodeBlock() if len(block.language) > SHORT:
                yield CodeBlock(block.text)
            case Quote():
                inner = tuple(b for b in _short_fences(block.blocks) if not isinstance(b, Quote))
                yield Quote(inner, block.is_expandable, block.depth)
            case _:
                yield block


def _bare(inline: Inline) -> Text:
    """Its text alone; the address of a link follows in parentheses."""
    shown = inline_text(inline)
    if isinstance(inline, Text) and inline.link and inline.link != shown.strip():
        shown = f"{shown} ({inline.link})"
    return Text(shown)


def first_run_bare(rich: RichText) -> RichText:
    """The first run bare; the rest as it is."""
    done = False

    def change(inline: Inline) -> Inline:
        nonlocal done
        if done or not inline_text(inline):
            return inline
        done = True
        return _bare(inline)

    return map_inlines(rich, change)

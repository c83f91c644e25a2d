"""Properties of a rich text that several steps of rendering need. Pure."""

from __future__ import annotations

from bridge.model.characters import is_blank
from bridge.model.pauses import in_steps
from bridge.model.rich_text import Mention, MentionKind, Paragraph, RichText, Text, only_texts, runs_by_line, words_of


def shows_nothing(rich: RichText) -> bool:
    """Whether it is blank; nearly always the first words tell, and mostly the first letter."""
    if rich.blocks and type(block := rich.blocks[0]) is Paragraph and block.inlines:
        first = block.inlines[0]
        if type(first) is Text and "!" <= first.text[:1] <= "~":
            return False
    return all(is_blank(words_of(inlines)) for inlines in runs_by_line(rich))


def has_mass_mention(rich: RichText) -> bool:
    """Whether the text holds a mention that may ping everybody (`localize` left it in only if it may)."""
    return any(
        isinstance(inline, Mention) and inline.kind in _PINGING
        for inlines in runs_by_line(rich)
        if not only_texts(inlines)
        for inline in in_steps(inlines)
    )


_PINGING = (MentionKind.EVERYONE, MentionKind.GROUP)

"""Texts that would need too many messages: the part that is shown, and the file with the whole text. Pure.

`layout` and `merge` cut, `delivery` adds the file to the message as one more attachment. Its bytes depend on the event alone: they
can be made again after a restart, and are the same for every target."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import msgspec

from bridge.model.capabilities import Capabilities, Limits
from bridge.model.events import Attachment, AttachmentKind, Content, EventMeta
from bridge.model.rich_text import EMPTY, Mark, RichText, concat, stack, text_of
from bridge.render.contents import shows_nothing
from bridge.render.degrade import Losses, degrade
from bridge.render.notices import line
from bridge.render.split import Fits, Limit, split, split_off

_PREFIX = "bridge:whole-text:"
_PLAIN = Capabilities(features={}, limits=Limits(text_length=0, caption_length=0, upload_bytes=0))

Ending = Callable[[int], RichText]
"""What stands below a text that was cut, by the number of characters left out."""


def whole_text(content: Content) -> bytes:
    """The file's content, UTF-8: the words without any markup, links with their addresses."""
    losses: Losses = {}
    return text_of(degrade(content.text, _PLAIN, losses)).encode("utf-8", "replace") + b"\n"


def with_whole_text(content: Content, meta: EventMeta, author_name: str) -> Content:
    """The content with the file behind its attachments."""
    data = whole_text(content)
    file_id = _PREFIX + blake2b(data, digest_size=12).hexdigest()
    file = Attachment(
        kind=AttachmentKind.DOCUMENT,
        file_id=file_id,
        name=f"{author_name} {meta.occurred_at:%Y-%m-%d %H.%M} UTC.txt".lstrip(),
        mime="text/plain",
        size_bytes=len(data),
    )
    return msgspec.structs.replace(content, attachments=(*content.attachments, file))


def is_whole_text(attachment: Attachment) -> bool:
    return attachment.file_id.startswith(_PREFIX)


def cut_line(left_out: int, *, problem: str = "") -> RichText:
    """Where the text stops: how much of it is not shown, and where it is, or why it is nowhere."""
    where = f"could not be shown: {problem}" if problem else "are in the file with the whole text"
    return line(f"✂️ {left_out:,} more characters {where}", Mark.ITALIC)


def split_at_most(
    rich: RichText, fits: Fits, *, first: Fits | None = None, most: int, ending: Ending, below: RichText = EMPTY
) -> tuple[list[RichText], int]:
    """The text, with `below` below it, in at most so many parts (see `split`), and how many characters of it were left out. If some
    were, the last part ends with `ending` and what is `below`: without them only where they leave no room for words."""
    whole = stack(rich, below)
    parts, rest = split_off(whole, fits, first=first, most=most)
    if shows_nothing(rest):
        return parts, 0
    last_fits = first if first and most == 1 else fits
    all_of_it = len(text_of(rich))
    if below and not last_fits(concat(below, below, ending(all_of_it))):  # it takes half a message: it is cut like the words
        rich, below, all_of_it = whole, EMPTY, len(text_of(whole))
    kept = split(rich, fits, first=first, most=most) if below else [*parts]
    longest = concat(ending(all_of_it), below)
    try:
        kept[-1] = split(kept[-1], _beside(longest, last_fits), most=1)[0]
    except (ValueError, IndexError):  # not even one character fits beside it
        return parts, all_of_it - sum(len(text_of(part)) for part in parts)
    left_out = all_of_it - sum(len(text_of(part)) for part in kept)
    kept[-1] = concat(kept[-1], ending(left_out), below)
    return kept, left_out


def _beside(other: RichText, fits: Fits) -> Fits:
    """What fits above the other text."""
    if isinstance(fits, Limit):
        return Limit(lambda text: fits.measure(stack(text, other)), fits.most)
    return lambda text: fits(stack(text, other))

"""Texts that are nothing but custom emoji, which some targets show as pictures. Pure."""

from __future__ import annotations

from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import Emoji, Paragraph, RichText, Text

MOST = 3
"""So many custom emoji are shown large; more are a text."""
_ENDINGS = {"gif": "image/gif", "png": "image/png", "webp": "image/webp", "jpg": "image/jpeg", "jpeg": "image/jpeg"}


def only_emoji(rich: RichText) -> tuple[Emoji, ...]:
    """The custom emoji that are all that a text says; empty if it says something else, or has too many."""
    if len(rich.blocks) != 1 or not isinstance(rich.blocks[0], Paragraph):
        return ()
    inlines = rich.blocks[0].inlines
    if not 0 < len(inlines) <= 2 * MOST + 1:
        return ()
    found = tuple(one for one in inlines if isinstance(one, Emoji))
    blank = all(isinstance(one, Text) and one.text.isspace() for one in inlines if not isinstance(one, Emoji))
    return found if blank and len(found) <= MOST and all(one.id for one in found) else ()


def picture(emoji: Emoji, file_id: str, ending: str) -> Attachment | None:
    """An emoji's picture, as a sticker of its name; None for an ending that is of no picture."""
    mime = _ENDINGS.get(ending.lower())
    if mime is None:
        return None
    return Attachment(
        kind=AttachmentKind.STICKER,
        file_id=file_id,
        unique_id=f"emoji/{emoji.id}",
        name=f"{emoji.name}.{ending}",
        mime=mime,
        alt_text=f":{emoji.name}:",
    )

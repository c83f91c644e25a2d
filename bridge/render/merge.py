"""Several short texts of one author as one message, while the target's rates hold them back. Pure.

What may be merged, how the message looks, and how it changes when one of its originals is edited or deleted. `delivery` asks,
and keeps the pieces in the journal: each original stays its own message with its own link."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bridge.model.adapter import Sender
from bridge.model.capabilities import Feature
from bridge.model.events import ChatEvent, MessageCreated
from bridge.model.rich_text import RichText, concat, plain, stack
from bridge.render.attachments import Target
from bridge.render.contents import has_mass_mention
from bridge.render.emoji_pictures import wants_pictures
from bridge.render.long_text import Ending, split_at_most
from bridge.render.message import Part, TextParts
from bridge.render.split import Limit

MAX_MERGED = 25
"""Messages in a merged one. At twenty sends a minute, that is five hundred messages."""
_FILL = 0.5
"""How much of the target's limit a merged message may take: what is left is for edits that make a piece longer."""


class MergedPiece(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message's piece of a merged one: kept until retention removes it, since the message's own text is gone by then."""

    head: RichText
    """The name line, shown if this is the first piece."""
    body: RichText
    sender: Sender | None = None
    previews: bool = True


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(MergedPiece)

encode_piece = _encoder.encode
decode_piece = _decoder.decode


def can_merge(event: ChatEvent, target: Target) -> bool:
    """Whether this is a text and nothing else, for a target where it can still be edited and deleted afterwards."""
    if not isinstance(event, MessageCreated) or event.meta.author is None:
        return False
    if not (target.capabilities.native(Feature.EDIT) and target.capabilities.native(Feature.DELETE)):
        return False
    content = event.content
    extras = (
        content.attachments,
        content.reply_to,
        content.forwarded_from,
        content.poll,
        content.location,
        content.contact,
        content.silent,
        wants_pictures(event, target.options),
    )
    return bool(content.text) and not any(extras)


def belong_together(first: ChatEvent, following: ChatEvent) -> bool:
    """Whether both are of one author in one place, and neither needs a message of its own. Both can be merged."""
    assert isinstance(first, MessageCreated)
    assert isinstance(following, MessageCreated)
    return (
        first.meta.author == following.meta.author
        and first.meta.origin == following.meta.origin
        and first.meta.thread_id == following.meta.thread_id
        and first.content.previews == following.content.previews
    )


def piece_of(lines: TextParts) -> MergedPiece:
    return MergedPiece(head=lines.head, body=lines.body, sender=lines.sender, previews=lines.previews)


def have_room(pieces: Sequence[MergedPiece], target: Target) -> bool:
    """Whether these pieces fit into one message, with room to spare for edits."""
    return target.measure(_text(pieces)) <= _limit(target) * _FILL


def merged_part(pieces: Sequence[MergedPiece]) -> Part:
    """The message that the pieces make up; at least one."""
    text = _text(pieces)
    first = pieces[0]
    return Part(text=text, sender=first.sender, mass_mentions=has_mass_mention(text), previews=first.previews)


def with_edit(
    pieces: Sequence[MergedPiece], index: int, lines: TextParts, target: Target, ending: Ending
) -> tuple[MergedPiece, list[Part]]:
    """The piece at `index` with its new words, and the parts of its message: the merged message, then further ones that hold what
    no longer fits into it. A text that needs too many is cut, and ends with `ending`."""
    limit, most = _limit(target), target.options.long_text_parts

    def with_body(body: RichText) -> MergedPiece:
        return MergedPiece(head=pieces[index].head, body=body, sender=pieces[index].sender, previews=lines.previews)

    def replaced(body: RichText) -> list[MergedPiece]:
        return [*pieces[:index], with_body(body), *pieces[index + 1 :]]

    fits_merged = Limit(lambda body: target.measure(_text(replaced(body))), limit)
    fits = Limit(lambda body: target.measure(stack(lines.tail, body)), limit)
    if not fits_merged(plain("…")):
        bodies = [plain("…"), *split_at_most(lines.body, fits, most=max(1, most - 1), ending=ending)[0]]
    else:
        bodies = split_at_most(lines.body, fits, first=fits_merged, most=most, ending=ending)[0]
    bodies = bodies or [lines.body]
    rest = [concat(lines.tail, body) for body in bodies[1:]]
    further = [Part(text=text, sender=lines.sender, mass_mentions=has_mass_mention(text), previews=lines.previews) for text in rest]
    return with_body(bodies[0]), [merged_part(replaced(bodies[0])), *further]


def _text(pieces: Sequence[MergedPiece]) -> RichText:
    return concat(pieces[0].head, *(piece.body for piece in pieces))


def _limit(target: Target) -> int:
    limits = target.capabilities.limits
    return limits.text_length if limits.edit_length is None else min(limits.text_length, limits.edit_length)

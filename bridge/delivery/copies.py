"""Copies of a message as the journal knows them: where they are in a target, and what each of their parts contains. Pure."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import blake2b

from bridge.delivery.target import ResolvedTarget
from bridge.journal.contract import Carried, Link, StoredPart
from bridge.model.adapter import Copy, Receipt
from bridge.model.events import Attachment
from bridge.render.extras import Existing
from bridge.render.long_text import is_whole_text
from bridge.render.parts import Held, Part

_MADE = "~"
"""The prefix of the mark of a file that the bridge made from the message's own text; no other mark has it."""


def file_mark(attachment: Attachment) -> str:
    """48 bits stand for a file among those of one message."""
    name = attachment.unique_id or attachment.file_id
    if is_whole_text(attachment):
        return _MADE + urlsafe_b64encode(blake2b(name.encode(), digest_size=6).digest()).decode()[1:]
    return urlsafe_b64encode(blake2b(name.encode(), digest_size=6).digest()).decode()


def is_made(mark: str) -> bool:
    """Whether this is the mark of a file with the whole text."""
    return mark.startswith(_MADE)


def carried_by(part: Part) -> Carried:
    marks = tuple(file_mark(file.attachment) for file in part.files)
    has_files, says = bool(part.files), part.says and part.alone is None
    return Carried(
        text=says,
        files=has_files,
        marks=marks,
        poll=part.poll is not None,
        wordless=has_files and part.wordless,
        alone=part.alone,
    )


def held_by(carried: Carried) -> Existing:
    """For an edit of that part."""
    if carried.alone is not None:
        return carried.alone
    if not carried.files:
        return Held.WORDS
    return Held.FILES_ALONE if carried.wordless else Held.FILES


def stored_part(target: ResolvedTarget, number: int, receipt: Receipt, part: Part) -> StoredPart:
    """What the journal knows of a part that was sent."""
    copy = Copy(
        chat_id=target.chat.chat_id,
        message_ids=receipt.message_ids,
        thread_id=receipt.thread_id,
        adapter_data=receipt.adapter_data,
    )
    return StoredPart(part=number, copy=copy, carried=carried_by(part))


def first_id(copy: Copy | None) -> str:
    """The message that an answer points at; empty if there is none, or the platform did not say which message a copy became."""
    return copy.message_ids[0] if copy is not None and copy.message_ids else ""


def copy_here(link: Link | None, target: ResolvedTarget) -> Copy | None:
    """The message as it exists in the target: one of our copies, or the original itself if the target is where it was written."""
    if link is None:
        return None
    if link.copies:
        return link.copies[0].copy
    if link.original.chat == target.chat:
        return Copy(chat_id=target.chat.chat_id, message_ids=(link.original.message_id,), thread_id=link.original_thread)
    return None


def copy_nearby(link: Link | None) -> Copy | None:
    """A copy in another thread of the target."""
    return link.elsewhere[0].copies[0].copy if link is not None and link.elsewhere else None

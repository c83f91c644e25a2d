"""The plan of a message's parts, kept in the journal from its first part to its last.

A partly sent message continues with the same parts: after a restart, a reload or a renamed sender a new rendering might be split
elsewhere, and a file may be gone. Pure; `operations.create` executes a plan."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from bridge.journal.contract import Piece
from bridge.model.adapter import ListedFile, Reply, Sender
from bridge.model.capabilities import Feature
from bridge.model.events import Attachment, Contact, Location, MessageCreated, MessageEdited, Poll
from bridge.model.original import Original
from bridge.model.outcomes import Loss, LossOf
from bridge.model.rich_text import EMPTY, RichText, concat
from bridge.render.attachments import Target
from bridge.render.degrade import Losses, degrade
from bridge.render.fetched import listed_file
from bridge.render.message import FetchResult, Part, Rendered
from bridge.render.notices import contact_lines, file_line, location_lines, poll_lines

LinkTo = Callable[[Attachment], str]
"""A link to a file of the message; empty if there is none."""


class PlannedPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message to send. `files` are indexes of the event's attachments."""

    text: RichText = EMPTY
    files: tuple[int, ...] = ()
    sender: Sender | None = None
    reply: Reply | None = None
    mass_mentions: bool = False
    previews: bool = True
    location: Location | None = None
    contact: Contact | None = None
    poll: Poll | None = None
    listed: tuple[ListedFile, ...] = ()
    original: Original | None = None
    alone: Feature | None = None
    """As in `Part`."""
    late: bool = False
    """A file that could not be fetched when the text was sent: it follows, and nothing waits for it."""


class Together(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The message that several deliveries were to be sent as, kept with each of them when they are given up or set aside."""

    delivery_ids: tuple[int, ...]
    """In the order within the message, which was sent under the token of the first."""
    pieces: tuple[Piece, ...] = ()
    """What each gave to it; empty if the process had stopped during the attempt, and no further one was made."""


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    parts: tuple[PlannedPart, ...]
    tail: RichText = EMPTY
    """The line above what follows the first part; empty where senders are native."""
    event: MessageCreated | None = None
    """The event it is made from, if that differs from the accepted one: it was edited before it was sent."""
    done: int = 0
    """How many parts were sent when it was last set aside or continued after that; 0: never set aside, the receipts are counted."""
    edit: MessageEdited | None = None
    """The rest of it is executed as this edit of what was sent."""
    chat_id: str = ""
    """Where the message that it replies to is; empty: it is no reply, or an earlier version wrote the plan."""
    unknown_since: datetime | None = None
    """It was given up while the next part may have been there: when that was first tried, by the local clock."""
    together: Together | None = None
    """The merged message that it was to be sent in, which may be there if `unknown_since` says so."""
    taken_back: bool = False
    """It was found in the chat after its author had deleted it: what remains to be done is to delete it."""
    had_partner: bool = False
    """It is a change of a thread that had a partner when it was set aside."""

    @property
    def is_simple(self) -> bool:
        """Whether nothing of it has to be stored: a single part is sent or not."""
        return len(self.parts) < 2 and self.event is None

    @property
    def says_nothing(self) -> bool:
        """It was stored for what it says beside the parts: the message is rendered again."""
        return not self.parts and self.edit is None and not self.taken_back

    def replaced(self, index: int, parts: Sequence[PlannedPart]) -> Plan:
        return msgspec.structs.replace(self, parts=(*self.parts[:index], *parts, *self.parts[index + 1 :]))


encode_plan = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Plan).decode


def decode_plan(stored: bytes) -> Plan | None:
    """None if there is none, or none that this version can read: then the message is rendered again."""
    try:
        return _decode(stored) if stored else None
    except msgspec.MsgspecError:
        return None


def as_of_a_former_chat(stored: bytes) -> bytes:
    """The plan without its reply target, which has another id by now, if it exists at all."""
    plan = decode_plan(stored)
    if plan is None or not any(part.reply for part in plan.parts):
        return stored
    return encode_plan(msgspec.structs.replace(plan, chat_id="?"))


def plan_of(rendered: Rendered, fetched: Sequence[FetchResult], tail: RichText) -> Plan:
    """The rendered parts, and after them one for each file that is to follow."""
    places: dict[Path, deque[int]] = {}
    for place, one in enumerate(fetched):
        if one.file is not None:
            places.setdefault(one.file.path, deque()).append(place)  # one sticker twice is one file on disk
    parts = [
        PlannedPart(
            text=part.text,
            files=tuple(places[file.path].popleft() for file in part.files),
            sender=part.sender,
            reply=part.reply,
            mass_mentions=part.mass_mentions,
            previews=part.previews,
            location=part.location,
            contact=part.contact,
            poll=part.poll,
            listed=part.listed,
            original=part.original,
            alone=part.alone,
        )
        for part in rendered.parts
    ]
    sender = parts[0].sender if parts else None
    parts += [
        PlannedPart(text=tail, files=(place,), sender=sender, previews=False, late=True)
        for place, one in enumerate(fetched)
        if one.late
    ]
    return Plan(parts=tuple(parts), tail=tail)


def without_files(
    plan: Plan,
    index: int,
    problems: Mapping[int, str],
    attachments: Sequence[Attachment],
    target: Target,
    losses: Losses,
    link: LinkTo,
) -> Plan:
    """The plan with lines in place of some files of one part. `problems`: why each of them cannot be sent, by its index."""
    part = plan.parts[index]
    kept = tuple(place for place in part.files if place not in problems)
    missing = _listed([(attachments[place], problem) for place, problem in problems.items()], link)
    lines = lines_for(missing, target, losses)
    pieces = beside_or_behind(part.text, lines, plan.tail, target, has_files=bool(kept))
    parts = [
        msgspec.structs.replace(
            part,
            text=text,
            files=kept if number == 0 else (),
            reply=part.reply if number == 0 else None,
            mass_mentions=part.mass_mentions and number == 0,
            location=part.location if number == 0 else None,
            contact=part.contact if number == 0 else None,
            listed=(*part.listed, *missing) if number == 0 else (),
            original=part.original if number == 0 else None,
        )
        for number, text in enumerate(pieces)
    ]
    return plan.replaced(index, parts)


def without_extras(plan: Plan, index: int, target: Target, losses: Losses) -> Plan:
    """The plan with the place and the contact of one part as text."""
    part = plan.parts[index]
    lines: list[RichText] = []
    if part.location is not None:
        losses[Loss.LOCATION_AS_TEXT] = None
        lines.append(location_lines(part.location, target.options.map_url))
    if part.contact is not None:
        losses[Loss.CONTACT_AS_TEXT] = None
        lines.append(contact_lines(part.contact))
    text = degrade(concat(*lines), target.capabilities, losses)
    first, *further = beside_or_behind(part.text, text, plan.tail, target, has_files=bool(part.files))
    parts = [msgspec.structs.replace(part, text=first, location=None, contact=None, alone=None)]
    parts += [PlannedPart(text=text, sender=part.sender, previews=part.previews) for text in further]
    return plan.replaced(index, parts)


def without_poll(plan: Plan, index: int, target: Target, losses: Losses) -> Plan:
    """The plan with the poll of one part as text."""
    part = plan.parts[index]
    assert part.poll is not None
    losses[Loss.POLL_AS_TEXT] = None
    lines = degrade(poll_lines(part.poll), target.capabilities, losses)
    first, *further = beside_or_behind(part.text, lines, plan.tail, target, has_files=False)
    parts = [msgspec.structs.replace(part, text=first, poll=None)]
    parts += [PlannedPart(text=text, sender=part.sender, previews=part.previews) for text in further]
    return plan.replaced(index, parts)


def parts_without_files(
    part: Part, problems: Mapping[int, str], tail: RichText, target: Target, losses: Losses, link: LinkTo
) -> list[Part]:
    """The same for a part that is in no plan: `problems` by the index among its files."""
    kept = tuple(file for place, file in enumerate(part.files) if place not in problems)
    missing = _listed([(part.files[place].attachment, problem) for place, problem in problems.items()], link)
    lines = lines_for(missing, target, losses)
    pieces = beside_or_behind(part.text, lines, tail, target, has_files=bool(kept))
    first = msgspec.structs.replace(part, text=pieces[0], files=kept, has_files=bool(kept), listed=(*part.listed, *missing))
    return [first, *(Part(text=text, sender=part.sender, previews=part.previews) for text in pieces[1:])]


def _listed(missing: Sequence[tuple[Attachment, str]], link: LinkTo) -> list[ListedFile]:
    return [listed_file(attachment, problem, link(attachment)) for attachment, problem in missing]


def lines_for(missing: Sequence[ListedFile], target: Target, losses: Losses) -> RichText:
    """One visible line for each file, with the reason why it is not there."""
    for one in missing:
        kind = one.attachment.kind.value.replace("_", " ")
        losses[LossOf(Loss.FILE_AS_LINE, f"{kind} shown as a line: {one.problem}")] = None
    return degrade(concat(*(file_line(one.attachment, one.problem, one.url) for one in missing)), target.capabilities, losses)


def beside_or_behind(text: RichText, lines: RichText, tail: RichText, target: Target, *, has_files: bool) -> list[RichText]:
    """The text with the lines below it where both fit into one message, else the lines in one of their own."""
    limits = target.capabilities.limits
    limit = limits.caption_length if has_files else limits.text_length
    both = concat(text or tail, lines)
    if target.measure(both, caption=has_files) <= limit:
        return [both]
    return [text, concat(tail, lines)] if text or has_files else [concat(tail, lines)]

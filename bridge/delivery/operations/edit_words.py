"""The first step of an edit: the copies get its text. If a copy is part of a merged message, only its piece changes."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.delivery import throttled_calls
from bridge.delivery.copies import held_by
from bridge.delivery.operations.copies import edit_copy, new_receipt, part_gone, pieces_of, pieces_set
from bridge.delivery.operations.edit_files import Standing
from bridge.delivery.operations.edit_job import CopiesLeft, EditJob, says_nothing
from bridge.journal.contract import Change, Merged
from bridge.model.adapter import Deletes
from bridge.model.errors import ChangeRefused
from bridge.model.rich_text import RichText
from bridge.render.degrade import degrade
from bridge.render.long_text import cut_line, is_whole_text
from bridge.render.merge import with_edit
from bridge.render.message import Part, why_missing
from bridge.render.notices import removed_line


async def edit_words(job: EditJob, left: CopiesLeft) -> tuple[list[Change], Sequence[Part]]:
    """The result for the copies, and the text that does not fit into them."""
    run, tools, event = job.run, job.tools, job.tools.places.said_by_place(job.event, job.run)
    event = await tools.places.with_title(event, job.link.event_seq, run, job.link.original_thread)
    if not left.staying or says_nothing(event):
        return [], ()
    merged = await tools.journal.merged(job.link.event_seq, run.pending.target, job.link.thread_id)
    if merged is not None and left.staying[0].number == 0:
        return await _edit_merged(merged, job, left)
    reply = await tools.places.reply(event, run)
    rendered = await tools.renderer.render(
        event,
        run.target,
        job.fetched,
        reply,
        existing=[held_by(one.carried) for one in left.staying],
        notes=[removed_line(left.lines)] if left.lines else (),
    )
    run.delivery.losses += rendered.losses
    changes: list[Change] = []
    for one, part in zip(left.staying, rendered.parts, strict=False):
        changes += await _edit_one(one, part, [job.link.event_seq], job, left)
    return changes, rendered.parts[len(left.staying) :]


async def _edit_merged(merged: Merged, job: EditJob, left: CopiesLeft) -> tuple[list[Change], Sequence[Part]]:
    run, link = job.run, job.link
    titled = await job.tools.places.with_title(job.event, link.event_seq, run, link.original_thread)
    event = await job.tools.renderer.followed(titled, run.target)
    text_parts = job.tools.renderer.text_parts(event, run.target, job.fetched)
    run.delivery.losses += text_parts.losses
    pieces, index = pieces_of(merged), [piece.event_seq for piece in merged.pieces].index(link.event_seq)

    def ending(left_out: int) -> RichText:
        return _ending(left_out, job)

    pieces[index], parts = with_edit(pieces, index, text_parts, run.target.rendering, ending)
    changes: list[Change] = [pieces_set(link, merged, pieces, run)]
    with_text = [one for one in left.staying if not one.carried.files]
    rest = parts[len(with_text) :]
    parts += [Part(surplus=True)] * (len(with_text) - len(parts))
    for one, part in zip(with_text, parts, strict=False):
        sharing = [piece.event_seq for piece in merged.pieces] if one.number == 0 else [link.event_seq]
        changes += await _edit_one(one, part, sharing, job, left)
        if one.number == 0 and left.refused is not None:
            return [], ()  # the message still says what it said, and so do its pieces
    return changes, rest


def _ending(left_out: int, job: EditJob) -> RichText:
    """The line below a text of which this many characters are left out."""
    whole = next((one for one in job.fetched if is_whole_text(one.attachment)), None)
    problem = why_missing(whole, job.run.target.rendering) if whole else "the message is too long"
    return degrade(cut_line(left_out, problem=problem), job.run.target.capabilities, {})


async def _edit_one(one: Standing, part: Part, sharing: Sequence[int], job: EditJob, left: CopiesLeft) -> list[Change]:
    """The changes that say what became of one copy, which these events share."""
    run, adapter = job.run, job.run.target.adapter
    try:
        if part.surplus:
            if isinstance(adapter, Deletes):
                await throttled_calls.delete(adapter, one.copy, run)
                return [part_gone(job.link, one.number, run)]
            return []
        if part.unchanged or not (part.says or one.carried.text):
            return []
        edited = await edit_copy(one.number, one.copy, part, one.carried, job.adapter, run, job.tools)
    except ChangeRefused as error:
        left.refused = error
        return []
    if edited is None:
        return []
    left.edited[one.number] = edited
    return [new_receipt(job.link, seq, one.number, *edited, run, job.tools) for seq in sharing]

"""The second step of an edit: further messages, for text that does not fit into the copies, and for added files. Unlike the other
steps, a repetition would post them twice: the platform is asked before one is posted again."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.delivery.copies import carried_by, first_id
from bridge.delivery.message_plan import parts_without_files
from bridge.delivery.operations.copies import new_receipt
from bridge.delivery.operations.edit_job import CopiesLeft, EditJob, says_nothing
from bridge.delivery.operations.further import further_sent, send_further
from bridge.model.adapter import Reply
from bridge.model.errors import FileRejected
from bridge.model.events import Content, MessageCreated
from bridge.model.rich_text import text_of
from bridge.render.degrade import Losses
from bridge.render.message import Part
from bridge.render.notices import added_line

_EXCERPT = 200


async def post_further(rest: Sequence[Part], job: EditJob, left: CopiesLeft) -> None:
    """The remaining text, then the files, as replies to the copy. Files that cannot be sent are lines in its text."""
    number = await _post(rest, job.copies[-1].number + 1, job)
    has_words = bool(left.staying) and not says_nothing(job.event)
    added = [one for index, one in enumerate(job.fetched) if index in job.changed.added]
    new = [one for one in added if one.file is not None or not has_words]
    if not new:
        return
    content = Content(
        text=added_line(replaces=bool(job.changed.removed or job.changed.lost)),
        attachments=tuple(one.attachment for one in new),
        previews=False,
    )
    created = MessageCreated(meta=job.event.meta, message_id=job.event.message_id, content=content)
    rendered = await job.tools.renderer.render(created, job.run.target, new, _answer(job, left))
    job.run.delivery.lose(rendered.losses)
    await _post(rendered.parts, number, job)


def _answer(job: EditJob, left: CopiesLeft) -> Reply | None:
    """The reply to the copy."""
    if not left.staying:
        return None
    copy = left.staying[0].copy
    here = copy.chat_id == job.run.target.chat.chat_id
    return Reply(
        message_id=first_id(copy) if here else "",
        thread_id=copy.thread_id if here else None,
        author_name=job.tools.renderer.author_name(job.event.meta),
        excerpt=text_of(job.event.content.text)[:_EXCERPT],
    )


async def _post(parts: Sequence[Part], number: int, job: EditJob) -> int:
    """Returns the number of the copy's next part."""
    run, delivery, waiting = job.run, job.run.delivery, list(parts)
    while waiting:
        part = waiting.pop(0)
        try:
            receipt = await send_further(part, number, run, job.tools)
        except FileRejected as refused:
            if not part.files:
                raise
            waiting[:0] = _without_files(part, refused, job)
            delivery.unknown.close()
            delivery.attempts.restart()
            continue
        await run.context.record([new_receipt(job.link, job.link.event_seq, number, receipt, carried_by(part), run, job.tools)])
        further_sent(delivery)
        number += 1
    return number


def _without_files(part: Part, refused: FileRejected, job: EditJob) -> list[Part]:
    at = [index for index in refused.indexes if index < len(part.files)] or range(len(part.files))
    tail = job.tools.renderer.tail(job.event, job.run.target)
    losses: Losses = {}
    link = job.tools.renderer.links_of(job.event)
    parts = parts_without_files(part, dict.fromkeys(at, refused.reason), tail, job.run.target.rendering, losses, link)
    job.run.delivery.lose([*losses])
    return parts

"""An edit applied to the copies: new text first, then added files, then removed ones. In this order a crash in between repeats
nothing visible: a posted file has its receipt, and the linked copies exist until the end. Each step has a file: `edit_words`,
`edit_posts`, `edit_removals`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import msgspec

from bridge.delivery.copies import file_mark, held_by
from bridge.delivery.execution import Execution, NotNow
from bridge.delivery.operations.edit_files import FileChanges, Standing, file_changes, standing
from bridge.delivery.operations.edit_job import CopiesLeft, EditJob, says_nothing
from bridge.delivery.operations.edit_posts import post_further
from bridge.delivery.operations.edit_removals import remove_files
from bridge.delivery.operations.edit_words import edit_words
from bridge.delivery.operations.tools import Tools
from bridge.delivery.places import stay_with
from bridge.delivery.tally_pace import Shown, Turn
from bridge.files.fetch import most_bytes
from bridge.journal.contract import Change, Link
from bridge.model.adapter import Edits
from bridge.model.errors import ChangeRefused, MessageGone
from bridge.model.events import MessageEdited
from bridge.model.outcomes import Loss, Skip
from bridge.render.conversions import wanted_form
from bridge.render.emoji_pictures import as_pictures, wants_pictures
from bridge.render.message import FetchResult, why_unsendable


async def edit(event: MessageEdited, run: Execution, tools: Tools) -> Sequence[Change]:
    link = await tools.link(event.message_id, run)
    if link is None or event.content.location is None or not event.content.location.live:
        return await edit_copies_of(link, event, run, tools)
    # a place that moves: phones report it every few seconds
    if tools.turn(Shown.PLACE, link, run) is Turn.SHOWN_LATER:
        return [run.skipped(Skip.SUPERSEDED)]
    changes = await edit_copies_of(link, event, run, tools)
    tools.changed(Shown.PLACE, link, run)
    return changes


async def edit_copies_of(link: Link | None, event: MessageEdited, run: Execution, tools: Tools) -> Sequence[Change]:
    """The same for an edit that another kind of event brings about."""
    if link is None or not link.copies:
        return [run.skipped(Skip.EDIT_WITHOUT_COPY)]
    if not isinstance(run.target.adapter, Edits):
        return [run.skipped(Skip.CANNOT_EDIT)]
    try:
        return await _edit_copies(event, link, run.target.adapter, run, tools)
    except MessageGone:
        return [run.skipped(Skip.COPY_GONE)]
    except ChangeRefused as error:
        return [run.refused(Skip.EDIT_REFUSED, error)]


async def _edit_copies(event: MessageEdited, link: Link, adapter: Edits, run: Execution, tools: Tools) -> Sequence[Change]:
    """The copies that `link` has follow the edit."""
    delivery, copies = run.delivery, standing(link)
    stay_with(copies[0].copy, run)
    delivery.at_former_chat = copies[0].copy.chat_id != run.target.chat.chat_id
    if event.attachments_known and wants_pictures(event, run.target.options) and any(one.carried.marks for one in copies):
        event = as_pictures(event)  # as it was posted; a text that becomes emoji stays a text
    event = await _with_whole_text(event, copies, run, tools)
    changed = file_changes(event, link, copies)
    if says_nothing(event) and not changed:
        return [run.skipped(Skip.NOTHING_CHANGED)]
    delivery.losses, delivery.posts_further = [Loss.FILES_NOT_COMPARED] if changed.unknown else [], False
    async with AsyncExitStack() as stack:
        held = {mark for one in copies for mark in one.carried.marks}
        fetched = await _fetched(event, changed, held, stack, run, tools)
        job = EditJob(
            event=event, link=link, adapter=adapter, copies=copies, changed=changed, fetched=fetched, run=run, tools=tools
        )
        left = CopiesLeft.of(job)
        await tools.sender.begin(run)
        final, rest = await edit_words(job, left)
        await post_further(rest, job, left)
        final += await remove_files(job, left)
    late = next((one for one in fetched if one.late), None)
    if late is not None:
        await run.context.record(final)
        raise NotNow(late.problem, after_s=late.after_s)  # everything but the file is done, and nothing waits for the file
    delivery.losses = list(dict.fromkeys(delivery.losses))
    return [*final, run.refused(Skip.EDIT_REFUSED, left.refused) if left.refused else run.delivered()]


async def _with_whole_text(event: MessageEdited, copies: Sequence[Standing], run: Execution, tools: Tools) -> MessageEdited:
    """The edit with the file that holds its whole text, if the copies cannot show all of it."""
    if event.album_item or any(one.carried.files and not one.carried.marks for one in copies):
        return event
    fetched = [FetchResult(attachment=attachment) for attachment in event.content.attachments]
    shown = [held_by(one.carried) for one in copies]
    rendered = await tools.renderer.render(event, run.target, fetched, None, existing=shown)
    return await tools.renderer.with_whole_text(event, run.target) if rendered.left_out else event


async def _fetched(
    event: MessageEdited, changed: FileChanges, held: Collection[str], stack: AsyncExitStack, run: Execution, tools: Tools
) -> list[FetchResult]:
    """The edit's files: new ones fetched, or the reason why not. Files in the copies exist, whatever became of the originals."""
    attachments, target = event.content.attachments, run.target
    wanted = {index for index in changed.added if not why_unsendable(attachments[index], target.rendering)}
    same_platform = tools.renderer.origin_of(event.meta.origin).platform == target.rendering.platform
    if wanted:
        fetched = await tools.files.fetch_all(
            stack,
            event_seq=run.pending.event_seq,
            origin=event.meta.origin,
            content=tools.renderer.rewritten_content(event, target),
            most_bytes=most_bytes(target.capabilities.limits, target.options),
            patience=run.delivery.files.patience,
            within_s=run.delivery.files.wait_s,
            only=wanted,
            form_of=lambda attachment: wanted_form(attachment, target.rendering, same_platform=same_platform),
        )
    else:
        fetched = [FetchResult(attachment=attachment) for attachment in attachments]
    return [
        replace(one, attachment=msgspec.structs.replace(one.attachment, problem="", size_bytes=None))
        if file_mark(one.attachment) in held
        else one
        for one in fetched
    ]

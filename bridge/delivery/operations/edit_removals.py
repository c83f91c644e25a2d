"""The last step of an edit: files that it removed are removed from the copies. Where that is refused, a line says so."""

from __future__ import annotations

import msgspec

from bridge.delivery import throttled_calls
from bridge.delivery.operations.copies import new_receipt, part_gone
from bridge.delivery.operations.edit_files import How, Removal
from bridge.delivery.operations.edit_job import CopiesLeft, EditJob
from bridge.delivery.operations.edit_words import edit_words
from bridge.journal.contract import Change
from bridge.model.adapter import Deletes, Receipt, RemovesFiles
from bridge.model.errors import Rejected
from bridge.model.outcomes import Loss, LossOf


async def remove_files(job: EditJob, left: CopiesLeft) -> list[Change]:
    changes: list[Change] = []
    for removal in left.removals:
        if removal.how is How.LINE:
            continue
        try:
            changes.append(await _remove(removal, job, left))
        except Rejected as refused:
            job.run.delivery.losses.append(LossOf(Loss.FILE_STAYS, f"{Loss.FILE_STAYS}: {refused.reason}"))
            left.stays(removal)
            await job.run.context.record(changes)
            changes, _ = await edit_words(job, left)
    return changes


async def _remove(removal: Removal, job: EditJob, left: CopiesLeft) -> Change:
    one, run, adapter = removal.standing, job.run, job.run.target.adapter
    copy, carried = one.copy, one.carried
    if (edited := left.edited.get(one.number)) is not None:
        receipt, carried = edited
        copy = msgspec.structs.replace(copy, message_ids=receipt.message_ids, adapter_data=receipt.adapter_data)
    marks = tuple(mark for index, mark in enumerate(carried.marks) if index not in removal.indexes)
    carried = msgspec.structs.replace(carried, files=bool(marks), marks=marks)
    match removal.how:
        case How.WHOLE:
            assert isinstance(adapter, Deletes)
            await throttled_calls.delete(adapter, copy, run)
            return part_gone(job.link, one.number, run)
        case How.SINGLE:
            assert isinstance(adapter, Deletes)
            goes = tuple(copy.message_ids[index] for index in removal.indexes)
            await throttled_calls.delete(adapter, msgspec.structs.replace(copy, message_ids=goes), run)
            kept = tuple(message_id for message_id in copy.message_ids if message_id not in goes)
            receipt = Receipt(message_ids=kept, thread_id=copy.thread_id, adapter_data=copy.adapter_data)
        case _:
            assert isinstance(adapter, RemovesFiles)
            receipt = await throttled_calls.remove_files(adapter, copy, removal.indexes, run)
    receipt = msgspec.structs.replace(receipt, thread_id=copy.thread_id)
    return new_receipt(job.link, job.link.event_seq, one.number, receipt, carried, run, job.tools)

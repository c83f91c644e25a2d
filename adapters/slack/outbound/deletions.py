"""Deletes a whole message with its files, or some of its files. Called by `adapter`."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from adapters.slack.outbound import receipt_notes
from adapters.slack.transport import Transport
from bridge.model.adapter import Copy, Receipt
from bridge.model.errors import Rejected
from bridge.model.refs import AccountName

log = structlog.get_logger("slack")

_FILE_IS_GONE = ("file_not_found", "file_deleted")


async def delete_message(transport: Transport, account: AccountName, copy: Copy) -> None:
    """See `bridge.model.adapter.Deletes`. Slack keeps the files of a deleted message. Nobody sees them any more, so a refusal to
    delete them does not fail the deletion."""
    for ts in copy.message_ids:
        await transport.call("chat.delete", {"channel": copy.chat_id, "ts": ts}, tolerate=("message_not_found",))
    for file_id in receipt_notes.file_ids(copy.adapter_data):
        try:
            await _delete_file(transport, file_id)
        except Rejected as error:
            log.warning("file of a deleted message stays in Slack", account=account, file=file_id, reason=error.reason)


async def remove_files(transport: Transport, copy: Copy, indexes: Sequence[int]) -> Receipt:
    """Deleting our file removes it from the message; Slack leaves a note in its place. Raises Rejected for a file of unknown id."""
    files = receipt_notes.file_ids(copy.adapter_data)
    goes = [file_id for index, file_id in enumerate(files) if index in indexes]
    if len(goes) < len(indexes):
        raise Rejected("it is not known which of Slack's files it is")
    for file_id in goes:
        await _delete_file(transport, file_id)
    notes = receipt_notes.pack(
        (file_id for file_id in files if file_id not in goes), is_named=receipt_notes.is_named(copy.adapter_data)
    )
    return Receipt(message_ids=copy.message_ids, thread_id=copy.thread_id, adapter_data=notes)


async def _delete_file(transport: Transport, file_id: str) -> None:
    await transport.call("files.delete", {"file": file_id}, tolerate=_FILE_IS_GONE)

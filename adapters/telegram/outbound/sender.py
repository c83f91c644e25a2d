"""Messages sent, edited and deleted, one attempt each. What a call says is decided in `encode`, what a refusal means in `errors`.

Where Telegram refuses a message with certainty (nothing was sent), the next best form is tried at once: a picture as a document, a
text without its formatting.
"""

from __future__ import annotations

from functools import partial

import msgspec

from adapters.common.http_errors import Effect
from adapters.telegram import errors
from adapters.telegram.errors import Refused
from adapters.telegram.outbound.encode import WITHOUT_CAPTION, edit_call, place_of, send_call, thread_of
from adapters.telegram.outbound.extras import KINDS, edit_extra, extra_call, note
from adapters.telegram.outbound.polls import LONGEST_S, NO_NAMES, SOONEST_S, close_poll
from adapters.telegram.poll_places import Polls
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call
from bridge.model.adapter import Copy, Outbound, OutboundDelete, OutboundEdit, Receipt
from bridge.model.clock import Clock
from bridge.model.errors import (
    ChangeRefused,
    ChatDown,
    ExtraRejected,
    FileRejected,
    MessageGone,
    OutcomeUnknown,
    PollRejected,
    Rejected,
)
from bridge.model.events import Poll
from bridge.model.outcomes import Loss, LossNote, LossOf
from bridge.model.pauses import beside_if
from bridge.model.rich_text import is_long

_AS_FILE = LossOf(Loss.FILE_AS_OTHER_KIND, "sent as a file: Telegram refused it as what it was")


class Sender:
    """Sends for one account. A copy's `adapter_data` is `<text|caption|poll|none>:<message id>`: where its words are; of a place or
    a contact it is `extras.note`."""

    def __init__(self, transport: Transport, upload_bytes: int, polls: Polls, clock: Clock) -> None:
        """`upload_bytes`: the largest file that the server takes."""
        self._transport = transport
        self._upload_bytes = upload_bytes
        self._polls = polls
        self._clock = clock

    async def send(self, outbound: Outbound) -> Receipt:
        """See `bridge.model.adapter.Adapter.send`."""
        self._check_sizes(outbound)
        if outbound.poll is not None:
            return await self._send_poll(outbound, outbound.poll)
        try:
            if outbound.location is not None or outbound.contact is not None:
                return await self._send_extra(outbound)
            return await self._send(outbound)
        except ChatDown as error:
            raise errors.thread_fault(error) if thread_of(outbound) else error from None
        except Refused as refusal:
            if refusal.says(*errors.TEXT_REFUSED):
                return await self._send(outbound, plain_text=True, loss=Loss.FORMATTING_REFUSED)
            if not outbound.files:
                raise
            if not refusal.says(*errors.PHOTO_REFUSED):
                raise errors.file_fault(refusal, len(outbound.files)) or refusal from None
        try:
            return await self._send(outbound, as_documents=True, loss=_AS_FILE)
        except Refused as refusal:
            raise errors.file_fault(refusal, len(outbound.files)) or refusal from None

    async def _send_poll(self, outbound: Outbound, poll: Poll) -> Receipt:
        """Raises PollRejected, whatever Telegram dislikes about it: as text the message is taken, or refused for its own reason."""
        now = self._clock.now()
        if poll.closes_at is not None:
            left_s = (poll.closes_at - now).total_seconds()
            if left_s < SOONEST_S + 1:
                raise PollRejected("the poll is over")
            if left_s > LONGEST_S - 60:
                poll = msgspec.structs.replace(poll, closes_at=None)
        for anonymous, plain_text in ((poll.anonymous, False), (True, False), (True, True)):
            tried = msgspec.structs.replace(outbound, poll=msgspec.structs.replace(poll, anonymous=anonymous))
            try:
                receipt = await self._send(tried, plain_text=plain_text, loss=Loss.FORMATTING_REFUSED if plain_text else None)
            except Refused as refusal:
                if not refusal.says(NO_NAMES, *errors.TEXT_REFUSED):
                    raise PollRejected(refusal.reason) from None
                refused = refusal
            else:
                return receipt
        raise PollRejected(refused.reason)

    async def _send_extra(self, outbound: Outbound) -> Receipt:
        """Raises ExtraRejected, whatever Telegram dislikes about it: as text it is taken, or refused for its own reason."""
        call, kind = extra_call(outbound, place_of(outbound), self._clock.now())
        try:
            message = await self._transport.call(call, effect=Effect.CREATES)
        except Refused as refusal:
            raise ExtraRejected(refusal.reason) from None
        try:
            message_id = str(message["message_id"])
        except (KeyError, TypeError):
            raise OutcomeUnknown("Telegram took the message, and its answer does not say which it became") from None
        return Receipt(message_ids=(message_id,), thread_id=thread_of(outbound), adapter_data=note(kind, message_id, outbound))

    def _check_sizes(self, outbound: Outbound) -> None:
        """What is known to be refused is not sent. Raises FileRejected."""
        limit = self._upload_bytes
        if empty := tuple(index for index, file in enumerate(outbound.files) if not file.size_bytes):
            raise FileRejected("Telegram takes no empty files", indexes=empty)
        if large := tuple(index for index, file in enumerate(outbound.files) if file.size_bytes > limit):
            raise FileRejected(f"Telegram takes files of up to {limit // 1024**2} MB", indexes=large)

    async def _send(
        self, outbound: Outbound, *, as_documents: bool = False, plain_text: bool = False, loss: LossNote | None = None
    ) -> Receipt:
        encode = partial(send_call, outbound, as_documents=as_documents, plain_text=plain_text)
        call = await beside_if(is_long(outbound.text), encode)
        result = await self._transport.call(call, effect=Effect.CREATES)
        messages = result if isinstance(result, list) else [result]
        try:
            ids = tuple(str(message["message_id"]) for message in messages)
            first = ids[0]
        except (KeyError, TypeError, IndexError):
            raise OutcomeUnknown("Telegram took the message, and its answer does not say which it became") from None
        losses: list[LossNote] = [loss] if loss else []
        if "reply_parameters" in call.params and "reply_to_message" not in messages[0]:
            losses.append(Loss.REPLY_GONE)
        if outbound.poll is not None:
            await self._polls.learn(messages[0], is_ours=True)
        where = (
            "poll"
            if outbound.poll is not None
            else "text"
            if not outbound.files
            else "none"
            if call.method in WITHOUT_CAPTION
            else "caption"
        )
        return Receipt(message_ids=ids, thread_id=thread_of(outbound), adapter_data=f"{where}:{first}", losses=tuple(losses))

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        """See `bridge.model.adapter.Edits`."""
        copy = outbound.copy
        if copy.adapter_data.partition(":")[0] in KINDS:
            kept = await edit_extra(self._transport, outbound)
            return Receipt(message_ids=copy.message_ids, thread_id=copy.thread_id, adapter_data=kept)
        where, message_id = _words_of(copy, outbound.has_files)
        if where == "poll":
            raise ChangeRefused("Telegram lets nobody edit a poll")
        if where == "none":
            raise Rejected("Telegram has no text on this kind of file to edit")
        losses: tuple[LossNote, ...] = ()
        try:
            await self._edit(outbound, where, message_id)
        except Refused as refusal:
            if not refusal.says(*errors.TEXT_REFUSED):
                raise
            await self._edit(outbound, where, message_id, plain_text=True)
            losses = (Loss.FORMATTING_REFUSED,)
        return Receipt(message_ids=copy.message_ids, thread_id=copy.thread_id, adapter_data=copy.adapter_data, losses=losses)

    async def _edit(self, outbound: OutboundEdit, where: str, message_id: str, *, plain_text: bool = False) -> None:
        encode = partial(edit_call, outbound, message_id=message_id, caption=where == "caption", plain_text=plain_text)
        call = await beside_if(is_long(outbound.text), encode)
        try:
            await self._transport.call(call)
        except Refused as refusal:
            if refusal.says(errors.EDITED_IS_GONE):
                raise MessageGone(refusal.reason) from None
            if not refusal.says(errors.NOT_MODIFIED):
                raise errors.change_fault(refusal) from None

    async def close_poll(self, copy: Copy) -> None:
        await close_poll(self._transport, copy)

    async def delete(self, outbound: OutboundDelete) -> None:
        """See `bridge.model.adapter.Deletes`."""
        copy = outbound.copy
        numbers = [int(message_id) for message_id in copy.message_ids]
        try:
            if len(numbers) == 1:
                await self._transport.call(Call("DeleteMessage", {"chat_id": copy.chat_id, "message_id": numbers[0]}))
            else:
                await self._transport.call(Call("DeleteMessages", {"chat_id": copy.chat_id, "message_ids": numbers}))
        except Refused as refusal:
            if not refusal.says(*errors.GONE):
                raise errors.change_fault(refusal) from None


def _words_of(copy: Copy, has_files: bool) -> tuple[str, str]:
    """Which message of a copy carries its words, and how."""
    where, _, message_id = copy.adapter_data.partition(":")
    if message_id:
        return where, message_id if message_id in copy.message_ids else copy.message_ids[0]  # a file may have left its album
    return "caption" if has_files else "text", copy.message_ids[0]

"""Sends a message into its thread, or as a reply, if possible: the message it replies to may be gone, which must not cost the
message.

Used by `adapter`; the threads themselves are `threads`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from adapters.common.http_errors import Effect
from adapters.common.own_messages import OwnMessages
from adapters.common.platform_time import Attempts
from adapters.common.queries import find_text
from adapters.teamspirit.client import Client
from adapters.teamspirit.dialect.variables import variables_of
from adapters.teamspirit.errors import Gone, ThreadGone
from adapters.teamspirit.outbound.encode import Encoder
from adapters.teamspirit.outbound.mentions import Mentions
from adapters.teamspirit.threads import Threads
from adapters.teamspirit.uploads import Uploads
from adapters.teamspirit.wire import NativeMessage
from bridge.model.adapter import Outbound, Receipt
from bridge.model.errors import OutcomeUnknown, Rejected
from bridge.model.outcomes import Loss
from bridge.model.pauses import beside_if
from bridge.model.rich_text import is_long, plain, to_plain

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import Send
    from adapters.teamspirit.dialect.model import Dialect

QUOTED = "quoted"
"""Note in a receipt: the answered message is shown by a line within the text."""


@dataclass(frozen=True)
class Posted:
    """The result: the server's answer, the message as it was sent, and the first message of its thread."""

    answer: Any
    sent: Outbound
    root: str = ""
    is_unformatted: bool = False
    """Whether the server refused the formatting."""


class Sender:
    def __init__(
        self,
        dialect: Dialect,
        encoder: Encoder,
        client: Client,
        threads: Threads,
        uploads: Uploads,
        own: OwnMessages,
        attempts: Attempts,
        mentions: Mentions,
    ) -> None:
        self._operations = dialect.operations
        self._uploads = uploads
        self._own = own
        self._attempts = attempts
        self._mentions = mentions
        self._encoder = encoder
        self._client = client
        self._threads = threads
        self._by_root = "message.root" in variables_of(dialect.operations.send)

    async def send(self, outbound: Outbound) -> Receipt:
        """Files first, then the message that carries them. Raises DeliveryError, AccountDown."""
        file_ids = await self._uploads.upload(outbound.chat_id, outbound.files)
        operation = "send" if self._operations.send is not None else "webhook_send"
        call = self._operations.send or self._operations.webhook_send
        assert call is not None, "the dialect cannot send"
        outbound = msgspec.structs.replace(outbound, text=await self._mentions.resolved(outbound.text))
        self._attempts.begin(outbound.token)
        with self._own.sending(outbound.chat_id):
            try:
                posted = await self._post(operation, call, outbound, file_ids)
            except Rejected as refusal:
                words = plain(to_plain(outbound.text))
                if type(refusal) is not Rejected or words == outbound.text:
                    raise
                # what the server dislikes may be the formatting: the words alone are asked once
                unformatted = msgspec.structs.replace(outbound, text=words)
                posted = replace(await self._post(operation, call, unformatted, file_ids), is_unformatted=True)
            message_id = find_text(call.answer.id, posted.answer)
            if message_id:
                self._own.sent(outbound.chat_id, message_id)
        if not message_id and call.answer.id is not None:
            raise OutcomeUnknown(f"{operation}: the answer does not say which message it became")
        return self.receipt(outbound, posted, message_id)

    async def _post(self, operation: str, call: Send, outbound: Outbound, file_ids: Sequence[str]) -> Posted:
        """Raises what a send raises."""

        async def send(one: Outbound, root: str = "") -> Posted:
            known = self._threads.known(one.reply.message_id) if one.reply is not None and not self._by_root else ""
            values = await beside_if(is_long(one.text), partial(self._encoder.send_values, one, file_ids, root, known))
            return Posted(await self._client.call(operation, call, values, Effect.CREATES), one, root)

        if self._by_root:
            root = await self._threads.root(outbound)
            try:
                return await send(outbound if root else self._encoder.quoted(outbound), root)
            except (ThreadGone, Gone):
                if not root:
                    raise
            # what was known of the thread was wrong: asked once more, and then done without
            self._threads.forget(outbound)
            anew = await self._threads.root(outbound)
            return await (send(outbound, anew) if anew and anew != root else send(self._encoder.quoted(outbound)))
        *others, last = self._less_and_less(outbound)
        for one in others:
            try:
                return await send(one)
            except (ThreadGone, Gone):
                continue  # the answered message is gone, or the thread, or both: the server does not say which
        return await send(last)

    def _less_and_less(self, outbound: Outbound) -> list[Outbound]:
        """The message as it is meant, then without what may be gone."""
        bare = self._encoder.quoted(outbound)
        forms = [outbound, bare] if outbound.reply is not None else [outbound]
        if outbound.thread_id is not None:
            forms += [msgspec.structs.replace(form, thread_id=None) for form in forms]
        return forms

    def found(self, outbound: Outbound, message: NativeMessage) -> Posted:
        """The same of a message that was posted after all."""
        root = message.thread_id or "" if self._by_root else ""
        answers = root if self._by_root else message.content.reply_to
        sent = outbound if answers else self._encoder.quoted(outbound)
        return Posted(None, msgspec.structs.replace(sent, thread_id=message.thread_id), root)

    def _answered_root(self, sent: Outbound) -> str:
        return "" if sent.reply is None else sent.reply.thread_id or self._threads.known(sent.reply.message_id)

    def receipt(self, outbound: Outbound, posted: Posted, message_id: str) -> Receipt:
        quoted = outbound.reply is not None and posted.sent.reply is None
        losses: list[Loss] = [Loss.FORMATTING_REFUSED] if posted.is_unformatted else []
        if message_id:
            self._threads.learn(message_id, posted.root or posted.sent.thread_id or self._answered_root(posted.sent))
        if self._by_root:
            thread_id = posted.root or None
            if not thread_id and (outbound.thread_id or (outbound.reply is not None and outbound.reply.message_id)):
                losses.append(Loss.OUTSIDE_THREAD)
        else:
            thread_id = posted.sent.thread_id
            losses += [Loss.REPLY_GONE] if quoted else []
            losses += [Loss.OUTSIDE_THREAD] if outbound.thread_id and not thread_id else []
        return Receipt(
            message_ids=(message_id,) if message_id else (),
            thread_id=thread_id,
            adapter_data=QUOTED if quoted else "",
            losses=tuple(losses),
        )

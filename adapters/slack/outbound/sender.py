"""Posts and edits messages in their best form, and in a simpler one if Slack refuses it. Called by `adapter`.

A refusal means that nothing was posted, so another try doubles nothing. Every simpler form is reported as a loss.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from adapters.common.http_errors import Effect
from adapters.slack.enums import Replies
from adapters.slack.outbound import encode, receipt_notes
from adapters.slack.own_app import OwnApp
from adapters.slack.threads import Threads
from adapters.slack.transport import Transport
from adapters.slack.uploads import Uploads
from bridge.model.adapter import Copy, Outbound, OutboundEdit, Receipt
from bridge.model.clock import Clock
from bridge.model.errors import ThreadDown
from bridge.model.outcomes import Loss, LossNote, LossOf
from bridge.model.pauses import beside_if
from bridge.model.rich_text import RichText, is_long

if TYPE_CHECKING:
    from adapters.slack.config import SlackOptions

_THREAD_REFUSED = frozenset(
    {
        "cannot_reply_to_message",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "thread_not_found",
    }
)
"""Only the placement is refused: the message itself may be posted without the thread."""
_BLOCKS_REFUSED = frozenset(
    {"block_mismatch", "invalid_attachments", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"}
)
"""Only the form is refused: the text may be posted in a simpler one. A second table is refused as an attachment is."""

_SHORTENED = LossOf(Loss.SHORTENED, f"{Loss.SHORTENED}: an edit without blocks takes 4000 characters")


@dataclass(frozen=True, slots=True)
class _Form:
    """How a message is posted."""

    thread: str | None
    with_persona: bool
    words: encode.Form = encode.Form.TABLE
    losses: tuple[LossNote, ...] = ()

    @property
    def recoverable(self) -> frozenset[str]:
        """Refusals for which there is a simpler form."""
        codes: frozenset[str] = frozenset() if self.words is encode.Form.PLAIN else _BLOCKS_REFUSED
        codes |= _THREAD_REFUSED if self.thread else frozenset()
        return codes | (frozenset({"missing_scope"}) if self.with_persona else frozenset())


class MessageSender:
    """One account's messages."""

    def __init__(
        self, transport: Transport, app: OwnApp, uploads: Uploads, threads: Threads, options: SlackOptions, clock: Clock
    ) -> None:
        self._clock = clock
        self._transport = transport
        self._app = app
        self._uploads = uploads
        self._threads = threads
        self._options = options

    async def send(self, outbound: Outbound) -> Receipt:
        """See `bridge.model.adapter.Adapter.send`."""
        in_thread = self._options.replies is not Replies.QUOTE
        thread = encode.thread_ts(outbound, replies_in_thread=in_thread)
        if thread and outbound.reply is not None and thread == outbound.reply.message_id:
            thread = await self._threads.parent_of(outbound.chat_id, thread)
        form = _Form(
            thread=thread,
            with_persona=outbound.sender is not None and self._app.can_customize and self._options.personas,
            words=encode.Form.RICH if outbound.files else encode.Form.TABLE,
        )
        uploaded = await self._uploads.upload(outbound.files) if outbound.files else []
        while True:
            ts, refusal = await self._post(outbound, form, uploaded)
            if not refusal:
                break
            form = self._lesser(form, refusal, outbound)
        self._threads.learn_place(outbound.chat_id, ts, form.thread)
        notes = receipt_notes.pack((file_id for file_id, _ in uploaded), is_named=self._is_named(outbound, form))
        return Receipt(message_ids=(ts,), thread_id=form.thread, adapter_data=notes, losses=form.losses)

    async def first_of(self, copy: Copy) -> str:
        """See `adapters.common.delegating`."""
        if self._options.replies is Replies.QUOTE:
            return ""
        return copy.thread_id or await self._threads.parent_of(copy.chat_id, copy.message_ids[0])

    def _is_named(self, outbound: Outbound, form: _Form) -> bool:
        return outbound.sender is not None and not form.with_persona

    def _quotes(self, thread: str | None) -> bool:
        """Whether a reply posted in that thread is shown as a quoted line."""
        return thread is None or self._options.replies is Replies.QUOTE

    async def _post(self, outbound: Outbound, form: _Form, uploaded: list[tuple[str, str]]) -> tuple[str, str]:
        """The `ts` of the message, or the refusal."""
        arguments = await beside_if(is_long(outbound.text), partial(self._arguments, outbound, form, uploaded))
        if uploaded:
            return await self._uploads.share(outbound.chat_id, arguments, uploaded[0][0], tolerate=form.recoverable)
        answer = await self._transport.call("chat.postMessage", arguments, effect=Effect.CREATES, tolerate=form.recoverable)
        return str(answer.get("ts") or ""), "" if answer.get("ok") else str(answer.get("error"))

    def _arguments(self, outbound: Outbound, form: _Form, uploaded: list[tuple[str, str]]) -> encode.Arguments:
        rich = encode.body(outbound, quote_reply=self._quotes(form.thread), show_sender=self._is_named(outbound, form))
        if uploaded:
            return encode.complete_upload(outbound, rich, uploaded, form.thread, with_persona=form.with_persona, form=form.words)
        return encode.post_message(
            outbound,
            rich,
            form.thread,
            broadcast=self._options.replies is Replies.BROADCAST and outbound.reply is not None,
            with_persona=form.with_persona,
            form=form.words,
        )

    def _lesser(self, form: _Form, refusal: str, outbound: Outbound) -> _Form:
        """The next best form after a refusal. Raises ThreadDown for a thread that was wanted by the configuration and is gone."""
        if refusal == "missing_scope":
            self._app.can_customize = False
            return replace(form, with_persona=False, losses=(*form.losses, Loss.SENDER_NOT_ALLOWED))
        if refusal in _BLOCKS_REFUSED and (words := form.words.lesser(outbound.text)) is not None:
            lost = Loss.FORMATTING_REFUSED if words is encode.Form.PLAIN else Loss.TABLE_AS_TEXT
            return replace(form, words=words, losses=(*form.losses, lost))
        if outbound.thread_id and outbound.reply is None:
            raise ThreadDown(f"the thread takes no messages ({refusal})", action="correct the thread in bridge.yaml")
        return replace(form, thread=None, losses=(*form.losses, Loss.OUTSIDE_THREAD))

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        """See `bridge.model.adapter.Edits`."""
        copy = outbound.copy
        named = receipt_notes.is_named(copy.adapter_data)
        rich = encode.body(outbound, quote_reply=self._quotes(copy.thread_id), show_sender=named)
        form = encode.Form.RICH if receipt_notes.file_ids(copy.adapter_data) else encode.Form.TABLE
        losses: list[LossNote] = []
        while not await self._update(outbound, rich, form):
            form = form.lesser(rich) or encode.Form.PLAIN
            losses.append(Loss.FORMATTING_REFUSED if form is encode.Form.PLAIN else Loss.TABLE_AS_TEXT)
        if form is encode.Form.PLAIN and encode.is_shortened(rich):
            losses.append(_SHORTENED)
        return Receipt(message_ids=copy.message_ids, thread_id=copy.thread_id, adapter_data=copy.adapter_data, losses=tuple(losses))

    async def _update(self, outbound: OutboundEdit, rich: RichText, form: encode.Form) -> bool:
        """Whether Slack took it; False only for refused blocks."""
        version = str(round(self._clock.now().timestamp() * 1e6))
        update = partial(encode.update, outbound, rich, version, form)
        arguments = await beside_if(is_long(rich), update)
        tolerate: frozenset[str] = frozenset() if form is encode.Form.PLAIN else _BLOCKS_REFUSED
        return bool((await self._transport.call("chat.update", arguments, tolerate=tolerate)).get("ok"))

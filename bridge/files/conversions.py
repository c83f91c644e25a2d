"""Files in the form that a target plays, made once and kept for a while: a sticker that everybody uses is converted once.

What was made is in the spool like any other file, under the unique id of its source. Both what is remembered and the room in the
spool are bounded. A file that could not be converted is not tried again. Called by `fetch`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

import msgspec
import structlog

from bridge.files.convert import SOURCE_BYTES, Converter, Made, NotConverted
from bridge.files.spool import Spool, Spooled
from bridge.model.adapter import FileStream, OutboundFile
from bridge.model.errors import RetryLater
from bridge.model.events import Attachment
from bridge.model.media import Form
from bridge.model.refs import ChatRef
from bridge.render.conversions import in_form
from bridge.render.file_names import file_name, mime_of

log = structlog.get_logger("media")

_MOST_KEPT = 500
_KEPT_BYTES = 64_000_000
_MOST_FAILED = 5_000

Source = Callable[[], AbstractAsyncContextManager[Spooled]]
"""Borrows the file itself."""


@dataclass(frozen=True, slots=True)
class _Known:
    made: Made
    size_bytes: int


class Conversions:
    """Of one spool."""

    def __init__(self, spool: Spool, converter: Converter) -> None:
        self._spool = spool
        self._converter = converter
        self._known: OrderedDict[Hashable, _Known] = OrderedDict()
        self._kept_bytes = 0
        self._failed: OrderedDict[Hashable, None] = OrderedDict()

    async def close(self) -> None:
        await self._converter.close()

    def can(self, chat: ChatRef, attachment: Attachment, form: Form) -> bool:
        """Whether it is worth trying."""
        if attachment.size_bytes is not None and attachment.size_bytes > SOURCE_BYTES:
            return False
        return self._converter.can(mime_of(attachment), form) and _key(chat, attachment, form) not in self._failed

    async def make(self, chat: ChatRef, attachment: Attachment, form: Form, source: Source) -> None:
        """Convert it unless that was done; afterwards `borrow` has it. Raises what `source` raises. A file that cannot be converted
        is remembered as such: `can` then says no."""
        key = _key(chat, attachment, form)
        try:
            if key not in self._known:
                async with source() as spooled:
                    made = await self._converter.convert(spooled.path, mime_of(attachment), form, chat)
                await self._keep(key, made)
        except NotConverted as error:
            self.give_up(chat, attachment, form, error)

    def give_up(self, chat: ChatRef, attachment: Attachment, form: Form, error: NotConverted) -> None:
        """If that is final, it is not tried again."""
        log.info("a file is sent as it is: it was not converted", chat=str(chat), made=form.mime, reason=error.reason)
        if not error.is_final:
            return
        self._failed[_key(chat, attachment, form)] = None
        if len(self._failed) > _MOST_FAILED:
            self._failed.popitem(last=False)

    @asynccontextmanager
    async def borrow(
        self, chat: ChatRef, attachment: Attachment, form: Form, source: Source, *, most_bytes: int
    ) -> AsyncIterator[OutboundFile | None]:
        """The file as made, on disk while the context lasts; None if there is none, or it is too large for the target."""
        key = _key(chat, attachment, form)
        known = self._known.get(key)
        if known is None or known.size_bytes > most_bytes:
            yield None
            return
        self._known.move_to_end(key)
        if not known.size_bytes:
            async with source() as spooled:
                yield _outbound(attachment, form, known.made, spooled)
            return
        async with self._spool.borrow(key, self._gone(key), most_bytes=most_bytes) as spooled:
            yield _outbound(attachment, form, known.made, spooled)

    async def _keep(self, key: Hashable, made: Made) -> None:
        """Two may have converted the same file at the same time: what the first one made stays."""
        size_bytes = len(made.data)
        if made.data:
            async with self._spool.borrow(key, lambda: _stream_of(made.data), most_bytes=size_bytes):
                pass  # it stays there
        if key in self._known:
            return
        self._known[key] = _Known(replace(made, data=b""), size_bytes)
        self._kept_bytes += size_bytes
        while len(self._known) > _MOST_KEPT or (self._kept_bytes > _KEPT_BYTES and len(self._known) > 1):
            oldest, gone = self._known.popitem(last=False)
            self._kept_bytes -= gone.size_bytes
            self._spool.forget(oldest)

    def _gone(self, key: Hashable) -> Callable[[], AbstractAsyncContextManager[FileStream]]:
        """It has left the spool, or is not what was written there: it has to be made again."""

        def opener() -> AbstractAsyncContextManager[FileStream]:
            gone = self._known.pop(key, None)
            if gone is not None:
                self._kept_bytes -= gone.size_bytes
            raise RetryLater("it has to be converted again")

        return opener


def _key(chat: ChatRef, attachment: Attachment, form: Form) -> Hashable:
    return "converted", chat.account, attachment.unique_id or attachment.file_id, form.kind, form.mime, form.waveform


@asynccontextmanager
async def _stream_of(data: bytes) -> AsyncIterator[FileStream]:
    async def chunks() -> AsyncIterator[bytes]:
        yield data

    yield FileStream(chunks=chunks(), size_bytes=len(data))


def _outbound(attachment: Attachment, form: Form, made: Made, spooled: Spooled) -> OutboundFile:
    described = msgspec.structs.replace(
        in_form(attachment, form),
        size_bytes=spooled.size_bytes,
        width=made.width or attachment.width,
        height=made.height or attachment.height,
        duration_s=made.duration_s or attachment.duration_s,
        waveform=made.waveform or attachment.waveform,
    )
    return OutboundFile(
        attachment=described,
        path=spooled.path,
        name=file_name(described),
        mime=form.mime,
        size_bytes=spooled.size_bytes,
        block_sums=spooled.block_sums,
    )

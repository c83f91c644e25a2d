"""Attachments of a delivery, fetched to disk for as long as the delivery needs them, or a reason why one cannot be had."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from enum import Enum, auto

import structlog

from bridge.accounts.supervisor import AccountSupervisor
from bridge.files.file_names import file_name, mime_of
from bridge.files.spool import Spool, TooLarge
from bridge.model.adapter import FileStream, OpensFiles, OutboundFile
from bridge.model.capabilities import Limits
from bridge.model.errors import AccountDown, BridgeError, Rejected, RetryLater
from bridge.model.events import Attachment, Content
from bridge.model.refs import AccountName
from bridge.policy.routing import RelayOptions
from bridge.render.long_text import is_whole_text, whole_text
from bridge.render.message import FetchResult

log = structlog.get_logger("outbox")

_MB = 1_000_000


def most_bytes(limits: Limits, options: RelayOptions) -> int:
    """Largest file that this end takes."""
    own = limits.upload_bytes
    return own if options.max_file_mb is None else min(own, int(options.max_file_mb * _MB))


class Patience(Enum):
    """What a file that cannot be fetched now means for its message."""

    WAIT = auto()
    """The message waits for it: it may be a moment's trouble."""
    LATER = auto()
    """The message goes, the file comes behind it."""
    OVER = auto()
    """It will not come."""


class FileNotYet(RetryLater):
    """A file cannot be fetched now; it may still come."""


class FileFetcher:
    """Fetches through the origin's adapter into the spool; `suppliers` finds an account's supervisor."""

    def __init__(self, spool: Spool, suppliers: Callable[[AccountName], AccountSupervisor | None]) -> None:
        self._spool = spool
        self._suppliers = suppliers
        self._users: dict[int, int] = {}
        self._made: dict[int, set[tuple[int, str]]] = {}
        """Files made of an event's own text, by the event."""

    def expect(self, event_seq: int) -> None:
        """One more delivery of this event will ask for its files."""
        self._users[event_seq] = self._users.get(event_seq, 0) + 1

    def finished(self, event_seq: int, files: int) -> None:
        """A delivery of this event is final: after the last one its files leave the disk."""
        left = self._users.get(event_seq, 1) - 1
        if left > 0:
            self._users[event_seq] = left
            return
        self._users.pop(event_seq, None)
        for index in range(files):
            self._spool.forget((event_seq, index))
        for key in self._made.pop(event_seq, ()):
            self._spool.forget(key)

    async def settle(
        self,
        stack: AsyncExitStack,
        *,
        event_seq: int,
        origin: AccountName,
        content: Content,
        most_bytes: int,
        patience: Patience,
        only: Collection[int] | None = None,
    ) -> list[FetchResult]:
        """Each of the content's attachments on disk until the stack closes, or the reason why not. With `only`, those at other
        places are left alone.

        Raises FileNotYet when one may still come and there is patience."""
        return [
            await self._settle_one(stack, (event_seq, index), origin, attachment, content, most_bytes, patience)
            if only is None or index in only
            else FetchResult(attachment=attachment)
            for index, attachment in enumerate(content.attachments)
        ]

    async def _settle_one(
        self,
        stack: AsyncExitStack,
        key: tuple[int, int | str],
        origin: AccountName,
        attachment: Attachment,
        content: Content,
        most_bytes: int,
        patience: Patience,
    ) -> FetchResult:
        if attachment.problem:
            return FetchResult(attachment=attachment, problem=attachment.problem)
        if attachment.size_bytes is not None and attachment.size_bytes > most_bytes:
            return FetchResult(attachment=attachment)  # `render` says which limit it breaks
        if is_made := is_whole_text(attachment):
            key = (key[0], attachment.file_id)  # it may differ from one version of the text to the next
            self._made.setdefault(key[0], set()).add((key[0], attachment.file_id))
        try:
            borrowing = stack.enter_async_context(
                self._spool.borrow(
                    key, lambda: _made_of(content) if is_made else self._open(origin, attachment), most_bytes=most_bytes
                )
            )
            supplier = None if is_made else self._suppliers(origin)
            spooled = await (borrowing if supplier is None else supplier.call(borrowing))
        except TooLarge as error:
            known = attachment.size_bytes or error.size_bytes
            return FetchResult(attachment=attachment, problem="too large") if known <= most_bytes else _sized(attachment, known)
        except Rejected as error:
            return FetchResult(attachment=attachment, problem=error.reason)
        except Exception as error:
            # whatever is wrong at the origin concerns this file, not its message nor the account that it goes to
            reason = self._trouble(origin, error)
            after_s = error.after_s if isinstance(error, RetryLater) else None
            match patience:
                case Patience.OVER:
                    return FetchResult(attachment=attachment, problem=f"could not be fetched: {reason}")
                case Patience.LATER:
                    return FetchResult(attachment=attachment, problem="follows once it can be fetched", late=True, after_s=after_s)
            raise FileNotYet(f"its file cannot be fetched now: {reason}", after_s=after_s) from error
        return FetchResult(
            attachment=attachment,
            file=OutboundFile(
                attachment=attachment,
                path=spooled.path,
                name=file_name(attachment),
                mime=mime_of(attachment),
                size_bytes=spooled.size_bytes,
                block_sums=spooled.block_sums,
            ),
        )

    def _trouble(self, origin: AccountName, error: Exception) -> str:
        if isinstance(error, AccountDown) and (supervisor := self._suppliers(origin)) is not None:
            supervisor.report_down(error)
        if not isinstance(error, BridgeError | OSError | TimeoutError):
            log.exception("file fetched unexpectedly badly", account=origin)
        return getattr(error, "reason", "") or str(error) or type(error).__name__

    def _open(self, origin: AccountName, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        supervisor = self._suppliers(origin)
        if supervisor is None:
            raise Rejected("the account it came from is no longer configured")
        adapter = supervisor.adapter
        if not isinstance(adapter, OpensFiles):
            raise Rejected("files of this account cannot be fetched")
        return adapter.open_file(attachment)


@asynccontextmanager
async def _made_of(content: Content) -> AsyncIterator[FileStream]:
    data = await asyncio.to_thread(whole_text, content)

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    yield FileStream(chunks=chunks(), size_bytes=len(data))


def _sized(attachment: Attachment, size_bytes: int) -> FetchResult:
    import msgspec

    return FetchResult(attachment=msgspec.structs.replace(attachment, size_bytes=size_bytes))

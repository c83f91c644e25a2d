"""Attachments of a delivery, fetched to disk for as long as the delivery needs them, or a reason why one cannot be had."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from enum import Enum, auto
from functools import partial

import structlog

from bridge.accounts.supervisor import AccountSupervisor
from bridge.files.downloads import Downloads
from bridge.files.file_names import file_name, mime_of
from bridge.files.spool import Opener, Spool, TooLarge
from bridge.model.adapter import FileStream, OpensFiles, OutboundFile
from bridge.model.capabilities import Limits
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, BridgeError, Rejected, RetryLater
from bridge.model.events import Attachment, Content
from bridge.model.pauses import beside
from bridge.model.refs import AccountName, ChatRef
from bridge.policy.routing import RelayOptions
from bridge.render.long_text import is_whole_text, whole_text
from bridge.render.message import FetchResult

log = structlog.get_logger("outbox")

_MB = 1_000_000
_LOOK_AGAIN_S = 2.0
"""When to look again for a download that goes on."""
_FOLLOWS = "follows once it can be fetched"


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

    def __init__(self, spool: Spool, suppliers: Callable[[AccountName], AccountSupervisor | None], clock: Clock) -> None:
        self._spool = spool
        self._clock = clock
        self._downloads = Downloads(clock)
        self._suppliers = suppliers
        self._users: dict[int, int] = {}
        self._made: dict[int, set[tuple[int, str]]] = {}
        """Files made of an event's own text, by the event."""
        self._limits: dict[tuple[int, int], set[int]] = {}
        """How large they may be for those who asked for them, by the file."""

    async def close(self) -> None:
        """Downloads that nobody waits for end."""
        await self._downloads.close()

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
            for most in self._limits.pop((event_seq, index), ()):
                self._downloads.forget((event_seq, index, most))
            self._spool.forget((event_seq, index))
        for key in self._made.pop(event_seq, ()):
            self._spool.forget(key)

    async def settle(
        self,
        stack: AsyncExitStack,
        *,
        event_seq: int,
        origin: ChatRef,
        content: Content,
        most_bytes: int,
        patience: Patience,
        within_s: float,
        only: Collection[int] | None = None,
    ) -> list[FetchResult]:
        """Each of the content's attachments on disk until the stack closes, or the reason why not. With `only`, those at other
        places are left alone. Downloads that are not over `within_s` seconds from now go on by themselves, and come late.

        Raises FileNotYet when one may still come and there is patience."""
        until_s = self._clock.monotonic_s() + within_s
        return [
            await self._settle_one(stack, (event_seq, index), origin, attachment, content, most_bytes, patience, until_s)
            if only is None or index in only
            else FetchResult(attachment=attachment)
            for index, attachment in enumerate(content.attachments)
        ]

    async def _settle_one(
        self,
        stack: AsyncExitStack,
        place: tuple[int, int],
        origin: ChatRef,
        attachment: Attachment,
        content: Content,
        most_bytes: int,
        patience: Patience,
        until_s: float,
    ) -> FetchResult:
        if attachment.problem:
            return FetchResult(attachment=attachment, problem=attachment.problem)
        if attachment.size_bytes is not None and attachment.size_bytes > most_bytes:
            return FetchResult(attachment=attachment)  # `render` says which limit it breaks
        try:
            if is_whole_text(attachment):
                key = place[0], attachment.file_id  # it may differ from one version of the text to the next
                self._made.setdefault(place[0], set()).add(key)
                spooled = await stack.enter_async_context(self._spool.borrow(key, lambda: _made_of(content), most_bytes=most_bytes))
            elif await self._is_fetched(place, origin, attachment, most_bytes, until_s - self._clock.monotonic_s()):
                spooled = await stack.enter_async_context(self._spool.borrow(place, _gone, most_bytes=most_bytes))
            elif patience is Patience.OVER:
                return FetchResult(attachment=attachment, problem="could not be fetched: its download does not come to an end")
            else:
                return FetchResult(attachment=attachment, problem=_FOLLOWS, late=True, after_s=_LOOK_AGAIN_S)
        except TooLarge as error:
            known = attachment.size_bytes or error.size_bytes
            return FetchResult(attachment=attachment, problem="too large") if known <= most_bytes else _sized(attachment, known)
        except Rejected as error:
            return FetchResult(attachment=attachment, problem=error.reason)
        except Exception as error:
            # whatever is wrong at the origin concerns this file, not its message nor the account that it goes to
            reason = self._trouble(origin.account, error)
            after_s = error.after_s if isinstance(error, RetryLater) else None
            match patience:
                case Patience.OVER:
                    return FetchResult(attachment=attachment, problem=f"could not be fetched: {reason}")
                case Patience.LATER:
                    return FetchResult(attachment=attachment, problem=_FOLLOWS, late=True, after_s=after_s)
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

    async def _is_fetched(
        self, place: tuple[int, int], origin: ChatRef, attachment: Attachment, most_bytes: int, within_s: float
    ) -> bool:
        async def fetch() -> None:
            supplier = self._suppliers(origin.account)
            fetching = self._spool_it(place, lambda: self._open(origin.account, attachment), most_bytes)
            await (fetching if supplier is None else supplier.call(fetching))

        self._limits.setdefault(place, set()).add(most_bytes)
        return await self._downloads.wait_for((*place, most_bytes), origin, fetch, within_s=within_s)

    async def _spool_it(self, place: tuple[int, int], opener: Opener, most_bytes: int) -> None:
        async with self._spool.borrow(place, opener, most_bytes=most_bytes):
            pass  # it stays there for those who want it

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


def _gone() -> AbstractAsyncContextManager[FileStream]:
    raise RetryLater("the spool is too full to keep it")


@asynccontextmanager
async def _made_of(content: Content) -> AsyncIterator[FileStream]:
    data = await beside(partial(whole_text, content))

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    yield FileStream(chunks=chunks(), size_bytes=len(data))


def _sized(attachment: Attachment, size_bytes: int) -> FetchResult:
    import msgspec

    return FetchResult(attachment=msgspec.structs.replace(attachment, size_bytes=size_bytes))

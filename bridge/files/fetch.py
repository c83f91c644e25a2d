"""Attachments of a delivery, fetched to disk for as long as the delivery needs them, or the reason why one cannot be fetched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Hashable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial

import msgspec
import structlog

from bridge.accounts.supervisor import AccountSupervisor
from bridge.files.conversions import Conversions
from bridge.files.convert import SOURCE_BYTES, NotConverted
from bridge.files.downloads import Downloads
from bridge.files.on_demand import opened
from bridge.files.spool import Opener, Spool, Spooled, TooLarge
from bridge.model.adapter import FileStream, OutboundFile
from bridge.model.capabilities import Limits
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, BridgeError, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind, Content, Still
from bridge.model.media import LOTTIE, Form
from bridge.model.pauses import beside
from bridge.model.refs import AccountName, ChatRef
from bridge.policy.routing import RelayOptions
from bridge.render.file_names import file_name, mime_of, with_ending
from bridge.render.long_text import is_whole_text, whole_text
from bridge.render.message import FetchResult

log = structlog.get_logger("outbox")

_MB = 1_000_000
_LOOK_AGAIN_S = 2.0
"""When to check again a download that continues."""
_FOLLOWS = "follows once it can be fetched"
_STILL = "still"
_AT_HOME_ONLY = "an animated sticker that is drawn only where it comes from"


def most_bytes(limits: Limits, options: RelayOptions) -> int:
    """Largest file that this end accepts."""
    own = limits.upload_bytes
    return own if options.max_file_mb is None else min(own, int(options.max_file_mb * _MB))


class Patience(Enum):
    """What a file that cannot be fetched now means for its message."""

    WAIT = auto()
    """The message waits for it: the failure may be short."""
    LATER = auto()
    """The message is sent, and the file follows."""
    OVER = auto()
    """It is given up."""


class FileNotYet(RetryLater):
    """A file cannot be fetched now; it may be available later. `form`: what it is being converted to."""

    form: Form | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    """One call of `fetch_all`."""

    event_seq: int
    origin: ChatRef
    content: Content
    most_bytes: int
    patience: Patience
    until_s: float
    form_of: Callable[[Attachment], Form | None]


class FileFetcher:
    """Fetches through the origin's adapter into the spool; `suppliers` finds an account's supervisor."""

    def __init__(
        self,
        spool: Spool,
        suppliers: Callable[[AccountName], AccountSupervisor | None],
        clock: Clock,
        conversions: Conversions | None = None,
    ) -> None:
        """Without `conversions` every file stays as it is."""
        self._spool = spool
        self._conversions = conversions
        self._clock = clock
        self._downloads = Downloads(clock)
        self._suppliers = suppliers
        self._users: dict[int, int] = {}
        self._made: dict[int, set[tuple[int, str]]] = {}
        """Files made of an event's own text, by the event."""
        self._limits: dict[tuple[Hashable, ...], set[int | Form]] = {}
        """By file: the largest size that those who asked for it accept, and what it is made into for them."""

    async def close(self) -> None:
        """Ends the downloads and conversions that nothing waits for."""
        await self._downloads.close()
        if self._conversions is not None:
            await self._conversions.close()

    def expect(self, event_seq: int) -> None:
        """One more delivery of this event will ask for its files."""
        self._users[event_seq] = self._users.get(event_seq, 0) + 1

    def finished(self, event_seq: int, files: int) -> None:
        """A delivery of this event is final: after the last one its files are deleted."""
        left = self._users.get(event_seq, 1) - 1
        if left > 0:
            self._users[event_seq] = left
            return
        self._users.pop(event_seq, None)
        for index in range(files):
            keys: tuple[tuple[Hashable, ...], ...] = ((event_seq, index), (event_seq, index, _STILL))
            for key in keys:
                for asked in self._limits.pop(key, ()):
                    self._downloads.forget((*key, asked))
                self._spool.forget(key)
        for key in self._made.pop(event_seq, ()):
            self._spool.forget(key)

    async def fetch_all(
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
        form_of: Callable[[Attachment], Form | None] = lambda _: None,
    ) -> list[FetchResult]:
        """Each of the content's attachments on disk until the stack closes, or the reason why not. With `only`, other indexes are
        skipped. `form_of` says what a file is to be converted to; one that cannot be is as it was, or is its still picture.
        Downloads and conversions that are not complete `within_s` seconds from now continue, and their files follow later. Raises
        FileNotYet if one may still be available and `patience` is WAIT."""
        until_s = self._clock.monotonic_s() + within_s
        request = _Request(event_seq, origin, content, most_bytes, patience, until_s, form_of)
        return [
            await self._fetch_one(stack, index, attachment, request)
            if only is None or index in only
            else FetchResult(attachment=attachment)
            for index, attachment in enumerate(content.attachments)
        ]

    async def _fetch_one(self, stack: AsyncExitStack, index: int, attachment: Attachment, request: _Request) -> FetchResult:
        if attachment.problem:
            return FetchResult(attachment=attachment, problem=attachment.problem)
        if attachment.size_bytes is not None and attachment.size_bytes > request.most_bytes:
            return FetchResult(attachment=attachment)  # `render` says which limit it breaks
        making: Form | None = None
        try:
            form = request.form_of(attachment)
            if form is not None and self._conversions is not None and self._conversions.can(request.origin, attachment, form):
                making = form
                if not await self._is_converted(index, attachment, form, request):
                    return replace(_still_downloading(attachment, request.patience), form=form)
                made = await self._converted(stack, index, attachment, form, request)
                if made is not None:
                    return FetchResult(attachment=attachment, file=made)
            if form is not None and _is_shown_at_home_only(attachment):
                return FetchResult(attachment=attachment, problem=_AT_HOME_ONLY)
            fetched = attachment if form is None or attachment.still is None else _as_still(attachment, attachment.still)
            borrowed = await self._borrow(index, fetched, request)
            if borrowed is None:
                return _still_downloading(attachment, request.patience)
            spooled = await stack.enter_async_context(borrowed)
        except TooLarge as error:
            known = attachment.size_bytes or error.size_bytes
            is_allowed = known <= request.most_bytes
            return FetchResult(attachment=attachment, problem="too large") if is_allowed else _sized(attachment, known)
        except Rejected as error:
            return FetchResult(attachment=attachment, problem=error.reason)
        except Exception as error:
            # an error at the origin concerns this file, not its message or the target's account
            return self._failed(attachment, request, error, making)
        return FetchResult(attachment=attachment, file=_outbound(fetched, spooled))

    async def _is_converted(self, index: int, attachment: Attachment, form: Form, request: _Request) -> bool:
        """Whether it was fetched and converted, or cannot be. False: that goes on."""
        conversions, key, origin = self._conversions, (request.event_seq, index), request.origin
        assert conversions is not None

        async def convert() -> None:
            supplier = self._suppliers(origin.account)
            fetching = self._spool_it(key, lambda: opened(self._suppliers, origin.account, attachment), SOURCE_BYTES)
            try:
                await (fetching if supplier is None else supplier.call(fetching))
            except TooLarge:
                conversions.give_up(origin, attachment, form, NotConverted("it is too large"))
                return  # the target may take it as it is
            await conversions.make(origin, attachment, form, lambda: self._spool.borrow(key, _gone, most_bytes=SOURCE_BYTES))

        self._limits.setdefault(key, set()).add(form)
        within_s = request.until_s - self._clock.monotonic_s()
        return await self._downloads.wait_for((*key, form), origin, convert, within_s=within_s)

    async def _converted(
        self, stack: AsyncExitStack, index: int, attachment: Attachment, form: Form, request: _Request
    ) -> OutboundFile | None:
        """None: it could not be converted, or is too large then."""
        assert self._conversions is not None
        key = request.event_seq, index
        return await stack.enter_async_context(
            self._conversions.borrow(
                *(request.origin, attachment, form, lambda: self._spool.borrow(key, _gone, most_bytes=request.most_bytes)),
                most_bytes=request.most_bytes,
            )
        )

    async def _borrow(self, index: int, attachment: Attachment, request: _Request) -> AbstractAsyncContextManager[Spooled] | None:
        """The file on disk. None: its download goes on."""
        if is_whole_text(attachment):
            made = request.event_seq, attachment.file_id  # it may differ from one version of the text to the next
            self._made.setdefault(request.event_seq, set()).add(made)
            return self._spool.borrow(made, lambda: _made_of(request.content), most_bytes=request.most_bytes)
        is_still = attachment.file_id != request.content.attachments[index].file_id
        key: tuple[Hashable, ...] = (request.event_seq, index, _STILL) if is_still else (request.event_seq, index)
        within_s = request.until_s - self._clock.monotonic_s()
        if await self._is_fetched(key, request.origin, attachment, request.most_bytes, within_s):
            return self._spool.borrow(key, _gone, most_bytes=request.most_bytes)
        return None

    def _failed(self, attachment: Attachment, request: _Request, error: Exception, form: Form | None) -> FetchResult:
        """Raises FileNotYet if it may still be available and patience is WAIT."""
        reason = self._trouble(request.origin.account, error)
        after_s = error.after_s if isinstance(error, RetryLater) else None
        match request.patience:
            case Patience.OVER:
                return FetchResult(attachment=attachment, problem=f"could not be fetched: {reason}")
            case Patience.LATER:
                return FetchResult(attachment=attachment, problem=_FOLLOWS, late=True, after_s=after_s, form=form)
        not_yet = FileNotYet(f"its file cannot be fetched now: {reason}", after_s=after_s)
        not_yet.form = form
        raise not_yet from error

    async def _is_fetched(
        self, key: tuple[Hashable, ...], origin: ChatRef, attachment: Attachment, most_bytes: int, within_s: float
    ) -> bool:
        async def fetch() -> None:
            supplier = self._suppliers(origin.account)
            fetching = self._spool_it(key, lambda: opened(self._suppliers, origin.account, attachment), most_bytes)
            await (fetching if supplier is None else supplier.call(fetching))

        self._limits.setdefault(key, set()).add(most_bytes)
        return await self._downloads.wait_for((*key, most_bytes), origin, fetch, within_s=within_s)

    async def _spool_it(self, key: Hashable, opener: Opener, most_bytes: int) -> None:
        async with self._spool.borrow(key, opener, most_bytes=most_bytes):
            pass  # it stays there for other users

    def _trouble(self, origin: AccountName, error: Exception) -> str:
        if isinstance(error, AccountDown) and (supervisor := self._suppliers(origin)) is not None:
            supervisor.report_down(error)
        if not isinstance(error, BridgeError | OSError | TimeoutError):
            log.exception("file fetched unexpectedly badly", account=origin)
        return getattr(error, "reason", "") or str(error) or type(error).__name__


def _gone() -> AbstractAsyncContextManager[FileStream]:
    raise RetryLater("the spool is too full to keep it")


@asynccontextmanager
async def _made_of(content: Content) -> AsyncIterator[FileStream]:
    data = await beside(partial(whole_text, content))

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    yield FileStream(chunks=chunks(), size_bytes=len(data))


def _still_downloading(attachment: Attachment, patience: Patience) -> FetchResult:
    if patience is Patience.OVER:
        return FetchResult(attachment=attachment, problem="could not be fetched: its download does not come to an end")
    return FetchResult(attachment=attachment, problem=_FOLLOWS, late=True, after_s=_LOOK_AGAIN_S)


def _is_shown_at_home_only(attachment: Attachment) -> bool:
    """Whether the file itself says nothing to people: numbers in JSON."""
    return attachment.kind is AttachmentKind.STICKER and mime_of(attachment) == LOTTIE and attachment.still is None


def _as_still(attachment: Attachment, still: Still) -> Attachment:
    """The attachment with its still picture for its file. It keeps its unique id: it stands for that file."""
    return msgspec.structs.replace(
        attachment,
        file_id=still.file_id,
        unique_id=attachment.unique_id or attachment.file_id,
        mime=still.mime,
        name=with_ending(attachment, still.mime),
        width=still.width,
        height=still.height,
        size_bytes=still.size_bytes,
        still=None,
    )


def _outbound(attachment: Attachment, spooled: Spooled) -> OutboundFile:
    return OutboundFile(
        attachment=attachment,
        path=spooled.path,
        name=file_name(attachment),
        mime=mime_of(attachment),
        size_bytes=spooled.size_bytes,
        block_sums=spooled.block_sums,
    )


def _sized(attachment: Attachment, size_bytes: int) -> FetchResult:
    return FetchResult(attachment=msgspec.structs.replace(attachment, size_bytes=size_bytes))

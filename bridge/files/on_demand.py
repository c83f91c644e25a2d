"""Files requested by a link: fetched from their origin into the spool on request, kept for a while for further requests, and
limited so that deliveries have room. Called by `web.media`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from bridge.accounts.supervisor import AccountSupervisor
from bridge.files.downloads import Downloads
from bridge.files.spool import Opener, Spool, Spooled
from bridge.model.adapter import FileStream, OpensFiles
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, Rejected, RetryLater
from bridge.model.events import Attachment
from bridge.model.refs import AccountName, ChatRef

KEPT_S = 600.0
"""How long a file stays in the spool after the last request for it, if nothing else needs the room."""
_AT_ONCE = 4
"""Files that are being fetched for links at a time. Further requests are answered with "try again"."""

Suppliers = Callable[[AccountName], AccountSupervisor | None]


class NotYet(Exception):
    """The file cannot be handed out now. `after_s`: when to ask again."""

    def __init__(self, reason: str, after_s: float) -> None:
        super().__init__(reason)
        self.reason, self.after_s = reason, after_s


def opened(suppliers: Suppliers, account: AccountName, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
    """A file of an account, as its adapter opens it. Raises Rejected if the account cannot fetch files."""
    supervisor = suppliers(account)
    if supervisor is None:
        raise Rejected("the account it came from is no longer configured")
    adapter = supervisor.adapter
    if not isinstance(adapter, OpensFiles):
        raise Rejected("files of this account cannot be fetched")
    return adapter.open_file(attachment)


class OnDemand:
    """`most_bytes` limits the space in the spool that files for links use together, and so the size of each."""

    def __init__(self, spool: Spool, suppliers: Suppliers, clock: Clock, *, most_bytes: int) -> None:
        self._spool = spool
        self._suppliers = suppliers
        self._clock = clock
        self._downloads = Downloads(clock)
        self._most_bytes = most_bytes
        self._fetching = 0
        self._used: dict[Hashable, tuple[int, int]] = {}
        """By file: its size, and the number of current users."""
        self._timers: dict[Hashable, asyncio.TimerHandle] = {}

    async def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        await self._downloads.close()

    @asynccontextmanager
    async def borrow(self, chat: ChatRef, attachment: Attachment, *, within_s: float) -> AsyncIterator[Spooled]:
        """The file on disk while the context lasts. Raises Rejected if the origin no longer has it, and NotYet or another
        BridgeError if it cannot be fetched now. A download that takes longer than `within_s` goes on."""
        key = ("link", chat.account, attachment.unique_id or attachment.file_id)

        def opener() -> AbstractAsyncContextManager[FileStream]:
            return opened(self._suppliers, chat.account, attachment)

        self._count(key, attachment.size_bytes or 0)
        try:
            if not await self._downloads.wait_for(
                key, chat, lambda: self._fetch(key, chat.account, opener, attachment), within_s=within_s
            ):
                raise NotYet("it is being fetched", after_s=5)
            async with self._spool.borrow(key, _gone, most_bytes=self._most_bytes) as spooled:
                yield spooled
        finally:
            self._uncount(key)

    async def _fetch(self, key: Hashable, account: AccountName, opener: Opener, attachment: Attachment) -> None:
        if self._fetching >= _AT_ONCE:
            raise NotYet("too many files are being fetched", after_s=15)
        supplier = self._suppliers(account)
        self._count(key, attachment.size_bytes or 0)
        self._fetching += 1
        try:
            fetching = self._spool_it(key, opener)
            await (fetching if supplier is None else supplier.call(fetching))
        except AccountDown as error:
            if supplier is not None:
                supplier.report_down(error)
            raise
        except OSError as error:  # a fault of the connection to the origin, not to the caller
            raise RetryLater(str(error) or type(error).__name__) from error
        finally:
            self._uncount(key)
            self._fetching -= 1

    async def _spool_it(self, key: Hashable, opener: Opener) -> None:
        async with self._spool.borrow(key, opener, most_bytes=self._most_bytes):
            pass  # it stays there for this caller and for further ones

    def is_held(self, account: AccountName, attachment: Attachment) -> bool:
        """Whether the next request for it needs no download."""
        key = ("link", account, attachment.unique_id or attachment.file_id)
        return key in self._used or key in self._timers

    # -- room ---------------------------------------------------------------------------------------------------------------

    def _count(self, key: Hashable, size_bytes: int) -> None:
        """Raises NotYet."""
        size, users = self._used.get(key, (size_bytes, 0))
        if not users and sum(one for one, _ in self._used.values()) + size > self._most_bytes and self._used:
            raise NotYet("too many files are being read", after_s=15)
        self._used[key] = size, users + 1
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _uncount(self, key: Hashable) -> None:
        size, users = self._used[key]
        if users > 1:
            self._used[key] = size, users - 1
            return
        del self._used[key]
        self._timers[key] = asyncio.get_running_loop().call_later(KEPT_S, self._forget, key)

    def _forget(self, key: Hashable) -> None:
        self._timers.pop(key, None)
        self._downloads.forget(key)
        self._spool.forget(key)


def _gone() -> AbstractAsyncContextManager[FileStream]:
    raise RetryLater("the spool is too full to keep it", after_s=15)

"""The one file with network I/O: Bot API calls through aiogram, raw updates, streamed downloads. It raises the bridge's errors.

aiogram builds and streams the requests; answers stay plain JSON. Its models would fail a whole batch of updates for one strange
value, and would call a message that was sent unsent because its description has a new field (platforms.md 1.4, 1.5).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import msgspec

from adapters.common.egress import Egress
from adapters.common.http_errors import TRANSPORT_ERRORS, Effect, classify_transfer_error
from adapters.common.transfers import AS_IT_IS, Progress
from adapters.telegram.errors import NEW_TOKEN, NotOfTheApi, classify
from adapters.telegram.lazy_aiogram import Bot, TelegramMethod, TokenValidationError, exceptions
from adapters.telegram.session import CONNECT_TIMEOUT_S, Session
from adapters.telegram.uploads import method_of
from adapters.telegram.wire import Call
from bridge.model.errors import AccountDown, RetryLater

if TYPE_CHECKING:
    from adapters.telegram.config import TelegramOptions

POLL_GRACE_S = 15.0
"""How much longer than asked a long poll may take to answer."""

SENT_ON_BYTES_PER_S = 500_000
"""How slowly a Bot API server may send on what it was given: it answers only after that."""

_FAILURES = (exceptions.AiogramError, NotOfTheApi, *TRANSPORT_ERRORS)
MOST_UPDATES = 100
"""Of one poll. Source: getUpdates, Bot API 10.3."""


class Transport:
    """One bot's connection to its Bot API server."""

    def __init__(self, options: TelegramOptions) -> None:
        self._options = options
        self._session = Session(options)
        self._egress = Egress([options.base_url], only=(), also=options.file_hosts, proxy=options.proxy)
        self._bot: Bot | None = None

    @property
    def bot(self) -> Bot:
        """Raises AccountDown for a token of the wrong form."""
        if self._bot is None:
            try:
                self._bot = Bot(self._options.token.get_secret_value(), session=self._session)
            except TokenValidationError:
                raise AccountDown("the token does not look like 123456:ABC-DEF...", action=NEW_TOKEN) from None
        return self._bot

    @property
    def bot_id(self) -> str:
        return str(self.bot.id)

    async def close(self) -> None:
        await self._session.close()

    async def call(self, call: Call, *, effect: Effect = Effect.IDEMPOTENT, timeout_s: float | None = None) -> Any:
        """One attempt; the JSON result. Raises DeliveryError or AccountDown."""
        if call.has_files:
            return await self._upload(call, effect)
        try:
            return await self._request(method_of(call, None), timeout_s or self._options.request_timeout_s)
        except _FAILURES as error:
            raise classify(error, effect=effect) from None

    async def _upload(self, call: Call, effect: Effect) -> Any:
        """The same with files: the whole may take long while it moves, and the server sends them on before it answers."""
        progress = Progress()
        method = method_of(call, progress)
        stall_s = self._options.request_timeout_s
        try:
            async with progress.moving(stall_s, answer_s=stall_s + progress.size_bytes / SENT_ON_BYTES_PER_S):
                return await self._request(method, self._options.transfer_timeout_s)
        except _FAILURES as error:
            raise classify(error, effect=Effect.IDEMPOTENT if progress.is_torn else effect) from None

    async def _request(self, method: TelegramMethod[Any], timeout_s: float) -> Any:
        limit = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        return await self.bot(method, request_timeout=cast("int", limit))

    async def updates(self, *, offset: int, timeout_s: int, allowed: tuple[str, ...]) -> list[msgspec.Raw]:
        """One long poll, each update as the JSON text it came in."""
        params = {"offset": offset, "timeout": timeout_s, "allowed_updates": list(allowed), "limit": MOST_UPDATES}
        updates = await self.call(Call("GetUpdates", params), timeout_s=timeout_s + POLL_GRACE_S)
        return cast("list[msgspec.Raw]", updates)

    @asynccontextmanager
    async def get_file(self, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """The server's answer for a file; `path` is below its address for files, and fit for a URL. Raises RetryLater and the other
        errors of a transfer; the body is the caller's to read."""
        session = await self._session.create_session()
        url = self._session.api.file_url(self.bot.token, path)
        timeout = aiohttp.ClientTimeout(
            total=self._options.transfer_timeout_s, sock_connect=CONNECT_TIMEOUT_S, sock_read=self._options.request_timeout_s
        )
        try:
            response = await self._egress.open(session, url, headers=AS_IT_IS, timeout=timeout)
        except TRANSPORT_ERRORS as error:
            raise classify_transfer_error(error, doing="file download") from None
        async with response:
            if response.status != 200:
                raise RetryLater(f"Telegram answered the download with HTTP {response.status}")
            yield response

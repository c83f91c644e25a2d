"""The one file with network I/O: Bot API calls through aiogram, raw updates, streamed downloads. Errors come out as ours.

aiogram builds and streams the requests; answers stay plain JSON. Its models would fail a whole batch of updates for one strange
value, and would call a message that was sent unsent because its description has a new field (platforms.md 1.4, 1.5).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import aiohttp
import msgspec

from adapters.common.egress import Egress
from adapters.common.files import CheckedFile
from adapters.common.http_body import BoundedResponse, no_redirects
from adapters.common.http_errors import TRANSPORT_ERRORS, Effect, classify_transfer_error, departures
from adapters.common.lenient import record, whole, words
from adapters.common.tls import client_context
from adapters.common.transfers import AS_IT_IS, CHUNK_BYTES, Progress, body_bytes, chunks_of
from adapters.telegram.errors import FILE_UNAVAILABLE, NEW_TOKEN, NotOfTheApi, Refused, classify
from adapters.telegram.inbound import local_files
from adapters.telegram.lazy_aiogram import (
    AiohttpSession,
    Bot,
    InputFile,
    InputMediaAnimation,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    TelegramAPIServer,
    TelegramMethod,
    TokenValidationError,
    exceptions,
    methods,
)
from adapters.telegram.outbound.encode import Call, Upload
from adapters.telegram.responses import result_of
from bridge.model.adapter import FileStream
from bridge.model.errors import AccountDown, Rejected, RetryLater

if TYPE_CHECKING:
    from adapters.telegram.config import TelegramOptions

CONNECT_TIMEOUT_S = 15.0
POLL_GRACE_S = 15.0
"""How much longer than asked a long poll may take to answer."""
CONNECTIONS_MAX = 512

SENT_ON_BYTES_PER_S = 500_000
"""How slowly a Bot API server may send on what it was given: it answers only after that."""

_FAILURES = (exceptions.AiogramError, NotOfTheApi, *TRANSPORT_ERRORS)

_MEDIA = {
    "photo": InputMediaPhoto,
    "video": InputMediaVideo,
    "audio": InputMediaAudio,
    "document": InputMediaDocument,
    "animation": InputMediaAnimation,
}


class _Session(AiohttpSession):
    """aiogram's session with system CAs, a proxy, and answers as plain JSON."""

    def __init__(self, options: TelegramOptions) -> None:
        api = TelegramAPIServer.from_base(options.base_url, is_local=options.local_server)
        super().__init__(api=api, timeout=options.request_timeout_s)
        self._proxy_url = options.proxy
        self._ca_file = options.ca_file

    async def create_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(ssl=client_context(self._ca_file), limit=CONNECTIONS_MAX)
            timeout = aiohttp.ClientTimeout(total=self.timeout, sock_connect=CONNECT_TIMEOUT_S)
            self._session = aiohttp.ClientSession(
                connector=connector,
                proxy=self._proxy_url,
                timeout=timeout,
                response_class=BoundedResponse,
                trace_configs=[no_redirects(), departures()],
            )
            self._should_reset_connector = False
        return self._session

    async def close(self) -> None:
        if self._session is not None and not self._session.closed:
            await self._session.close()

    def build_form_data(self, bot: Bot, method: TelegramMethod[Any]) -> aiohttp.FormData:
        """The parameters that were given, and no others: a bot's defaults are never wanted here (a parse mode would make the server
        ignore entities), and most of a method's twenty fields are empty."""
        form = aiohttp.FormData(quote_fields=False)
        files: dict[str, InputFile] = {}
        for name, value in method.model_dump(exclude_unset=True, warnings=False).items():
            prepared = self.prepare_value(value, bot=bot, files=files)
            if prepared:
                form.add_field(name, prepared)
        for key, file in files.items():
            form.add_field(key, file.read(bot), filename=file.filename or key)
        return form

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: Any = None) -> Any:
        """The result as plain JSON. Raises aiohttp's errors as they are, and those of `responses.result_of`."""
        session = await self.create_session()
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        async with session.post(url, data=self.build_form_data(bot, method), timeout=timeout) as answer:
            return result_of(method, answer.status, await answer.text(), answer.headers)


class Transport:
    """One bot's connection to its Bot API server."""

    def __init__(self, options: TelegramOptions) -> None:
        self._options = options
        self._session = _Session(options)
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
            return await self._request(_method(call, None), timeout_s or self._options.request_timeout_s)
        except _FAILURES as error:
            raise classify(error, effect=effect) from None

    async def _upload(self, call: Call, effect: Effect) -> Any:
        """The same with files: the whole may take long while it moves, and the server sends them on before it answers."""
        progress = Progress()
        method = _method(call, progress)
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
        params = {"offset": offset, "timeout": timeout_s, "allowed_updates": list(allowed), "limit": 100}
        updates = await self.call(Call("GetUpdates", params), timeout_s=timeout_s + POLL_GRACE_S)
        return cast("list[msgspec.Raw]", updates)

    @asynccontextmanager
    async def open_file(self, file_id: str) -> AsyncIterator[FileStream]:
        """Download a file by its id. Raises Rejected for one that will never come, RetryLater otherwise; `chunks` raises RetryLater
        when the body ends early."""
        path, size = await self._locate(file_id)
        if self._options.local_server:
            token, root = self.bot.token, self._options.files_root
            yield FileStream(chunks=local_files.read(path, token=token, files_root=root, size_bytes=size), size_bytes=size)
            return
        session = await self._session.create_session()
        url = self._session.api.file_url(self.bot.token, relative_path(path))
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
            expected = body_bytes(response, None) if size is None else size
            yield FileStream(chunks=chunks_of(response, expected), size_bytes=expected)

    async def _locate(self, file_id: str) -> tuple[str, int | None]:
        """Where the server has the file, and its size in bytes."""
        try:
            file = record(await self.call(Call("GetFile", {"file_id": file_id})))
        except Refused as refusal:
            if refusal.says(FILE_UNAVAILABLE):
                raise RetryLater(refusal.reason) from None
            raise
        path, size = words(file.get("file_path")), whole(file.get("file_size"))
        if not path:
            raise RetryLater("Telegram has no path for the file yet")
        return path, size


def relative_path(path: str) -> str:
    """A file's path below the server's address for files, made fit for a URL. Raises Rejected for one that leads elsewhere."""
    if path.startswith("/"):
        raise Rejected("the Bot API server names a path on its own disk: it runs with --local, which local_server: true tells us")
    leads_elsewhere = "\\" in path or ":" in path.split("/")[0] or {".", "..", ""} & set(path.split("/"))
    if leads_elsewhere or not path.isprintable():
        raise Rejected("the Bot API server's path for the file is none")
    return quote(path)


class _WatchedInput(InputFile):
    """A file that is opened when its turn comes, and tells how far its upload got."""

    def __init__(self, upload: Upload, progress: Progress) -> None:
        super().__init__(filename=upload.name, chunk_size=CHUNK_BYTES)
        self._file = upload.file
        self._progress = progress
        progress.size_bytes += upload.file.size_bytes

    async def read(self, bot: Bot) -> AsyncGenerator[bytes, None]:
        file = await asyncio.to_thread(CheckedFile, self._file)
        try:
            while chunk := await asyncio.to_thread(file.read, self.chunk_size):
                self._progress.note(len(chunk))
                yield chunk
        finally:
            await asyncio.to_thread(file.close)


def _method(call: Call, progress: Progress | None) -> TelegramMethod[Any]:
    """`progress` is that of its uploads, if there are any."""
    params = call.params if progress is None else {name: _uploading(value, progress) for name, value in call.params.items()}
    method: TelegramMethod[Any] = getattr(methods, call.method)(**params)
    return method


def _uploading(value: Any, progress: Progress) -> Any:
    if isinstance(value, Upload):
        return _WatchedInput(value, progress)
    if isinstance(value, list) and value and isinstance(value[0], dict) and "media" in value[0]:
        return [_MEDIA[item["type"]](**{name: _uploading(each, progress) for name, each in item.items()}) for item in value]
    return value

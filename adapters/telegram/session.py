"""aiogram's session, which builds and streams requests: with system CAs, a proxy, answers as plain JSON. Used by `transport`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp

from adapters.common.http_body import BoundedResponse, no_redirects
from adapters.common.http_errors import departures
from adapters.common.tls import client_context
from adapters.telegram.lazy_aiogram import AiohttpSession, Bot, InputFile, TelegramAPIServer, TelegramMethod
from adapters.telegram.responses import result_of

if TYPE_CHECKING:
    from adapters.telegram.config import TelegramOptions

CONNECT_TIMEOUT_S = 15.0
CONNECTIONS_MAX = 512


class Session(AiohttpSession):
    """One account's connections to its server."""

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
                trace_configs=[departures(no_redirects())],
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

"""The one file with network I/O: Web API calls through slack_sdk, file bytes, and websockets. Called by the rest of the adapter.

slack_sdk's own repeats are off (`retry_handlers=[]`): its default resends a POST on a dropped connection, which posts twice. Every
call is bounded in time, and every failure leaves as one of the bridge's errors, without tokens or URLs in its text.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from yarl import URL

from adapters.common.egress import Egress
from adapters.common.http_body import BoundedResponse, no_redirects
from adapters.common.http_errors import (
    TRANSPORT_ERRORS,
    Effect,
    classify_connection_error,
    classify_transfer_error,
    classify_transport_error,
    departures,
)
from adapters.common.platform_time import PlatformTime
from adapters.common.tls import client_context
from adapters.common.transfers import AS_IT_IS, Progress, open_watched
from adapters.slack.errors import OPENS_SOCKET, classify, classify_upload
from bridge.model.adapter import OutboundFile
from bridge.model.errors import BridgeError, Rejected, RetryLater

if TYPE_CHECKING:
    from adapters.slack.config import SlackOptions

Answer = Mapping[str, Any]

_QUIET = logging.getLogger("slack_sdk.quiet")
"""slack_sdk logs whole requests and answers at debug level; message text must not be logged."""
_QUIET.setLevel(logging.WARNING)

_CONNECT_TIMEOUT_S = 10.0
_CONNECTIONS = 256
_HEARTBEAT_S = 15.0
_MAX_FRAME_BYTES = 16 * 1024 * 1024
_CLOSE_TIMEOUT_S = 3.0

_HOSTS = ("slack.com", ".slack.com", "slack-gov.com", ".slack-gov.com")
"""Where Slack's API and files live. Source: docs.slack.dev, "Working with files": files.slack.com, or the workspace's own host."""


_PICTURE_HOSTS = ("slack-edge.com", ".slack-edge.com", *_HOSTS)
"""Where the pictures of emoji live. Source: docs.slack.dev, emoji.list."""

_ANSWERS: ContextVar[list[aiohttp.ClientResponse]] = ContextVar("answers")
"""The answers of the current call: slack_sdk does not give the status of one that is no JSON."""


class Transport:
    """Sessions and sockets of one account. Built inside the running loop."""

    def __init__(self, options: SlackOptions) -> None:
        self._options = options
        tls = client_context(options.ca_file)
        self._proxy = options.proxy
        self.time = PlatformTime()
        """Slack's clock: a `ts` is compared with it, never with ours."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=options.request_timeout_s, sock_connect=_CONNECT_TIMEOUT_S),
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=tls),
            json_serialize=_to_json,
            response_class=BoundedResponse,
            trace_configs=[self._learning(), departures(no_redirects())],
        )
        self._web = AsyncWebClient(
            options.bot_token.get_secret_value(),
            base_url=options.api_url + "/",
            ssl=tls,
            session=self._session,
            retry_handlers=[],
            logger=_QUIET,
        )
        # only bridge.yaml decides about proxies: slack_sdk would take HTTP_PROXY from the environment, and ignore NO_PROXY
        self._web.proxy = options.proxy
        self.granted: frozenset[str] = frozenset()
        """The bot token's scopes, once Slack has told them."""
        self._own_host = urlsplit(options.api_url).netloc
        self._egress = Egress([options.api_url], only=_HOSTS, also=options.file_hosts, proxy=options.proxy)
        self._pictures = Egress([options.api_url], only=_PICTURE_HOSTS, also=options.file_hosts, proxy=options.proxy)

    def __repr__(self) -> str:
        return f"Transport({self._own_host})"

    def _learning(self) -> aiohttp.TraceConfig:
        """Every answer of the Web API gives Slack's time, also a refusal."""
        api = URL(self._options.api_url).origin()

        async def learn(_: aiohttp.ClientSession, __: SimpleNamespace, ended: aiohttp.TraceRequestEndParams) -> None:
            _ANSWERS.get([]).append(ended.response)
            if ended.url.origin() == api:
                self.time.learn(ended.response.headers)

        tracing = aiohttp.TraceConfig()
        tracing.on_request_end.append(learn)
        return tracing

    async def close(self) -> None:
        await self._session.close()

    # -- Web API --------------------------------------------------------------------------------------------------------------

    async def call(
        self,
        method: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        effect: Effect = Effect.IDEMPOTENT,
        tolerate: Collection[str] = (),
        as_app: bool = False,
    ) -> Answer:
        """One attempt of one Web API method. Error codes in `tolerate` are returned (`answer["error"]`), not raised. `as_app`
        uses the app-level token. Raises the bridge's errors."""
        given = dict(arguments or {})
        if as_app and self._options.app_token is not None:
            given["token"] = self._options.app_token.get_secret_value()
        if method.startswith("chat."):
            response = await self._asked(method, effect, tolerate, json=given)
        else:
            response = await self._asked(method, effect, tolerate, params=_token_only(given), data=_form(given))
        return _data(response)

    async def scopes(self) -> tuple[Answer, frozenset[str]]:
        """auth.test, and the bot token's scopes from its header. Raises as `call`."""
        response = await self._asked("auth.test", Effect.IDEMPOTENT, (), data={})
        granted = str(response.headers.get("X-OAuth-Scopes", ""))
        self.granted = frozenset(scope.strip() for scope in granted.split(",") if scope.strip())
        return _data(response), self.granted

    async def _asked(self, method: str, effect: Effect, tolerate: Collection[str], **sent: Any) -> AsyncSlackResponse:
        """The session's time-outs hold until the last byte."""
        answers: list[aiohttp.ClientResponse] = []
        noting = _ANSWERS.set(answers)
        try:
            return await self._web.api_call(method, **sent)
        except SlackClientError as error:
            response = getattr(error, "response", None)
            data = _data(response) if isinstance(response, AsyncSlackResponse) else {}
            if isinstance(response, AsyncSlackResponse) and str(data.get("error") or "") in tolerate:
                return response
            raise _refusal(method, data, answers, effect) from None
        except TRANSPORT_ERRORS as error:
            raise classify_transport_error(error, effect=effect, doing=method) from None
        except (AttributeError, ValueError, TypeError) as error:
            # slack_sdk stumbles over an answer that is no JSON object (a proxy's page, say)
            raise _refusal(method, {}, answers, effect) from error
        finally:
            _ANSWERS.reset(noting)

    # -- files ----------------------------------------------------------------------------------------------------------------

    async def upload(self, url: str, outbound: OutboundFile) -> None:
        """POST a file's bytes to an upload URL, streamed from disk. Nothing is visible yet, so any failure may be tried again.

        Raises RetryLater for an address that is not Slack's."""
        if not self.is_trusted(url):
            raise RetryLater("file upload: not an address of Slack")
        progress = Progress()
        file = await asyncio.to_thread(open_watched, outbound, progress)
        try:
            async with (
                progress.moving(self._options.request_timeout_s),
                self._session.post(
                    url,
                    data=file,
                    headers={"Content-Type": "application/octet-stream"},
                    proxy=self._proxy,
                    timeout=self._transfer_timeout(),
                    allow_redirects=False,
                ) as answer,
            ):
                await answer.read()
                if answer.status != 200:
                    raise classify_upload(answer.status, answer.headers)
        except TRANSPORT_ERRORS as error:
            raise classify_transfer_error(error, doing="file upload") from None
        finally:
            await asyncio.to_thread(file.close)

    @asynccontextmanager
    async def download(self, url: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """GET a private file. The token goes to Slack's hosts only: a message tells the address. Raises Rejected for others."""
        token = self._options.bot_token.get_secret_value()
        try:
            async with await self._egress.open(
                self._session,
                url,
                headers=AS_IT_IS,
                credentials={"Authorization": f"Bearer {token}"},
                timeout=self._transfer_timeout(),
            ) as answer:
                yield answer
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise classify_transfer_error(error, doing="file download") from None

    @asynccontextmanager
    async def open_picture(self, url: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """GET the picture of an emoji, without the token. Raises Rejected for other hosts than Slack's."""
        try:
            async with await self._pictures.open(self._session, url, headers=AS_IT_IS, timeout=self._transfer_timeout()) as answer:
                yield answer
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise classify_transfer_error(error, doing="emoji download") from None

    def is_trusted(self, url: str) -> bool:
        """Whether files are fetched from there and sent there: a server of Slack, the configured one, or one of `file_hosts`."""
        try:
            self._egress.admit(url)
        except Rejected:
            return False
        return True

    def _transfer_timeout(self) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(
            total=self._options.transfer_timeout_s, sock_connect=_CONNECT_TIMEOUT_S, sock_read=self._options.request_timeout_s
        )

    # -- websockets -----------------------------------------------------------------------------------------------------------

    async def open_socket(self) -> aiohttp.ClientWebSocketResponse:
        """A new Socket Mode connection. Its ticket works once, so every connection asks for a new one."""
        url = str((await self.call(OPENS_SOCKET, as_app=True)).get("url") or "")
        if not url:
            raise RetryLater("apps.connections.open: Slack told no address")
        try:
            async with asyncio.timeout(self._options.request_timeout_s):
                return await self._session.ws_connect(
                    url,
                    heartbeat=_HEARTBEAT_S,
                    autoping=False,  # `SocketMode` answers pings itself, and so notices that Slack is there
                    max_msg_size=_MAX_FRAME_BYTES,
                    proxy=self._proxy,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT_S),
                )
        except TRANSPORT_ERRORS as error:
            raise classify_connection_error(error, doing="Slack's socket") from None


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _data(response: AsyncSlackResponse) -> Answer:
    return response.data if isinstance(response.data, dict) else {}


def _refusal(method: str, data: Answer, answers: Sequence[aiohttp.ClientResponse], effect: Effect) -> BridgeError:
    code, needed = str(data.get("error") or ""), str(data.get("needed") or "")
    if not answers:
        return classify(method, code, effect=effect, needed_scope=needed)
    last = answers[-1]
    return classify(method, code, status=last.status, headers=last.headers, effect=effect, needed_scope=needed)


def _token_only(arguments: dict[str, Any]) -> dict[str, Any]:
    """slack_sdk moves a `token` among the query parameters into the header."""
    token = arguments.pop("token", None)
    return {"token": token} if token else {}


def _form(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Form fields: every method takes them, JSON bodies only some."""
    return {key: _field(value) for key, value in arguments.items() if value is not None}


def _field(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else _to_json(value)

"""The one file with network I/O: Web API calls through slack_sdk, file bytes, and websockets. Called by the rest of the adapter.

slack_sdk's own repeats are off (`retry_handlers=[]`): its default resends a POST on a dropped connection, which posts twice. Every
call is bounded in time, and every failure leaves as one of the bridge's errors, without tokens or URLs in its text.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
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
from adapters.common.platform_time import PlatformTime
from adapters.common.transfers import AS_IT_IS, Progress, open_watched
from adapters.slack.errors import Effect, classify, classify_network, classify_upload
from bridge.model.adapter import OutboundFile
from bridge.model.errors import AccountDown, Rejected, RetryLater

if TYPE_CHECKING:
    from adapters.slack.config import SlackOptions

Answer = Mapping[str, Any]

_QUIET = logging.getLogger("slack_sdk.quiet")
"""slack_sdk writes whole requests and answers into the log at debug level: what people say has no place there."""
_QUIET.setLevel(logging.WARNING)

_CONNECT_TIMEOUT_S = 10.0
_CONNECTIONS = 256
_HEARTBEAT_S = 15.0
_MAX_FRAME_BYTES = 16 * 1024 * 1024
_CLOSE_TIMEOUT_S = 3.0

_HOSTS = ("slack.com", ".slack.com", "slack-gov.com", ".slack-gov.com")
"""Where Slack's API and files live. Source: docs.slack.dev, "Working with files": files.slack.com, or the workspace's own host."""


class Transport:
    """Sessions and sockets of one account. Built inside the running loop."""

    def __init__(self, options: SlackOptions) -> None:
        self._options = options
        self._ssl: ssl.SSLContext | bool = ssl.create_default_context(cafile=str(options.ca_file)) if options.ca_file else True
        self._proxy = options.proxy
        self.time = PlatformTime()
        """Slack's clock: what is compared with a `ts` is told by it, never by ours."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=options.request_timeout_s, sock_connect=_CONNECT_TIMEOUT_S),
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=self._ssl),
            json_serialize=_to_json,
            response_class=BoundedResponse,
            trace_configs=[self._learning(), no_redirects()],
        )
        self._web = AsyncWebClient(
            options.bot_token.get_secret_value(),
            base_url=options.api_url + "/",
            ssl=self._ssl if isinstance(self._ssl, ssl.SSLContext) else None,
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

    def __repr__(self) -> str:
        return f"Transport({self._own_host})"

    def _learning(self) -> aiohttp.TraceConfig:
        """Every answer of the Web API tells Slack's time, a refusal too."""
        api = URL(self._options.api_url).origin()

        async def learn(_: aiohttp.ClientSession, __: SimpleNamespace, ended: aiohttp.TraceRequestEndParams) -> None:
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
        effect: Effect = Effect.REPEATABLE,
        tolerate: Collection[str] = (),
        as_app: bool = False,
    ) -> Answer:
        """One attempt of one Web API method. Error codes in `tolerate` are returned (`answer["error"]`), not raised. `as_app`
        uses the app-level token. Raises the bridge's errors."""
        given = dict(arguments or {})
        if as_app and self._options.app_token is not None:
            given["token"] = self._options.app_token.get_secret_value()
        try:
            async with asyncio.timeout(self._options.request_timeout_s):
                if method.startswith("chat."):
                    response = await self._web.api_call(method, json=given)
                else:
                    response = await self._web.api_call(method, params=_token_only(given), data=_form(given))
        except SlackClientError as error:
            return self._refused(method, error, effect, tolerate)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise classify_network(method, error, effect=effect) from None
        except (AttributeError, ValueError, TypeError) as error:
            # slack_sdk stumbles over an answer that is no JSON object (a proxy's page, say)
            raise classify(method, "", effect=effect) from error
        return _data(response)

    def _refused(self, method: str, error: SlackClientError, effect: Effect, tolerate: Collection[str]) -> Answer:
        response = getattr(error, "response", None)
        if not isinstance(response, AsyncSlackResponse):
            raise classify(method, "", effect=effect) from None
        data = _data(response)
        code = str(data.get("error") or "")
        if code in tolerate:
            return data
        raise classify(
            method,
            code,
            status=response.status_code,
            retry_after_s=_retry_after_s(response.headers),
            effect=effect,
            needed_scope=str(data.get("needed") or ""),
        ) from None

    async def scopes(self) -> tuple[Answer, frozenset[str]]:
        """auth.test, and the bot token's scopes from its header."""
        try:
            async with asyncio.timeout(self._options.request_timeout_s):
                response = await self._web.api_call("auth.test", data={})
        except SlackClientError as error:
            return self._refused("auth.test", error, Effect.REPEATABLE, ()), frozenset()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise classify_network("auth.test", error, effect=Effect.REPEATABLE) from None
        granted = str(response.headers.get("X-OAuth-Scopes", ""))
        self.granted = frozenset(scope.strip() for scope in granted.split(",") if scope.strip())
        return _data(response), self.granted

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
                    raise classify_upload(answer.status)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise classify_network("file upload", error, effect=Effect.REPEATABLE) from None
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
            raise classify_network("file download", error, effect=Effect.REPEATABLE) from None

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
        """A new Socket Mode connection. Its ticket works once, so every connection asks for a new one. Its token is another one
        than messages are sent with: where it is refused, those still go out."""
        try:
            url = str((await self.call("apps.connections.open", as_app=True)).get("url") or "")
        except AccountDown as error:
            action = "check app_token: an app-level token (xapp-...) with connections:write, and Socket Mode switched on"
            raise AccountDown(error.reason, action=action, sends=True) from None
        if not url:
            raise RetryLater("apps.connections.open: Slack told no address")
        try:
            async with asyncio.timeout(self._options.request_timeout_s):
                return await self._session.ws_connect(
                    url,
                    heartbeat=_HEARTBEAT_S,
                    autoping=False,  # `SocketMode` answers, and so hears that Slack is there
                    max_msg_size=_MAX_FRAME_BYTES,
                    proxy=self._proxy,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT_S),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise classify_network("socket", error, effect=Effect.REPEATABLE) from None


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _data(response: AsyncSlackResponse) -> Answer:
    return response.data if isinstance(response.data, dict) else {}


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


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After")
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None

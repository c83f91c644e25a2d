"""Our end of an outgoing webhook: where it is mounted, and its registration with the server where the dialect has that.

A registration (with its key and secret) is kept in the account's cursors, since servers show them only once and redeliver to it
what happened while we were down. Called by `receiver`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec
import structlog

from adapters.teamspirit.client import Client
from adapters.teamspirit.inbound.webhook_auth import Credentials
from adapters.teamspirit.inbound.webhook_endpoint import Take, WebhookEndpoint
from bridge.model.adapter import Cursor, Intake
from bridge.model.errors import AccountDown, ChatDown, Rejected
from bridge.model.refs import AccountName
from bridge.model.web_mount import WebMount

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.model import Dialect

log = structlog.get_logger("teamspirit")

_CURSOR = "webhook"
_NO_PUBLIC_URL = "set web.public with its url in bridge.yaml, so that the messenger can reach the bridge"


class _Registered(msgspec.Struct, frozen=True):
    webhook_id: str
    key: str
    secret: str
    name: str
    url: str
    chats: tuple[str, ...]

    def __repr__(self) -> str:
        return f"_Registered({self.webhook_id!r})"


class Webhook:
    def __init__(
        self, *, account: AccountName, dialect: Dialect, options: TeamSpiritOptions, client: Client, web: WebMount
    ) -> None:
        self._account = account
        self._dialect = dialect
        self._options = options
        self._client = client
        self._web = web
        self._endpoint: WebhookEndpoint | None = None
        self._mounted = ""
        self._registered: _Registered | None = None

    async def connect(self, intake: Intake) -> bool:
        """Mount the webhook, and register it if it is ours to register. False if this account reads the history instead.

        Raises AccountDown, DeliveryError."""
        inbound, options = self._dialect.inbound, self._options
        if inbound is None or options.receive == "history":
            return False
        has_history = self._dialect.operations.history is not None
        registers = self._dialect.operations.register_webhook is not None
        if not self._web.public_url:
            if options.receive == "webhook" or not has_history:
                raise AccountDown("the bridge has no public URL for the messenger's calls", action=_NO_PUBLIC_URL)
            return False
        if options.webhook is not None:
            self._mount_own()
            return True
        if not registers:
            if has_history:
                return False
            raise AccountDown("no outgoing webhook is set up", action="set one up in the messenger, and webhook in bridge.yaml")
        try:
            await self.follow(intake, intake.routed_chats())
        except (Rejected, ChatDown) as error:
            action = "let the bot register webhooks, or set receive: history"
            if options.receive == "webhook" or not has_history:
                raise AccountDown(error.reason, action=action) from None
            intake.notice(error.reason, action)
            return False
        return True

    @property
    def redelivers(self) -> bool:
        """Whether the server calls again about what was not confirmed."""
        return self._dialect.inbound is not None and self._dialect.inbound.redelivers

    def mount_ahead(self) -> None:
        """Serve one that was set up by hand before anything is known of the server: its calls wait for the account."""
        wanted = self._options.webhook is not None and self._options.receive != "history"
        if wanted and self._dialect.inbound is not None and self._web.public_url:
            self._mount_own()

    def take(self, take: Take | None) -> None:
        """Who takes the calls from now on; None: nobody, the server is asked to come again."""
        if self._endpoint is not None:
            self._endpoint.take = take

    def close(self) -> None:
        if self._mounted:
            self._web.unmount(self._mounted)
            self._mounted = ""

    # -- set up by hand -----------------------------------------------------------------------------------------------------

    def _mount_own(self) -> None:
        own = self._options.webhook
        assert own is not None, "no webhook in the options"
        key = own.key.get_secret_value() if own.key else ""
        secret = own.secret.get_secret_value() if own.secret else ""
        self._mount(own.path.get_secret_value(), Credentials(key, secret))

    def _mount(self, name: str, credentials: Credentials | None) -> str:
        """Serve it; returns our URL. `credentials`: None while they are asked for."""
        assert self._dialect.inbound is not None, "the dialect has no inbound calls"
        if self._endpoint is None:
            now = self._client.time.now
            self._endpoint = WebhookEndpoint(self._dialect.inbound.authentication, credentials, lambda: now().timestamp())
        self._endpoint.renew(credentials)
        if self._mounted and self._mounted != name:
            self._web.unmount(self._mounted)
        self._mounted = name
        return self._web.public_url + self._web.mount(name, self._endpoint.handle)

    # -- registered by us ---------------------------------------------------------------------------------------------------

    async def follow(self, intake: Intake, routed: frozenset[str]) -> None:
        """See to it that the server calls us about these chats. A registration that still fits is kept: the server may have calls
        for it waiting."""
        if self._options.webhook is not None or self._dialect.operations.register_webhook is None:
            return
        old = self._registered or await self._stored(intake)
        known = await self._client.webhooks()
        if old is not None and old.chats == tuple(sorted(routed)):
            url = self._mount(old.name, Credentials(old.key, old.secret)) if self._registered is None else old.url
            listed = self._dialect.operations.list_webhooks is None or any(one.webhook_id == old.webhook_id for one in known)
            if url == old.url and listed:
                self._registered = old
                return
        name = old.name if old is not None else secrets.token_urlsafe(24)
        url = self._mount(name, Credentials(old.key, old.secret) if old else None)
        webhook_id, key, secret = await self._client.register_webhook(url, sorted(routed))
        new = _Registered(webhook_id, key, secret, name, url, tuple(sorted(routed)))
        await intake.accept([], cursors=[Cursor(name=_CURSOR, value=msgspec.json.encode(new).decode())])
        self._registered = new
        self._mount(name, Credentials(key, secret))
        ours = url.rpartition("/")[0] + "/"
        for one in known:
            if one.webhook_id != webhook_id and one.url.startswith(ours):
                await self._client.remove_webhook(one.webhook_id)
        log.info("webhook registered", account=self._account, webhook=webhook_id)

    async def _stored(self, intake: Intake) -> _Registered | None:
        value = await intake.cursor(_CURSOR)
        try:
            return msgspec.json.decode(value, type=_Registered) if value else None
        except msgspec.DecodeError:
            return None

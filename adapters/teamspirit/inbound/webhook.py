"""Our end of an outgoing webhook: where it is mounted, and its registration with the server where the dialect has that.

A registration (with its key and secret) is kept in the account's cursors, since servers show them only once and redeliver to it
what happened while we were down. Registering anew (other chats, another URL, a server that forgot) overlaps: the old key and secret
are accepted for another day. A registration that is no longer needed is removed, and so are those that earlier instances left
behind. Called by `receiver`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import structlog

from adapters.teamspirit.client import Client, Registration
from adapters.teamspirit.dialect.without_key import only_sends
from adapters.teamspirit.inbound.webhook_auth import Credentials
from adapters.teamspirit.inbound.webhook_endpoint import Take, WebhookEndpoint
from bridge.model.adapter import Cursor, Intake
from bridge.model.errors import AccountDown, ChatDown, DeliveryError, Rejected
from bridge.model.refs import AccountName
from bridge.model.web_mount import WebMount

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.model import Dialect

log = structlog.get_logger("teamspirit")

_CURSOR = "webhook"
_NO_PUBLIC_URL = "set web.public with its url in bridge.yaml, so that the messenger can reach the bridge"


_OVERLAP_S = 24 * 3600
"""How long a server may continue to redeliver what it signed before."""
_MOST_EARLIER = 5
_MOST_REMOVED = 20
"""At one look: a server may have thousands of them."""


class _Earlier(msgspec.Struct, frozen=True):
    key: str
    secret: str
    until_s: float
    """Unix time, by the server's clock."""

    def __repr__(self) -> str:
        return "_Earlier(***)"


class _Registered(msgspec.Struct, frozen=True):
    webhook_id: str
    key: str
    secret: str
    name: str
    url: str
    chats: tuple[str, ...]
    before: tuple[_Earlier, ...] = ()
    """What earlier registrations were called with, latest first: their calls may still come."""

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
        self._made: set[str] = set()
        """Registered by this process."""
        self._listed: set[str] = set()

    async def connect(self, intake: Intake) -> bool:
        """Mount the webhook, and register it if it is ours to register. False if this account reads the history instead.

        Raises AccountDown, DeliveryError."""
        inbound, options = self._dialect.inbound, self._options
        if inbound is None or options.receive == "history" or only_sends(options, self._dialect):
            await self._take_back(intake)
            return False
        has_socket = self._dialect.websocket is not None and options.receive == "auto"
        has_history = self._dialect.operations.history is not None or has_socket
        registers = self._dialect.operations.register_webhook is not None
        if not self._web.public_url:
            if options.receive == "webhook" or not has_history:
                raise AccountDown("the bridge has no public URL for the messenger's calls", action=_NO_PUBLIC_URL)
            await self._take_back(intake)
            return False
        if options.webhook is not None:
            self._mount_own()
            await self._take_back(intake)
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
        shown = [(own.key, own.secret)]
        if own.previous_key is not None or own.previous_secret is not None:
            shown.append((own.previous_key or own.key, own.previous_secret or own.secret))
        credentials = [
            Credentials(key.get_secret_value() if key else "", secret.get_secret_value() if secret else "") for key, secret in shown
        ]
        self._mount(own.path.get_secret_value(), credentials)

    def _mount(self, name: str, credentials: Sequence[Credentials], *, more_to_come: bool = False) -> str:
        """Serve it; returns our URL. The rest: see `WebhookEndpoint.renew`."""
        assert self._dialect.inbound is not None, "the dialect has no inbound calls"
        if self._endpoint is None:
            now = self._client.time.now
            self._endpoint = WebhookEndpoint(self._dialect.inbound.authentication, credentials, lambda: now().timestamp())
        self._endpoint.renew(credentials, more_to_come=more_to_come)
        if self._mounted and self._mounted != name:
            self._web.unmount(self._mounted)
        self._mounted = name
        return self._web.public_url + self._web.mount(name, self._endpoint.handle)

    # -- registered by us ---------------------------------------------------------------------------------------------------

    async def follow(self, intake: Intake, routed: frozenset[str]) -> None:
        """See to it that the server calls us about these chats, and about no others. A registration that still fits is kept: the
        server may have calls for it waiting."""
        if self._options.webhook is not None or self._dialect.operations.register_webhook is None:
            return
        if not routed:
            # without chats, the server would call about all of them
            await self._take_back(intake)
            return
        old = self._registered or await self._stored(intake)
        known = await self._client.webhooks()
        if old is None or not self._still_fits(old, routed, known):
            old = await self._register(intake, old, sorted(routed))
        self._registered = old
        await self._remove_others(old, known)

    def _still_fits(self, old: _Registered, routed: frozenset[str], known: Sequence[Registration]) -> bool:
        """Mounts it too, unless it was."""
        if old.chats != tuple(sorted(routed)):
            return False
        url = self._mount(old.name, self._credentials(old)) if self._registered is None else old.url
        if url != old.url:
            return False
        if self._dialect.operations.list_webhooks is None:
            return True
        if any(one.webhook_id == old.webhook_id for one in known):
            self._listed.add(old.webhook_id)
            return True
        # the server forgot it; or its list never held what we registered, and would not hold another one either
        return old.webhook_id in self._made and old.webhook_id not in self._listed

    async def _register(self, intake: Intake, old: _Registered | None, chats: Sequence[str]) -> _Registered:
        name = old.name if old is not None else secrets.token_urlsafe(24)
        url = self._mount(name, self._credentials(old) if old else [], more_to_come=True)
        webhook_id, key, secret = await self._client.register_webhook(url, chats)
        self._made.add(webhook_id)
        new = _Registered(webhook_id, key, secret, name, url, tuple(chats), self._earlier(old) if old else ())
        await intake.accept([], cursors=[Cursor(name=_CURSOR, value=msgspec.json.encode(new).decode())])
        self._mount(name, self._credentials(new))
        log.info("webhook registered", account=self._account, webhook=webhook_id)
        return new

    async def _remove_others(self, ours: _Registered, known: Sequence[Registration]) -> None:
        """Those that lead to this account too: of before, or of an instance that was here before us."""
        prefix = ours.url.rpartition("/")[0] + "/"
        removed = 0
        for one in known:
            if one.webhook_id == ours.webhook_id or not one.url.startswith(prefix):
                continue
            if removed == _MOST_REMOVED:
                return
            removed += 1
            try:
                await self._remove(one.webhook_id)
            except DeliveryError as error:
                # that nothing is tidied up costs no message; it is tried again at the next look
                log.info("webhook not removed", account=self._account, webhook=one.webhook_id, reason=error.reason)
                return

    async def _take_back(self, intake: Intake) -> None:
        """The server shall not call us any more, as far as we asked it to."""
        old = self._registered or await self._stored(intake)
        if old is None or self._dialect.operations.remove_webhook is None:
            return
        try:
            await self._remove(old.webhook_id)
        except DeliveryError as error:
            log.info("webhook not removed", account=self._account, webhook=old.webhook_id, reason=error.reason)
            return
        self._registered = None
        await intake.accept([], cursors=[Cursor(name=_CURSOR, value="")])
        if self._mounted == old.name:
            self.close()

    async def _remove(self, webhook_id: str) -> None:
        """Raises RetryLater, AccountDown; one that is gone, or not ours to remove, is left at that."""
        try:
            await self._client.remove_webhook(webhook_id)
        except (Rejected, ChatDown) as error:
            log.info("webhook not removed", account=self._account, webhook=webhook_id, reason=error.reason)
        else:
            log.info("webhook removed", account=self._account, webhook=webhook_id)

    def _credentials(self, registered: _Registered) -> list[Credentials]:
        now_s = self._client.time.now().timestamp()
        earlier = [Credentials(one.key, one.secret) for one in registered.before if one.until_s > now_s]
        return [Credentials(registered.key, registered.secret), *earlier]

    def _earlier(self, old: _Registered) -> tuple[_Earlier, ...]:
        """What is still let in once another registration has taken the place of this one."""
        now_s = self._client.time.now().timestamp()
        kept = [one for one in old.before if one.until_s > now_s]
        return (_Earlier(old.key, old.secret, now_s + _OVERLAP_S), *kept)[:_MOST_EARLIER]

    async def _stored(self, intake: Intake) -> _Registered | None:
        value = await intake.cursor(_CURSOR)
        try:
            return msgspec.json.decode(value, type=_Registered) if value else None
        except msgspec.DecodeError:
            return None

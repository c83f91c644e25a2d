"""Sends messages and their changes to receivers, with one attempt per call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from adapters.webhook.directory import Directory
from adapters.webhook.errors import GONE, UNWANTED, effect_of, refusal, wish_of
from adapters.webhook.outbound import encode
from adapters.webhook.outbound.endpoint_state import EndpointStates
from adapters.webhook.outbound.fetching import Fetching
from adapters.webhook.outbound.oauth2 import Tokens
from adapters.webhook.outbound.signing import headers_for
from adapters.webhook.transport import Answered, Transport
from adapters.webhook.wire import StandardPayload
from bridge.model.adapter import Intake, Outbound, OutboundDelete, OutboundEdit, Receipt
from bridge.model.clock import Clock
from bridge.model.errors import ChatDown, ChatOff, DeliveryError, Rejected

if TYPE_CHECKING:
    from adapters.webhook.config import EndOptions, OAuth2Options, WebhookOptions

NOWHERE = "give the end a url in bridge.yaml, or fetch: true"
_DOING = "posting to the end's url"


class Sender:
    """The sender of one account. `intake` is set once the account runs."""

    def __init__(
        self,
        options: WebhookOptions,
        directory: Directory,
        transport: Transport,
        states: EndpointStates,
        fetching: Fetching,
        clock: Clock,
    ) -> None:
        self._options = options
        self._directory = directory
        self._transport = transport
        self._states = states
        self._fetching = fetching
        self._clock = clock
        self._tokens: dict[str, Tokens] = {}
        self.intake: Intake | None = None

    def now(self) -> datetime:
        return self._clock.now()

    # -- what happened ------------------------------------------------------------------------------------------------------

    async def send(self, outbound: Outbound) -> Receipt:
        name = outbound.chat_id
        if self._options.style == "standard":
            await self.tell(name, outbound.token, encode.created(name, outbound, self.now()))
        elif self._options.style == "slack":
            await self._post(name, encode.slack_body(outbound), {"Content-Type": "application/json"})
        else:
            body = encode.template_body(self._options, name, outbound, self.now())
            await self._post(name, body, {"Content-Type": self._options.content_type})
        return Receipt(message_ids=(outbound.token,))

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        name = outbound.copy.chat_id
        await self.tell(name, outbound.token, encode.edited(name, outbound, self.now()))
        return Receipt(message_ids=outbound.copy.message_ids)

    async def delete(self, outbound: OutboundDelete) -> None:
        copy = outbound.copy
        payload = encode.deleted(copy.chat_id, outbound, self.now())
        if self._directory.end(copy.chat_id).fetch:
            rewrite = partial(encode.without, copy.message_ids[0], payload)
            await self._fetching.take_back(copy.chat_id, copy.message_ids[0], rewrite)
        await self.tell(copy.chat_id, f"{copy.message_ids[0]}-d", payload)

    async def tell(self, name: str, webhook_id: str, payload: StandardPayload) -> None:
        """Send an event of Standard Webhooks, with the same id on every attempt."""
        end, body = self._directory.end(name), encode.to_bytes(payload)
        if end.fetch:
            await self._fetching.put(name, webhook_id, body)
            return
        signed = headers_for(self._keys(end), webhook_id, self.now(), body)
        await self._post(name, body, {"Content-Type": "application/json", **signed})

    def _keys(self, end: EndOptions) -> list[str]:
        keys = (end.secret or self._options.secret, end.previous_secret)
        return [key.get_secret_value() for key in keys if key is not None]

    # -- one attempt --------------------------------------------------------------------------------------------------------

    async def _post(self, name: str, body: bytes, headers: Mapping[str, str]) -> None:
        end = self._directory.end(name)
        if end.url is None:
            raise ChatDown(f"the end {name} cannot receive messages", action=NOWHERE)
        if await self._states.check(name, end.url) and self.intake is not None:
            self.intake.chat_restored(name)
        try:
            await self._attempt(name, end, end.url, body, headers)
        except ChatOff:
            raise
        except DeliveryError as error:
            if isinstance(error, Rejected) or not await self._states.failed(name, end.url):
                raise
            off = await self._off(name, end.url, f"five days of failures, the last one: {error.reason}")
            off.answer = error.answer
            raise off from None
        await self._states.worked(name)

    async def _attempt(self, name: str, end: EndOptions, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        answered = await self._ask(name, end, url, body, headers)
        wish = wish_of(answered.status, answered.headers)
        arrived = 200 <= answered.status < 300
        if wish == "disable":
            off = await self._off(name, url, GONE if answered.status == 410 else UNWANTED)
            if not arrived:
                off.answer = answered.answer
                raise off
        if arrived:
            return
        effect = effect_of(self._options)
        error = refusal(answered.status, answered.headers, doing=_DOING, effect=effect)
        if wish == "abort-message":
            error = Rejected(f"{_DOING}: HTTP {answered.status}; the receiver asks not to try again (webhook-delivery)")
        if isinstance(error, DeliveryError):
            error.answer = answered.answer
        raise error

    async def _ask(self, name: str, end: EndOptions, url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        effect = effect_of(self._options)
        if end.oauth2 is None:
            return await self._transport.post(end, url, headers=headers, body=body, effect=effect, doing=_DOING)
        tokens = self._tokens_of(name, end, end.oauth2)
        token, known = await tokens.token(), ""
        while True:
            shown = {**headers, "Authorization": f"Bearer {token}"}
            answered = await self._transport.post(end, url, headers=shown, body=body, effect=effect, doing=_DOING)
            if answered.status != 401 or known:
                return answered
            known, token = token, await tokens.token(refused=token)

    def _tokens_of(self, name: str, end: EndOptions, oauth2: OAuth2Options) -> Tokens:
        if name not in self._tokens:
            self._tokens[name] = Tokens(oauth2, lambda options: self._transport.fetch_token(end, options), self._clock)
        return self._tokens[name]

    async def _off(self, name: str, url: str, why: str) -> ChatOff:
        off = await self._states.switch_off(name, url, why)
        if self.intake is not None:
            self.intake.notice(off.reason, off.action, chat_id=name)
        return off

"""Reconciliation after an unknown outcome: is the message there? Called by `adapter.send` and `adapter.reconcile`.

The start of the search is computed by Slack's clock (`adapters.common.platform_time`), never by this machine's; `message_search`
searches."""

from __future__ import annotations

from datetime import datetime, timedelta

from adapters.common.platform_time import Attempts
from adapters.slack.errors import MissingScope
from adapters.slack.outbound.message_search import Window, find_delivery
from adapters.slack.own_app import OwnApp
from adapters.slack.timestamps import to_ts
from adapters.slack.transport import Transport
from bridge.model.adapter import Intake, Outbound, Receipt
from bridge.model.clock import Clock
from bridge.model.errors import RetryLater

_MARGIN = timedelta(days=1)
"""The assumed error of an earlier process's clock: it may have been wrong when it recorded the attempt."""
_KNOWN_IDS = 1000
"""How many of a channel's latest messages are known when one without a mark is looked for."""


class Reconciler:
    """One account's attempts, and their outcomes. `intake` knows the messages that the bridge has, once the account ran."""

    def __init__(self, transport: Transport, app: OwnApp, clock: Clock) -> None:
        self._transport = transport
        self._app = app
        self._clock = clock
        self._attempts = Attempts(transport.time)
        self.intake: Intake | None = None

    def begin(self, token: str) -> None:
        """An attempt to post begins now."""
        self._attempts.begin(token)

    async def find(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        """See `bridge.model.adapter.Reconciles`. Raises RetryLater if it cannot be told now; without the right to read history the
        capabilities say from now on that it never can, and the route's policy decides."""
        try:
            if not self._app.identity.is_known or not self._transport.time.is_known:
                await self._app.introduce()  # whose messages are ours, and what time it is at Slack
            window = window_of(self._attempts, outbound.token, sent_after)
            known_ids = await self.intake.message_ids(outbound.chat_id, _KNOWN_IDS) if self.intake is not None else ()
            return await find_delivery(self._transport, self._app.identity, outbound, window, known_ids, self._clock)
        except MissingScope as error:
            self._app.can_read_history = False
            raise RetryLater(error.reason, after_s=0.0) from error


def window_of(attempts: Attempts, token: str, sent_after: datetime) -> Window:
    """Where to look for a message that was tried after `sent_after` by the local clock of that time."""
    begun = attempts.begun(token)
    if begun is not None:
        return Window(to_ts(begun), to_ts(begun))
    since = attempts.since(token, sent_after, margin=timedelta(minutes=1))
    return Window() if since is None else Window(to_ts(since - _MARGIN), to_ts(since))

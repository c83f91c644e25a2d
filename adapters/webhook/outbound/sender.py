"""Messages sent, one attempt each."""

from __future__ import annotations

from adapters.webhook.transport import Transport
from bridge.model.adapter import Outbound, Receipt
from bridge.model.errors import ChatDown


class Sender:
    """Sends for one account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def send(self, outbound: Outbound) -> Receipt:
        raise ChatDown("nothing can be sent to this end", action="give the end a url in bridge.yaml")

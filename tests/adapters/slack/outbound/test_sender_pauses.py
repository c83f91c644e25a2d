"""How a message is put into Slack's form: a long one beside the loop, so that nobody waits for it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from adapters.slack.enums import Replies
from adapters.slack.outbound.sender import MessageSender
from adapters.slack.own_app import OwnApp
from adapters.slack.threads import Threads
from bridge.model.adapter import Outbound
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.pauses import STEP, with_pauses
from bridge.model.refs import AccountName
from bridge.model.rich_text import Paragraph, RichText, Text


class _Transport:
    """Slack that takes everything."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []

    async def call(self, method: str, arguments: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.posted.append(arguments)
        return {"ok": True, "ts": "1700000000.000100"}


def _points_in_the_loop(text: RichText) -> int:
    """How often the loop's own thread came by a pause point while the text was sent."""
    transport, points = _Transport(), list[None]()
    options = SimpleNamespace(replies=Replies.THREAD, personas=False)
    link = cast("Any", transport)
    app = OwnApp(AccountName("team"), link)
    sender = MessageSender(link, app, cast("Any", None), Threads(link), cast("Any", options), SYSTEM_CLOCK)
    outbound = Outbound(token="t", attempt=1, chat_id="C1", text=text)
    receipt = with_pauses(lambda: asyncio.run(sender.send(outbound)), lambda: points.append(None))
    assert receipt.message_ids == ("1700000000.000100",)
    assert transport.posted[0]["blocks"]
    return len(points)


def _runs(count: int) -> RichText:
    return RichText((Paragraph(tuple(Text("a", number % 2) for number in range(count))),))


def test_a_long_message_is_encoded_beside_the_loop() -> None:
    assert _points_in_the_loop(_runs(2)) > 2  # what is short is encoded at once
    assert _points_in_the_loop(_runs(40 * STEP)) <= 2

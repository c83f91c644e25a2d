"""Posts a further message for a change: unlike other steps of a change, repeating it would post a duplicate. Used by `edit_posts`
and `tally`."""

from __future__ import annotations

from bridge.delivery.execution import Execution
from bridge.delivery.operations.tools import Tools
from bridge.delivery.state import DeliveryState
from bridge.delivery.target import can_reconcile
from bridge.journal.contract import DeliveryStatus
from bridge.model.adapter import Receipt
from bridge.render.message import Part


async def send_further(part: Part, number: int, run: Execution, tools: Tools) -> Receipt:
    """The platform is asked first, if it may be there already. Raises what the adapter raises. Once the receipt is recorded,
    `further_sent` is to be called."""
    delivery = run.delivery
    is_sending, is_of_letter = delivery.pending.state is DeliveryStatus.SENDING, delivery.unknown.is_of_letter
    if (is_sending or is_of_letter) and not delivery.further_asked:
        # an earlier attempt, made since the change arrived, may have posted it before it stopped or was given up
        delivery.further_asked = True
        delivery.unknown.stopped(delivery.pending.event.meta.received_at)
        delivery.unknown.is_open = can_reconcile(run.target.adapter)
    delivery.posts_further = True
    return await tools.sender.send(run, number, part)


def further_sent(delivery: DeliveryState) -> None:
    delivery.posts_further = False
    delivery.unknown.close()
    delivery.attempts.restart()

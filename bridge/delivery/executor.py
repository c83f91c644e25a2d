"""Executes one delivery, or several that are sent in one message, by the operation for its kind of event (`operations`). It decides
nothing about failures: they are raised, and the lane asks `failure`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.delivery.execution import DeliveryContext, Execution
from bridge.delivery.operations import OPERATIONS, Operation
from bridge.delivery.operations.merge import create_merged, find_merged, joining
from bridge.delivery.operations.tools import Tools
from bridge.delivery.recent_posts import Posted
from bridge.delivery.state import DeliveryState
from bridge.delivery.target import ResolvedTarget
from bridge.journal.contract import Change, OpenDelivery
from bridge.model.clock import Clock
from bridge.model.events import MessageCreated, MessageEdited


class DeliveryExecutor:
    """Stateless but for its tools."""

    def __init__(self, tools: Tools, clock: Clock) -> None:
        self._tools = tools
        self._clock = clock

    @property
    def posted(self) -> Posted:
        return self._tools.sender.posted

    async def execute(self, delivery: DeliveryState, target: ResolvedTarget, context: DeliveryContext) -> Sequence[Change]:
        """Complete the delivery; returns the changes that make it final, not yet recorded. Raises what the adapter
        raises."""
        event = delivery.pending.event
        operation: Operation = OPERATIONS[type(event)]
        if delivery.group.asked is not None:
            operation = find_merged
        elif delivery.group.followers:
            operation = create_merged
        if isinstance(event, MessageCreated | MessageEdited):
            await self._tools.renderer.marks.look_up(event, target)
        run = Execution(delivery=delivery, target=target, context=context, clock=self._clock)
        return await operation(event, run, self._tools)

    def joining(self, delivery: DeliveryState, target: ResolvedTarget, waiting: Iterable[OpenDelivery]) -> int:
        """How many of the next waiting deliveries can be sent in one message with this one."""
        return joining(delivery, target, waiting, self._clock.now(), self._tools)

"""Executes one delivery, or several that are sent in one message, by the operation for its kind of event (`operations`). It decides
nothing about failures: they are raised, and the lane asks `failure`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.delivery.execution import DeliveryContext, Execution
from bridge.delivery.message_plan import decode_plan
from bridge.delivery.operations import OPERATIONS, Operation
from bridge.delivery.operations.merge import create_merged, find_merged, joining
from bridge.delivery.operations.tools import Tools
from bridge.delivery.recent_posts import Posted
from bridge.delivery.state import DeliveryState
from bridge.delivery.target import ResolvedTarget
from bridge.journal.contract import Change, OpenDelivery, Skipped
from bridge.model.clock import Clock
from bridge.model.errors import NoThread
from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.outcomes import Skip
from bridge.model.refs import ChatAddress


class DeliveryExecutor:
    """Stateless but for its tools."""

    def __init__(self, tools: Tools, clock: Clock) -> None:
        self._tools = tools
        self._clock = clock

    @property
    def posted(self) -> Posted:
        return self._tools.sender.posted

    def chat_restored(self, address: ChatAddress) -> None:
        """The account may do more in that chat than before."""
        self._tools.places.retries.restored(address)

    async def execute(self, delivery: DeliveryState, target: ResolvedTarget, context: DeliveryContext) -> Sequence[Change]:
        """Complete the delivery; returns the changes that make it final, not yet recorded. Raises what the adapter
        raises."""
        event = delivery.pending.event
        if (rule := self._rule_of(delivery)) is not None:
            return [Skipped(delivery_id=one.delivery_id, rule=rule, at=self._clock.now()) for one in delivery.together]
        operation: Operation = OPERATIONS[type(event)]
        if delivery.group.asked is not None:
            operation = find_merged
        elif delivery.group.followers:
            operation = create_merged
        if isinstance(event, MessageCreated | MessageEdited):
            await self._tools.renderer.marks.look_up(event, target)
        run = Execution(delivery=delivery, target=target, context=context, clock=self._clock)
        if isinstance(event, MessageCreated):
            delivery.placed = await self._tools.places.of(event, run)
        try:
            return await operation(event, run, self._tools)
        except NoThread:
            placed = delivery.placed
            if placed is None or not placed.from_partner or placed.is_instead or not isinstance(event, MessageCreated):
                raise
            delivery.placed = await self._tools.places.without_thread(event, run)
        delivery.part_over()
        return await operation(event, run, self._tools)

    def _rule_of(self, delivery: DeliveryState) -> Skip | None:
        """By which nothing of the author is relayed since it was accepted: it waited, and the author opted out or was muted. What
        was begun, or may be there, is brought to an end. Those merged with it are of the same author."""
        plan = decode_plan(delivery.pending.plan)
        is_begun = delivery.parts or (plan is not None and (plan.taken_back or plan.edit is not None))
        if is_begun or delivery.unknown.is_open or delivery.unknown.is_of_letter:
            return None
        return self._tools.renderer.standing.rule_of(delivery.pending.event, self._clock.now())

    def joining(self, delivery: DeliveryState, target: ResolvedTarget, waiting: Iterable[OpenDelivery]) -> int:
        """How many of the next waiting deliveries can be sent in one message with this one."""
        return joining(delivery, target, waiting, self._clock.now(), self._tools)

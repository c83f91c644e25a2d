"""Groups deliveries of one lane into one message: texts that wait are merged, groups are restored after a crash or from dead
letters, and refused groups are split."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from msgspec.structs import replace

from bridge.delivery.attempt_log import AttemptLog
from bridge.delivery.backlog import IN_MEMORY_LIMIT, Backlog, is_one_message
from bridge.delivery.executor import DeliveryExecutor
from bridge.delivery.failure import Anew, Split
from bridge.delivery.letters import as_they_are_now, of_one_message
from bridge.delivery.line import Line
from bridge.delivery.patient_journal import PatientJournal
from bridge.delivery.state import DeliveryState
from bridge.delivery.superseded import together_of
from bridge.delivery.target import ResolvedTarget
from bridge.journal.contract import Change, Deferred, DeliveryStatus, OpenDelivery
from bridge.model.clock import Clock
from bridge.model.refs import ChatAddress

log = structlog.get_logger("outbox")


class Groups:
    """The groups of one lane."""

    def __init__(
        self,
        address: ChatAddress,
        executor: DeliveryExecutor,
        clock: Clock,
        *,
        backlog: Backlog,
        line: Line,
        attempt_log: AttemptLog,
        journal: PatientJournal,
    ) -> None:
        self._address = address
        self._executor = executor
        self._clock = clock
        self._backlog = backlog
        self._line = line
        self._attempt_log = attempt_log
        self._journal = journal
        self._apart_until = 0
        """Deliveries up to this one are not merged: they were refused together."""

    async def letters(self, pending: OpenDelivery) -> Sequence[OpenDelivery]:
        """The delivery, with the retried ones that were merged with it before."""
        if together_of(pending) is None:
            return [pending]
        beside = await self._journal.behind(IN_MEMORY_LIMIT)
        return of_one_message(pending, beside, lambda one: self._line.left_s(one) <= 0)

    def begin(self, delivery: DeliveryState, letters: Sequence[OpenDelivery]) -> None:
        """The deliveries that were merged with it when the process stopped, or when they became dead letters (`letters`)."""
        pending, group = delivery.pending, delivery.group
        if group.asked is not None:
            group.followers += letters
        else:
            group.candidates += as_they_are_now(letters)
        if pending.lead_seq is not None:
            while (following := self._backlog.following) is not None and is_one_message(pending, following):
                group.followers.append(self._backlog.take())

    def join(self, delivery: DeliveryState, target: ResolvedTarget) -> None:
        """Add the deliveries that may be merged into the message."""
        if not target.options.merge or delivery.pending.lane_seq <= self._apart_until:
            return
        alone = delivery.unknown.is_open or delivery.parts or delivery.is_beside_line or delivery.made.is_reworded
        if delivery.group.candidates:
            # those that cannot be in one message with it any more are left beside the line
            candidates, delivery.group.candidates = delivery.group.candidates, []
            delivery.group.followers += candidates[: self._executor.joining(delivery, target, candidates)]
        elif delivery.is_rate_limited and not alone:
            for _ in range(self._executor.joining(delivery, target, self._backlog)):
                follower = self._backlog.take()
                self._attempt_log.drop_prerecorded(follower)
                delivery.group.followers.append(follower)

    async def anew(self, delivery: DeliveryState, changed: OpenDelivery) -> Anew:
        """It, or one that goes together with it, was changed while it waited: each is taken up by itself."""
        if delivery.group.followers:
            await self.split(delivery, Split(refused=False, reason=""))
        return Anew([changed])

    async def split(self, delivery: DeliveryState, split: Split) -> None:
        """Split the group: nothing of it was sent, and the others are delivered separately."""
        if split.refused:
            self._apart_until = delivery.together[-1].lane_seq
            log.info("merged message refused; sent one by one", target=str(self._address), reason=split.reason)
        now, followers, behind = self._clock.now(), delivery.group.dissolve(), delivery.is_beside_line
        changes: list[Change] = [delivery.set_pieces(())]
        changes += [
            Deferred(delivery_id=one.delivery_id, attempt=0, not_before=now, error="", at=now, behind=behind) for one in followers
        ]
        if behind:
            self._line.set_aside(0.0)
        else:
            alone = [replace(one, state=DeliveryStatus.WAITING, attempt=0, not_before=None, lead_seq=None) for one in followers]
            self._backlog.put_back(alone)
        await self._attempt_log.record(changes)

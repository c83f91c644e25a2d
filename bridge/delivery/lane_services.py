"""What the outbox gives to each lane: frozen, the same for all lanes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bridge.accounts.supervisor import AccountSupervisor
from bridge.delivery.backlog import Handed
from bridge.delivery.executor import DeliveryExecutor
from bridge.delivery.kept_rates import KeptRates
from bridge.delivery.precedence import Precedence
from bridge.files.fetch import FileFetcher
from bridge.journal.contract import DeliveryStore, NoteStore, WaitStore
from bridge.model.capabilities import Operation
from bridge.model.clock import Clock
from bridge.model.refs import AccountName
from bridge.observability.outcome_log import OutboxCounts
from bridge.policy.rate_limit import RateLimiter
from bridge.policy.retry import Policy
from bridge.policy.routing import RoutingTable


class LaneStore(DeliveryStore, WaitStore, NoteStore, Protocol):
    """What lanes need of the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneServices:
    """`title_of` gives a platform's name. `limiters` measure what accounts and chats may do, by the kind of call."""

    journal: LaneStore
    executor: DeliveryExecutor
    files: FileFetcher
    table: Callable[[], RoutingTable]
    supervisor_of: Callable[[AccountName], AccountSupervisor | None]
    platform_of: Callable[[AccountName], str]
    title_of: Callable[[str], str]
    counts: OutboxCounts
    clock: Clock
    policy: Policy
    limiters: Mapping[Operation, RateLimiter]
    kept_rates: KeptRates
    handed: Handed
    precedence: Precedence
    is_stopping: Callable[[], bool]

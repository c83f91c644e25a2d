"""The interfaces of the rest of the bridge that intake uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bridge.journal.contract import AcceptRequest, AddressStore, IntakeStore, OpenDelivery
from bridge.model.events import ChatEvent
from bridge.model.outcomes import Arrival, Outcome, SkipRule
from bridge.model.refs import AccountName, ChatAddress
from bridge.policy.routing import Planned, RouteEnd


class Lanes(Protocol):
    """The outbox, as intake uses it."""

    def may_begin(self, end: RouteEnd) -> bool:
        """Whether a message for this end would be sent at once."""
        ...

    def enqueue(self, pending: OpenDelivery, *, prerecorded: bool = False) -> None: ...

    def make_way(self) -> None:
        """A new message arrived; it takes precedence over the backlog."""
        ...

    def has_posted(self, event: ChatEvent) -> bool:
        """Whether the event concerns a message that the bridge just posted."""
        ...

    def on_echo(self, event: ChatEvent) -> None:
        """One of our own messages came back: proof that it arrived."""
        ...

    def show_typing(self, planned: Sequence[Planned]) -> None: ...

    def wake_chat(self, address: ChatAddress) -> None:
        """The chat may be usable again: try its waiting deliveries now."""
        ...


class AccountStore(IntakeStore, AddressStore, Protocol):
    """The journal, as intake uses it."""


class CommandTaker(Protocol):
    """Carries out commands; `intake.commands.Commands`."""

    def hears_private(self, account: AccountName) -> bool:
        """Whether commands count in private chats with the account."""
        ...

    async def take(self, event: ChatEvent) -> Sequence[AcceptRequest] | None:
        """The deliveries to store together with the event; None: it is not a command."""
        ...


class IntakeCounts(Protocol):
    """The counters of intake; `observability.logs.Metrics` implements them."""

    def event(self, account: str, outcome: Arrival) -> None: ...

    def said(self, event: ChatEvent, *, is_relayed: bool) -> None: ...

    def outcome(self, account: str, route: str, outcome: Outcome, rule: SkipRule | None = None) -> None: ...

    def ignored(self, account: str, reason: str) -> None: ...

    def gap(self, account: str) -> None: ...

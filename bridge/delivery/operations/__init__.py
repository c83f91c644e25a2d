"""One file per kind of delivery: what is done at the target, and in which order. `OPERATIONS` has the one for each kind of event.

An operation completes the delivery and returns the changes that make it final, not yet recorded. A part's receipt is
recorded before the next part is begun, except the last one's, which is among the returned changes. It decides nothing about
failures: what the adapter raises is raised, and `bridge.delivery.failure` decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bridge.delivery.execution import Execution
from bridge.delivery.operations.create import create
from bridge.delivery.operations.delete import delete
from bridge.delivery.operations.edit import edit
from bridge.delivery.operations.follow import follow
from bridge.delivery.operations.notice import not_kept, notice
from bridge.delivery.operations.pin import pin
from bridge.delivery.operations.react import react
from bridge.delivery.operations.rename import rename
from bridge.delivery.operations.say import say
from bridge.delivery.operations.tools import Tools
from bridge.delivery.operations.votes import votes
from bridge.journal.contract import Change
from bridge.model.events import (
    BridgeSaid,
    ChatEvent,
    ChatRenamed,
    MembershipChanged,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    PollVotesChanged,
    ReactionsChanged,
    StatusChanged,
    ThreadChanged,
    ThreadDeleted,
    TypingStarted,
)


class Operation(Protocol):
    async def __call__(self, event: Any, run: Execution, tools: Tools, /) -> Sequence[Change]: ...


OPERATIONS: Mapping[type[ChatEvent], Operation] = {
    MessageCreated: create,
    MessageEdited: edit,
    MessageDeleted: delete,
    ReactionsChanged: react,
    PollVotesChanged: votes,
    PinsChanged: pin,
    MembershipChanged: notice,
    ChatRenamed: rename,
    ThreadChanged: follow,
    ThreadDeleted: follow,
    StatusChanged: notice,
    BridgeSaid: say,
    TypingStarted: not_kept,
}

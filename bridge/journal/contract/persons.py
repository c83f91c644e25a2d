"""Decisions of people about themselves and of moderators; links between accounts of one person; the audit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from bridge.model.refs import AccountName, ChatAddress, MessageRef


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


class DecisionKind(StrEnum):
    OPTED_OUT = "opted out"
    """Nothing of the person is relayed, and the person is named nowhere."""
    MUTED = "muted"
    """Nothing of the person is relayed."""
    FORGOTTEN = "forgotten"
    """What the person had written is erased. Links to the person's picture that were made before that are over."""


class UserKey(_Value, frozen=True, order=True):
    """Somebody on one account, by the native user id."""

    account: AccountName
    user_id: str

    def __str__(self) -> str:
        return f"{self.account}/{self.user_id}"


class Decision(_Value, frozen=True):
    user: UserKey
    kind: DecisionKind
    name: str
    """The person's name at the time of the decision; for lists."""
    at: datetime
    by: str
    """Who decided: `ACCOUNT/USER`, or `command line`."""
    until: datetime | None = None


class LinkedUser(_Value, frozen=True):
    """One account of a person who linked several. `person` is an opaque id, the same for all of them."""

    user: UserKey
    person: str
    name: str
    username: str
    at: datetime


class ClaimStep(StrEnum):
    ASKED = "asked"
    """A code was given out, to be sent from the other account."""
    SAID = "said"
    """The code was sent, and is used up. Both know of each other, and each has to confirm."""
    USER_AGREED = "user agreed"
    OTHER_AGREED = "other agreed"


class Claimant(_Value, frozen=True):
    """One of the two, and where to answer: an address, and maybe a thread."""

    user: UserKey
    name: str
    username: str
    address: str
    thread_id: str | None = None


class Claim(_Value, frozen=True):
    """A link that is not yet confirmed. `asker` requested it; `other` sent the code."""

    asker: Claimant
    step: ClaimStep
    code_hash: bytes
    created_at: datetime
    valid_until: datetime
    other: Claimant | None = None


class Audited(_Value, frozen=True):
    """One action, without texts of messages."""

    at: datetime
    actor: str
    action: str
    subject: str
    result: str = ""
    number: int = 0


class PersonStore(Protocol):
    """People change these by commands in chats; a command line does, beside a running daemon, which reads them again and again."""

    async def decide(self, decision: Decision) -> None:
        """Replaces an earlier one of that kind."""
        ...

    async def undecide(self, user: UserKey, kind: DecisionKind) -> bool:
        """False: there was none."""
        ...

    async def decisions(self) -> Sequence[Decision]: ...

    async def linked(self) -> Sequence[LinkedUser]: ...

    async def link_users(self, one: LinkedUser, other: LinkedUser) -> None:
        """Link them, and all accounts linked with either, as one person."""
        ...

    async def unlink_user(self, user: UserKey) -> bool:
        """False: it was not linked."""
        ...

    async def put_claim(self, claim: Claim) -> None:
        """Replaces an earlier claim of that user."""
        ...

    async def claims(self, *, at: datetime) -> Sequence[Claim]:
        """The valid ones."""
        ...

    async def drop_claim(self, user: UserKey) -> bool:
        """False: it no longer exists. If two calls drop it at the same time, only one returns True."""
        ...

    async def mark_of(self, chat: ChatAddress, who: str, looks: Sequence[tuple[str, str]], *, at: datetime) -> str:
        """Which mark tells this person's name apart from those of others in a chat: the first of `looks` (mark, and how the name
        looks with it) that is nobody else's there; kept from then on. `looks` begins with the name as it is."""
        ...

    async def audit(self, entry: Audited) -> None: ...

    async def audited(self, *, limit: int = 100) -> Sequence[Audited]:
        """Newest first."""
        ...

    async def unshown_dead(self, *, limit: int = 100) -> Sequence[int]:
        """Dead letters not yet shown at their origin, oldest first."""
        ...

    async def dead_shown(self, delivery_ids: Sequence[int], *, at: datetime) -> None: ...

    async def recovered(self, *, limit: int = 100) -> Sequence[int]:
        """Deliveries that were shown as dead and have arrived since."""
        ...

    async def forget_shown(self, delivery_ids: Sequence[int]) -> None: ...

    async def messages_of(self, user: UserKey, *, after: int = 0, limit: int = 500) -> Sequence[tuple[int, MessageRef]]:
        """Event number and original of each message of that author, oldest first."""
        ...

    async def blank(self, event_seqs: Sequence[int]) -> None:
        """Forget who wrote these messages, and all that the journal still holds of their words. What became of them stays. Call it
        once their deletion is accepted: what is still to be sent of them has no words any more."""
        ...

    async def erase(self, user: UserKey, messages: Sequence[MessageRef]) -> None:
        """Forget what is recorded about somebody: names, claims, reactions, input that names the user id, and what others who
        wait to be sent quote of these messages, which are the person's. Decisions stay, without the name."""
        ...

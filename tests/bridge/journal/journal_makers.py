"""Short ways to make what a journal is fed with. Used by all journal tests; knows the contract only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bridge.journal.contract import (
    AcceptRequest,
    AcceptResult,
    Carried,
    Dead,
    Delivered,
    Journal,
    PartReceipt,
    PlannedDelivery,
    Verdict,
)
from bridge.model.adapter import Receipt
from bridge.model.events import (
    Author,
    ChatEvent,
    Content,
    EventMeta,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    ReactionsChanged,
)
from bridge.model.outcomes import NamedSkip, Skip
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef
from bridge.model.rich_text import plain

ACCOUNT = AccountName("origin")
CHAT = ChatRef(ACCOUNT, "C1")
T0 = datetime(2025, 1, 31, 23, 59, 59, 123456, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def lane(name: str, account: str = "target") -> ChatAddress:
    return ChatAddress(AccountName(account), name)


def native(target: ChatAddress) -> ChatRef:
    """The chat that the tests' addresses lead to."""
    return ChatRef(target.account, f"N-{target.address}")


A, B = lane("A"), lane("B")


def meta(key: str, chat: ChatRef = CHAT, author: str | None = "Anna", *, ours: bool = False) -> EventMeta:
    return EventMeta(
        event_key=key,
        origin=chat,
        occurred_at=T0,
        received_at=T0,
        author=None if author is None else Author(user_id=f"u-{author}", name=author),
        sent_by_us=ours,
    )


def created(
    message: str,
    chat: ChatRef = CHAT,
    *,
    also: tuple[str, ...] = (),
    author: str | None = "Anna",
    text: str = "hello",
    key: str = "",
) -> MessageCreated:
    return MessageCreated(
        meta=meta(key or f"created:{chat}:{message}", chat, author),
        message_id=message,
        content=Content(text=plain(text)),
        also_ids=also,
    )


def edited(message: str, chat: ChatRef = CHAT, *, version: int = 1) -> MessageEdited:
    return MessageEdited(
        meta=meta(f"edited:{chat}:{message}:{version}", chat), message_id=message, content=Content(text=plain(f"v{version}"))
    )


def deleted(message: str, chat: ChatRef = CHAT) -> MessageDeleted:
    return MessageDeleted(meta=meta(f"deleted:{chat}:{message}", chat), message_id=message)


def reacted(
    message: str,
    chat: ChatRef = CHAT,
    *,
    version: int,
    who: str | None = "Anna",
    added: tuple[str, ...] = (),
    removed: tuple[str, ...] = (),
    ours: bool = False,
) -> ReactionsChanged:
    return ReactionsChanged(
        meta=meta(f"reactions:{chat}:{message}:{version}", chat, who, ours=ours), message_id=message, added=added, removed=removed
    )


End = ChatAddress | tuple[ChatAddress, str | None]
"""A target, or one with its thread."""


def split_end(end: End) -> tuple[ChatAddress, str | None]:
    return end if isinstance(end, tuple) else (end, None)


def entry(event: ChatEvent, *targets: End, skipped: tuple[ChatAddress, ...] = ()) -> AcceptRequest:
    ends = map(split_end, targets)
    planned = tuple(PlannedDelivery(route="r1", target=target, thread_id=thread_id) for target, thread_id in ends)
    return AcceptRequest(
        event=event,
        deliveries=planned
        + tuple(
            PlannedDelivery(route="r2", target=target, skip_rule=NamedSkip(Skip.FILTER, "filter 1: drop files true"))
            for target in skipped
        ),
    )


async def accept(journal: Journal, event: ChatEvent, *targets: End, when: float = 0) -> AcceptResult:
    """Accept one event, which must be new."""
    (accepted,) = await journal.accept(journal.lease(event.meta.origin.account), [entry(event, *targets)], [], received_at=at(when))
    assert accepted.verdict is Verdict.ACCEPTED
    return accepted


def sent(
    delivery: int,
    seq: int,
    end: End,
    *ids: str,
    part: int = 0,
    adapter_data: str = "",
    thread: str | None = None,
    carried: Carried = Carried(),  # noqa: B008
) -> PartReceipt:
    """`thread`: where the copy really is, as its receipt says."""
    target, thread_id = split_end(end)
    return PartReceipt(
        delivery_id=delivery,
        event_seq=seq,
        part=part,
        chat=native(target),
        target=target,
        thread_id=thread_id,
        receipt=Receipt(message_ids=ids, adapter_data=adapter_data, thread_id=thread),
        carried=carried,
        at=at(1),
    )


async def deliver(journal: Journal, accepted: AcceptResult, *copies: tuple[End, str]) -> None:
    """Deliver an event's message to its targets, in their order, each as one native message."""
    for delivery, (target, message) in zip(accepted.delivery_ids, copies, strict=True):
        await journal.record(
            journal.lease(A.account),
            [sent(delivery, accepted.event_seq, target, message), Delivered(delivery_id=delivery, at=at(2))],
        )


async def kill(journal: Journal, delivery: int, reason: str = "refused", *, held: bool = False) -> None:
    await journal.record(journal.lease(A.account), [Dead(delivery_id=delivery, reason=reason, at=at(3), held=held)])


def message(chat: ChatRef, message_id: str) -> MessageRef:
    return MessageRef(chat, message_id)


async def deliver_one(journal: Journal, number: int, when: float) -> None:
    """One message of 1000 characters, accepted `when` and delivered."""
    await deliver(journal, await accept(journal, created(f"{number}", text="x" * 1000), A, when=when), (A, f"c{number}"))

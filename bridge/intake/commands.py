"""Carries out commands of people in chats. The effect of a command is idempotent, and takes place before its event is stored;
answers and deletions are stored together with the event: see docs/decisions/0014."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

import msgspec
import structlog

from bridge.accounts.health import HealthReport
from bridge.identity.names import Names
from bridge.identity.people import People
from bridge.intake.bot_names import OwnNames
from bridge.intake.community import Community
from bridge.intake.linking import Answer, Linking
from bridge.intake.overview import Here, Overview
from bridge.intake.retrying import retry_routes
from bridge.journal.contract import (
    AcceptRequest,
    Audited,
    AuthorName,
    Claimant,
    DeadLetterStore,
    Decision,
    DecisionKind,
    DeliveryStatus,
    IntakeStore,
    LinkStore,
    PersonStore,
    PlannedDelivery,
    TraceStore,
    Upkeep,
    UserKey,
)
from bridge.journal.tracing import Traced
from bridge.model.clock import Clock
from bridge.model.events import BridgeSaid, ChatEvent, EventMeta, MessageCreated, MessageDeleted
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef
from bridge.model.rich_text import plain
from bridge.policy.allowance import Allowance
from bridge.policy.commands import ADMIN, MODERATOR, OF_MODERATORS, VERBS, Command, CommandRules, command_of, is_for_asker
from bridge.policy.routing import OWN_ROUTE, RoutingTable

log = structlog.get_logger("commands")

T = TypeVar("T")

_GIVEN_UP = (DeliveryStatus.DEAD, DeliveryStatus.HELD)
_NOTED_S, _LOOK_EVERY_S = 3.0, 0.1
"""People see a copy before the journal knows of it, and may command at once: for so long it is waited for."""


class CommandStore(IntakeStore, LinkStore, TraceStore, DeadLetterStore, Upkeep, Protocol):
    @property
    def persons(self) -> PersonStore: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A command, with the person who gave it and the chat."""

    event: ChatEvent
    command: Command
    user: UserKey
    name: str
    address: ChatAddress

    @property
    def who(self) -> Claimant:
        author = self.event.meta.author
        return Claimant(
            user=self.user,
            name=self.name,
            username=author.username if author else "",
            address=self.address.address,
            thread_id=self.event.meta.thread_id,
        )


class Commands:
    """The commands of all accounts. Values that a reload replaces are read at every use."""

    def __init__(
        self,
        journal: CommandStore,
        community: Community,
        clock: Clock,
        own_names: OwnNames,
        *,
        rules: Callable[[], CommandRules],
        people: Callable[[], People],
        names: Callable[[], Names],
        table: Callable[[], RoutingTable],
        health: Callable[[], HealthReport],
        is_posting: Callable[[ChatAddress], bool] = lambda _address: False,
    ) -> None:
        """`is_posting`: whether deliveries to the chat are under way."""
        self._journal = journal
        self._persons = journal.persons
        self._community = community
        self._clock = clock
        self._own_names = own_names
        self._rules = rules
        self._people = people
        self._names = names
        self._table = table
        self._overview = Overview(journal, table, health)
        self._is_posting = is_posting
        self._linking = Linking(journal.persons, clock)
        self._allowed = Allowance(most=20, within_s=600.0)

    def hears_private(self, account: AccountName) -> bool:
        """Whether commands count in private chats with the account."""
        return self._rules().hears(account, ())

    async def take(self, event: ChatEvent) -> Sequence[AcceptRequest] | None:
        """The deliveries to store together with the event; None: it is not a command. Raises JournalError."""
        given = self._given(event)
        if given is None:
            return None
        if await self._journal.is_known(event.meta.event_key) or not self._allowed.take(str(given.user), self._clock.monotonic_s()):
            return ()
        if given.command.verb not in OF_MODERATORS or self._is_moderator(given.user) or self._is_told_of_all(given):
            answers, further = await self._do(given)
        else:
            await self._audit(given, given.command.about, "refused: no moderator")
            answers, further = [(None, f"Only people with the role {MODERATOR} can do that. Roles are set in bridge.yaml.")], ()
        log.info("command", verb=given.command.verb, by=str(given.user), chat=str(event.meta.origin))
        return [*further, *(self._answer(given, number, *answer) for number, answer in enumerate(answers))]

    def _given(self, event: ChatEvent) -> Given | None:
        rules = self._rules()
        if not rules.listen:
            return None
        origin, author = event.meta.origin, event.meta.author
        command = command_of(event, rules, self._own_names.of([origin.account]))
        if command is None or author is None:
            return None
        addresses = self._table().addresses_of(origin)
        if not addresses and not event.meta.is_private:
            return None  # anybody may bring the bot into a group of theirs: it says nothing there
        if not rules.hears(origin.account, tuple(address.address for address in addresses)):
            return None
        user = UserKey(account=origin.account, user_id=author.user_id)
        if not isinstance(event, MessageCreated) and not self._is_moderator(user):
            return None  # a reaction like any other
        address = addresses[0] if addresses else ChatAddress(origin.account, origin.chat_id)
        name = self._names().plain_name(origin.account, author)
        return Given(event=event, command=command, user=user, name=name, address=address)

    def _is_moderator(self, user: UserKey) -> bool:
        return self._people().has_role(user.account, user.user_id, MODERATOR)

    def _is_told_of_all(self, given: Given) -> bool:
        """How the whole bridge is, is for admins, where nobody else reads it."""
        user, is_private = given.user, given.event.meta.is_private
        return is_private and given.command.verb == "status" and self._people().has_role(user.account, user.user_id, ADMIN)

    # -- what each does -----------------------------------------------------------------------------------------------------

    async def _do(self, given: Given) -> tuple[Sequence[Answer], Sequence[AcceptRequest]]:
        command, word = given.command, self._rules().word
        match command.verb:
            case "link":
                answers = await self._linking.command(given.who, command.argument, word)
                await self._community.load()
                return answers, ()
            case "unlink":
                said = await self._linking.unlink(given.user)
                await self._community.load()
            case "optout":
                said = await self._opt_out(given)
            case "optin":
                said = await self._opt_in(given)
            case "delete":
                return await self._delete(given)
            case "mute" | "unmute":
                said = await self._mute(given, lift=command.verb == "unmute")
            case "retry":
                said = await self._retry(given)
            case "where":
                said = await self._where(given)
            case "status":
                said = await self._overview.status(self._here(given), of_all=self._is_told_of_all(given))
            case _:
                said = f"{word} " + " | ".join(
                    verb for verb in VERBS if verb not in OF_MODERATORS or self._is_moderator(given.user)
                )
        return ([(None, said)] if said else []), ()

    async def _opt_out(self, given: Given) -> str:
        await self._decide(given.user, DecisionKind.OPTED_OUT, given, given.name)
        back = f"{self._rules().word} optin"
        return f"Your messages are not relayed any more. Earlier copies stay; an admin can erase them. To undo this: {back}"

    async def _opt_in(self, given: Given) -> str:
        if not await self._persons.undecide(given.user, DecisionKind.OPTED_OUT):
            return "Nothing changed: this account had not opted out."
        await self._community.load()
        await self._audit(given, str(given.user))
        return "Your messages are relayed again."

    async def _mute(self, given: Given, *, lift: bool) -> str:
        target = await self._person_meant(given)
        if target is None:
            said = f"{self._rules().word} {given.command.verb}"
            return f"Who is meant? Reply to a message of that person with {said}, or write {said} ACCOUNT/USER-ID."
        user, name = target
        if lift:
            done = await self._persons.undecide(user, DecisionKind.MUTED)
            await self._community.load()
            await self._audit(given, str(user))
            return f"Messages of {name} are relayed again." if done else f"Nothing changed: {name} was not muted."
        if self._is_moderator(user):
            return f"{name} is a moderator, and cannot be muted."
        minutes = given.command.argument.rpartition(" ")[2]
        until = self._clock.now() + timedelta(minutes=int(minutes)) if minutes.isdecimal() and 0 < int(minutes) < 10**6 else None
        await self._decide(user, DecisionKind.MUTED, given, name, minutes=minutes if until else "")
        return f"Messages of {name} are not relayed any more" + (f" for {minutes} minutes." if until else ".")

    async def _person_meant(self, given: Given) -> tuple[UserKey, str] | None:
        """The author of the message that the command replies to, or the named person."""
        command, origin = given.command, given.event.meta.origin
        if command.about:
            message = MessageRef(origin, command.about)
            link = await self._noted(lambda: self._journal.link(message, given.address), given.address)
            author = link.author_name if link is not None else ""
            if link is None or not isinstance(author, AuthorName) or not author.user_id:
                return None
            account = link.original.chat.account
            name = self._names().distinct_name(account, author, user_id=author.user_id, username=author.username)
            return UserKey(account=account, user_id=author.user_id), name or str(author)
        account_name, _, user_id = command.argument.split(" ")[0].partition("/")
        account = AccountName(account_name)
        if not user_id or not self._table().addresses(account):
            return None  # a mistake in writing must not look as if somebody were muted
        return UserKey(account=account, user_id=user_id), user_id

    async def _retry(self, given: Given) -> str:
        if not given.command.is_reply and not given.command.about:
            return await self._retry_all(given)
        traced = await self._traced(given)
        if traced is None:
            return "That message is not known. Reply to the message that is meant."
        dead = [one.delivery_id for one in traced.event.deliveries if one.state in _GIVEN_UP]
        if dead:
            await self._journal.retry_dead(dead)
            await self._audit(given, str(traced.original), f"{len(dead)} retried")
        return f"{len(dead)} failed copies are sent again." if dead else "No copy of that message failed."

    async def _retry_all(self, given: Given) -> str:
        """Of the routes of the chat, or of its thread."""
        retry = f"{self._rules().word} retry"
        if given.command.argument:
            return f"Say {retry} alone for all failed copies of this chat's routes, or as a reply to the message that is meant."
        routes = {route.name for route, _ in self._here(given)}
        if not routes:
            return "No route has this chat."
        retried = await retry_routes(self._journal, routes)
        await self._audit(given, ", ".join(sorted(routes)), str(retried))
        return retried.words(retry)

    def _here(self, given: Given) -> Here:
        meta = given.event.meta
        return self._overview.here(self._table().addresses_of(meta.origin), meta.thread_id)

    async def _where(self, given: Given) -> str:
        """Of the message that the command replies to; else of the chat."""
        if not given.command.about:
            return self._overview.where(self._here(given))
        traced = await self._traced(given)
        return "That message is not known." if traced is None else self._overview.became(traced)

    async def _delete(self, given: Given) -> tuple[Sequence[Answer], Sequence[AcceptRequest]]:
        traced = await self._traced(given)
        if traced is None or traced.original is None:
            return [(None, "That message is not known. Reply to the message that is meant.")], ()
        request = deletion(traced, self._table(), given.event.meta)
        await self._audit(given, str(traced.original), f"in {len(request.deliveries)} chats")
        said = "The message is deleted in every chat where the bridge is allowed to."
        return ([(None, said)] if isinstance(given.event, MessageCreated) else []), [request]

    async def _traced(self, given: Given) -> Traced | None:
        if not given.command.about:
            return None
        message = MessageRef(given.event.meta.origin, given.command.about)

        async def known() -> Traced | None:
            return next((traced for traced in await self._journal.trace(message) if traced.original is not None), None)

        return await self._noted(known, given.address)

    async def _noted(self, look: Callable[[], Awaitable[T | None]], address: ChatAddress) -> T | None:
        """What is looked for, or None. A copy that is being posted to the chat may be noted in a moment."""
        until_s = self._clock.monotonic_s() + _NOTED_S
        while True:
            is_posting = self._is_posting(address)
            if (found := await look()) is not None or not is_posting or self._clock.monotonic_s() >= until_s:
                return found
            await self._clock.sleep(_LOOK_EVERY_S)

    # -- notes and answers --------------------------------------------------------------------------------------------------

    async def _decide(self, user: UserKey, kind: DecisionKind, given: Given, name: str, *, minutes: str = "") -> None:
        now = self._clock.now()
        until = now + timedelta(minutes=int(minutes)) if minutes else None
        await self._persons.decide(Decision(user=user, kind=kind, name=name, at=now, by=str(given.user), until=until))
        await self._community.load()
        await self._audit(given, str(user))

    async def _audit(self, given: Given, subject: str, result: str = "") -> None:
        entry = Audited(at=self._clock.now(), actor=str(given.user), action=given.command.verb, subject=subject, result=result)
        await self._persons.audit(entry)

    def _answer(self, given: Given, number: int, to: Claimant | None, said: str) -> AcceptRequest:
        """Answer in the chat of the command, or in the chat where the other person asked."""
        meta, about = given.event.meta, ""
        origin, address, thread_id = meta.origin, given.address, meta.thread_id
        if to is not None:
            address, thread_id = ChatAddress(to.user.account, to.address), to.thread_id
            origin = ChatRef(to.user.account, self._table().native_id(address) or to.address)
        elif isinstance(given.event, MessageCreated):
            about = given.event.message_id
        else:
            about = given.command.about
        key = f"answer {number} to {meta.event_key}"
        own = msgspec.structs.replace(
            meta, event_key=key, origin=origin, thread_id=thread_id, author=None, delivery_id="", sent_by_us=False, is_private=False
        )
        planned = PlannedDelivery(route=OWN_ROUTE, target=address, thread_id=thread_id)
        only_for = given.user.user_id if to is None and is_for_asker(given.command) and not meta.is_private else ""
        return AcceptRequest(event=BridgeSaid(meta=own, text=plain(said), about=about, only_for=only_for), deliveries=(planned,))


def deletion(traced: Traced, table: RoutingTable, meta: EventMeta) -> AcceptRequest:
    """The deletion of a message and of all its copies, wherever they are. `meta`: of the command."""
    assert traced.original is not None
    original = traced.original
    places = {(one.target, one.thread_id): None for one in traced.event.deliveries if one.copies or one.ended_at is None}
    for address in table.addresses_of(original.chat)[:1]:
        places.setdefault((address, None))
    event = MessageDeleted(
        meta=EventMeta(
            event_key=f"taken away:{original}",
            origin=original.chat,
            occurred_at=meta.occurred_at,
            received_at=meta.received_at,
        ),
        message_id=original.message_id,
        everywhere=True,
    )
    planned = tuple(PlannedDelivery(route=OWN_ROUTE, target=target, thread_id=thread_id) for target, thread_id in places)
    return AcceptRequest(event=event, deliveries=planned)

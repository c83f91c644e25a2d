"""Builds, starts, replaces and stops the accounts of one bridge: each has its supervisor, its adapter and its intake.

Called by `app`, whose reload says which accounts there are from now on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from bridge.accounts.back_off import BackOff
from bridge.accounts.ends import Ends
from bridge.accounts.state import Health
from bridge.accounts.supervisor import AccountSupervisor
from bridge.config.model import AccountConfig, Config
from bridge.config.restart import same_account
from bridge.delivery.message_links import LinkReader, chat_named
from bridge.delivery.outbox import Outbox
from bridge.identity.people import People
from bridge.identity.standing import Standing
from bridge.intake.account_intake import AccountIntake
from bridge.intake.bot_names import OwnNames
from bridge.intake.commands import Commands
from bridge.journal.account_store import JournalAccountStore
from bridge.journal.contract import Journal
from bridge.journal.maintenance import Maintenance
from bridge.model.adapter import Adapter, Intake
from bridge.model.capabilities import Capabilities
from bridge.model.clock import Clock
from bridge.model.errors import RetryLater
from bridge.model.events import Author, ChatEvent
from bridge.model.platform import AdapterContext, Platform
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.tasks import end
from bridge.observability.logs import Metrics
from bridge.policy.loops import RecentMessages
from bridge.policy.routing import RoutingTable
from bridge.render.origin import Origin
from bridge.web.public import PublicWeb

log = structlog.get_logger("app")

_END_S = 10.0
_FINISH_S = 10.0
"""How long a reload waits for sends in progress on an account that it replaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountParts:
    """What accounts are wired with. What a reload replaces is asked for at every use: `config`, `table`, `people`."""

    config: Callable[[], Config]
    table: Callable[[], RoutingTable]
    people: Callable[[], People]
    manifests: Callable[[str], Platform]
    journal: Journal
    maintenance: Maintenance
    clock: Clock
    metrics: Metrics
    public: PublicWeb
    ends: Ends
    own_names: OwnNames
    commands: Commands
    standing: Callable[[], Standing]
    on_author: Callable[[AccountName, Author | None], None]
    on_gap: Callable[[ChatRef, datetime, datetime, str], None]
    back_off: BackOff | None


class RunningAccounts:
    """`begin` before the rest. `supervisors` is filled: it has each configured account at all times, otherwise the account's lanes
    would treat it as removed, and skip their deliveries."""

    def __init__(self, parts: AccountParts, supervisors: dict[AccountName, AccountSupervisor]) -> None:
        self._parts = parts
        self._supervisors = supervisors
        self._made_of: dict[AccountName, AccountConfig] = {}
        """The account options that each supervisor was built from, also after a reload that failed half-way."""
        self._recent = RecentMessages()
        self._outbox: Outbox | None = None
        self._journal_name = ""
        self.changed = asyncio.Event()
        """Set when the state of an account changes, or one that is on trial is heard."""
        self.running: dict[AccountName, asyncio.Task[None]] = {}

    def begin(self, outbox: Outbox, journal_name: str) -> None:
        """Every account has its supervisor; none runs yet."""
        self._outbox, self._journal_name = outbox, journal_name
        for configured in self._parts.config().accounts.values():
            self._supervisors[configured.name] = self._make(configured)

    async def start_missing(self) -> None:
        """Start those that are configured and do not run."""
        for name, configured in self._parts.config().accounts.items():
            if name not in self.running:
                await self._start(configured)

    def going_on(self, config: Config) -> dict[AccountName, AccountSupervisor]:
        """Accounts that stay connected as they are."""
        same = [name for name, configured in config.accounts.items() if same_account(configured, self._made_of.get(name))]
        return {name: self._supervisors[name] for name in same if name in self._supervisors}

    async def replace(self) -> None:
        """Those that are new, gone or have other options."""
        gone: list[tuple[AccountSupervisor, asyncio.Task[None] | None]] = []
        accounts = self._parts.config().accounts
        for name in list(self._supervisors):
            configured = accounts.get(name)
            if same_account(configured, self._made_of.get(name)):
                continue
            gone.append((self._supervisors.pop(name), self.running.pop(name, None)))
            if configured is not None:
                self._supervisors[name] = self._make(configured)
        for supervisor, running in gone:
            await self._let_go(supervisor, running)
        await self.start_missing()

    # -- trials (`account_trial`) -------------------------------------------------------------------------------------------

    def made_of(self, name: AccountName) -> AccountConfig | None:
        """The options that the account is connected with."""
        return self._made_of.get(name) if name in self._supervisors else None

    def supervisor(self, name: AccountName) -> AccountSupervisor | None:
        return self._supervisors.get(name)

    async def put(self, wanted: Mapping[AccountName, AccountConfig | None], *, on_trial: bool) -> None:
        """Connect accounts as `wanted` says, instead of as they were; None: there is no such account any more. All old connections
        end before a new one begins, since two accounts may have exchanged their tokens."""
        gone = [(self._supervisors.get(name), self.running.pop(name, None)) for name in wanted]
        for name, account in wanted.items():
            if account is None:
                self._supervisors.pop(name, None)
                continue
            made = self._supervisors[name] = self._make(account)
            if on_trial:
                made.try_out()
        async with asyncio.TaskGroup() as ending:
            for supervisor, running in gone:
                ending.create_task(self._let_go(supervisor, running), name="end a replaced account")
        for name, account in wanted.items():
            if account is not None:
                self._run(name)  # the table in force knows its ends, or has none of it

    async def _let_go(self, supervisor: AccountSupervisor | None, running: asyncio.Task[None] | None) -> None:
        if running is not None:
            await end_tasks([running])
        if supervisor is not None:
            await supervisor.close(finish_s=_FINISH_S)

    async def hear(self, address: ChatAddress, make: Callable[[ChatRef], ChatEvent]) -> ChatRef:
        """An event that is made for a chat, as if the account had heard it there. Raises KeyError (no such account), ChatDown,
        RetryLater, AccountDown, JournalError."""
        supervisor = self._supervisors[address.account]
        chat = ChatRef(address.account, await supervisor.resolve(address))
        await supervisor.intake.accept([make(chat)])
        return chat

    # -- what others ask ----------------------------------------------------------------------------------------------------

    def capabilities_of(self, name: AccountName) -> Capabilities:
        """As exactly as they are known now."""
        try:
            return self._supervisors[name].adapter.capabilities
        except RetryLater:
            configured = self._parts.config().accounts[name]
            return self._parts.manifests(configured.platform).capabilities(configured.options)

    def link_readers(self) -> list[LinkReader]:
        """What reads links to messages, for every account."""
        manifests = self._parts.manifests
        return [
            LinkReader(
                one.name,
                partial(manifests(one.platform).message_of_link, one.options),
                partial(chat_named, self._supervisors.get(one.name)),
            )
            for one in self._parts.config().accounts.values()
        ]

    def origin_of(self, chat: ChatRef) -> Origin:
        """A chat as a copy may name it."""
        account = self._parts.config().accounts.get(chat.account)
        manifest = self._parts.manifests(account.platform).manifest if account else None
        addresses = self._parts.table().addresses_of(chat)
        name = addresses[0].address if addresses else chat.chat_id
        return Origin(
            account=chat.account,
            platform=manifest.platform if manifest else "",
            platform_title=manifest.title if manifest else "",
            chat_name=name,
            chat_is_named=manifest is not None and not manifest.is_chat_id(name),
        )

    # -- the end ------------------------------------------------------------------------------------------------------------

    async def end(self) -> None:
        """None hears anything more; what was accepted can still be sent."""
        await end_tasks(list(self.running.values()))
        self.running.clear()

    async def close(self) -> None:
        async with asyncio.TaskGroup() as closing:
            for supervisor in self._supervisors.values():
                closing.create_task(supervisor.close(), name=f"close {supervisor.account}")

    # -- one account --------------------------------------------------------------------------------------------------------

    def _make(self, account: AccountConfig) -> AccountSupervisor:
        parts, outbox = self._parts, self._outbox
        assert outbox is not None, "begin() first"
        self._made_of[account.name] = account
        made = AccountSupervisor(
            account.name,
            build=lambda: self._build(account, made),
            make_intake=lambda supervisor: self._intake_of(supervisor, outbox),
            table=parts.table,
            remember_address=parts.ends.remember,
            wake_lanes=outbox.wake_account,
            clock=parts.clock,
            back_off=parts.back_off,
            on_state=lambda name, health: self._state_is(made, health),
        )
        made.shows_health = parts.manifests(account.platform).shows_health(account.options)
        return made

    def _build(self, account: AccountConfig, supervisor: AccountSupervisor) -> Adapter:
        parts = self._parts
        context = AdapterContext(
            account=account.name,
            options=account.options,
            web=parts.public.of(account.name),
            alive=supervisor.alive,
            folder=parts.config().journal.path.with_suffix(".received") / account.name,
            decode_post=lambda platform, payload: parts.manifests(platform).decode_post(payload),
            clock=parts.clock,
            store=JournalAccountStore(parts.journal, account.name, parts.clock),
        )
        return parts.manifests(account.platform).build(context)

    def _intake_of(self, supervisor: AccountSupervisor, outbox: Outbox) -> Intake:
        parts = self._parts
        return AccountIntake(
            supervisor,
            journal=parts.journal,
            lanes=outbox,
            table=parts.table,
            counts=parts.metrics,
            clock=parts.clock,
            recent=self._recent,
            people=parts.people,
            own_names=parts.own_names,
            journal_id=self._journal_name,
            stamp=parts.maintenance.stamp,
            until_routed=parts.ends.until_routed,
            commands=parts.commands,
            standing=parts.standing,
            on_author=parts.on_author,
            until_settled=supervisor.settled,
            on_gap=parts.on_gap,
        )

    def _state_is(self, supervisor: AccountSupervisor, health: Health) -> None:
        """A replaced supervisor no longer reports about its account."""
        if self._supervisors.get(supervisor.account) in (supervisor, None):
            self._parts.metrics.account_state(supervisor.account, health.state.value)
            self.changed.set()

    async def _start(self, account: AccountConfig) -> None:
        await self._parts.ends.recall(account.name, self._parts.table())
        supervisor = self._supervisors.get(account.name)
        if supervisor is None:
            self._supervisors[account.name] = self._make(account)
        self._run(account.name)

    def _run(self, name: AccountName) -> None:
        self.running[name] = asyncio.create_task(self._supervisors[name].run(), name=f"account {name}")


async def end_tasks(tasks: list[asyncio.Task[None]]) -> None:
    """Bounded in time: a task that does not end must not block a stop or a reload."""
    for task in await end(tasks, within_s=_END_S):
        log.error("does not end", task=task.get_name(), waited_s=_END_S)

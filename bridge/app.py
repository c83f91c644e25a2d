"""The composition root: builds everything from a `Config`, runs it, reloads it, stops it. The only module that loads adapters.

`App` is what sandbox mode, tests and benchmarks run too; `run` is the daemon: signals, systemd, exit codes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from bridge.account_trial import AccountTrial, new_ends
from bridge.accounts.back_off import BackOff
from bridge.accounts.chat_probes import Lookout
from bridge.accounts.ends import Ends
from bridge.accounts.presence import Presence, PresencePace
from bridge.accounts.state import Health
from bridge.accounts.supervisor import AccountSupervisor
from bridge.config.difference import Difference, difference
from bridge.config.model import Config
from bridge.config.restart import needing_restart
from bridge.delivery.dead_marks import DeadMarks
from bridge.delivery.executor import DeliveryExecutor
from bridge.delivery.message_links import MessageLinks
from bridge.delivery.name_marks import NameMarks
from bridge.delivery.operations.tools import Tools
from bridge.delivery.outbox import Outbox
from bridge.delivery.places import Places
from bridge.delivery.rendering import MessageRenderer
from bridge.delivery.retry_requests import RetryRequests
from bridge.delivery.send import PartSender
from bridge.files.conversions import Conversions
from bridge.files.convert import Converter
from bridge.files.fetch import FileFetcher
from bridge.files.spool import Spool
from bridge.identity.names import Names
from bridge.identity.people import People, with_links
from bridge.intake.bot_names import USUAL_NAMES, OwnNames
from bridge.intake.commands import Commands
from bridge.intake.community import Community
from bridge.intake.email_match import EmailMatch
from bridge.journal import journal_at
from bridge.journal.contract import Journal
from bridge.journal.maintenance import Maintenance, begin_tokens
from bridge.model.capabilities import Capabilities
from bridge.model.clock import Clock, SystemClock
from bridge.model.platform import Platform
from bridge.model.refs import AccountName
from bridge.model.tasks import Services
from bridge.observability.logs import Metrics
from bridge.observability.reports import Reports
from bridge.ops.teller import Ops
from bridge.policy.echo import Tokens
from bridge.policy.retry import Policy
from bridge.running_accounts import AccountParts, RunningAccounts, end_tasks
from bridge.web.build import Media, media, public_web
from bridge.web.listening import named

if TYPE_CHECKING:
    from bridge.web.admin import AdminWeb


class App:
    """One bridge. `start`, then `stop`; or `async with`. All calls belong to one event loop."""

    def __init__(
        self,
        config: Config,
        *,
        manifests: Callable[[str], Platform],
        clock: Clock | None = None,
        journal: Journal | None = None,
        back_off: BackOff | None = None,
        policy: Policy | None = None,
        presence_pace: PresencePace | None = None,
    ) -> None:
        self._config = self._started_with = config
        self._manifests = manifests
        self._clock = clock or SystemClock()
        self._journal = journal or journal_at(config.journal.path)
        self._policy = policy
        self._table = config.routing_table()
        self.metrics = Metrics(clock=self._clock)
        self._community = Community(self._journal.persons, on_change=self._community_changed)
        self._own_names = OwnNames(self._journal, on_change=self._protect_names)
        self._media: Media | None = None
        self._community_changed()
        self._commands = self._commanding()
        self._email_match = self._email_matching()
        self._spool = Spool(config.media.spool or config.journal.path.with_suffix(".spool"), int(config.media.spool_mb * 1_000_000))
        self._files = self._file_fetcher()
        self._maintenance = Maintenance(
            self._journal, self._clock, keep_days=lambda: self._config.journal.keep_days, on_figures=self.metrics.journal
        )
        self.admin: AdminWeb | None = None
        self._supervisors: dict[AccountName, AccountSupervisor] = {}
        self.reports = self._reporting()
        self.metrics.health, self.metrics.disk = lambda: self.reports.health().snapshot(), self.reports.free_bytes
        self._public = public_web(
            *(self._journal, self._clock, self.metrics, self._supervisors), config=lambda: self._config, manifests=manifests
        )
        self._ends = Ends(lambda: self._supervisors, lambda: self._table, self._journal, self._clock)
        self._presence = Presence(lambda: self._supervisors, self.reports.health, self._clock, presence_pace)
        self._ops = self._telling_humans()
        self._accounts = RunningAccounts(self._account_parts(back_off), self._supervisors)
        self._services: Services | None = None
        self._outbox: Outbox | None = None
        self.public_port = self.admin_port = 0

    # -- life ---------------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the journal, load its backlog, listen, start every account. Raises JournalError, OSError (port, folder)."""
        await self._journal.open()
        try:
            await asyncio.to_thread(self._spool.open)
            self._services = services = Services()
            tokens = await begin_tokens(self._journal)
            await self._maintenance.begin()
            for name in self._config.accounts:
                await self._own_names.load(name)
            await self._start_media()
            await self._community.load()
            outbox = await self._start_outbox(services, tokens)
            await self._listen()
            await self._accounts.start_missing()
            services.start(self._maintenance.run(), "maintenance")
            services.start(self._ends.run(), "ends not found yet")
            requests = RetryRequests(self._journal, outbox, self._supervisors.get, self._clock)
            services.start(requests.run(), "retried dead letters")
            marks = DeadMarks(self._journal, outbox.wake_if_idle, lambda: self._table, self._clock, on_dead=self._ops.dead)
            services.start(marks.run(), "marks of failures")
            services.start(self._ops.run(), "telling humans")
            services.start(self._public.run(), "public listener")
            services.start(Lookout(lambda: self._supervisors, lambda: self._table, self._clock).run(), "lookout")
            services.start(self._presence.run(), "presence")
            services.start(self._email_match.run(), "e-mail matches")
            services.start(self._community.run(self._clock), "people's decisions")
        except BaseException:
            await self.stop(drain_s=0)
            raise

    async def stop(self, *, drain_s: float | None = None) -> int:
        """Intake stops, lanes drain to the deadline, the rest stays in the journal. Returns how many lanes still had work."""
        await self._accounts.end()
        left = 0
        if self._outbox is not None:
            left = await self._outbox.drain(self._config.drain_s if drain_s is None else drain_s)
        if self._services is not None:
            await end_tasks(self._services.tasks)
            self._services.tasks.clear()
        await self._files.close()
        if self._media is not None:
            await self._media.close()
        await self._presence.off()
        await self._accounts.close()
        await self._public.stop()
        if self.admin is not None:
            await self.admin.stop()
        await self._journal.close()
        self._spool.close()
        return left

    async def __aenter__(self) -> App:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def run_until(self, stop: asyncio.Event) -> None:
        """Return when `stop` is set; raise if one of the bridge's own services ended, which is a bug."""
        assert self._services is not None, "start() first"
        failed = self._services.failed
        stopping = asyncio.create_task(stop.wait(), name="stop requested")
        try:
            either: list[asyncio.Future[Any]] = [stopping, failed]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                failed.result()
        finally:
            stopping.cancel()

    async def reload(self, config: Config, *, up_within_s: float | None = None) -> Sequence[str]:
        """Apply what changed: routes, people and names at once; accounts that are new, gone or have other options are started,
        stopped or built anew. Journal, spool and listeners stay as they were started: returns the keys of those that differ.

        With `up_within_s`, accounts that are started or built anew have to be up within that time, and the chats of new ends
        usable: otherwise NotUp is raised, and everything is as it was before. So it is after any other error on the way there."""
        for name in config.accounts:
            await self._own_names.load(name)
        trial = AccountTrial(self._accounts, config, self._clock)
        if up_within_s is None:
            await self._put_in_force(config, None)
        else:
            try:
                await trial.begin()
                await trial.until_up(up_within_s)
                await self._put_in_force(config, trial)
            except Exception:
                await trial.undo()
                raise
        await self._accounts.replace()
        assert self._outbox is not None
        self._outbox.reloaded()
        for lane in await self._journal.open_lanes():
            self._outbox.wake(lane)
        return needing_restart(self._started_with, config)

    async def _put_in_force(self, config: Config, trial: AccountTrial | None) -> None:
        """Raises NotUp, if there is a trial, and JournalError: then nothing was changed."""
        table = config.routing_table()
        for name in config.accounts:
            await self._ends.recall(name, table)
        self._ends.keep(table, self._accounts.going_on(config))
        try:
            await self._ends.look_up_ahead(table, self._accounts.going_on(config))
            if trial is not None:
                await trial.look_at_ends(new_ends(self._table, table, config.accounts), table)
            self._ends.keep(table, self._accounts.going_on(config))  # a chat may have moved meanwhile
            self._config = config  # together with the table and the supervisors, without an await in between
            self._table = table
            self._community_changed()
            if trial is not None:
                trial.settle()
        finally:
            self._ends.in_force()

    # -- for people ---------------------------------------------------------------------------------------------------------

    async def report(self) -> dict[str, Any]:
        """What `/health` shows: every account and lane, what is wrong, and what a human should do."""
        return await self.reports.report()

    @property
    def config(self) -> Config:
        """What is in force."""
        return self._config

    @property
    def accounts(self) -> RunningAccounts:
        return self._accounts

    def difference(self, config: Config) -> Difference:
        """What a reload to it would change."""
        return difference(self._config, config, started_with=self._started_with)

    @property
    def journal(self) -> Journal:
        """For observers outside the daemon's loop: dead letters, and what became of a message."""
        return self._journal

    def capabilities_of(self, account: str) -> Capabilities:
        """The capabilities of an account, as exactly as they are known now."""
        return self._accounts.capabilities_of(AccountName(account))

    def account_states(self) -> dict[str, Health]:
        return {str(name): supervisor.health for name, supervisor in self._supervisors.items()}

    # -- parts --------------------------------------------------------------------------------------------------------------

    def _account_parts(self, back_off: BackOff | None) -> AccountParts:
        return AccountParts(
            config=lambda: self._config,
            table=lambda: self._table,
            people=lambda: self._people,
            manifests=self._manifests,
            journal=self._journal,
            maintenance=self._maintenance,
            clock=self._clock,
            metrics=self.metrics,
            public=self._public,
            ends=self._ends,
            own_names=self._own_names,
            commands=self._commands,
            standing=lambda: self._names.standing,
            on_author=self._email_match.seen,
            on_gap=self._ops.gap,
            back_off=back_off,
        )

    def _file_fetcher(self) -> FileFetcher:
        converter = Converter(self._clock, is_on=lambda: self._config.media.convert)
        return FileFetcher(self._spool, lambda name: self._supervisors.get(name), self._clock, Conversions(self._spool, converter))

    async def _start_media(self) -> None:
        self._media = await media(
            *(self._journal, self._clock, self._spool, self._supervisors),
            config=lambda: self._config,
            is_relayed=lambda chat: chat.chat_id in self._table.origin_chats(chat.account),
            forgotten=self._community.forgotten,
        )
        self._public.media = self._media.pages if self._media is not None else None

    async def _start_outbox(self, services: Services, tokens: Tokens) -> Outbox:
        renderer = MessageRenderer(
            journal=self._journal,
            people=lambda: self._people,
            names=lambda: self._names,
            origin_of=self._accounts.origin_of,
            file_links=self._media.links if self._media is not None else None,
            faces=self._media.faces if self._media is not None else None,
            message_links=MessageLinks(self._journal, self._accounts.link_readers, lambda: self._table),
            now=self._clock.now,
            marks=NameMarks(self._journal.persons, lambda: self._names, self._clock),
        )
        tools = Tools(
            journal=self._journal,
            renderer=renderer,
            places=Places(self._journal, renderer, lambda: self._table, self._clock, journal_id=tokens.journal_id),
            sender=PartSender(tokens=tokens, clock=self._clock),
            files=self._files,
            has_end=lambda target, thread_id: self._table.has_end(target, thread_id),
        )
        outbox = self._outbox = Outbox(
            journal=self._journal,
            executor=DeliveryExecutor(tools, self._clock),
            files=self._files,
            table=lambda: self._table,
            supervisor_of=self._supervisors.get,
            platform_of=lambda account: self._config.accounts[account].platform,
            title_of=lambda platform: self._manifests(platform).title,
            counts=self.metrics,
            clock=self._clock,
            policy=self._policy,
        )
        self._accounts.begin(outbox, tokens.journal_id)
        started = asyncio.Event()
        services.start(outbox.run(started), "outbox")
        await started.wait()
        return outbox

    async def _listen(self) -> None:
        web = self._config.web
        if web.public is not None:
            with named("web.public.listen", web.public):
                self.public_port = await self._public.start(web.public.host, web.public.port)
        if web.admin is not None:
            from bridge.web.admin import AdminWeb  # aiohttp's server comes with it

            self.admin = AdminWeb(report=self.report, metrics=self.metrics.scraped, hosts=web.admin_hosts)
            with named("web.admin.listen", web.admin):
                self.admin_port = await self.admin.start(web.admin.host, web.admin.port)

    def _telling_humans(self) -> Ops:
        return Ops(
            *(self._journal, self._clock, self._supervisors, self.reports),
            wake=lambda chat: self._outbox.wake_if_idle(chat) if self._outbox is not None else None,
            config=lambda: self._config.ops,
            table=lambda: self._table,
        )

    def _reporting(self) -> Reports:
        return Reports(
            *(self._journal, self._clock, self._supervisors, self._manifests, self._started_with, self._spool),
            config=lambda: self._config,
            table=lambda: self._table,
            left_out=self.metrics.left_out,
        )

    def _commanding(self) -> Commands:
        return Commands(
            *(self._journal, self._community, self._clock, self._own_names),
            rules=lambda: self._config.commands,
            people=lambda: self._people,
            names=lambda: self._names,
            table=lambda: self._table,
            health=lambda: self.reports.health(),
            is_posting=lambda address: self._outbox is not None and self._outbox.is_busy(address),
        )

    def _email_matching(self) -> EmailMatch:
        return EmailMatch(
            *(self._journal.persons, self._community, self._clock),
            is_on=lambda: self._config.people_match == "email",
            people=lambda: self._people,
            accounts=lambda: list(self._config.accounts),
            supervisor_of=lambda account: self._supervisors.get(account),
        )

    def _people_of(self, config: Config) -> People:
        ids = {account.name: self._manifests(account.platform).manifest.user_id for account in config.accounts.values()}
        named = [one.name for one in config.accounts.values() if self._manifests(one.platform).manifest.mentions_by_username]
        return People(with_links(config.people, self._community.groups()), ids, named)

    def _community_changed(self) -> None:
        """People linked accounts or decided something, somebody was erased, or the configuration is another."""
        self._people = self._people_of(self._config)
        self._protect_names()
        self.metrics.words.begin_anew(wanted=self._config.web.dashboard.words)
        for account, user_id in self._community.take_newly_forgotten():
            self._spool.forget_idle()  # it does not know whose files it has, and any can be fetched again
            if self._media is not None:
                self._media.faces.forget(account, user_id)

    def _protect_names(self) -> None:
        reserved = (*USUAL_NAMES, *self._config.reserved_names)
        standing = self._community.standing(self._people)
        self._names = Names(reserved, self._people, bots=self._own_names.of(self._config.accounts), standing=standing)

"""Runs one account: connect, restart with back-off, park when a human must act, recover, and report its state.

One `AccountSupervisor` per account; the app runs `run()` as a task. A platform's failure ends here: it never reaches other
accounts. Lanes ask `is_open` before every attempt, so that a parked or throttled account holds back only its own lanes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, TypeVar

import structlog

from bridge.accounts.back_off import BackOff
from bridge.accounts.calls import Calls
from bridge.accounts.state import AccountState, Health, SeenFault
from bridge.journal.contract import JournalError
from bridge.model.adapter import Adapter, Intake
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, ChatDown, ConnectionLost, DeliveryError, RetryLater
from bridge.model.refs import AccountName, ChatAddress
from bridge.model.tasks import end, outcome, within
from bridge.policy.repeats import Repeats
from bridge.policy.routing import RoutingTable

log = structlog.get_logger("supervisor")

_CLOSE_S = 5.0
_GRACE_S = 15.0
"""How long a call may continue after its adapter was closed."""

T = TypeVar("T")


class AccountSupervisor:
    """See the module. `build` makes a fresh adapter; `make_intake` is given this supervisor once."""

    was_heard = False
    """On trial: input came that is not accepted before the trial is over."""
    _may_send = False
    _verdict: asyncio.Future[None] | None = None
    """While it is on trial."""

    def __init__(
        self,
        account: AccountName,
        *,
        build: Callable[[], Adapter],
        make_intake: Callable[[AccountSupervisor], Intake],
        table: Callable[[], RoutingTable],
        remember_address: Callable[[ChatAddress, str], Awaitable[None]],
        wake_lanes: Callable[[AccountName], None],
        clock: Clock,
        back_off: BackOff | None = None,
        on_state: Callable[[AccountName, Health], None] | None = None,
    ) -> None:
        self.account = account
        self._build = build
        self._intake = make_intake(self)
        self._table = table
        self._remember_address = remember_address
        self._wake_lanes = wake_lanes
        self._clock = clock
        self._back_off = back_off or BackOff()
        self._on_state = on_state
        self._adapter: Adapter | None = None
        self._health = Health(AccountState.STARTING, clock.now())
        self._open = asyncio.Event()
        self._now = asyncio.Event()
        self._down: asyncio.Future[AccountDown] | None = None
        self._calls = Calls()
        self._failures = 0
        self._waits = Repeats()
        self._connected_at_s: float | None = None
        self._paused_until_s = 0.0
        self._in_use = 0
        self.served = 0
        """Deliveries that were carried out."""
        self._unused = asyncio.Event()
        self.shows_health = False
        """Whether the bot's own status says how the bridge is."""
        self.alive_at_s: float | None = None
        """When the platform was last heard (`Clock.monotonic_s`): a poll returned, a heartbeat was answered."""
        self.end_faults: dict[ChatAddress, ChatDown | RetryLater] = {}
        """Ends whose chat cannot be found now, with what to do about it."""
        self.chat_faults: dict[ChatAddress, ChatDown] = {}
        """Ends whose chat refused the last message, with what to do about it."""
        self.seen_faults: dict[ChatAddress, SeenFault] = {}
        """Ends whose chat had a problem when it was last checked."""
        self.notices: dict[str, tuple[str, str]] = {}
        """Per native chat id ("" for the account): a problem that does not make it unusable, and what to do about it."""

    # -- for the lanes ------------------------------------------------------------------------------------------------------

    @property
    def health(self) -> Health:
        return self._health

    @property
    def adapter(self) -> Adapter:
        """The account's adapter. Raises RetryLater before it could be built."""
        if self._verdict is not None:
            raise RetryLater("the account connects with other options")
        return self.built

    @property
    def built(self) -> Adapter:
        """The same, also on trial."""
        if self._adapter is None:
            raise RetryLater(self._health.reason or "the account has not started yet")
        return self._adapter

    @property
    def intake(self) -> Intake:
        return self._intake

    @property
    def is_built(self) -> bool:
        return self._adapter is not None and self._verdict is None

    @property
    def is_open(self) -> bool:
        return self._open.is_set() and self._paused_until_s <= self._clock.monotonic_s()

    @property
    def opens_in_s(self) -> float:
        """While it is not open: seconds until an account-wide wait is over, or infinity. Everything else that opens it wakes the
        lanes."""
        return self._paused_until_s - self._clock.monotonic_s() if self._open.is_set() else float("inf")

    def resume(self) -> None:
        """An account-wide wait is over before its time."""
        self._paused_until_s = 0.0
        self._wake_lanes(self.account)

    def retry_now(self) -> None:
        """A human wants an account that is down to connect at once."""
        self._now.set()

    def pause(self, seconds: float) -> None:
        """Send nothing through this account for that long (an account-wide rate limit)."""
        self._paused_until_s = max(self._paused_until_s, self._clock.monotonic_s() + seconds)

    def report_down(self, error: AccountDown) -> None:
        """A send found that the account is down: park it."""
        self._send_nothing()
        if self._down is not None and not self._down.done():
            self._down.set_result(error)
        self._set_health(AccountState.PARKED, error.reason, error.action)

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Make a call of the adapter, whose answer may never come. It is awaited until the adapter was closed and a grace period is
        over, not for hours. Raises TimeoutError then."""
        return await self._calls.make(work)

    # -- for the intake -----------------------------------------------------------------------------------------------------

    def connected(self) -> None:
        self._connected_at_s = self._clock.monotonic_s()
        self.alive()
        self._set_health(AccountState.UP)
        self._waits.over()
        self._send_again()

    def may_send(self) -> None:
        """Sending works, whatever happens to receiving."""
        if self._down is None or not self._down.done():
            self._send_again()

    def _send_again(self) -> None:
        self._may_send = True
        if self._verdict is None:
            self._open.set()
            self._wake_lanes(self.account)

    def _send_nothing(self) -> None:
        self._may_send = False
        self._open.clear()

    # -- on trial -----------------------------------------------------------------------------------------------------------

    def try_out(self) -> None:
        """Before `run`: it connects, but sends nothing and accepts nothing before `settle`, so that it can be closed as if it had
        never been there."""
        self._verdict = asyncio.get_running_loop().create_future()

    def settle(self) -> None:
        """The trial is over, and the account stays."""
        verdict, self._verdict = self._verdict, None
        if verdict is not None and not verdict.done():
            verdict.set_result(None)
        if self._may_send:
            self._send_again()

    async def settled(self) -> None:
        """Returns once there is no trial, or no longer. Raises JournalError if the account was closed instead: nothing was
        accepted, and whoever sent it sends it again."""
        if self._verdict is None:
            return
        self.was_heard = True
        if self._on_state is not None:
            self._on_state(self.account, self._health)
        await asyncio.shield(self._verdict)

    def _abandon(self) -> None:
        if self._verdict is not None and not self._verdict.done():
            self._verdict.set_exception(JournalError("the account was closed before it could accept anything"))
            self._verdict.exception()  # retrieved here: maybe nobody waits

    def alive(self) -> None:
        self.alive_at_s = self._clock.monotonic_s()

    def saw(self, address: ChatAddress, fault: tuple[str, str] | None, *, dead: bool = False, deaf: bool = False) -> None:
        """What was wrong with a chat when it was checked: reason and action; None: nothing. `dead`, `deaf`: see `SeenFault`."""
        if fault is None:
            self.seen_faults.pop(address, None)
            return
        known = self.seen_faults.get(address)
        if known is None or known.reason != fault[0]:
            log.warning("end in trouble", account=self.account, end=str(address), reason=fault[0], action=fault[1])
        self.seen_faults[address] = SeenFault(*fault, dead, self._clock.monotonic_s(), deaf)

    def chat_is_back(self, chat_id: str) -> None:
        """A check found that the chat can be used again."""
        log.info("end is back", account=self.account, chat=chat_id)
        self._intake.chat_restored(chat_id)

    async def chat_moved(self, old_chat_id: str, new_chat_id: str) -> None:
        """The answer to a send said that a chat has a new id."""
        await self._intake.chat_moved(old_chat_id, new_chat_id)

    # -- addresses ----------------------------------------------------------------------------------------------------------

    async def resolve(self, address: ChatAddress, coming: RoutingTable | None = None) -> str:
        """The native id of an address, known or asked for. `coming`: a table that is not in force yet learns it, instead of the one
        that is. Raises ChatDown, RetryLater, AccountDown."""
        known = (coming or self._table()).native_id(address)
        if known is not None and address not in self.end_faults:
            return known
        try:
            chat_id = await self.call(self.built.resolve(address.address))
        except (ChatDown, RetryLater) as error:
            self.end_faults[address] = error
            if known is not None and isinstance(error, RetryLater):
                return known
            raise
        self.end_faults.pop(address, None)
        if chat_id != known:
            (coming or self._table()).set_native_id(address, chat_id)
            await self._remember_address(address, chat_id)
        return chat_id

    @property
    def has_unresolved(self) -> bool:
        """Whether an end of this account is not resolved yet, or its last look-up failed."""
        table = self._table()
        return any(table.native_id(one) is None or one in self.end_faults for one in table.addresses(self.account))

    async def resolve_all(self) -> None:
        """Resolve every end of this account that is not resolved. A chat that does not exist is noted; any other error is raised
        after all were tried, since events of an unresolved chat would find no route."""
        wanted = self._table().addresses(self.account)
        for gone in self.end_faults.keys() - set(wanted):
            del self.end_faults[gone]
        later: RetryLater | None = None
        for address in wanted:
            if self._table().native_id(address) is not None and address not in self.end_faults:
                continue
            known = self.end_faults.get(address)
            try:
                await self.resolve(address)
            except ChatDown as error:
                if known is not None and known.reason == error.reason:
                    continue
                log.warning("end unusable", account=self.account, end=str(address), reason=error.reason, action=error.action)
            except RetryLater as error:
                later = later or error
        if later is not None:
            raise later

    # -- the account's life -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Runs until cancelled. The adapter stays usable for sending after that; `close` closes it."""
        try:
            while True:
                parked = await self._one_connection()
                await self._wait_before_next(parked)
        finally:
            self._set_health(AccountState.STOPPED)

    @contextlib.contextmanager
    def using(self) -> Iterator[None]:
        """An attempt is made with the adapter: `close` waits for its end, since the outcome of a cancelled attempt is unknown."""
        self._in_use += 1
        try:
            yield
        finally:
            self._in_use -= 1
            if not self._in_use:
                self._unused.set()

    async def close(self, *, finish_s: float = 0.0) -> None:
        """How long attempts in progress have to end."""
        self._abandon()
        if self._in_use and finish_s:
            self._unused.clear()
            await self._clock.wait(self._unused, finish_s)
        if self._adapter is not None:
            adapter, self._adapter = self._adapter, None
            asyncio.get_running_loop().call_later(_GRACE_S, self._calls.give_up)
            try:
                await within(_CLOSE_S, adapter.close())
            except Exception as error:
                # it is no longer used, and its replacement must not be affected
                log.warning("adapter not closed", account=self.account, reason=str(error) or type(error).__name__)

    async def _one_connection(self) -> bool:
        """Connect and receive until that ends. Returns whether a human must act."""
        self._down = asyncio.get_running_loop().create_future()
        self._connected_at_s = None
        sends = False
        try:
            if self._adapter is None:
                self._adapter = self._build()
            if self._health.state is not AccountState.PARKED:
                self._set_health(AccountState.CONNECTING)
            await self._receive(self._adapter)
            reason, action = "the connection ended", ""
        except AccountDown as error:
            reason, action, sends = error.reason, error.action, error.sends
        except (ConnectionLost, DeliveryError) as error:
            reason, action = error.reason, ""
        except JournalError as error:
            reason, action = str(error), ""
        except (OSError, TimeoutError) as error:
            reason, action = f"cannot reach the platform: {error or type(error).__name__}", ""
        except Exception as error:
            log.exception("adapter failed unexpectedly", account=self.account)
            reason, action = f"unexpected {type(error).__name__}; see the log", ""
        parked = bool(action)
        if parked and not sends:
            self._send_nothing()
        lasted = self._connected_at_s is not None
        lasted_s = self._clock.monotonic_s() - self._connected_at_s if self._connected_at_s is not None else 0.0
        self._failures = 1 if lasted and lasted_s >= self._back_off.healthy_after_s else self._failures + 1
        state = AccountState.PARKED if parked else AccountState.BACKOFF
        if self._health.state is not state or self._health.reason != reason:
            log.warning("account " + state.value, account=self.account, reason=reason, action=action)
        self._set_health(state, reason, action)
        return parked

    async def _receive(self, adapter: Adapter) -> None:
        """`adapter.run`, cut short when a send reports that the account is down."""
        assert self._down is not None
        await self.resolve_all()
        running = asyncio.create_task(adapter.run(self._intake), name=f"adapter {self.account}")
        try:
            either: set[asyncio.Future[Any]] = {running, self._down}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._down.done():
                raise self._down.result()
            outcome(running)
        finally:
            await end([running])

    async def _wait_before_next(self, parked: bool) -> None:
        wait_s = self._back_off.wait_s(self._failures, parked=parked)
        times = self._waits.again(self._health.reason)
        if times:
            log.info("account will be retried", account=self.account, wait_s=round(wait_s, 1), times=times)
        self._now.clear()
        await self._clock.wait(self._now, wait_s)

    def _set_health(self, state: AccountState, reason: str = "", action: str = "") -> None:
        changed = state is not self._health.state
        since = self._clock.now() if changed else self._health.since
        self._health = Health(state, since, reason, action)
        if changed and state is AccountState.UP:
            log.info("account up", account=self.account)
        if self._on_state is not None:
            self._on_state(self.account, self._health)

"""The stream of an account's events, from connecting to its end: who we are, sockets or HTTP requests, the backlog. Called by
`adapter.run`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

import structlog

from adapters.slack.channels import Channels
from adapters.slack.directory import Directory
from adapters.slack.enums import Events
from adapters.slack.identity import Identity
from adapters.slack.inbound.account_events import AccountEvents
from adapters.slack.inbound.backlog import Backlog
from adapters.slack.inbound.catch_up import CatchUp
from adapters.slack.inbound.connections import Connections, Readers
from adapters.slack.inbound.decode_files import unpack_file_id
from adapters.slack.inbound.receiver import Receiver
from adapters.slack.inbound.reorder import LateEvents
from adapters.slack.inbound.socket_mode import Hello, SocketMode
from adapters.slack.names import Wanted
from adapters.slack.own_app import OwnApp
from adapters.slack.threads import Threads
from adapters.slack.transport import Transport
from bridge.model.adapter import Intake
from bridge.model.errors import AccountDown, BridgeError, ConnectionLost, DeliveryError
from bridge.model.events import MessageCreated
from bridge.model.platform import AdapterContext

if TYPE_CHECKING:
    from adapters.slack.config import SlackOptions

log = structlog.get_logger("slack")

_CHECK_EVERY_S = 300.0


class Stream:
    """One account's, over all its runs. `on_own_file` is called with the id of each file that we shared, and its message's `ts`."""

    def __init__(
        self,
        context: AdapterContext,
        transport: Transport,
        app: OwnApp,
        *,
        directory: Directory,
        channels: Channels,
        threads: Threads,
        connections: Connections,
        on_own_file: Callable[[str, str], None],
    ) -> None:
        options: SlackOptions = context.options
        self._context = context
        self._options = options
        self._transport = transport
        self._app = app
        self._directory = directory
        self._channels = channels
        self._threads = threads
        self._connections = connections
        self._on_own_file = on_own_file
        self._late = LateEvents()
        self.catch_up = CatchUp(
            transport,
            directory,
            threads,
            self._identity,
            max_messages=options.catch_up_messages,
            late=self._late,
            clock=context.clock,
        )
        self._saw_strangers = False

    def _identity(self) -> Identity:
        return self._app.identity

    async def run(self, intake: Intake) -> None:
        """See `bridge.model.adapter.Adapter.run`."""
        try:
            await self._app.introduce()
            await intake.set_own_names(self._app.names)
            intake.may_send()  # the Web API serves it, whatever happens to the events
            await self._receive(intake)
        except BaseExceptionGroup as group:
            _raise_one(group)
        except DeliveryError as error:
            raise ConnectionLost(error.reason) from error

    async def _receive(self, intake: Intake) -> None:
        backlog: Backlog | None = None

        def joined(chat_id: str) -> None:
            if backlog is not None:
                backlog.again(chat_id)

        account_events = AccountEvents(intake, self._directory, self._channels, self._identity, joined, self._context.clock)
        receiver = Receiver(
            clock=self._context.clock,
            intake=intake,
            directory=self._directory,
            threads=self._threads,
            late=self._late,
            identity=self._identity,
            on_control=account_events.handle,
            on_own_message=self._own_message,
        )
        if self._options.catch_up_messages:
            backlog = Backlog(self.catch_up, receiver, intake, self._transport.time, self._context.clock)
            backlog.begin()
        account = self._context.account
        async with asyncio.TaskGroup() as group:
            ready = asyncio.Event()
            group.create_task(receiver.run(), name=f"slack receiver {account}")
            group.create_task(self._listen(receiver, intake, ready), name=f"slack stream {account}")
            await ready.wait()
            intake.connected()
            group.create_task(self._learn_names(intake), name=f"slack names {account}")
            if backlog is not None:
                await backlog.run()

    async def _learn_names(self, intake: Intake) -> None:
        """The names of the workspace's people, and our own. Nothing waits for them; until then our user name is used."""
        await self._directory.preload()
        user_id = self._app.identity.user_id
        own = (await self._directory.names(Wanted(users=frozenset({user_id})))).users.get(user_id)
        if own is not None:
            self._app.names = {own.name, own.username}
            await intake.set_own_names(self._app.names)

    def _own_message(self, event: MessageCreated) -> None:
        for attachment in event.content.attachments:
            self._on_own_file(unpack_file_id(attachment.file_id)[0], event.message_id)

    # -- the two ways ---------------------------------------------------------------------------------------------------------

    async def _listen(self, receiver: Receiver, intake: Intake, ready: asyncio.Event) -> None:
        if self._options.events is Events.HTTP:
            await self._listen_http(receiver, ready)
            return

        def hello(hello_frame: Hello) -> None:
            self._app.learn_app_id(hello_frame.app_id)
            self._look_at(hello_frame.readers, intake)
            ready.set()

        async def unreadable(raw: bytes, reason: str) -> None:
            await intake.undecodable(raw, reason)

        await SocketMode(
            self._transport,
            sink=receiver.put,
            on_hello=hello,
            on_unreadable=unreadable,
            alive=self._context.alive,
            connections=self._connections,
            clock=self._context.clock,
        ).run()

    def _look_at(self, readers: Readers, intake: Intake) -> None:
        """Another program on the same app takes its share of the events, and neither it nor we notice by what arrives."""
        if readers.strangers:
            reason = f"another program reads this app: {readers}; each event goes to only one of them"
            intake.notice(reason, "stop the other program, or give each its own Slack app")
        elif self._saw_strangers:
            intake.chat_restored("")
        self._saw_strangers = bool(readers.strangers)

    async def _listen_http(self, receiver: Receiver, ready: asyncio.Event) -> None:
        """Requests come in by the public listener; the token is checked now and then, since no connection would tell."""
        from adapters.slack.inbound.http_events import MOUNT_NAME, HttpEvents  # aiohttp's server comes with it

        assert self._options.signing_secret is not None, "checked by the options"
        account, listener = self._context.account, self._context.web
        handler = HttpEvents(self._options.signing_secret.get_secret_value(), receiver.put, self._transport.time)
        path = listener.mount(MOUNT_NAME, handler.handle)
        log.info("events are expected by HTTP", account=account, request_url=f"{listener.public_url}{path}")
        try:
            ready.set()
            while True:
                await self._context.clock.sleep(_CHECK_EVERY_S)
                try:
                    await self._app.introduce()
                except DeliveryError as error:
                    log.info("token not checked", account=account, reason=error.reason)
        finally:
            listener.unmount(MOUNT_NAME)


def _raise_one(group: BaseExceptionGroup[BaseException]) -> NoReturn:
    """The most telling error of the failed tasks."""
    leaves = list(_leaves(group))
    for kind in (AccountDown, ConnectionLost):
        for leaf in leaves:
            if isinstance(leaf, kind):
                raise leaf from None
    for leaf in leaves:
        if isinstance(leaf, BridgeError):
            raise ConnectionLost(leaf.reason) from leaf
    raise leaves[0]


def _leaves(group: BaseExceptionGroup[BaseException]) -> Sequence[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found

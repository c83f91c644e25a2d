"""Runs a trial: chooses the operations and their order, reports what is wrong, and removes what was made."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Collection, Mapping
from typing import TYPE_CHECKING

import msgspec

from adapters.teamspirit.trial.bench import Bench, Skipped
from adapters.teamspirit.trial.operations import OPERATIONS, Operation
from adapters.teamspirit.trial.reading import Judge
from bridge.model.dialects import Step, StepState
from bridge.model.errors import BridgeError

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import Dialect

READING = frozenset({"me", "chats", "direct_chats", "users", "find_users", "member", "websocket", "history", "list_webhooks"})
"""Operations that change nothing."""
NEEDS: Mapping[str, tuple[str, ...]] = {
    "users": ("me",),
    "find_users": ("me",),
    "member": ("me", "chats"),
    "websocket": ("me",),
    "upload": ("chats",),
    "send": ("me", "chats"),
    "webhook_send": ("chats",),
    "message": ("send",),
    "history": ("me", "chats"),
    "edit": ("send",),
    "react": ("send",),
    "unreact": ("react",),
    "download": ("upload",),
    "typing": ("me", "chats"),
    "set_status": ("me",),
    "register_webhook": ("chats",),
    "remove_webhook": ("register_webhook",),
    "delete": ("send",),
}
"""Operations that must have worked before, if the dialect has them."""
_SOFT = "chats"
"""Without it the chat that is named may still be an id."""
CLEANS_UP: Mapping[str, str] = {"send": "delete", "react": "unreact", "register_webhook": "remove_webhook"}
_SAYS: Mapping[str, str] = {
    "upload": "uploads a small file",
    "send": "posts a test message into {chat}",
    "webhook_send": "posts a test message into {chat} by its incoming webhook, where it stays: the dialect cannot delete it",
    "edit": "edits it",
    "react": "reacts to it",
    "unreact": "takes the reaction back",
    "typing": "shows for a moment that the bot types in {chat}",
    "set_status": "sets the bot's status to online",
    "register_webhook": "registers a webhook of a URL that leads nowhere",
    "remove_webhook": "removes that webhook",
    "delete": "deletes the test message",
}


def there(dialect: Dialect) -> list[str]:
    """The operations of the dialect that can be tried, in order."""
    return [name for name in OPERATIONS if _has(dialect, name)]


def _has(dialect: Dialect, name: str) -> bool:
    return getattr(dialect if name == "websocket" else dialect.operations, name) is not None


def chosen(dialect: Dialect, only: Collection[str] = (), *, reading: bool = False) -> list[str]:
    """The operations to try: `only` these and those they need, or all; with `reading`, none that writes."""
    wanted = set(only) or set(there(dialect))
    pending = list(wanted)
    while pending:
        one = pending.pop()
        further = {*NEEDS.get(one, ()), *([CLEANS_UP[one]] if one in CLEANS_UP else [])} - wanted
        wanted |= further
        pending += further
    return [name for name in there(dialect) if name in wanted and (not reading or name in READING)]


def sentences(dialect: Dialect, chat: str, only: Collection[str] = ()) -> list[str]:
    """The changes that the trial would make on the server, in words."""
    wanted = chosen(dialect, only)
    said = [_SAYS[name].format(chat=chat or "the chat") for name in wanted if name in _SAYS]
    if "send" in wanted and dialect.operations.delete is None:
        said.append("leaves the test message there: the dialect cannot delete it")
    return said


class Trial:
    """`sources`: where each entry of the dialect stands."""

    def __init__(self, bench: Bench, sources: Mapping[str, str]) -> None:
        self._bench = bench
        self._sources = sources
        self._worked: set[str] = set()

    async def run(self, wanted: Collection[str]) -> AsyncGenerator[Step, None]:
        """Yields one step per operation, as soon as it is done. What was made is removed even if the iteration ends early."""
        try:
            for name in wanted:
                yield await self._try(name, OPERATIONS[name])
        finally:
            await self._remove_rest()
            await self._bench.transport.close()

    async def _try(self, name: str, operation: Operation) -> Step:
        kept, judge = self._bench.kept.all, Judge(name, self._sources)
        first = len(kept)
        try:
            self._check_needs(name)
            detail, state = await operation(self._bench, judge), StepState.OK
        except Skipped as error:
            detail, state = str(error), StepState.SKIPPED
        except BridgeError as error:
            detail, state = str(getattr(error, "reason", error)), StepState.WRONG
            errors = self._bench.dialect.errors
            if name == "websocket":
                judge.complain("websocket.url", "it cannot be opened: check the address, and that a proxy lets websockets through")
            else:
                judge.refused(kept[-1] if len(kept) > first else None, errors.code, errors.message)
        if state is StepState.OK:
            self._worked.add(name)
            state = StepState.WRONG if judge.complaints else StepState.OK
        if name == _SOFT and not self._bench.chat_id:
            self._bench.chat_id = self._bench.wanted_chat
        step = Step(
            operation=name,
            state=state,
            detail=detail,
            exchanges=tuple(kept[first:]),
            read=tuple(judge.read_entries),
            complaints=tuple(judge.complaints),
        )
        return msgspec.convert(self._bench.secrets.hide_all(msgspec.to_builtins(step)), Step)

    def _check_needs(self, name: str) -> None:
        for needed in NEEDS.get(name, ()):
            if _has(self._bench.dialect, needed) and needed not in self._worked | {_SOFT}:
                raise Skipped(f"needs {needed}, which did not work")
        if name in ("edit", "react", "message") and not self._bench.message_id:
            raise Skipped("which message was sent is not known")

    async def _remove_rest(self) -> None:
        """Remove what a failed or interrupted trial left. An error here is ignored: the operation's own step has reported it."""
        bench = self._bench
        if bench.operations.delete is not None:
            for message_id in bench.message_ids:
                with contextlib.suppress(BridgeError):
                    await bench.call("delete", {**bench.in_chat(), "message": {"id": message_id}})
        if bench.operations.remove_webhook is not None and bench.webhook_id:
            with contextlib.suppress(BridgeError):
                await bench.call("remove_webhook", {"webhook": {"id": bench.webhook_id}})

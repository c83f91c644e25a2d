"""Tells humans by what is no chat of the bridge: services that the library apprise knows (mail, push, SMS, ...), by its URLs.

apprise is an extra, imported when there is something to tell. It blocks: it works in a thread."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import structlog

from bridge.policy.repeats import Repeats

if TYPE_CHECKING:
    from bridge.config.plain_options import Secret
    from bridge.model.clock import Clock

log = structlog.get_logger("ops")

TITLE = "Messenger bridge"
_KEPT = 20
"""Messages; with more of them the oldest are left out, which the next one says."""
_FIRST_S, _LONGEST_S = 30.0, 3600.0
_NOTIFY_S = 120.0


class OtherWays:
    """`use` and `put` at any time, `run` as a task."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._urls: Secret | None = None
        self._changed = asyncio.Event()
        self._waiting: deque[str] = deque()
        self._left_out = 0
        self._some = asyncio.Event()
        self._failures = Repeats()

    def use(self, urls: Secret | None) -> None:
        """From now on these, also for what waits already: a reload mends what was wrong with them. None: nothing is told."""
        if urls == self._urls:
            return
        self._urls = urls
        self._changed.set()
        if urls is None:
            self._waiting.clear()
            self._some.clear()
            self._left_out = 0

    def put(self, text: str) -> None:
        if len(self._waiting) >= _KEPT:
            self._waiting.popleft()
            self._left_out += 1
        self._waiting.append(text)
        self._some.set()

    async def run(self) -> None:
        """Until cancelled: each message is sent once it can be, in order."""
        while True:
            await self._some.wait()
            text = self._waiting.popleft()
            if not self._waiting:
                self._some.clear()
            await self._deliver(text)

    async def _deliver(self, text: str) -> None:
        pause_s = _FIRST_S
        while (urls := self._urls) is not None:
            self._changed.clear()
            left_out = self._left_out
            more = f"\n({left_out} earlier messages could not be sent)" if left_out else ""
            fault = await _send(text + more, urls)
            if not fault:
                self._left_out = max(self._left_out - left_out, 0)
                self._failures.over()
                return
            if times := self._failures.again(fault):
                log.warning("not told by apprise; tried again", reason=fault, wait_s=pause_s, times=times)
            is_other = await self._clock.wait(self._changed, pause_s)
            pause_s = _FIRST_S if is_other else min(pause_s * 2, _LONGEST_S)


async def _send(text: str, urls: Secret) -> str:
    """Why it was not sent; empty: it was."""
    try:
        async with asyncio.timeout(_NOTIFY_S):
            return await asyncio.to_thread(notify, text, urls.get_secret_value())
    except TimeoutError:
        return f"no answer within {_NOTIFY_S:.0f} s"


def notify(text: str, urls: str) -> str:
    """Send by all of these URLs. Returns why not; it names no URL, which may hold passwords."""
    try:
        import apprise
    except ImportError as error:
        return f"the extra [ops] is not installed: {error}"
    import logging

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines are for its own command line
    sender: Any = apprise.Apprise()
    if not sender.add(urls):
        return "apprise does not know one of the URLs in ops.apprise"
    try:
        sent = sender.notify(body=text, title=TITLE, body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # apprise's plugins raise what they like
        return f"apprise failed: {type(error).__name__}"
    return "" if sent else "a service that ops.apprise names did not take it"

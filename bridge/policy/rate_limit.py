"""How often messages may be sent: recent sends, measured against the windows that a platform declares. Pure: time is given.

One `RateLimiter` for the whole bridge, and one more for each operation on messages that are there; lanes ask it before each message
and wait by themselves. Waits that a platform asks for (429) are handled by the lanes and the supervisor; here they only mark the
window as full."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from bridge.model.capabilities import Rates, Window
from bridge.model.refs import AccountName, ChatAddress

_SPARE = 1.02
"""Windows count as a little longer than declared: clocks differ, and requests overtake each other."""
_METERS = 1024
"""Chats measured at a time before those that are long silent are forgotten."""
_LONG_SPAN_S = 1.0
"""Windows longer than this outlast a restart."""
_LONGEST_SPAN_S = 600.0
"""Nobody's windows are longer."""
_FILLING = 0.75
"""A window is as good as full with this share of its messages."""


class SlidingWindow:
    """The latest messages of one chat or account."""

    def __init__(
        self, windows: tuple[Window, ...], before: SlidingWindow | None = None, *, sent_at_s: Iterable[float] = ()
    ) -> None:
        """`sent_at_s`: when messages were sent before, oldest first."""
        self.windows = windows
        earlier = before._sent if before is not None else sent_at_s
        self._sent: deque[float] = deque(earlier, maxlen=max(window.messages for window in windows))

    def wait_s(self, now_s: float, messages: int = 1) -> float:
        """Seconds until that many messages may be sent; 0 if they may now."""
        if not self._sent:
            return 0.0
        return max(0.0, *(self._wait_for(window, now_s, messages) for window in self.windows))

    def take(self, now_s: float, messages: int = 1) -> None:
        self._sent.extend([now_s] * messages)

    def mark_accepted(self, now_s: float, messages: int = 1) -> None:
        """The latest messages were answered only now: the platform counted them at some moment in between."""
        for _ in range(min(messages, len(self._sent))):
            self._sent.pop()
        self.take(now_s, messages)

    def fill(self, now_s: float) -> None:
        """As if every window were full, its burst just spent: the platform said so, or it is not known (after a restart)."""
        window = max(self.windows, key=lambda window: window.span_s)
        burst = _burst(window)
        rest = window.messages - burst
        gap_s = window.span_s / (rest + 1)
        self._sent.clear()
        self._sent.extend(now_s - window.span_s + gap_s * number for number in range(1, rest + 1))
        self._sent.extend([now_s] * burst)

    def is_filling(self, now_s: float) -> bool:
        """Whether a long window is full, or nearly."""
        return any(
            sum(at_s > now_s - window.span_s for at_s in self._sent) >= window.messages * _FILLING
            for window in self.windows
            if window.span_s > _LONG_SPAN_S
        )

    def ages_s(self, now_s: float) -> list[float]:
        """How long ago those messages were sent that count in a long window, oldest first."""
        longest_s = max(window.span_s for window in self.windows)
        if longest_s <= _LONG_SPAN_S:
            return []
        return [now_s - at_s for at_s in self._sent if at_s > now_s - longest_s * _SPARE]

    @property
    def free_at_s(self) -> float:
        """When nothing of what was sent counts any more."""
        return self._sent[-1] + _SPARE * max(window.span_s for window in self.windows) if self._sent else 0.0

    def _wait_for(self, window: Window, now_s: float, messages: int) -> float:
        span_s = window.span_s * _SPARE
        room = window.messages - min(messages, window.messages)
        wait_s = self._sent[-room - 1] + span_s - now_s if len(self._sent) > room else 0.0
        used = sum(1 for at_s in self._sent if at_s > now_s - span_s)
        if used < _burst(window):
            return wait_s
        last_s = self._sent[-1]
        counted = [at_s for at_s in islice(reversed(self._sent), window.messages) if at_s > last_s - span_s]
        return max(wait_s, last_s + _gap_s(counted[::-1], last_s, span_s, window.messages) - now_s)


def _gap_s(counted: Iterable[float], last_s: float, span_s: float, messages: int) -> float:
    """The most even distance at which messages may continue after `last_s`, so that none has to wait longer than the others.
    `counted` are those in the window then, oldest first. The n-th message from now needs the place of one of them, unless there is
    a free one: so that one must have left the window by then."""
    times = list(counted)
    free = messages - len(times)
    return max((at_s + span_s - last_s) / (free + number) for number, at_s in enumerate(times, 1))


def _burst(window: Window) -> int:
    return window.messages if window.burst is None else min(window.burst, window.messages)


class RateLimiter:
    """All meters. A chat is known by its address, which is what names its lane."""

    def __init__(self) -> None:
        self._chats: dict[ChatAddress, SlidingWindow] = {}
        self._accounts: dict[AccountName, SlidingWindow] = {}
        self._restored: dict[ChatAddress, float] = {}
        self._sent_before: dict[str, Sequence[float]] = {}
        """By chat or account: when messages were sent by an earlier process, on this one's clock."""

    def wait_s(self, chat: ChatAddress, rates: Rates, now_s: float, messages: int = 1) -> float:
        """Seconds until that many messages may be sent into the chat; 0 if they may now."""
        meters = self._meters(chat, rates, now_s)
        return max((meter.wait_s(now_s, messages) for meter in meters), default=0.0)

    def take(self, chat: ChatAddress, rates: Rates, now_s: float, messages: int = 1) -> None:
        """They are being sent now."""
        for meter in self._meters(chat, rates, now_s):
            meter.take(now_s, messages)

    def mark_accepted(self, chat: ChatAddress, rates: Rates, now_s: float, messages: int = 1) -> None:
        """The platform accepted them."""
        meter = self._chats.get(chat)
        if rates.per_chat and meter is not None:
            meter.mark_accepted(now_s, messages)

    def refused(self, chat: ChatAddress, rates: Rates, now_s: float, *, account: bool) -> None:
        """A 429 although the windows were respected: somebody else sends with this account, or the platform counts differently."""
        self._meters(chat, rates, now_s)
        meter = self._accounts.get(chat.account) if account or not rates.per_chat else self._chats.get(chat)
        if meter is not None:
            meter.fill(now_s)

    def busy_until_s(self, chat: ChatAddress) -> float:
        """Until when what was sent into the chat counts: what has to survive a restart."""
        meter = self._chats.get(chat)
        return meter.free_at_s if meter is not None else 0.0

    def restore(self, chat: ChatAddress, busy_until_s: float) -> None:
        """After a restart: `busy_until_s` as it was, on this process's clock."""
        self._restored[chat] = busy_until_s

    def is_filling(self, chat: ChatAddress, now_s: float) -> bool:
        """Whether what was sent should be kept for a restart by now."""
        meters = (self._chats.get(chat), self._accounts.get(chat.account))
        return any(meter is not None and meter.is_filling(now_s) for meter in meters)

    def kept(self, now_s: float) -> dict[str, list[float]]:
        """By chat or account: how many seconds ago messages were sent that count for longer than a restart takes."""
        known: list[tuple[str, SlidingWindow]] = [(str(chat), meter) for chat, meter in self._chats.items()]
        known += self._accounts.items()
        kept = {name: ages_s for name, meter in known if (ages_s := meter.ages_s(now_s))}
        for name, sent_at_s in self._sent_before.items():
            if ages_s := [now_s - at_s for at_s in sent_at_s if at_s > now_s - _LONGEST_SPAN_S]:
                kept[name] = ages_s  # nothing was sent there since: its windows are not known yet
        return kept

    def restore_sent(self, sent_at_s: Mapping[str, Sequence[float]]) -> None:
        """After a restart: what was `kept`, as moments on this process's clock."""
        self._sent_before.update(sent_at_s)

    def _meters(self, chat: ChatAddress, rates: Rates, now_s: float) -> list[SlidingWindow]:
        meters: list[SlidingWindow] = []
        if rates.per_chat:
            meter = self._chats.get(chat)
            if meter is None:
                meter = self._new_chat(chat, rates.per_chat, now_s)
            elif meter.windows is not rates.per_chat and meter.windows != rates.per_chat:
                meter = self._chats[chat] = SlidingWindow(rates.per_chat, meter)
            meters.append(meter)
        if rates.per_account:
            meter = self._accounts.get(chat.account)
            if meter is None or (meter.windows is not rates.per_account and meter.windows != rates.per_account):
                before = self._sent_before.pop(chat.account, ())
                meter = self._accounts[chat.account] = SlidingWindow(rates.per_account, meter, sent_at_s=before)
            meters.append(meter)
        return meters

    def _new_chat(self, chat: ChatAddress, windows: tuple[Window, ...], now_s: float) -> SlidingWindow:
        if len(self._chats) >= _METERS:
            self._chats = {known: meter for known, meter in self._chats.items() if meter.free_at_s > now_s}
        before = self._sent_before.pop(str(chat), ())
        meter = self._chats[chat] = SlidingWindow(windows, sent_at_s=before)
        busy_until_s = self._restored.pop(chat, 0.0)
        if busy_until_s > now_s and not before:
            meter.fill(min(now_s, busy_until_s - _SPARE * max(window.span_s for window in windows)))
        return meter

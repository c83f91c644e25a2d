"""The delivery being executed: what the journal knows of it, kept current in memory.

`DeliveryState` has a part for each question: `attempts` (how often was it tried, is an attempt under way?), `unknown` (may the
part be there already?), `time` (how long is it tried?), `group` (what goes out with it?), `made` (how is it made up?), `files`
(how long are files waited for?) and `faults` (is the trouble its own?). Each changes by methods that say what happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from msgspec import field

from bridge.delivery.message_plan import Plan, Together
from bridge.delivery.superseded import doubt_of, together_of
from bridge.delivery.target import posts
from bridge.files.fetch import Patience
from bridge.journal.contract import Change, Deferred, DeliveryStatus, OpenDelivery, Piece, PiecesSet, StoredPart
from bridge.model.adapter import Adapter
from bridge.model.clock import Clock
from bridge.model.outcomes import LossNote


class Attempts(msgspec.Struct, eq=False):
    """Attempts on the part that comes next."""

    number: int = 0
    """How many there were; waits grow with it."""
    total: int = 0
    """Attempts on all parts since this process took the delivery."""
    is_underway: bool = False
    """Whether one was begun since the last error."""
    unexpected: int = 0
    """Errors that are bugs."""

    def count(self) -> None:
        """One more is about to be recorded, and then made."""
        self.number += 1
        self.total += 1

    def begin(self) -> None:
        self.is_underway = True

    def fail(self) -> bool:
        """Attempts are counted when they begin; a failure before that counts as well, or it would be the first for ever. Returns
        whether one was in progress."""
        if not self.is_underway:
            self.number += 1
        was_underway, self.is_underway = self.is_underway, False
        return was_underway

    def restart(self) -> None:
        """The next part has its own attempts."""
        self.number = 0


class UnknownOutcome(msgspec.Struct, eq=False):
    """Whether the part that comes next may be there already, and since when to look for it."""

    is_open: bool = False
    is_of_letter: bool = False
    """It was given up with that question, and an admin retries it: the platform is asked before anything else."""
    _since: datetime | None = None
    _since_s: float | None = None
    """On the monotonic clock, if this process made the attempt: the wall clock may step meanwhile."""

    def posting(self, now: datetime, now_s: float) -> None:
        """A message is about to be posted. Until its outcome is known it may also be one of earlier attempts: then those count."""
        if not self.is_open:
            self._since, self._since_s = now, now_s

    def stopped(self, since: datetime | None) -> None:
        """An earlier process may have posted it."""
        self._since, self._since_s = since, None

    def retried(self, since: datetime, *, is_open: bool) -> None:
        """A dead letter of unknown outcome."""
        self.is_of_letter, self.is_open, self._since, self._since_s = True, is_open, since, None

    def close(self) -> None:
        self.is_open = False

    def since(self, clock: Clock) -> datetime | None:
        if self._since_s is not None:
            return clock.now() - timedelta(seconds=clock.monotonic_s() - self._since_s)
        return self._since


class TimeSpent(msgspec.Struct, eq=False):
    """Time spent on the delivery, whatever the wall clock did. The time in which the bridge did not run is not counted."""

    before_s: float = 0.0
    """Before this process took it up."""
    since_s: float | None = None
    """On the monotonic clock: since when it is counted. None: no attempt was made yet."""

    def start(self, now_s: float) -> None:
        if self.since_s is None:
            self.since_s = now_s

    @property
    def is_counted(self) -> bool:
        return self.since_s is not None

    def spent_s(self, now_s: float) -> float:
        return self.before_s + (now_s - self.since_s if self.since_s is not None else 0.0)


class MergeGroup(msgspec.Struct, eq=False):
    """The deliveries that are sent in one message with this one."""

    followers: list[OpenDelivery] = field(default_factory=list)
    """In order."""
    pieces: tuple[Piece, ...] = ()
    """What each of them, and the delivery, gives to the message."""
    asked: Together | None = None
    """For dead letters: the message that they were given up as, and that may be there."""
    candidates: list[OpenDelivery] = field(default_factory=list)
    """Retried letters that were one message with it: those that still can be are sent in one with it again."""

    def dissolve(self) -> list[OpenDelivery]:
        followers, self.followers, self.pieces = self.followers, [], ()
        return followers


class MadeUp(msgspec.Struct, eq=False):
    """The message's plan."""

    plan: Plan | None = None
    """Once it was begun."""
    is_reworded: bool = False
    """It is sent with the edits made since."""
    file_refused: bool = False
    """The target refused a file of it: the plan knows."""
    unrecorded: list[Change] = field(default_factory=list)
    """To be recorded with the next attempt."""


class FileWaits(msgspec.Struct, eq=False):
    """How long the delivery's files are waited for."""

    patience: Patience = Patience.WAIT
    wait_s: float = 0.0
    """How long the current attempt waits for downloads."""
    asked_s: float | None = None
    """On the monotonic clock: when they were first requested."""


class Faults(msgspec.Struct, eq=False):
    """Failures that may be the message's own; see `poison`."""

    served_before: int | None = None
    """Deliveries of the account that were carried out before the last one."""
    beside_others: int = 0
    """Those between which others of the account were carried out."""
    first_s: float = 0.0
    """On the monotonic clock: when the first one was."""
    verdict: str = ""
    """Why it is given up, as soon as the platform says that it is not there."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The thread of the target that the delivery's messages go into; None: none. `from_partner`: it is no end of a route, but of
    the same conversation as the origin's thread. `is_instead`: it was made since the one before takes no messages any more."""

    thread_id: str | None
    from_partner: bool = False
    is_instead: bool = False
    losses: tuple[LossNote, ...] = ()


class DeliveryState(msgspec.Struct, eq=False):
    """See the module. `parts` are those that have a receipt."""

    pending: OpenDelivery
    parts: list[StoredPart]
    attempts: Attempts = field(default_factory=Attempts)
    unknown: UnknownOutcome = field(default_factory=UnknownOutcome)
    time: TimeSpent = field(default_factory=TimeSpent)
    group: MergeGroup = field(default_factory=MergeGroup)
    made: MadeUp = field(default_factory=MadeUp)
    files: FileWaits = field(default_factory=FileWaits)
    faults: Faults = field(default_factory=Faults)
    losses: list[LossNote] = field(default_factory=list)
    placed: Placed | None = None
    """None: where the end says."""
    is_prerecorded: bool = False
    """Its first attempt was on disk when it was taken up, and not made."""
    is_rate_limited: bool = False
    """The platform or a limit made it wait: then others may join it."""
    at_former_chat: bool = False
    """It changes a message that is stored under a former id of the chat."""
    posts_further: bool = False
    """It is an edit that is about to post a further message, which a repetition would post twice."""
    further_asked: bool = False
    """It was asked whether a process that stopped had posted such a message."""

    @property
    def thread_id(self) -> str | None:
        """The thread that what it posts goes into."""
        return self.pending.thread_id if self.placed is None else self.placed.thread_id

    @property
    def is_beside_line(self) -> bool:
        return self.pending.state is DeliveryStatus.BEHIND

    @property
    def is_untried(self) -> bool:
        """Whether no attempt can be on disk whose outcome is not: what is recorded of it then is of use, and not needed."""
        return not self.attempts.total and not self.is_prerecorded and self.pending.state is not DeliveryStatus.SENDING

    @property
    def together(self) -> list[OpenDelivery]:
        """All deliveries that this is about."""
        return [self.pending, *self.group.followers]

    @property
    def as_one(self) -> Together | None:
        """The merged message that is sent, or asked for; None if there is none."""
        if self.group.asked is not None or not self.group.followers:
            return self.group.asked
        return Together(delivery_ids=tuple(one.delivery_id for one in self.together), pieces=self.group.pieces)

    def posts(self, adapter: Adapter) -> bool:
        """Whether repeating the attempt could double something at this target: edits, deletes, reactions and native pins can be
        repeated freely, but for the further messages of an edit."""
        return self.posts_further or posts(self.pending.event, adapter)

    def part_over(self) -> None:
        """The outcome of the tried part is known: the next one, or the same in another form, starts afresh."""
        self.attempts.restart()
        self.attempts.is_underway = False
        self.unknown.close()
        self.faults = Faults()

    def kept(self, now_s: float) -> None:
        """Its chat cannot be used: once it can, the delivery is tried for as long as a new one."""
        self.attempts.restart()
        self.time = TimeSpent(since_s=now_s)

    def lose(self, losses: Sequence[LossNote]) -> None:
        self.losses += [loss for loss in losses if loss not in self.losses]

    def deferred(self, pending: OpenDelivery, clock: Clock, after_s: float, reason: str, *, behind: bool) -> Deferred:
        """One of those that go together has to wait."""
        now, spent_s = clock.now(), self.time.spent_s(clock.monotonic_s())
        return Deferred(
            delivery_id=pending.delivery_id,
            attempt=self.attempts.number,
            not_before=now + timedelta(seconds=after_s),
            error=reason,
            at=now,
            first_attempt_at=now - timedelta(seconds=spent_s) if self.time.is_counted else None,
            behind=behind,
        )

    def set_pieces(self, pieces: tuple[Piece, ...]) -> PiecesSet:
        pending = self.pending
        return PiecesSet(target=pending.target, thread_id=pending.thread_id, lead_seq=pending.event_seq, pieces=pieces)


def taken_up(pending: OpenDelivery, clock: Clock, *, prerecorded: bool, reworded: bool = False) -> DeliveryState:
    """A delivery as work on it begins. `prerecorded`: its first attempt is on disk and was not made."""
    time = TimeSpent()
    if pending.first_attempt_at is not None and not prerecorded:
        until = pending.recorded_at or clock.now()
        if pending.state is DeliveryStatus.BEHIND:
            until = pending.not_before or until  # it waited beside the line
        time = TimeSpent(max((until - pending.first_attempt_at).total_seconds(), 0.0), clock.monotonic_s())
    unknown, group, since = UnknownOutcome(), MergeGroup(), doubt_of(pending)
    if since is not None:
        group.asked = together_of(pending)
        unknown.retried(since, is_open=pending.event.traits.posts)  # an edit asks when it comes to its further messages
    return DeliveryState(
        pending=pending,
        parts=list(pending.parts),
        attempts=Attempts(number=0 if prerecorded else pending.attempt),
        unknown=unknown,
        time=time,
        group=group,
        made=MadeUp(is_reworded=reworded),
        is_prerecorded=prerecorded,
    )

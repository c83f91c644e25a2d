"""Any sequence of calls, restarts in between: the journal and the model agree on everything that can be asked."""

from __future__ import annotations

import asyncio
import copy
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bridge.journal import check
from bridge.journal.contract import (
    AttemptStarted,
    Carried,
    Change,
    Dead,
    Deferred,
    Delivered,
    DeliveryStatus,
    Journal,
    PartGone,
    PartReceipt,
    Piece,
    PiecesSet,
    PlanSet,
    Skipped,
    Verdict,
)
from bridge.journal.tracing import StepKind
from bridge.model.adapter import Cursor, Receipt
from bridge.model.events import ChatEvent
from bridge.model.outcomes import Loss, Skip
from bridge.model.refs import AccountName, ChatRef, MessageRef
from tests.bridge.journal.journal_implementations import IMPLEMENTATIONS
from tests.bridge.journal.journal_makers import at, created, deleted, edited, entry, lane, native, reacted
from tests.bridge.journal.journal_model import Model
from tests.bridge.journal.journal_model_state import DEADS
from tests.support.budget import examples

T = TypeVar("T")

LANES = [lane("A"), lane("B"), lane("A", "other")]
THREADS = [None, "7", "t"]
ORIGINS = [ChatRef(AccountName("origin"), "C1"), ChatRef(AccountName("origin"), "C2"), native(LANES[0])]
IDS = ["1", "2", "3", "1700000000.000100", "x"]
EMOJI = ["👍", "🎉", ":cat:"]
MOMENTS = st.integers(0, 20).map(at)

ids = st.sampled_from(IDS)
chats = st.sampled_from(ORIGINS)
lanes = st.sampled_from(LANES)
threads = st.sampled_from(THREADS)
ends = st.tuples(lanes, threads)
versions = st.integers(1, 3)
emoji = st.lists(st.sampled_from(EMOJI), max_size=2, unique=True).map(tuple)

EVENTS: st.SearchStrategy[ChatEvent] = st.one_of(
    st.builds(created, ids, chats, also=st.lists(ids, max_size=1).map(tuple), key=st.sampled_from(["", "", "k1", "k2"])),
    st.builds(edited, ids, chats, version=versions),
    st.builds(deleted, ids, chats),
    st.builds(reacted, ids, chats, version=versions, who=st.sampled_from(["Anna", "Boris", None]), added=emoji, removed=emoji),
)
ENTRIES = st.lists(
    st.builds(
        lambda event, targets, skipped: entry(event, *targets, skipped=tuple(skipped)),
        EVENTS,
        st.lists(ends, max_size=3),
        st.lists(lanes, max_size=1),
    ),
    max_size=4,
)
CURSORS = st.lists(st.builds(Cursor, name=st.sampled_from(["offset", "c"]), value=st.text(max_size=3)), max_size=2)


@st.composite
def changes(draw: st.DrawFn, deliveries: tuple[int, ...], seqs: tuple[int, ...]) -> Change:
    delivery = draw(st.sampled_from(deliveries))
    moment, part, (target, thread) = draw(MOMENTS), draw(st.integers(0, 2)), draw(ends)
    seq = draw(st.sampled_from(seqs))
    match draw(st.integers(0, 8)):
        case 0 | 1:
            return AttemptStarted(delivery_id=delivery, part=part, attempt=draw(st.integers(1, 9)), at=moment)
        case 2 | 3:
            # An id is of one part, as on every platform; different events may still claim the same one.
            names = [f"{target.address}{thread or ''}{part}{draw(st.integers(0, 2))}" for _ in range(draw(st.integers(0, 2)))]
            if part == 0:
                names += draw(st.lists(ids, max_size=1))
            receipt = Receipt(message_ids=tuple(dict.fromkeys(names)), adapter_data=draw(st.sampled_from(["", "77", "hook"])))
            return PartReceipt(
                delivery_id=delivery,
                event_seq=seq,
                part=part,
                chat=native(target),
                target=target,
                thread_id=thread,
                receipt=receipt,
                carried=draw(
                    st.sampled_from([Carried(), Carried(text=True), Carried(files=True), Carried(files=True, marks=("m",))])
                ),
                at=moment,
            )
        case 4:
            return Deferred(
                delivery_id=delivery,
                attempt=draw(st.integers(1, 9)),
                not_before=moment,
                error=draw(st.text(max_size=3)),
                at=draw(st.none() | MOMENTS),
                first_attempt_at=draw(st.none() | MOMENTS),
                behind=draw(st.booleans()),
            )
        case 5:
            return Delivered(delivery_id=delivery, at=moment, losses=draw(st.sampled_from([(), (Loss.BOLD, Loss.ITALIC)])))
        case 6:
            return Dead(delivery_id=delivery, reason=draw(st.text(max_size=3)), at=moment, held=draw(st.booleans()))
        case 7:
            members = draw(st.lists(st.sampled_from(seqs), max_size=3, unique=True))
            pieces = tuple(Piece(event_seq=member, content=draw(st.binary(max_size=2))) for member in members)
            return PiecesSet(target=target, thread_id=thread, lead_seq=seq, pieces=pieces)
        case _:
            if draw(st.booleans()):
                return PlanSet(delivery_id=delivery, content=draw(st.binary(max_size=3)))
            if draw(st.booleans()):
                return Skipped(
                    delivery_id=delivery, rule=draw(st.sampled_from([Skip.CANNOT_REACT, Skip.REACTION_WITHOUT_COPY])), at=moment
                )
            return PartGone(event_seq=seq, target=target, thread_id=thread, part=part)


class JournalMachine(RuleBasedStateMachine):
    """Deliveries and events are named by the numbers the journal gave; `record` gets some that do not exist as well."""

    implementation: Callable[[Path], Journal]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.model = Model()
        self.known_deliveries: list[int] = [1]
        self.known_seqs: list[int] = [1]
        self.told: dict[int, object] = {}
        self.last_step: dict[int, StepKind] = {}

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    @initialize()
    def open(self) -> None:
        self.journal = type(self).implementation(Path(self.folder.name))
        self.call(self.journal.open())

    def teardown(self) -> None:
        self.call(self.journal.close())
        self.call(self.loop.shutdown_default_executor())
        self.loop.close()
        path = Path(self.folder.name) / "bridge.journal"
        problems = check(path).problems if path.exists() else ()
        self.folder.cleanup()
        assert problems == (), "what is done through the contract is no damage"

    # rules

    @rule(entries=ENTRIES, cursors=CURSORS, received_at=MOMENTS)
    def accept(self, entries: list[Any], cursors: list[Cursor], received_at: Any) -> None:
        account = AccountName("origin")
        answers = self.call(self.journal.accept(self.journal.lease(account), entries, cursors, received_at=received_at))
        expected = self.model.accept(account, entries, cursors, received_at)
        self.same_answers(answers, expected)

    def same_answers(self, answers: Any, expected: Any) -> None:
        """Numbers are compared as they are: the journal gives the next ones, without gaps. A journal may leave gaps; then map."""
        assert list(answers) == list(expected)
        for answer in answers:
            if answer.verdict is Verdict.ACCEPTED:
                self.known_seqs.append(answer.event_seq)
                self.known_deliveries += answer.delivery_ids
                for following in answer.following:
                    self.known_seqs.append(following.event_seq)
                    self.known_deliveries += following.delivery_ids

    @rule(data=st.data(), count=st.integers(1, 6))
    def record(self, data: st.DataObject, count: int) -> None:
        self.record_together([self.draw_changes(data, count)])

    def draw_changes(self, data: st.DataObject, count: int) -> list[Change]:
        some = changes(tuple(self.known_deliveries[-8:]), tuple(self.known_seqs[-5:]))
        return [data.draw(some) for _ in range(count)]

    def record_together(self, calls: list[list[Change]]) -> None:
        async def together() -> list[Any]:
            lease = self.journal.lease(LANES[0].account)
            return await asyncio.gather(*(self.journal.record(lease, call) for call in calls), return_exceptions=True)

        for given, outcome in zip(calls, self.call(together()), strict=True):
            before = copy.deepcopy(self.model)
            try:
                self.model.record(given)
            except ValueError:
                self.model = before
                assert isinstance(outcome, ValueError), given
            else:
                assert outcome is None, given

    @rule(data=st.data(), sizes=st.lists(st.integers(1, 3), min_size=2, max_size=6))
    def record_in_one_group(self, data: st.DataObject, sizes: list[int]) -> None:
        self.record_together([self.draw_changes(data, size) for size in sizes])

    @rule(batches=st.lists(ENTRIES, min_size=2, max_size=5), received_at=MOMENTS)
    def accept_in_one_group(self, batches: list[list[Any]], received_at: Any) -> None:
        account = AccountName("origin")

        async def together() -> list[Any]:
            return await asyncio.gather(
                *(self.journal.accept(self.journal.lease(account), entries, [], received_at=received_at) for entries in batches)
            )

        for entries, answers in zip(batches, self.call(together()), strict=True):
            self.same_answers(answers, self.model.accept(account, entries, [], received_at))

    @rule(data=st.data(), entries=ENTRIES, received_at=MOMENTS)
    def deliver_everything(self, data: st.DataObject, entries: list[Any], received_at: Any) -> None:
        """The usual life, so that not only odd states are seen."""
        self.accept(entries, [], received_at)
        calls: list[list[Change]] = []
        for target in LANES:
            for pending in self.model.pending(target)[:3]:
                receipt = Receipt(message_ids=(f"copy-{pending.delivery_id}",))
                calls.append(
                    [
                        PartReceipt(
                            delivery_id=pending.delivery_id,
                            event_seq=pending.event_seq,
                            part=0,
                            chat=native(target),
                            target=target,
                            thread_id=pending.thread_id,
                            receipt=receipt,
                            at=received_at,
                        ),
                        Delivered(delivery_id=pending.delivery_id, at=received_at),
                    ]
                )
        self.record_together(calls)

    @rule(data=st.data())
    def retry_dead(self, data: st.DataObject) -> None:
        numbers = data.draw(st.lists(st.sampled_from(self.known_deliveries[-8:]), max_size=3))
        assert set(self.call(self.journal.retry_dead(numbers))) == self.model.retry_dead(numbers)

    @rule(data=st.data())
    def drop_dead(self, data: st.DataObject) -> None:
        numbers = data.draw(st.lists(st.sampled_from(self.known_deliveries[-8:]), max_size=3))
        assert self.call(self.journal.drop_dead(numbers, at=at(50))) == self.model.drop_dead(numbers)

    @rule(before=MOMENTS, limit=st.integers(1, 5))
    def prune(self, before: Any, limit: int) -> None:
        assert self.call(self.journal.prune(before=before, limit=limit)) == self.model.prune(before, limit)

    @rule()
    def restart(self) -> None:
        self.call(self.journal.close())
        self.open()

    # what must hold after every step

    @invariant()
    def lanes_agree(self) -> None:
        if not hasattr(self, "journal"):
            return
        assert set(self.call(self.journal.open_lanes())) == self.model.open_lanes()
        for target in LANES:
            assert list(self.call(self.journal.pending(target, 0, 1000))) == self.model.pending(target)
            assert list(self.call(self.journal.behind(target, 1000))) == self.model.behind(target)

    @invariant()
    def dead_letters_and_figures_agree(self) -> None:
        if not hasattr(self, "journal"):
            return
        assert list(self.call(self.journal.dead_letters())) == self.model.dead_letters()
        figures = self.call(self.journal.figures())
        assert (figures.events, figures.dead) == (len(self.model.events), len(self.model.dead_letters()))
        assert set(figures.lanes) == self.model.lane_figures()
        for (account, name), value in self.model.cursors.items():
            assert self.call(self.journal.cursor(account, name)) == value

    @invariant()
    def steps_never_change_and_end_as_deliveries_do(self) -> None:
        if not hasattr(self, "journal"):
            return
        answer = self.call(self.journal.steps(after=0, limit=10_000))
        assert (answer.newest, answer.not_kept) == (answer.last, 0)
        assert len(answer.steps) + answer.unknown == answer.last
        for step in answer.steps:
            about = (step.kind, step.event_seq, *(one.delivery_id for one in step.deliveries))
            assert self.told.setdefault(step.number, about) == about
            if step.kind is not StepKind.CAME:
                self.last_step[step.deliveries[0].delivery_id] = step.kind
        for number, delivery in self.model.deliveries.items():
            final = {DeliveryStatus.DELIVERED: StepKind.DELIVERED, DeliveryStatus.SKIPPED: StepKind.SKIPPED}
            last = final.get(delivery.state) or (StepKind.DEAD if delivery.state in DEADS else StepKind.WAITING)
            assert self.last_step.get(number, StepKind.WAITING) is last

    @invariant()
    def links_agree(self) -> None:
        if not hasattr(self, "journal"):
            return
        for target in LANES:
            for message in [*self.model.links, MessageRef(ORIGINS[0], "unknown")]:
                for thread in THREADS:
                    link = self.call(self.journal.link(message, target, thread))
                    assert link == self.model.link(message, target, thread), (message, thread)
        for message in [*self.model.links, MessageRef(ORIGINS[0], "unknown")]:
            assert self.call(self.journal.original(message)) == self.model.original(message), message
        for chat in [*ORIGINS, *map(native, LANES)]:
            ranks = self.model.ranks(chat)
            for limit in (2, 100):
                latest = self.call(self.journal.latest_messages(chat, limit))
                assert len(set(latest)) == len(latest)
                assert [ranks[message] for message in latest] == sorted(ranks.values(), reverse=True)[:limit]
        for seq in [*self.model.events, 10**9]:
            for target in LANES:
                for thread in THREADS[:2]:
                    merged = self.call(self.journal.merged(seq, target, thread))
                    assert merged == self.model.merged(seq, target, thread)
        for seq in self.model.events:
            for chat in ORIGINS:
                not_on = [MessageRef(chat, message) for message in IDS[:2]]
                assert list(self.call(self.journal.reactions(seq, not_on=not_on))) == self.model.reactions(seq, not_on)


@pytest.mark.parametrize("implementation", sorted(IMPLEMENTATIONS))
def test_the_journal_agrees_with_the_model(implementation: str) -> None:
    machine = type("Machine", (JournalMachine,), {"implementation": staticmethod(IMPLEMENTATIONS[implementation])})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples(30), stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

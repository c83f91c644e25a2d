"""Votes on polls: what each copy shows of them, when, and that a poll that is closed is closed everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.journal.tracing import ChangeKind
from bridge.model.adapter import Copy, Outbound, Receipt
from bridge.model.capabilities import Capabilities, PollLimits
from bridge.model.errors import ChangeRefused, MessageGone, OutcomeUnknown, PollRejected, Rejected, RetryLater
from bridge.model.events import Poll, PollOption, PollVotesChanged
from bridge.model.refs import AccountName, ChatRef, MessageRef
from bridge.policy.routing import Route
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, all_done, bridge, end, skipped_by

LUNCH = Poll(question="Lunch?", options=(PollOption(text="Soup"), PollOption(text="Rice")))
AS_TEXT = "📊 Lunch?\n▫️ Soup{}\n▫️ Rice{}"


class PollAdapter(ScriptedAdapter):
    """Posts polls, and closes its own."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.polls: dict[str, Poll] = {}
        self.closed: list[str] = []
        self.refuses_polls = False
        self.refuses_closing: Exception | None = None
        adapters[self.platform.name] = self

    @property
    def capabilities(self) -> Capabilities:
        plain = super().capabilities
        limits = PollLimits(options_least=2, options_most=3, question_length=20, option_length=10)
        return msgspec.structs.replace(plain, limits=msgspec.structs.replace(plain.limits, poll=limits))

    async def send(self, outbound: Outbound) -> Receipt:
        if outbound.poll is not None and self.refuses_polls:
            raise PollRejected("no polls here")
        receipt = await super().send(outbound)
        if outbound.poll is not None:
            self.polls[receipt.message_ids[0]] = outbound.poll
        return receipt

    async def close_poll(self, copy: Copy) -> None:
        if self.refuses_closing is not None:
            raise self.refuses_closing
        self.closed.append(copy.message_ids[0])


adapters: dict[str, PollAdapter] = {}


def vote(platform: ScriptedPlatform, message_id: str, *votes: int, closed: bool = False) -> None:
    meta = platform.meta(f"votes:{message_id}:{next(platform.ids)}", "c")
    platform.hear(PollVotesChanged(meta=meta, message_id=message_id, votes=votes, closed=closed))


def platforms(*names: str, native: Sequence[str] = ()) -> list[ScriptedPlatform]:
    return [ScriptedPlatform(name, adapter=PollAdapter if name in native else None) for name in names]


def route(*names: str, **options: Any) -> list[Route]:
    return [Route(name="r", ends=tuple(end(f"{name}/c", options={"tally_every_s": 0.0, **options}) for name in names))]


async def test_a_copy_that_is_text_shows_the_votes_of_all_chats(tmp_path: Path) -> None:
    one, two, three = platforms("one", "two", "three", native=["one", "three"])
    async with bridge(tmp_path, [one, two, three], route("one", "two", "three")) as app:
        said = one.say("", poll=LUNCH)
        await eventually(lambda: two.texts() == [AS_TEXT.format("", "")])
        await eventually(lambda: len(three.posted()) == 1)
        copy = three.posted()[0].message_id
        assert adapters["three"].polls == {copy: LUNCH}
        vote(one, said, 2, 0)
        await eventually(lambda: two.texts() == [AS_TEXT.format(" - 2", " - 0")])
        await eventually(lambda: three.texts()[1:] == ["📊 Elsewhere: Soup 2 · Rice 0"])
        assert three.posted()[1].reply_to == copy
        vote(three, copy, 1, 1)
        await eventually(lambda: two.texts() == [AS_TEXT.format(" - 3", " - 1")])
        await eventually(lambda: one.texts() == ["📊 Elsewhere: Soup 1 · Rice 1"])
        vote(one, said, 2, 1, closed=True)
        await eventually(lambda: "(closed)" in two.texts()[0])
        await eventually(lambda: adapters["three"].closed == [copy])
        await eventually(lambda: three.texts()[1:] == ["📊 Elsewhere: Soup 2 · Rice 1 (closed)"])
        one.delete(said)
        await eventually(lambda: three.texts() == [] == two.texts())
        await all_done(app)
        assert not await app._journal.dead_letters()


async def test_votes_are_known_after_a_restart(tmp_path: Path) -> None:
    one, two = platforms("one", "two", native=["one", "two"])
    async with bridge(tmp_path, [one, two], route("one", "two")) as app:
        said = one.say("", poll=LUNCH)
        await eventually(lambda: len(two.posted()) == 1)
        vote(one, said, 1, 0)
        await eventually(lambda: two.texts()[1:] == ["📊 Elsewhere: Soup 1 · Rice 0"])
        await all_done(app)
    async with bridge(tmp_path, [one, two], route("one", "two")) as app:
        vote(one, said, 1, 4)
        await eventually(lambda: two.texts()[1:] == ["📊 Elsewhere: Soup 1 · Rice 4"], "the same line")
        await all_done(app)


async def test_many_votes_are_one_change_and_the_last_is_shown(tmp_path: Path) -> None:
    one, two = platforms("one", "two", native=["one", "two"])
    changes: list[object] = []
    two.before_change = lambda operation, calls: changes.append(operation)
    async with bridge(tmp_path, [one, two], route("one", "two", tally_every_s=2.0)) as app:
        said = one.say("", poll=LUNCH)
        await eventually(lambda: len(two.posted()) == 1)
        for number in range(1, 31):
            vote(one, said, number, 0)
        await eventually(lambda: two.texts()[1:] == ["📊 Elsewhere: Soup 30 · Rice 0"], "the last count")
        await all_done(app)
        assert len(changes) <= 2
        skipped = sum(skipped_by(app).values())
        assert skipped >= 25, "those that came while another waited have nothing to do"


async def test_a_poll_that_does_not_fit_or_is_not_taken_is_text(tmp_path: Path) -> None:
    one, two = platforms("one", "two", native=["one", "two"])
    async with bridge(tmp_path, [one, two], route("one", "two")) as app:
        for poll in (
            msgspec.structs.replace(LUNCH, question="Lunch? " * 5),
            msgspec.structs.replace(LUNCH, options=(*LUNCH.options, *LUNCH.options)),
            msgspec.structs.replace(LUNCH, options=(PollOption(text="Soup of the day"), PollOption(text="Rice"))),
            msgspec.structs.replace(LUNCH, options=LUNCH.options[:1]),
            msgspec.structs.replace(LUNCH, closed=True),
        ):
            one.say("", poll=poll)
        await eventually(lambda: len(two.texts()) == 5)
        assert all("▫️" in text for text in two.texts())
        assert adapters["two"].polls == {}
        adapters["two"].refuses_polls = True
        said = one.say("", poll=LUNCH)
        await eventually(lambda: two.texts()[5:] == [AS_TEXT.format("", "")])
        vote(one, said, 0, 1)
        await eventually(lambda: two.texts()[5:] == [AS_TEXT.format(" - 0", " - 1")], "and it shows the votes like other text")
        await all_done(app)
        assert not await app._journal.dead_letters()


@pytest.mark.parametrize("fault", [ChangeRefused("not ours"), MessageGone("gone")])
async def test_a_poll_that_cannot_be_closed_ends_nothing_else(tmp_path: Path, fault: Exception) -> None:
    one, two = platforms("one", "two", native=["one", "two"])
    async with bridge(tmp_path, [one, two], route("one", "two")) as app:
        said = one.say("", poll=LUNCH)
        await eventually(lambda: len(two.posted()) == 1)
        adapters["two"].refuses_closing = fault
        vote(one, said, 1, 0, closed=True)
        one.say("later")
        await eventually(lambda: "later" in two.texts())
        await all_done(app)
        assert any(str(fault) in rule for rule in skipped_by(app))
        assert not await app._journal.dead_letters()


async def test_a_copy_that_ends_closes_nothing_elsewhere(tmp_path: Path) -> None:
    one, two, three = platforms("one", "two", "three", native=["one", "two", "three"])
    async with bridge(tmp_path, [one, two, three], route("one", "two", "three")) as app:
        one.say("", poll=LUNCH)
        await eventually(lambda: len(two.posted()) == len(three.posted()) == 1)
        vote(two, two.posted()[0].message_id, 0, 3, closed=True)
        await eventually(lambda: three.texts()[1:] == ["📊 Elsewhere: Soup 0 · Rice 3"])
        await all_done(app)
        assert adapters["three"].closed == []


async def test_faults_cost_no_vote_and_post_no_second_line(tmp_path: Path) -> None:
    one, two = platforms("one", "two", native=["one", "two"])
    async with bridge(tmp_path, [one, two], route("one", "two")) as app:
        said = one.say("", poll=LUNCH)
        await eventually(lambda: len(two.posted()) == 1)
        two.faults.append((RetryLater("busy", after_s=0.01), False))
        two.faults.append((OutcomeUnknown("no answer"), True))
        vote(one, said, 1, 0)
        await eventually(lambda: two.texts()[1:] == ["📊 Elsewhere: Soup 1 · Rice 0"])
        await all_done(app)
        two.faults.append((MessageGone("somebody deleted the line"), False))
        vote(one, said, 1, 1)
        await eventually(lambda: two.texts()[-1] == "📊 Elsewhere: Soup 1 · Rice 1", "a new line")
        await all_done(app)
        assert not await app._journal.dead_letters()


async def test_votes_are_not_shown_where_they_are_off_or_the_poll_is_unknown(tmp_path: Path) -> None:
    one, two = platforms("one", "two", native=["one", "two"])
    async with bridge(tmp_path, [one, two], route("one", "two", poll_votes=False)) as app:
        said = one.say("", poll=LUNCH)
        no_poll = one.say("words")
        await eventually(lambda: len(two.posted()) == 2)
        vote(one, said, 5, 5)
        vote(one, "one-999", 5, 5)
        one.say("later")
        await eventually(lambda: len(two.posted()) == 3)
        await all_done(app)
        assert skipped_by(app) == {"votes in polls are off": 2}
    async with bridge(tmp_path, [one, two], route("one", "two")) as app:
        vote(one, "one-999", 5, 5)
        vote(one, no_poll, 5, 5)
        await eventually(lambda: len(skipped_by(app)) == 3)
        await all_done(app)
        assert {"the poll has no copy here", "nothing is known of the poll any more"} <= skipped_by(app).keys()
        assert len(two.posted()) == 3


async def test_votes_that_came_while_the_copy_was_a_dead_letter_are_shown_once_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.retry_requests.RETRY_POLL_S", 0.05)
    one, two, three = platforms("one", "two", "three", native=["one", "two"])
    for late in (two, three):
        late.faults.append((Rejected("too ugly"), False))
    async with bridge(tmp_path, [one, two, three], route("one", "two", "three")) as app:
        said = one.say("", poll=LUNCH)
        letters = await eventually_asked(app._journal.dead_letters, holds=lambda them: len(them) == 2)
        vote(one, said, 2, 1)
        vote(one, said, 3, 1, closed=True)
        await all_done(app)
        assert two.texts() == three.texts() == []
        await app._journal.retry_dead([letter.delivery_id for letter in letters])
        await eventually(lambda: two.texts()[1:] == ["📊 Elsewhere: Soup 3 · Rice 1 (closed)"])
        assert adapters["two"].closed == [two.posted()[0].message_id]
        await eventually(lambda: "Soup - 3" in three.texts()[0] and "(closed)" in three.texts()[0])
        await all_done(app)
        (traced,) = await app._journal.trace(MessageRef(ChatRef(AccountName("one"), "c"), said))
        assert {change.change for change in traced.changes} == {ChangeKind.VOTES}
        assert not await app._journal.dead_letters()

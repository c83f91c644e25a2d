"""Intake, journal, outbox and supervisor together, over scripted platforms: what becomes of a message when things go wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bridge.accounts.state import AccountState
from bridge.journal.contract import DeliveryStatus
from bridge.journal.sqlite import SqliteJournal
from bridge.model.errors import AccountDown, ChatMoved, ConnectionLost, OutcomeUnknown, Rejected, RetryLater, Scope
from bridge.model.events import Attachment, AttachmentKind, Poll, PollOption, ReplyTo
from bridge.model.refs import AccountName, ChatAddress
from bridge.policy.routing import OnUnknown, Route
from tests.support.patience import eventually, stays
from tests.support.scripted import ScriptedPlatform, bridge, end, with_options

NOW = RetryLater("busy", after_s=0.01)


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


@pytest.fixture
def three() -> ScriptedPlatform:
    return ScriptedPlatform("three")


async def test_a_message_goes_to_every_other_end_once(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, three: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two, three]):
        one.say("hello")
        await eventually(lambda: two.texts() and three.texts())
    assert two.texts() == three.texts() == ["hello"]
    assert one.texts() == []
    assert two.posted()[0].sender == "Anna"


async def test_order_survives_faults_of_every_kind(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.extend([None, (NOW, False), None, (OutcomeUnknown("cut"), True), None, (OutcomeUnknown("cut"), False), (NOW, False)])
    async with bridge(tmp_path, [one, two]):
        for number in range(20):
            one.say(f"m{number}")
        await eventually(lambda: len(two.texts()) >= 20)
    assert two.texts() == [f"m{number}" for number in range(20)]


async def test_half_a_surrogate_pair_anywhere_neither_stops_the_stream_nor_the_message(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    broken = "An\ud83dna"
    poll = Poll(question=broken, options=(PollOption(text=broken),))
    file = Attachment(kind=AttachmentKind.DOCUMENT, file_id="1", name=f"{broken}.txt", problem="hidden")
    async with bridge(tmp_path, [one, two]):
        one.say("poll", author=broken, poll=poll)
        one.say("file", author=broken, attachments=(file,))
        one.say("end")
        await eventually(lambda: two.texts()[-1:] == ["end"])
    assert [posted.sender for posted in two.posted()] == ["An\ufffdna", "An\ufffdna", "Anna (2)"]
    assert "An\ufffdna" in two.texts()[0]
    assert "An\ufffdna.txt" in two.texts()[1]


async def test_redelivered_input_is_recognised(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two]):
        one.say("once", number=7)
        one.say("once", number=7)
        one.say("end")
        await eventually(lambda: "end" in two.texts())
    assert two.texts() == ["once", "end"]


async def test_confirmed_only_after_commit(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    """While the journal cannot write, nothing is confirmed upstream; nothing is lost once it can."""
    app = bridge(tmp_path, [one, two])
    async with app:
        await eventually(lambda: app.account_states()["one"].state is AccountState.UP)
        release = asyncio.Event()
        journal = app._journal
        commit = journal.accept

        async def slow(*arguments: Any, **more: Any) -> Any:
            await release.wait()
            return await commit(*arguments, **more)

        journal.accept = slow  # type: ignore[method-assign]
        one.say("kept")
        await stays(lambda: one.confirmed == [])
        release.set()
        await eventually(lambda: one.confirmed)
        await eventually(lambda: two.texts() == ["kept"])


async def test_unknown_outcome_without_reconciling_follows_the_route(tmp_path: Path, one: ScriptedPlatform) -> None:
    two = ScriptedPlatform("two", reconciles=False)
    two.faults.append((OutcomeUnknown("cut"), True))
    route = Route(name="all", ends=(end("one/c"), end("two/c")))
    async with bridge(tmp_path, [one, two], [with_options(route, unknown=OnUnknown.HOLD)]) as app:
        one.say("maybe")
        one.say("next")
        await eventually(lambda: "next" in two.texts())
        dead = await app._journal.dead_letters()
    assert two.texts() == ["maybe", "next"]
    assert [letter.state for letter in dead] == [DeliveryStatus.HELD]


async def test_unknown_outcome_is_resent_by_default(tmp_path: Path, one: ScriptedPlatform) -> None:
    two = ScriptedPlatform("two", reconciles=False)
    two.faults.append((OutcomeUnknown("cut"), True))
    async with bridge(tmp_path, [one, two]):
        one.say("maybe")
        await eventually(lambda: len(two.texts()) == 2)
    assert two.texts() == ["maybe", "maybe"]


async def test_refused_messages_become_dead_letters_and_can_be_retried(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.faults.append((Rejected("too ugly"), False))
    app = bridge(tmp_path, [one, two])
    async with app:
        one.say("ugly")
        one.say("fair")
        await eventually(lambda: two.texts() == ["fair"])
        letters = await app._journal.dead_letters()
        assert len(letters) == 1
        assert "too ugly" in letters[0].reason
        beside = SqliteJournal(tmp_path / "bridge.journal", exclusive=False)
        await beside.open()
        try:
            await beside.retry_dead([letters[0].delivery_id])
        finally:
            await beside.close()
        await eventually(lambda: two.texts() == ["fair", "ugly"])


async def test_a_dead_account_delays_only_itself_and_heals(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, three: ScriptedPlatform
) -> None:
    two.run_errors.extend([AccountDown("wrong token", action="make a new one")] * 5)
    app = bridge(tmp_path, [one, two, three])
    async with app:
        one.say("hello")
        await eventually(lambda: three.texts() == ["hello"])
        await eventually(lambda: two.texts() == ["hello"])
        assert app.account_states()["two"].state is AccountState.UP


async def test_health_says_what_to_do(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.run_errors.extend([AccountDown("wrong token", action="make a new one")] * 10_000)
    app = bridge(tmp_path, [one, two])
    async with app:
        await eventually(lambda: app.account_states()["two"].state is AccountState.PARKED)
        report = await app.report()
    assert report["ok"] is False
    assert report["accounts"]["two"]["action"] == "make a new one"


async def test_a_send_that_finds_the_account_down_parks_it(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append((AccountDown("revoked", action="install the app again"), False))
    async with bridge(tmp_path, [one, two]):
        one.say("late but sure")
        await eventually(lambda: two.texts() == ["late but sure"])


async def test_reconnects_after_a_lost_connection(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    one.run_errors.extend([ConnectionLost("gone"), OSError("refused"), RuntimeError("a bug")])
    async with bridge(tmp_path, [one, two]):
        one.say("a")
        one.hear()
        one.say("b")
        await eventually(lambda: two.texts() == ["a", "b"])


async def test_an_account_wide_wait_holds_all_lanes_of_the_account_only(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, three: ScriptedPlatform
) -> None:
    two.faults.append((RetryLater("flood", after_s=0.4, scope=Scope.ACCOUNT, rate_limited=True), False))
    routes = [
        Route(name="a", ends=(end("one/c"), end("two/c"), end("three/c"))),
        Route(name="b", ends=(end("one/d"), end("two/d"))),
    ]
    async with bridge(tmp_path, [one, two, three], routes):
        one.say("first")
        await eventually(lambda: two.sends == 1)
        one.say("second", chat="d")
        await eventually(lambda: three.texts() == ["first"])
        assert two.texts("d") == []
        await eventually(lambda: two.texts() == ["first"] and two.texts("d") == ["second"])


async def test_one_hanging_target_does_not_hold_up_another(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, three: ScriptedPlatform
) -> None:
    two.hang = asyncio.Event()
    async with bridge(tmp_path, [one, two, three]):
        for number in range(50):
            one.say(f"m{number}")
        await eventually(lambda: len(three.texts()) == 50)
        assert two.texts() == []
        two.hang.set()
        await eventually(lambda: len(two.texts()) == 50)
    assert two.texts() == three.texts()


async def test_a_moved_chat_is_followed(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append((ChatMoved("now a supergroup", new_chat_id="c2"), False))
    async with bridge(tmp_path, [one, two]):
        one.say("follow")
        await eventually(lambda: two.texts("c2") == ["follow"])
        two.say("back", chat="c2")
        await eventually(lambda: one.texts() == ["back"])
    async with bridge(tmp_path, [one, two]):
        one.say("still")
        await eventually(lambda: two.texts("c2") == ["follow", "still"])


async def test_backlog_of_a_stopped_bridge_is_delivered_after_the_restart(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.hang = asyncio.Event()
    app = bridge(tmp_path, [one, two])
    await app.start()
    for number in range(300):
        one.say(f"m{number}")
    await eventually(lambda: len(one.confirmed) == 300)
    assert await app.stop(drain_s=0.05) == 1
    two.hang = None
    async with bridge(tmp_path, [one, two]):
        await eventually(lambda: len(two.texts()) >= 300)
    assert two.texts() == [f"m{number}" for number in range(300)]


async def test_edits_replies_reactions_and_deletes_find_their_copies_after_a_restart(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, three: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two, three]):
        said = one.say("original")
        await eventually(lambda: two.texts() and three.texts())
    copy = two.posted()[0].message_id
    async with bridge(tmp_path, [one, two, three]):
        one.edit(said, "changed")
        await eventually(lambda: two.texts() == three.texts() == ["changed"])
        two.say("answer", reply_to=ReplyTo(message_id=copy))
        await eventually(lambda: len(three.texts()) == 2 and len(one.texts()) == 1)
        assert one.posted()[0].reply_to == said
        assert three.posted()[1].reply_to == three.posted()[0].message_id
        one.delete(said)
        await eventually(lambda: two.texts() == [] and three.texts() == ["answer"])


async def test_a_long_message_resumes_at_the_part_without_receipt(tmp_path: Path, one: ScriptedPlatform) -> None:
    two = ScriptedPlatform("two", text_length=100)
    words = " ".join(f"word{number}" for number in range(100))
    two.faults.extend([None, None, (Rejected("not this part"), False)])
    app = bridge(tmp_path, [one, two])
    async with app:
        one.say(words)
        await eventually(lambda: two.sends == 3)
        await eventually(lambda: not app._outbox._lanes)  # type: ignore[union-attr]
        letters = await app._journal.dead_letters()
        assert letters[0].parts_sent == 2
        await app._journal.retry_dead([letters[0].delivery_id])
        await eventually(lambda: " ".join(two.texts()).split() == words.split())


async def test_edit_that_grows_and_shrinks(tmp_path: Path, one: ScriptedPlatform) -> None:
    two = ScriptedPlatform("two", text_length=100)
    async with bridge(tmp_path, [one, two]):
        said = one.say("short")
        await eventually(lambda: two.texts() == ["short"])
        longer = " ".join(f"word{number}" for number in range(40))
        one.edit(said, longer)
        await eventually(lambda: " ".join(two.texts()).split() == longer.split())
        assert len(two.texts()) > 2
        one.edit(said, "short again")
        await eventually(lambda: two.texts() == ["short again"])


async def test_files_are_fetched_once_for_all_targets(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, three: ScriptedPlatform
) -> None:
    one.files["f"] = bytes(range(256)) * 100
    photo = Attachment(kind=AttachmentKind.PHOTO, file_id="f", name="cat.png", size_bytes=25600)
    async with bridge(tmp_path, [one, two, three]):
        one.say("look", attachments=(photo,))
        await eventually(lambda: two.posted() and three.posted())
        assert two.posted()[0].files == three.posted()[0].files == (one.files["f"],)
        assert one.fetched == ["f"]
        await eventually(lambda: not any((tmp_path / "bridge.spool").iterdir()))


async def test_a_truncated_download_is_never_relayed_as_if_whole(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    one.files["f"] = b"x" * 5000
    photo = Attachment(kind=AttachmentKind.PHOTO, file_id="f", name="cat.png", size_bytes=9000)
    async with bridge(tmp_path, [one, two]):
        one.say("look", attachments=(photo,))
        await eventually(lambda: len(one.fetched) >= 2)
        assert two.posted() == []
        one.files["f"] = b"x" * 9000
        await eventually(lambda: two.posted())
    assert two.posted()[0].files == (b"x" * 9000,)


async def test_a_file_that_is_too_large_becomes_a_visible_line(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    video = Attachment(kind=AttachmentKind.VIDEO, file_id="f", name="film.mp4", size_bytes=2_000_000)
    async with bridge(tmp_path, [one, two]):
        one.say("", attachments=(video,))
        await eventually(lambda: two.texts())
    assert "film.mp4" in two.texts()[0]
    assert "2" in two.texts()[0]
    assert "MB" in two.texts()[0]


async def test_a_bug_in_an_adapter_ends_as_a_dead_letter_and_the_lane_goes_on(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.faults.extend([(KeyError("a bug"), False)] * 5)
    app = bridge(tmp_path, [one, two])
    async with app:
        one.say("poison")
        one.say("fine")
        await eventually(lambda: two.texts() == ["fine"])
        letters = await app._journal.dead_letters()
    assert "KeyError" in letters[0].reason


async def test_skips_have_a_rule(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    app = bridge(tmp_path, [one, two])
    async with app:
        one.edit("never seen", "x")
        one.say("end")
        await eventually(lambda: two.texts() == ["end"])
    rules = app.metrics.expose()[0].decode()
    assert 'outcome="skipped' in rules


async def test_what_a_cancelled_adapter_had_accepted_is_delivered_without_a_restart(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    app = bridge(tmp_path, [one, two])
    async with app:
        await eventually(lambda: app.account_states()["one"].state is AccountState.UP)
        begun, release = asyncio.Event(), asyncio.Event()
        commit = app._journal.accept

        async def slow(*arguments: Any, **more: Any) -> Any:
            begun.set()
            await release.wait()
            return await commit(*arguments, **more)

        app._journal.accept = slow  # type: ignore[method-assign]
        one.say("cut off")
        await begun.wait()
        app._supervisors[AccountName("one")].report_down(AccountDown("revoked meanwhile", action="nothing"))
        release.set()
        await eventually(lambda: two.texts() == ["cut off"])


async def test_a_backlog_alone_is_nothing_under_way(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    there = ChatAddress(AccountName("two"), "c")
    two.hang = asyncio.Event()
    async with bridge(tmp_path, [one, two]) as app:
        outbox = app._outbox
        assert outbox is not None
        assert not outbox.is_busy(there)
        one.say("first")
        await eventually(lambda: outbox.is_busy(there))
        two.faults.append((RetryLater("flood", after_s=3600), False))
        two.hang.set()
        await eventually(lambda: two.sends == 1)
        one.say("second")
        await eventually(lambda: outbox.active_lanes == 1 and not outbox.is_busy(there))

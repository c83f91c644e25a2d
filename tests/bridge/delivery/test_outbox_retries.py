"""Dead letters that an admin has sent again: as they are by now, beside what the chat says meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.app import App
from bridge.journal.contract import DeliveryStatus
from bridge.model.errors import OutcomeUnknown, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName, ChatAddress
from bridge.policy.routing import OnUnknown, Route
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import ScriptedPlatform, all_done, bridge, end, skipped_by, with_options

REFUSED = (Rejected("too ugly"), False)


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what the command line wished."""
    monkeypatch.setattr("bridge.delivery.retry_requests.RETRY_POLL_S", 0.05)


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


async def died(app: App, count: int = 1) -> list[int]:
    """The numbers of so many dead letters, once they are there and all else is done."""
    await all_done(app)
    letters = [letter.delivery_id for letter in await app._journal.dead_letters()]
    assert len(letters) == count
    return letters


async def test_what_was_deleted_since_is_not_posted(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two]) as app:
        secret = one.say("secret posted by mistake")
        one.say("next")
        one.delete(secret)
        await eventually(lambda: len(one.confirmed) == 3)
        await app._journal.retry_dead(await died(app))
        await all_done(app)
        assert two.texts() == ["next"]
        assert not await app._journal.dead_letters()
        assert skipped_by(app)[str(Skip.DELETED_BEFORE)] == 1


async def test_what_was_edited_since_is_posted_as_it_is_now(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two]) as app:
        meeting = one.say("meet at 5")
        one.edit(meeting, "meet at 6")
        one.edit(meeting, "meet at 7")
        one.say("next")
        await eventually(lambda: len(one.confirmed) == 4)
        await app._journal.retry_dead(await died(app))
        await all_done(app)
        assert two.texts() == ["next", "meet at 7"]
        one.edit(meeting, "meet at 8")
        await eventually(lambda: two.texts() == ["next", "meet at 8"])


async def test_what_was_edited_and_then_deleted_is_not_posted(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two]) as app:
        meeting = one.say("meet at 5")
        one.edit(meeting, "meet at 6")
        one.delete(meeting)
        one.say("next")
        await eventually(lambda: len(one.confirmed) == 4)
        await app._journal.retry_dead(await died(app))
        await all_done(app)
        assert two.texts() == ["next"]


async def test_what_changes_while_the_retry_waits_counts_too(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two]) as app:
        gone, meeting = one.say("gone"), one.say("meet at 5")
        two.faults.append(REFUSED)
        letters = await eventually_died(app, 2)
        two.hang = asyncio.Event()
        one.say("in front")
        await eventually(lambda: two.sends == 3)
        await app._journal.retry_dead(letters)
        one.delete(gone)
        one.edit(meeting, "meet at 6")
        await eventually(lambda: len(one.confirmed) == 5)
        two.hang.set()
        await all_done(app)
        assert two.texts() == ["in front", "meet at 6"]


async def eventually_died(app: App, count: int) -> list[int]:
    await eventually_asked(app._journal.dead_letters, holds=lambda them: len(them) >= count)
    return await died(app, count)


async def test_an_edit_that_died_does_not_undo_a_later_one(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        meeting = one.say("meet at 5")
        await eventually(lambda: two.texts() == ["meet at 5"])
        two.faults.append(REFUSED)
        one.edit(meeting, "meet at 6", attachments_known=False)
        letters = await eventually_died(app, 1)
        one.edit(meeting, "meet at 7")
        await eventually(lambda: two.texts() == ["meet at 7"])
        await app._journal.retry_dead(letters)
        await all_done(app)
        assert two.texts() == ["meet at 7"]
        assert skipped_by(app)[str(Skip.SUPERSEDED)] == 1


async def test_a_deletion_that_died_deletes_when_it_is_retried(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        secret = one.say("secret")
        await eventually(lambda: two.texts() == ["secret"])
        two.faults.append(REFUSED)
        one.delete(secret)
        await app._journal.retry_dead(await eventually_died(app, 1))
        await eventually(lambda: two.texts() == [])
        await all_done(app)


async def test_what_was_posted_in_part_and_then_deleted_stays_away(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.text_length = 40
    words = " ".join(f"w{number}" for number in range(30))
    two.faults.extend([None, REFUSED])
    async with bridge(tmp_path, [one, two]) as app:
        long = one.say(words)
        letters = await eventually_died(app, 1)
        assert len(two.texts()) == 1
        one.delete(long)
        await eventually(lambda: two.texts() == [])
        await app._journal.retry_dead(letters)
        await all_done(app)
        assert two.texts() == []


async def test_what_was_posted_in_part_goes_on_where_it_stopped(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.text_length = 40
    words = " ".join(f"w{number}" for number in range(30))
    two.faults.extend([None, REFUSED])
    async with bridge(tmp_path, [one, two]) as app:
        one.say(words)
        await app._journal.retry_dead(await eventually_died(app, 1))
        await all_done(app)
    assert " ".join(two.texts()).split() == words.split()


async def test_a_retried_letter_reaches_a_chat_that_is_never_quiet(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    """And the others keep their order."""
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two]) as app:
        one.say("dead")
        letters = await eventually_died(app, 1)
        number = 0

        def talks(_: object) -> None:
            """Whenever one is sent, two more wait."""
            nonlocal number
            for _ in range(2):
                number += 1
                one.say(f"m{number}")

        two.before_send = talks
        talks(None)
        await eventually(lambda: len(two.texts()) > 10)
        await app._journal.retry_dead(letters)
        before = len(two.texts())
        await eventually(lambda: "dead" in two.texts(), what=f"{before} before")
        two.before_send = None
        await eventually(lambda: f"m{number}" in two.texts())
        await all_done(app)
    texts = [text for text in two.texts() if text != "dead"]
    assert texts == [f"m{count + 1}" for count in range(number)]
    assert two.texts().count("dead") == 1


async def test_a_retried_letter_that_must_wait_holds_up_nobody(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two]) as app:
        one.say("dead")
        letters = await eventually_died(app, 1)
        two.faults.append((RetryLater("not now", after_s=3600.0), False))
        await app._journal.retry_dead(letters)
        await eventually(lambda: two.sends == 2)
        one.say("m1")
        await eventually(lambda: two.texts() == ["m1"])
        lane = ChatAddress(AccountName("two"), "c")
        await app._journal.hurry(AccountName("two"), [lane], [], everything=False, at=app._clock.now())
        await eventually(lambda: two.texts() == ["m1", "dead"])


async def test_a_letter_that_is_refused_again_is_dead_again(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.extend([REFUSED, REFUSED])
    async with bridge(tmp_path, [one, two]) as app:
        one.say("dead")
        letters = await eventually_died(app, 1)
        await app._journal.retry_dead(letters)
        await eventually(lambda: two.sends == 2)
        assert await died(app) == letters


async def test_a_retry_that_the_process_does_not_live_to_see(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two]) as app:
        one.say("dead")
        await eventually_died(app, 1)
    beside = bridge(tmp_path, [one, two])._journal
    await beside.open()
    await beside.retry_dead([letter.delivery_id for letter in await beside.dead_letters()])
    await beside.close()
    async with bridge(tmp_path, [one, two]) as app:
        one.say("m1")
        await eventually(lambda: sorted(two.texts()) == ["dead", "m1"])
        await all_done(app)


async def test_a_held_message_is_sent_when_a_human_says_so(tmp_path: Path, one: ScriptedPlatform) -> None:
    two = ScriptedPlatform("two", reconciles=False)
    two.faults.append((OutcomeUnknown("cut"), False))
    route = with_options(Route(name="all", ends=(end("one/c"), end("two/c"))), unknown=OnUnknown.HOLD)
    async with bridge(tmp_path, [one, two], [route]) as app:
        one.say("maybe")
        letters = await eventually_died(app, 1)
        assert [letter.state for letter in await app._journal.dead_letters()] == [DeliveryStatus.HELD]
        await app._journal.retry_dead(letters)
        await eventually(lambda: two.texts() == ["maybe"])
        await all_done(app)


async def test_a_retried_letter_with_a_file_and_an_answer(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    one.files["plan"] = b"x" * 10
    two.faults.append(REFUSED)
    file = Attachment(kind=AttachmentKind.DOCUMENT, file_id="plan", name="plan.pdf", size_bytes=10)
    async with bridge(tmp_path, [one, two]) as app:
        one.say("the plan", attachments=(file,))
        await app._journal.retry_dead(await eventually_died(app, 1))
        await eventually(lambda: [(post.text, post.files) for post in two.posted()] == [("the plan", (b"x" * 10,))])
        await all_done(app)

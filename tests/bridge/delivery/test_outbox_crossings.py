"""Late files, retries and edits of the same message, crossing each other and the process's death."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.app import App
from bridge.model.errors import OutcomeUnknown, Rejected, RetryLater
from bridge.policy.routing import OnUnknown, Route
from tests.bridge.delivery.test_outbox_files_apart import Broken, files, refuse
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, all_done, bridge, end, with_options

REFUSED = (Rejected("too ugly"), False)


@pytest.fixture
def one() -> ScriptedPlatform:
    platform = ScriptedPlatform("one")
    platform.files.update(a=b"a" * 10, b=b"b" * 10)
    return platform


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.delivery.file_patience._FILE_WAIT_S", 0.1)
    monkeypatch.setattr("bridge.delivery.retry_requests.RETRY_POLL_S", 0.05)


def holding(platform: ScriptedPlatform, content: bytes) -> int:
    return sum(content in post.files for post in platform.posted())


async def died(app: App, count: int = 1) -> list[int]:
    letters = await eventually_asked(app._journal.dead_letters, holds=lambda them: len(them) >= count)
    return [letter.delivery_id for letter in letters]


# -- a late file, and an edit -----------------------------------------------------------------------------------------------


async def test_a_late_file_that_an_edit_brought_is_posted_once(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is there again when the edit comes: the edit finds it missing among the copies, and so does its message."""
    broken = Broken(monkeypatch, lambda: RetryLater("not now", after_s=1.0), "a")
    async with bridge(tmp_path, [one, two]) as app:
        message = one.say("words", attachments=files("a"))
        await eventually(lambda: two.posted())
        broken.is_broken = False
        one.edit(message, "other words", attachments=files("a"))
        await eventually(lambda: holding(two, b"a" * 10))
        await all_done(app)
        assert holding(two, b"a" * 10) == 1
        one.delete(message)
        await all_done(app)
        await eventually(lambda: not two.posted())


async def test_a_late_file_leaves_what_an_edit_posted_meanwhile_in_its_place(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(monkeypatch, lambda: RetryLater("not now", after_s=0.2), "a")
    async with bridge(tmp_path, [one, two]) as app:
        message = one.say("words", attachments=files("a"))
        await eventually(lambda: two.posted())
        one.edit(message, "other words", attachments=files("a", "b"))
        await eventually(lambda: holding(two, b"b" * 10))
        broken.is_broken = False
        await eventually(lambda: holding(two, b"a" * 10))
        await all_done(app)
        assert (holding(two, b"a" * 10), holding(two, b"b" * 10)) == (1, 1)
        one.delete(message)
        one.say("end")
        await eventually(lambda: two.texts() == ["end"])


async def test_a_late_file_of_an_edit_survives_an_edit_of_the_words_alone(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(monkeypatch, lambda: RetryLater("not now", after_s=0.2), "a")
    async with bridge(tmp_path, [one, two]) as app:
        message = one.say("words")
        await eventually(lambda: two.texts() == ["words"])
        one.edit(message, "second words", attachments=files("a"))
        one.edit(message, "third words", attachments_known=False)
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        broken.is_broken = False
        await eventually(lambda: holding(two, b"a" * 10))
        await all_done(app)
        assert holding(two, b"a" * 10) == 1
        assert two.texts()[0] == "third words"


async def test_a_retried_letter_has_the_files_of_the_edit_before_the_last(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two]) as app:
        message = one.say("words", attachments=files("a"))
        letters = await died(app)
        one.edit(message, "second words", attachments=files("b"))
        one.edit(message, "third words", attachments_known=False)
        one.say("end")
        await eventually(lambda: two.texts() == ["end"])
        await app._journal.retry_dead(letters)
        await all_done(app)
        await eventually(lambda: len(two.posted()) == 2)
        assert (two.texts()[1], two.posted()[1].files) == ("third words", (b"b" * 10,))


# -- merged -----------------------------------------------------------------------------------------------------------------


async def test_held_messages_of_a_merged_one_are_one_again_when_retried(tmp_path: Path, one: ScriptedPlatform) -> None:
    two = ScriptedPlatform("two", reconciles=False)
    route = with_options(Route(name="all", ends=(end("one/c"), end("two/c"))), unknown=OnUnknown.HOLD)
    two.faults.extend([(RetryLater("slow down", after_s=0.3, rate_limited=True), False), (OutcomeUnknown("cut"), False)])
    async with bridge(tmp_path, [one, two], [route]) as app:
        ids = [one.say(text) for text in ("m1", "m2", "m3")]
        letters = await died(app, 3)
        await app._journal.retry_dead(letters)
        await eventually(lambda: two.texts() == ["m1\nm2\nm3"])
        await all_done(app)
        one.edit(ids[1], "M2")
        await eventually(lambda: "M2" in " ".join(two.texts()))
        await all_done(app)
        assert two.texts() == ["m1\nM2\nm3"]
        one.delete(ids[0])
        await eventually(lambda: two.texts() == ["M2\nm3"])


# -- death ------------------------------------------------------------------------------------------------------------------


async def test_a_late_file_whose_answer_never_came_is_asked_for_whatever_else_fails(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It arrived when the process died; after the restart it cannot be fetched for a while."""
    broken = Broken(monkeypatch, lambda: RetryLater("not now", after_s=0.2), "a")
    async with bridge(tmp_path, [one, two]) as app:
        one.say("words", attachments=files("a"))
        await eventually(lambda: two.posted())
        two.faults.extend([(OutcomeUnknown("cut"), True), *[(OutcomeUnknown("cut"), False)] * 100])
        monkeypatch.setattr(ScriptedAdapter, "reconcile", _cut)
        broken.is_broken = False
        await eventually(lambda: holding(two, b"a" * 10))
        await app.stop(drain_s=0)
    monkeypatch.undo()
    monkeypatch.setattr("bridge.delivery.file_patience._FILE_WAIT_S", 0.1)
    two.faults.clear()
    broken = Broken(monkeypatch, lambda: RetryLater("not now", after_s=0.2), "a")
    async with bridge(tmp_path, [one, two]) as app:
        await eventually(lambda: broken.asked)
        broken.is_broken = False
        await all_done(app)
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        assert holding(two, b"a" * 10) == 1


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_message_of_unknown_outcome_whose_file_is_away_then(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    """It may be there with its file: what is asked for is the message as it was tried."""
    two.faults.extend([(OutcomeUnknown("cut"), arrived), *[(OutcomeUnknown("cut"), False)] * 100])
    async with bridge(tmp_path, [one, two]) as app:
        monkeypatch.setattr(ScriptedAdapter, "reconcile", _cut)
        one.say("words", attachments=files("a"))
        await eventually(lambda: two.sends)
        await app.stop(drain_s=0)
    monkeypatch.undo()
    monkeypatch.setattr("bridge.delivery.file_patience._FILE_WAIT_S", 0.1)
    two.faults.clear()
    broken = Broken(monkeypatch, lambda: RetryLater("not now", after_s=0.2), "a")
    async with bridge(tmp_path, [one, two]) as app:
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        assert two.texts()[0].startswith("words")
        broken.is_broken = False
        await eventually(lambda: holding(two, b"a" * 10))
        await all_done(app)
        assert holding(two, b"a" * 10) == 1
        assert len(two.posted()) == (2 if arrived else 3)


async def _cut(*_: object) -> None:
    raise RetryLater("cannot be asked now")


async def test_a_retried_letter_of_several_parts_that_an_edit_completed(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    """The process dies while it is edited once more: the old words stay away."""
    two.text_length = 40
    words, other = " ".join(f"w{number}" for number in range(30)), " ".join(f"x{number}" for number in range(30))
    two.faults.extend([None, REFUSED])
    async with bridge(tmp_path, [one, two]) as app:
        message = one.say(words)
        letters = await died(app)
        one.edit(message, other)
        await all_done(app)
        await eventually(lambda: " ".join(two.texts()).split() == other.split())
        two.hang = asyncio.Event()
        sends = two.sends
        await app._journal.retry_dead(letters)
        await eventually(lambda: two.sends > sends)
        await app.stop(drain_s=0)
    two.hang = None
    async with bridge(tmp_path, [one, two]) as app:
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        await all_done(app)
        assert " ".join(two.texts()).split() == [*other.split(), "end"]


async def test_a_refused_file_and_a_death_right_after_its_words(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit has to know that the copy is words, not a caption."""
    refuse(two, b"a" * 10)
    two.faults.extend([(OutcomeUnknown("cut"), True)])
    async with bridge(tmp_path, [one, two]) as app:
        monkeypatch.setattr(ScriptedAdapter, "reconcile", _cut)
        message = one.say("words", attachments=files("a"))
        await eventually(lambda: two.posted())
        await app.stop(drain_s=0)
    monkeypatch.undo()
    edits: list[bool] = []
    real = ScriptedAdapter.edit

    async def edit(adapter: ScriptedAdapter, outbound):  # type: ignore[no-untyped-def]
        edits.append(outbound.has_files)
        return await real(adapter, outbound)

    monkeypatch.setattr(ScriptedAdapter, "edit", edit)
    async with bridge(tmp_path, [one, two]) as app:
        await all_done(app)
        assert len(two.posted()) == 1
        one.edit(message, "other words", attachments_known=False)
        await eventually(lambda: edits)
        assert edits == [False]


async def test_an_edit_that_the_process_died_over_does_not_undo_a_later_one(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one waited for its file while the second was carried out."""
    broken = Broken(monkeypatch, lambda: RetryLater("not now", after_s=0.2), "a")
    async with bridge(tmp_path, [one, two]) as app:
        message = one.say("words")
        await eventually(lambda: two.texts() == ["words"])
        one.edit(message, "second words", attachments=files("a"))
        one.edit(message, "third words", attachments_known=False)
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        two.hang, sends = asyncio.Event(), two.sends
        broken.is_broken = False
        await eventually(lambda: two.sends > sends)
        await app.stop(drain_s=0)
    two.hang = None
    async with bridge(tmp_path, [one, two]) as app:
        await eventually(lambda: holding(two, b"a" * 10))
        await all_done(app)
        assert two.texts()[0] == "third words"
        assert holding(two, b"a" * 10) == 1

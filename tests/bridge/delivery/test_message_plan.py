"""A message of several parts that was begun goes on as it was begun, whatever has changed since."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bridge.accounts.state import AccountState
from bridge.delivery.message_plan import Plan, PlannedPart, decode_plan, encode_plan
from bridge.model.errors import ChatMoved, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind, ReplyTo
from bridge.model.refs import AccountName
from bridge.model.rich_text import plain
from bridge.policy.routing import Route
from tests.support.patience import eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, bridge, end

WORDS = [f"word{number}" for number in range(40)]
BUSY = RetryLater("busy", after_s=0.2)


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    platform = ScriptedPlatform("two")
    platform.text_length = 60
    return platform


def routes(**options: Any) -> list[Route]:
    return [Route(name="all", ends=(end("one/c"), end("two/c", options=options)))]


async def begun(folder: Path, one: ScriptedPlatform, two: ScriptedPlatform, **content: Any) -> None:
    """The process stopped after the first part."""
    two.faults.extend([None, *[(BUSY, False)] * 100])
    async with bridge(folder, [one, two], routes()) as app:
        one.say(" ".join(WORDS), **content)
        await eventually(lambda: two.sends >= 3)
        await app.stop(drain_s=0)
    assert len(two.posted()) == 1
    two.faults.clear()


def each_word_once(two: ScriptedPlatform) -> bool:
    return " ".join(two.texts()).split() == WORDS


async def test_a_shorter_limit_after_the_restart_loses_and_doubles_nothing(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    """Rendered anew, the text would be cut at other places."""
    await begun(tmp_path, one, two)
    two.text_length = 200
    async with bridge(tmp_path, [one, two], routes()):
        await eventually(lambda: "word39" in " ".join(two.texts()))
    assert each_word_once(two)


async def test_a_file_that_is_gone_after_the_restart_is_a_line(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.files["f"] = b"x" * 10
    file = Attachment(kind=AttachmentKind.DOCUMENT, file_id="f", name="plan.pdf", size_bytes=10)
    await begun(tmp_path, one, two, attachments=(file,))

    def gone(adapter: ScriptedAdapter, attachment: Attachment) -> Any:
        raise Rejected("the file is no longer there")

    monkeypatch.setattr(ScriptedAdapter, "open_file", gone)
    async with bridge(tmp_path, [one, two], routes()):
        await eventually(lambda: any("plan.pdf" in text for text in two.texts()))
    everything = " ".join(two.texts())
    assert [everything.count(f"{word} ") + everything.endswith(word) for word in WORDS[:-1]] == [1] * 39
    assert everything.count("plan.pdf") == 1


async def test_files_switched_off_by_a_reload_in_between(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    one.files["f"] = b"x" * 10
    file = Attachment(kind=AttachmentKind.DOCUMENT, file_id="f", name="plan.pdf", size_bytes=10)
    await begun(tmp_path, one, two, attachments=(file,))
    async with bridge(tmp_path, [one, two], routes(files=False)):
        await eventually(lambda: any("plan.pdf" in text for text in two.texts()))
    assert not any(post.files for post in two.posted())


async def test_the_plan_leaves_the_journal_with_its_delivery(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    import sqlite3

    await begun(tmp_path, one, two)
    async with bridge(tmp_path, [one, two], routes()):
        await eventually(lambda: "word39" in " ".join(two.texts()))
    connection = sqlite3.connect(tmp_path / "bridge.journal")
    assert connection.execute("SELECT count(*) FROM plan").fetchone() == (0,)
    connection.close()


def test_a_plan_that_cannot_be_read_is_none() -> None:
    plan = Plan(parts=(PlannedPart(text=plain("x"), files=(0, 2)), PlannedPart(files=(1,), late=True)))
    assert decode_plan(encode_plan(plan)) == plan
    for harmed in (b"", b"{", b"[]", b'{"parts": 5}', b"\xff"):
        assert decode_plan(harmed) is None


@pytest.mark.parametrize("told_by", ["send", "send to an earlier version's plan", "platform"])
async def test_a_chat_that_moves_under_a_stored_plan_is_answered_by_no_old_id(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, told_by: str
) -> None:
    """The plan was stored with an attempt of which nothing arrived. In the new chat that number may be another message's."""
    async with bridge(tmp_path, [one, two], routes()) as app:
        first = one.say("first")
        await eventually(lambda: two.texts() == ["first"])
        two.faults.extend([(BUSY, False)] * 100)
        one.say(" ".join(WORDS), reply_to=ReplyTo(message_id=first, excerpt="first"))
        await eventually(lambda: two.sends >= 3)
        await app.stop(drain_s=0)
    two.faults.clear()
    if "earlier" in told_by:
        with sqlite3.connect(tmp_path / "bridge.journal") as connection:
            assert connection.execute("UPDATE plan SET content = CAST(json_remove(content, '$.chat_id') AS BLOB)").rowcount == 1
        connection.close()
    if told_by.startswith("send"):
        two.faults.append((ChatMoved("now a supergroup", new_chat_id="c2"), False))
    else:
        two.hang = asyncio.Event()
        two.faults.append((BUSY, False))
    async with bridge(tmp_path, [one, two], routes()) as app:
        if two.hang is not None:
            await eventually(lambda: app.account_states()["two"].state is AccountState.UP)
            await app._supervisors[AccountName("two")].chat_moved("c", "c2")
            two.hang.set()
        await eventually(lambda: "word39" in " ".join(two.texts("c2")))
    assert [post.reply_to for post in two.posted("c2")] == [""] * len(two.posted("c2"))
    assert "first" in two.texts("c2")[0]
    everything = " ".join(two.texts("c2"))
    assert [word for word in everything.split() if word.startswith("word")] == WORDS

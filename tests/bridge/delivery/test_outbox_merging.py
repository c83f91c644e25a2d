"""Texts that had to wait go out as one message; each original stays its own: edited, deleted, answered, found after a crash."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.journal.contract import DeliveryStatus
from bridge.journal.sqlite import SqliteJournal
from bridge.model.adapter import Outbound
from bridge.model.capabilities import Rates, Window
from bridge.model.errors import AccountDown, OutcomeUnknown, Rejected, RetryLater, Scope
from bridge.model.events import Attachment, AttachmentKind, ReactionsChanged, ReplyTo
from bridge.model.refs import AccountName
from bridge.model.rich_text import EMPTY, plain, text_of
from bridge.policy.echo import Tokens
from bridge.policy.routing import OnUnknown, Pace, RelayOptions, Route
from bridge.render.attachments import Target
from bridge.render.merge import MAX_MERGED, MergedPiece, decode_piece, encode_piece, merged_part, with_edit
from bridge.render.message import TextParts
from tests.support.deliveries import readable
from tests.support.patience import eventually, stays
from tests.support.scripted import ScriptedPlatform, bridge, end, with_options

SLOW = Rates(per_chat=(Window(messages=1, span_s=0.3),))
LIMITED = RetryLater("slow down", after_s=0.2, rate_limited=True)
ALL = Route(name="all", ends=(end("one/c"), end("two/c")))


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two", rates=SLOW)


async def say_all(one: ScriptedPlatform, two: ScriptedPlatform, *texts: str) -> list[str]:
    """The first goes out alone; the others pile up behind it and are one message."""
    ids = [one.say("first")]
    await eventually(lambda: two.texts() == ["first"])
    ids += [one.say(text) for text in texts]
    await eventually(lambda: len(two.texts()) == 2, what=str(two.texts()))
    assert two.texts()[1] == "\n".join(texts)
    return ids


async def test_what_is_held_back_is_one_message_and_nothing_is_lost(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]):
        for number in range(100):
            one.say(f"m{number}")
        await eventually(lambda: "\n".join(two.texts()).count("m") == 100)
    assert "\n".join(two.texts()).split("\n") == [f"m{number}" for number in range(100)]
    assert 3 < len(two.texts()) < 10
    assert max(text.count("\n") + 1 for text in two.texts()) <= MAX_MERGED


async def test_without_a_limit_nothing_is_merged(tmp_path: Path, one: ScriptedPlatform) -> None:
    free = ScriptedPlatform("two")
    async with bridge(tmp_path, [one, free]):
        for number in range(30):
            one.say(f"m{number}")
        await eventually(lambda: len(free.texts()) == 30)


@pytest.mark.parametrize("options", [{"merge": False}, {"pace": Pace.FAST}])
async def test_options_switch_it_off(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, options: dict[str, Any]) -> None:
    async with bridge(tmp_path, [one, two], [with_options(ALL, **options)]):
        for number in range(4):
            one.say(f"m{number}")
        await eventually(lambda: len(two.texts()) == 4)


async def test_only_plain_texts_of_one_author_are_merged(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    one.files["f"] = b"x"
    file = Attachment(kind=AttachmentKind.DOCUMENT, file_id="f", name="f.txt", size_bytes=1)
    async with bridge(tmp_path, [one, two]):
        one.say("0")
        await eventually(lambda: two.texts() == ["0"])
        one.say("a1")
        one.say("a2")
        one.say("b1", author="Ben")
        one.say("a3")
        one.say("answer", reply_to=ReplyTo(message_id="nowhere", author_name="Zoe", excerpt="hm"))
        one.say("a4", attachments=(file,))
        one.say("a5")
        one.say("a6")
        await eventually(lambda: two.texts()[-1:] == ["a5\na6"], what=str(two.texts()))
    assert two.texts()[:4] == ["0", "a1\na2", "b1", "a3"]
    assert [message.sender for message in two.posted()[:4]] == ["Anna", "Anna", "Ben", "Anna"]


async def test_a_merged_message_leaves_room_for_edits(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.text_length = 100
    async with bridge(tmp_path, [one, two]):
        for number in range(10):
            one.say(f"{number}" * 20)
        await eventually(lambda: len("".join(two.texts()).replace("\n", "")) == 200)
    assert all(len(text) <= 50 for text in two.texts())


async def test_a_file_added_to_a_piece_is_its_own_and_goes_with_it(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    one.files["f"] = b"x"
    file = Attachment(kind=AttachmentKind.DOCUMENT, file_id="f", name="f.txt", size_bytes=1)
    async with bridge(tmp_path, [one, two]):
        _, a, b = await say_all(one, two, "a", "b")
        one.edit(a, "A!", attachments=(file,))
        await eventually(lambda: two.texts() == ["first", "A!\nb", "✏️ added by an edit"], what=str(two.texts()))
        assert two.posted()[2].files == (b"x",)
        one.edit(b, "B!")
        one.edit(a, "A!!", attachments=(file,))
        await eventually(lambda: two.texts() == ["first", "A!!\nB!", "✏️ added by an edit"])
        one.delete(a)
        await eventually(lambda: two.texts() == ["first", "B!"])


@pytest.mark.parametrize("restart", [False, True])
async def test_each_piece_is_edited_and_deleted_by_itself(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, restart: bool
) -> None:
    app = bridge(tmp_path, [one, two])
    await app.start()
    try:
        _, a, b, c = await say_all(one, two, "a", "b", "c")
        if restart:
            await app.stop()
            app = bridge(tmp_path, [one, two])
            await app.start()
        one.edit(b, "B!")
        await eventually(lambda: two.texts()[1] == "a\nB!\nc")
        one.delete(a)
        await eventually(lambda: two.texts()[1] == "B!\nc")
        one.edit(c, "C!")
        await eventually(lambda: two.texts()[1] == "B!\nC!")
        one.delete(c)
        await eventually(lambda: two.texts()[1] == "B!")
        one.delete(b)
        await eventually(lambda: two.texts() == ["first"])
        assert two.sends == 2 + 5
    finally:
        await app.stop()


async def test_an_edit_that_no_longer_fits_goes_on_in_further_messages(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.text_length = 40
    async with bridge(tmp_path, [one, two]):
        _, a, b = await say_all(one, two, "a", "b")
        words = " ".join(f"word{number}" for number in range(12))
        one.edit(a, words)
        await eventually(lambda: "word11" in "".join(two.texts()))
        await eventually(lambda: two.texts()[1].endswith("\nb"))
        assert all(len(text) <= 40 for text in two.texts())
        assert " ".join(" ".join([two.texts()[1].removesuffix("\nb"), *two.texts()[2:]]).split()) == words
        one.edit(a, "short")
        await eventually(lambda: two.texts() == ["first", "short\nb"])
        one.delete(b)
        await eventually(lambda: two.texts() == ["first", "short"])


async def test_answers_and_reactions_find_it(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two]):
        _, a, b = await say_all(one, two, "a", "b")
        merged = two.posted()[1]
        one.say("answer", reply_to=ReplyTo(message_id=a))
        await eventually(lambda: len(two.texts()) == 3)
        assert two.posted()[2].reply_to == merged.message_id
        for number, (message_id, emoji) in enumerate(((a, "👍"), (b, "🎉"))):
            meta = one.meta(f"reaction{number}", "c")
            one.hear(ReactionsChanged(meta=meta, message_id=message_id, added=(emoji,)))
        await eventually(lambda: set(merged.reactions) == {"👍", "🎉"})
        two.say("back", reply_to=ReplyTo(message_id=merged.message_id))
        await eventually(lambda: "back" in one.texts())
        assert one.posted()[0].reply_to == b, "an answer to it answers its last piece"


async def test_a_429_makes_them_wait_together(tmp_path: Path, one: ScriptedPlatform) -> None:
    free = ScriptedPlatform("two")
    free.faults.extend([(LIMITED, False), (LIMITED, False)])
    async with bridge(tmp_path, [one, free]):
        for number in range(5):
            one.say(f"m{number}")
        await eventually(lambda: "m4" in "".join(free.texts()))
    assert free.texts() == ["m0\nm1\nm2\nm3\nm4"]


async def test_a_refused_message_is_tried_piece_by_piece(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    """The platform takes none with the bad word in it."""

    def judge(outbound: Outbound) -> None:
        if "bad" in text_of(outbound.text):
            raise Rejected("not that word")

    two.before_send = judge
    app = bridge(tmp_path, [one, two])
    async with app:
        one.say("first")
        await eventually(lambda: two.texts() == ["first"])
        for text in ("a", "bad", "c", "d"):
            one.say(text)
        await eventually(lambda: "d" in two.texts(), what=str(two.texts()))
        assert two.texts() == ["first", "a", "c", "d"]
        (letter,) = await app._journal.dead_letters()
        assert letter.reason == "refused: not that word"


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("reconciles", [True, False])
async def test_an_unknown_outcome_is_settled_for_all_at_once(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, arrived: bool, reconciles: bool
) -> None:
    two.reconciles = reconciles
    two.faults.extend([None, (OutcomeUnknown("cut"), arrived)])
    async with bridge(tmp_path, [one, two]):
        one.say("first")
        await eventually(lambda: two.texts() == ["first"])
        for text in "abc":
            one.say(text)
        one.say("end", author="Ben")
        await eventually(lambda: "end" in two.texts())
    doubled = arrived and not reconciles
    assert two.texts() == ["first", *(["a\nb\nc"] * (2 if doubled else 1)), "end"]


async def test_hold_leaves_all_of_them_to_a_human(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.reconciles = False
    two.faults.extend([None, (OutcomeUnknown("cut"), True)])
    app = bridge(tmp_path, [one, two], [with_options(ALL, unknown=OnUnknown.HOLD)])
    async with app:
        one.say("first")
        await eventually(lambda: two.texts() == ["first"])
        for text in "abc":
            one.say(text)
        one.say("end", author="Ben")
        await eventually(lambda: "end" in two.texts())
        letters = await app._journal.dead_letters()
        assert [letter.state for letter in letters] == [DeliveryStatus.HELD] * 3
        await app._journal.retry_dead([letter.delivery_id for letter in letters])
        await eventually(lambda: two.texts() == ["first", "a\nb\nc", "end", "a\nb\nc"])


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_crash_during_the_attempt(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, arrived: bool) -> None:
    """The process dies when the request has left: after the restart the same message is looked for, and nothing else is in it."""
    two.faults.append(None)
    app = bridge(tmp_path, [one, two])
    await app.start()
    one.say("first")
    await eventually(lambda: two.texts() == ["first"])
    never = asyncio.Event()
    two.hang = never
    for text in "abc":
        one.say(text)
    await eventually(lambda: two.sends == 2)
    assert app._services is not None
    tasks = [*app._accounts.running.values(), *app._services.tasks]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await app._journal.close()
    two.hang = None
    if arrived:
        waiting = await pieces_on_disk(tmp_path)
        two.chats["c"].append(type(two.posted()[0])(message_id="two-b99", text="a\nb\nc", sender="Anna", token=waiting))
    one.say("d")
    async with bridge(tmp_path, [one, two]):
        await eventually(lambda: "d" in "".join(two.texts()))
        await stays(lambda: two.texts() == ["first", "a\nb\nc", "d"], for_s=0.4)
    assert two.texts() == ["first", "a\nb\nc", "d"]


async def pieces_on_disk(folder: Path) -> str:
    """The token of the message that was being sent."""
    journal = SqliteJournal(folder / "bridge.journal")
    await journal.open()
    (lane,) = await journal.open_lanes()
    waiting = readable(await journal.pending(lane, 0, 100))
    assert [(pending.state, pending.lead_seq) for pending in waiting] == [(DeliveryStatus.SENDING, waiting[0].event_seq)] * 3
    journal_id = await journal.note("journal id")
    assert journal_id is not None
    generations = await journal.begin_generation("next")
    await journal.close()
    return Tokens(journal_id, [(one.first_delivery, one.mark) for one in generations]).of(waiting[0].delivery_id)


async def test_an_account_that_is_down_keeps_the_message_together(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.faults.extend([None, (AccountDown("refused", action="new token"), False)])
    async with bridge(tmp_path, [one, two]):
        await say_all(one, two, "a", "b", "c")


async def test_a_limit_of_the_account_stops_its_other_chats_too(tmp_path: Path, one: ScriptedPlatform) -> None:
    limited = ScriptedPlatform("two")
    limited.faults.append((RetryLater("slow down", after_s=0.5, rate_limited=True, scope=Scope.ACCOUNT), False))
    routes = [Route(name=f"r{number}", ends=(end(f"one/c{number}"), end(f"two/c{number}"))) for number in range(5)]
    tried_s = sends_of(limited)
    async with bridge(tmp_path, [one, limited], routes):
        one.say("x", chat="c0")
        await eventually(lambda: limited.sends == 1)
        for number in range(5):
            one.say("y", chat=f"c{number}")
        await eventually(lambda: all("y" in "".join(limited.texts(f"c{number}")) for number in range(5)))
    assert tried_s[1] - tried_s[0] >= 0.5


def sends_of(platform: ScriptedPlatform) -> list[float]:
    """When each of its sends was tried, in seconds."""
    tried_s: list[float] = []
    platform.before_send = lambda _: tried_s.append(time.monotonic())
    return tried_s


async def test_waits_survive_a_restart(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.rates = Rates(per_chat=(Window(messages=2, span_s=3.0),))
    tried_s = sends_of(two)
    app = bridge(tmp_path, [one, two], [with_options(ALL, merge=False)])
    await app.start()
    for text in "abc":
        one.say(text)
    await eventually(lambda: two.texts() == ["a", "b"])
    await eventually(lambda: waits_on_disk(tmp_path))
    await app.stop(drain_s=0)
    async with bridge(tmp_path, [one, two], [with_options(ALL, merge=False)]):
        await eventually(lambda: two.texts() == ["a", "b", "c"])
    assert tried_s[2] - tried_s[0] >= 2.9, "the window was still full"


async def test_an_account_wide_wait_survives_a_restart(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.rates = Rates()
    two.faults.append((RetryLater("slow down", after_s=2.0, rate_limited=True, scope=Scope.ACCOUNT), False))
    tried_s = sends_of(two)
    app = bridge(tmp_path, [one, two])
    await app.start()
    one.say("a")
    await eventually(lambda: two.sends == 1)
    await eventually(lambda: waits_on_disk(tmp_path))
    await app.stop(drain_s=0)
    one.say("b")
    async with bridge(tmp_path, [one, two]):
        await eventually(lambda: "b" in "".join(two.texts()))
    assert tried_s[1] - tried_s[0] >= 1.9


def waits_on_disk(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "bridge.journal")) as journal:
        return int(journal.execute("SELECT count(*) FROM wait").fetchone()[0])


# -- the rules alone --------------------------------------------------------------------------------------------------------

words = st.text(alphabet="abc \n", min_size=1, max_size=80).filter(lambda text: bool(text.strip()))


def target(length: int) -> Target:
    platform = ScriptedPlatform("two", text_length=length)
    return Target(
        account=AccountName("two"),
        platform="two",
        capabilities=platform.capabilities(),
        measure=lambda text, caption=False: len(text_of(text)),
        options=RelayOptions(),
    )


def lines(text: str) -> TextParts:
    return TextParts(head=plain("Anna"), tail=plain("Anna …"), body=plain(text), sender=None, previews=True, losses=())


@given(st.lists(st.text("xyz", min_size=1, max_size=5), min_size=1, max_size=4), st.integers(0, 3), words, st.integers(40, 60))
def test_an_edit_keeps_every_word_and_every_limit(before: list[str], index: int, text: str, length: int) -> None:
    index %= len(before)
    pieces = [MergedPiece(head=plain("Anna"), body=plain(piece)) for piece in before]
    piece, parts = with_edit(pieces, index, lines(text), target(length), lambda left_out: plain(f"{left_out} more"))
    shown = [text_of(part.text) for part in parts]
    assert all(len(one) <= length for one in shown)
    assert shown[0] == "\n".join(["Anna", *before[:index], text_of(piece.body), *before[index + 1 :]])
    here = text_of(piece.body).replace("…", "")
    further = [one.removeprefix("Anna …") for one in shown[1:]]
    assert "".join("".join([here, *further]).split()) == "".join(text.split())


def test_pieces_are_stored_and_read_back() -> None:
    piece = MergedPiece(head=EMPTY, body=plain("hello"), previews=False)
    assert decode_piece(encode_piece(piece)) == piece
    assert text_of(merged_part([piece, piece]).text) == "hello\nhello"

"""The self-test tells a good bridge from a bad one: judged here on a mirror that can be spoiled in one way at a time."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from adapters.common.conformance import Lacks
from adapters.common.emulation.contract import SeenMessage
from bridge.model.capabilities import Capabilities, Capability, Feature, Limits, Support, features
from bridge.sandbox.selftest.checks import CHECKS
from bridge.sandbox.selftest.room import Room
from bridge.sandbox.selftest.run import try_all
from bridge.sandbox.selftest.table import print_json, print_table
from bridge.sandbox.selftest.verdict import Cell, Outcome, Report

TITLES = {"telegram": "Telegram", "slack": "Slack", "discord": "Discord"}
ALL: dict[Feature, Capability | Support] = dict.fromkeys(Feature, Support.FULL)

Spoil = Callable[[str, SeenMessage], list[SeenMessage]]


async def results(
    mirror: Any,
    capabilities: dict[str, dict[Feature, Capability | Support]] | None = None,
    lacks: Mapping[str, Mapping[Lacks, str]] | None = None,
) -> tuple[Cell, ...]:
    """The self-test's cells, with a short patience."""

    def capabilities_of(account: str) -> Capabilities:
        table = ALL | (capabilities or {}).get(account, {})
        return Capabilities(features=features(table), limits=Limits(text_length=4000, caption_length=4000, upload_bytes=10**9))

    rooms = {}
    for check in CHECKS:
        chats = {platform: emulator.add_chat(check) for platform, emulator in mirror.emulators.items()}
        rooms[check] = Room(
            mirror.emulators, chats, capabilities_of=capabilities_of, titles=TITLES, patience_s=0.4, lacks=lacks or {}
        )
    return await try_all(rooms, tuple(mirror.emulators))


def failed(cells: tuple[Cell, ...]) -> dict[str, set[str]]:
    """Check -> the targets on which it failed."""
    found: dict[str, set[str]] = {}
    for cell in cells:
        if cell.outcome is Outcome.FAILED:
            found.setdefault(cell.check, set()).add(cell.target)
    return found


async def test_a_good_bridge_passes(mirrored: Any) -> None:
    mirrored.emulators["telegram"].longest = 4096
    mirrored.emulators["discord"].longest = 2000
    cells = await results(mirrored)
    assert len(cells) == 6 * len(CHECKS)
    assert {cell.outcome for cell in cells} == {Outcome.OK}, [cell for cell in cells if cell.outcome is not Outcome.OK]


def _changed(**changes: Any) -> Spoil:
    return lambda kind, message: [msgspec.structs.replace(message, **changes)]


def _on(wanted: str, change: Spoil) -> Spoil:
    return lambda kind, message: change(kind, message) if kind == wanted else [message]


def _in(words: str, change: Spoil) -> Spoil:
    return lambda kind, message: change(kind, message) if words in message.text else [message]


def _file(**changes: Any) -> Spoil:
    def change(kind: str, message: SeenMessage) -> list[SeenMessage]:
        files = tuple(msgspec.structs.replace(file, **changes) for file in message.files)
        return [msgspec.structs.replace(message, files=files)]

    return change


def _twice(kind: str, message: SeenMessage) -> list[SeenMessage]:
    return [message, msgspec.structs.replace(message, message_id=message.message_id + "again")]


def _nothing(kind: str, message: SeenMessage) -> list[SeenMessage]:
    return []


def _as_text(message: SeenMessage, options: str) -> SeenMessage:
    """A poll as words."""
    return msgspec.structs.replace(message, poll=None, text=message.poll.question + options) if message.poll else message


SPOILT: dict[str, tuple[Spoil, set[str]]] = {
    "lost": (_nothing, set(CHECKS)),
    "doubled": (_in("text from", _twice), {"text"}),
    "nameless": (_changed(author_name="bridge"), {"text", "long text"}),
    "other words": (_in("text from", lambda k, m: [msgspec.structs.replace(m, text=m.text.replace("привет", "??????"))]), {"text"}),
    "markup lost": (_in("formatting", _changed(html="bold italic strike code label quoted block")), {"formatting"}),
    "a word lost": (_in("formatting", lambda k, m: [msgspec.structs.replace(m, text=m.text.replace("label", ""))]), {"formatting"}),
    "edits ignored": (_on("edited", _nothing), {"edit"}),
    "edits posted anew": (_on("edited", lambda k, m: [msgspec.structs.replace(m, message_id="new")]), {"edit"}),
    "deletions ignored": (_on("deleted", _nothing), {"delete"}),
    "replies unlinked": (_changed(reply_to=""), {"reply"}),
    "replies to another": (_in("answer", _changed(reply_to="copy1")), {"reply"}),
    "files lost": (_changed(files=()), {"photo", "document"}),
    "files altered": (_file(sha256="0" * 64), {"photo", "document"}),
    "files renamed": (_file(name="file"), {"document"}),
    "photos as documents": (_file(kind="document"), {"photo"}),
    "threads lost": (_changed(thread_id=""), {"thread"}),
    "pins ignored": (_on("pins", _nothing), {"pin"}),
    "polls without their options": (lambda k, m: [_as_text(m, "")], {"poll"}),
    "polls as text": (lambda k, m: [_as_text(m, " soup of the day, rice and beans")], {"poll"}),
    "the end lost": (lambda k, m: [] if len(m.text) < 2000 and m.message_id.endswith(".2") else [m], {"long text"}),
}


@pytest.mark.parametrize("name", SPOILT)
async def test_what_is_broken_fails_there_and_nowhere_else(mirrored: Any, name: str) -> None:
    spoil, checks = SPOILT[name]
    mirrored.spoil = lambda target, kind, message: spoil(kind, message) if target == "slack" else [message]
    assert failed(await results(mirrored)) == {check: {"slack"} for check in checks}


async def test_parts_in_the_wrong_order_fail(mirrored: Any) -> None:
    held: list[SeenMessage] = []

    def swap(target: str, kind: str, message: SeenMessage) -> list[SeenMessage]:
        if target != "slack" or "telegram0" not in message.text:
            return [message]
        if not held:
            held.append(message)
            return []
        return [message, held[0]] if len(held) == 1 and not held.append(message) else [message]  # type: ignore[func-returns-value]

    mirrored.spoil = swap
    (cell,) = [cell for cell in await results(mirrored) if cell.outcome is Outcome.FAILED]
    assert (cell.check, cell.origin, cell.target) == ("long text", "telegram", "slack")
    assert "not in order" in cell.reason


DECLARED: list[tuple[str, Feature, str, str, Spoil]] = [
    ("text", Feature.SENDER_NAME, "slack", "slack", lambda k, m: _named_in_text(m)),
    ("formatting", Feature.BOLD, "slack", "slack", _in("formatting", lambda k, m: [_without_bold(m)])),
    ("edit", Feature.SEES_EDITS, "telegram", "", _on("edited", _nothing)),
    ("edit", Feature.EDIT, "slack", "slack", _on("edited", _nothing)),
    ("delete", Feature.SEES_DELETES, "telegram", "", _on("deleted", _nothing)),
    ("delete", Feature.DELETE, "slack", "slack", _on("deleted", _nothing)),
    ("reply", Feature.REPLY, "slack", "slack", lambda k, m: [msgspec.structs.replace(m, reply_to="", reply_quote=_question(m))]),
    ("reply", Feature.REPLY, "slack", "slack", lambda k, m: _linked(m)),
    ("photo", Feature.PHOTO, "slack", "slack", _file(kind="document")),
    ("thread", Feature.THREAD, "slack", "slack", lambda k, m: [_quoting(m)]),
    ("pin", Feature.PIN, "slack", "slack", _on("pins", _nothing)),
    ("pin", Feature.SEES_PINS, "telegram", "", _on("pins", _nothing)),
    ("poll", Feature.POLL, "slack", "slack", lambda k, m: [_as_text(m, " soup of the day, rice and beans")]),
]


def _named_in_text(message: SeenMessage) -> list[SeenMessage]:
    return [msgspec.structs.replace(message, author_name="bridge", text=f"{message.author_name}\n{message.text}")]


def _quoting(message: SeenMessage) -> SeenMessage:
    """What is said in a thread quotes how the thread begins."""
    quoted = message.text.replace("within the thread of", "a thread begins in")
    return msgspec.structs.replace(message, thread_id="", reply_quote=quoted) if message.thread_id else message


def _linked(message: SeenMessage) -> list[SeenMessage]:
    link = f'<a href="https://example.com/{message.reply_to}">message</a>' if message.reply_to else ""
    return [msgspec.structs.replace(message, reply_to="", html=link + message.html)]


def _without_bold(message: SeenMessage) -> SeenMessage:
    return msgspec.structs.replace(message, html=message.html.replace("<b>", "").replace("</b>", ""))


def _question(message: SeenMessage) -> str:
    return message.text.replace("answer", "question").replace(".", "?")


@pytest.mark.parametrize(
    ("check", "feature", "declarer", "target", "spoil"),
    DECLARED,
    ids=[f"{number}-{entry[0]}" for number, entry in enumerate(DECLARED)],
)
async def test_a_declared_loss_is_degraded_and_an_undeclared_one_failed(
    mirrored: Any, check: str, feature: Feature, declarer: str, target: str, spoil: Spoil
) -> None:
    def spoiled(at: str, kind: str, message: SeenMessage) -> list[SeenMessage]:
        from_telegram = message.author_name in ("Anna", "Boris") and "telegram" in message.text
        concerned = at == target if target else from_telegram
        return spoil(kind, message) if concerned else [message]

    mirrored.spoil = spoiled
    entry = Capability(Support.CONVERTED, "by other means")
    declared: dict[str, dict[Feature, Capability | Support]] = {declarer: {feature: entry}}
    cells = [cell for cell in await results(mirrored, declared) if cell.outcome is not Outcome.OK]
    assert {(cell.check, cell.outcome) for cell in cells} == {(check, Outcome.DEGRADED)}
    assert all("by other means" in cell.reason for cell in cells)
    assert check in failed(await results(mirrored))


@pytest.mark.parametrize("message_id", ["", "new"])
async def test_an_edit_shown_where_it_is_declared_impossible_fails(mirrored: Any, message_id: str) -> None:
    def anew(at: str, kind: str, message: SeenMessage) -> list[SeenMessage]:
        changed = [msgspec.structs.replace(message, message_id=message_id or message.message_id)]
        return changed if at == "slack" and kind == "edited" else [message]

    mirrored.spoil = anew
    cells = await results(mirrored, {"slack": {Feature.EDIT: Capability(Support.DROPPED, "not here")}})
    assert failed(cells) == {"edit": {"slack"}}


async def test_a_reply_shown_by_the_name_of_who_is_answered_is_degraded(mirrored: Any) -> None:
    def named(at: str, kind: str, message: SeenMessage) -> list[SeenMessage]:
        is_answer = at == "slack" and message.reply_to
        line = f"in reply to Anna\n{message.text}"
        return [msgspec.structs.replace(message, reply_to="", text=line) if is_answer else message]

    mirrored.spoil = named
    cells = await results(mirrored, {"slack": {Feature.REPLY: Capability(Support.CONVERTED, "a line")}})
    assert {(cell.check, cell.target, cell.outcome) for cell in cells if cell.outcome is not Outcome.OK} == {
        ("reply", "slack", Outcome.DEGRADED)
    }


LACKS = {"telegram": {Lacks.REPLIES: "no replies there", Lacks.FORMATTING: "plain text there"}}


@pytest.mark.parametrize(
    ("lacks", "wrong"),
    [
        (LACKS, {}),
        ({}, {"formatting": {"slack", "discord"}}),
    ],
    ids=["told", "not told"],
)
async def test_what_people_cannot_do_is_not_asked_of_them(
    mirrored: Any, lacks: dict[str, dict[Lacks, str]], wrong: dict[str, set[str]]
) -> None:
    mirrored.emulators["telegram"].formatting_sample = lambda: "bold italic strike code label quoted block"
    cells = await results(mirrored, lacks=lacks)
    assert failed(cells) == wrong
    degraded = {(cell.check, cell.origin, cell.reason) for cell in cells if cell.outcome is Outcome.DEGRADED}
    told = {("reply", "telegram", "no replies there"), ("formatting", "telegram", "plain text there")}
    assert degraded == (told if lacks else set())


async def test_where_people_can_do_less_their_words_must_cross(mirrored: Any) -> None:
    mirrored.spoil = lambda target, kind, message: [] if "telegram" in message.text and target == "slack" else [message]
    assert {"reply", "formatting"} <= set(failed(await results(mirrored, lacks=LACKS)))


def _report() -> Report:
    def cell(check: str, origin: str, target: str, outcome: Outcome = Outcome.OK, reason: str = "") -> Cell:
        return Cell(check=check, origin=origin, target=target, outcome=outcome, reason=reason)

    return Report(
        cells=(
            cell("text", "telegram", "slack"),
            cell("text", "slack", "telegram", Outcome.DEGRADED, "Telegram: sender name: a bold line"),
            cell("delete", "telegram", "slack", Outcome.DEGRADED, "Telegram does not tell"),
            cell("delete", "slack", "telegram", Outcome.FAILED, "the copy is still [there]"),
        ),
        took_s=3.2,
    )


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("out", [io.StringIO, _Terminal])
def test_the_table_says_what_and_why(out: type[io.StringIO]) -> None:
    written = out()
    print_table(_report(), TITLES, written)
    text = written.getvalue()
    for words in ("Telegram → Slack", "degraded [1]", "degraded [2]", "FAILED delete, Slack → Telegram: the copy is still [there]"):
        assert words in text
    assert "[2] degraded as declared: Telegram does not tell" in text or "degraded as declared: Telegram does not tell" in text
    assert "1 ok, 2 degraded as declared, 1 failed; 2 pairs in 3.2 s" in text


def test_json_is_for_programs() -> None:
    written = io.StringIO()
    print_json(_report(), TITLES, written)
    found = json.loads(written.getvalue())
    assert found["passed"] is False
    assert found["cells"][3] == {
        "check": "delete", "origin": "slack", "target": "telegram", "outcome": "failed", "reason": "the copy is still [there]",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "faults", "passed"),
    [((Outcome.OK, Outcome.DEGRADED), (), True), ((Outcome.FAILED,), (), False), ((Outcome.OK,), ("1 dead letter",), False)],
)
def test_passing_needs_all(outcomes: tuple[Outcome, ...], faults: tuple[str, ...], passed: bool) -> None:
    cells = tuple(Cell(check="text", origin="a", target="b", outcome=outcome) for outcome in outcomes)
    assert Report(cells=cells, faults=faults).passed is passed

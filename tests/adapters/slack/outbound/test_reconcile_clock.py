"""This machine's clock is wrong: what is compared with Slack's timestamps goes by Slack's clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from adapters.slack.emulator import SlackEmulator
from adapters.slack.identity import Identity
from adapters.slack.inbound.decode import decode_event
from adapters.slack.inbound.decode_context import Context
from adapters.slack.inbound.reorder import LateEvents
from adapters.slack.names import NO_NAMES
from adapters.slack.outbound.message_search import Window, find_delivery
from adapters.slack.timestamps import moment, to_ts
from bridge.model.adapter import Outbound, OutboundFile
from bridge.model.errors import OutcomeUnknown, RetryLater
from bridge.model.events import Attachment, AttachmentKind, Ignored, MessageCreated, MessageEdited
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import plain
from tests.adapters.slack.inbound.test_http_events import Listener
from tests.support.patience import eventually

MINUTE_S, DAY_S, YEAR_S = 60.0, 86_400.0, 365 * 86_400.0
WRONG_S = (MINUTE_S, -MINUTE_S, 20 * MINUTE_S, DAY_S, YEAR_S, -YEAR_S)


def set_clock(adapter: Any, ahead_s: float) -> datetime:
    """The host's clock is ahead by that much from now on. What it shows."""
    adapter._transport.time.local_s = lambda: time.time() + ahead_s
    return datetime.now(UTC) + timedelta(seconds=ahead_s)


def outbound(chat: str, text: str = "hello", **more: Any) -> Outbound:
    return Outbound(**{"token": "tok-1", "attempt": 1, "chat_id": chat, "text": plain(text), **more})


def file(path: Path, name: str, content: bytes) -> OutboundFile:
    (path / name).write_bytes(content)
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="origin", name=name)
    return OutboundFile(attachment=attachment, path=path / name, name=name, mime="text/plain", size_bytes=len(content))


@pytest.mark.parametrize("ahead_s", WRONG_S)
@pytest.mark.parametrize("step_s", [0.0, MINUTE_S, -YEAR_S])
async def test_a_lost_answer_is_found(account: Any, emulator: SlackEmulator, ahead_s: float, step_s: float) -> None:
    """The clock is wrong, and is set between the attempt and the look."""
    chat, adapter = account.chat(), account.build()
    sent_after = set_clock(adapter, ahead_s)
    emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation="chat.postMessage"))
    with pytest.raises(OutcomeUnknown):
        await adapter.send(outbound(chat))
    set_clock(adapter, ahead_s + step_s)
    found = await adapter.reconcile(outbound(chat), sent_after)
    assert found is not None
    assert found.message_ids == (emulator.transcript(chat)[0].message_id,)
    assert await adapter.reconcile(outbound(chat, token="tok-2"), sent_after) is None


@pytest.mark.parametrize("ahead_s", WRONG_S)
@pytest.mark.parametrize("is_mended", [True, False])
async def test_a_lost_answer_is_found_after_a_restart(
    account: Any, emulator: SlackEmulator, ahead_s: float, is_mended: bool
) -> None:
    chat, adapter = account.chat(), account.build()
    sent_after = set_clock(adapter, ahead_s)
    await adapter.send(outbound(chat))
    again = account.build()
    set_clock(again, 0.0 if is_mended else ahead_s)
    found = await again.reconcile(outbound(chat), sent_after)
    assert found is not None
    assert await again.reconcile(outbound(chat, token="tok-2"), sent_after) is None


async def test_an_older_share_of_the_same_file_is_not_taken_for_ours(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    """Today's report has the name and size of yesterday's, and no mark: what the bridge knows already is another one."""
    chat, adapter = account.chat(), account.build()
    report = outbound(chat, "", files=(file(tmp_path, "report.csv", b"a;b"),))
    earlier = await adapter.send(report)
    again = account.build()
    await account.start(again)
    account.intake.known_ids[chat] = list(earlier.message_ids)
    today = outbound(chat, "", files=report.files, token="tok-2")
    assert await again.reconcile(today, datetime.now(UTC) + timedelta(days=400)) is None
    account.intake.known_ids[chat] = []
    found = await again.reconcile(today, datetime.now(UTC))
    assert found is not None


async def test_many_pages_are_read_and_no_more(account: Any, emulator: SlackEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.slack.outbound.message_search._PAGE", 2)
    monkeypatch.setattr("adapters.slack.outbound.message_search._MAX_PAGES", 4)
    chat, adapter = account.chat(), account.build()
    await adapter.send(outbound(chat))
    again = account.build()
    for number in range(6):
        await emulator.say(chat, "Anna", str(number))
    assert await again.reconcile(outbound(chat), datetime.now(UTC) + timedelta(days=1)) is not None
    for number in range(6):
        await emulator.say(chat, "Anna", str(number))
    before = emulator.calls().count("conversations.history")
    with pytest.raises(RetryLater, match="too many"):
        await again.reconcile(outbound(chat), datetime.now(UTC) + timedelta(days=1))
    assert emulator.calls().count("conversations.history") - before == 4
    # everything since the attempt was looked at, and only the margin for a wrong clock was not
    window = Window(oldest="1", likely=to_ts(datetime.now(UTC) + timedelta(minutes=1)))
    assert await find_delivery(again._transport, again._app.identity, outbound(chat, token="tok-2"), window) is None


async def test_a_mark_counts_on_our_own_messages_only(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    forged = await emulator.say(chat, "Mallory", "hello")
    message = emulator.workspace.message(chat, forged)
    message.metadata = {"event_type": "messenger_bridge", "event_payload": {"id": "tok-1"}}
    message.blocks = [{"type": "rich_text", "block_id": "mb-tok-1", "elements": []}]
    assert await adapter.reconcile(outbound(chat), datetime.now(UTC)) is None
    receipt = await adapter.send(outbound(chat))
    found = await adapter.reconcile(outbound(chat), datetime.now(UTC))
    assert found is not None
    assert found.message_ids == receipt.message_ids


@pytest.mark.parametrize("ahead_s", WRONG_S)
async def test_requests_of_slack_are_believed(account: Any, emulator: SlackEmulator, ahead_s: float) -> None:
    """And old ones are not, whatever the clock here shows."""
    import aiohttp

    listener = Listener()
    await listener.start()
    account.web = listener
    try:
        chat = account.chat()
        adapter = account.build(events="http", signing_secret=emulator.http_sender.signing_secret, app_token=None)
        set_clock(adapter, ahead_s)
        await account.start(adapter)
        url = f"{listener.public_url}/hooks/team/events"
        await emulator.use_http_events(url)
        await emulator.say(chat, "Anna", "hello")
        await eventually(lambda: account.intake.texts() == ["hello"])
        body = b'{"type":"url_verification","challenge":"c"}'
        async with aiohttp.ClientSession() as session:
            for at_s in (time.time() - 310, time.time() + 310, time.time() + ahead_s):
                is_fresh = abs(at_s - time.time()) < 300
                async with session.post(url, data=body, headers=emulator.http_sender.headers(body, timestamp=int(at_s))) as answer:
                    assert answer.status == (200 if is_fresh else 401), at_s
        await account.stop()
    finally:
        await listener.stop()


@pytest.mark.parametrize("ahead_s", WRONG_S)
async def test_reading_of_a_channel_begins_now(account: Any, emulator: SlackEmulator, ahead_s: float) -> None:
    """Neither a year ago, so that old messages are relayed, nor in a year, so that none is fetched after a downtime."""
    emulator.deliveries.retry_delays_s = ()
    chat = account.chat()
    old = emulator.workspace.message(chat, await emulator.say(chat, "Anna", "before the bridge"))
    channel = emulator.workspace.channels[chat]
    channel.messages.pop(old.ts)
    old.ts = to_ts(datetime.now(UTC) - timedelta(hours=1))
    channel._ids[0], channel._order[0] = old.ts, int(float(old.ts) * 1e6)
    channel.messages[old.ts] = old
    adapter = account.build()
    set_clock(adapter, ahead_s)
    await account.start(adapter)
    await account.stop()
    await eventually(lambda: emulator.sockets.open_count == 0)
    await emulator.say(chat, "Anna", "missed")
    await account.start(adapter)
    await eventually(lambda: account.intake.texts())
    assert account.intake.texts() == ["missed"]
    assert account.intake.gaps == []


@pytest.mark.parametrize("known", [True, False])
async def test_a_cursor_that_a_wrong_clock_has_made(account: Any, emulator: SlackEmulator, known: bool) -> None:
    emulator.deliveries.retry_delays_s = ()
    chat = account.chat()
    last = await emulator.say(chat, "Anna", "relayed before")
    account.intake.keys.add(f"created:team:{chat}:{last}")
    await emulator.say(chat, "Anna", "missed")
    ahead = to_ts(datetime.now(UTC) + timedelta(days=365))
    account.intake.cursors[f"ts:{chat}"] = f"{ahead} {ahead}"
    account.intake.known_ids[chat] = [last] if known else []
    adapter = await account.start()
    await emulator.say(chat, "Anna", "live")
    await eventually(lambda: "live" in account.intake.texts())
    assert account.intake.texts() == (["missed", "live"] if known else ["live"])
    await account.stop()
    await eventually(lambda: emulator.sockets.open_count == 0)
    await emulator.say(chat, "Anna", "missed later")
    await account.start(adapter)
    await eventually(lambda: "missed later" in account.intake.texts())
    position = account.intake.cursors[f"ts:{chat}"].split(" ")[0]
    assert moment(position) < datetime.now(UTC) + timedelta(minutes=1)


async def test_an_edit_is_as_late_as_slack_says(account: Any, emulator: SlackEmulator) -> None:
    """The creation was lost on its way: its edit stands for it, also where the clock here is a day ahead."""
    chat = account.chat()
    adapter = account.build()
    set_clock(adapter, DAY_S)
    await account.start(adapter)
    now = datetime.now(UTC)
    ts, edited_at = to_ts(now + timedelta(seconds=1)), to_ts(now + timedelta(seconds=3))
    message = {"type": "message", "ts": ts, "user": emulator.add_person("Anna"), "text": "mended", "edited": {"ts": edited_at}}
    emulator.deliveries.emit(
        {
            "type": "message",
            "subtype": "message_changed",
            "channel": chat,
            "ts": edited_at,
            "event_ts": edited_at,
            "message": message,
            "previous_message": {**message, "text": "typo", "edited": None},
        }
    )
    await eventually(lambda: account.intake.of(MessageCreated))
    assert account.intake.texts() == ["mended"]


async def test_a_file_share_is_found_whatever_the_clock_shows(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat, adapter = account.chat(), account.build()
    await emulator.say(chat, "Anna", "", files=[Upload(name="a.txt", mime="text/plain", content=b"xyz")])
    sent_after = set_clock(adapter, 10 * MINUTE_S)
    sent = outbound(chat, "", files=(file(tmp_path, "a.txt", b"xyz"),))
    receipt = await adapter.send(sent)
    set_clock(adapter, 0.0)
    found = await adapter.reconcile(sent, sent_after)
    assert found is not None
    assert found.message_ids == receipt.message_ids


async def test_a_file_whose_size_is_not_known_is_found_by_its_name(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    """It was converted before it was sent, and is not at hand now."""
    chat, adapter = account.chat(), account.build()
    (sent,) = outbound(chat, "", files=(file(tmp_path, "Foxes.gif", b"GIF89a"),)).files
    await adapter.send(outbound(chat, "", files=(sent,)))
    started = datetime.now(UTC)
    again = account.build()  # which does not remember having sent it
    unsized = msgspec.structs.replace(sent, size_bytes=0)
    renamed = msgspec.structs.replace(unsized, name="Wolves.gif")
    assert await again.reconcile(outbound(chat, "", files=(renamed,)), started) is None
    assert await again.reconcile(outbound(chat, "", files=(msgspec.structs.replace(sent, size_bytes=5),)), started) is None
    found = await again.reconcile(outbound(chat, "", files=(unsized,)), started)
    assert found is not None
    assert found.message_ids == (emulator.transcript(chat)[-1].message_id,)


async def test_somebody_elses_file_is_not_ours(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat, adapter = account.chat(), account.build()
    await emulator.say(chat, "Anna", "", files=[Upload(name="a.txt", mime="text/plain", content=b"xyz")])
    sent = outbound(chat, "", files=(file(tmp_path, "a.txt", b"xyz"),))
    assert await adapter.reconcile(sent, datetime.now(UTC) + timedelta(days=1)) is None


async def edit_of(late: LateEvents, ts: str, at: str, received_at: datetime, text: str = "words") -> Any:
    outer = {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": at, "event_ts": at}
    new, old = ({"ts": ts, "text": words, "user": "U1"} for words in (text, "typo"))
    raw = {**outer, "message": new, "previous_message": old}
    event = decode_event(msgspec.json.encode(raw), Context(Identity(AccountName("team")), NO_NAMES, received_at))
    assert isinstance(event, MessageEdited)

    async def unknown(_: str) -> bool:
        return False

    return await late.settle(event, "", set(), unknown)


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(days=-365), timedelta(0)])
async def test_how_late_an_edit_is_does_not_hang_on_the_clock_here(ahead: timedelta) -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    fresh = await edit_of(LateEvents(), to_ts(now), to_ts(now + timedelta(minutes=2)), now + ahead)
    assert isinstance(fresh, MessageCreated), "the creation was lost: its edit stands for it"
    old = await edit_of(LateEvents(), to_ts(now), to_ts(now + timedelta(minutes=20)), now + ahead)
    assert isinstance(old, MessageEdited)


async def test_what_is_known_of_a_message_never_gets_older() -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    late = LateEvents()
    chat = ChatRef(AccountName("team"), "C1")
    late.learn_version(chat, to_ts(now), now + timedelta(seconds=9))
    late.learn_version(chat, to_ts(now), now + timedelta(seconds=1))
    assert isinstance(await edit_of(late, to_ts(now), to_ts(now + timedelta(seconds=5)), now), Ignored)
    assert not isinstance(await edit_of(late, to_ts(now), to_ts(now + timedelta(seconds=10)), now), Ignored)

"""Every way a send can fail, against the emulated Discord: one attempt, the right class, nothing sent twice."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.records import Permission
from bridge.model.adapter import OutboundDelete, OutboundEdit, Sender
from bridge.model.errors import AccountDown, ChatDown, FileRejected, OutcomeUnknown, RetryLater, Scope, ThreadGone
from bridge.model.events import Poll, PollOption
from bridge.model.rich_text import plain
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.sending import ANNA, copy_of, outbound, outbound_file, shown
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually


@pytest.mark.parametrize("connected", [False, True])
@pytest.mark.parametrize("options", [{}, {"post_as": "bot"}])
async def test_a_forum_takes_no_messages_and_the_chat_says_what_to_do(
    bench: Bench, options: dict[str, Any], connected: bool
) -> None:
    emulator = bench.emulator
    forum = emulator.add_forum("help").chat_id
    adapter = bench.adapter(**options)
    intake = RecordingIntake([forum])
    if connected:
        async with bench.running(adapter, intake):
            with pytest.raises(ChatDown, match="forum") as raised:
                await adapter.send(outbound(bench, chat_id=forum))
    else:  # nothing is known of the channel: Discord itself refuses
        with pytest.raises(ChatDown) as raised:
            await adapter.send(outbound(bench, chat_id=forum))
    assert "<channel>/<post>" in raised.value.action
    post = await emulator.start_post(forum, "Anna", "Title", "words")
    receipt = await adapter.send(outbound(bench, "an answer", chat_id=forum, thread_id=post, sender=ANNA, token="t2"))
    assert receipt.thread_id == post
    assert [m.text for m in emulator.transcript(post)][-1].endswith("an answer")


async def test_a_poll_for_a_thread_that_is_gone_says_so(bench: Bench, adapter: DiscordAdapter) -> None:
    thread = await bench.emulator.start_thread(bench.chat, "Anna", "Details")
    await bench.emulator.delete_thread(thread)
    poll = Poll(question="Lunch?", options=(PollOption(text="Soup"), PollOption(text="Rice")))
    with pytest.raises(ThreadGone):
        await adapter.send(outbound(bench, "", thread_id=thread, poll=poll))


@pytest.mark.parametrize("sender", [ANNA, None])
@pytest.mark.parametrize(
    ("kind", "error", "sent"),
    [
        (FaultKind.RATE_LIMIT, RetryLater, 0),
        (FaultKind.SERVER_ERROR, OutcomeUnknown, 0),
        (FaultKind.SERVER_ERROR_AFTER, OutcomeUnknown, 1),
        (FaultKind.HANG, OutcomeUnknown, 0),
        (FaultKind.HANG_AFTER, OutcomeUnknown, 1),
        (FaultKind.DROP, OutcomeUnknown, 0),
        (FaultKind.DROP_AFTER, OutcomeUnknown, 1),
    ],
)
async def test_a_send_is_one_attempt_and_its_failure_is_classified(
    bench: Bench, sender: Sender | None, kind: FaultKind, error: type[Exception], sent: int
) -> None:
    adapter = bench.adapter(request_timeout_s=2.0)
    await adapter.send(outbound(bench, "warm up", sender=sender, token="t0"))
    before = len(bench.emulator.calls())
    bench.emulator.inject(Fault(kind=kind, operation="POST /*", retry_after_s=7.5))
    with pytest.raises(error) as raised:
        await adapter.send(outbound(bench, sender=sender))
    assert len(bench.emulator.calls()) - before == 1, "exactly one attempt"
    assert len(shown(bench)) == 1 + sent
    if isinstance(raised.value, RetryLater):
        assert (raised.value.after_s, raised.value.rate_limited, raised.value.scope) == (7.5, True, Scope.CHAT)
        with pytest.raises(RetryLater):
            await adapter.send(outbound(bench, sender=sender))
        assert len(bench.emulator.calls()) - before == 1, "a known wait is kept without asking again"
    await adapter.close()


async def test_a_429_without_json_concerns_the_whole_account(bench: Bench, adapter: DiscordAdapter) -> None:
    await adapter.send(outbound(bench))
    bench.emulator.inject(Fault(kind=FaultKind.RATE_LIMIT, operation="*", retry_after_s=None))
    with pytest.raises(RetryLater) as raised:
        await adapter.send(outbound(bench, token="t2"))
    assert raised.value.scope is Scope.ACCOUNT


async def test_a_refused_connection_surely_sent_nothing(bench: Bench, adapter: DiscordAdapter) -> None:
    await adapter.send(outbound(bench))
    await bench.emulator.refuse_connections(True)
    # until the client has noticed that its idle connection is cut
    connector = adapter._transport.session.connector
    assert connector is not None
    idle = [connection for kept in connector._conns.values() for connection, _ in kept]
    assert idle
    await eventually(lambda: not any(connection.is_connected() for connection in idle), "the idle connection is gone")
    with pytest.raises(RetryLater):
        await adapter.send(outbound(bench, token="t2"))


async def test_a_refused_token_takes_the_account_down(bench: Bench, adapter: DiscordAdapter) -> None:
    await adapter.send(outbound(bench))
    bench.emulator.inject(Fault(kind=FaultKind.UNAUTHORIZED))
    with pytest.raises(AccountDown):
        await adapter.send(outbound(bench, token="t2"))


@pytest.mark.parametrize("lost", [Permission.VIEW_CHANNEL, Permission.SEND_MESSAGES])
async def test_lost_rights_take_the_chat_down_and_name_the_remedy(bench: Bench, lost: Permission) -> None:
    adapter = bench.adapter(post_as="bot")
    bench.emulator.deny(bench.chat, lost)
    with pytest.raises(ChatDown) as raised:
        await adapter.send(outbound(bench, sender=None))
    assert "permission" in raised.value.action.lower() or "View Channel" in raised.value.action
    await adapter.close()


async def test_an_unknown_channel_takes_the_chat_down(bench: Bench, adapter: DiscordAdapter) -> None:
    with pytest.raises(ChatDown):
        await adapter.send(outbound(bench, chat_id="123456789012345678"))


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR_AFTER, FaultKind.DROP_AFTER, FaultKind.HANG_AFTER])
async def test_changes_may_be_repeated_so_their_failure_is_no_unknown_outcome(bench: Bench, kind: FaultKind) -> None:
    adapter = bench.adapter(request_timeout_s=2.0)
    copy = copy_of(bench, await adapter.send(outbound(bench)))
    edit = OutboundEdit(token="e", copy=copy, text=plain("edited"), sender=ANNA)
    bench.emulator.inject(Fault(kind=kind, operation="PATCH *", times=1))
    with pytest.raises(RetryLater):
        await adapter.edit(edit)
    await adapter.edit(edit)
    bench.emulator.inject(Fault(kind=kind, operation="DELETE *", times=1))
    with contextlib.suppress(RetryLater):  # aiohttp itself repeats a DELETE whose connection was cut
        await adapter.delete(OutboundDelete(copy=copy))
    await adapter.delete(OutboundDelete(copy=copy))
    assert shown(bench) == []
    await adapter.close()


async def test_no_error_tells_a_token(bench: Bench) -> None:
    adapter = bench.adapter(request_timeout_s=2.0)
    await adapter.send(outbound(bench))
    secrets = [bench.emulator.bot.token, *(w.token for w in bench.emulator.world.webhooks.values())]
    texts = [repr(adapter._options)]
    for kind in (FaultKind.SERVER_ERROR, FaultKind.HANG, FaultKind.DROP, FaultKind.RATE_LIMIT):
        bench.emulator.clear_faults()
        bench.emulator.inject(Fault(kind=kind))
        with pytest.raises((RetryLater, OutcomeUnknown)) as raised:
            await adapter.send(outbound(bench))
        texts += [str(raised.value), repr(raised.value), repr(raised.value.__cause__)]
    await adapter.close()
    assert not [text for text in texts for secret in secrets if secret in text]


@pytest.mark.parametrize("sender", [ANNA, None])
@pytest.mark.parametrize("way", ["too large for Discord", "too large for a proxy in front of it"])
async def test_a_refused_file_is_no_refusal_of_the_words(
    bench: Bench, adapter: DiscordAdapter, tmp_path: Path, sender: Sender | None, way: str
) -> None:
    (tmp_path / "a.txt").write_text("note")
    message = outbound(bench, sender=sender, files=(outbound_file(tmp_path / "a.txt"),))
    await adapter.send(outbound(bench, "warm up", sender=sender, token="t0"))
    if way == "too large for Discord":
        bench.emulator.world.file_limit_bytes = 2
    else:
        bench.emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="POST *", status=413, times=1))
    with pytest.raises(FileRejected):
        await adapter.send(message)
    await adapter.send(outbound(bench, "the words", sender=sender))
    assert [m.text for m in shown(bench)] == ["warm up", "the words"]


async def test_empty_files_are_not_sent_at_all(bench: Bench, adapter: DiscordAdapter, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("note")
    (tmp_path / "b.txt").write_text("")
    with pytest.raises(FileRejected) as raised:
        await adapter.send(outbound(bench, files=tuple(outbound_file(tmp_path / name) for name in ("a.txt", "b.txt"))))
    assert raised.value.indexes == (1,)
    assert shown(bench) == []


@pytest.mark.parametrize("mime", ["text/plain\r\nX-Evil: 1", "not a type", "", "text/plain; charset=utf-8", "Ж/ж"])
async def test_a_senders_odd_type_costs_no_file(bench: Bench, adapter: DiscordAdapter, tmp_path: Path, mime: str) -> None:
    (tmp_path / "a.txt").write_text("note")
    await adapter.send(outbound(bench, files=(outbound_file(tmp_path / "a.txt", mime=mime),)))
    assert [f.name for f in shown(bench)[-1].files] == ["a.txt"]


async def test_without_attach_files_words_still_go(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("note")
    adapter, intake = bench.adapter(post_as="bot"), bench.intake()
    bench.emulator.deny(bench.chat, Permission.ATTACH_FILES)
    async with bench.running(adapter, intake):
        with pytest.raises(FileRejected, match="Attach Files"):
            await adapter.send(outbound(bench, sender=None, files=(outbound_file(tmp_path / "a.txt"),)))
        bench.emulator.deny(bench.chat, Permission.ATTACH_FILES | Permission.SEND_MESSAGES)
        bits = adapter._guilds.permissions
        await eventually(
            lambda: not (bits(bench.chat, adapter._identity.user_id) or 0) & Permission.SEND_MESSAGES, "the change is known"
        )
        with pytest.raises(ChatDown):
            await adapter.send(outbound(bench, sender=None, files=(outbound_file(tmp_path / "a.txt"),)))

"""Every way a send can fail, against the emulated Discord: one attempt, the right class, nothing sent twice."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.world import Permission
from adapters.discord.errors import file_fault, refusal_of
from bridge.model.adapter import OutboundDelete, OutboundEdit, Sender
from bridge.model.errors import AccountDown, ChatDown, FileRejected, OutcomeUnknown, RetryLater, Scope
from bridge.model.rich_text import plain
from tests.support.patience import eventually

from .conftest import Bench
from .sending import ANNA, copy_of, outbound, outbound_file, shown

# -- errors -------------------------------------------------------------------------------------------------------------------


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
    idle = [connection for kept in adapter._transport.session.connector._conns.values() for connection, _ in kept]
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


# -- files --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "errors", "places"),
    [
        (413, 40005, None, ()),
        (413, 0, None, ()),
        (415, 0, None, ()),
        (400, 50045, None, ()),
        (400, 50046, None, ()),
        (400, 50006, None, ()),
        (400, 200000, None, ()),
        (400, 50035, {"files": {"1": {"_errors": [{}]}}}, (1,)),
        (400, 50035, {"attachments": {"0": {"description": {"_errors": [{}]}}}}, (0,)),
        (400, 50035, {"files": {"_errors": [{}]}}, ()),
    ],
)
def test_answers_that_are_about_a_file(status: int, code: int, errors: object, places: tuple[int, ...]) -> None:
    body = {"message": "no", "code": code, **({"errors": errors} if errors else {})}
    fault = file_fault(refusal_of(status, body if code else None, {}))
    assert fault is not None
    assert fault.places == places


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, {"code": 50013}),
        (404, {"code": 10003}),
        (400, {"code": 50035, "errors": {"content": {"_errors": [{}]}}}),
        (400, {"code": 240000}),
    ],
)
def test_answers_that_are_not(status: int, body: dict[str, object]) -> None:
    assert file_fault(refusal_of(status, body, {})) is None


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
    assert raised.value.places == (1,)
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
        bits = adapter._context.places.permissions
        await eventually(
            lambda: not (bits(bench.chat, adapter._context.user_id) or 0) & Permission.SEND_MESSAGES, "the change is known"
        )
        with pytest.raises(ChatDown):
            await adapter.send(outbound(bench, sender=None, files=(outbound_file(tmp_path / "a.txt"),)))


# -- unknown outcomes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", [ANNA, None])
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DROP_AFTER])
async def test_an_unknown_outcome_is_told_by_reading_back(
    bench: Bench, adapter: DiscordAdapter, tmp_path: Path, sender: Sender | None, kind: FaultKind
) -> None:
    path = tmp_path / "note.txt"
    path.write_text("note")
    same = outbound(bench, "same *text*  ", sender=sender, token="t0", files=(outbound_file(path),))
    await adapter.send(same)
    await bench.emulator.say(bench.chat, "Anna", "same *text*")
    started = datetime.now(UTC)
    bench.emulator.inject(Fault(kind=kind, operation="POST /*", times=1))
    second = outbound(bench, "same *text*  ", sender=sender, token="t1", files=(outbound_file(path),))
    with pytest.raises(OutcomeUnknown):
        await adapter.send(second)
    found = await adapter.reconcile(second, started)
    if kind is FaultKind.DROP:
        assert found is None, "an earlier message of the same words is not this one"
    else:
        assert found is not None
        assert found.message_ids == (shown(bench)[-1].message_id,)
        await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, found), text=plain("edited"), has_files=True, sender=sender))
        assert shown(bench)[-1].text == "edited"


async def test_reading_back_leaves_out_what_the_journal_knows(bench: Bench) -> None:
    """After a crash the adapter itself remembers nothing; messages with a receipt are told by the intake."""
    before_crash = bench.adapter()
    started = datetime.now(UTC) - timedelta(seconds=1)
    receipt = await before_crash.send(outbound(bench, "ok", token="t0"))
    await before_crash.close()
    adapter, intake = bench.adapter(), bench.intake()
    intake.known_ids[bench.chat] = list(receipt.message_ids)
    async with bench.running(adapter, intake):
        assert await adapter.reconcile(outbound(bench, "ok", token="t1"), started) is None
    await adapter.close()


async def test_a_repeated_bot_message_is_recognised_by_its_nonce(bench: Bench) -> None:
    adapter = bench.adapter(post_as="bot")
    bench.emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation="POST /*", times=1))
    message = outbound(bench, "once", sender=None)
    with pytest.raises(OutcomeUnknown):
        await adapter.send(message)
    receipt = await adapter.send(message)
    assert [m.message_id for m in shown(bench)] == list(receipt.message_ids)
    await adapter.close()

"""Every kind of fault, and what the adapter makes of it: retry later, outcome unknown, account down, connection lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.telegram.emulator import Rates, TelegramEmulator
from bridge.model.adapter import Copy, Outbound, OutboundDelete, OutboundEdit, OutboundReaction
from bridge.model.errors import AccountDown, OutcomeUnknown, Rejected, RetryLater, Scope
from bridge.model.rich_text import plain


async def attempt(adapter: Any, outbound: Outbound) -> BaseException | None:
    try:
        await adapter.send(outbound)
    except Exception as error:
        return error
    return None


def sends(emulator: TelegramEmulator) -> int:
    return sum(call.startswith("send") for call in emulator.calls())


async def test_429_says_how_long(emulator: TelegramEmulator, adapter: Any, say: Callable[..., Outbound]) -> None:
    emulator.inject(Fault(kind=FaultKind.RATE_LIMIT, operation="send*", times=1, retry_after_s=17))
    error = await attempt(adapter, say("x"))
    assert isinstance(error, RetryLater)
    assert (error.after_s, error.rate_limited, error.scope) == (17.0, True, Scope.CHAT)
    emulator.inject(Fault(kind=FaultKind.RATE_LIMIT, operation="send*", times=1, retry_after_s=None))
    error = await attempt(adapter, say("x"))
    assert isinstance(error, RetryLater)
    assert (error.after_s, error.rate_limited) == (None, True)
    assert sends(emulator) == 2, "one attempt per call"


@pytest.mark.parametrize(
    ("kind", "arrives"),
    [
        (FaultKind.SERVER_ERROR, 0),
        (FaultKind.SERVER_ERROR_AFTER, 1),
        (FaultKind.HANG, 0),
        (FaultKind.HANG_AFTER, 1),
        (FaultKind.DROP, 0),
        (FaultKind.DROP_AFTER, 1),
    ],
)
async def test_without_an_answer_the_outcome_is_unknown(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, say: Callable[..., Outbound], kind: FaultKind, arrives: int
) -> None:
    adapter = make_adapter(request_timeout_s=2.0)
    emulator.inject(Fault(kind=kind, operation="sendMessage", times=1, status=502))
    error = await attempt(adapter, say("x"))
    assert isinstance(error, OutcomeUnknown)
    assert sends(emulator) == 1, "no hidden retry"
    assert len(emulator.transcript(chat)) == arrives
    assert await attempt(adapter, say("y")) is None


async def test_a_refused_connection_surely_did_nothing(
    emulator: TelegramEmulator, adapter: Any, say: Callable[..., Outbound]
) -> None:
    assert await attempt(adapter, say("warm")) is None
    await emulator.refuse_connections(True)
    # the pooled connection was cut with the listener: the first attempt may still have used it
    errors = [await attempt(adapter, say("x")) for _ in range(2)]
    assert isinstance(errors[1], RetryLater)
    assert errors[1].scope is Scope.ACCOUNT
    await emulator.refuse_connections(False)
    assert await attempt(adapter, say("y")) is None


async def test_an_unresolvable_host_is_retried_later(make_adapter: Any, say: Callable[..., Outbound]) -> None:
    adapter = make_adapter(base_url="http://telegram.invalid:1")
    assert isinstance(await attempt(adapter, say("x")), RetryLater)


async def test_a_refused_token_is_the_accounts_end(
    emulator: TelegramEmulator, adapter: Any, say: Callable[..., Outbound], chat: str
) -> None:
    emulator.inject(Fault(kind=FaultKind.UNAUTHORIZED, times=1))
    error = await attempt(adapter, say("x"))
    assert isinstance(error, AccountDown)
    assert "BotFather" in error.action


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR_AFTER, FaultKind.DROP_AFTER, FaultKind.HANG_AFTER])
async def test_what_may_be_repeated_is_simply_tried_again_later(
    emulator: TelegramEmulator,
    chat: str,
    make_adapter: Any,
    say: Callable[..., Outbound],
    copy_of: Callable[..., Copy],
    kind: FaultKind,
) -> None:
    adapter = make_adapter(request_timeout_s=2.0)
    outbound = say("x")
    copy = copy_of(outbound, await adapter.send(outbound))
    emulator.inject(Fault(kind=kind, operation="[!s]*Message*"))
    emulator.inject(Fault(kind=kind, operation="setMessageReaction"))
    with pytest.raises(RetryLater):
        await adapter.edit(OutboundEdit(token="e", copy=copy, text=plain("y")))
    with pytest.raises(RetryLater):
        await adapter.react(OutboundReaction(copy=copy, wanted=("👍",)))
    with pytest.raises(RetryLater):
        await adapter.delete(OutboundDelete(copy=copy))
    emulator.clear_faults()
    await adapter.react(OutboundReaction(copy=copy, wanted=("👍",))) if kind is None else None
    await adapter.delete(OutboundDelete(copy=copy))


async def test_an_answer_that_cannot_be_read_is_an_unknown_outcome(make_adapter: Any, say: Callable[..., Outbound]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    error = await attempt(make_adapter(base_url=f"http://127.0.0.1:{port}"), say("x"))
    server.close()
    await server.wait_closed()
    assert isinstance(error, OutcomeUnknown)


async def test_a_message_that_went_out_counts_although_its_description_is_strange(
    emulator: TelegramEmulator, adapter: Any, say: Callable[..., Outbound], monkeypatch: pytest.MonkeyPatch
) -> None:
    from adapters.telegram.emulator import wire

    whole = wire.chat_wire
    monkeypatch.setattr(wire, "chat_wire", lambda chat: whole(chat) | {"type": "holodeck"})
    assert (await adapter.send(say("x"))).message_ids


async def test_group_limits_are_passed_on_as_waits(
    chat: str, make_adapter: Any, say: Callable[..., Outbound], emulator: TelegramEmulator
) -> None:
    emulator.rates = Rates(group_per_minute=3)
    adapter = make_adapter()
    errors = [await attempt(adapter, say(f"m{n}")) for n in range(5)]
    assert [type(error).__name__ for error in errors] == ["NoneType"] * 3 + ["RetryLater"] * 2
    assert isinstance(errors[4], RetryLater)
    assert 50 < (errors[4].after_s or 0) <= 60


async def test_the_token_is_in_no_error_and_no_log(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, say: Callable[..., Outbound], caplog: pytest.LogCaptureFixture
) -> None:
    adapter = make_adapter(request_timeout_s=2.0)
    secret = emulator.token.split(":")[1]
    seen: list[BaseException | None] = []
    with caplog.at_level(logging.DEBUG):
        for kind in FaultKind:
            emulator.clear_faults()
            emulator.inject(Fault(kind=kind, operation="sendMessage", times=1, delay_s=0.6 if kind is FaultKind.LATENCY else None))
            seen.append(await attempt(adapter, say("x")))
        await emulator.refuse_connections(True)
        seen += [await attempt(adapter, say("x")), await attempt(adapter, say("x" * 5000))]
    for error in seen:
        while error is not None:
            assert secret not in repr(error) + str(error)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert secret not in caplog.text
    assert secret not in repr(adapter._options)


async def test_messages_telegram_never_takes_are_rejected(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Callable[..., Outbound]
) -> None:
    error = await attempt(adapter, say("   "))
    assert isinstance(error, Rejected)
    with pytest.raises(Rejected):
        await adapter.send(say(""))

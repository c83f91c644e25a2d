"""What every platform's failures become: the core decides by class, so a wrong class is a lost or doubled message."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from adapters.common.conformance import Lacks
from adapters.common.emulation.contract import Fault, FaultKind, StreamFault
from bridge.model.errors import AccountDown, ChatDown, ConnectionLost, DeliveryError, OutcomeUnknown, Rejected, RetryLater
from bridge.model.events import MessageCreated
from bridge.model.rich_text import plain
from tests.conformance.cases import CASES
from tests.conformance.rig import Rig
from tests.support.patience import PATIENCE_S


async def failure(rig: Rig, *faults: Fault) -> Exception:
    """What a send raises under these faults, once everything it needs beforehand has been looked up."""
    await rig.send(plain("first"))
    for fault in faults:
        rig.emulator.inject(fault)
    with pytest.raises((DeliveryError, AccountDown)) as caught:
        await asyncio.wait_for(rig.adapter.send(rig.outbound(plain("hello"))), PATIENCE_S)
    rig.emulator.clear_faults()
    assert_secretless(rig, caught.value)
    return caught.value


def assert_secretless(rig: Rig, error: BaseException | None) -> None:
    """No credential in the error or in what it was raised from."""
    options = rig.emulator.account_options()
    secrets = [str(options[key]) for key in rig.manifest.manifest.credential_keys if key in options]
    while error is not None:
        assert not any(secret in f"{error!r} {error} {error.args!r}" for secret in secrets)
        error = error.__cause__


async def test_a_rate_limit_tells_how_long_to_wait(rig: Rig) -> None:
    error = await failure(rig, Fault(kind=FaultKind.RATE_LIMIT, retry_after_s=7.0))
    assert isinstance(error, RetryLater)
    assert error.rate_limited
    assert error.after_s is not None
    assert error.after_s >= 7.0


async def test_a_rate_limit_without_a_time_is_still_one(rig: Rig) -> None:
    error = await failure(rig, Fault(kind=FaultKind.RATE_LIMIT, retry_after_s=None))
    assert isinstance(error, RetryLater)
    assert error.rate_limited


async def test_a_request_that_surely_did_not_leave_can_be_repeated(rig: Rig) -> None:
    await rig.emulator.refuse_connections(True)
    for _ in range(5):
        with pytest.raises((RetryLater, OutcomeUnknown)) as caught:
            await asyncio.wait_for(rig.adapter.send(rig.outbound(plain("hello"))), PATIENCE_S)
        assert_secretless(rig, caught.value)
        if isinstance(caught.value, RetryLater):  # before that, connections kept alive from earlier requests may break
            break
    assert isinstance(caught.value, RetryLater)
    await rig.emulator.refuse_connections(False)


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.SERVER_ERROR_AFTER])
async def test_a_request_that_may_have_been_processed_is_unknown(rig: Rig, kind: FaultKind) -> None:
    error = await failure(rig, Fault(kind=kind))
    wanted = RetryLater if Lacks.UNKNOWN_OUTCOMES in CASES[rig.platform].lacks else OutcomeUnknown
    assert isinstance(error, wanted)


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.SERVER_ERROR])
async def test_what_cannot_be_told_is_never_called_final(rig: Rig, kind: FaultKind) -> None:
    error = await failure(rig, Fault(kind=kind))
    assert isinstance(error, RetryLater | OutcomeUnknown)


async def test_a_refused_credential_parks_the_account(rig: Rig) -> None:
    """Or the one chat that it is for."""
    error = await failure(rig, Fault(kind=FaultKind.UNAUTHORIZED))
    wanted = ChatDown if Lacks.ONE_CREDENTIAL in CASES[rig.platform].lacks else AccountDown
    assert isinstance(error, wanted)
    assert error.action


async def test_a_chat_that_is_not_there_is_down_and_says_what_to_do(rig: Rig) -> None:
    outbound = msgspec.structs.replace(rig.outbound(plain("hello")), chat_id=CASES[rig.platform].absent_chat)
    with pytest.raises((ChatDown, Rejected)) as caught:
        await asyncio.wait_for(rig.adapter.send(outbound), PATIENCE_S)
    assert isinstance(caught.value, ChatDown)
    assert caught.value.action


async def test_a_slow_answer_is_no_failure(rig: Rig) -> None:
    rig.emulator.inject(Fault(kind=FaultKind.LATENCY, delay_s=0.3, times=1))
    await rig.adapter.send(rig.outbound(plain("late")))


async def test_a_lost_connection_ends_the_run_or_heals(rig: Rig) -> None:
    """The supervisor calls `run` again; what was said meanwhile still comes."""
    await rig.emulator.disturb(StreamFault.DISCONNECT)
    done, _ = await asyncio.wait([rig.running], timeout=0.5)  # short: it may go on
    if done:
        assert isinstance(rig.running.exception(), ConnectionLost)
        rig.run_again()
    await rig.emulator.say(rig.chat.chat_id, "Anna", "after the cut")
    await rig.first(MessageCreated)


async def test_cancelling_ends_the_run(rig: Rig) -> None:
    rig.running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(rig.running, PATIENCE_S)

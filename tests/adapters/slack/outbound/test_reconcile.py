"""What may have arrived is looked for: after every fault of a post, and after those of each step of an upload."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.slack.emulator import SlackEmulator
from bridge.model.adapter import (
    OutboundEdit,
    Reply,
)
from bridge.model.capabilities import Feature
from bridge.model.errors import AccountDown, BridgeError, OutcomeUnknown, RetryLater, Scope
from bridge.model.rich_text import (
    RichText,
    plain,
)
from tests.adapters.slack.outbound.sending import ANNA, copy_of, file, outbound
from tests.support.patience import eventually


@pytest.mark.parametrize(
    ("fault", "error", "arrived"),
    [
        (Fault(kind=FaultKind.RATE_LIMIT, retry_after_s=7), RetryLater, False),
        (Fault(kind=FaultKind.RATE_LIMIT, retry_after_s=None), RetryLater, False),
        (Fault(kind=FaultKind.SERVER_ERROR), OutcomeUnknown, False),
        (Fault(kind=FaultKind.SERVER_ERROR, status=503), OutcomeUnknown, False),
        (Fault(kind=FaultKind.SERVER_ERROR_AFTER), OutcomeUnknown, True),
        (Fault(kind=FaultKind.HANG), OutcomeUnknown, False),
        (Fault(kind=FaultKind.HANG_AFTER), OutcomeUnknown, True),
        (Fault(kind=FaultKind.DROP), OutcomeUnknown, False),
        (Fault(kind=FaultKind.DROP_AFTER), OutcomeUnknown, True),
        (Fault(kind=FaultKind.UNAUTHORIZED), AccountDown, False),
    ],
    ids=lambda value: f"{value.kind}" if isinstance(value, Fault) else "",
)
async def test_every_fault_of_a_post_is_classified_and_reconciled(
    account: Any, emulator: SlackEmulator, fault: Fault, error: type[BridgeError], arrived: bool
) -> None:
    import msgspec

    chat, adapter = account.chat(), account.build(request_timeout_s=2.0)
    await account.start(adapter)
    before = datetime.now(UTC)
    emulator.inject(msgspec.structs.replace(fault, operation="chat.postMessage", times=1))
    with pytest.raises(error) as caught:
        await adapter.send(outbound(chat))
    assert emulator.calls().count("chat.postMessage") == 1
    if isinstance(caught.value, RetryLater):
        assert (caught.value.after_s, caught.value.rate_limited) == (fault.retry_after_s, True)
        assert caught.value.scope is Scope.CHAT
    assert emulator.workspace.bot_token not in str(caught.value)
    found = await adapter.reconcile(outbound(chat), before)
    assert (found is not None) is arrived
    assert len(emulator.transcript(chat)) == (1 if arrived else 0)
    if found is not None:
        assert found.message_ids == (emulator.transcript(chat)[0].message_id,)


async def test_refused_connections_surely_sent_nothing(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    await emulator.refuse_connections(True)
    with pytest.raises(RetryLater):
        await adapter.send(outbound(chat))
    with pytest.raises(RetryLater):
        await adapter.reconcile(outbound(chat), datetime.now(UTC))
    await emulator.refuse_connections(False)
    await adapter.send(outbound(chat))


@pytest.mark.parametrize("operation", ["files.getUploadURLExternal", "files.upload", "files.completeUploadExternal"])
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DROP_AFTER, FaultKind.SERVER_ERROR, FaultKind.RATE_LIMIT])
async def test_every_step_of_an_upload_can_fail(
    account: Any, emulator: SlackEmulator, tmp_path: Path, operation: str, kind: FaultKind
) -> None:
    chat = account.chat()
    adapter = await account.start(request_timeout_s=2.0)
    before = datetime.now(UTC)
    emulator.inject(Fault(kind=kind, operation=operation, times=1))
    sent = outbound(chat, "caption", files=(file(tmp_path, "a.bin", b"x" * 100_000),))
    is_last = operation == "files.completeUploadExternal" and kind is not FaultKind.RATE_LIMIT
    with pytest.raises(OutcomeUnknown if is_last else RetryLater):
        await adapter.send(sent)
    if is_last and kind is FaultKind.DROP_AFTER:
        await eventually(lambda: emulator.transcript(chat))
        found = await adapter.reconcile(sent, before)
        assert found is not None
        assert found.message_ids == (emulator.transcript(chat)[0].message_id,)
        bare = outbound(chat, RichText(), files=sent.files, token="tok-2")
        emulator.inject(Fault(kind=kind, operation=operation, times=1))
        with pytest.raises(OutcomeUnknown):
            await adapter.send(bare)
        await eventually(lambda: len(emulator.transcript(chat)) == 2)
        found = await adapter.reconcile(bare, before)
        assert found is not None
        assert found.message_ids == (emulator.transcript(chat)[1].message_id,)
    else:
        assert emulator.transcript(chat) == []
        await adapter.send(sent)
        assert len(emulator.transcript(chat)) == 1


async def test_a_message_that_lies_in_a_thread_is_found_again(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    parent = await emulator.say(chat, "Boris", "question")
    reply = outbound(chat, "answer", reply=Reply(message_id=parent))
    receipt = await adapter.send(reply)
    found = await adapter.reconcile(reply, datetime.now(UTC) - timedelta(seconds=5))
    assert found is not None
    assert (found.message_ids, found.thread_id) == (receipt.message_ids, parent)


async def test_a_share_that_is_slow_is_found_again(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat, adapter = account.chat(), account.build(personas=False)
    emulator.files.share_delay_s = 0.5
    emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation="files.completeUploadExternal", times=1))
    before = datetime.now(UTC)
    sent = outbound(chat, "caption", files=(file(tmp_path, "a.bin", b"x"),))
    with pytest.raises(OutcomeUnknown):
        await adapter.send(sent)
    found = await adapter.reconcile(sent, before)
    assert found is not None
    await adapter.edit(OutboundEdit(token="t", copy=copy_of(chat, found), text=plain("new"), has_files=True, sender=ANNA))
    assert emulator.seen(chat, found.message_ids[0]).text == "Anna Petrova:\nnew"


async def test_without_history_nobody_can_tell(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    assert adapter.capabilities.native(Feature.RECONCILE)
    emulator.workspace.scopes.discard("channels:history")
    with pytest.raises(RetryLater):
        await adapter.reconcile(outbound(chat), datetime.now(UTC))
    assert not adapter.capabilities.native(Feature.RECONCILE)

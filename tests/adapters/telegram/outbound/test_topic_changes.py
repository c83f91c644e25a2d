"""Topics that follow their partners: renamed, closed, reopened, deleted, and what Telegram refuses of that."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.telegram.emulator import TelegramEmulator, server
from adapters.telegram.emulator.errors import bad_request, forbidden
from bridge.model.errors import ChatDown, Rejected, ThreadGone
from bridge.model.threads import OutboundThread, ThreadCopy


async def test_a_topic_is_renamed_closed_reopened_and_deleted(emulator: TelegramEmulator, adapter: Any) -> None:
    forum, _ = emulator.add_forum("forum")
    topic = await adapter.open_thread(OutboundThread(token="t", chat_id=forum.chat_id, title="Releases"))
    thread = ThreadCopy(token="t", chat_id=forum.chat_id, thread_id=topic)
    for name in ("Versions", "Versions", "V" * 200):  # the same again: TOPIC_NOT_MODIFIED
        await adapter.rename_thread(thread, name)
    (seen,) = emulator.threads(forum.chat_id)
    assert (seen.name, seen.closed) == ("V" * 128, False)
    for closed in (True, True, False, False, True):
        await adapter.close_thread(thread, closed)
        assert emulator.threads(forum.chat_id)[0].closed is closed
    await adapter.delete_thread(thread)
    assert not emulator.threads(forum.chat_id)
    await adapter.delete_thread(thread)
    with pytest.raises(ThreadGone):
        await adapter.rename_thread(thread, "again")
    with pytest.raises(ThreadGone):
        await adapter.close_thread(thread, False)


async def test_without_the_right_it_is_refused(emulator: TelegramEmulator, adapter: Any) -> None:
    forum, (topic,) = emulator.add_forum("forum", ["Releases"])
    emulator.promote(forum.chat_id, admin=False)
    thread = ThreadCopy(token="t", chat_id=forum.chat_id, thread_id=topic)
    for call in (adapter.rename_thread(thread, "x"), adapter.close_thread(thread, True), adapter.delete_thread(thread)):
        with pytest.raises(Rejected):
            await call


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (bad_request("CHAT_ADMIN_REQUIRED"), Rejected),
        (forbidden("CHAT_ADMIN_REQUIRED"), Rejected),
        (bad_request("message thread not found"), ThreadGone),
        (bad_request("TOPIC_DELETED"), ThreadGone),
        (forbidden("bot was kicked from the supergroup chat"), ChatDown),
    ],
)
async def test_refusals_by_their_texts(
    emulator: TelegramEmulator,
    adapter: Any,
    answer: Exception,
    meaning: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(_call: Any) -> bool:
        raise answer

    forum, (topic,) = emulator.add_forum("forum", ["Releases"])
    monkeypatch.setitem(server._METHODS, "closeforumtopic", ("closeForumTopic", refuse))
    with pytest.raises(meaning) as caught:
        await adapter.close_thread(ThreadCopy(token="t", chat_id=forum.chat_id, thread_id=topic), True)
    assert type(caught.value).__name__ != "ThreadDown"

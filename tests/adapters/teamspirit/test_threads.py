"""Threads of a messenger that names each by its first post alone: an answer finds it, whatever is known of the answered message."""

from __future__ import annotations

import pytest

from bridge.model.adapter import Adapter, Copy, Deletes, Edits, OutboundDelete, OutboundEdit, Receipt, Reply
from bridge.model.errors import ChangeRefused, RetryLater
from bridge.model.rich_text import plain
from bridge.model.threads import OpensThreads
from tests.adapters.teamspirit.harness import make_adapter, running
from tests.adapters.teamspirit.mattermost_server import MattermostServer, account_options, outbound
from tests.support.intake import RecordingIntake


@pytest.fixture
def thread(server: MattermostServer, channel: str) -> tuple[str, str]:
    """A question and an answer to it."""
    anna = server.add_user("anna")
    root = server.post(channel, anna, "question")
    return root, server.post(channel, anna, "answer", root_id=root)


def root_of(server: MattermostServer, receipt: Receipt) -> str:
    return str(server.posts[receipt.message_ids[0]]["root_id"])


async def test_an_answer_to_an_answer_is_in_the_same_thread(
    server: MattermostServer, mattermost: Adapter, channel: str, thread: tuple[str, str]
) -> None:
    """Of people's posts the core knows the id alone."""
    root, answer = thread
    receipt = await mattermost.send(outbound(channel, reply=Reply(message_id=answer)))
    assert root_of(server, receipt) == root
    assert receipt.thread_id == root
    further = await mattermost.send(outbound(channel, reply=Reply(message_id=receipt.message_ids[0])))
    assert root_of(server, further) == root


async def test_what_was_read_need_not_be_asked_for(
    server: MattermostServer, mattermost: Adapter, channel: str, intake: RecordingIntake
) -> None:
    anna = server.add_user("anna")
    async with running(mattermost, intake):
        root = server.post(channel, anna, "question")
        answer = server.post(channel, anna, "answer", root_id=root)
        await intake.wait(2)
        assert root_of(server, await mattermost.send(outbound(channel, reply=Reply(message_id=answer)))) == root
    assert "GET /posts/{post}" not in server.calls


@pytest.mark.parametrize("on_record", [None, "a thread that the route was set to"])
async def test_an_answer_to_our_own_copy_after_a_restart(
    server: MattermostServer, channel: str, thread: tuple[str, str], on_record: str | None
) -> None:
    root, answer = thread
    before = make_adapter(account_options(server))
    copy = await before.send(outbound(channel, reply=Reply(message_id=answer)))
    await before.close()
    after = make_adapter(account_options(server))
    receipt = await after.send(outbound(channel, reply=Reply(message_id=copy.message_ids[0], thread_id=on_record)))
    await after.close()
    assert root_of(server, receipt) == root


async def test_a_route_may_be_set_to_any_post_of_a_thread(
    server: MattermostServer, mattermost: Adapter, channel: str, thread: tuple[str, str]
) -> None:
    root, answer = thread
    assert root_of(server, await mattermost.send(outbound(channel, thread_id=answer))) == root
    assert root_of(server, await mattermost.send(outbound(channel, thread_id=root, reply=Reply(message_id=answer)))) == root


async def test_an_answer_to_a_deleted_answer_stays_in_the_thread(
    server: MattermostServer, mattermost: Adapter, channel: str, thread: tuple[str, str]
) -> None:
    root, answer = thread
    server.delete(answer)
    receipt = await mattermost.send(outbound(channel, reply=Reply(message_id=answer, thread_id=root)))
    assert root_of(server, receipt) == root


REPLY = {"author_name": "Anna", "excerpt": "the *question*"}
LINE = "> **Anna:\u2060** the \\*question\\*"


@pytest.mark.parametrize("known", [True, False])
async def test_a_thread_that_is_gone_costs_nobody_the_message(
    server: MattermostServer, mattermost: Adapter, channel: str, thread: tuple[str, str], known: bool
) -> None:
    """Also when it was there a moment ago. The answered message is shown by a line, which an edit keeps."""
    root, answer = thread
    assert isinstance(mattermost, Edits)
    if known:
        await mattermost.send(outbound(channel, reply=Reply(message_id=answer)))
    server.delete(root)
    reply = Reply(message_id=answer, thread_id=root, **REPLY)
    receipt = await mattermost.send(outbound(channel, "me too", reply=reply))
    post = server.posts[receipt.message_ids[0]]
    assert (post["root_id"], post["message"]) == ("", f"{LINE}\n\nme too")
    assert receipt.losses
    assert len([one for one in server.posts.values() if "me too" in one["message"]]) == 1
    copy = Copy(chat_id=channel, message_ids=receipt.message_ids, thread_id=receipt.thread_id, adapter_data=receipt.adapter_data)
    edited = await mattermost.edit(OutboundEdit(token="t", copy=copy, text=plain("you too"), reply=reply))
    assert post["message"] == f"{LINE}\n\nyou too"
    assert edited.adapter_data == receipt.adapter_data


async def test_an_answered_message_of_another_channel_is_no_thread_here(
    server: MattermostServer, mattermost: Adapter, channel: str
) -> None:
    elsewhere = server.post(server.add_channel("elsewhere"), server.add_user("anna"), "question")
    receipt = await mattermost.send(outbound(channel, "me too", reply=Reply(message_id=elsewhere, **REPLY)))
    post = server.posts[receipt.message_ids[0]]
    assert (post["root_id"], post["message"]) == ("", f"{LINE}\n\nme too")


async def test_a_thread_that_cannot_be_told_now_is_waited_for(
    server: MattermostServer, mattermost: Adapter, channel: str, thread: tuple[str, str]
) -> None:
    root, answer = thread
    server.failing["GET /posts/{post}"] = 502
    with pytest.raises(RetryLater):
        await mattermost.send(outbound(channel, reply=Reply(message_id=answer)))
    assert len(server.posts) == 2
    server.failing.clear()
    assert root_of(server, await mattermost.send(outbound(channel, reply=Reply(message_id=answer)))) == root


async def test_a_dialect_of_older_days_finds_the_threads_that_were_read(
    server: MattermostServer, channel: str, intake: RecordingIntake
) -> None:
    """A file of the admin's that names threads by what is known of the answered message."""
    root_id = "{{ message.thread or message.reply_thread or message.reply_to }}"
    older = {"operations": {"message": None, "send": {"json": {"root_id": root_id}}}}
    adapter = make_adapter(account_options(server, overrides=older))
    async with running(adapter, intake):
        anna = server.add_user("anna")
        root = server.post(channel, anna, "question")
        answer = server.post(channel, anna, "answer", root_id=root)
        await intake.wait(2)
        copy = await adapter.send(outbound(channel, reply=Reply(message_id=answer)))
        assert root_of(server, copy) == root
        assert root_of(server, await adapter.send(outbound(channel, reply=Reply(message_id=copy.message_ids[0])))) == root
    await adapter.close()


async def test_a_copy_whose_id_was_never_told_is_not_deleted_and_begins_no_thread(
    server: MattermostServer, mattermost: Adapter, channel: str
) -> None:
    """As of an account that posted by incoming webhooks before it had a key."""
    assert isinstance(mattermost, Deletes)
    assert isinstance(mattermost, OpensThreads)
    copy = Copy(chat_id=channel, message_ids=())
    with pytest.raises(ChangeRefused, match="cannot be deleted"):
        await mattermost.delete(OutboundDelete(copy=copy))
    assert not await mattermost.opens_thread(channel, copy)
    assert await mattermost.opens_thread(channel, Copy(chat_id=channel, message_ids=(), thread_id="root"))

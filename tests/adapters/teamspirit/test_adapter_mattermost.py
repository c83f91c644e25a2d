"""The mattermost dialect against a small Mattermost, which mattermostdriver and apprise take for one too."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apprise
import pytest
from mattermostdriver import Driver  # type: ignore[import-untyped]

from bridge.model.adapter import (
    Adapter,
    Copy,
    Deletes,
    Edits,
    OpensFiles,
    OutboundDelete,
    OutboundEdit,
    OutboundFile,
    OutboundReaction,
    Reacts,
    Reconciles,
    Reply,
    SetsStatus,
    ShowsTyping,
)
from bridge.model.capabilities import Feature
from bridge.model.errors import AccountDown, ChatDown, Rejected, RightMissing
from bridge.model.events import Attachment, AttachmentKind, MessageCreated
from bridge.model.rich_text import plain
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, running, summary
from tests.adapters.teamspirit.mattermost_hooks import IncomingHook
from tests.adapters.teamspirit.mattermost_server import TOKEN, MattermostServer, account_options, outbound
from tests.support.intake import RecordingIntake


async def test_mattermostdriver_takes_the_server_for_mattermost(server: MattermostServer, channel: str) -> None:
    scheme, _, rest = server.url.partition("://")
    host, _, port = rest.partition(":")
    driver = Driver({"scheme": scheme, "url": host, "port": int(port), "token": TOKEN, "verify": False})

    def use() -> None:
        driver.login()
        me = driver.users.get_user("me")
        post = driver.posts.create_post({"channel_id": channel, "message": "by the driver"})
        driver.posts.patch_post(post["id"], {"message": "patched"})
        driver.reactions.create_reaction({"user_id": me["id"], "post_id": post["id"], "emoji_name": "tada"})
        uploaded = driver.files.upload_file(channel, {"files": ("a.txt", b"abc")})["file_infos"][0]
        assert driver.files.get_file(uploaded["id"]).content == b"abc"
        listed = driver.posts.get_posts_for_channel(channel, {"since": 1})
        now, before = sorted(listed["posts"].values(), key=lambda one: bool(one["original_id"]))
        assert (now["id"], before["original_id"], len(listed["order"])) == (post["id"], post["id"], 2)
        assert listed["posts"][post["id"]]["message"] == "patched"
        driver.posts.delete_post(post["id"])

    await asyncio.to_thread(use)


async def test_apprise_posts_to_the_server(server: MattermostServer, channel: str) -> None:
    server.incoming["abcdefghijklmnopqrstuvwxyz"] = IncomingHook(channel)
    notifier = apprise.Apprise()
    assert notifier.add(server.url.replace("http://", "mmost://") + "/abcdefghijklmnopqrstuvwxyz?image=no")
    assert await notifier.async_notify(body="by apprise")
    assert [post["message"] for post in server.posts.values()] == ["by apprise"]


async def test_sending(
    server: MattermostServer, mattermost: Adapter, channel: str, intake: RecordingIntake, tmp_path: Path
) -> None:
    assert isinstance(mattermost, Edits)
    assert isinstance(mattermost, Deletes)
    assert isinstance(mattermost, Reacts)
    assert isinstance(mattermost, OpensFiles)
    assert isinstance(mattermost, ShowsTyping)
    assert isinstance(mattermost, SetsStatus)
    (tmp_path / "f").write_bytes(b"abc")
    attachment = Attachment(kind=AttachmentKind.PHOTO, file_id="elsewhere")
    file = OutboundFile(attachment=attachment, path=tmp_path / "f", name="a.png", mime="image/png", size_bytes=3)
    async with running(mattermost, intake):
        anna = server.add_user("anna", "Anna", "Petrova")
        root = server.post(channel, anna, "question")
        answer = server.post(channel, anna, "more", root_id=root)
        receipt = await mattermost.send(
            outbound(channel, "a *b* @here", files=(file,), reply=Reply(message_id=answer, thread_id=root))
        )
        post = server.posts[receipt.message_ids[0]]
        assert post["message"] == "a \\*b\\* @\u200bhere"
        assert (post["root_id"], post["props"]["from_bridge"]) == (root, "mbabcdef-1-0")
        async with mattermost.open_file(Attachment(kind=AttachmentKind.PHOTO, file_id=post["file_ids"][0])) as stream:
            assert b"".join([chunk async for chunk in stream.chunks]) == b"abc"
        copy = Copy(chat_id=channel, message_ids=receipt.message_ids)
        await mattermost.edit(OutboundEdit(token="t", copy=copy, text=plain("other"), has_files=True))
        assert (post["message"], len(post["file_ids"])) == ("other", 1)
        await mattermost.react(OutboundReaction(copy=copy, wanted=("👍", "🎉"), added=("👍", "🎉")))
        await mattermost.react(OutboundReaction(copy=copy, wanted=("🎉",), removed=("👍",)))
        assert [name for _, _, name in server.reactions] == ["tada"]
        await mattermost.show_typing(channel, None)
        await mattermost.set_status("busy", "")
        assert server.statuses == {server.bot: "dnd"}
        await mattermost.delete(OutboundDelete(copy=copy))
        await mattermost.delete(OutboundDelete(copy=copy))
        assert post["delete_at"]


async def test_a_change_that_is_not_allowed_is_no_trouble_of_the_chat(
    server: MattermostServer, mattermost: Adapter, channel: str, intake: RecordingIntake
) -> None:
    """A right that is missing, or an edit of a copy that somebody deleted there: Mattermost has one code for these and for channels
    that the bot is not in."""
    assert isinstance(mattermost, Edits)
    assert isinstance(mattermost, Reacts)
    receipt = await mattermost.send(outbound(channel))
    copy = Copy(chat_id=channel, message_ids=receipt.message_ids)
    async with running(mattermost, intake):
        server.may_change = False
        with pytest.raises(Rejected):
            await mattermost.react(OutboundReaction(copy=copy, wanted=("👍",), added=("👍",)))
        server.may_change = True
        server.delete(receipt.message_ids[0])
        with pytest.raises(RightMissing, match="What to do: let the bot edit"):
            await mattermost.edit(OutboundEdit(token="t", copy=copy, text=plain("other")))
        with pytest.raises(ChatDown):
            await mattermost.send(outbound("0" * 26))


async def test_receiving(
    server: MattermostServer, mattermost: Adapter, channel: str, intake: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.teamspirit.inbound.receiver.REREAD_WITH_WEBHOOK_S", 0.05)
    anna = server.add_user("anna", "Anna", "Petrova")
    server.post(channel, anna, "from before the bridge")
    async with running(mattermost, intake):
        info: dict[str, Any] = {"id": server.new_id(), "name": "a.png", "size": 3, "mime_type": "image/png"}
        server.files[info["id"]] = (info, b"abc")
        first = server.post(channel, anna, "**one**", file_ids=[info["id"]])
        await intake.wait(1)
        server.post(channel, anna, "two", root_id=first)
        server.post(channel, anna, "joined", type="system_join_channel")
        await intake.wait(2)
        server.edit(first, "**one** more")
        await intake.wait(3)
        server.delete(first)  # with the answer to it
        await intake.wait(5)
        server.post(channel, server.bot, "ours", props={"from_bridge": "mbabcdef-1-0"})
        await intake.until(lambda: bool(intake.own()))
    assert summary(intake) == ["+one", "+two", "~one more", "-", "-"]
    created = intake.foreign()[0]
    assert isinstance(created, MessageCreated)
    assert created.meta.author is not None
    assert (created.meta.author.name, created.meta.author.username) == ("Anna Petrova", "anna")
    assert [(file.kind, file.name) for file in created.content.attachments] == [(AttachmentKind.PHOTO, "a.png")]
    assert intake.foreign()[1].meta.thread_id == first
    assert server.calls.count("GET /users/{user}") == 1, "an author is asked for once"


async def test_what_an_edited_post_said_before_is_no_message_that_was_deleted(
    server: MattermostServer, mattermost: Adapter, channel: str, intake: RecordingIntake
) -> None:
    """Of each edit the server keeps the earlier words as a deleted post of another id, which `since` gives too."""
    anna = server.add_user("anna", "Anna", "Petrova")
    post = server.post(channel, anna, "from before the bridge")
    async with running(mattermost, intake):
        first = server.post(channel, anna, "one")
        await intake.wait(1)
        for number in range(3):
            server.edit(post, f"changed {number}")
            server.edit(first, f"one, {number}")
        server.post(channel, anna, "the last")
        await intake.until(lambda: "+the last" in summary(intake))
    assert "-" not in summary(intake)
    assert {"~changed 2", "~one, 2"} <= set(summary(intake))


async def test_an_absence_is_caught_up(server: MattermostServer, channel: str, intake: RecordingIntake) -> None:
    anna = server.add_user("anna")
    adapter = make_adapter(account_options(server))
    async with running(adapter, intake):
        old = server.post(channel, anna, "old")
        await intake.wait(1)
    await adapter.close()
    for number in range(120):
        server.post(channel, anna, f"{number}")
    server.edit(old, "new")
    adapter = make_adapter(account_options(server))
    async with running(adapter, intake):
        await intake.wait(122)
    await adapter.close()
    assert [one for one in summary(intake) if one.startswith("+")] == ["+old", *(f"+{number}" for number in range(120))]
    assert "~new" in summary(intake)


async def test_an_outgoing_webhook_brings_new_posts_at_once(
    server: MattermostServer, web: PublicWeb, channel: str, intake: RecordingIntake
) -> None:
    webhook = {"path": "a-path-hard-to-guess", "key": "outgoing-token"}
    adapter = make_adapter(account_options(server, webhook=webhook, poll_interval_s=30.0, poll_idle_interval_s=30.0), web)
    server.outgoing = (f"{web.public_url}/hooks/spirit/a-path-hard-to-guess", "outgoing-token")
    anna = server.add_user("anna", "Anna", "Petrova")
    async with running(adapter, intake):
        server.post(channel, anna, "one")
        server.post(channel, anna, "two")
        await intake.wait(2)
    await adapter.close()
    assert summary(intake) == ["+one", "+two"]
    author = intake.foreign()[0].meta.author
    assert author is not None
    assert author.name == "Anna Petrova"


async def test_channels_keys_and_rights(server: MattermostServer, mattermost: Adapter, channel: str) -> None:
    assert await mattermost.resolve("town-square") == channel
    assert await mattermost.resolve("Town-Square") == channel
    with pytest.raises(ChatDown):
        await mattermost.send(outbound("0" * 26))
    wrong = make_adapter(account_options(server, api_key="wrong"))
    with pytest.raises(AccountDown):
        await wrong.send(outbound(channel))
    await wrong.close()


async def test_reconciling(server: MattermostServer, mattermost: Adapter, channel: str) -> None:
    assert isinstance(mattermost, Reconciles)
    started = datetime.now(UTC)
    receipt = await mattermost.send(outbound(channel))
    assert await mattermost.reconcile(outbound(channel), started) == receipt
    assert await mattermost.reconcile(outbound(channel, token="mbabcdef-2-0"), started) is None


async def test_sender_names_where_a_server_allows_them(server: MattermostServer) -> None:
    """By overriding the dialect in place: the capability follows."""
    plainly = make_adapter(account_options(server))
    props = {"from_webhook": "true", "override_username": "{{ message.sender.name }}"}
    named = make_adapter(account_options(server, overrides={"operations": {"send": {"json": {"props": props}}}}))
    assert not plainly.capabilities.native(Feature.SENDER_NAME)
    assert named.capabilities.native(Feature.SENDER_NAME)

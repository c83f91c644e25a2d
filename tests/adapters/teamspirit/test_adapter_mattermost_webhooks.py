"""Mattermost without a token: incoming webhooks to send, an outgoing one to receive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge.model.adapter import (
    Adapter,
    Deletes,
    Edits,
    OpensFiles,
    Outbound,
    Reacts,
    ReadsHistory,
    Reconciles,
    Sender,
    ShowsTyping,
)
from bridge.model.capabilities import Feature, Support
from bridge.model.errors import BridgeError, ChatDown, OutcomeUnknown, RetryLater, Scope
from bridge.model.rich_text import Mark, Paragraph, RichText, Text, plain
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, running, summary
from tests.adapters.teamspirit.mattermost_server import MattermostServer
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually

PATH = "a-path-hard-to-guess"


@pytest.fixture
async def server() -> AsyncIterator[MattermostServer]:
    one = MattermostServer()
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
def square(server: MattermostServer) -> str:
    return server.add_channel("town-square")


def shared(server: MattermostServer, channel: str, **more: Any) -> dict[str, Any]:
    return {"dialect": "mattermost", "incoming_webhook": server.incoming_webhook(channel), "request_timeout_s": 30.0, **more}


def said(server: MattermostServer) -> list[tuple[str, str]]:
    """Of each post: the name of its channel, and what it says."""
    return [(server.channels[post["channel_id"]]["name"], post["message"]) for post in server.posts.values()]


async def send(adapter: Adapter, text: str | RichText, chat: str = "town-square", **more: Any) -> Any:
    rich = plain(text) if isinstance(text, str) else text
    return await adapter.send(Outbound(**{"token": "mbabcdef-1-0", "attempt": 1, "chat_id": chat, "text": rich, **more}))


async def test_one_webhook_posts_into_every_channel_by_its_name(server: MattermostServer, square: str) -> None:
    server.add_channel("duty")
    adapter = make_adapter(shared(server, square))
    for chat in ("town-square", "duty"):
        assert await adapter.resolve(chat) == chat
        receipt = await send(adapter, f"into {chat}", chat)
        assert receipt.message_ids == ()
    assert said(server) == [("town-square", "into town-square"), ("duty", "into duty")]
    assert [post["props"]["from_bridge"] for post in server.posts.values()] == ["mbabcdef-1-0"] * 2
    with pytest.raises(ChatDown, match="404") as down:
        await send(adapter, "nowhere", "elsewhere")
    assert "incoming_webhook" in down.value.action
    await adapter.close()


async def test_a_chat_with_a_webhook_of_its_own_is_not_named(server: MattermostServer, square: str) -> None:
    """It may be locked to its channel, and the chat may be named as the admin likes."""
    own = server.incoming_webhook(server.add_channel("a7f3"), is_locked=True)
    chats = {"alerts": {"incoming_webhook": own}, "square": {"id": "town-square"}}
    adapter = make_adapter(shared(server, square, chats=chats))
    await send(adapter, "one", await adapter.resolve("alerts"))
    server.channels[square]["name"] = "square"
    await send(adapter, "two", await adapter.resolve("square"))
    assert said(server) == [("a7f3", "one"), ("square", "two")]
    await adapter.close()


async def test_what_webhooks_cannot_do_is_declared(server: MattermostServer, square: str) -> None:
    adapter = make_adapter(shared(server, square))
    for ability in (Edits, Deletes, Reacts, OpensFiles, ReadsHistory, Reconciles, ShowsTyping):
        assert not isinstance(adapter, ability)
    level = adapter.capabilities.level
    assert [level(one) for one in (Feature.EDIT, Feature.DELETE, Feature.REACT, Feature.THREAD)] == [Support.DROPPED] * 4
    assert [level(one) for one in (Feature.REPLY, Feature.DOCUMENT, Feature.SENDER_NAME)] == [Support.CONVERTED] * 3
    assert adapter.capabilities.limits.upload_bytes == 0
    assert level(Feature.SEES_EDITS) is Support.DROPPED
    await adapter.close()


async def test_names_are_senders_only_if_the_admin_says_that_the_server_allows_it(server: MattermostServer, square: str) -> None:
    """Its answer is the same, and its own default is not to."""
    server.names_may_be_overridden = True
    adapter = make_adapter(shared(server, square, sender_names=True))
    assert adapter.capabilities.native(Feature.SENDER_NAME)
    assert adapter.capabilities.native(Feature.SENDER_AVATAR)
    await send(adapter, "hello", sender=Sender(name="Пётр", avatar_url="https://example.com/p.png"))
    (post,) = server.posts.values()
    shown = {"override_username": "Пётр", "override_icon_url": "https://example.com/p.png"}
    assert post["props"] == {"from_webhook": "true", "from_bridge": "mbabcdef-1-0", **shown}
    await adapter.close()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!channel> <!here> <@u1> <https://evil.example|ours> a|b", None),
        ("x`<a @channel` | b>", None),
        (RichText((Paragraph((Text("<a @channel", int(Mark.CODE)), Text(" | b>"))),)), "`<a @channel` \\∣ b>"),
        (RichText((Paragraph((Text("cat <in | grep x >out", int(Mark.CODE)),)),)), "`cat <in ∣ grep x >out`"),
        (RichText((Paragraph((Text("<!channel>", int(Mark.CODE)),)),)), "`<\u200b!channel>`"),
        (RichText((Paragraph((Text("x <!DOCTYPE html> a || b", int(Mark.CODE)),)),)), "`x <!DOCTYPE html> a || b`"),
    ],
)
async def test_slacks_links_and_mentions_in_a_text_stay_what_they_are(
    server: MattermostServer, square: str, text: str | RichText, shown: str | None
) -> None:
    """The server looks for them everywhere, in code too: it would end a span of code and let what is behind mention everybody."""
    adapter = make_adapter(shared(server, square))
    sent = adapter._encoder.text(plain(text) if isinstance(text, str) else text)  # type: ignore[attr-defined]
    await send(adapter, text)
    ((_, message),) = said(server)
    assert message == sent, "the server found something in it"
    if shown is not None:
        assert message == shown
    await adapter.close()


@pytest.mark.parametrize("spoil", ["locked", "off"])
async def test_a_webhook_that_is_of_no_use_is_its_chats_trouble(server: MattermostServer, square: str, spoil: str) -> None:
    server.add_channel("duty")
    adapter = make_adapter(shared(server, square))
    (hook,) = server.incoming.values()
    hook.is_locked = spoil == "locked"
    server.takes_incoming = spoil != "off"
    with pytest.raises(ChatDown) as down:
        await send(adapter, "x", "duty")
    assert "incoming_webhook" in down.value.action
    assert "hook0000" not in str(down.value)
    assert not server.posts
    await adapter.close()


async def test_one_message_that_is_refused_is_not_its_chats_trouble(server: MattermostServer, square: str) -> None:
    """The same answer comes where the webhook is gone: so it is tried again, until others show what it is."""
    adapter = make_adapter(shared(server, square))
    server.refused_texts.add("refused")
    for _ in range(2):
        with pytest.raises(RetryLater, match="HTTP 400") as refused:
            await send(adapter, "refused")
        assert (refused.value.scope, refused.value.rate_limited) == (Scope.CHAT, False)
        await send(adapter, "others pass")
    assert "hook0000" not in str(refused.value)
    assert said(server) == [("town-square", "others pass")] * 2
    server.incoming.clear()
    with pytest.raises(RetryLater, match="incoming_webhook is gone"):
        await send(adapter, "x")
    await adapter.close()


async def test_a_server_that_fails_may_have_posted(server: MattermostServer, square: str) -> None:
    """The code is the same as of a webhook that is gone; the status is not."""
    adapter = make_adapter(shared(server, square))
    server.hook_status = 500
    with pytest.raises(OutcomeUnknown):
        await send(adapter, "x")
    await adapter.close()


async def test_others_arrive_by_an_outgoing_webhook_and_files_as_a_line(
    server: MattermostServer, square: str, web: PublicWeb, intake: RecordingIntake
) -> None:
    """Chats are known by their names, as the incoming webhook needs them; the server does not tell what came by that."""
    intake.chats.add("town-square")
    server.outgoing = (f"{web.public_url}/hooks/spirit/{PATH}", "outgoing-token")
    adapter = make_adapter(shared(server, square, webhook={"path": PATH, "key": "outgoing-token"}), web)
    anna = server.add_user("anna", "Anna", "Petrova")
    async with running(adapter, intake):
        await send(adapter, "ours")
        server.post(square, anna, "hers")
        server.files["f1"] = ({"id": "f1", "name": "a.png"}, b"x")
        await eventually(lambda: summary(intake) == ["+hers"])
        server.post(square, anna, "look", file_ids=["f1"])
        await eventually(lambda: len(intake.foreign()) == 2)
        server.post(square, anna, "", file_ids=["f1"])
        await eventually(lambda: len(intake.foreign()) == 3)
    line = "[files that only Mattermost shows]"
    assert summary(intake) == ["+hers", f"+look\n\n{line}", f"+{line}"]
    assert {event.meta.origin.chat_id for event in intake.foreign()} == {"town-square"}
    await adapter.close()


async def test_an_account_that_only_sends_needs_no_public_url(
    server: MattermostServer, square: str, intake: RecordingIntake
) -> None:
    adapter = make_adapter(shared(server, square))
    async with running(adapter, intake) as run:
        assert intake.up.is_set()
        await send(adapter, "hello")
        assert not run.task.done()
    items = {item.name: item for item in await adapter.probe(["town-square"])}
    assert all(item.ok for item in items.values()), items
    assert "only go there" in items["receiving"].detail
    await adapter.close()


@pytest.mark.parametrize("dialect", ["pachca", "rocketchat"])
async def test_others_send_without_a_key_too(server: MattermostServer, square: str, dialect: str) -> None:
    """Each chat by its own webhook."""
    adapter = make_adapter({"dialect": dialect, "chats": {"duty": {"incoming_webhook": f"{server.url}/hooks/x"}}})
    assert not isinstance(adapter, Edits)
    request = adapter._encoder.request(  # type: ignore[attr-defined]
        "webhook_send",
        adapter._dialect.operations.webhook_send,  # type: ignore[attr-defined]
        adapter._encoder.send_values(Outbound(token="t", attempt=1, chat_id="duty", text=plain("hi")), [], ""),  # type: ignore[attr-defined]
    )
    assert (request.method, request.url, dict(request.headers)) == ("POST", f"{server.url}/hooks/x", {})
    assert b"hi" in request.json_body
    with pytest.raises(BridgeError):
        await adapter.resolve("elsewhere")
    await adapter.close()

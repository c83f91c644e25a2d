"""The pachca dialect against a small Pachca, which the official SDK takes for one too."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pachca.client import PachcaClient
from pachca.models import (
    ChatSortField,
    FileUploadRequest,
    ListChatMessagesParams,
    ListChatsParams,
    MessageCreateRequest,
    MessageCreateRequestMessage,
    ReactionRequest,
    SortOrder,
)

from bridge.model.adapter import Adapter, Outbound, OutboundFile, Reply, Sender
from bridge.model.capabilities import Feature
from bridge.model.dialects import StepState
from bridge.model.errors import FileRejected
from bridge.model.events import Attachment, AttachmentKind, MembershipChanged, MessageCreated
from bridge.model.rich_text import plain, text_of
from bridge.render.notices import notice_line
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, running, summary
from tests.adapters.teamspirit.pachca_server import TOKEN, PachcaServer
from tests.adapters.teamspirit.trial.conftest import context_of, steps_of
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually


@pytest.fixture
async def pachca() -> AsyncIterator[PachcaServer]:
    server = PachcaServer()
    await server.start()
    yield server
    await server.stop()


def options(server: PachcaServer, **more: Any) -> dict[str, Any]:
    fast = {"poll_interval_s": 0.05, "poll_idle_interval_s": 0.05, "request_timeout_s": 30.0}
    return {"dialect": "pachca", "server": server.url, "api_key": TOKEN, **fast, **more}


@pytest.fixture
async def adapter(pachca: PachcaServer) -> AsyncIterator[Adapter]:
    made = make_adapter(options(pachca))
    yield made
    await made.close()


async def test_the_official_sdk_takes_the_server_for_pachca(pachca: PachcaServer) -> None:
    chat = pachca.add_chat("duty")
    client = PachcaClient(TOKEN, base_url=f"{pachca.url}/api/shared/v1")
    assert (await client.profile.get_profile()).nickname == "mostik"
    private = pachca.add_chat("clara", personal=True)
    by_time = ListChatsParams(personal=True, sort=ChatSortField.LAST_MESSAGE_AT, order=SortOrder.DESC)
    assert [(one.id, one.personal) for one in await client.chats.list_chats_all(by_time)] == [(private, True)]
    assert {one.name for one in await client.chats.list_chats_all()} == {"duty", "clara"}
    made = await client.messages.create_message(
        MessageCreateRequest(message=MessageCreateRequestMessage(entity_id=chat, content="hello", display_name="Anna"))
    )
    assert made.display_name == "Anna"
    params = await client.common.get_upload_params()
    request = FileUploadRequest(
        **{name: getattr(params, name) for name in ("content_disposition", "policy", "x_amz_credential", "x_amz_algorithm")},
        **{name: getattr(params, name) for name in ("x_amz_date", "x_amz_signature", "key")},
        file=b"abc",
    )
    await client.common.upload_file(params.direct_url, request)
    assert list(pachca.stored.values()) == [b"abc"]
    await client.reactions.add_reaction(made.id, ReactionRequest(code="👍"))
    listed = await client.messages.list_chat_messages_all(ListChatMessagesParams(chat_id=chat))
    assert [one.content for one in listed] == ["hello"]
    await client.messages.delete_message(made.id)
    await client._client._transport._transport.aclose()  # type: ignore[attr-defined] # what its own close leaves open
    await client.close()


async def test_every_operation_of_the_dialect_works(pachca: PachcaServer) -> None:
    pachca.add_chat("duty")
    steps = await steps_of(context_of(options(pachca)), "duty")
    assert [steps.pop(name).state for name in ("webhook_send", "rename_chat")] == [StepState.SKIPPED] * 2
    assert {step.state for step in steps.values()} == {StepState.OK}, [step for step in steps.values() if step.state != "ok"]
    assert set(steps) == {
        *(
            "me",
            "chats",
            "direct_chats",
            "users",
            "find_users",
            "upload",
            "send",
            "history",
            "edit",
            "react",
            "unreact",
            "download",
            "set_status",
            "delete",
        )
    }
    assert not pachca.messages
    assert pachca.status == {"emoji": "🟢", "title": "online"}


async def test_sending(pachca: PachcaServer, adapter: Adapter, intake: RecordingIntake, tmp_path: Path) -> None:
    chat = pachca.add_chat("duty")
    intake.chats.add(str(chat))
    first = pachca.say(chat, pachca.add_user("anna"), "who is there?")
    (tmp_path / "f").write_bytes(b"abc")
    file = OutboundFile(
        attachment=Attachment(kind=AttachmentKind.PHOTO, file_id="x"),
        path=tmp_path / "f",
        name="a.png",
        mime="image/png",
        size_bytes=3,
    )
    outbound = Outbound(
        **{"token": "t-1", "attempt": 1, "chat_id": str(chat), "text": plain("me"), "files": (file,)},  # type: ignore[arg-type]
        sender=Sender(name="Пётр", avatar_url="https://example.com/p.png"),
        reply=Reply(message_id=str(first), author_name="anna", excerpt="who"),
    )
    receipt = await adapter.send(outbound)
    posted = pachca.messages[int(receipt.message_ids[0])]
    assert (posted["content"], posted["display_name"], posted["parent_message_id"]) == ("me", "Пётр", first)
    assert posted["display_avatar_url"] == "https://example.com/p.png"
    assert [(one["name"], one["file_type"]) for one in posted["files"]] == [("a.png", "image")]
    assert list(pachca.stored.values()) == [b"abc"]
    assert adapter.capabilities.native(Feature.SENDER_NAME)
    assert adapter.capabilities.native(Feature.REPLY)


def with_file(chat: int, folder: Path) -> Outbound:
    (folder / "f").write_bytes(b"abc")
    attachment = Attachment(kind=AttachmentKind.PHOTO, file_id="x")
    file = OutboundFile(attachment=attachment, path=folder / "f", name="a.png", mime="image/png", size_bytes=3)
    return Outbound(token="t-1", attempt=1, chat_id=str(chat), text=plain("me"), files=(file,))


@pytest.fixture
async def store(pachca: PachcaServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PachcaServer]:
    """Another server of this machine, which `store.example.com` leads to. At the first address that is tried nobody listens."""

    async def lookup(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"] if host == "store.example.com" else [host]

    monkeypatch.setattr("adapters.common.egress._addresses", lookup)
    server = PachcaServer()
    server.stored = pachca.stored
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize("host", ["127.0.0.1", "store.example.com", "169.254.169.254"])
async def test_a_file_does_not_go_where_the_server_leads_into_a_private_network(
    pachca: PachcaServer, adapter: Adapter, store: PachcaServer, tmp_path: Path, host: str
) -> None:
    pachca.store_url = f"{store.url.replace('127.0.0.1', host)}/store"
    with pytest.raises(FileRejected) as caught:
        await adapter.send(with_file(pachca.add_chat("duty"), tmp_path))
    assert (
        caught.value.reason == f"upload: the server leads to {host}, where nothing is sent; file_hosts in bridge.yaml can allow it"
    )
    assert not store.stored
    assert not pachca.messages


@pytest.mark.parametrize(("host", "allowed"), [("127.0.0.1", "127.0.0.1"), ("store.example.com", "127.0.0.0/8")])
async def test_a_file_goes_to_a_store_that_is_allowed(
    pachca: PachcaServer, store: PachcaServer, tmp_path: Path, host: str, allowed: str
) -> None:
    pachca.store_url = f"{store.url.replace('127.0.0.1', host)}/store"
    adapter = make_adapter(options(pachca, file_hosts=[allowed]))
    try:
        await adapter.send(with_file(pachca.add_chat("duty"), tmp_path))
    finally:
        await adapter.close()
    assert list(store.stored.values()) == [b"abc"]


async def test_receiving_by_the_history_alone(pachca: PachcaServer, intake: RecordingIntake) -> None:
    chat = pachca.add_chat("duty")
    intake.chats.add(str(chat))
    anna = pachca.add_user("anna", first="Анна", last="Петрова")
    pachca.say(chat, anna, "said before")
    adapter = make_adapter(options(pachca))
    async with running(adapter, intake):
        photo = {"id": 5, "url": f"{pachca.url}/files/a", "key": "a", "name": "a.png", "file_type": "image"}
        message = pachca.say(chat, anna, "**новое**", files=[photo])
        await eventually(lambda: summary(intake) == ["+новое"])
        (created,) = intake.of(MessageCreated)
        assert created.meta.author is not None
        assert created.meta.author.name == "Анна Петрова"
        assert [one.kind for one in created.content.attachments] == [AttachmentKind.PHOTO]
        pachca.edit(message, "другое")
        await eventually(lambda: summary(intake)[-1] == "~другое")
        del pachca.messages[message]
        await eventually(lambda: summary(intake)[-1] == "-")
    await adapter.close()
    for number in range(120):
        pachca.say(chat, anna, f"while away {number}")
    again = make_adapter(options(pachca))
    async with running(again, intake):
        await eventually(lambda: len(summary(intake)) == 123)
    assert summary(intake)[3:] == [f"+while away {number}" for number in range(120)]
    assert not intake.gaps
    await again.close()


def signed(payload: dict[str, Any], secret: str) -> dict[str, Any]:
    body = json.dumps(payload).encode()
    return {"data": body, "headers": {"Pachca-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}}


async def test_calls_of_the_outgoing_webhook(pachca: PachcaServer, web: PublicWeb, intake: RecordingIntake) -> None:
    chat = pachca.add_chat("duty")
    intake.chats.add(str(chat))
    anna = pachca.add_user("anna")
    webhook = {"path": "a-path-hard-to-guess", "secret": "signing-secret"}
    adapter = make_adapter(options(pachca, webhook=webhook, poll_interval_s=3600.0, poll_idle_interval_s=3600.0), web)
    async with running(adapter, intake), aiohttp.ClientSession() as session:
        url = f"{web.public_url}/hooks/spirit/a-path-hard-to-guess"
        message = pachca.say(chat, anna, "by a call")
        call = {
            **{"type": "message", "event": "new", "id": message, "entity_type": "discussion", "entity_id": chat, "chat_id": chat},
            **{"content": "by a call", "user_id": anna, "created_at": pachca.messages[message]["created_at"], "thread": None},
            **{"url": "https://app.pachca.com/x", "parent_message_id": None, "webhook_timestamp": int(time.time())},
        }
        reaction = {
            **{"type": "reaction", "event": "new", "message_id": message, "code": "👍", "name": ":thumbsup:", "user_id": anna},
            **{"created_at": "2026-11-26T10:00:00.000Z", "chat_id": chat, "webhook_timestamp": int(time.time())},
        }
        for wrong in (
            signed(call, "another-secret"),
            signed({**call, "webhook_timestamp": int(time.time()) - 600}, "signing-secret"),
            signed({**call, "webhook_timestamp": None}, "signing-secret"),
            {"data": json.dumps(call).encode()},
        ):
            async with session.post(url, **wrong) as answer:
                assert answer.status == 401
        for right in (call, reaction, {"type": "button", "event": "click", "webhook_timestamp": int(time.time())}):
            async with session.post(url, **signed(right, "signing-secret")) as answer:
                assert answer.status == 200, await answer.text()
        await eventually(lambda: summary(intake) == ["+by a call", "👍|"])
    await adapter.close()


@pytest.mark.parametrize("number", [100, 101, 102, 350])
async def test_of_more_people_than_are_told_one_by_one_a_line_says_how_many(
    pachca: PachcaServer, web: PublicWeb, intake: RecordingIntake, number: int
) -> None:
    chat = pachca.add_chat("duty")
    intake.chats.add(str(chat))
    people = [pachca.add_user(f"user{one}", first=f"Person {one}") for one in range(number)]
    webhook = {"path": "a-path-hard-to-guess", "secret": "signing-secret"}
    adapter = make_adapter(options(pachca, webhook=webhook, poll_interval_s=3600.0, poll_idle_interval_s=3600.0), web)
    call = {"type": "chat_member", "event": "add", "chat_id": chat, "user_ids": people, "webhook_timestamp": int(time.time())}
    async with running(adapter, intake), aiohttp.ClientSession() as session:
        for _ in range(2):
            url = f"{web.public_url}/hooks/spirit/a-path-hard-to-guess"
            async with session.post(url, **signed(call, "signing-secret")) as answer:
                assert answer.status == 200, await answer.text()
    await adapter.close()
    told = [event for event in intake.of(MembershipChanged) if not event.meta.sent_by_us]
    assert len({event.meta.event_key for event in told}) == len(told)
    assert [event.member.name for event in told[:100]] == [f"Person {one}" for one in range(100)]
    rest = [notice_line(event, actor="Somebody", member=event.member.name) for event in told[100:]]
    lines: dict[int, list[str]] = {
        100: [],
        101: ["Person 100 joined"],
        102: ["2 more people joined"],
        350: ["250 more people joined"],
    }
    assert [text_of(line) for line in rest] == lines[number]
    assert not intake.undecoded

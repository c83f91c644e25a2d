"""What programs post by matterbridge's API: which end it is for, its files, what is refused and what is not."""

from __future__ import annotations

import asyncio
import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from bridge.model.events import MessageCreated, MessageDeleted, MessageEdited
from bridge.model.web_mount import EVERY_CHAT
from tests.adapters.webhook.matterbridge_api.served import serving
from tests.support.patience import eventually

FILE = {"Name": "a/../map.png", "Data": base64.b64encode(b"\x89PNG").decode(), "Comment": "the map", "URL": "", "Size": 4}


def kept_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_message_is_answered_once_it_is_kept(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        answer = await served.post({"text": "hello", "username": " Steve ", "gateway": "one", "avatar": "https://x.example/a.png"})
        (event,) = served.intake.of(MessageCreated)
        assert (event.message_id, event.meta.origin.chat_id) == (answer["id"], "one")
        assert event.meta.author is not None
        assert (event.meta.author.name, event.meta.author.avatar_url) == ("Steve", "https://x.example/a.png")
        assert event.meta.author.is_bot, "a program answers for nobody's commands"
        assert list(answer) == [
            *("text", "channel", "username", "userid", "avatar", "account", "event", "protocol", "gateway", "parent_id"),
            *("timestamp", "id", "Extra"),
        ]


async def test_the_gateway_names_the_end() -> None:
    async with serving() as served:
        assert (await served.post({"text": "no gateway, and no doubt"}))["gateway"] == "one"
        assert "'two'" in (await served.post({"text": "x", "gateway": "two"}, status=400))["message"]
        served.by(chat=EVERY_CHAT)
        for gateway, said in (("", "missing"), ("two", "no gateway 'two'"), ("third", "one, the second")):
            assert said in (await served.post({"text": "x", "gateway": gateway}, status=400))["message"]
        await served.post({"text": "there", "gateway": "the second"})
        (first, second) = served.intake.of(MessageCreated)
        assert (first.meta.origin.chat_id, second.meta.origin.chat_id) == ("one", "two")
        assert [event.meta.author and event.meta.author.name for event in (first, second)] == ["Mod", "Two"]


async def test_files_are_kept_and_opened(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.post({"text": "", "gateway": "one", "Extra": {"file": [FILE, {"URL": "https://x.example/b.png"}]}})
        (event,) = served.intake.of(MessageCreated)
        (attachment,) = event.content.attachments
        assert (attachment.name, attachment.mime, attachment.size_bytes) == ("map.png", "image/png", 4)
        async with served.adapter.open_file(attachment) as stream:
            assert b"".join([block async for block in stream.chunks]) == b"\x89PNG"
        assert served.intake.texts() == ["the map\n📎 https://x.example/b.png"]


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ([], 400, "JSON object"),
        ("words", 400, "JSON object"),
        ({"text": "x", "Extra": {"file": [FILE, {"Name": "b", "Data": "no base64!"}]}}, 400, "Extra.file[1].Data"),
        ({"text": "x", "Extra": {"file": [{"Name": "b", "Data": "é"}]}}, 400, "Extra.file[0].Data"),
        ({"text": "x", "Extra": {"file": [{"Name": "b", "Data": "="}]}}, 400, "Extra.file[0].Data"),
        ({"text": "x", "Extra": {"file": [FILE] * 21}}, 413, "20 files"),
    ],
)
async def test_what_cannot_be_read_is_said_and_leaves_nothing(tmp_path: Path, said: Any, status: int, words: str) -> None:
    async with serving(tmp_path) as served:
        assert words in (await served.post(said, status))["message"]
        assert not served.intake.events
        assert not kept_files(tmp_path)


async def test_bodies_are_json_whatever_they_are_declared_as_and_bounded() -> None:
    async with serving() as served:
        await served.post(
            None, data=b'{"text": "declared as a form"}', headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert served.intake.texts() == ["declared as a form"]
        for data in (b"", b"text=hello", b"{"):
            await served.post(None, 400, data=data, headers={"Content-Type": "application/json"})
        await served.post(None, 413, data=BytesIO(b" " * (4 * 1024**2 + 1)))
        served.by(most_bytes=100)
        await served.post({"text": "x" * 100}, 413)


@pytest.mark.parametrize(
    "said",
    [
        {"text": "", "username": "Steve"},
        {"text": "  \n"},
        {"event": "user_typing", "text": "x"},
        {"event": "api_connected", "text": "x"},
        {"event": "msg_delete", "text": "msg_delete"},
        {"event": "msg_delete", "id": "unknown"},
        {"text": {"odd": 1}, "Extra": {"file": {"Name": "x"}}},
        {"text": None, "Extra": []},
    ],
)
async def test_what_says_nothing_is_accepted_and_counted(said: dict[str, Any]) -> None:
    async with serving() as served:
        answer = await served.post(said)
        assert answer["id"] == ""
        assert not served.intake.events
        assert served.intake.ignored_reasons.total() == 1


async def test_a_message_is_changed_and_taken_back_by_the_id_that_it_was_answered() -> None:
    async with serving() as served:
        posted = await served.post({"text": "teh", "username": "Steve"})
        await served.post({"text": "the", "username": "Steve", "id": posted["id"]})
        await served.post({"text": "the", "event": "msg_delete", "id": posted["id"]})
        again = await served.post({"text": "a program's own id", "id": "42"})
        created, edited, deleted, other = served.intake.events
        assert isinstance(created, MessageCreated)
        assert isinstance(edited, MessageEdited)
        assert isinstance(deleted, MessageDeleted)
        assert {created.message_id, edited.message_id, deleted.message_id} == {posted["id"]}
        assert isinstance(other, MessageCreated)
        assert other.message_id == again["id"] != "42"
        served.by(chat="two")
        await served.post({"text": "another end's", "event": "msg_delete", "id": again["id"]})
        assert len(served.intake.events) == 4, "an id holds in its own end"


async def test_a_repeated_request_is_one_message() -> None:
    async with serving() as served:
        ids = [(await served.post({"text": "once"}, headers={"Idempotency-Key": "r1"}))["id"] for _ in range(2)]
        assert ids[0] == ids[1]
        assert served.intake.texts() == ["once"]


async def test_an_answer_names_what_it_answers_and_an_action_is_italic() -> None:
    async with serving() as served:
        await served.post({"text": "yes", "parent_id": "t0"})
        await served.post({"text": "no", "parent_id": "msg-parent-not-found"})
        first, second = served.intake.of(MessageCreated)
        assert first.content.reply_to is not None
        assert first.content.reply_to.message_id == "t0"
        assert second.content.reply_to is None


async def test_it_is_not_taken_while_the_account_is_not_up() -> None:
    async with serving() as served:
        served.adapter._receiver._intake = None
        assert await served.post({"text": "x"}, 503)


async def test_what_is_posted_without_waiting_for_the_answer_is_taken() -> None:
    """matterbridge's own server runs its handler to the end."""
    async with serving() as served:
        began, go = asyncio.Event(), asyncio.Event()

        async def slowly() -> None:
            began.set()
            await go.wait()

        served.intake.before_accept = slowly
        for text in ("first", "second"):
            _, writer = await asyncio.open_connection("127.0.0.1", int(served.base.rpartition(":")[2]))
            body = json.dumps({"text": text}).encode()
            writer.write(b"POST /api/message HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await began.wait()
            waiting = served.adapter._receiver._waiting
            await eventually(lambda text=text, waiting=waiting: text == "first" or bool(waiting))
            writer.close()
            await writer.wait_closed()
        go.set()
        await served.intake.until(lambda: served.intake.texts() == ["first", "second"])

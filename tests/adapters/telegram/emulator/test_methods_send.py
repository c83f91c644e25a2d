"""What the send methods take and refuse, asked over bare HTTP."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from adapters.telegram.emulator import TelegramEmulator

Ask = Callable[..., Coroutine[Any, Any, Any]]


async def test_limits(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    assert (await ask("sendMessage", chat_id=chat, text="👍" * 4096))["ok"]
    assert "too long" in (await ask("sendMessage", chat_id=chat, text="👍" * 4097))["description"]
    assert "empty" in (await ask("sendMessage", chat_id=chat, text=" \n "))["description"]
    stored = emulator.world.files.add("a.txt", "text/plain", b"x")
    assert (await ask("sendDocument", chat_id=chat, document=stored.file_id, caption="c" * 1024))["ok"]
    assert (
        "caption is too long"
        in (await ask("sendDocument", chat_id=chat, document=stored.file_id, caption="c" * 1025))["description"]
    )
    links = [{"type": "text_link", "offset": n, "length": 1, "url": "https://a.example"} for n in range(120)]
    sent = await ask("sendMessage", chat_id=chat, text="x" * 120, entities=links)
    assert len(sent["result"]["entities"]) == 100


async def test_an_album_is_of_one_family_and_of_two_to_ten(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    stored = emulator.world.files.add("a.txt", "text/plain", b"x").file_id
    document, audio = {"type": "document", "media": stored}, {"type": "audio", "media": stored}
    assert "2-10" in (await ask("sendMediaGroup", chat_id=chat, media=[document]))["description"]
    assert "can't be mixed" in (await ask("sendMediaGroup", chat_id=chat, media=[document, audio]))["description"]
    sent = (await ask("sendMediaGroup", chat_id=chat, media=[document, {**document, "caption": "words"}]))["result"]
    assert len({message["media_group_id"] for message in sent}) == 1
    assert [message.get("caption") for message in sent] == [None, "words"]


async def test_a_poll_needs_a_question_and_options(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    for question, options in (("", ["a"]), ("x" * 301, ["a"]), ("ok?", []), ("ok?", ["a"] * 13)):
        assert not (await ask("sendPoll", chat_id=chat, question=question, options=options))["ok"]
    sent = await ask("sendPoll", chat_id=chat, question="ok?", options=[{"text": "yes"}, {"text": "no"}])
    assert [option["text"] for option in sent["result"]["poll"]["options"]] == ["yes", "no"]

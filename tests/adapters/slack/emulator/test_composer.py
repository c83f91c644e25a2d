"""What people say in Slack's composer, as it is shown."""

from __future__ import annotations

from adapters.common.emulation.contract import Upload
from adapters.slack.emulator import SlackEmulator


async def test_voice_and_album_are_shown_as_such(emulator: SlackEmulator) -> None:
    chat = emulator.add_chat("general").chat_id
    uploads = [
        Upload(name="v.m4a", mime="audio/mp4", content=b"v", kind="voice"),
        Upload(name="p.jpg", mime="image/jpeg", content=b"p"),
    ]
    ts = await emulator.say(chat, "Anna", "two", files=uploads)
    assert [file.kind for file in emulator.seen(chat, ts).files] == ["voice", "photo"]


async def test_the_formatting_sample_shows_its_words(emulator: SlackEmulator) -> None:
    chat = emulator.add_chat("general").chat_id
    seen = emulator.seen(chat, await emulator.say(chat, "Anna", emulator.formatting_sample()))
    assert seen.text.split() == ["bold", "italic", "strike", "code", "label", "quoted", "block"]
    for tag in (
        "<b>bold",
        "<i>italic",
        "<s>strike",
        "<code>code",
        '<a href="https://example.com/">label',
        "<blockquote>quoted",
        "<pre>block",
    ):
        assert tag in seen.html

"""Voice messages: what makes a message one, and what the request says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.discord.outbound.encode import is_voice, webhook_message
from adapters.discord.outbound.header import Header
from bridge.model.adapter import Outbound, OutboundFile, Reply
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import plain


def voice(*, mime: str = "audio/ogg", kind: AttachmentKind = AttachmentKind.VOICE, **facts: Any) -> OutboundFile:
    attachment = Attachment(kind=kind, file_id="v", mime=mime, **{"duration_s": 1.5, "waveform": "AAEC", **facts})
    return OutboundFile(attachment=attachment, path=Path("v"), name="voice.ogg", mime=mime, size_bytes=5)


def outbound(*files: OutboundFile, **changes: Any) -> Outbound:
    return Outbound(token="t", attempt=1, chat_id="1", files=files, **changes)


def test_it_says_how_long_and_how_loud_it_is_and_nothing_else() -> None:
    body = webhook_message(outbound(voice(), silent=True))
    assert body.get("flags") == 8192 | 4096
    assert "content" not in body
    assert body.get("attachments") == [{"id": 0, "filename": "voice-message.ogg", "duration_secs": 1.5, "waveform": "AAEC"}]


def test_an_unknown_loudness_is_a_flat_line() -> None:
    (described,) = webhook_message(outbound(voice(waveform=""))).get("attachments", [])
    assert described.get("waveform")


@pytest.mark.parametrize(
    "other",
    [
        outbound(voice(mime="audio/mp4")),
        outbound(voice(duration_s=None)),
        outbound(voice(kind=AttachmentKind.AUDIO)),
        outbound(voice(), voice()),
        outbound(),
    ],
)
def test_other_files_are_no_voice_messages(other: Outbound) -> None:
    assert not is_voice(other)
    assert not webhook_message(other).get("flags", 0) & 8192


def test_words_beside_it_make_it_a_file() -> None:
    assert not webhook_message(outbound(voice(), text=plain("listen"))).get("flags", 0) & 8192
    answering = webhook_message(outbound(voice()), Header(reply=Reply(author_name="Anna", excerpt="x")))
    assert not answering.get("flags", 0) & 8192
    assert "Anna" in answering.get("content", "")


def test_a_hidden_file_is_said_to_be_hidden() -> None:
    (described,) = webhook_message(outbound(voice(kind=AttachmentKind.PHOTO, mime="image/png", spoiler=True))).get(
        "attachments", []
    )
    assert described.get("is_spoiler") is True
    assert str(described.get("filename")).startswith("SPOILER_")

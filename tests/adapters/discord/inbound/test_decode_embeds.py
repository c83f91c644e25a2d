"""Embeds: what bots post crosses whole, what is only a preview of a link does not."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.discord.inbound.decode_context import Context
from bridge.model.events import AttachmentKind
from bridge.model.rich_text import Mark, Timestamp
from tests.adapters.discord.payloads import (
    BOT,
    CHANNEL,
    MESSAGE,
    context_of,
    created,
    message,
    one,
    runs,
    words,
)

SIGNED = "https://cdn.discordapp.com/attachments/100000000000000001/300000000000000001/graph.png?ex=1&is=2&hm=3"


STEAM = {  # a preview with fields is of type rich
    "type": "rich",
    "url": "https://store.example.com/app/1",
    "title": "Some Game",
    "description": "Buy it now.",
    "fields": [{"name": "Price", "value": "14.99", "inline": True}],
    "image": {"url": SIGNED},
}


SAID = "look https://store.example.com/app/1"


@pytest.fixture
def context() -> Context:
    return context_of()


@pytest.mark.parametrize("kind", ["rich", "link", "article", "video", "gifv", "image", "something new", None])
def test_a_persons_embeds_are_previews_and_not_her_words(context: Context, kind: str | None) -> None:
    embeds = [{**STEAM, "type": kind}]
    event = one(context, "MESSAGE_CREATE", message(content=SAID, embeds=embeds))
    assert (words(event), event.content.attachments) == (SAID, ())
    mended = message(content=SAID + "!", embeds=embeds, edited_timestamp="2026-11-01T12:01:00+00:00")
    event = one(context, "MESSAGE_UPDATE", mended)
    assert (words(event), event.content.attachments) == (SAID + "!", ())


def test_a_forwarded_preview_is_no_part_of_what_was_forwarded() -> None:
    tweet = {"type": "rich", "url": "https://twitter.com/a/status/1", "description": "a tweet", "author": {"name": "a"}}
    snapshot = {"content": "see https://x.com/a/status/1 and https://store.example.com/app/1", "embeds": [STEAM, tweet]}
    forwarded = {"message_reference": {"type": 1, "channel_id": CHANNEL}, "message_snapshots": [{"message": snapshot}]}
    assert words(created(content="", **forwarded)) == snapshot["content"]
    of_a_bot = {**forwarded, "message_snapshots": [{"message": {"content": "", "embeds": [{"type": "rich", "title": "Build 7"}]}}]}
    assert words(created(content="", **of_a_bot)) == "Build 7"


def test_a_followed_channels_post_does_not_bring_its_previews() -> None:
    """A webhook shows it, whoever wrote it there."""
    followed = {"webhook_id": "50", "author": {"id": "50", "username": "News #updates", "bot": True}, "flags": 1 << 1}
    assert words(created(content=SAID, embeds=[STEAM], **followed)) == SAID
    assert words(created(content="", embeds=[STEAM], **followed)).startswith("Some Game")


def test_everything_that_an_embed_shows_crosses() -> None:
    embed = {
        "type": "rich",
        "provider": {"name": "Jenkins", "url": "https://jenkins.example"},
        "author": {"name": "CI", "url": "https://ci.example"},
        "title": "Build <:no:42>",
        "url": "https://ci.example/7",
        "description": "**failed**",
        "fields": [
            {"name": "Branch", "value": "`main`"},
            {"name": "\u200b", "value": "\u200b"},
            {"name": "Tries", "value": 3},
            None,
        ],
        "footer": {"text": "now"},
        "timestamp": "2026-11-01T12:00:00Z",
        "image": {"url": "https://ci.example/7.png"},
        "video": {"url": "https://ci.example/7.mp4"},
        "thumbnail": {"url": "https://ci.example/7-small.png"},
    }
    event = created(content="", author=BOT, embeds=[embed, {"type": "link", "title": "a preview of a link in the text"}])
    lines = "Jenkins,CI,Build :no:,failed,Branch,main,Tries,3,https://ci.example/7.png,https://ci.example/7.mp4"
    assert words(event).splitlines()[:-2] == lines.split(",")
    assert words(event).splitlines()[-2:] == ["https://ci.example/7-small.png", "now • 2026-11-01 12:00 UTC"]
    links = {run.text: run.link for run in runs(event.content.text) if run.link}
    assert links["Build "] == "https://ci.example/7"
    assert (links["CI"], links["Jenkins"]) == ("https://ci.example", "https://jenkins.example")
    assert [run.marks for run in runs(event.content.text) if run.text == "failed"] == [Mark.BOLD]
    stamps = [i for b in event.content.text.blocks for i in getattr(b, "inlines", ()) if isinstance(i, Timestamp)]
    assert [stamp.unix_s for stamp in stamps] == [1793534400]


@pytest.mark.parametrize("where", [{"webhook_id": "50", "author": {"id": "50", "username": "Alerts"}}, {"author": BOT}])
def test_embeds_of_bots_and_webhooks_are_theirs(where: dict[str, Any]) -> None:
    assert words(created(content=SAID, embeds=[STEAM], **where)).startswith(f"{SAID}\nSome Game\nBuy it now.\nPrice\n14.99")


def test_pictures_that_a_bot_uploaded_cross_as_files_and_others_as_links() -> None:
    embed = {
        "type": "rich",
        "title": "Load",
        "image": {"url": SIGNED, "width": 10, "height": 5},
        "thumbnail": {"url": "https://x/y.png"},
    }
    event = created(content="", author=BOT, embeds=[embed])
    (file,) = event.content.attachments
    assert (file.kind, file.name, file.file_id) == (AttachmentKind.PHOTO, "graph.png", f"{CHANNEL}/{MESSAGE}/300000000000000001")
    assert (file.width, file.height, file.size_bytes) == (10, 5, None)
    assert words(event) == "Load\nhttps://x/y.png"
    listed = {"id": "300000000000000001", "filename": "graph.png", "size": 9, "content_type": "image/png"}
    (once,) = created(content="", author=BOT, embeds=[embed], attachments=[listed]).content.attachments
    assert once.size_bytes == 9

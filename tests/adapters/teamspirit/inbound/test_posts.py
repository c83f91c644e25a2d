"""Posts of Mattermost's form: what senders that we did not write send, and what the public reference shows."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import apprise
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from adapters.registry import load_platform
from adapters.teamspirit.inbound.posts import decode_post
from bridge.model.rich_text import Paragraph, Text, text_of
from tests.support.patience import PATIENCE_S


def shown(payload: Any) -> str:
    content = load_platform("teamspirit").decode_post(payload)
    assert content is not None
    return text_of(content.text)


async def test_what_apprise_posts_is_shown() -> None:
    bodies: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        bodies.append(json.loads(await request.text()))
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/hooks/{key}", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        notifier = apprise.Apprise()
        assert notifier.add(f"mmost://127.0.0.1:{runner.addresses[0][1]}/abcdefghijklmnopqrstuvwxyz?image=no")
        assert await asyncio.wait_for(notifier.async_notify(title="Disk", body="**full**: 97 %"), PATIENCE_S)
    finally:
        await runner.cleanup()
    (body,) = bodies
    assert "Disk" in shown(body)
    assert "full: 97 %" in shown(body)


def test_the_reference_s_example_of_attachments() -> None:
    """developers.mattermost.com/integrate/reference/message-attachments, "Example message attachment"."""
    payload = {
        "attachments": [
            {
                "fallback": "test",
                "color": "#FF8000",
                "pretext": "This is optional pretext that shows above the attachment.",
                "text": "This is the text of the attachment. It should appear just above an image of the Mattermost logo.",
                "thumb_url": "https://mattermost.org/wp-content/uploads/2016/04/icon_WS.png",
                "author_name": "Mattermost",
                "author_icon": "https://mattermost.org/wp-content/uploads/2016/04/icon_WS.png",
                "author_link": "https://mattermost.org/",
                "title": "Example Attachment",
                "title_link": "https://developers.mattermost.com/integrate/reference/message-attachments/",
                "fields": [
                    {"short": False, "title": "Long Field", "value": "Testing with a very long piece of text"},
                    {"short": True, "title": "Column One", "value": 17},
                ],
                "image_url": "https://mattermost.org/wp-content/uploads/2016/03/logoHorizontal_WS.png",
                "footer": "a footer",
                "actions": [{"name": "Approve", "integration": {"url": "https://example.com"}}],
            }
        ]
    }
    text = shown(payload)
    for words in (
        "This is optional pretext",
        "Mattermost",
        "Example Attachment",
        "just above an image",
        "Long Field: Testing with a very long piece of text",
        "Column One: 17",
        "logoHorizontal_WS.png",
        "icon_WS.png",
        "a footer",
        "[Approve]",
    ):
        assert words in text
    assert "test" not in text.split()


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"text": "**hi** :tada:"}, "hi 🎉"),
        ({"text": "", "props": {"attachments": [{"text": "below"}]}}, "below"),
        ({"text": "up", "attachments": [{"title": "a"}], "props": {"attachments": [{"title": "b"}]}}, "up\na\nb"),
        ({"text": "x", "priority": {"priority": "urgent", "requested_ack": True}}, "[urgent]\nx"),
        ({"text": "x", "props": {"card": "aside **bold**"}}, "x\naside bold"),
        ({"text": "<!here> see <https://example.com/a|the page>"}, "@here see the page"),
        ({"text": 17}, "17"),
        ({"text": "x", "attachments": "not a list"}, "x\nnot a list"),
        ({"text": "x", "attachments": [None, 5, {"fields": [{"title": None, "value": True}]}]}, "x\n5\ntrue"),
        ({"text": ""}, ""),
    ],
)
def test_what_else_a_post_shows(payload: Any, words: str) -> None:
    assert "\n".join(line for line in shown(payload).splitlines() if line.strip()) == words


def test_links_in_slack_s_form_lead_where_they_say() -> None:
    content = decode_post({"attachments": [{"text": "<https://example.com/a|the page>"}]})
    assert content is not None
    assert content.text.blocks == (Paragraph((Text("the page", 0, "https://example.com/a"),)),)


def test_a_long_post_is_shown_whole() -> None:
    words = "**bold** words " * 400
    assert len(shown({"text": words})) > 4000
    assert "bold words" in shown({"text": "see", "attachments": [{"text": words}]})


@pytest.mark.parametrize("payload", [None, "text", 5, [], {}, {"content": "discord"}, {"username": "x"}, {"props": {"a": 1}}])
def test_what_is_no_post_is_none(payload: Any) -> None:
    assert decode_post(payload) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["text", "fields", "value", "x"]), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["text", "attachments", "props", "priority", "username"]), _JSON))
def test_no_payload_breaks_it(payload: Any) -> None:
    decode_post(payload)

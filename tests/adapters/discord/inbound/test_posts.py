"""What posts to a webhook of Discord's form show, through the registry as others ask for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.inbound.posts import decode_post
from adapters.registry import load_platform
from bridge.model.rich_text import Mark, Paragraph, Text, text_of

POST = {
    "username": "Deploys",
    "avatar_url": "https://example.com/a.png",
    "content": "**done** [log](https://example.com/log)",
    "embeds": [
        {
            "title": "web 1.2.3",
            "url": "https://example.com/1.2.3",
            "description": "three changes",
            "color": 5814783,
            "fields": [{"name": "By", "value": "Anna", "inline": True}],
            "image": {"url": "attachment://graph.png"},
            "footer": {"text": "deployer"},
        }
    ],
}


def shown(payload: Any) -> str:
    content = load_platform("discord").decode_post(payload)
    assert content is not None
    assert not content.attachments
    return text_of(content.text)


def test_a_post_shows_its_words_and_embeds() -> None:
    assert shown(POST) == "done log\nweb 1.2.3\nthree changes\nBy\nAnna\ndeployer"
    content = decode_post(POST)
    assert content is not None
    first = content.text.blocks[0]
    assert isinstance(first, Paragraph)
    assert first.inlines[:2] == (Text("done", Mark.BOLD), Text(" "))
    assert first.inlines[2] == Text("log", 0, "https://example.com/log")


def test_a_picture_on_discords_own_servers_is_its_address() -> None:
    url = "https://cdn.discordapp.com/attachments/1/2/graph.png"
    assert url in shown({"embeds": [{"title": "load", "image": {"url": url}}]})


def test_a_poll_and_components_are_shown() -> None:
    content = decode_post({"poll": {"question": {"text": "Lunch?"}, "answers": [{"answer_id": 1, "poll_media": {"text": "Yes"}}]}})
    assert content is not None
    assert content.poll is not None
    assert content.poll.question == "Lunch?"
    v2 = {"flags": 1 << 15, "components": [{"type": 10, "content": "in a component"}]}
    assert shown(v2) == "in a component"


@pytest.mark.parametrize("payload", [None, [], "text", {}, {"content": ""}, {"text": "for another"}, {"embeds": []}])
def test_what_is_no_post_is_none(payload: Any) -> None:
    assert load_platform("discord").decode_post(payload) is None


def _dicts(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(["content", "embeds", "components", "title", "fields", "type", "poll", "flags"]), inner)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner) | _dicts(inner)
)


@given(_dicts(_JSON))
def test_no_payload_is_an_error(payload: dict[str, Any]) -> None:
    content = decode_post(payload)
    assert content is None or isinstance(text_of(content.text), str)

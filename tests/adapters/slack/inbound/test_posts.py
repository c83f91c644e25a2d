"""What posts to an incoming webhook of Slack's form show, through the registry as others ask for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.registry import load_platform
from adapters.slack.inbound.posts import decode_post
from bridge.model.rich_text import text_of
from tests.adapters.slack.inbound.app_posts import plain, section

ALERTMANAGER = {
    "channel": "#alerts",
    "username": "Alertmanager",
    "attachments": [
        {
            "title": "[FIRING:1] Disk (db1 critical)",
            "title_link": "http://alerts:9093/#/alerts?receiver=team",
            "text": "*disk* is full",
            "fallback": "[FIRING:1] Disk (db1 critical) | http://alerts:9093/#/alerts?receiver=team",
            "callback_id": "",
            "footer": "",
            "color": "danger",
            "mrkdwn_in": ["fallback", "pretext", "text"],
        }
    ],
}
"""As Alertmanager 0.25 posts it: no text, everything in attachments."""


def shown(payload: Any) -> str:
    content = load_platform("slack").decode_post(payload)
    assert content is not None
    return text_of(content.text)


def test_alertmanagers_post_is_its_attachments() -> None:
    assert shown(ALERTMANAGER) == "[FIRING:1] Disk (db1 critical)\ndisk is full"


def test_blocks_decide_and_the_fallback_does_not_repeat_them() -> None:
    post = {"text": "Build failed, open Slack", "blocks": [{"type": "header", "text": plain("Build failed")}, section("in *web*")]}
    assert shown(post) == "Build failed\nin web"
    assert shown({"text": "*words* <https://example.com|there>", "mrkdwn": True}) == "words there"
    assert shown({"text": "*words*", "mrkdwn": False}) == "*words*"


def test_what_a_post_says_of_others_is_its_own_word() -> None:
    """An app's attachment that says it is somebody's shared message, or a preview of a link, is a box of its own."""
    boxed = {"is_msg_unfurl": True, "is_share": True, "author_name": "The boss", "author_id": "U1", "text": "you are fired"}
    content = load_platform("slack").decode_post({"text": "hi", "attachments": [boxed, {"from_url": "https://x", "text": "kept"}]})
    assert content is not None
    assert content.forwarded_from is None
    assert text_of(content.text) == "hi\nThe boss\nyou are fired\nkept"


@pytest.mark.parametrize("payload", [None, [], "text", {}, {"text": ""}, {"content": "for another"}, {"attachments": []}])
def test_what_is_no_post_is_none(payload: Any) -> None:
    assert load_platform("slack").decode_post(payload) is None


def _dicts(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(["text", "blocks", "attachments", "type", "fields", "value", "elements"]), inner)


_JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | _dicts(inner))


@given(_dicts(_JSON))
def test_no_payload_is_an_error(payload: dict[str, Any]) -> None:
    content = decode_post(payload)
    assert content is None or isinstance(text_of(content.text), str)

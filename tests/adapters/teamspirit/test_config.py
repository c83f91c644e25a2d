"""Options of an account that do not go with its dialect are faults, which say what to do."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.registry import load_platform

SERVER = "https://im.example.com"
URL = f"{SERVER}/hooks/abc"
CHATS = {"duty": {"incoming_webhook": URL}}


def faults(**given: Any) -> dict[str, str]:
    """Of each key: why it is wrong, and what would do."""
    platform = load_platform("teamspirit")
    options = platform.options().model_validate(given)
    return {fault.key: f"{fault.why}; {fault.hint}" for fault in platform.check_options(options)}


def test_a_dialect_that_needs_a_key_says_what_would_do_without() -> None:
    assert "incoming webhooks" in faults(dialect="mattermost", server=SERVER)["api_key"]
    assert not faults(dialect="mattermost", incoming_webhook=URL)
    assert not faults(dialect="mattermost", chats=CHATS)
    assert faults(server=SERVER) == {"api_key": "the dialect teamspirit needs it; "}


def test_every_chat_has_a_webhook() -> None:
    chats = {**CHATS, "square": {}}
    assert faults(dialect="mattermost", chats=chats).keys() == {"chats.square.incoming_webhook"}
    assert not faults(dialect="mattermost", chats=chats, incoming_webhook=URL)
    assert faults(dialect="mattermost", incoming_webhook="no url").keys() == {"incoming_webhook"}
    assert faults(dialect="teamspirit-webhooks", incoming_webhook=URL).keys() == {"incoming_webhook"}


@pytest.mark.parametrize("dialect", ["pachca", "rocketchat"])
def test_without_a_key_others_send_and_do_not_receive(dialect: str) -> None:
    """In the calls of an outgoing webhook the bridge would not know its own messages."""
    hook = {"path": "a-path-hard-to-guess", "key": "k", "secret": "s"}
    assert not faults(dialect=dialect, chats=CHATS)
    assert "its own messages" in faults(dialect=dialect, server=SERVER, chats=CHATS, webhook=hook)["api_key"]
    assert faults(dialect=dialect, server=SERVER, incoming_webhook=URL).keys() == {"incoming_webhook"}


def test_what_needs_the_key_is_a_fault_without_it() -> None:
    assert faults(dialect="mattermost", incoming_webhook=URL, show_health=True).keys() == {"show_health"}
    assert faults(dialect="mattermost", incoming_webhook=URL, receive="history").keys() == {"receive"}


def test_names_where_the_dialect_has_none() -> None:
    assert faults(dialect="mattermost", server=SERVER, api_key="k", sender_names=True).keys() == {"sender_names"}
    assert not faults(dialect="mattermost", incoming_webhook=URL, sender_names=True)
    assert not faults(dialect="rocketchat", server=SERVER, api_key="k", sender_names=False)
